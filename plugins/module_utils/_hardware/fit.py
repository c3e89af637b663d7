# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: do all pods of an app fit on the nodes of a cluster together, and how many times.

Pods of one kind are counted exactly, as the scheduler fills nodes. Pods of several kinds are packed first-fit
decreasing; the answer is ``certain`` only where every order of scheduling would succeed, otherwise ``possible``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import HostSpread, PodDemand
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import ClusterRoom, NodeRoom
from ansible_collections.emco.edge.plugins.module_utils._hardware.shortfall import Shortfall, shortfall

Verdict = Literal["certain", "possible", "no", "unknown"]
Placed = tuple[tuple[NodeRoom, PodDemand, int], ...]

Kind = tuple[PodDemand, int, int]

MANY = 1 << 30


@dataclass(frozen=True)
class Fit:
    """How an app fits a cluster: ``copies`` is how many times at most (None: nobody knows)."""

    verdict: Verdict
    copies: int | None
    placed: Placed = ()
    shortfall: Shortfall | None = None


UNKNOWN = Fit("unknown", None)


def fit(room: ClusterRoom, once: Sequence[PodDemand], each: Sequence[PodDemand] = (), wanted: int = 1) -> Fit:
    """How the app fits with ``wanted`` copies: ``once`` are pods it has however often (with their own ``copies``),
    ``each`` one pod for each copy. ``placed`` is where they would go, for ``ClusterRoom.promise``.

    ``copies`` is exact up to ``wanted``; beyond it is not looked at.
    """
    if room.nodes is None:
        return UNKNOWN
    kinds = [(demand, demand.copies, 0) for demand in once if demand.copies or demand.per_node]
    kinds += [(demand, 0, 1) for demand in each]
    if not kinds:
        return Fit("certain", wanted)
    found = _judged(room, kinds, wanted)
    if room.devices is None or not room.devices.unknown or found.copies == wanted:
        return found
    return _hoped(room, kinds, wanted, found)


def _judged(room: ClusterRoom, kinds: Sequence[Kind], wanted: int) -> Fit:
    if len(kinds) == 1 and not kinds[0][0].per_node:
        return _one_kind(room, *kinds[0], wanted)
    return _several_kinds(room, kinds, wanted)


def _hoped(room: ClusterRoom, kinds: Sequence[Kind], wanted: int, found: Fit) -> Fit:
    """What follows if every selector of devices that cannot be judged is satisfied: unknown instead of no."""
    trial = room.trial()
    if trial.devices is None:
        raise RuntimeError("trial.devices is there")
    trial.devices.hopeful = True
    hoped = _judged(trial, kinds, wanted)
    if hoped.verdict == "no" or hoped.copies == found.copies:
        return found
    return Fit("unknown", hoped.copies, (), found.shortfall)


def _one_kind(room: ClusterRoom, demand: PodDemand, fixed: int, per_copy: int, wanted: int) -> Fit:
    pods = fixed + per_copy * wanted
    placed, found = fill(room, demand, pods)
    if found < pods and fixed:
        return Fit("no", 0, (), shortfall(room, demand, pods, found))
    if found < pods:
        copies = found // per_copy
        return Fit("no" if not copies else _verdict(room, [demand]), copies, (), shortfall(room, demand, pods, found))
    return Fit(_verdict(room, [demand]), wanted, tuple(placed))


def _verdict(room: ClusterRoom, demands: Sequence[PodDemand]) -> Verdict:
    guess = room.promised or any(demand.unjudged or not _is_plain(demand) for demand in demands)
    return "possible" if guess else "certain"


def _is_plain(demand: PodDemand) -> bool:
    """Whether its devices are interchangeable, so that the order of allocation does not matter."""
    needs = [need for claim in demand.claims for alternatives in claim.requests for need in alternatives]
    return len(needs) <= 1 and not any(claim.shared or claim.constraints for claim in demand.claims)


def fill(room: ClusterRoom, demand: PodDemand, pods: int) -> tuple[list[tuple[NodeRoom, PodDemand, int]], int]:
    """Where up to ``pods`` pods of one kind would go, and how many that is."""
    nodes = room.admitting(demand)
    if demand.spread:
        return _spread_over(room, nodes, demand, pods)
    if room.devices is not None:
        return _one_after_another(room, demand, pods)
    placed: list[tuple[NodeRoom, PodDemand, int]] = []
    left = pods
    for node in nodes:
        slots = node.slots(demand)
        if slots:
            here = slots if slots < left else left
            placed.append((node, demand, here))
            left -= here
            if not left:
                break
    return placed, pods - left


def _one_after_another(
    room: ClusterRoom, demand: PodDemand, pods: int
) -> tuple[list[tuple[NodeRoom, PodDemand, int]], int]:
    """Fill nodes that may share devices: what one takes is gone for the next."""
    trial = room.trial()
    placed: list[tuple[NodeRoom, PodDemand, int]] = []
    left = pods
    for node in trial.admitting(demand):
        here = min(left, node.slots(demand))
        if here:
            node.take(demand, here)
            placed.append((room.same(node), demand, here))
            left -= here
    if trial.devices is not None and room.devices is not None and trial.devices.unknown:
        room.devices.unknown = True
    return placed, pods - left


