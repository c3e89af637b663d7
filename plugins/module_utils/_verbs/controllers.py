# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the action controllers of other collections that a deployment lists, loaded."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Controller
from ansible_collections.emco.edge.plugins.module_utils._controllers.third_party import third_party
from ansible_collections.emco.edge.plugins.module_utils._model.controllers import ControllerUse
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context


def loaded(uses: Sequence[ControllerUse], context: Context) -> tuple[Controller, ...]:
    """The controllers; ``NeedsControlNode`` where other collections cannot be imported, which a stored list meets."""
    if not uses:
        return ()
    if context.load_control is None:
        raise EdgeError(
            "NeedsControlNode",
            f"controllers {', '.join(use.name for use in uses)} are loaded on the control node only, and this task "
            "runs elsewhere.",
            hint="Run it without delegation, or plan on the control node and apply that revision.",
        )
    return tuple(third_party(use.name, context.load_control(use.name), use.options) for use in uses)
