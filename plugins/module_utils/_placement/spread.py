# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: spreading clusters over the values of a key, by the Kubernetes rule.

A domain (a region, a zone) may get one more cluster while ``its count + 1 - smallest count <= max_skew``, the smallest
count being over all domains that have a candidate; with fewer domains than ``min_domains`` it counts as 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.emco.edge.plugins.module_utils._model.cluster_values import ABSENT
from ansible_collections.emco.edge.plugins.module_utils._model.placement_rules import Spread, key_named
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, Fleet


@dataclass(frozen=True)
class Level:
    """One level of spreading over the candidates of an app: the domain of each, and the bounds."""

    by: str
    domains: Mapping[int, Hashable]
    skew: int | None
    least: int
    most: int | None
    strict: bool

    @property
    def count(self) -> int:
        """How many domains have a candidate."""
        return len(set(self.domains.values()))

    @property
    def bounded(self) -> bool:
        """Whether it matters which domains are used, not only how evenly."""
        return self.most is not None or self.least > 1


def levels_of(spreads: Sequence[Spread], fleet: Fleet, positions: Iterable[int]) -> list[Level]:
    """The levels over these candidates; ``by: cluster`` is not one of them."""
    listed = list(positions)
    levels = []
    for spread in spreads:
        if spread.is_per_cluster:
            continue
        column = fleet.column(key_named(spread.by))
        domains = dict(zip(listed, map(column.__getitem__, listed), strict=True))
        if ABSENT in domains.values():
            domains = {position: value for position, value in domains.items() if value is not ABSENT}
        strict = spread.when == "refuse"
        levels.append(Level(spread.by, domains, spread.skew, spread.min_domains or 0, spread.max_domains, strict))
    return levels


def without_domain(spreads: Sequence[Spread], fleet: Fleet) -> dict[str, ClusterSet]:
    """By key of a strict spread, the clusters that do not have the key."""
    found = {}
    for spread in spreads:
        if spread.when == "refuse" and not spread.is_per_cluster:
            found[spread.by] = fleet.without(key_named(spread.by))
    return found


@dataclass
class Tally:
    """How many chosen clusters each domain of a level has."""

    level: Level
    counts: dict[Hashable, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counts = dict.fromkeys(self.level.domains.values(), 0)

    def admits(self, position: int) -> bool:
        """Whether one more cluster may be chosen there."""
        domain = self.level.domains.get(position)
        if domain is None:
            return not self.level.strict
        count = self.counts[domain]
        if self.level.most is not None and not count and self.used >= self.level.most:
            return False
        return self.level.skew is None or count + 1 - self.smallest <= self.level.skew

    @property
    def used(self) -> int:
        """How many domains have a chosen cluster."""
        return sum(1 for count in self.counts.values() if count)

    @property
    def smallest(self) -> int:
        """The smallest count that the Kubernetes rule compares with."""
        if len(self.counts) < self.level.least:
            return 0
        counts: Iterable[int] = self.counts.values()
        if self.level.most is not None and self.level.most < len(self.counts):
            # Only some domains may be used at all, so those that are not do not hold back the others.
            taken = sorted(self.counts.values(), reverse=True)[: self.level.most]
            counts = taken
        return min(counts, default=0)

    def add(self, position: int) -> None:
        """Count a chosen cluster."""
        domain = self.level.domains.get(position)
        if domain is not None:
            self.counts[domain] += 1

    @property
    def lacking(self) -> int:
        """How many more domains must be used."""
        return max(0, self.level.least - self.used)
