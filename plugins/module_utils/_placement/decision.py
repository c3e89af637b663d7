# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what the planner is asked, and what it answers.

A decision keeps its refusals as sets with a way to describe each member; the values that people read are made when
they are read, because a thousand apps on a thousand clusters are a million of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, Fleet, positions_in


class Reason(str, Enum):
    """Why a cluster is not chosen: stable codes, in the order in which they are looked at."""

    NOT_LISTED = "NotListed"
    LABEL_MISMATCH = "LabelMismatch"
    SELECTOR_MISMATCH = "SelectorMismatch"
    EXCLUDED = "Excluded"
    OUTSIDE_LOGICAL_CLOUD = "OutsideLogicalCloud"
    UNREACHABLE = "Unreachable"
    CORDONED = "Cordoned"
    DRAINING = "Draining"
    TAINTED = "Tainted"
    API_NOT_SERVED = "ApiNotServed"
    NETWORK_MISSING = "NetworkMissing"
    REFUSED_BY_CLUSTER = "RefusedByCluster"
    NOT_WITH = "NotWith"
    APART_FROM = "ApartFrom"
    NO_WEIGHT = "NoWeight"
    HARDWARE_MISMATCH = "HardwareMismatch"
    INSUFFICIENT_CAPACITY = "InsufficientCapacity"
    CAPACITY_UNKNOWN = "CapacityUnknown"
    NO_DOMAIN = "NoDomain"
    SPREAD = "Spread"
    FALLBACK_NOT_NEEDED = "FallbackNotNeeded"
    LOWER_SCORE = "LowerScore"
    NO_REPLICAS = "NoReplicas"


@dataclass(frozen=True)
class AppRequest:
    """An app to place: its intent, and what the rendered app needs (empty where nothing is rendered)."""

    name: str
    intent: PlacementIntent = field(default_factory=PlacementIntent)
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the app, which a cluster's constraints look at."""
    required_apis: tuple[str, ...] = ()
    """Kinds it is made of, ``apps/v1/Deployment``."""
    networks: tuple[str, ...] = ()
    """Networks that its pods attach to."""
    pods: tuple[PodDemand, ...] = ()
    hardware: tuple[HardwareRequirement, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """A chosen cluster; ``replicas`` is None where the app is simply there, ``score`` is from -100 to 100."""

    cluster: ClusterRef
    replicas: int | None
    score: int
    why: str
    group: int = 1
    parts: Mapping[str, int] = field(default_factory=dict)
    """The score taken apart, by name of the score."""
    fit: str = "unknown"
    """certain | possible | unknown: how sure it is that all pods find a node."""


@dataclass(frozen=True)
class Refusal:
    """A cluster that is not chosen: a stable code, a sentence and the numbers in it."""

    cluster: ClusterRef
    reason: str
    message: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Nearest:
    """The cluster that came closest when nothing fits, and what it lacks."""

    cluster: ClusterRef
    lacks: str


@dataclass(frozen=True)
class Moved:
    """A cluster that an app leaves (``to`` says where its place is taken), and what made it."""

    source: ClusterRef
    to: tuple[ClusterRef, ...]
    why: str


Describe = Callable[[int], tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class RefusedSet:
    """Clusters refused for one reason, with a sentence and numbers for each position on request."""

    reason: Reason
    clusters: ClusterSet
    describe: Describe


class Decision:
    """Where one app runs and why; every cluster of the fleet is either chosen or refused."""

    def __init__(
        self,
        app: str,
        fleet: Fleet,
        *,
        chosen: Callable[[], tuple[Chosen, ...]],
        replicas: Mapping[int, int | None],
        refused: Sequence[RefusedSet],
        shortage: int = 0,
        missing_clusters: int = 0,
        nearest: Nearest | None = None,
        moved: tuple[Moved, ...] = (),
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.app = app
        self.shortage = shortage
        self.missing_clusters = missing_clusters
        self.nearest = nearest
        self.moved = moved
        self.warnings = warnings
        self.refused_sets = tuple(refused)
        self._fleet = fleet
        self._chosen = chosen
        self._replicas = replicas

    @cached_property
    def chosen(self) -> tuple[Chosen, ...]:
        """The chosen clusters by group, then name."""
        return self._chosen()

    @cached_property
    def replicas(self) -> Mapping[ClusterRef, int | None]:
        """The chosen clusters with their replicas (None: one copy as rendered), as ``place`` takes them back."""
        return {self._fleet.clusters[position].ref: count for position, count in self._replicas.items()}

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """Every cluster that is not chosen, by name."""
        found = [self._refusal(refused, at) for refused in self.refused_sets for at in positions_in(refused.clusters)]
        return tuple(sorted(found, key=lambda refusal: refusal.cluster))

    def _refusal(self, refused: RefusedSet, position: int) -> Refusal:
        message, numbers = refused.describe(position)
        return Refusal(self._fleet.clusters[position].ref, refused.reason.value, message, numbers)

    def grouped(self) -> list[tuple[str, int, Refusal]]:
        """Refusals by reason: the code, how many clusters, and the first of them by name; most frequent first."""
        found: dict[Reason, tuple[int, RefusedSet]] = {}
        for refused in self.refused_sets:
            count, example = found.get(refused.reason, (0, refused))
            first = refused if _lowest(refused.clusters) < _lowest(example.clusters) else example
            found[refused.reason] = (count + refused.clusters.bit_count(), first)
        lines = [
            (reason.value, count, self._refusal(example, _lowest(example.clusters)))
            for reason, (count, example) in found.items()
        ]
        return sorted(lines, key=lambda line: (-line[1], line[0]))


def _lowest(clusters: ClusterSet) -> int:
    return (clusters & -clusters).bit_length() - 1


@dataclass(frozen=True)
class Failure:
    """An app that cannot be placed as it must."""

    app: str
    reason: str
    message: str
    hint: str = ""
    nearest: Nearest | None = None

    def as_result(self) -> dict[str, Any]:
        """The failure as it stands in a result."""
        found: dict[str, Any] = {"app": self.app, "reason": self.reason, "message": self.message}
        if self.hint:
            found["hint"] = self.hint
        if self.nearest is not None:
            found["nearest"] = {"cluster": str(self.nearest.cluster), "lacks": self.nearest.lacks}
        return found


@dataclass(frozen=True)
class Placement:
    """The decisions on all apps of a plan, what failed among them, and what a user should look at."""

    decisions: Mapping[str, Decision]
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()

    def raise_if_failed(self) -> None:
        """EdgeError with every failure; its reason is theirs when they share one, else NoFeasibleCluster."""
        if not self.failures:
            return
        reasons = {failure.reason for failure in self.failures}
        reason = self.failures[0].reason if len(reasons) == 1 else "NoFeasibleCluster"
        if len(self.failures) == 1:
            message, hint = self.failures[0].message, self.failures[0].hint
        else:
            lines = "".join(f"\n  - {failure.message}" for failure in self.failures)
            message, hint = f"{len(self.failures)} apps cannot be placed:{lines}", ""
        details = {"failures": [failure.as_result() for failure in self.failures]}
        raise EdgeError(reason, message, hint=hint, details=details)
