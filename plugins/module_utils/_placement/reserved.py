# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: room for pods that will come: those that wait on a cluster, and those that plans have promised.

Promised pods are recognised by the labels of their template once the facts show them, on a node or waiting for one, and
take no room a second time; where they grow, only what comes on top is reserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demand
from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import fill
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import ClusterRoom, NodeRoom
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef, Facts, Node


@dataclass(frozen=True)
class Reservation:
    """Pods that a plan has promised to a cluster."""

    cluster: ClusterRef
    pods: tuple[PodDemand, ...]


@dataclass
class _Seen:
    """A pod that the facts show; ``requests`` is None where they do not say what it asks for."""

    namespace: str
    labels: Mapping[str, str]
    node: Node | None = None
    requests: Mapping[str, int] | None = None
    counted: bool = field(default=False, compare=False)

    def is_of(self, demand: PodDemand) -> bool:
        return self.namespace == demand.namespace and demand.labels.items() <= self.labels.items()


def reserve(room: ClusterRoom, facts: Facts, promised: Iterable[Reservation]) -> None:
    """Take the room of pods that will come. What finds none takes none: it will not find any on the cluster either."""
    waiting = [demand for pod in facts.pending if (demand := pod_demand({"kind": "Pod", **pod})) is not None]
    coming = [demand for one in promised for demand in one.pods]
    seen = [*_seen(facts), *(_Seen(one.namespace, one.labels, None, one.requests) for one in waiting)] if coming else []
    for demand in waiting:
        room.promise(fill(room, demand, demand.copies)[0])
    for demand in coming:
        if demand.per_node:
            there = {id(one.node) for one in seen if one.is_of(demand)}
            room.promise(_on_each_node(room, demand, there))
        else:
            for rest in _still_to_come(demand, seen):
                room.promise(fill(room, rest, rest.copies)[0])


def _seen(facts: Facts) -> list[_Seen]:
    return [
        _Seen(str(pod.get("namespace") or "default"), pod["labels"], node, pod.get("requests"))
        for node in facts.nodes
        for pod in node.extra.get("pods") or ()
        if pod.get("labels")
    ]


def _still_to_come(demand: PodDemand, seen: Iterable[_Seen]) -> list[PodDemand]:
    """The pods that are not there, and what those that are there will ask for on top."""
    there = []
    if demand.labels:
        there = [one for one in seen if not one.counted and one.is_of(demand)][: demand.copies]
    growth: dict[tuple[tuple[str, int], ...], int] = {}
    for one in there:
        one.counted = True
        more = _more(demand.requests, one.requests) if one.requests is not None else ()
        growth[more] = growth.get(more, 0) + 1
    found = [replace(demand, copies=demand.copies - len(there))] if len(there) < demand.copies else []
    rules: Any = {"anti_affinity": (), "spread": (), "host_ports": frozenset(), "claims": ()}
    found += [replace(demand, requests=dict(more), copies=copies, **rules) for more, copies in growth.items() if more]
    return found


def _more(wanted: Mapping[str, int], has: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((name, value - has.get(name, 0)) for name, value in wanted.items() if value > has.get(name, 0))


def _on_each_node(room: ClusterRoom, demand: PodDemand, there: set[int]) -> list[tuple[NodeRoom, PodDemand, int]]:
    return [(node, demand, 1) for node in room.admitting(demand) if id(node.node) not in there and node.slots(demand)]
