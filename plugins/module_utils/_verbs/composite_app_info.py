# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``composite_app_info``: which composite apps there are and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.deployment import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import stored_intent
from ansible_collections.emco.edge.plugins.module_utils._verbs.masking import masked
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class CompositeAppInfo:
    """Which composite apps are asked for; what is left out matches all."""

    project: str | None = option(parse=emco_name, type="str")
    name: str | None = option(parse=emco_name, type="str")
    version: str | None = option(parse=emco_name, type="str")
    store: Any = option(type="raw")


SPEC = Spec("composite_app_info", CompositeAppInfo, fleet=True)


def run(wanted: CompositeAppInfo, context: Context) -> Result:
    """All stored composite apps that match, values that look like secrets masked."""
    store, keys = context.store(wanted.store), context.keys()
    asked = (wanted.project, wanted.name, wanted.version)
    found = []
    for entry in store.list(("composite_apps",)):
        if all(one in (None, there) for one, there in zip(asked, entry.key[1:], strict=True)):
            stored = stored_intent(store, keys, entry.key)
            if stored is not None:
                found.append({**masked(stored.document["app"]), "base_dir": stored.document["base_dir"]})
    return {"changed": False, "composite_apps": found}
