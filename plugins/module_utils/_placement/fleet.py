# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the clusters of a plan in columns, so that a thousand apps can ask the same question at once.

A set of clusters is an int whose bit p stands for the cluster at position p (positions follow provider+cluster). An
index from value to set is built once for each key; selectors are then a handful of operations on ints.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import compress
from typing import Any, Protocol

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_values import ABSENT, Key, value_of
from ansible_collections.emco.edge.plugins.module_utils._model.comparison import number
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import (
    All,
    AnyOf,
    Expression,
    Label,
    Not,
    Op,
    Selector,
    Term,
)

ClusterSet = int

_BITS = bytes.maketrans(b"01", b"\x00\x01")


def positions_in(clusters: ClusterSet) -> list[int]:
    """The positions in a set, ascending."""
    if not clusters:
        return []
    bits = f"{clusters:b}"[::-1].encode().translate(_BITS)
    return list(compress(range(len(bits)), bits))


def set_of(positions: Iterable[int]) -> ClusterSet:
    """The set of these positions."""
    found = list(positions)
    if len(found) < 64:
        total = 0
        for position in found:
            total |= 1 << position
        return total
    # One byte a position costs a pass over the largest position, shifting costs one for each of them.
    bits = bytearray(b"0" * (max(found) + 1))
    for position in found:
        bits[position] = 49
    bits.reverse()
    return int(bits, 2)


class NamesClusters(Protocol):
    """Anything with the four fields of a leaf."""

    @property
    def cluster(self) -> ClusterRef | None: ...
    @property
    def label(self) -> Label | None: ...
    @property
    def selector(self) -> Selector | None: ...
    @property
    def provider(self) -> str | None: ...


class Fleet:
    """All clusters of a plan, in the order of their names, with the sets that were asked for so far."""

    def __init__(self, clusters: Iterable[Cluster]) -> None:
        self.clusters: tuple[Cluster, ...] = tuple(sorted(clusters, key=lambda cluster: cluster.ref))
        self.position = {cluster.ref: position for position, cluster in enumerate(self.clusters)}
        if len(self.position) != len(self.clusters):
            seen = [cluster.ref for cluster in self.clusters]
            twice = sorted({str(ref) for ref in seen if seen.count(ref) > 1})
            raise EdgeError("InvalidInput", f"The fleet lists {', '.join(twice)} more than once.")
        self.everyone: ClusterSet = (1 << len(self.clusters)) - 1
        self._columns: dict[Key, list[Any]] = {}
        self._indexes: dict[Key, dict[Hashable, list[int]]] = {}
        self._numbers: dict[Key, list[float | None]] = {}
        self._found: dict[Any, ClusterSet] = {}

    def __len__(self) -> int:
        return len(self.clusters)

    def column(self, key: Key) -> list[Any]:
        """The value of every cluster, ABSENT where it has none; lists as tuples."""
        column = self._columns.get(key)
        if column is None:
            if key.source == "labels":
                name = key.name
                column = [cluster.labels.get(name, ABSENT) for cluster in self.clusters]
            else:
                column = [_hashable(value_of(cluster, key)) for cluster in self.clusters]
            self._columns[key] = column
        return column

    def index(self, key: Key) -> dict[Hashable, list[int]]:
        """The positions by value of a key (ABSENT is a value here), in the order of first appearance."""
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = {}
            for position, value in enumerate(self.column(key)):
                index.setdefault(value, []).append(position)
        return index

    def numbers(self, key: Key) -> list[float | None]:
        """The value of every cluster as a number (see ``comparison.number``), None where it is none."""
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = [None if value is ABSENT else number(value) for value in self.column(key)]
            self._numbers[key] = numbers
        return numbers

    def without(self, key: Key) -> ClusterSet:
        """The clusters that do not have a key."""
        return set_of(self.index(key).get(ABSENT, ()))

    def matching(self, expression: Expression) -> ClusterSet:
        """The clusters that satisfy an expression of a selector."""
        found = self._found.get(expression)
        if found is None:
            found = self._found[expression] = self._evaluated(expression)
        return found

    def _evaluated(self, expression: Expression) -> ClusterSet:
        if isinstance(expression, Term):
            return self._having(expression)
        if isinstance(expression, Not):
            return self.everyone & ~self.matching(expression.of)
        if isinstance(expression, All):
            found = self.everyone
            for one in expression.of:
                found &= self.matching(one)
            return found
        if not isinstance(expression, AnyOf):
            raise RuntimeError("what kind it is was asked before")
        found = 0
        for one in expression.of:
            found |= self.matching(one)
        return found

    def _having(self, term: Term) -> ClusterSet:
        index = self.index(term.key)
        if term.op is Op.EXISTS:
            return self.everyone & ~self.without(term.key)
        if term.by_text and term.key.source == "labels":
            # Labels are text, so the values looked for are keys of the index.
            found = set_of(position for value in dict.fromkeys(term.values) for position in index.get(value, ()))
            return found if term.op is Op.IN else self.everyone & ~found
        return set_of(position for value, positions in index.items() if term.holds(value) for position in positions)

    def named_by(self, leaf: NamesClusters) -> ClusterSet:
        """The clusters that a leaf of an intent names: one by its name, or all with a label or selector."""
        if leaf.cluster is not None:
            position = self.position.get(leaf.cluster)
            found = 0 if position is None else 1 << position
        elif leaf.label is not None:
            found = self.labelled(leaf.label)
        elif leaf.selector is not None:
            found = self.matching(leaf.selector.expression)
        else:
            found = self.everyone
        if leaf.provider is not None:
            found &= set_of(self.index(_PROVIDER).get(leaf.provider, ()))
        return found

    def labelled(self, label: Label) -> ClusterSet:
        """The clusters with a label."""
        return self.matching(label.term)

    def refs(self, clusters: ClusterSet) -> Sequence[ClusterRef]:
        """The names of a set."""
        return [self.clusters[position].ref for position in positions_in(clusters)]


_PROVIDER = Key("cluster", "provider", "cluster.provider")


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return tuple(_hashable(one) for one in value)
    return str(value) if isinstance(value, dict) else value
