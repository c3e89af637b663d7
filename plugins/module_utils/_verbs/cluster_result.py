# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``cluster_result``, which tells a host what a fleet task did on its cluster.

A fleet task runs once and has one line in the recap. This one gives each cluster its own, fails the hosts whose cluster
failed, so that max_fail_percentage counts them, and notifies handlers where something changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_options import (
    IDENTITY_VARIABLES,
    ClusterResultOptions,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec

SPEC = Spec("cluster_result", ClusterResultOptions, fleet=False, variables=IDENTITY_VARIABLES)

_COUNTS = ("applied", "unchanged", "deleted")


def run(wanted: ClusterResultOptions, _unused: Context) -> Result:
    """What the fleet task says about this cluster; skipped where it says nothing."""
    name = str(wanted.ref)
    outcome = _clusters(wanted.result).get(name)
    if outcome is None:
        return {
            "changed": False,
            "skipped": True,
            "cluster": name,
            "skip_reason": f"{name} was not touched.",
            "msg": f"{name} was not touched.",
        }
    state = str(outcome.get("state") or "Unknown")
    result: Result = {**outcome, "changed": bool(outcome.get("changed")), "cluster": name, "state": state}
    result["msg"] = _line(name, state, outcome)
    if state in wanted.fail_on:
        result["failed"] = True
        result.setdefault("reason", state)
    return result


def _clusters(result: Mapping[str, Any]) -> Mapping[str, Any]:
    clusters = result.get("clusters")
    if isinstance(clusters, Mapping):
        return clusters
    if result.get("skipped"):
        return {}
    why = "has no clusters"
    if result.get("failed"):
        why += f", because the task failed: {result.get('msg')}"
    hint = "register the result of a task that acts on the fleet, such as emco.edge.deployment"
    raise InvalidInput([Problem("from", why, hint)], of="the options of emco.edge.cluster_result")


def _line(name: str, state: str, outcome: Mapping[str, Any]) -> str:
    """``lab+edge-1 Ready: 4 applied, 16 unchanged, 0.8 s``, or why it is not."""
    told = [f"{outcome[count]} {count}" for count in _COUNTS if outcome.get(count)]
    if outcome.get("seconds") is not None:
        told.append(f"{outcome['seconds']} s")
    why = ": ".join(str(outcome[part]) for part in ("reason", "message") if outcome.get(part))
    return f"{name} {state}" + (f": {', '.join(told)}" if told else "") + (f" ({why})" if why else "")
