# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: choosing clusters when their number, their domains and what they hold are one question.

Domains lie within one another, as zones lie in regions, so they are a tree. Which k clusters of a domain are best is a
prefix of its clusters by value, and a table over (domains used at each level, clusters used), filled from the leaves
up, finds the best choice exactly while capacity does not bind. Where it does, capacity gets a price: a price high
enough gives the roomiest choice (so a feasible one is found whenever there is any), and the lowest price that still
holds the replicas gives a good one, which exchanges then improve. Small questions are answered exactly (``fronts``).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ansible_collections.emco.edge.plugins.module_utils._placement.domain_tree import (
    UNLIMITED,
    Bounds,
    Candidate,
    Evenness,
    domain_tree,
    is_nested,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.fronts import best_of_fronts
from ansible_collections.emco.edge.plugins.module_utils._placement.tables import best_of_tables

__all__ = ["UNLIMITED", "Bounds", "Candidate", "Demand", "best_choice", "is_nested"]

_PRICES = 16
_CLOSE = 0.5
_ROUNDS = 60
_MUCH = 4_000_000
"""Steps of filling tables that all prices together may take (some tenths of a second)."""


@dataclass(frozen=True)
class Demand:
    """Bounds of a choice: clusters, domains of each level (coarsest first) and replicas to hold (None: none)."""

    least: int
    most: int
    levels: tuple[Bounds, ...] = ()
    need: int | None = None


def best_choice(candidates: Sequence[Candidate], demand: Demand) -> list[int] | None:
    """The positions of the best choice, ascending; None when the bounds cannot be met.

    The best has the highest sum of scores, each counted from the worst possible (-100), so that of two choices of the
    same size the one with the higher scores wins. Where no choice holds ``need`` replicas it is the roomiest.
    """
    problem = _Problem(candidates, demand)
    best = problem.solve(0.0)
    if best is None or demand.need is None or problem.room(best) >= demand.need:
        return best if best is None else sorted(best)
    roomiest = problem.solve(1e9)
    if roomiest is None:
        raise RuntimeError("roomiest is there")
    if problem.room(roomiest) < demand.need:
        return sorted(roomiest)
    exact = problem.exactly(demand.need)
    return sorted(_priced(problem, roomiest, demand.need) if exact is None else exact)


def _priced(problem: _Problem, roomiest: frozenset[int], need: int) -> frozenset[int]:
    """The best of the choices that some price of capacity leads to, improved by exchanges."""
    best = problem.improved(roomiest)
    low, high = 0.0, 1e9
    price = 100.0
    for _unused in range(_PRICES):
        if problem.steps > _MUCH:
            break
        found = problem.solve(price)
        if found is None:
            raise RuntimeError("found is there")
        # No feasible choice is worth more than this one with its room paid for, less the price of what is needed.
        if problem.worth(found, price) - price - problem.value(best) < _CLOSE * len(best):
            break
        if problem.room(found) >= need:
            high = price
            better = problem.improved(found)
            if problem.value(better) > problem.value(best):
                best = better
        else:
            low = price
        price = (low + high) / 2 if low and high < 1e9 else (price / 8 if not low else price * 8)
    return best


class _Problem:
    def __init__(self, candidates: Sequence[Candidate], demand: Demand) -> None:
        self._by_position = {one.position: one for one in candidates}
        self._demand = demand
        self._most = min(demand.most, len(candidates))
        self._tree = domain_tree(sorted(candidates, key=lambda each: each.position), demand.levels)
        self._sizes = [self._tree.sizes(level) for level in range(len(demand.levels))]
        self.steps = 0
        """How much work the tables took so far."""

    def room(self, choice: frozenset[int]) -> int:
        """How many replicas a choice holds."""
        rooms = (self._by_position[position].room for position in choice)
        return sum(UNLIMITED if room is None else room for room in rooms)

    def worth(self, choice: frozenset[int], price: float) -> float:
        """How good a choice is when room is worth ``price`` for all that is needed."""
        need = self._demand.need or 1
        return sum(_worth(self._by_position[position], price, need) for position in sorted(choice))

    def value(self, choice: frozenset[int]) -> float:
        """How good a choice is."""
        return sum(self._by_position[position].value for position in sorted(choice))

    def exactly(self, need: int) -> frozenset[int] | None:
        """The best choice that holds ``need``, None where looking at all of them would take too long."""
        return best_of_fronts(self._tree, need, (self._demand.least, self._most), list(self._evennesses()))

    def solve(self, price: float) -> frozenset[int] | None:
        """The choice of the highest value when room is worth ``price`` (for all that is needed)."""
        need = self._demand.need or 1
        worth = {position: _worth(one, price, need) for position, one in self._by_position.items()}
        best: tuple[float, frozenset[int]] | None = None
        for evenness in self._evennesses():
            found, steps = best_of_tables(self._tree, worth, (self._demand.least, self._most), evenness)
            self.steps += steps
            if found is not None and (best is None or found[0] > best[0]):
                best = found
        return None if best is None else best[1]

    def _evennesses(self) -> Iterator[tuple[Evenness, ...]]:
        """Every way in which the levels can be even enough, taken together."""
        return product(*(list(self._ways(level)) for level in range(len(self._demand.levels))))

    def _ways(self, level: int) -> Iterator[Evenness]:
        """Clusters in each used domain: from 1 up where a domain may be left out, else within the skew of a level."""
        bounds, sizes = self._demand.levels[level], self._sizes[level]
        count = len(sizes)
        most = count if bounds.most is None else min(count, bounds.most)
        # What another bound ensures need not be counted.
        at_most = UNLIMITED if most == count or most >= self._most else most
        coarser = max((one.least for one in self._demand.levels[:level]), default=0)
        at_least = 1 if coarser >= bounds.least else bounds.least
        if bounds.skew is None:
            yield Evenness(1, UNLIMITED, at_least, at_most)
            return
        yield Evenness(1, bounds.skew, at_least, at_most)
        if not count or count < bounds.least:
            return
        for low in range(1, sorted(sizes, reverse=True)[most - 1] + 1):
            if most * low > self._most:
                return
            if most * (low + bounds.skew) >= self._demand.least:
                yield Evenness(low, low + bounds.skew, most, at_most)

    def improved(self, choice: frozenset[int]) -> frozenset[int]:
        """The choice after every exchange of one cluster for another that makes it better and keeps all bounds."""
        current = set(choice)
        for _unused in range(_ROUNDS):
            move = self._best_move(current)
            if move is None:
                break
            out, into = move
            current.discard(-1 if out is None else out)
            current.add(into)
        return frozenset(current)

    def _best_move(self, current: set[int]) -> tuple[int | None, int] | None:
        room = self.room(frozenset(current))
        need = self._demand.need or 0
        outside = sorted(
            (one for at, one in self._by_position.items() if at not in current),
            key=lambda one: (-one.value, one.position),
        )
        inside: list[Candidate | None] = [self._by_position[at] for at in sorted(current)]
        inside = [one for one in inside if one is not None and not one.must]
        if len(current) < self._most:
            inside.append(None)
        best: tuple[float, int | None, int] | None = None
        counts: list[dict[Hashable, int]] = [{} for _level in self._demand.levels]
        for at in current:
            for level, domain in enumerate(self._by_position[at].domains):
                counts[level][domain] = counts[level].get(domain, 0) + 1
        for out in inside:
            for into in outside:
                gain = into.value - (out.value if out is not None else 0.0)
                if gain <= 1e-9 or (best is not None and gain <= best[0]):
                    break
                left = room - (_room(out) if out is not None else 0) + _room(into)
                if left >= need and self._allowed(counts, out, into):
                    best = (gain, None if out is None else out.position, into.position)
                    break
        return None if best is None else best[1:]

    def _allowed(self, counts: Sequence[Mapping[Hashable, int]], out: Candidate | None, into: Candidate) -> bool:
        for level, bounds in enumerate(self._demand.levels):
            if out is not None and out.domains[level] == into.domains[level]:
                continue
            after = dict(counts[level])
            after[into.domains[level]] = after.get(into.domains[level], 0) + 1
            if out is not None:
                after[out.domains[level]] -= 1
                if not after[out.domains[level]]:
                    del after[out.domains[level]]
            count = len(self._sizes[level])
            most = count if bounds.most is None else min(count, bounds.most)
            if not bounds.least <= len(after) <= most:
                return False
            smallest = min(after.values()) if len(after) == most and count >= bounds.least else 0
            if bounds.skew is not None and max(after.values()) - smallest > bounds.skew:
                return False
        return True


def _worth(candidate: Candidate, price: float, need: int) -> float:
    return candidate.value + price * min(_room(candidate), need) / need


def _room(candidate: Candidate) -> int:
    return UNLIMITED if candidate.room is None else candidate.room
