# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how good each candidate is for an app.

Every score is brought to -100..100 over the candidates (Open Cluster Management's rules), weighted, and averaged.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster
from ansible_collections.emco.edge.plugins.module_utils._model.comparison import number
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent
from ansible_collections.emco.edge.plugins.module_utils._model.placement_rules import Score, key_named
from ansible_collections.emco.edge.plugins.module_utils._placement.capacity import Copies, Ledger
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, Fleet

jmespath: Any = None
with contextlib.suppress(ImportError):  # only a score by query needs it
    import jmespath

_DEFAULTS = (Score(by="balance"), Score(by="steady"))


@dataclass(frozen=True)
class Scores:
    """The scores of candidates, aligned with ``positions``."""

    positions: Sequence[int]
    totals: array[float]
    parts: tuple[tuple[str, float, Sequence[float]], ...]
    avoided: ClusterSet
    """Candidates with a PreferNoSelect taint that is not tolerated."""

    @cached_property
    def by_position(self) -> dict[int, float]:
        """The total of every candidate."""
        return dict(zip(self.positions, self.totals, strict=True))

    def of(self, index: int) -> dict[str, int]:
        """The parts of one candidate's score, rounded."""
        return {name: round(values[index]) for name, _weight, values in self.parts}


@dataclass(frozen=True)
class Scene:
    """What scores look at besides the candidates themselves."""

    fleet: Fleet
    ledger: Ledger
    apps_on: Sequence[int]
    """How many apps of the plan are on each cluster so far."""
    held: Mapping[int, int | None]
    preferences: Mapping[int, float]
    """How much of its optional hardware each candidate offers, from 0 to 1."""
    copies: Copies
    wanted: int = 1
    """How many copies of the app a candidate would get, as far as that is known before they are divided."""


def scored(intent: PlacementIntent, positions: Sequence[int], scene: Scene, avoided: ClusterSet) -> Scores:
    """The scores of the candidates of an app."""
    wanted = list(intent.score)
    if intent.mode == "additive":
        given = {score.by for score in wanted}
        wanted += [score for score in _DEFAULTS if score.by not in given]
    if scene.preferences and all(score.by != "hardware" for score in wanted):
        wanted.append(Score(by="hardware"))
    parts = tuple((score.name, score.weight, _values(score, positions, scene)) for score in wanted)
    total_weight = sum(weight for _name, weight, _values in parts) or 1.0
    sums: list[float] = [0.0] * len(positions)
    for _name, weight, values in parts:
        share = weight / total_weight
        if share and any(values):
            sums = [total + share * value for total, value in zip(sums, values, strict=True)]
    totals = array("d", sums)
    if avoided:
        # As if another score, as heavy as all the others, were at its worst.
        for index, position in enumerate(positions):
            if avoided >> position & 1:
                totals[index] = (totals[index] - 100) / 2
    return Scores(positions, totals, parts, avoided)


def _values(score: Score, positions: Sequence[int], scene: Scene) -> Sequence[float]:
    if score.by == "balance":
        return _balance(positions, scene.apps_on)
    if score.by == "steady":
        held = scene.held
        return [100 if position in held else 0 for position in positions] if held else [0] * len(positions)
    if score.by == "hardware":
        return _normalised([scene.preferences.get(position, 0.0) for position in positions], "desc")
    if score.by in ("label", "kv", "facts"):
        numbers = scene.fleet.numbers(key_named(score.value_key))
        return _normalised([numbers[position] for position in positions], score.order)
    return _normalised([_raw(score, position, scene) for position in positions], score.order)


def _balance(positions: Sequence[int], apps_on: Sequence[int]) -> Sequence[float]:
    """``2 * int(100 * (0.5 - count / largest))``, 100 where nothing runs (Open Cluster Management's Balance)."""
    largest = max(map(apps_on.__getitem__, positions), default=0)
    if not largest:
        return [100] * len(positions)
    table = [2 * int(100 * (0.5 - count / largest)) for count in range(largest + 1)]
    return [table[apps_on[position]] for position in positions]


def _raw(score: Score, position: int, scene: Scene) -> float | None:
    if score.by in ("free", "fragmentation"):
        wanted = 0 if position in scene.held else scene.wanted
        free = scene.ledger.free(position, score.resource or "", scene.copies, wanted)
        if free is None:
            return None
        total, largest = free
        if score.by == "free":
            return float(total)
        # 0 where all that is free lies on one node; the less fragmented the better, hence the sign.
        return -(1 - largest / total) if total else None
    found = jmespath.search(score.query, cluster_document(scene.fleet.clusters[position]))
    return None if found is None else number(found)


def _normalised(values: Sequence[float | None], order: str) -> Sequence[float]:
    """From -100 (worst) to 100 (best); 100 for all when they are equal, 0 where there is no value."""
    known = [value for value in values if value is not None]
    if not known:
        return [0] * len(values)
    low, high = min(known), max(known)
    if low == high:
        return [0 if value is None else 100 for value in values]
    sign = 1 if order == "desc" else -1
    middle, half = (low + high) / 2, (high - low) / 2
    return [0 if value is None else sign * 100 * (value - middle) / half for value in values]


def cluster_document(cluster: Cluster) -> dict[str, Any]:
    """A cluster as a query sees it: ``{name, labels, kv, facts: {version, nodes: [...]}}``, amounts as numbers."""
    facts = cluster.facts
    nodes = [
        {
            "name": node.name,
            "ready": node.ready,
            "unschedulable": node.unschedulable,
            "labels": dict(node.labels),
            "allocatable": dict(node.allocatable),
            "free": {name: value - node.used.get(name, 0) for name, value in node.allocatable.items()},
        }
        for node in (facts.nodes if facts is not None else ())
    ]
    return {
        "name": str(cluster.ref),
        "labels": dict(cluster.labels),
        "kv": {name: dict(values) for name, values in cluster.kv.items()},
        "facts": {
            "version": facts.version if facts is not None else None,
            "nodes": nodes,
            "engines": dict(facts.engines) if facts is not None else {},
        },
    }
