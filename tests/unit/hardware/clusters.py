# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and pods in few words, for tests of what fits where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demands
from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import Fit, fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.inline_cluster import parse_cluster

ENOUGH = 60
FULL = {"cpu": 8, "memory": "16Gi", "pods": 110}


def nodes_of(*nodes: Mapping[str, Any]) -> tuple[Node, ...]:
    """Nodes as they are written inline; one without allocatable has 8 cores, 16Gi and 110 pods."""
    problems = Problems()
    raw = [{"allocatable": FULL, **node} for node in nodes]
    cluster = parse_cluster({"name": "lab+edge-1", "nodes": raw}, "cluster", problems)
    problems.raise_if_any()
    assert cluster is not None
    if cluster.facts is None:
        return ()
    return cluster.facts.nodes


def container(requests: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": "main", "resources": {"requests": dict(requests or {})}, **more}


def workload(
    spec: Mapping[str, Any], *, kind: str = "Deployment", replicas: int = 1, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    template = {"metadata": {"labels": dict(labels or {"app": "api"})}, "spec": dict(spec)}
    return {"kind": kind, "metadata": {"name": "api"}, "spec": {"replicas": replicas, "template": template}}


def pod(requests: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod spec with one container."""
    return {"containers": [container(requests)], **spec}


def demand_of(spec: Mapping[str, Any], *others: Mapping[str, Any], **more: Any) -> PodDemand:
    return next(one for one in pod_demands([workload(spec, **more), *others]) if one.name == "api")


def fitted(
    spec: Mapping[str, Any],
    nodes: Sequence[Node],
    *others: Mapping[str, Any],
    wanted: int = ENOUGH,
    devices: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Fit:
    """How copies of a pod fit these nodes."""
    return fit(cluster_room(nodes, devices), (), (demand_of(spec, *others, labels=labels),), wanted)


def most(spec: Mapping[str, Any], *nodes: Mapping[str, Any], **more: Any) -> int | None:
    """How many copies of a pod fit, up to 60."""
    return fitted(spec, nodes_of(*nodes), **more).copies
