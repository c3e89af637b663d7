# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the room on the nodes of a cluster while a plan is made.

A room starts from the facts (allocatable less what living pods request, less pods that wait for a node) and shrinks as
the planner promises it to apps. ``Node.extra`` may hold ``pods`` (``[{namespace, labels, host_ports,
anti_affinity}]``), read for anti-affinity, spread and host ports, and ``zones`` (NodeResourceTopology).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import HOSTNAME, PodDemand, PodTerm
from ansible_collections.emco.edge.plugins.module_utils._hardware.device_needs import DeviceClaim, DeviceNeed
from ansible_collections.emco.edge.plugins.module_utils._hardware.devices import DevicePool, device_pool
from ansible_collections.emco.edge.plugins.module_utils._hardware.node_rules import label_rule, untolerated
from ansible_collections.emco.edge.plugins.module_utils._hardware.numa import Topology, topology_of
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node

_MOST_DEVICES = 256
"""More pods with devices than this on one node are not looked for."""


@dataclass(frozen=True)
class Neighbour:
    """A pod that is on a node already, as far as other pods mind it."""

    namespace: str
    labels: Mapping[str, str]
    host_ports: frozenset[tuple[str, str, int]] = frozenset()
    anti_affinity: tuple[PodTerm, ...] = ()


