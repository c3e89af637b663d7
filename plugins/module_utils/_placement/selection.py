# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which feasible clusters are taken: required ones, one of each group, the best of a pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.emco.edge.plugins.module_utils._placement.domains import (
    Bounds,
    Candidate,
    Demand,
    best_choice,
    is_nested,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, positions_in
from ansible_collections.emco.edge.plugins.module_utils._placement.normal_form import Group
from ansible_collections.emco.edge.plugins.module_utils._placement.spread import Level, Tally

UNLIMITED = 1 << 40


@dataclass(frozen=True)
class Wish:
    """What is to be taken. ``ordered`` are the feasible clusters, best first; sets are of feasible clusters only."""

    ordered: Sequence[int]
    scores: Mapping[int, float]
    required: tuple[int, ...] = ()
    groups: tuple[Group, ...] = ()
    pool: ClusterSet = 0
    elastic: bool = False
    least: int = 1
    most: int = UNLIMITED
    levels: Sequence[Level] = ()
    need: int | None = None
    """Replicas that the taken clusters must hold together."""
    limits: Mapping[int, int | None] = field(default_factory=dict)
    held: frozenset[int] | None = None


@dataclass
class Selection:
    """The clusters taken with the number of the group they were taken for (0: of the pool)."""

    taken: dict[int, int] = field(default_factory=dict)
    empty_groups: list[Group] = field(default_factory=list)
    spread_out: set[int] = field(default_factory=set)
    """Clusters that only the spread kept out."""
    lacking_domains: tuple[str, int, int] | None = None
    """Key, domains needed and domains used where a spread cannot be met."""

    def holds(self, limits: Mapping[int, int | None]) -> int:
        """How many replicas the taken clusters hold."""
        return sum(UNLIMITED if limits.get(at) is None else limits[at] or 0 for at in self.taken)


def select(wish: Wish) -> Selection:
    """The best selection by the order given, with spread and capacity kept."""
    chosen = _Choice(wish)
    for position in wish.required:
        chosen.take(position, 0)
    for group in wish.groups:
        chosen.take_one_of(group)
    if wish.pool or not wish.groups:
        chosen.fill(wish.pool)
    elif wish.elastic:
        union = 0
        for group in wish.groups:
            union |= group.clusters
        chosen.fill(union)
    return chosen.finished()


