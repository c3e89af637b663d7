# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the best choice of clusters when capacity binds, found by looking at all that could matter.

For each number of domains (at each level) and of clusters used, a front keeps the choices that no other beats in both
value and room (room beyond what is needed is worth nothing). That is exact while fronts are short; a long front is
thinned out evenly, its roomiest and its best entry always stay, so that a feasible choice is never lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible_collections.emco.edge.plugins.module_utils._placement.domain_tree import UNLIMITED, Domain, Evenness

_LONGEST = 96
_MUCH = 60_000
"""Entries that may be looked at (about a tenth of a second)."""


class Entry(NamedTuple):
    """A partial choice; ``trail`` links to the clusters taken before."""

    room: int
    value: float
    trail: Any


Front = list[Entry]
State = tuple[int, ...]
"""Domains used at each level, then clusters."""
Fronts = dict[State, Front]

_NOTHING = Entry(0, 0.0, None)


class _TooMuchError(Exception):
    """Looking at everything would take too long."""


def best_of_fronts(
    tree: Domain, need: int, clusters: tuple[int, int], ways: Sequence[Sequence[Evenness]]
) -> frozenset[int] | None:
    """The positions of the best choice of ``clusters`` (least and most) clusters that holds ``need``, over all ``ways``
    of being even; None when there is none or when looking for it would take too long."""
    best: Entry | None = None
    looked = 0
    for evenness in ways:
        search = _Search(need, clusters[1], evenness, looked)
        try:
            found = search.fronts(tree)
        except _TooMuchError:
            return None
        looked = search.looked
        for state, front in found.items():
            enough = all(used >= one.least or one.least <= 1 for used, one in zip(state, evenness, strict=False))
            if state[-1] >= clusters[0] and enough:
                for entry in front:
                    if entry.room >= need and (best is None or entry.value > best.value):
                        best = entry
    return None if best is None else frozenset(_positions(best.trail))


class _Search:
    def __init__(self, need: int, most: int, evenness: Sequence[Evenness], looked: int) -> None:
        self._need = need
        self._most = most
        self._evenness = evenness
        self._start: State = (0,) * (len(evenness) + 1)
        self.looked = looked

    def fronts(self, domain: Domain) -> Fronts:
        """The choices within a domain that can matter."""
        found: Fronts = {self._start: [_NOTHING]}
        for one in domain.within:
            found = self._joined(found, self.fronts(one))
        for cluster in domain.clusters:
            room = UNLIMITED if cluster.room is None else cluster.room
            with_it = {(*self._start[:-1], 1): [Entry(min(self._need, room), cluster.value, cluster.position)]}
            found = self._joined(found, with_it if cluster.must else {self._start: [_NOTHING], **with_it})
        return found if domain.level < 0 else self._bounded(domain, found)

    def _bounded(self, domain: Domain, fronts: Fronts) -> Fronts:
        level = domain.level
        bounds = self._evenness[level]
        found: Fronts = {}
        for state, front in fronts.items():
            if max(1, bounds.low) <= state[-1] <= bounds.high:
                used = 0 if bounds.least <= 1 and bounds.most >= UNLIMITED else 1
                found[(*state[:level], state[level] + used, *state[level + 1 :])] = front
        if not domain.must:
            found[self._start] = [_NOTHING]
        return found

    def _joined(self, left: Fronts, right: Fronts) -> Fronts:
        found: Fronts = {}
        for state, front in left.items():
            for other, more in right.items():
                both = tuple(map(sum, zip(state, other, strict=True)))
                if both[-1] > self._most or any(
                    used > one.most for used, one in zip(both, self._evenness, strict=False)
                ):
                    continue
                self.looked += len(front) * len(more)
                if self.looked > _MUCH:
                    raise _TooMuchError
                found.setdefault(both, []).extend(
                    Entry(min(self._need, one.room + two.room), one.value + two.value, (one.trail, two.trail))
                    for one in front
                    for two in more
                )
        return {state: _thinned(front) for state, front in found.items()}


def _thinned(front: Front) -> Front:
    kept: Front = []
    for entry in sorted(front, key=lambda one: (-one.room, -one.value)):
        if not kept or entry.value > kept[-1].value:
            kept.append(entry)
    if len(kept) <= _LONGEST:
        return kept
    step = (len(kept) - 1) / (_LONGEST - 1)
    return [kept[round(index * step)] for index in range(_LONGEST)]


def _positions(trail: Any) -> list[int]:
    found: list[int] = []
    pending = [trail]
    while pending:
        one = pending.pop()
        if isinstance(one, tuple):
            pending.extend(one)
        elif one is not None:
            found.append(one)
    return found
