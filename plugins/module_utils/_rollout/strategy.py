# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a rollout with every share turned into a number of clusters, and every cluster in its wave."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Limit, Unreachable


def clusters_of(limit: Limit, total: int, *, up: bool = False, least: int = 0) -> int:
    """How many of ``total`` clusters a limit is: shares rounded down (or up), between ``least`` and ``total``.

    Down with at least 1 is what Fleet, Argo CD and KubeFleet do, up is Open Cluster Management and Sveltos.
    """
    exact = limit if isinstance(limit, int) else limit * total
    return min(max(math.ceil(exact) if up else math.floor(exact), least), max(total, least))


@dataclass(frozen=True)
class Wave:
    """A set of clusters that the rollout handles together, in their order. None: only the rollout's own rule holds."""

    name: str
    clusters: tuple[ClusterRef, ...]
    max_concurrency: int | None = None
    max_failures: int | None = None
    soak: float = 0.0
    gate: str | None = None
    pause_after: bool = False


@dataclass(frozen=True)
class Strategy:
    """How the clusters of ``waves`` are brought to a revision. Every cluster is in exactly one wave, none is empty."""

    waves: tuple[Wave, ...]
    max_concurrency: int
    max_failures: int = 0
    max_deferred: int | None = None
    progress_deadline: float | None = None
    on_failure: Literal["stop", "continue", "rollback"] = "stop"
    rollback_scope: Literal["all", "wave"] = "all"
    unreachable: Unreachable = field(default_factory=Unreachable)
    ask_again: float = 10.0
    """Seconds between two questions to a cluster that does not answer and is waited for."""
    proves: bool = False
    """Whether somebody looks at a cluster once more when its soak ends."""
    probes: bool = True
    """Whether a cluster is asked for a sign of life before it is begun."""

    def __post_init__(self) -> None:
        if self.max_concurrency < 1:
            raise ValueError("max_concurrency must be at least 1")

    @property
    def clusters(self) -> tuple[ClusterRef, ...]:
        """All clusters in the order of their waves."""
        return tuple(ref for wave in self.waves for ref in wave.clusters)
