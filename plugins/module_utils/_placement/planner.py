# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: where each app runs: filter, score, select, divide, and say why.

Apps are decided one after another, those that others want to be with (or apart from) first, then by name; what one is
promised is gone for the next. What runs today stays where it may stay unless ``rebalance`` is asked for.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeAlias

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.placement import SILENT_AFTER, affinity_problems
from ansible_collections.emco.edge.plugins.module_utils._placement.attempt import attempt
from ansible_collections.emco.edge.plugins.module_utils._placement.capacity import Ledger
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import (
    AppRequest,
    Chosen,
    Decision,
    Failure,
    Moved,
    Nearest,
    Placement,
    Reason,
    Refusal,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.filters import Circumstances
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, Fleet, set_of
from ansible_collections.emco.edge.plugins.module_utils._placement.moves import moves
from ansible_collections.emco.edge.plugins.module_utils._placement.reserved import Reservation
from ansible_collections.emco.edge.plugins.module_utils._placement.scenery import Attempt, Scenery

__all__ = [
    "AppRequest",
    "Chosen",
    "Decision",
    "Failure",
    "Moved",
    "Nearest",
    "Placement",
    "Reason",
    "Refusal",
    "Reservation",
    "place",
]

Previous: TypeAlias = Mapping[str, Mapping[ClusterRef, "int | None"]]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Without looking for cyclic garbage: a plan makes much and drops nothing that is cyclic, and over a large fleet
    looking for it takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_without_collector()
def place(
    apps: Sequence[AppRequest],
    fleet: Sequence[Cluster],
    *,
    now: float,
    members: frozenset[ClusterRef] | None = None,
    previous: Previous = MappingProxyType({}),
    unreachable_after: float = SILENT_AFTER,
    rebalance: bool = False,
    reserved: Iterable[Reservation] = (),
) -> Placement:
    """Where each app runs over a fleet, with a reason for every cluster.

    ``now`` is in seconds since the epoch. ``members`` are the clusters of the logical cloud (None: all of the fleet),
    ``previous`` is where each app runs today with its replicas (None: one copy), which need not be among ``apps``:
    the others count as what is there already. ``reserved`` are pods promised by plans, whether the facts show them yet
    or not. InvalidInput when two requests are for one app, or with and apart_from go in a circle; what cannot be placed
    is in ``Placement.failures``.
    """
    order = _order(apps)
    columns = Fleet(fleet)
    scenery = Scenery(
        columns,
        Ledger(columns, reserved),
        Circumstances(columns, now=now, members=members, unreachable_after=unreachable_after),
        _apps_on(columns, previous),
        rebalance,
    )
    placed: dict[str, ClusterSet] = {
        app: _positions(columns, where) for app, where in previous.items() if app not in {one.name for one in order}
    }
    decisions: dict[str, Decision] = {}
    failures: dict[str, Failure] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    for app in order:
        where = previous.get(app.name, {})
        before = {columns.position[ref]: count for ref, count in where.items() if ref in columns.position}
        found = attempt(app, scenery, before, placed)
        placed[app.name] = set_of(found.replicas)
        scenery.note(found)
        gone = sorted(ref for ref in where if ref not in columns.position)
        decisions[app.name] = _decision(app, columns, found, moves(columns, found, before, gone, rebalance=rebalance))
        if found.failure is not None:
            failures[app.name] = found.failure
        if found.warnings:
            warnings[app.name] = found.warnings
    names = [app.name for app in apps]
    return Placement(
        {name: decisions[name] for name in names},
        tuple(failures[name] for name in names if name in failures),
        tuple(f"{name}: {text}" for name in names for text in warnings.get(name, ())),
    )


def _decision(app: AppRequest, fleet: Fleet, found: Attempt, moved: tuple[Moved, ...]) -> Decision:
    return Decision(
        app.name,
        fleet,
        chosen=found.chosen,
        replicas=found.replicas,
        refused=found.refused,
        shortage=found.shortage,
        missing_clusters=found.missing_clusters,
        nearest=found.failure.nearest if found.failure is not None else None,
        moved=moved,
        warnings=found.warnings,
    )


def _positions(fleet: Fleet, where: Iterable[ClusterRef]) -> ClusterSet:
    return set_of(fleet.position[ref] for ref in where if ref in fleet.position)


def _apps_on(fleet: Fleet, previous: Previous) -> list[int]:
    """How many apps are on each cluster before anything is decided: all that run today."""
    counts = [0] * len(fleet)
    for where in previous.values():
        for ref in where:
            if ref in fleet.position:
                counts[fleet.position[ref]] += 1
    return counts


def _order(apps: Sequence[AppRequest]) -> list[AppRequest]:
    by_name = {app.name: app for app in apps}
    problems = Problems()
    if len(by_name) != len(apps):
        names = [app.name for app in apps]
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.add(name, f"there are {names.count(name)} placement intents for app {name!r}, one is allowed")
    intents = {name: app.intent for name, app in by_name.items()}
    mentioned = {other for intent in intents.values() for other in (*intent.together_with, *intent.apart_from)}
    problems.extend(affinity_problems(intents, {*by_name, *mentioned}, ""))
    problems.raise_if_any("the placement")
    ordered: dict[str, AppRequest] = {}

    def visit(name: str) -> None:
        if name in ordered or name not in by_name:
            return
        intent = by_name[name].intent
        for other in sorted({*intent.together_with, *intent.apart_from}):
            visit(other)
        ordered[name] = by_name[name]

    for name in sorted(by_name):
        visit(name)
    return list(ordered.values())
