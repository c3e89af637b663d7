# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of a lab: clusters and their nodes, validated."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emco_lab.report import LabError

EPHEMERAL_PORTS = 32768  # from here up the kernel hands out ports to anybody
DEFAULT_BASE_PORT = 24600
DESCRIBED = "lab.emco.edge/described"  # annotation: digest of the description that a node was made from

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NODE_KEYS = {"name", "allocatable", "capacity", "labels", "annotations", "taints", "unschedulable"}
# The attributes beyond nodes are for the inventory; the lab itself has no use for them.
_CLUSTER_KEYS = {"name", "nodes", "labels", "kv", "taints"}
_LAB_KEYS = {"clusters", "audit", "base_port"}
_USUAL_NODE = {"cpu": "4", "memory": "8Gi", "pods": "110"}


@dataclass(frozen=True)
class Node:
    """One node as the API server shall know it."""

    name: str
    object: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Identifies the description, so that an unchanged node is left alone."""
        return str(self.object["metadata"]["annotations"][DESCRIBED])


@dataclass(frozen=True)
class Cluster:
    """One cluster to run."""

    name: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Lab:
    """Everything that shall run in one folder."""

    clusters: tuple[Cluster, ...]
    audit: bool
    base_port: int


def parse(data: object) -> Lab:
    """Turn loaded JSON or YAML into a lab; every problem is reported at once, with its path."""
    problems: list[str] = []
    lab = _mapping(data, "lab", _LAB_KEYS, problems)
    clusters = [_cluster(entry, f"clusters[{i}]", problems) for i, entry in enumerate(_list(lab, "clusters", problems))]
    if not clusters:
        problems.append("clusters: at least one is needed")
    problems += [f"clusters: {name} is described twice" for name in _repeated([c.name for c in clusters])]
    base_port = lab.get("base_port", DEFAULT_BASE_PORT)
    if not isinstance(base_port, int) or not 1024 <= base_port < EPHEMERAL_PORTS - 1024:
        problems.append(f"base_port: {base_port!r} is not a port from 1024 to {EPHEMERAL_PORTS - 1025}")
        base_port = DEFAULT_BASE_PORT
    audit = lab.get("audit", False)
    if not isinstance(audit, bool):
        problems.append(f"audit: {audit!r} is neither true nor false")
    if problems:
        raise LabError("the description of the lab is wrong:\n  " + "\n  ".join(problems))
    return Lab(tuple(clusters), bool(audit), base_port)


def _cluster(entry: object, path: str, problems: list[str]) -> Cluster:
    data = _mapping(entry, path, _CLUSTER_KEYS, problems)
    name = _name(data, path, problems)
    nodes = [_node(n, f"{path}.nodes[{i}]", problems) for i, n in enumerate(_list(data, "nodes", problems, path))]
    problems += [f"{path}.nodes: {name} is described twice" for name in _repeated([n.name for n in nodes])]
    return Cluster(name, tuple(nodes))


def _node(entry: object, path: str, problems: list[str]) -> Node:
    data = _mapping(entry, path, _NODE_KEYS, problems)
    name = _name(data, path, problems)
    allocatable = {**_USUAL_NODE, **_mapping(data.get("allocatable"), path, None, problems)}
    capacity = {**allocatable, **_mapping(data.get("capacity"), path, None, problems)}
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        **_mapping(data.get("labels"), path, None, problems),
    }
    spec: dict[str, Any] = {"taints": [dict(t) for t in _list(data, "taints", problems, path)]}
    if data.get("unschedulable"):
        spec["unschedulable"] = True
    annotations = {"kwok.x-k8s.io/node": "fake", **_mapping(data.get("annotations"), path, None, problems)}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": _texts(labels), "annotations": _texts(annotations)},
        "spec": spec,
        "status": {"allocatable": _texts(allocatable), "capacity": _texts(capacity)},
    }
    digest = hashlib.sha256(json.dumps(node, sort_keys=True).encode()).hexdigest()[:16]
    node["metadata"]["annotations"][DESCRIBED] = digest  # type: ignore[index]
    return Node(name, node)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """YAML reads `true` and `4` as what they look like; the API wants text."""
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}


def _mapping(value: object, path: str, keys: set[str] | None, problems: list[str]) -> dict[str, Any]:
    if value is None and keys is None:
        return {}
    if not isinstance(value, Mapping):
        problems.append(f"{path}: a mapping is needed, not {value!r}")
        return {}
    if keys is not None:
        unknown = sorted(set(map(str, value)) - keys)
        problems += [f"{path}: unknown key {key}; known are {', '.join(sorted(keys))}" for key in unknown]
    return {str(key): item for key, item in value.items()}


def _list(data: Mapping[str, Any], key: str, problems: list[str], path: str = "") -> list[Any]:
    value = data.get(key) or []
    if not isinstance(value, list):
        problems.append(f"{path}.{key}: a list is needed, not {value!r}".lstrip("."))
        return []
    return value


def _name(data: Mapping[str, Any], path: str, problems: list[str]) -> str:
    name = data.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(f"{path}.name: {name!r} is not a DNS label")
        return f"{path}?"
    return name


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
