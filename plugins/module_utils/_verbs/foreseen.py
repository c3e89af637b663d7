# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a run in check mode would have stored before: composite apps of the inventory's intents.

Check mode stores nothing, so a deployment of the same run does not find them in the store.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import CompositeApp
from ansible_collections.emco.edge.plugins.module_utils._model.options import parsed
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import APP_OPTIONS, StoredApp, intent_digest

# Of the role deploy, and of the inventory.
_VARIABLES = ("deploy_composite_apps", "emco_composite_apps")


def foreseen_app(context: Context, project: str, name: str, version: str) -> StoredApp | None:
    """A composite app as the role deploy defines it before this, in check mode only; None where it does not."""
    if not context.check:
        return None
    for variable in _VARIABLES:
        listed = context.host.variables.get(variable)
        for one in listed if isinstance(listed, (list, tuple)) else ():
            if isinstance(one, Mapping) and _names(one) == (project, name, version) and one.get("state") != "absent":
                app = {option: one[option] for option in APP_OPTIONS if one.get(option) is not None}
                digest = intent_digest({"app": app, "base_dir": context.base_dir}, context.keys())
                told = f"composite app {project}/{name}/{version} in {variable}"
                return StoredApp(parsed(CompositeApp, app, told), context.base_dir, digest)
    return None


def _names(one: Mapping[str, object]) -> tuple[str, str, str]:
    return str(one.get("project")), str(one.get("name")), str(one.get("version"))
