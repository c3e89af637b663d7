# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a quota of all clusters together: what objects take of it, and how it is divided. Pure.

Amounts are whole numbers in the units of ``quantities.amount``: thousandths of a core, bytes, pieces.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demand
from ansible_collections.emco.edge.plugins.module_utils._hardware.pod_template import pod_template
from ansible_collections.emco.edge.plugins.module_utils._model import quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import built_in
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud

Amounts = dict[str, int]
ByCluster = Mapping[ClusterRef, Mapping[str, int]]


def amount(resource: str, quantity: str) -> int:
    """How much a quantity of a ResourceQuota's resource is; ``limits.cpu`` is counted as cpu is."""
    return quantities.amount(_plain(resource), quantity)


def written(resource: str, value: int) -> str:
    """An amount as people write it."""
    return quantities.written(_plain(resource), value)


def _plain(resource: str) -> str:
    return resource.rpartition(".")[2] if resource.startswith(("limits.", "requests.")) else resource


def taken_by(documents: Iterable[Mapping[str, Any]], cloud: LogicalCloud) -> Amounts:
    """What objects take of the total quota's resources, a DaemonSet as one pod.

    What a LimitRange of the logical cloud gives to containers that say nothing counts. A resource that is not known
    here takes nothing: each cluster counts it against its own part.
    """
    found = dict.fromkeys(cloud.total, 0)
    for document in documents:
        for resource, value in _of_one(document, cloud).items():
            if resource in found:
                found[resource] += value
    return found


def _of_one(document: Mapping[str, Any], cloud: LogicalCloud) -> Amounts:
    taken: Amounts = {}
    known = built_in(str(document.get("apiVersion")), str(document.get("kind")))
    if known is not None:
        taken[f"count/{known.plural}" + (f".{known.group}" if known.group else "")] = 1
        if not known.group:
            taken[known.plural] = 1
    spec = document.get("spec") or {}
    if document.get("kind") == "Service":
        taken["services.loadbalancers"] = int(spec.get("type") == "LoadBalancer")
        taken["services.nodeports"] = len(spec.get("ports") or ()) if spec.get("type") in _NODE_PORTS else 0
    if document.get("kind") == "PersistentVolumeClaim":
        requests = ((spec.get("resources") or {}).get("requests")) or {}
        taken["requests.storage"] = quantities.amount("storage", requests.get("storage", 0))
    if pod_template(dict(document)) is not None:
        taken.update(_pods(document, cloud))
    return taken


_NODE_PORTS = ("NodePort", "LoadBalancer")


def _pods(document: Mapping[str, Any], cloud: LogicalCloud) -> Amounts:
    requests, limits = (_demand(document, cloud, asks) for asks in ("requests", "limits"))
    if requests is None or limits is None:
        return {}
    taken = {"pods": requests.copies, "count/pods": requests.copies}
    for name, value in requests.requests.items():
        taken[f"requests.{name}"] = taken[name] = value * requests.copies
    taken.update({f"limits.{name}": value * limits.copies for name, value in limits.requests.items()})
    return taken


def _demand(document: Mapping[str, Any], cloud: LogicalCloud, asks: str) -> PodDemand | None:
    """What the pods ask for, as if what they are limited to was what they ask for with ``limits``."""
    changed = copy.deepcopy(dict(document))
    spec = (pod_template(changed) or {}).get("spec") or {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources") or {}
        limits = {**_defaults(cloud, "default"), **(resources.get("limits") or {})}
        if asks == "limits":
            container["resources"] = {"requests": limits}
        else:
            given = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
            container["resources"] = {"requests": {**limits, **_defaults(cloud, "defaultRequest"), **given}}
    return pod_demand(changed, cloud.space)


def _defaults(cloud: LogicalCloud, name: str) -> Mapping[str, Any]:
    return next((one.get(name) or {} for one in cloud.limit_range if one.get("type") == "Container"), {})


def divided(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` by weight in whole pieces that add up to it (largest remainder); equally when all weights are 0."""
    weights = weights if any(weights) else [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts


def shares_of(
    cloud: LogicalCloud, members: Iterable[ClusterRef], taken: ByCluster, before: ByCluster
) -> dict[ClusterRef, Amounts]:
    """What of the total quota each cluster has. ``taken``: by deployments; ``before``: what each had.

    Divided by use, what was before stays as long as everybody has enough, so that nobody is touched without need.
    """
    refs = sorted(members)
    shares: dict[ClusterRef, Amounts] = {ref: {} for ref in refs}
    for resource, quantity in cloud.total.items():
        total = amount(resource, quantity)
        use = [taken.get(ref, {}).get(resource, 0) for ref in refs]
        had = [before.get(ref, {}).get(resource, -1) for ref in refs]
        if cloud.total_divide == "weighted":
            weights = [cloud.total_weights.get(str(ref), 0 if cloud.total_weights else 1) for ref in refs]
            parts = divided(total, weights)
        elif set(before) == set(refs) and sum(had) == total and all(map(lambda a, b: a >= b >= 0, had, use)):
            parts = had
        else:
            rest = divided(max(0, total - sum(use)), [1] * len(refs))
            parts = [mine + more for mine, more in zip(use, rest, strict=True)]
        for ref, part in zip(refs, parts, strict=True):
            shares[ref][resource] = part
    return shares


def over(cloud: LogicalCloud, shares: ByCluster, others: Mapping[str, ByCluster], wanted: ByCluster) -> list[str]:
    """Why a deployment does not fit into the total quota, with the numbers; empty when it does.

    ``others``: what each other deployment has been promised.
    """
    found = []
    for resource, quantity in cloud.total.items():
        total = amount(resource, quantity)
        promised = {name: _sum(by_cluster, resource) for name, by_cluster in others.items()}
        left = total - sum(promised.values())
        needs = _sum(wanted, resource)
        if needs > left:
            who = ", ".join(f"{name} {written(resource, value)}" for name, value in sorted(promised.items()) if value)
            found.append(
                f"{resource}: needs {written(resource, needs)}, and {written(resource, max(0, left))} of "
                f"{written(resource, total)} are left" + (f" (promised: {who})" if who else "")
            )
        elif cloud.total_divide == "weighted":
            found += _over_parts(resource, shares, others, wanted)
    return found


def _over_parts(resource: str, shares: ByCluster, others: Mapping[str, ByCluster], wanted: ByCluster) -> list[str]:
    found = []
    for ref, mine in sorted(wanted.items()):
        part = shares.get(ref, {}).get(resource, 0)
        left = part - sum(by_cluster.get(ref, {}).get(resource, 0) for by_cluster in others.values())
        needs = mine.get(resource, 0)
        if needs > left:
            found.append(
                f"{resource} on {ref}: needs {written(resource, needs)}, and {written(resource, max(0, left))} of its "
                f"part {written(resource, part)} are left"
            )
    return found


def _sum(by_cluster: ByCluster, resource: str) -> int:
    return sum(amounts.get(resource, 0) for amounts in by_cluster.values())


def added(several: Iterable[ByCluster]) -> dict[ClusterRef, Amounts]:
    """The sums by cluster."""
    found: dict[ClusterRef, Amounts] = {}
    for by_cluster in several:
        for ref, amounts in by_cluster.items():
            mine = found.setdefault(ref, {})
            for resource, value in amounts.items():
                mine[resource] = mine.get(resource, 0) + value
    return found