class _Choice:
    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.selection = Selection()
        self.tallies = [Tally(level) for level in wish.levels]

    def take(self, position: int, number: int) -> None:
        if position not in self.selection.taken:
            self.selection.taken[position] = number
            for tally in self.tallies:
                tally.add(position)

    def _admits(self, position: int, *, prefer: bool) -> bool:
        return all(tally.admits(position) for tally in self.tallies if tally.level.strict or prefer)

    def take_one_of(self, group: Group) -> None:
        clusters = group.clusters
        if any(clusters >> position & 1 for position in self.selection.taken):
            return
        if not self.wish.elastic and clusters & self.wish.pool:
            return
        members = [position for position in self.wish.ordered if clusters >> position & 1]
        if not members:
            self.selection.empty_groups.append(group)
            return
        members = self._by_score_then_listing(members, group)
        admitted = [position for position in members if self._admits(position, prefer=True)]
        self.take((admitted or members)[0], group.number)

    def _by_score_then_listing(self, members: Sequence[int], group: Group) -> list[int]:
        scores, held = self.wish.scores, self.wish.held or frozenset()

        def key(position: int) -> tuple[bool, float, int, int]:
            listed = next(index for index, leaf in enumerate(group.listed) if leaf >> position & 1)
            return position not in held, -scores.get(position, 0.0), listed, position

        return sorted(members, key=key)

    def fill(self, clusters: ClusterSet) -> None:
        wish = self.wish
        most = wish.most if wish.elastic else UNLIMITED
        wanted = set(positions_in(clusters)) - self.selection.taken.keys()
        candidates = [position for position in wish.ordered if position in wanted]
        if not self.tallies:
            for position in candidates[: max(0, most - len(self.selection.taken))]:
                self.selection.taken[position] = 0
        else:
            self._fill_spread(candidates, most)
        if self._falls_short():
            self._solve(candidates, most)

    def _fill_spread(self, candidates: list[int], most: int) -> None:
        left = candidates
        while left and len(self.selection.taken) < most:
            position = self._next(left, most - len(self.selection.taken))
            if position is None:
                break
            self.take(position, 0)
            left.remove(position)
        self.selection.spread_out = set(left) if len(self.selection.taken) < most else set()

    def _next(self, candidates: Iterable[int], room: int) -> int | None:
        fallback = None
        for position in candidates:
            if not self._admits(position, prefer=False) or not self._leaves_room(position, room):
                continue
            if self._admits(position, prefer=True):
                return position
            if fallback is None:
                fallback = position
        return fallback

    def _leaves_room(self, position: int, room: int) -> bool:
        """Whether the domains that must still be used can be, when this cluster takes one of the places left."""
        for tally in self.tallies:
            if tally.level.strict and tally.lacking >= room and tally.counts.get(tally.level.domains.get(position)):
                return False
        return True

    def _falls_short(self) -> bool:
        """Whether taking one cluster after another, best first, may not have led to the best there is.

        It does with one spread that only forbids a skew above 1: each round takes the best of every domain.
        """
        wish = self.wish
        if wish.need is not None and self.selection.holds(wish.limits) < wish.need:
            return True
        levels = self._strict()
        return len(levels) > 1 or any(level.bounded or (level.skew or 0) > 1 for level in levels)

    def _strict(self) -> list[Level]:
        """The levels that must be kept, the coarsest first."""
        return sorted((tally.level for tally in self.tallies if tally.level.strict), key=lambda level: level.count)

    def _solve(self, candidates: Sequence[int], most: int) -> None:
        """Choose again with capacity and the number of domains as part of the choice."""
        wish = self.wish
        levels = self._strict()
        offered = sorted({*candidates, *self.selection.taken})
        domains = {at: tuple(level.domains.get(at) for level in levels) for at in offered}
        if not is_nested(list(domains.values())):
            self._exchange(levels)
            return
        fixed = {
            position: number for position, number in self.selection.taken.items() if number or position in wish.required
        }
        solved = best_choice(
            [
                Candidate(
                    position,
                    wish.scores.get(position, 0.0),
                    wish.limits.get(position),
                    domains[position],
                    position in fixed,
                    wish.held is not None and position in wish.held,
                )
                for position in offered
            ],
            Demand(
                wish.least,
                min(most, len(offered)),
                tuple(Bounds(level.least, level.most, level.skew) for level in levels),
                wish.need,
            ),
        )
        if solved is not None:
            out = {position for position in offered if position not in solved}
            self.selection.taken = {position: fixed.get(position, 0) for position in solved}
            self.selection.spread_out = out if levels and len(solved) < most else set()
            self.tallies = [Tally(tally.level) for tally in self.tallies]
            for position in solved:
                for tally in self.tallies:
                    tally.add(position)

    def _exchange(self, levels: Sequence[Level]) -> None:
        """Swap clusters of the same domains for roomier ones until the replicas fit.

        For domains that lie across one another, as zones named a, b and c in every region do; that is no longer a tree.
        """
        wish, taken = self.wish, self.selection.taken

        def cell(position: int) -> tuple[object, ...]:
            return tuple(level.domains.get(position) for level in levels)

        def room(position: int) -> int:
            limit = wish.limits.get(position)
            return UNLIMITED if limit is None else limit

        spare: dict[tuple[object, ...], list[int]] = {}
        for position in wish.ordered:
            if position not in taken:
                spare.setdefault(cell(position), []).append(position)
        for position in [
            at for at in reversed(wish.ordered) if at in taken and not taken[at] and at not in wish.required
        ]:
            if wish.need is None or self.selection.holds(wish.limits) >= wish.need:
                return
            roomier = max(spare.get(cell(position), ()), key=room, default=None)
            if roomier is not None and room(roomier) > room(position):
                spare[cell(position)].remove(roomier)
                taken[roomier] = taken.pop(position)

    def finished(self) -> Selection:
        for tally in self.tallies:
            if tally.level.strict and tally.lacking and self.selection.lacking_domains is None:
                self.selection.lacking_domains = (tally.level.by, tally.level.least, tally.used)
        return self.selection
