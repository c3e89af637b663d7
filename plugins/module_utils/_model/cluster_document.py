# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: clusters and their facts as the plain data that a store keeps and a result shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import (
    Cluster,
    ClusterRef,
    Facts,
    Node,
    NodeTaint,
    Taint,
)


def facts_document(facts: Facts) -> dict[str, Any]:
    """Facts as JSON data; amounts stay in the units of ``quantities.amount``."""
    return asdict(facts)


def facts_of(document: Mapping[str, Any]) -> Facts:
    """Facts from what ``facts_document`` made."""
    return Facts(
        observed=float(document["observed"]),
        version=str(document["version"]),
        nodes=tuple(_node(node) for node in document.get("nodes") or ()),
        apis=tuple(document.get("apis") or ()),
        cluster_scoped=tuple(document.get("cluster_scoped") or ()),
        storage_classes=tuple(document.get("storage_classes") or ()),
        engines=dict(document.get("engines") or {}),
        devices=dict(document.get("devices") or {}),
        ranges={str(name): tuple(cidrs) for name, cidrs in (document.get("ranges") or {}).items()},
    )


def _node(document: Mapping[str, Any]) -> Node:
    taints = tuple(NodeTaint(**taint) for taint in document.get("taints") or ())
    return Node(**{**document, "taints": taints})


def cluster_document(cluster: Cluster) -> dict[str, Any]:
    """What people said about a cluster, as JSON data; its facts are kept apart."""
    return {
        "provider": cluster.ref.provider,
        "name": cluster.ref.name,
        "labels": dict(cluster.labels),
        "kv": {name: dict(values) for name, values in cluster.kv.items()},
        "taints": [asdict(taint) for taint in cluster.taints],
        "schedulable": cluster.schedulable,
        "draining": cluster.draining,
        "image_mirrors": dict(cluster.image_mirrors),
        "pull_secrets": list(cluster.pull_secrets),
        "constraints": cluster.constraints,
        "kind": cluster.kind,
    }


def cluster_of(
    document: Mapping[str, Any], facts: Facts | None = None, unreachable_since: float | None = None
) -> Cluster:
    """A cluster from what ``cluster_document`` made, with its facts."""
    return Cluster(
        ref=ClusterRef(str(document["provider"]), str(document["name"])),
        labels=dict(document.get("labels") or {}),
        kv={name: dict(values) for name, values in (document.get("kv") or {}).items()},
        taints=tuple(Taint(**taint) for taint in document.get("taints") or ()),
        schedulable=bool(document.get("schedulable", True)),
        draining=bool(document.get("draining", False)),
        unreachable_since=unreachable_since,
        facts=facts,
        image_mirrors=dict(document.get("image_mirrors") or {}),
        pull_secrets=tuple(document.get("pull_secrets") or ()),
        constraints=document.get("constraints"),
        kind=document.get("kind", "kubernetes"),
    )