@dataclass
class NodeRoom:
    """A node and what is left of it."""

    node: Node
    free: dict[str, int]
    neighbours: list[Neighbour] = field(default_factory=list)
    topology: Topology | None = None
    devices: DevicePool | None = None
    """The devices of the whole cluster, shared by its nodes."""

    @property
    def is_open(self) -> bool:
        """Whether any pod that asks for room alone may use the node."""
        return not (
            self.node.taints
            or self.node.unschedulable
            or self.devices is not None
            or self.topology is not None
            or any(other.anti_affinity for other in self.neighbours)
        )

    def copy(self, devices: DevicePool | None) -> NodeRoom:
        """A node to try things on."""
        return NodeRoom(self.node, dict(self.free), list(self.neighbours), self.topology, devices)

    def slots(self, demand: PodDemand) -> int:
        """How many pods fit by resources and neighbours alone, on a node that the pod may use."""
        free = self.free
        found = 1 << 30
        if demand.claims or self.devices is not None:
            return self._slots_with_devices(demand)
        for name, wanted in demand.requests.items():
            left = free.get(name, 0) // wanted
            if left < found:
                if left <= 0:
                    return 0
                found = left
        if self.topology is not None and found:
            found = min(found, self.topology.pods(demand))
        if demand.anti_affinity or demand.host_ports or self.neighbours:
            found = min(found, self._among_neighbours(demand))
        return found

    def _slots_with_devices(self, demand: PodDemand) -> int:
        """The same where claims, or classes that serve extended resources, ask for devices."""
        claims = self._all_claims(demand)
        served = {claim.name for claim in claims[len(demand.claims) :]}
        found = min(
            (self.free.get(name, 0) // wanted for name, wanted in demand.requests.items() if name not in served),
            default=1 << 30,
        )
        if self.topology is not None and found > 0:
            found = min(found, self.topology.pods(demand))
        found = min(found, self._among_neighbours(demand))
        if found > 0 and claims:
            found = 0 if self.devices is None else self.devices.pods(self.node, claims, min(found, _MOST_DEVICES))
        return max(0, found)

    def _all_claims(self, demand: PodDemand) -> tuple[DeviceClaim, ...]:
        """The pod's claims, and one for each extended resource that the node lacks and a device class serves."""
        claims = list(demand.claims)
        for name, wanted in demand.requests.items():
            if "/" in name and self.devices is not None and not self.free.get(name, 0):
                serving = self.devices.class_for(name)
                if serving is not None:
                    claims.append(DeviceClaim(name, ((DeviceNeed(name, serving, wanted),),)))
        return tuple(claims)

    def _among_neighbours(self, demand: PodDemand) -> int:
        for other in self.neighbours:
            if any(term.matches(other.namespace, other.labels) for term in demand.anti_affinity):
                return 0
            if any(term.matches(demand.namespace, demand.labels) for term in other.anti_affinity):
                return 0
            if demand.host_ports and ports_clash(demand.host_ports, other.host_ports):
                return 0
        alone = bool(demand.host_ports) or any(
            term.matches(demand.namespace, demand.labels) for term in demand.anti_affinity
        )
        return 1 if alone else 1 << 30

    def take(self, demand: PodDemand, pods: int = 1) -> None:
        """Give room to ``pods`` pods."""
        if self.devices is not None:
            claims = self._all_claims(demand)
            for _unused in range(pods if claims else 0):
                self.devices.allocate(self.node, claims)
        for name, wanted in demand.requests.items():
            self.free[name] = self.free.get(name, 0) - wanted * pods
        if self.topology is not None:
            self.topology = self.topology.after(demand, pods)
        if demand.anti_affinity or demand.host_ports or demand.labels:
            neighbour = Neighbour(demand.namespace, demand.labels, demand.host_ports, demand.anti_affinity)
            self.neighbours.extend([neighbour] * pods)

    def alike(self, namespace: str, rule: Any) -> int:
        """How many pods of a namespace on the node match a label rule."""
        return sum(other.namespace == namespace and rule.matches(other.labels) for other in self.neighbours)


def ports_clash(mine: Iterable[tuple[str, str, int]], theirs: Iterable[tuple[str, str, int]]) -> bool:
    """Whether two pods cannot share a node because of host ports (0.0.0.0 is every address)."""
    other = list(theirs)
    return any(
        port == number and protocol == kind and ("0.0.0.0" in (address, at) or address == at)
        for address, protocol, port in mine
        for at, kind, number in other
    )


class ClusterRoom:
    """The room of a cluster; ``nodes`` is None where nobody has read it."""

    def __init__(self, nodes: list[NodeRoom] | None, devices: DevicePool | None = None) -> None:
        self.nodes = nodes
        self.devices = devices
        self.promised = False
        """Whether pods that have not landed were given room here, so that where they will be is a guess."""
        self._admitting: dict[Any, list[int]] = {}
        self._plain = nodes is not None and not any(room.node.taints or room.node.unschedulable for room in nodes)

    def trial(self) -> ClusterRoom:
        """A copy to try things on."""
        devices = None if self.devices is None else self.devices.copy()
        copy = ClusterRoom([node.copy(devices) for node in self.nodes or ()], devices)
        copy._admitting = self._admitting
        return copy

    def same(self, other: NodeRoom) -> NodeRoom:
        """The node of this room that a node of its copy stands for."""
        return next(node for node in self.nodes or () if node.node is other.node)

    def admitting(self, demand: PodDemand) -> list[NodeRoom]:
        """The nodes that the pod may use as far as names, labels and taints go."""
        if self.nodes is None:
            return []
        if self._plain and demand.rules.any_node:
            return self.nodes
        key = (demand.rules, demand.tolerations)
        found = self._admitting.get(key)
        if found is None:
            found = self._admitting[key] = [
                index
                for index, room in enumerate(self.nodes)
                if demand.rules.admit(room.node) and untolerated(room.node, demand.tolerations) is None
            ]
        return [self.nodes[index] for index in found]

    def promise(self, placed: Iterable[tuple[NodeRoom, PodDemand, int]]) -> None:
        """Give room to pods that will come."""
        for room, demand, pods in placed:
            room.take(demand, pods)
            self.promised = True


def cluster_room(nodes: Iterable[Node] | None, devices: Mapping[str, Any] | None = None) -> ClusterRoom:
    """The room of a cluster with these nodes and ``Facts.devices``; nodes that are not ready have none."""
    pool = device_pool(devices) if devices else None
    if nodes is None:
        return ClusterRoom(None)
    rooms = [node_room(node) for node in nodes if node.ready]
    if pool is not None:
        for room in rooms:
            room.devices = pool
    return ClusterRoom(rooms, pool)


def node_room(node: Node) -> NodeRoom:
    """What is left of a node when its living pods have theirs."""
    used = node.used
    free = {name: value - used.get(name, 0) for name, value in node.allocatable.items()}
    if "pods" not in free:
        # Nobody said how many pods the node takes (an inline node); what else is asked for is what counts.
        free["pods"] = 1 << 30
    extra = node.extra
    if not extra:
        return NodeRoom(node, free)
    neighbours = [_neighbour(pod) for pod in extra.get("pods") or ()]
    return NodeRoom(node, free, neighbours, topology_of(extra))


def _neighbour(pod: Mapping[str, Any]) -> Neighbour:
    namespace = str(pod.get("namespace") or "default")
    terms = tuple(
        PodTerm(label_rule(term.get("labelSelector")), tuple(term.get("namespaces") or ()) or (namespace,))
        for term in pod.get("anti_affinity") or ()
        if term.get("topologyKey", HOSTNAME) == HOSTNAME
    )
    ports = frozenset(
        (str(address) or "0.0.0.0", str(protocol), int(number))
        for address, protocol, number in pod.get("host_ports") or ()
    )
    return Neighbour(namespace, pod.get("labels") or {}, ports, terms)
