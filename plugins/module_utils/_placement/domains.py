# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: choosing clusters when their number, their domains and what they hold are one question.

Which k clusters of a domain are best is a prefix of its clusters by value, so a table over (domains used, clusters
used) finds the best choice exactly while capacity does not bind. Where it does, capacity gets a price: a price high
enough gives the roomiest choice (so a feasible one is found whenever there is any), and the lowest price that still
holds the replicas gives a good one, which exchanges then improve.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._placement.fronts import Item, best_of_fronts, effort

UNLIMITED = 1 << 40
_NEVER = float("-inf")
_KEEP = 1e6
_PRICES = 16
_CLOSE = 0.5
_SMALL = 3_000_000
_ROUNDS = 60


@dataclass(frozen=True)
class Candidate:
    """A feasible cluster: its score, how many replicas it holds (None: any number) and its domain."""

    position: int
    score: float
    room: int | None
    domain: Hashable
    must: bool = False
    held: bool = False

    @property
    def value(self) -> float:
        """What it adds to a choice: scores reach down to -100, and one cluster more is never worse."""
        return self.score + 100.001 + _KEEP * self.held


@dataclass(frozen=True)
class Demand:
    """Bounds of a choice: clusters, domains, evenness (None: any) and replicas to hold (None: none)."""

    least: int
    most: int
    least_domains: int = 0
    most_domains: int | None = None
    skew: int | None = None
    need: int | None = None


