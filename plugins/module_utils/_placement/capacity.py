# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how much of an app each cluster can hold while a plan is made, and what it has promised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand
from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import Fit, fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.requirements import demands_of
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import ClusterRoom, NodeRoom, cluster_room
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import (
    AppRequest,
    Describe,
    Reason,
    RefusedSet,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import Fleet, set_of
from ansible_collections.emco.edge.plugins.module_utils._placement.reserved import Reservation, reserve


@dataclass(frozen=True)
class Copies:
    """An app's pods: those it has once on a cluster, and those that each replica adds."""

    once: tuple[PodDemand, ...]
    each: tuple[PodDemand, ...]

    @property
    def nothing(self) -> bool:
        """Whether nothing is known about its pods."""
        return not self.once and not self.each


def copies_of_app(app: AppRequest) -> Copies:
    """The pods of an app, divided by what its ``replicas`` say is divided."""
    pods = demands_of(app.pods, app.hardware)
    replicas, requests = app.intent.replicas, app.intent.requests
    if not pods and requests is not None:
        pods = (PodDemand("Pod", app.name, {**requests, "pods": 1}, scalable=True),)
    if not pods and replicas is not None:
        pods = (PodDemand("Pod", app.name, {"pods": 1}, scalable=True),)
    if replicas is None:
        return Copies(pods, ())
    named = replicas.workloads
    divided = [pod.scalable and (not named or pod.name in named or pod.workload in named) for pod in pods]
    once = tuple(pod for pod, is_divided in zip(pods, divided, strict=True) if not is_divided)
    each = tuple(replace(pod, copies=1) for pod, is_divided in zip(pods, divided, strict=True) if is_divided)
    return Copies(once, each)


class Ledger:
    """The room of every cluster, made when first asked for."""

    def __init__(self, fleet: Fleet, reserved: Iterable[Reservation] = ()) -> None:
        self._fleet = fleet
        self._rooms: dict[int, ClusterRoom] = {}
        self._reserved: dict[int, list[Reservation]] = {}
        self._estimates_taken: dict[int, int] = {}
        self._roomiest: dict[str, list[int]] = {}
        self._best: list[NodeRoom | None] | None = None
        self.has_estimates = any(cluster.free_replicas is not None for cluster in fleet.clusters)
        for one in reserved:
            if one.cluster in fleet.position:
                self._reserved.setdefault(fleet.position[one.cluster], []).append(one)

    def room(self, position: int) -> ClusterRoom:
        """The room of a cluster, less what waits there for a node and what was promised before."""
        room = self._rooms.get(position)
        if room is None:
            facts = self._fleet.clusters[position].facts
            room = cluster_room(None) if facts is None or not facts.nodes else cluster_room(facts.nodes, facts.devices)
            self._rooms[position] = room
            if facts is not None and room.nodes is not None:
                reserve(room, facts, self._reserved.get(position, ()))
        return room

    def free(self, position: int, resource: str, copies: Copies, wanted: int) -> tuple[int, int] | None:
        """What is free of a resource on all usable nodes and on the roomiest of them once ``wanted`` copies of an app
        are there; None where nobody knows."""
        nodes = self.room(position).nodes
        if nodes is None:
            return None
        taken: dict[int, int] = {}
        if wanted and not copies.nothing:
            for node, demand, pods in self.fit(position, copies, wanted).placed:
                taken[id(node)] = taken.get(id(node), 0) + demand.requests.get(resource, 0) * pods
        left = [
            max(0, node.free.get(resource, 0) - taken.get(id(node), 0)) for node in nodes if not node.node.unschedulable
        ]
        return sum(left), max(left, default=0)

    def estimate(self, position: int, app: str) -> int | None:
        """The outside estimate of how many more replicas of an app a cluster holds."""
        given = self._fleet.clusters[position].free_replicas
        if isinstance(given, Mapping):
            return given.get(app)
        return None if given is None else max(0, given - self._estimates_taken.get(position, 0))

    def fit(self, position: int, copies: Copies, wanted: int) -> Fit:
        """How ``wanted`` copies of an app fit a cluster."""
        return fit(self.room(position), copies.once, copies.each, wanted)

    def surely_holding(self, copies: Copies, positions: Iterable[int]) -> set[int]:
        """The clusters on which one node, the one with most free CPU, has room for all pods of an app.

        A look at a few columns, which spares most clusters the search over their nodes.
        """
        if copies.each or not copies.once or not all(pod.asks_for_room_only for pod in copies.once):
            return set()
        wanted: dict[str, int] = {}
        for pod in copies.once:
            for name, value in pod.requests.items():
                wanted[name] = wanted.get(name, 0) + value * pod.copies
        found = list(positions)
        for name, value in wanted.items():
            column = self._column(name)
            found = [position for position in found if column[position] >= value]
        return set(found)

    def _column(self, resource: str) -> list[int]:
        column = self._roomiest.get(resource)
        if column is None:
            if self._best is None:
                self._best = [_open_node(self.room(position)) for position in range(len(self._fleet))]
            column = [-1 if node is None else node.free.get(resource, 0) for node in self._best]
            self._roomiest[resource] = column
        return column

    def promise(self, position: int, found: Fit | None, replicas: int | None) -> None:
        """Note that an app will run on a cluster (``replicas``: how many more of it)."""
        if found is not None and found.placed:
            room = self.room(position)
            room.promise(found.placed)
            if self._best is not None:
                self._best[position] = node = _open_node(room)
                for resource, column in self._roomiest.items():
                    column[position] = -1 if node is None else node.free.get(resource, 0)
        estimate = self._fleet.clusters[position].free_replicas
        if isinstance(estimate, int) and replicas:
            self._estimates_taken[position] = self._estimates_taken.get(position, 0) + replicas


def _open_node(room: ClusterRoom) -> NodeRoom | None:
    """The node with most free CPU among those that take any pod with room."""
    return max(
        (node for node in room.nodes or () if node.is_open), key=lambda node: node.free.get("cpu", 0), default=None
    )


@dataclass(frozen=True)
class Capacities:
    """What the candidates can hold: ``limits`` by position is how many replicas at most (None: no limit known)."""

    fits: Mapping[int, Fit]
    limits: Mapping[int, int | None]
    refused: tuple[RefusedSet, ...] = ()


def capacities(
    app: AppRequest,
    copies: Copies,
    ledger: Ledger,
    candidates: Iterable[int],
    held: Mapping[int, int | None],
) -> Capacities:
    """What each candidate can hold of an app, and which cannot hold what they must.

    An app keeps the room that it has: only what comes on top is looked for.
    """
    replicas = app.intent.replicas
    if replicas is None:
        return _as_rendered(app, copies, ledger, candidates, held)
    duplicated = replicas.divide == "duplicated"
    least = replicas.total if duplicated else max(replicas.min or 0, 1 if replicas.total else 0)
    fits: dict[int, Fit] = {}
    limits: dict[int, int | None] = {}
    unknown: list[int] = []
    small: list[int] = []
    for position in candidates:
        has = held.get(position) or 0
        more = max(0, replicas.total - has)
        found = ledger.fit(position, copies, more) if position not in held or more else None
        limit = None if found is None or found.copies is None else has + found.copies
        if found is None:
            limit = has
        else:
            fits[position] = found
        estimate = ledger.estimate(position, app.name)
        if estimate is not None:
            limit = has + estimate if limit is None else min(limit, has + estimate)
        limits[position] = limit
        if limit is None and replicas.divide in ("capacity", "aggregated"):
            unknown.append(position)
        elif limit is not None and limit < least and not (duplicated and replicas.on_shortage == "partial" and limit):
            small.append(position)
    refused = (
        RefusedSet(Reason.INSUFFICIENT_CAPACITY, set_of(small), _too_small(fits, limits, least)),
        RefusedSet(Reason.CAPACITY_UNKNOWN, set_of(unknown), lambda _position: ("nobody knows how much it holds", {})),
    )
    return Capacities(fits, limits, tuple(one for one in refused if one.clusters))


def _too_small(fits: Mapping[int, Fit], limits: Mapping[int, int | None], least: int) -> Describe:
    def describe(position: int) -> tuple[str, Mapping[str, Any]]:
        limit = limits[position]
        numbers = {"fits": limit, "needs": least}
        found = fits.get(position)
        why = f"; {found.shortfall.lacks}" if found is not None and found.shortfall is not None else ""
        return f"it can hold {limit} of {least} replicas{why}", numbers

    return describe


def _as_rendered(
    app: AppRequest, copies: Copies, ledger: Ledger, candidates: Iterable[int], held: Mapping[int, int | None]
) -> Capacities:
    fits: dict[int, Fit] = {}
    none: list[int] = []
    limits: dict[int, int | None] = {}
    listed = list(candidates)
    holding = ledger.surely_holding(copies, listed)
    if len(holding) == len(listed) and not ledger.has_estimates:
        return Capacities(fits, {})
    for position in listed:
        if position in held:
            continue
        if not copies.nothing and position not in holding:
            found = ledger.fit(position, copies, 1)
            fits[position] = found
            if found.verdict == "no":
                none.append(position)
                continue
        estimate = ledger.estimate(position, app.name)
        if estimate is not None and estimate < 1:
            limits[position] = 0
            none.append(position)
    if not none:
        return Capacities(fits, {})

    def describe(position: int) -> tuple[str, Mapping[str, Any]]:
        found = fits.get(position)
        if found is None or found.shortfall is None:
            return "it can hold no more replicas", {"fits": 0, "needs": 1}
        short = found.shortfall
        return str(short), {"blocks": short.blocks, "missing": short.missing, "fits": short.found, "needs": short.pods}

    return Capacities(fits, {}, (RefusedSet(Reason.INSUFFICIENT_CAPACITY, set_of(none), describe),))


def preferences(app: AppRequest, copies: Copies, ledger: Ledger, positions: Iterable[int]) -> dict[int, float]:
    """How much of its optional hardware each cluster offers, from 0 to 1 by weight; empty when it wishes for none."""
    wishes = [one for one in app.hardware if not one.mandatory]
    if not wishes:
        return {}
    total = sum(one.weight for one in wishes)
    found = {}
    for position in positions:
        met = 0
        for wish in wishes:
            wished = demands_of((*copies.once, *copies.each), (wish,), optional=True)
            met += wish.weight * (ledger.fit(position, Copies(wished, ()), 1).verdict in ("certain", "possible"))
        found[position] = met / total
    return found
