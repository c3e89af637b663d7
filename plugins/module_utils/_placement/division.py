# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: dividing replicas over clusters.

Webster's method (Sainte-Lague), as Karmada divides replicas: a seat goes to the largest ``weight / (2 * seats + 1)``.
It never takes a replica away from a cluster because the total grew, and never gives more than what fits.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

UNLIMITED = 1 << 40


def webster(
    weights: Mapping[int, int],
    seats: int,
    *,
    held: Mapping[int, int] | None = None,
    limits: Mapping[int, int] | None = None,
    skew: int | None = None,
    ties_to_heavier: bool = False,
) -> dict[int, int]:
    """``seats`` more seats by weight on top of ``held``, none above its limit, none for weight 0.

    Ties go to whoever has fewer seats, then to the lower position; with ``ties_to_heavier`` to the larger weight
    first. With ``skew`` no cluster gets ahead of the emptiest by more than that. Fewer seats than asked for are given
    when every limit is reached.
    """
    held, limits = held or {}, limits or {}
    given = {who: held.get(who, 0) for who in {**held, **weights}}
    heap: list[tuple[float, int, int, int]] = []

    def queue(who: int) -> None:
        has, weight = given[who], weights.get(who, 0)
        if weight > 0 and has < limits.get(who, UNLIMITED):
            heavier = -weight if ties_to_heavier else 0
            heapq.heappush(heap, (-weight / (2 * has + 1), heavier or has, has, who))

    for who in sorted(weights):
        queue(who)
    waiting: list[tuple[float, int, int, int]] = []
    left = seats
    while left and heap:
        entry = heapq.heappop(heap)
        who = entry[3]
        if skew is not None and given[who] + 1 - min(given.values()) > skew:
            waiting.append(entry)
            continue
        given[who] += 1
        left -= 1
        queue(who)
        while waiting:
            heapq.heappush(heap, waiting.pop())
    return given


@dataclass(frozen=True)
class Share:
    """What division knows of one cluster: its weight, what it holds today, the least and most it may have."""

    position: int
    weight: int = 1
    held: int = 0
    least: int = 0
    most: int | None = None
    tier: int = 0

    @property
    def limit(self) -> int:
        """The most replicas, however many that is."""
        return UNLIMITED if self.most is None else self.most

    @property
    def kept(self) -> int:
        """What it may keep of what it holds."""
        return min(self.held, self.limit)


Way = Literal["weighted", "capacity", "aggregated"]


def divide(
    total: int, shares: Sequence[Share], way: Way, *, rebalance: bool = False, skew: int | None = None
) -> dict[int, int]:
    """Replicas by position; their sum is below ``total`` only when there is no room for more (a shortage).

    What runs stays where it runs: an increase is divided alone, a decrease is taken in proportion, equal input moves
    nothing; ``rebalance`` starts afresh. Tiers fill in turn.
    """
    shares = _affordable(total, shares)
    counts = {share.position: 0 if rebalance else share.kept for share in shares}
    if sum(counts.values()) > total:
        return _scaled_down(total, shares, way)
    for share in shares:
        if counts[share.position] < share.least:
            more = min(share.least - counts[share.position], total - sum(counts.values()))
            counts[share.position] += max(0, more)
    for tier in sorted({share.tier for share in shares}):
        left = total - sum(counts.values())
        if not left:
            break
        here = [share for share in shares if share.tier == tier]
        grown = _increase(left, here, counts, way, rebalance=rebalance, skew=skew)
        counts.update(grown)
    return counts


def _affordable(total: int, shares: Sequence[Share]) -> list[Share]:
    """As many clusters, in order, as can have their least; those that hold something come first."""
    found: list[Share] = []
    left = total
    for share in sorted(shares, key=lambda one: (one.tier, one.held == 0)):
        if share.least <= left or not share.least:
            found.append(share)
            left -= share.least
    return found


def _increase(
    left: int, shares: Sequence[Share], counts: Mapping[int, int], way: Way, *, rebalance: bool, skew: int | None
) -> dict[int, int]:
    now = {share.position: counts[share.position] for share in shares}
    limits = {share.position: share.limit for share in shares}
    if way == "weighted":
        weights = {share.position: share.weight for share in shares}
        # What a cluster has because of its minimum does not count against its weight; what it runs does.
        base = {share.position: 0 if rebalance else share.kept for share in shares}
        gained = {position: now[position] - base[position] for position in now}
        room = {position: limits[position] - gained[position] for position in now}
        seats = webster(weights, left, held=base, limits=room, skew=skew)
        return {position: seats[position] + gained[position] for position in now}
    free = {share.position: share.limit - now[share.position] for share in shares}
    if way == "aggregated":
        free = _shortest_prefix(left, shares, free)
    seats = webster(free, left, limits=free, skew=skew)
    return {position: now[position] + seats.get(position, 0) for position in now}


def _shortest_prefix(left: int, shares: Sequence[Share], free: Mapping[int, int]) -> dict[int, int]:
    """As few clusters as hold what is left: those that hold something first, then those with most room."""
    order = sorted(shares, key=lambda share: (share.kept == 0, -free[share.position], share.position))
    found: dict[int, int] = {}
    for share in order:
        if sum(found.values()) >= left:
            break
        found[share.position] = free[share.position]
    return found


def _scaled_down(total: int, shares: Sequence[Share], way: Way) -> dict[int, int]:
    counts = {share.position: 0 for share in shares}
    left = total
    for tier in sorted({share.tier for share in shares}):
        here = [share for share in shares if share.tier == tier and share.kept]
        if way == "aggregated":
            here = _fewest(left, here)
        kept = {share.position: share.kept for share in here}
        tier_total = min(left, sum(kept.values()))
        floors = {share.position: min(share.least, share.kept) for share in here}
        if sum(floors.values()) > tier_total:
            floors = dict.fromkeys(floors, 0)
        room = {position: kept[position] - floors[position] for position in kept}
        seats = webster(kept, tier_total - sum(floors.values()), limits=room, ties_to_heavier=True)
        for position in kept:
            counts[position] = floors[position] + seats[position]
        left -= sum(counts[position] for position in kept)
    return counts


def _fewest(left: int, shares: Sequence[Share]) -> list[Share]:
    found: list[Share] = []
    for share in sorted(shares, key=lambda one: (-one.kept, one.position)):
        if sum(one.kept for one in found) >= left:
            break
        found.append(share)
    return found
