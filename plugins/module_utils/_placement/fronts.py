# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the best choice of clusters when capacity binds, found by looking at all that could matter.

For each number of domains and clusters used, a front keeps the choices that no other beats in both value and room
(room beyond what is needed is worth nothing). That is exact while fronts are short; a long front is thinned out evenly,
its roomiest and its best entry always stay, so that a feasible choice is never lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

_LONGEST = 96


class Entry(NamedTuple):
    """A partial choice; ``trail`` links to the clusters taken before."""

    room: int
    value: float
    trail: Any


class Item(NamedTuple):
    """A cluster as fronts see it: its room is at most what is needed."""

    position: int
    value: float
    room: int
    must: bool


Front = list[Entry]
_START = [Entry(0, 0.0, None)]


def effort(domains: Sequence[Sequence[Item]], most: int, most_domains: int) -> int:
    """About how many entries a search looks at."""
    widest = max(map(len, domains), default=0)
    return len(domains) * most_domains * most * widest * widest * _LONGEST // 2


def best_of_fronts(
    domains: Sequence[Sequence[Item]],
    need: int,
    clusters: tuple[int, int],
    used: tuple[int, int],
    each: tuple[int, int],
) -> tuple[float, frozenset[int]] | None:
    """Value and positions of the best choice that holds ``need``; None when none does.

    ``clusters`` and ``used`` bound the clusters and the domains of the choice, ``each`` the clusters of a used domain.
    """
    table: dict[tuple[int, int], Front] = {(0, 0): _START}
    for index, domain in enumerate(domains):
        optional = not any(item.must for item in domain)
        subsets = _subsets(domain, need, each, clusters[1])
        after: dict[tuple[int, int], Front] = {}
        still = len(domains) - index - 1
        for (domains_used, taken), front in table.items():
            if optional and domains_used + still >= used[0]:
                after.setdefault((domains_used, taken), []).extend(front)
            if domains_used == used[1]:
                continue
            for more, options in subsets.items():
                if taken + more > clusters[1]:
                    continue
                grown = after.setdefault((domains_used + 1, taken + more), [])
                grown += [
                    Entry(min(need, entry.room + option.room), entry.value + option.value, (entry.trail, option.trail))
                    for entry in front
                    for option in options
                ]
        table = {state: _thinned(front) for state, front in after.items()}
    best: Entry | None = None
    for (domains_used, taken), front in table.items():
        if used[0] <= domains_used and clusters[0] <= taken:
            for entry in front:
                if entry.room >= need and (best is None or entry.value > best.value):
                    best = entry
    return None if best is None else (best.value, frozenset(_positions(best.trail)))


def _subsets(domain: Sequence[Item], need: int, each: tuple[int, int], most: int) -> dict[int, Front]:
    """By size, the choices of clusters within one domain that can matter."""
    fronts: dict[int, Front] = {0: _START}
    for item in domain:
        after: dict[int, Front] = {} if item.must else {size: list(front) for size, front in fronts.items()}
        for size, front in fronts.items():
            if size < min(each[1], most):
                after.setdefault(size + 1, []).extend(
                    Entry(min(need, entry.room + item.room), entry.value + item.value, (entry.trail, item.position))
                    for entry in front
                )
        fronts = {size: _thinned(front) for size, front in after.items()}
    return {size: front for size, front in fronts.items() if size >= max(1, each[0])}


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