@dataclass(frozen=True)
class _Evenness:
    """How many clusters a used domain has, and whether all domains (or exactly ``exactly``) are used."""

    low: int
    high: int
    exactly: int | None = None


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
        groups: dict[Hashable, list[Candidate]] = {}
        for one in sorted(candidates, key=lambda each: each.position):
            groups.setdefault(one.domain, []).append(one)
        self._domains = list(groups.values())
        count = len(self._domains)
        self._most_domains = count if demand.most_domains is None else min(count, demand.most_domains)
        self._most = min(demand.most, len(candidates))

    def room(self, choice: frozenset[int]) -> int:
        """How many replicas a choice holds."""
        rooms = (self._by_position[position].room for position in choice)
        return sum(UNLIMITED if room is None else room for room in rooms)

    def worth(self, choice: frozenset[int], price: float) -> float:
        """How good a choice is when room is worth ``price`` for all that is needed."""
        need = self._demand.need or 1
        return sum(_worth(self._by_position[position], price, need) for position in sorted(choice))

    def exactly(self, need: int) -> frozenset[int] | None:
        """The best choice that holds ``need``, None where looking at all of them would take too long."""
        domains = [
            [Item(one.position, one.value, min(need, _room(one)), one.must) for one in domain]
            for domain in self._domains
        ]
        if effort(domains, self._most, self._most_domains) > _SMALL:
            return None
        best: tuple[float, frozenset[int]] | None = None
        for evenness in self._evennesses():
            exactly = evenness.exactly
            used = (max(1, self._demand.least_domains), self._most_domains) if exactly is None else (exactly, exactly)
            found = best_of_fronts(domains, need, (self._demand.least, self._most), used, (evenness.low, evenness.high))
            if found is not None and (best is None or found[0] > best[0]):
                best = found
        return None if best is None else best[1]

    def value(self, choice: frozenset[int]) -> float:
        """How good a choice is."""
        return sum(self._by_position[position].value for position in sorted(choice))

    def solve(self, price: float) -> frozenset[int] | None:
        """The choice of the highest value when room is worth ``price`` (for all that is needed)."""
        need = self._demand.need or 1
        worth = {position: _worth(one, price, need) for position, one in self._by_position.items()}
        ordered = [
            sorted(domain, key=lambda one: (not one.must, -worth[one.position], one.position))
            for domain in self._domains
        ]
        best: tuple[float, frozenset[int]] | None = None
        for evenness in self._evennesses():
            found = self._table(ordered, worth, evenness)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
        return None if best is None else best[1]

    def _evennesses(self) -> Iterator[_Evenness]:
        skew, count = self._demand.skew, len(self._domains)
        if skew is None:
            yield _Evenness(1, UNLIMITED)
            return
        yield _Evenness(1, skew)
        if not count or count < self._demand.least_domains:
            return
        sizes = sorted((len(domain) for domain in self._domains), reverse=True)
        for low in range(1, sizes[self._most_domains - 1] + 1):
            if self._most_domains * low > self._most:
                return
            if self._most_domains * (low + skew) >= self._demand.least:
                yield _Evenness(low, low + skew, self._most_domains)

    def _table(
        self, ordered: Sequence[Sequence[Candidate]], worth: Mapping[int, float], evenness: _Evenness
    ) -> tuple[float, frozenset[int]] | None:
        """The best sum for each number of domains and of clusters used, and the choice behind the best of them."""
        rows, width = self._most_domains + 1, self._most + 1
        table = [[_NEVER] * width for _unused in range(rows)]
        table[0][0] = 0.0
        tables = [table]
        options = [self._options(domain, worth, evenness) for domain in ordered]
        fewest = evenness.exactly or max(1, self._demand.least_domains)
        for still, domain, gains in zip(range(len(ordered) - 1, -1, -1), ordered, options, strict=True):
            before = tables[-1]
            optional = not any(one.must for one in domain)
            after = [row[:] if optional else [_NEVER] * width for row in before]
            for used in range(max(0, fewest - still - 1), rows - 1):
                row = before[used]
                if max(row) == _NEVER:
                    continue
                target = after[used + 1]
                for taken, gain in gains:
                    target[taken:] = map(max, target[taken:], [value + gain for value in row[: width - taken]])
            tables.append(after)
        exactly, least = evenness.exactly, max(1, self._demand.least_domains)
        ends = [
            (value, clusters, used)
            for used, row in enumerate(tables[-1])
            if (used == exactly if exactly is not None else used >= least) or (not used and not self._demand.least)
            for clusters, value in enumerate(row)
            if clusters >= self._demand.least and value > _NEVER
        ]
        if not ends:
            return None
        value, clusters, used = max(ends)
        return value, self._traced(tables, ordered, options, used, clusters)

    def _options(
        self, domain: Sequence[Candidate], worth: Mapping[int, float], evenness: _Evenness
    ) -> list[tuple[int, float]]:
        must = sum(one.must for one in domain)
        total, found = 0.0, []
        for taken, one in enumerate(domain[: min(evenness.high, self._most)], start=1):
            total += worth[one.position]
            if taken >= max(evenness.low, must):
                found.append((taken, total))
        if evenness.high >= len(domain) and self._most >= len(self._by_position) and self._demand.least <= 1:
            # Nothing limits how many are taken, so taking all of a domain is never worse.
            return found[-1:]
        return found

    @staticmethod
    def _traced(
        tables: Sequence[Sequence[Sequence[float]]],
        ordered: Sequence[Sequence[Candidate]],
        options: Sequence[Sequence[tuple[int, float]]],
        used: int,
        clusters: int,
    ) -> frozenset[int]:
        chosen: set[int] = set()
        for index in range(len(ordered) - 1, -1, -1):
            value, before = tables[index + 1][used][clusters], tables[index]
            if before[used][clusters] == value and not any(one.must for one in ordered[index]):
                continue
            for taken, gain in options[index]:
                if used and taken <= clusters and before[used - 1][clusters - taken] + gain == value:
                    chosen.update(one.position for one in ordered[index][:taken])
                    used, clusters = used - 1, clusters - taken
                    break
        return frozenset(chosen)

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
        counts: dict[Hashable, int] = {}
        for at in current:
            counts[self._by_position[at].domain] = counts.get(self._by_position[at].domain, 0) + 1
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

    def _allowed(self, counts: Mapping[Hashable, int], out: Candidate | None, into: Candidate) -> bool:
        if out is not None and out.domain == into.domain:
            return True
        after = dict(counts)
        after[into.domain] = after.get(into.domain, 0) + 1
        if out is not None:
            after[out.domain] -= 1
            if not after[out.domain]:
                del after[out.domain]
        if not self._demand.least_domains <= len(after) <= self._most_domains:
            return False
        if self._demand.skew is None:
            return True
        smallest = min(after.values()) if len(after) == self._most_domains else 0
        return max(after.values()) - smallest <= self._demand.skew


def _worth(candidate: Candidate, price: float, need: int) -> float:
    return candidate.value + price * min(_room(candidate), need) / need


def _room(candidate: Candidate) -> int:
    return UNLIMITED if candidate.room is None else candidate.room
