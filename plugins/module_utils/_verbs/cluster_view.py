# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: registered clusters and their facts as results show them, amounts as Kubernetes writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Facts, Node
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_document import cluster_document
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import written
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered


def shown_cluster(one: Registered, now: float, *, facts: bool = False) -> dict[str, Any]:
    """What people said about a cluster and how it is; with ``facts`` all that was read from it. No secrets."""
    cluster = one.cluster
    shown: dict[str, Any] = {
        "cluster": str(one.ref),
        **cluster_document(cluster),
        "inventory_host": one.host,
        "keep_credentials": one.credentials.keep,
        "uid": one.uid,
        "reachable": cluster.unreachable_since is None,
        "unreachable_seconds": None if cluster.unreachable_since is None else round(now - cluster.unreachable_since),
    }
    for taint, document in zip(cluster.taints, shown["taints"], strict=True):
        document.pop("added")
        document["seconds"] = None if taint.added is None else round(now - taint.added)
    if cluster.facts is not None:
        shown["version"] = cluster.facts.version
        shown["nodes"] = len(cluster.facts.nodes)
        shown["ready_nodes"] = sum(node.ready for node in cluster.facts.nodes)
        shown["facts_age"] = round(now - cluster.facts.observed)
        if facts:
            shown["facts"] = shown_facts(cluster.facts, now, reachable=cluster.unreachable_since is None)
    return shown


def shown_facts(facts: Facts | None, now: float, *, reachable: bool) -> dict[str, Any]:
    """Facts of a cluster; ``age`` is in seconds, capacity and free count the ready nodes that take pods."""
    if facts is None:
        return {"reachable": reachable, "nodes": [], "capacity": {}, "free": {}}
    usable = [node for node in facts.nodes if node.ready and not node.unschedulable]
    capacity = _total(node.allocatable for node in usable)
    used = _total(node.used for node in usable)
    return {
        "version": facts.version,
        "reachable": reachable,
        "age": round(now - facts.observed),
        "nodes": [_shown_node(node) for node in facts.nodes],
        "capacity": _written(capacity),
        "free": _written({name: amount - used.get(name, 0) for name, amount in capacity.items()}),
        "devices": dict(facts.devices),
        "engines": dict(facts.engines),
        "ranges": {name: list(cidrs) for name, cidrs in facts.ranges.items()},
        "apis": list(facts.apis),
        "storage_classes": list(facts.storage_classes),
    }


def _shown_node(node: Node) -> dict[str, Any]:
    free = {name: amount - node.used.get(name, 0) for name, amount in node.allocatable.items()}
    return {
        "name": node.name,
        "ready": node.ready,
        "unschedulable": node.unschedulable,
        "labels": dict(node.labels),
        "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in node.taints],
        "allocatable": _written(node.allocatable),
        "free": _written(free),
    }


def _total(amounts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in amounts:
        for name, amount in one.items():
            total[name] = total.get(name, 0) + amount
    return total


def _written(amounts: Mapping[str, int]) -> dict[str, str]:
    return {name: written(name, amount) for name, amount in sorted(amounts.items())}
