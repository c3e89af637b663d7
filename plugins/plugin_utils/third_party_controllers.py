# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to emco.edge: action controllers of other collections, imported on the control node."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers.third_party import Control
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError


def load_control(name: str) -> Control:
    """The function ``control`` of ``<namespace>.<collection>.<file>``; EdgeError when there is none."""
    namespace, collection, file = name.split(".")
    module = f"ansible_collections.{namespace}.{collection}.plugins.plugin_utils.emco_controllers.{file}"
    try:
        found: Any = import_module(module)
    except Exception as failure:  # their file may raise anything while it is imported
        raise EdgeError(
            "UnknownController",
            f"controller {name} cannot be loaded: {type(failure).__name__}: {failure}.",
            hint=f"It is looked for as {module}; is the collection {namespace}.{collection} installed?",
        ) from failure
    control: Any = getattr(found, "control", None)
    if not callable(control):
        raise EdgeError("UnknownController", f"controller {name} has no function control(request).")
    return control  # type: ignore[no-any-return]  # what it returns is checked when it does
