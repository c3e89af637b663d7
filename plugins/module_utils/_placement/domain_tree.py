# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: candidates in the domains that they lie in, from the coarsest level to the finest."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

UNLIMITED = 1 << 40
_KEEP = 1e6


@dataclass(frozen=True)
class Candidate:
    """A feasible cluster: its score, how many replicas it holds (None: any number), its domain at each level."""

    position: int
    score: float
    room: int | None
    domains: tuple[Hashable, ...] = ()
    must: bool = False
    held: bool = False

    @property
    def value(self) -> float:
        """What it adds to a choice: scores reach down to -100, and one cluster more is never worse."""
        return self.score + 100.001 + _KEEP * self.held


@dataclass(frozen=True)
class Bounds:
    """Of one level: how many domains are used, and how unevenly (None: any number, any unevenness)."""

    least: int = 0
    most: int | None = None
    skew: int | None = None


@dataclass(frozen=True)
class Evenness:
    """Of one level: how many clusters a used domain has, and how many domains are used."""

    low: int
    high: int
    least: int
    most: int


@dataclass
class Domain:
    """A domain with those within it, or at the finest level its clusters; the root is the whole fleet (level -1)."""

    level: int
    within: list[Domain] = field(default_factory=list)
    clusters: list[Candidate] = field(default_factory=list)
    size: int = 0
    must: int = 0
    """How many of its clusters must be taken."""

    def sizes(self, level: int) -> list[int]:
        """How many clusters each domain of a level has."""
        if self.level == level:
            return [self.size]
        return [size for one in self.within for size in one.sizes(level)]


def domain_tree(candidates: Sequence[Candidate], levels: Sequence[Bounds], level: int = -1) -> Domain:
    """The tree of all candidates, which have a domain at each of ``levels``."""
    own = Domain(level, size=len(candidates), must=sum(one.must for one in candidates))
    if level + 1 == len(levels):
        own.clusters = list(candidates)
        return own
    groups: dict[Hashable, list[Candidate]] = {}
    for one in candidates:
        groups.setdefault(one.domains[level + 1], []).append(one)
    own.within = [domain_tree(group, levels, level + 1) for group in groups.values()]
    return own


def is_nested(domains: Sequence[tuple[Hashable, ...]]) -> bool:
    """Whether each domain of a level lies in one domain of the level before it."""
    for level in range(1, len(domains[0]) if domains else 0):
        outer: dict[Hashable, Hashable] = {}
        for one in domains:
            if outer.setdefault(one[level], one[level - 1]) != one[level - 1]:
                return False
    return True
