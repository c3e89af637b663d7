# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets and intents in the surface's syntax, for tests of the planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.inline_cluster import parse_clusters
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent, parse_placement
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import (
    AppRequest,
    Decision,
    Placement,
    place,
)

NOW = 1_000_000.0


def ref(name: str) -> ClusterRef:
    return ClusterRef.parse(name if "+" in name else f"lab+{name}")


def fleet_of(clusters: Mapping[str, Mapping[str, Any]]) -> tuple[Cluster, ...]:
    """Clusters by short name: ``{m1: {labels: ...}}`` is lab+m1."""
    problems = Problems()
    raw = [{"name": str(ref(name)), **given} for name, given in clusters.items()]
    found = parse_clusters(raw, "clusters", problems)
    problems.raise_if_any()
    return found


def intents_of(apps: Mapping[str, Any]) -> dict[str, PlacementIntent]:
    problems = Problems()
    found = parse_placement(apps, list(apps), "apps", problems)
    problems.raise_if_any()
    return found


def placed(
    clusters: Mapping[str, Mapping[str, Any]] | Sequence[Cluster],
    apps: Mapping[str, Any],
    current: Mapping[str, Mapping[str, int | None]] | None = None,
    requests: Mapping[str, Mapping[str, Any]] | None = None,
    **options: Any,
) -> Placement:
    """``place`` with clusters, apps and ``current`` as they are written in a playbook."""
    fleet = fleet_of(clusters) if isinstance(clusters, Mapping) else clusters
    more = requests or {}
    wanted = [AppRequest(name, intent, **more.get(name, {})) for name, intent in intents_of(apps).items()]
    previous = {app: {ref(name): count for name, count in where.items()} for app, where in (current or {}).items()}
    options.setdefault("now", NOW)
    return place(wanted, fleet, previous=previous, **options)


def decided(
    clusters: Mapping[str, Mapping[str, Any]] | Sequence[Cluster],
    intent: Any,
    current: Mapping[str, int | None] | None = None,
    request: Mapping[str, Any] | None = None,
    **options: Any,
) -> Decision:
    """The decision on one app, which must not fail."""
    before = None if current is None else {"app": current}
    placement = placed(clusters, {"app": intent}, before, {"app": request or {}}, **options)
    placement.raise_if_failed()
    return placement.decisions["app"]


def names(decision: Decision) -> list[str]:
    """Short names of the chosen clusters, sorted."""
    return sorted(one.cluster.name for one in decision.chosen)


def replicas(decision: Decision) -> dict[str, int | None]:
    """Replicas by short name."""
    return {one.cluster.name: one.replicas for one in sorted(decision.chosen, key=lambda one: one.cluster)}


def reasons(decision: Decision) -> dict[str, str]:
    """Reason codes by short name."""
    return {one.cluster.name: one.reason for one in decision.refusals}


def by_score(scores: Mapping[str, float], **more: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Clusters whose label ``score`` says how good they are; ``more`` adds to each by name."""
    return {name: {"labels": {"score": str(score)}, **more.get(name, {})} for name, score in scores.items()}


SCORED: dict[str, Any] = {"score": [{"by": "label", "key": "score"}], "mode": "exact"}
