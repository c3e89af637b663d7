# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: NUMA zones of a node (NodeResourceTopology) for pods that must lie in one zone.

The kubelet aligns Guaranteed pods only; with scope ``container`` each container must fit one zone, with scope ``pod``
their sum must. A resource that no zone lists is not aligned (the node's total is what counts for it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, Requests
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import amount

Zone = Mapping[str, int]


@dataclass(frozen=True)
class Topology:
    """The zones of a node that runs the single-numa-node policy, with what is available in each."""

    zones: tuple[Zone, ...]
    whole_pod: bool
    """Scope pod: all containers of a pod lie in one zone."""

    def pods(self, demand: PodDemand) -> int:
        """How many pods of this kind the zones hold one after another, as the kubelet admits them."""
        if not _is_aligned(demand):
            return 1 << 30
        zones: tuple[Zone, ...] | None = self.zones
        found = 0
        most = max((sum(zone.get(name, 0) for zone in self.zones) for name in demand.requests), default=0)
        while zones is not None and found <= most:
            zones = self._admitted(zones, demand)
            found += zones is not None
        return found

    def after(self, demand: PodDemand, pods: int) -> Topology:
        """The zones when that many pods are there."""
        zones = self.zones
        if _is_aligned(demand):
            for _unused in range(pods):
                zones = self._admitted(zones, demand) or zones
        return Topology(zones, self.whole_pod)

    def _admitted(self, zones: tuple[Zone, ...], demand: PodDemand) -> tuple[Zone, ...] | None:
        parts = (demand.requests,) if self.whole_pod else tuple(requests for _name, requests in demand.containers)
        for wanted in parts:
            at = _zone_for(zones, wanted)
            if at is None:
                return None
            left = {name: value - wanted.get(name, 0) for name, value in zones[at].items()}
            zones = (*zones[:at], left, *zones[at + 1 :])
        return zones


def _zone_for(zones: tuple[Zone, ...], wanted: Requests) -> int | None:
    listed = {name for zone in zones for name in zone}
    for at, zone in enumerate(zones):
        if all(zone.get(name, 0) >= value for name, value in wanted.items() if name in listed):
            return at
    return None


def _is_aligned(demand: PodDemand) -> bool:
    whole_cpus = all(container.get("cpu", 0) % 1000 == 0 for _name, container in demand.containers)
    return demand.guaranteed and whole_cpus


def topology_of(extra: Mapping[str, Any]) -> Topology | None:
    """The zones in ``Node.extra``: ``{zones: [{name, resources: [{name, available}]}], topology_manager_policy,
    topology_manager_scope}``; None unless the policy is single-numa-node."""
    if extra.get("topology_manager_policy") != "single-numa-node" or not extra.get("zones"):
        return None
    zones = []
    for zone in extra["zones"]:
        resources = zone.get("resources") or ()
        listed = (
            resources.items() if isinstance(resources, Mapping) else ((r["name"], r["available"]) for r in resources)
        )
        zones.append({str(name): amount(str(name), quantity) for name, quantity in listed})
    return Topology(tuple(zones), extra.get("topology_manager_scope") == "pod")
