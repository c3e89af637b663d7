# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the best choice of clusters where only its value counts, by tables from the leaves up.

The table of a domain has, for each number of domains used below it (level by level, where that number is bounded), a
row: the best value by number of clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.emco.edge.plugins.module_utils._placement.domain_tree import (
    UNLIMITED,
    Candidate,
    Domain,
    Evenness,
)

_NEVER = float("-inf")

Used = tuple[int, ...]
Table = dict[Used, list[float]]


@dataclass
class _Filled:
    """A domain with its table, and what is needed to find the choice behind an entry."""

    domain: Domain
    ordered: Sequence[Candidate] = ()
    within: list[_Filled] = field(default_factory=list)
    steps: list[Table] = field(default_factory=list)
    """The table after none, one, two ... of the domains within."""
    table: Table = field(default_factory=dict)


def best_of_tables(
    tree: Domain, worth: Mapping[int, float], clusters: tuple[int, int], evenness: Sequence[Evenness]
) -> tuple[tuple[float, frozenset[int]] | None, int]:
    """Value and positions of the best choice of ``clusters`` (least and most) clusters, None when there is none; and
    how much work it was."""
    filling = _Filling(worth, clusters, evenness)
    root = filling.filled(tree)
    ends = [
        (value, count, used)
        for used, row in root.table.items()
        for count, value in enumerate(row)
        if count >= clusters[0] and value > _NEVER and (filling.is_enough(used) or not count)
    ]
    if not ends:
        return None, filling.work
    value, count, used = max(ends)
    return (value, frozenset(filling.traced(root, used, count))), filling.work


class _Filling:
    def __init__(self, worth: Mapping[int, float], clusters: tuple[int, int], evenness: Sequence[Evenness]) -> None:
        self._worth = worth
        self._least, self._most = clusters
        self._evenness = evenness
        self._unlimited = all(one.high >= UNLIMITED for one in evenness) and self._least <= 1
        self.work = 0

    def is_enough(self, used: Used) -> bool:
        """Whether as many domains are used as must be."""
        return all(count >= one.least for count, one in zip(used, self._evenness, strict=True) if one.least > 1)

    def filled(self, domain: Domain) -> _Filled:
        """The table of a domain and of all within it."""
        found = _Filled(domain)
        if not domain.within:
            own = self._leaf(found)
        else:
            found.within = [self.filled(one) for one in domain.within]
            found.steps = [{(0,) * len(self._evenness): [0.0]}]
            for left, one in zip(range(len(found.within) - 1, -1, -1), found.within, strict=True):
                joined = self._joined(found.steps[-1], one.table)
                found.steps.append(joined if domain.level >= 0 else self._still_possible(joined, left))
            own = found.steps[-1]
        found.table = self._bounded(domain, own)
        return found

    def _leaf(self, found: _Filled) -> Table:
        found.ordered = sorted(
            found.domain.clusters, key=lambda one: (not one.must, -self._worth[one.position], one.position)
        )
        row, total = [0.0], 0.0
        for one in found.ordered[: self._most]:
            total += self._worth[one.position]
            row.append(total)
        for count in range(found.domain.must):
            row[count] = _NEVER
        if self._unlimited and self._most >= len(self._worth):
            # Nothing limits how many are taken, so taking all of a domain is never worse.
            row[1:-1] = [_NEVER] * (len(row) - 2)
        return {(0,) * len(self._evenness): row}

    def _bounded(self, domain: Domain, table: Table) -> Table:
        """The entries that the bounds of a domain allow, where it counts as one more that is used."""
        if domain.level < 0:
            return table
        bounds = self._evenness[domain.level]
        found: Table = {}
        for used, row in table.items():
            kept = [value if bounds.low <= count <= bounds.high else _NEVER for count, value in enumerate(row)]
            if any(value > _NEVER for value in kept):
                found[self._counted(used, domain.level)] = kept
        if not domain.must:
            none = found.setdefault((0,) * len(self._evenness), [_NEVER])
            none[0] = 0.0
        return found

    def _still_possible(self, table: Table, left: int) -> Table:
        """Without the entries that cannot use enough domains any more when ``left`` are left."""
        if not self._evenness or self._is_free(0):
            return table
        return {used: row for used, row in table.items() if used[0] + left >= self._evenness[0].least}

    def _counted(self, used: Used, level: int) -> Used:
        """One more domain of a level is used; no more are counted than matter."""
        bounds = self._evenness[level]
        if self._is_free(level):
            return used
        count = used[level] + 1
        return (*used[:level], min(count, bounds.least) if bounds.most >= UNLIMITED else count, *used[level + 1 :])

    def _is_free(self, level: int) -> bool:
        return self._evenness[level].least <= 1 and self._evenness[level].most >= UNLIMITED

    def _joined(self, left: Table, right: Table) -> Table:
        found: Table = {}
        for used, row in left.items():
            for more, other in right.items():
                both = self._sum(used, more)
                if both is None:
                    continue
                width = min(len(row) + len(other) - 1, self._most + 1)
                target = found.setdefault(both, [])
                target.extend([_NEVER] * (width - len(target)))
                for taken, gain in enumerate(other):
                    if gain > _NEVER and taken < width:
                        some = row[: width - taken]
                        end = taken + len(some)
                        target[taken:end] = map(max, target[taken:end], [value + gain for value in some])
                        self.work += len(some)
        return found

    def _sum(self, left: Used, right: Used) -> Used | None:
        found = []
        for one, other, bounds in zip(left, right, self._evenness, strict=True):
            total = one + other
            if total > bounds.most:
                return None
            found.append(min(total, bounds.least) if bounds.most >= UNLIMITED else total)
        return tuple(found)

    def traced(self, filled: _Filled, used: Used, count: int) -> list[int]:
        """The positions behind an entry of a table."""
        if not count:
            return []
        if not filled.within:
            return [one.position for one in filled.ordered[:count]]
        own = self._before(filled, used, count)
        found: list[int] = []
        for index in range(len(filled.within) - 1, -1, -1):
            one, before = filled.within[index], filled.steps[index]
            own, count, inner, taken = self._split(before, one.table, own, count, filled.steps[index + 1][own][count])
            found += self.traced(one, inner, taken)
        return found

    def _before(self, filled: _Filled, used: Used, count: int) -> Used:
        """The entry of a domain's own sum that an entry of its table stands for."""
        if filled.domain.level < 0:
            return used
        value = filled.table[used][count]
        return next(
            own
            for own, row in filled.steps[-1].items()
            if count < len(row) and row[count] == value and self._counted(own, filled.domain.level) == used
        )

    def _split(self, left: Table, right: Table, used: Used, count: int, value: float) -> tuple[Used, int, Used, int]:
        for own, row in left.items():
            for inner, other in right.items():
                if self._sum(own, inner) != used:
                    continue
                for taken, gain in enumerate(other[: count + 1]):
                    if gain > _NEVER and count - taken < len(row) and row[count - taken] + gain == value:
                        return own, count - taken, inner, taken
        raise RuntimeError("an entry is the sum of two others")
