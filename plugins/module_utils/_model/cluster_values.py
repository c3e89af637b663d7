# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the values of a cluster by key: ``region``, ``kv.site.rack``, ``facts.free.cpu``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, Facts


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""The value of a key that a cluster does not have."""


@dataclass(frozen=True)
class Key:
    """A key of a cluster: ``source`` is labels, kv, facts or cluster; ``written`` is how the user wrote it."""

    source: str
    name: str
    written: str


def value_of(cluster: Cluster, key: Key) -> Any:
    """What the cluster has under ``key``, or ABSENT. Amounts are Fractions in whole cores, bytes or pieces."""
    if key.source == "labels":
        return cluster.labels.get(key.name, ABSENT)
    if key.source == "kv":
        return _kv(cluster.kv, key.name)
    if key.source == "cluster":
        return cluster.ref.name if key.name == "name" else cluster.ref.provider
    if key.name == "reachable":
        return cluster.unreachable_since is None
    return _fact(cluster.facts, key.name) if cluster.facts is not None else ABSENT


def _kv(sets: Mapping[str, Mapping[str, Any]], name: str) -> Any:
    # Both the name of a set and a key may hold dots, so every cut is tried.
    at = name.find(".")
    while at >= 0:
        values = sets.get(name[:at])
        if values is not None and name[at + 1 :] in values:
            return values[name[at + 1 :]]
        at = name.find(".", at + 1)
    return ABSENT


def _fact(facts: Facts, name: str) -> Any:
    if name == "version":
        return facts.version or ABSENT
    if name == "nodes":
        return len(facts.nodes)
    if name == "ready_nodes":
        return sum(node.ready and not node.unschedulable for node in facts.nodes)
    if name in ("apis", "storage_classes"):
        return getattr(facts, name)
    family, _dot, rest = name.partition(".")
    if family == "engines":
        return facts.engines.get(rest, ABSENT)
    total = sum(
        node.allocatable.get(rest, 0) - (node.used.get(rest, 0) if family == "free" else 0)
        for node in facts.nodes
        if node.ready and not node.unschedulable
    )
    return Fraction(total, 1000) if rest == "cpu" else Fraction(total)
