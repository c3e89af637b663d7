# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what EMCO does to a logical cloud, with the verb logical_cloud."""

from __future__ import annotations

from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco import native
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject, Refused
from ansible_collections.emco.edge.plugins.module_utils._emco.state import Action, State
from ansible_collections.emco.edge.plugins.module_utils._emco.world import Step, World
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._verbs import logical_cloud
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_outcome import Manner, Outcome, call

_STATES: dict[str, State] = {"instantiate": "Instantiated", "update": "Updated", "terminate": "Terminated"}


def operate_cloud(step: Step, world: World, manner: Manner, context: Context) -> Outcome:
    """Instantiate, update, stop or terminate a logical cloud; EdgeError when it does not work."""
    one = world.catalogue.get(step.path)
    if one is None or not world.has_to(step.do, step.path):
        return Outcome("unchanged", False)
    if step.do == "stop":
        world.went(one.path, Action("InstantiateStopped", context.clock()))
        return Outcome("done", True, "nothing of it is under way between runs")
    if step.do == "terminate":
        _refuse_in_use(one, world)
        options: dict[str, Any] = {"project": one.path[1], "name": one.name, "state": "absent"}
    else:
        problems = Problems()
        options = native.logical_cloud(world.catalogue, one, problems)
        problems.raise_if_any(f"the logical cloud {one.name}")
    how = {"conflicts": manner.conflicts, "adopt": manner.adopt, "parallel": manner.parallel, "allow_deletions": True}
    result = call(logical_cloud.SPEC, logical_cloud.run, {**options, **how}, context, check=True)
    before, inputs = world.lifecycle(one.path), world.inputs(one.path)
    running = before.state in ("Instantiated", "Updated") and step.do != "terminate"
    if running and before.inputs == inputs:
        return Outcome("done" if result["changed"] else "unchanged", bool(result["changed"]))
    world.went(one.path, Action(_STATES[step.do], context.clock()), inputs=inputs)
    return Outcome("done", True)


def _refuse_in_use(one: EmcoObject, world: World) -> None:
    users = [
        "/".join(group.path)
        for group in world.catalogue
        if group.kind == "DeploymentIntentGroup"
        and group.path[1] == one.path[1]
        and group.spec["logicalCloud"] == one.name
        and world.lifecycle(group.path).running
    ]
    if users:
        raise Refused(409, f"{'/'.join(one.path)} is in use by {', '.join(users)}", "Terminate these first.")
