# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what leaves which cluster, where it goes, and what made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import Moved, Reason
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import Fleet
from ansible_collections.emco.edge.plugins.module_utils._placement.scenery import Attempt


def moves(
    fleet: Fleet,
    found: Attempt,
    held: Mapping[int, int | None],
    gone: Iterable[ClusterRef],
    *,
    rebalance: bool,
) -> tuple[Moved, ...]:
    """Every cluster that the app leaves; ``gone`` are clusters it runs on that the fleet does not list any more."""
    to = tuple(fleet.clusters[position].ref for position in found.replicas if position not in held)
    moved = [Moved(ref, to, "it is no longer in the fleet") for ref in gone]
    left = [position for position in sorted(held) if position not in found.replicas]
    moved += [Moved(fleet.clusters[at].ref, to, _why(found, at, rebalance=rebalance)) for at in left]
    return tuple(moved)


def _why(found: Attempt, position: int, *, rebalance: bool) -> str:
    for refused in found.refused:
        if refused.clusters >> position & 1:
            message, _numbers = refused.describe(position)
            if refused.reason in (Reason.LOWER_SCORE, Reason.SPREAD) and rebalance:
                return f"rebalance: {message}"
            return f"{refused.reason.value}: {message}"
    return "it is no longer chosen"