def _spread_over(
    room: ClusterRoom, nodes: Sequence[NodeRoom], demand: PodDemand, pods: int
) -> tuple[list[tuple[NodeRoom, PodDemand, int]], int]:
    """Topology spread by hostname: a node takes a pod while its count + 1 - smallest count <= max_skew.

    The smallest count is over the nodes that the pod's node rules admit, tainted or not (nodeTaintsPolicy: Ignore); it
    rises until the node that holds least is full, so each node takes up to that level and the skew more.
    """
    ceilings = {id(node): node.slots(demand) for node in nodes}
    for rule in demand.spread:
        domains = _domains(room, nodes, demand, rule)
        counts = {id(node): node.alike(demand.namespace, rule.labels) for node in domains}
        own = 1 if rule.labels.matches(demand.labels) else 0
        lowest = min((counts[id(node)] + ceilings.get(id(node), 0) * own for node in domains), default=0)
        if rule.min_domains is not None and len(domains) < rule.min_domains:
            lowest = 0
        for node in nodes:
            most = lowest + rule.max_skew - counts.get(id(node), 0)
            ceilings[id(node)] = min(ceilings[id(node)], max(0, most)) if own else ceilings[id(node)] * (most >= 0)
    return _level(nodes, demand, pods, ceilings)


def _domains(room: ClusterRoom, nodes: Sequence[NodeRoom], demand: PodDemand, rule: HostSpread) -> Sequence[NodeRoom]:
    if rule.honours_taints:
        return nodes
    return [node for node in room.nodes or () if demand.rules.admit(node.node)]


def _level(
    nodes: Sequence[NodeRoom], demand: PodDemand, pods: int, ceilings: dict[int, int]
) -> tuple[list[tuple[NodeRoom, PodDemand, int]], int]:
    total = sum(ceilings[id(node)] for node in nodes)
    left = min(pods, total)
    found = left
    taken = {id(node): 0 for node in nodes}
    level = 0
    while left:
        level += 1
        for node in nodes:
            if left and taken[id(node)] < min(level, ceilings[id(node)]):
                taken[id(node)] += 1
                left -= 1
    return [(node, demand, taken[id(node)]) for node in nodes if taken[id(node)]], found


def _several_kinds(room: ClusterRoom, kinds: Sequence[Kind], wanted: int) -> Fit:
    best: Fit | None = None
    if any(per_copy for _demand, _fixed, per_copy in kinds):
        low, high = 0, wanted
        while low < high:
            middle = (low + high + 1) // 2
            tried = _pack(room, kinds, middle)
            if tried.verdict == "no":
                high = middle - 1
            else:
                low, best = middle, tried
        if best is not None and best.copies == wanted:
            return best
        failed = _pack(room, kinds, wanted)
        if best is None:
            return Fit("no", 0, (), failed.shortfall)
        return Fit(best.verdict, best.copies, (), failed.shortfall)
    return _pack(room, kinds, wanted)


def _pack(room: ClusterRoom, kinds: Sequence[Kind], wanted: int) -> Fit:
    """First-fit decreasing on a copy of the room; DaemonSets first, because their nodes are not a choice."""
    trial = room.trial()
    placed: list[tuple[NodeRoom, PodDemand, int]] = []
    totals = _totals(room)
    order = sorted(
        ((demand, fixed + per_copy * wanted) for demand, fixed, per_copy in kinds),
        key=lambda entry: (not entry[0].per_node, -_size(entry[0], totals), entry[0].workload),
    )
    for demand, pods in order:
        if demand.per_node:
            nodes = trial.admitting(demand)
            here = [(node, demand, 1) for node in nodes if node.slots(demand)]
            pods, found = len(nodes), len(here)
        else:
            here, found = fill(trial, demand, pods)
        if found < pods:
            return Fit("no", 0, (), shortfall(trial, demand, pods, found))
        for node, _demand, count in here:
            node.take(demand, count)
        placed += here
    verdict = _verdict(room, [demand for demand, _pods in order])
    if verdict == "certain" and not _whatever_the_order(room, order):
        verdict = "possible"
    return Fit(verdict, wanted, tuple((room.same(node), demand, count) for node, demand, count in placed))


def _totals(room: ClusterRoom) -> dict[str, int]:
    totals: dict[str, int] = {}
    for node in room.nodes or ():
        for name, value in node.free.items():
            totals[name] = totals.get(name, 0) + max(0, value)
    return totals


def _size(demand: PodDemand, totals: dict[str, int]) -> float:
    """The largest share of the cluster that one pod takes of any resource."""
    return max(
        (value / totals[name] if totals.get(name) else MANY for name, value in demand.requests.items()), default=0
    )


def _whatever_the_order(room: ClusterRoom, pods: Sequence[tuple[PodDemand, int]]) -> bool:
    """Whether each kind finds its nodes even when all others are placed as badly for it as can be.

    A pod of another kind takes at most as many places of this kind as it is larger (rounded up), and never more than
    one node has. Rules between pods can block more than room, so they forbid the proof.
    """
    for demand, _count in pods:
        if demand.anti_affinity or demand.spread or demand.host_ports or demand.per_node:
            return False
    if any(node.topology is not None for node in room.nodes or ()):
        return False
    for demand, count in pods:
        slots = [node.slots(demand) for node in room.admitting(demand)]
        lost = sum(
            others * min(_times(other, demand), max(slots, default=0)) for other, others in pods if other is not demand
        )
        if sum(slots) - lost < count:
            return False
    return True


def _times(other: PodDemand, demand: PodDemand) -> int:
    return max((-(-other.requests.get(name, 0) // wanted) for name, wanted in demand.requests.items()), default=0)
