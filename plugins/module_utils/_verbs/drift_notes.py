# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: since when drift is known: a note for each object that differs, gone when it no longer does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context

Seen = Mapping[ClusterRef, Mapping[str, float]]
"""By cluster and object, when it was first seen to differ."""


def _key(naming: Naming) -> Key:
    return ("drift", naming.project, naming.name)


def first_seen(naming: Naming, drifted: Mapping[ClusterRef, Collection[str]], whole: bool, context: Context) -> Seen:
    """When each of these objects was first seen to differ, now for new ones; check mode notes nothing.

    ``drifted`` has every cluster that was looked at. ``whole``: at all of its objects, so that what is not named has
    come right again.
    """
    store, now = context.store(), context.clock()
    entry = store.get(_key(naming))
    known: dict[str, dict[str, float]] = dict(entry.value["clusters"]) if entry is not None else {}
    noted = dict(known)
    for ref, objects in drifted.items():
        before = known.get(str(ref), {})
        found = {name: before.get(name, now) for name in objects}
        noted[str(ref)] = found if whole else {**before, **found}
    noted = {ref: objects for ref, objects in sorted(noted.items()) if objects}
    if noted != known and not context.check:
        store.put(_key(naming), {"clusters": noted})
    return {ref: noted.get(str(ref), {}) for ref in drifted}
