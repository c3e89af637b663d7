# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what EMCO does to the networks of a cluster, with the verbs network and provider_network."""

from __future__ import annotations

from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco import networks as native
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject
from ansible_collections.emco.edge.plugins.module_utils._emco.state import Action, State
from ansible_collections.emco.edge.plugins.module_utils._emco.world import Step, World
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_outcome import Manner, Outcome, call
from ansible_collections.emco.edge.plugins.module_utils._verbs.networks import PROVIDER_SPEC, SPEC, run

_STATES: dict[str, State] = {"apply": "Applied", "terminate": "Terminated", "stop": "InstantiateStopped"}


def operate_networks(step: Step, world: World, manner: Manner, context: Context) -> Outcome:
    """Apply, stop or terminate the networks of a cluster; virtual ones first, as EMCO does, and last when they go."""
    if not world.has_to(step.do, step.path):
        return Outcome("unchanged", False, f"is {world.lifecycle(step.path).state}")
    there = [one for kind in native.NETWORKS for one in world.catalogue.children(step.path, kind)]
    absent = step.do == "terminate"
    for one in reversed(there) if absent else there if step.do == "apply" else ():
        _ship(one, absent, manner, context)
    world.went(step.path, Action(_STATES[step.do], context.clock()), inputs=world.inputs(step.path))
    return Outcome("done", True, f"{len(there)} networks")


def _ship(one: EmcoObject, absent: bool, manner: Manner, context: Context) -> None:
    options: dict[str, Any] = native.network(one)
    if absent:
        options = {"name": one.name, "clusters": options["clusters"], "state": "absent"}
    how = {"conflicts": manner.conflicts, "adopt": manner.adopt, "wait": manner.wait}
    how["wait_timeout"] = f"{manner.wait_timeout:g}s"
    if one.kind == "Network":
        call(SPEC, run, {**options, **how}, context, check=True)
    else:
        call(PROVIDER_SPEC, run, {**options, **how}, context, check=True)
