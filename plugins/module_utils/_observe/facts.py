# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a cluster is and has, in a handful of requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import effective_requests
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.discovery import ServedKind, served_kinds
from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import is_true
from ansible_collections.emco.edge.plugins.module_utils._model import addresses, quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Facts, Node, NodeTaint
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource, built_in
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import DEPLOYMENT_LABEL
from ansible_collections.emco.edge.plugins.module_utils._sync.lanes import Lanes

_NODES = Resource("v1", "Node", "nodes", False)
_PODS = Resource("v1", "Pod", "pods", True)
_CLASSES = Resource("storage.k8s.io/v1", "StorageClass", "storageclasses", False)
_ENGINE_GROUPS = {
    "kubeovn.io": "kube_ovn",
    "k8s.ovn.org": "ovn_kubernetes",
    "k8s.plugin.opnfv.org": "nodus",
    "k8s.cni.cncf.io": "multus",
    "networking.istio.io": "istio",
}
_DEVICES = "resource.k8s.io/v1"
_TOPOLOGIES = "topology.node.k8s.io"
Object = Mapping[str, Any]


class _Read(NamedTuple):
    resource: Resource
    how: Mapping[str, Any]


_PATHS = ("/api", "/apis")
_READS = (
    _Read(_NODES, {}),
    _Read(_PODS, {"fields": "status.phase!=Succeeded,status.phase!=Failed"}),
    _Read(_CLASSES, {"metadata_only": True}),
)


def read_facts(client: ClusterClient, now: float) -> Facts:
    """The facts of a cluster as of ``now`` (seconds since the epoch); ClusterError when it does not answer.

    At most ten requests, pages of more than 500 nodes or pods apart.
    """
    # The first one alone: a cluster that does not answer costs one time-out, and its connection serves the next.
    version = client.version()
    with Lanes() as lanes:
        served = [one for found in lanes.each(lambda path: served_kinds(client, path), _PATHS) for one in found]
        nodes, pods, classes = lanes.each(lambda read: list(client.list(read.resource, **read.how)), _READS)
        topologies = _topologies(client, served)
        devices = _devices(client, lanes, served)
        services = _service_ranges(client, served)
    return Facts(
        observed=now,
        version=version,
        nodes=_nodes(nodes, pods, topologies),
        apis=tuple(sorted(_apis(served))),
        cluster_scoped=tuple(sorted(_cluster_scoped(served))),
        storage_classes=tuple(sorted(str(one["metadata"]["name"]) for one in classes)),
        engines=_engines(served),
        devices=devices,
        ranges=_ranges(pods=_pod_ranges(nodes), services=services),
        pending=tuple(_waiting(pods)),
    )


def _apis(served: Iterable[ServedKind]) -> set[str]:
    versions = {one.resource.api_version for one in served}
    return versions | {f"{one.resource.api_version}/{one.resource.kind}" for one in served}


def _cluster_scoped(served: Iterable[ServedKind]) -> set[str]:
    kinds = (one.resource for one in served)
    return {
        f"{one.group}/{one.kind}" for one in kinds if not one.namespaced and not built_in(one.api_version, one.kind)
    }


def _engines(served: Iterable[ServedKind]) -> dict[str, str]:
    return {
        _ENGINE_GROUPS[one.resource.group]: one.resource.api_version
        for one in served
        if one.preferred and one.resource.group in _ENGINE_GROUPS
    }


def _pod_ranges(nodes: Iterable[Object]) -> list[str]:
    specs = [one.get("spec") or {} for one in nodes]
    return [str(cidr) for spec in specs for cidr in spec.get("podCIDRs") or filter(None, [spec.get("podCIDR")])]


def _service_ranges(client: ClusterClient, served: Iterable[ServedKind]) -> list[str]:
    """The networks of services, which API servers tell since Kubernetes 1.31."""
    kind = next((one for one in served if one.preferred and one.resource.kind == "ServiceCIDR"), None)
    if kind is None or kind.resource.group != "networking.k8s.io":
        return []
    try:
        return [str(cidr) for one in client.list(kind.resource) for cidr in (one.get("spec") or {}).get("cidrs") or ()]
    except EdgeError as error:
        if error.reason != "Forbidden":
            raise
        return []


