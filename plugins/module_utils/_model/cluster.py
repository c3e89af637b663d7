# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a cluster as the planner and the verbs see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model import names

TaintEffect = Literal["NoSelect", "NoSelectIfNew", "PreferNoSelect"]


@dataclass(frozen=True, order=True)
class ClusterRef:
    """A cluster's identity, written ``provider+cluster``."""

    provider: str
    name: str

    def __str__(self) -> str:
        return f"{self.provider}+{self.name}"

    @classmethod
    def parse(cls, text: str) -> ClusterRef:
        """``provider+cluster`` as a reference, ValueError when it is not one."""
        provider, plus, name = str(text).partition("+")
        if not plus:
            raise ValueError(f"{text!r} is not a cluster; write provider+cluster, such as lab+edge-1")
        return cls(names.emco_name(provider), names.emco_name(name))


@dataclass(frozen=True)
class Taint:
    """A taint of a cluster; ``added`` is seconds since the epoch, or None when nobody noted it."""

    key: str
    value: str = ""
    effect: TaintEffect = "NoSelect"
    added: float | None = None


@dataclass(frozen=True)
class NodeTaint:
    """A taint of a Kubernetes node."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True)
class Node:
    """A node: amounts in the units of ``quantities.amount``; ``used`` is what living pods request."""

    name: str
    allocatable: Mapping[str, int]
    used: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[NodeTaint, ...] = ()
    ready: bool = True
    unschedulable: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What only some planners read, as plain data: NUMA zones, devices, pods by app."""


@dataclass(frozen=True)
class Facts:
    """What was read from a cluster at ``observed`` (seconds since the epoch)."""

    observed: float
    version: str
    nodes: tuple[Node, ...] = ()
    apis: tuple[str, ...] = ()
    """Served group versions and kinds, ``apps/v1`` and ``apps/v1/Deployment``, as Helm's --api-versions takes them."""
    cluster_scoped: tuple[str, ...] = ()
    """Served kinds that live outside namespaces and are not Kubernetes' own: ``group/Kind``."""
    storage_classes: tuple[str, ...] = ()
    engines: Mapping[str, str] = field(default_factory=dict)
    """Engines found by the kinds that the cluster serves, and their API version: ``{kube_ovn: kubeovn.io/v1}``."""
    devices: Mapping[str, Any] = field(default_factory=dict)
    """What the Dynamic Resource Allocation API lists, as plain data."""
    ranges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The networks that pods and services have, where the cluster tells them."""
    pending: tuple[Mapping[str, Any], ...] = ()
    """Pods without a node that wait for one, as ``{metadata, spec}``; the planner keeps room for them."""


@dataclass(frozen=True)
class Cluster:
    """A registered cluster (or one given inline): what people said about it, and what was read from it."""

    ref: ClusterRef
    labels: Mapping[str, str] = field(default_factory=dict)
    kv: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    schedulable: bool = True
    """False: cordoned, keeps what it has and gets nothing new."""
    draining: bool = False
    """Moves off what may move."""
    unreachable_since: float | None = None
    facts: Facts | None = None
    image_mirrors: Mapping[str, str] = field(default_factory=dict)
    pull_secrets: tuple[str, ...] = ()
    free_replicas: int | Mapping[str, int] | None = None
    """An outside estimate of how many more replicas fit: for every app, or by app."""
    constraints: str | None = None
    """A selector over an app's labels; an app that it does not match is refused by the cluster."""
    kind: Literal["kubernetes", "ovn"] = "kubernetes"
    networks: tuple[str, ...] = ()
    """The names of the networks that it has or is to get."""
