# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: clusters described in a playbook instead of read from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model import comparison, options
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import (
    Cluster,
    ClusterRef,
    Facts,
    Node,
    NodeTaint,
    Taint,
)
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import amount
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector


def _labels(raw: Any) -> dict[str, str]:
    """``{region: north}``, or a list of ``key=value`` and EMCO's bare labels."""
    if isinstance(raw, Mapping):
        return {str(key): "" if value is None else comparison.text(value) for key, value in raw.items()}
    if isinstance(raw, str):
        raw = [part.strip() for part in raw.split(",") if part.strip()]
    if not isinstance(raw, (list, tuple)):
        raise ValueError(f"{raw!r} is neither a dictionary nor a list of labels")
    pairs = (str(item).partition("=") for item in raw)
    return {key: value for key, _equals, value in pairs}


def _amounts(raw: Any) -> dict[str, int]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{raw!r} is not a dictionary of resource and quantity")
    found = {str(name): amount(str(name), value) for name, value in raw.items()}
    negative = [name for name, value in found.items() if value < 0]
    if negative:
        raise ValueError(f"{negative[0]} is negative")
    return found


def moment(raw: Any) -> float:
    """Seconds since the epoch from a number or an ISO 8601 time such as 2026-05-01T12:00:00Z; ValueError."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return float(raw)
    text = str(raw).strip()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise ValueError(f"{raw!r} is not a time; write seconds since 1970 or 2026-05-01T12:00:00Z") from None


def _free_replicas(raw: Any) -> int | dict[str, int]:
    if isinstance(raw, Mapping):
        return {str(app): _whole(count) for app, count in raw.items()}
    return _whole(raw)


def _whole(raw: Any) -> int:
    try:
        count = int(str(raw))
    except ValueError:
        raise ValueError(f"{raw!r} is not a whole number") from None
    if count < 0:
        raise ValueError(f"{count} is negative")
    return count


def _constraints(raw: Any) -> str:
    return Selector.parse(raw).written


@dataclass(frozen=True)
class TaintGiven:
    """A taint of a cluster as written."""

    key: str = option(required=True)
    value: str = option(default="")
    effect: Literal["NoSelect", "NoSelectIfNew", "PreferNoSelect"] = option(default="NoSelect")
    added: float | None = option(parse=moment, type="raw")

    def taint(self) -> Taint:
        """The taint."""
        return Taint(self.key, self.value, self.effect, self.added)


@dataclass(frozen=True)
class NodeTaintGiven:
    """A taint of a node as written."""

    key: str = option(required=True)
    value: str = option(default="")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = option(default="NoSchedule")


@dataclass(frozen=True)
class NodeGiven:
    """A node as written; amounts are Kubernetes quantities."""

    name: str = option(default="")
    allocatable: Mapping[str, int] = option(default=None, parse=_amounts, type="dict")
    used: Mapping[str, int] = option(default=None, parse=_amounts, type="dict")
    labels: Mapping[str, str] = option(default=None, parse=_labels, type="raw")
    taints: tuple[NodeTaintGiven, ...] = option(default=())
    ready: bool = option(default=True)
    unschedulable: bool = option(default=False)
    extra: Mapping[str, Any] = option(default=None, type="dict")

    def node(self, index: int) -> Node:
        """The node; one without a name is named by its place in the list."""
        return Node(
            self.name or f"node-{index + 1}",
            self.allocatable or {},
            self.used or {},
            self.labels or {},
            tuple(NodeTaint(taint.key, taint.value, taint.effect) for taint in self.taints),
            self.ready,
            self.unschedulable,
            self.extra or {},
        )


@dataclass(frozen=True)
class ClusterGiven:
    """A cluster as written."""

    name: ClusterRef = option(required=True, parse=ClusterRef.parse, type="str")
    labels: Mapping[str, str] = option(default=None, parse=_labels, type="raw")
    kv: Mapping[str, Mapping[str, Any]] = option(default=None)
    taints: tuple[TaintGiven, ...] = option(default=())
    version: str = option(default="")
    nodes: tuple[NodeGiven, ...] = option(default=())
    apis: tuple[str, ...] = option(default=())
    storage_classes: tuple[str, ...] = option(default=())
    engines: Mapping[str, str] = option(default=None)
    devices: Mapping[str, Any] = option(default=None, type="dict")
    pending: tuple[Any, ...] = option(default=())
    schedulable: bool = option(default=True)
    draining: bool = option(default=False, aliases=("drain",))
    reachable: bool = option(default=True)
    unreachable_since: float | None = option(parse=moment, type="raw")
    free_replicas: int | Mapping[str, int] | None = option(parse=_free_replicas, type="raw")
    constraints: str | None = option(parse=_constraints, type="str")
    networks: tuple[str, ...] = option(default=())

    def cluster(self) -> Cluster:
        """The cluster; it has facts when anything that is read from clusters is given."""
        since = self.unreachable_since
        if since is None and not self.reachable:
            since = 0.0
        return Cluster(
            self.name,
            self.labels or {},
            self.kv or {},
            tuple(taint.taint() for taint in self.taints),
            self.schedulable,
            self.draining,
            since,
            self._facts(),
            free_replicas=self.free_replicas,
            constraints=self.constraints,
            networks=self.networks,
        )

    def _facts(self) -> Facts | None:
        if not (self.version or self.nodes or self.apis or self.storage_classes or self.engines or self.devices):
            return None
        return Facts(
            observed=0.0,
            version=self.version,
            nodes=tuple(node.node(index) for index, node in enumerate(self.nodes)),
            apis=self.apis,
            storage_classes=self.storage_classes,
            engines=self.engines or {},
            devices=self.devices or {},
            pending=tuple(pod for pod in self.pending if isinstance(pod, Mapping)),
        )


def parse_cluster(raw: Any, path: str, problems: Problems) -> Cluster | None:
    """A cluster of ``{name: lab+edge-1, labels, kv, taints, version, nodes: [...], free_replicas, ...}``.

    None when something is wrong with it; all of that is in ``problems``.
    """
    given = options.parse(ClusterGiven, raw, path, problems)
    return None if given is None else given.cluster()


def parse_clusters(raw: Any, path: str, problems: Problems) -> tuple[Cluster, ...]:
    """A list of clusters, each listed once."""
    if not isinstance(raw, (list, tuple)):
        problems.add(path, "must be a list of clusters")
        return ()
    found: dict[ClusterRef, Cluster] = {}
    for index, item in enumerate(raw):
        cluster = parse_cluster(item, f"{path}[{index}]", problems)
        if cluster is None:
            continue
        if cluster.ref in found:
            problems.add(join(f"{path}[{index}]", "name"), f"{cluster.ref} is listed twice")
        found[cluster.ref] = cluster
    return tuple(found.values())
