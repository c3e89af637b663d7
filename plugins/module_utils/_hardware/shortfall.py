# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: why pods do not fit, and how far off it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand
from ansible_collections.emco.edge.plugins.module_utils._hardware.node_rules import untolerated
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import ClusterRoom, NodeRoom
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import written


@dataclass(frozen=True)
class Shortfall:
    """What keeps ``pods`` pods of a workload from fitting when only ``found`` do."""

    workload: str
    pods: int
    found: int
    blocks: str
    """A resource, or ``nodes`` where no node may be used, or a rule between pods."""
    lacks: str
    """How far off, in words: ``needs 2 more example.com/accelerator; largest node has 1 free``."""
    missing: int = 0
    """How much of the blocking resource is missing, in the units of quantities.amount."""
    distance: float = 1.0
    """How far off, from 0 (almost) to 1: the share of the pods or of what one of them asks for that is missing."""

    @property
    def short(self) -> str:
        """What is missing in as few words as possible: ``2 example.com/accelerator``."""
        return f"{written(self.blocks, self.missing)} {self.blocks}" if self.missing else self.lacks

    def __str__(self) -> str:
        return f"{self.found} of {self.pods} pods of {self.workload} fit; {self.lacks}"


def shortfall(room: ClusterRoom, demand: PodDemand, pods: int, found: int) -> Shortfall:
    """The reason why ``found`` of ``pods`` pods fit."""
    nodes = room.admitting(demand)
    if not nodes:
        return Shortfall(demand.workload, pods, found, "nodes", _no_node(room, demand))
    blocks, lacks, missing = _by_resource(nodes, demand, pods - found) or _by_rule(nodes, demand)
    asked = demand.requests.get(blocks, 0) * pods
    distance = min(1.0, missing / asked) if asked and missing else (pods - found) / pods
    return Shortfall(demand.workload, pods, found, blocks, lacks, missing, distance)


def _no_node(room: ClusterRoom, demand: PodDemand) -> str:
    nodes = room.nodes or []
    if not nodes:
        return "it has no ready node"
    reasons: Counter[str] = Counter()
    for node in nodes:
        taint = untolerated(node.node, demand.tolerations)
        if not demand.rules.admit(node.node):
            reasons["do not match its node rules" + _asked(demand)] += 1
        elif taint is not None:
            reasons[f"have the taint {taint.key} that it does not tolerate"] += 1
    return "no node may be used: " + ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


def _asked(demand: PodDemand) -> str:
    rules = demand.rules
    asked = [f"{key}={value}" for key, value in rules.labels] + [str(one) for one in rules.expressions]
    for term in rules.terms or ():
        asked += [str(one) for one in (*term.labels, *term.names)]
    return f" ({'; '.join(asked)})" if asked else ""


def _by_resource(nodes: Sequence[NodeRoom], demand: PodDemand, more: int) -> tuple[str, str, int] | None:
    """The resource of which most is missing, if any single one is short."""
    worst: tuple[float, str, int, int, int] | None = None
    for name, wanted in demand.requests.items():
        places = sum(max(0, node.free.get(name, 0)) // wanted for node in nodes)
        largest = max(max(0, node.free.get(name, 0)) for node in nodes)
        missing = wanted - largest if largest < wanted else wanted * more
        candidate = (places / wanted if wanted else 0.0, name, missing, largest, places)
        if worst is None or (places, candidate) < (worst[4], worst):
            worst = candidate
    if worst is None:
        return None
    _share, name, missing, largest, places = worst
    together = sum(node.slots(demand) for node in nodes)
    if places > together:
        return None
    what = "pods" if name == "pods" else name
    return name, f"needs {written(name, missing)} more {what}; largest node has {written(name, largest)} free", missing


def _by_rule(nodes: Sequence[NodeRoom], demand: PodDemand) -> tuple[str, str, int]:
    if any(node.topology is not None and not node.topology.pods(demand) for node in nodes):
        return "numa", "no NUMA zone of a node holds all that must lie together", 0
    for what, rule in (
        ("anti-affinity", demand.anti_affinity),
        ("topology spread", demand.spread),
        ("host ports", demand.host_ports),
    ):
        if rule:
            return what, f"its {what} leaves no node for more of them", 0
    best = max(nodes, key=lambda node: _satisfied(node, demand))
    short = [name for name, wanted in demand.requests.items() if best.free.get(name, 0) < wanted]
    if not short:
        return "fragmentation", "no node has room for one more", 0
    missing = demand.requests[short[0]] - max(0, best.free.get(short[0], 0))
    together = " and ".join(sorted(demand.requests.keys() - {"pods"}))
    lacks = f"no node has {together} together; {best.node.name} needs {written(short[0], missing)} more {short[0]}"
    return short[0], lacks, missing


def _satisfied(node: NodeRoom, demand: PodDemand) -> tuple[int, float]:
    shares = [min(1.0, max(0, node.free.get(name, 0)) / wanted) for name, wanted in demand.requests.items() if wanted]
    return sum(share >= 1 for share in shares), sum(shares)
