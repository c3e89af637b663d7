# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a cluster is and has, in a handful of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import effective_requests
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model import quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Facts, Node, NodeTaint
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource, built_in
from ansible_collections.emco.edge.plugins.module_utils._observe.readiness import is_true
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import DEPLOYMENT_LABEL
from ansible_collections.emco.edge.plugins.module_utils._sync.lanes import Lanes

_NODES = Resource("v1", "Node", "nodes", False)
_PODS = Resource("v1", "Pod", "pods", True)
_CLASSES = Resource("storage.k8s.io/v1", "StorageClass", "storageclasses", False)
_LIVING = "status.phase!=Succeeded,status.phase!=Failed"
_DISCOVERY = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
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


def read_facts(client: ClusterClient, now: float) -> Facts:
    """The facts of a cluster as of ``now`` (seconds since the epoch); ClusterError when it does not answer.

    At most ten requests, pages of more than 500 nodes or pods apart.
    """
    # The first one alone: a cluster that does not answer costs one time-out, and its connection serves the next.
    version = client.version()
    reads: tuple[Callable[[], list[dict[str, Any]]], ...] = (
        lambda: _discovered(client, "/api"),
        lambda: _discovered(client, "/apis"),
        lambda: list(client.list(_NODES)),
        lambda: list(client.list(_PODS, fields=_LIVING)),
        lambda: list(client.list(_CLASSES, metadata_only=True)),
    )
    with Lanes() as lanes:
        core, groups, nodes, pods, classes = lanes.each(_called, reads)
        served = (*core, *groups)
        topologies = _topologies(client, served)
        devices = _devices(client, lanes, served)
    return Facts(
        observed=now,
        version=version,
        nodes=_nodes(nodes, pods, topologies),
        apis=tuple(sorted(_apis(served))),
        cluster_scoped=tuple(sorted(_cluster_scoped(served))),
        storage_classes=tuple(sorted(str(one["metadata"]["name"]) for one in classes)),
        engines=_engines(served),
        devices=devices,
        pending=tuple(_waiting(pods)),
    )


def _called(read: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return read()


def _discovered(client: ClusterClient, path: str) -> list[dict[str, Any]]:
    found = client.read(path, f"read the kinds under {path}", accept=_DISCOVERY) or {}
    if found.get("kind") == "APIGroupDiscoveryList":
        return list(found.get("items") or ())
    # Servers before 1.26 know no aggregated discovery: one request a group version.
    versions = found.get("versions") or [
        each["groupVersion"] for group in found.get("groups") or () for each in group["versions"]
    ]
    return [_old_group(client, str(version), path) for version in versions]


def _old_group(client: ClusterClient, version: str, path: str) -> dict[str, Any]:
    listed = client.read(f"{path}/{version}", f"read the kinds of {version}") or {}
    resources = [
        {
            "resource": one["name"],
            "responseKind": {"kind": one["kind"]},
            "scope": "Namespaced" if one["namespaced"] else "Cluster",
        }
        for one in listed.get("resources") or ()
        if "/" not in one["name"]
    ]
    group, _, name = version.rpartition("/")
    return {"metadata": {"name": group}, "versions": [{"version": name, "resources": resources}]}


def _served_kinds(groups: Iterable[Object]) -> Iterator[tuple[str, str, str, bool]]:
    """Of each kind its api version, its name, its plural and whether it lives in namespaces."""
    for group in groups:
        name = str((group.get("metadata") or {}).get("name") or "")
        for version in group.get("versions") or ():
            api_version = f"{name}/{version['version']}" if name else str(version["version"])
            for one in version.get("resources") or ():
                kind = str((one.get("responseKind") or {}).get("kind") or "")
                if kind:
                    yield api_version, kind, str(one["resource"]), one.get("scope") == "Namespaced"


def _apis(groups: Iterable[Object]) -> set[str]:
    found: set[str] = set()
    for api_version, kind, _, _ in _served_kinds(groups):
        found.update((api_version, f"{api_version}/{kind}"))
    return found


def _cluster_scoped(groups: Iterable[Object]) -> set[str]:
    return {
        f"{api_version.rpartition('/')[0]}/{kind}"
        for api_version, kind, _, namespaced in _served_kinds(groups)
        if not namespaced and built_in(api_version, kind) is None
    }


def _engines(groups: Iterable[Object]) -> dict[str, str]:
    found = {}
    for group in groups:
        name = str((group.get("metadata") or {}).get("name") or "")
        versions = group.get("versions") or ()
        if name in _ENGINE_GROUPS and versions:
            # The server lists the version that it prefers first.
            found[_ENGINE_GROUPS[name]] = f"{name}/{versions[0]['version']}"
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
    return {name: value for name, value in found.items() if value}


def _waiting(pods: Iterable[Object]) -> Iterator[dict[str, Any]]:
    for pod in pods:
        spec = pod.get("spec") or {}
        if not spec.get("nodeName") and not pod["metadata"].get("deletionTimestamp"):
            metadata = {name: pod["metadata"].get(name) for name in ("namespace", "name", "labels")}
            yield {"metadata": {name: value for name, value in metadata.items() if value}, "spec": spec}


def _topologies(client: ClusterClient, groups: Iterable[Object]) -> dict[str, dict[str, Any]]:
    """What NodeResourceTopology says of each node, as ``_hardware.numa`` reads it."""
    served = next((one for one in _served_kinds(groups) if one[0].startswith(_TOPOLOGIES + "/")), None)
    if served is None:
        return {}
    api_version, kind, plural, namespaced = served
    found = {}
    for one in client.list(Resource(api_version, kind, plural, namespaced)):
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


def _devices(client: ClusterClient, lanes: Lanes, groups: Iterable[Object]) -> dict[str, Any]:
    """Slices, classes and allocated claims of Dynamic Resource Allocation, where the cluster has any slices."""
    if not any(api_version == _DEVICES for api_version, _, _, _ in _served_kinds(groups)):
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
