# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: every form of intent as one: candidates, groups, count and fallback, as sets of clusters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import near
from ansible_collections.emco.edge.plugins.module_utils._model.placement import Fallback, Leaf, PlacementIntent
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import Reason
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, Fleet, positions_in


@dataclass(frozen=True)
class Group:
    """Clusters of which one is taken; ``listed`` holds a set for each leaf, in the order in which they were listed."""

    number: int
    listed: tuple[ClusterSet, ...]

    @property
    def clusters(self) -> ClusterSet:
        """All clusters of the group."""
        total = 0
        for one in self.listed:
            total |= one
        return total


@dataclass(frozen=True)
class NormalForm:
    """An intent over one fleet.

    ``required`` clusters are taken or the app fails; of each of ``groups`` one is taken; of ``pool`` all are taken, or
    as many as ``minimum`` and ``maximum`` leave room for. Later ``tiers`` are used for what the first cannot hold.
    """

    required: tuple[int, ...]
    unknown: tuple[ClusterRef, ...]
    groups: tuple[Group, ...]
    pool: ClusterSet
    numbers: dict[int, int]
    """EMCO's group number of required and pool clusters."""
    tiers: tuple[ClusterSet, ...]
    mismatches: tuple[tuple[Reason, ClusterSet, str], ...]
    """Clusters that the intent does not mean, with what it asks for."""
    excluded: ClusterSet
    minimum: int | Fraction | None
    maximum: int | Fraction | None
    elastic: bool
    """Whether several clusters of the pool may be taken until a count is reached."""
    leaves: tuple[tuple[str, ClusterSet], ...] = ()
    """What each label and selector of ``all_of`` means; where it means something, one of it must be taken."""
    warnings: tuple[str, ...] = ()

    @property
    def first(self) -> ClusterSet:
        """Every candidate of the first tier."""
        total = self.pool
        for group in self.groups:
            total |= group.clusters
        for position in self.required:
            total |= 1 << position
        return total

    def bounds(self, candidates: int) -> tuple[int, int]:
        """Fewest and most clusters when ``candidates`` are feasible; percentages are of these, rounded up."""
        least = _counted(self.minimum, candidates)
        most = _counted(self.maximum, candidates)
        return (1 if least is None else least, candidates if most is None else most)


def _counted(bound: int | Fraction | None, candidates: int) -> int | None:
    return math.ceil(bound * candidates) if isinstance(bound, Fraction) else bound


def normal_form(intent: PlacementIntent, fleet: Fleet) -> NormalForm:
    """The intent over a fleet."""
    has_tree = bool(intent.all_of or intent.any_of)
    counted = intent.count is not None
    takes_all_named = bool(intent.clusters) and not has_tree and not counted and intent.replicas is None
    base, base_mismatches = _base(intent, fleet)
    tree = _Tree(fleet)
    if takes_all_named:
        tree.require(intent.clusters)
    elif has_tree:
        tree.grow(intent)
    else:
        tree.pool = base
        if intent.label is not None and not fleet.labelled(intent.label):
            tree.warn_of_nothing(Leaf(label=intent.label))
    wanted = tree.pool | tree.grouped
    for position in tree.required:
        wanted |= 1 << position
    mismatches = list(base_mismatches)
    if has_tree:
        mismatches.append((tree.reason, fleet.everyone & ~wanted, tree.written))
    tiers = tuple(_fallback(fleet, fallback) for fallback in intent.fallback)
    later = 0
    for tier in tiers:
        later |= tier
    return NormalForm(
        required=tuple(dict.fromkeys(tree.required)),
        unknown=tuple(dict.fromkeys(tree.unknown)),
        groups=tuple(tree.groups),
        pool=tree.pool & base,
        numbers=tree.numbers,
        tiers=tiers,
        mismatches=tuple((reason, clusters & ~later, asked) for reason, clusters, asked in mismatches),
        excluded=_union(fleet, intent.exclude),
        minimum=intent.count.minimum if intent.count else None,
        maximum=intent.count.maximum if intent.count else None,
        elastic=counted or intent.replicas is not None,
        leaves=tuple(tree.pooled),
        warnings=tuple(tree.warnings),
    )


