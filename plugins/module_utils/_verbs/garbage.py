# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: old revisions go, and with them what nothing in the store names any more."""

from __future__ import annotations

import json

from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import outlived
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Revision, revision_of
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_call import Call
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import SealedBlobs

_ENTRY: Key = ("meta", "garbage")
# Looking through all revisions of all deployments takes a while; what is left over until then only takes room.
_EVERY = 24 * 3600.0


def trim(call: Call, current: Revision) -> None:
    """Forget revisions beyond the limit of the history, and once a day what they alone had in the store."""
    history = [*(one for one in call.history if one.number < current.number), current]
    old = outlived(history, call.wanted.revision_history_limit)
    for one in old:
        call.revisions.forget(one)
    if old:
        _collect(call.context.store(), call.context.keys(), call.context.clock())


def _collect(store: Store, keys: Keys, now: float) -> None:
    entry = store.get(_ENTRY)
    if entry is not None and now - float(entry.value["at"]) < _EVERY:
        return
    store.put(_ENTRY, {"at": now})
    store.collect_garbage(named_blobs(store, keys))


def named_blobs(store: Store, keys: Keys) -> set[str]:
    """The digests of all blobs that a revision names: its content, its objects, and the renderings they came from."""
    blobs = SealedBlobs(store, keys)
    contents = {revision_of(entry.value).content for entry in store.list(("revisions",))}
    found = set(contents)
    for data in blobs.get_known(contents).values():
        content = json.loads(data)
        found.update(row[5] for bundle in content["bundles"].values() for row in bundle["objects"])
        found.update(content.get("renderings", ()))
    return found