def _ranges(**told: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each with as few networks as say it: a cluster has one of pods for every node."""
    found = {}
    for what, cidrs in told.items():
        summed = tuple(
            one for family in (4, 6) for one in addresses.as_networks(c for c in cidrs if addresses.family(c) == family)
        )
        if summed:
            found[what] = summed
    return found


def _nodes(nodes: Iterable[Object], pods: Iterable[Object], topologies: Mapping[str, Object]) -> tuple[Node, ...]:
    here: dict[str, list[Object]] = {}
    for pod in pods:
        name = (pod.get("spec") or {}).get("nodeName")
        if name:
            here.setdefault(str(name), []).append(pod)
    found = (_node(one, here.get(str(one["metadata"]["name"]), []), topologies) for one in nodes)
    return tuple(sorted(found, key=lambda one: one.name))


def _node(live: Object, pods: list[Object], topologies: Mapping[str, Object]) -> Node:
    metadata, spec, status = live["metadata"], live.get("spec") or {}, live.get("status") or {}
    used: dict[str, int] = {}
    for pod in pods:
        for resource, wanted in effective_requests(pod.get("spec") or {}).items():
            used[resource] = used.get(resource, 0) + wanted
    extra: dict[str, Any] = dict(topologies.get(str(metadata["name"]), {}))
    if minded := [found for pod in pods if (found := _minded(pod))]:
        extra["pods"] = minded
    return Node(
        name=str(metadata["name"]),
        allocatable={name: quantities.amount(name, text) for name, text in (status.get("allocatable") or {}).items()},
        used=used,
        labels=dict(metadata.get("labels") or {}),
        taints=tuple(
            NodeTaint(str(one["key"]), str(one.get("value") or ""), str(one["effect"]))
            for one in spec.get("taints") or ()
        ),
        ready=is_true(status, "Ready"),
        unschedulable=bool(spec.get("unschedulable")),
        extra=extra,
    )


def _minded(pod: Object) -> dict[str, Any] | None:
    """What other pods mind of a pod; of most pods nothing, so that facts stay small."""
    metadata, spec = pod["metadata"], pod.get("spec") or {}
    labels = metadata.get("labels") or {}
    affinity = (spec.get("affinity") or {}).get("podAntiAffinity") or {}
    refused = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or []
    ports = [
        [str(port.get("hostIP") or ""), str(port.get("protocol") or "TCP"), int(port["hostPort"])]
        for container in spec.get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]
    if not (refused or ports or DEPLOYMENT_LABEL in labels):
        return None
    found = {"namespace": metadata.get("namespace"), "labels": labels, "host_ports": ports, "anti_affinity": refused}
    if DEPLOYMENT_LABEL in labels:
        # What our own pods hold, so that a plan that makes them larger keeps room for the difference alone.
        found["requests"] = effective_requests(spec)
    return {name: value for name, value in found.items() if value}


def _waiting(pods: Iterable[Object]) -> Iterator[dict[str, Any]]:
    for pod in pods:
        spec = pod.get("spec") or {}
        if not spec.get("nodeName") and not pod["metadata"].get("deletionTimestamp"):
            metadata = {name: pod["metadata"].get(name) for name in ("namespace", "name", "labels")}
            yield {"metadata": {name: value for name, value in metadata.items() if value}, "spec": spec}


def _topologies(client: ClusterClient, served: Iterable[ServedKind]) -> dict[str, dict[str, Any]]:
    """What NodeResourceTopology says of each node, as ``_hardware.numa`` reads it."""
    kind = next((one for one in served if one.preferred and one.resource.group == _TOPOLOGIES), None)
    if kind is None:
        return {}
    found = {}
    for one in client.list(kind.resource):
        attributes = {str(each.get("name")): each.get("value") for each in one.get("attributes") or ()}
        zones = [
            {
                "name": zone.get("name"),
                "resources": [
                    {"name": each.get("name"), "available": each.get("available")}
                    for each in zone.get("resources") or ()
                ],
            }
            for zone in one.get("zones") or ()
        ]
        found[str(one["metadata"]["name"])] = {
            "zones": zones,
            "topology_manager_policy": attributes.get("topologyManagerPolicy"),
            "topology_manager_scope": attributes.get("topologyManagerScope"),
        }
    return found


def _devices(client: ClusterClient, lanes: Lanes, served: Iterable[ServedKind]) -> dict[str, Any]:
    """Slices, classes and allocated claims of Dynamic Resource Allocation, where the cluster has any slices."""
    if not any(one.resource.api_version == _DEVICES for one in served):
        return {}
    slices = list(client.list(Resource(_DEVICES, "ResourceSlice", "resourceslices", False)))
    if not slices:
        return {}
    classes, claims = lanes.each(
        lambda resource: list(client.list(resource)),
        [
            Resource(_DEVICES, "DeviceClass", "deviceclasses", False),
            Resource(_DEVICES, "ResourceClaim", "resourceclaims", True),
        ],
    )
    return {
        "slices": [one.get("spec") or {} for one in slices],
        "classes": [{"name": one["metadata"]["name"], **(one.get("spec") or {})} for one in classes],
        "claims": [
            {"namespace": one["metadata"]["namespace"], "name": one["metadata"]["name"], "allocation": allocation}
            for one in claims
            if (allocation := (one.get("status") or {}).get("allocation"))
        ],
    }