def _base(intent: PlacementIntent, fleet: Fleet) -> tuple[ClusterSet, list[tuple[Reason, ClusterSet, str]]]:
    base = fleet.everyone
    mismatches: list[tuple[Reason, ClusterSet, str]] = []
    if intent.clusters:
        named = 0
        for ref in intent.clusters:
            if ref in fleet.position:
                named |= 1 << fleet.position[ref]
        mismatches.append((Reason.NOT_LISTED, fleet.everyone & ~named, ", ".join(map(str, intent.clusters))))
        base &= named
    if intent.label is not None:
        found = fleet.labelled(intent.label)
        mismatches.append((Reason.LABEL_MISMATCH, fleet.everyone & ~found, str(intent.label)))
        base &= found
    if intent.selector is not None:
        found = fleet.matching(intent.selector.expression)
        mismatches.append((Reason.SELECTOR_MISMATCH, fleet.everyone & ~found, str(intent.selector)))
        base &= found
    return base, mismatches


def _union(fleet: Fleet, leaves: Iterable[Leaf]) -> ClusterSet:
    total = 0
    for leaf in leaves:
        total |= fleet.named_by(leaf)
    return total


def _fallback(fleet: Fleet, fallback: Fallback) -> ClusterSet:
    if fallback.clusters:
        return _union(fleet, [Leaf(cluster=ref) for ref in fallback.clusters])
    return _union(fleet, fallback.any_of) if fallback.any_of else fleet.named_by(fallback)


class _Tree:
    """EMCO's intent tree as it is resolved: groups are numbered from 1 in the order in which they are listed."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._number = 0
        self._leaves: list[Leaf] = []
        self.required: list[int] = []
        self.unknown: list[ClusterRef] = []
        self.groups: list[Group] = []
        self.pool: ClusterSet = 0
        self.numbers: dict[int, int] = {}
        self.pooled: list[tuple[str, ClusterSet]] = []
        self.warnings: list[str] = []

    @property
    def grouped(self) -> ClusterSet:
        total = 0
        for group in self.groups:
            total |= group.clusters
        return total

    @property
    def written(self) -> str:
        return ", ".join(dict.fromkeys(str(leaf) for leaf in self._leaves))

    @property
    def reason(self) -> Reason:
        if any(leaf.label is not None for leaf in self._leaves):
            return Reason.LABEL_MISMATCH
        if any(leaf.selector is not None for leaf in self._leaves):
            return Reason.SELECTOR_MISMATCH
        return Reason.NOT_LISTED

    def require(self, refs: Sequence[ClusterRef]) -> None:
        for ref in refs:
            position = self._fleet.position.get(ref)
            if position is None:
                self.unknown.append(ref)
            else:
                self._numbered(position)
                self.required.append(position)

    def grow(self, intent: PlacementIntent) -> None:
        for branch in intent.all_of:
            if branch.has_leaf:
                self._add_leaf(branch)
            if branch.any_of:
                self._add_group(branch.any_of)
        if intent.any_of:
            self._add_group(intent.any_of)

    def _numbered(self, position: int) -> None:
        if position not in self.numbers:
            self._number += 1
            self.numbers[position] = self._number

    def _add_leaf(self, leaf: Leaf) -> None:
        self._leaves.append(leaf)
        if leaf.cluster is not None:
            self.require((leaf.cluster,))
            return
        found = self._fleet.named_by(leaf)
        if not found:
            self.warn_of_nothing(leaf)
        else:
            self.pooled.append((str(leaf), found))
        self.pool |= found
        for position in positions_in(found):
            self._numbered(position)

    def _add_group(self, leaves: Sequence[Leaf]) -> None:
        self._number += 1
        self._leaves.extend(leaves)
        self.groups.append(Group(self._number, tuple(self._fleet.named_by(leaf) for leaf in leaves)))

    def warn_of_nothing(self, leaf: Leaf) -> None:
        kind = "label" if leaf.label is not None else "selector"
        known: set[str] = set()
        if leaf.label is not None:
            for cluster in self._fleet.clusters:
                known.update(f"{key}={value}" if value else key for key, value in cluster.labels.items())
        hint = near(str(leaf), sorted(known))
        self.warnings.append(f"no cluster has the {kind} {leaf}" + (f"; {hint}" if hint else ""))
