# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a fleet as it would be: taints, labels, cordons, drains, clusters gone or new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import options
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.inline_cluster import TaintGiven, parse_cluster
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option


@dataclass(frozen=True)
class Change:
    """What would be different about one cluster; what is not given stays."""

    cluster: ClusterRef = option(required=True, parse=ClusterRef.parse, type="str")
    remove: bool = option(default=False)
    add: Mapping[str, Any] | None = option(type="dict")
    """A new cluster, described as in ``clusters`` (its name is ``cluster``)."""
    add_taints: tuple[TaintGiven, ...] = option(default=())
    remove_taints: tuple[str, ...] = option(default=())
    labels: Mapping[str, Any] | None = option(type="dict")
    """Labels to set; null removes one."""
    schedulable: bool | None = option()
    drain: bool | None = option()
    reachable: bool | None = option()
    free_replicas: int | None = option()
    remove_nodes: tuple[str, ...] = option(default=())


def changed_fleet(fleet: Sequence[Cluster], raw: Sequence[Any], path: str, problems: Problems) -> tuple[Cluster, ...]:
    """The fleet with ``changes:`` made, in the order given."""
    clusters = {cluster.ref: cluster for cluster in fleet}
    for index, item in enumerate(raw):
        where = f"{path}[{index}]"
        change = options.parse(Change, item, where, problems)
        if change is None:
            continue
        if change.add is not None:
            added = parse_cluster({**change.add, "name": str(change.cluster)}, join(where, "add"), problems)
            if change.cluster in clusters:
                problems.add(join(where, "cluster"), f"{change.cluster} is in the fleet already")
            elif added is not None:
                clusters[change.cluster] = added
            continue
        if change.cluster not in clusters:
            hint = near(str(change.cluster), map(str, clusters))
            problems.add(join(where, "cluster"), f"{change.cluster} is not in the fleet", hint)
        elif change.remove:
            del clusters[change.cluster]
        else:
            clusters[change.cluster] = _changed(clusters[change.cluster], change)
    return tuple(clusters.values())


def _changed(cluster: Cluster, change: Change) -> Cluster:
    labels = dict(cluster.labels)
    for key, value in (change.labels or {}).items():
        labels.pop(key, None)
        if value is not None:
            labels[key] = str(value)
    taints = [taint for taint in cluster.taints if taint.key not in change.remove_taints]
    taints += [given.taint() for given in change.add_taints]
    facts = cluster.facts
    if facts is not None and change.remove_nodes:
        facts = replace(facts, nodes=tuple(node for node in facts.nodes if node.name not in change.remove_nodes))
    changed = replace(cluster, labels=labels, taints=tuple(taints), facts=facts)
    if change.schedulable is not None:
        changed = replace(changed, schedulable=change.schedulable)
    if change.drain is not None:
        changed = replace(changed, draining=change.drain)
    if change.reachable is not None:
        changed = replace(changed, unreachable_since=None if change.reachable else 0.0)
    if change.free_replicas is not None:
        changed = replace(changed, free_replicas=change.free_replicas)
    return changed
