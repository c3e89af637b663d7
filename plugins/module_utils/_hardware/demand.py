# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what the pods of an object ask of nodes, read from the rendered object.

Effective requests follow k8s.io/component-helpers/resource (PodRequests): the larger of what the containers need
together and what any step of the initialisation needs, replaced by pod-level resources, plus overhead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.device_needs import DeviceClaim, claims_of
from ansible_collections.emco.edge.plugins.module_utils._hardware.node_rules import (
    LabelRule,
    NodeRules,
    PodToleration,
    label_rule,
    node_rules,
    tolerations_of,
)
from ansible_collections.emco.edge.plugins.module_utils._hardware.pod_template import copies_of, pod_template
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import amount

Requests = Mapping[str, int]

HOSTNAME = "kubernetes.io/hostname"
_POD_LEVEL = ("cpu", "memory")


@dataclass(frozen=True)
class PodTerm:
    """Pods by label in some namespaces, as required (anti-)affinity by hostname names them."""

    labels: LabelRule
    namespaces: tuple[str, ...]

    def matches(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether a pod is one of those meant."""
        return namespace in self.namespaces and self.labels.matches(labels)


@dataclass(frozen=True)
class HostSpread:
    """A topology spread constraint by hostname that forbids scheduling."""

    labels: LabelRule
    max_skew: int
    min_domains: int | None = None
    honours_taints: bool = False


@dataclass(frozen=True)
class PodDemand:
    """The pods of one workload: how many and what each needs. ``requests`` are in the units of quantities.amount."""

    kind: str
    name: str
    requests: Requests
    copies: int = 1
    scalable: bool = False
    """Whether it has replicas that may be divided over clusters."""
    per_node: bool = False
    """A DaemonSet: one on every node that its rules allow."""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    rules: NodeRules = field(default_factory=NodeRules)
    tolerations: tuple[PodToleration, ...] = ()
    anti_affinity: tuple[PodTerm, ...] = ()
    spread: tuple[HostSpread, ...] = ()
    host_ports: frozenset[tuple[str, str, int]] = frozenset()
    claims: tuple[DeviceClaim, ...] = ()
    containers: tuple[tuple[str, Requests], ...] = ()
    """Requests by container."""
    guaranteed: bool = False
    """Quality of service Guaranteed: every container asks for exactly its limits."""
    unjudged: tuple[str, ...] = ()
    """Rules of the pod that are not judged here, so that the answer is at most ``possible``."""

    @property
    def asks_for_room_only(self) -> bool:
        """Whether any node with room will do."""
        return self.rules.any_node and not (
            self.anti_affinity or self.spread or self.host_ports or self.claims or self.per_node
        )

    @property
    def workload(self) -> str:
        """Kind and name, ``Deployment/api``."""
        return f"{self.kind}/{self.name}"


def pod_demands(objects: Iterable[Mapping[str, Any]], namespace: str = "default") -> tuple[PodDemand, ...]:
    """The demands of all objects that make pods; ``namespace`` is for objects that name none."""
    listed = list(objects)
    claims = {}
    for item in listed:
        if item.get("kind") in ("ResourceClaim", "ResourceClaimTemplate"):
            own = _mapping(item.get("metadata"))
            claims[str(item["kind"]), str(own.get("namespace") or namespace), str(own.get("name"))] = item
    found = (pod_demand(item, namespace, claims) for item in listed)
    return tuple(demand for demand in found if demand is not None)


def pod_demand(
    item: Mapping[str, Any],
    namespace: str = "default",
    claims: Mapping[tuple[str, str, str], Mapping[str, Any]] = MappingProxyType({}),
) -> PodDemand | None:
    """What the pods of a rendered object ask for, None when it makes no pods; ValueError for malformed quantities.

    ``claims`` are the ResourceClaims and ResourceClaimTemplates rendered with it, by kind, namespace and name.
    """
    template = pod_template(item)
    if template is None:
        return None
    metadata, spec = _mapping(template.get("metadata")), _mapping(template.get("spec"))
    own = _mapping(item.get("metadata"))
    kind = str(item.get("kind", ""))
    where = str(own.get("namespace") or namespace)
    copies, scalable = copies_of(item)
    anti, unjudged = _anti_affinity(spec, where)
    spread, unjudged_spread = _host_spread(spec, _mapping(metadata.get("labels")))
    containers = tuple((str(one.get("name", "")), _requests(one)) for one in _dicts(spec.get("containers")))
    return PodDemand(
        kind=kind,
        name=str(own.get("name") or own.get("generateName") or ""),
        requests=effective_requests(spec),
        copies=copies,
        scalable=scalable,
        per_node=kind == "DaemonSet",
        namespace=where,
        labels={str(key): str(value) for key, value in _mapping(metadata.get("labels")).items()},
        rules=node_rules(spec),
        tolerations=tolerations_of(spec, daemon=kind == "DaemonSet"),
        anti_affinity=anti,
        spread=spread,
        host_ports=_host_ports(spec),
        claims=claims_of(spec, where, claims),
        containers=containers,
        guaranteed=_is_guaranteed(spec),
        unjudged=(*unjudged, *unjudged_spread, *_unjudged_volumes(spec)),
    )


def effective_requests(spec: Mapping[str, Any]) -> dict[str, int]:
    """What the scheduler subtracts from a node for a pod of this spec, ``pods: 1`` included."""
    main = _sum(_requests(container) for container in _dicts(spec.get("containers")))
    sidecars: dict[str, int] = {}
    largest: dict[str, int] = {}
    for container in _dicts(spec.get("initContainers")):
        wanted = _requests(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, wanted))
            largest = _largest(largest, sidecars)
        else:
            largest = _largest(largest, _sum((sidecars, wanted)))
    total = _largest(_sum((main, sidecars)), largest)
    total.update(_pod_level(spec, total))
    total = _sum((total, _amounts(_mapping(spec.get("overhead")))))
    total["pods"] = 1
    return {name: value for name, value in total.items() if value}


def _pod_level(spec: Mapping[str, Any], total: Requests) -> dict[str, int]:
    resources = _mapping(spec.get("resources"))
    limits, requests = _amounts(_mapping(resources.get("limits"))), _amounts(_mapping(resources.get("requests")))
    # Without a request of its own the pod asks for what its containers ask for, else for its limit.
    found = {name: total.get(name, value) for name, value in limits.items()}
    found.update(requests)
    return {name: value for name, value in found.items() if name in _POD_LEVEL or name.startswith("hugepages-")}


def _requests(container: Mapping[str, Any]) -> dict[str, int]:
    resources = _mapping(container.get("resources"))
    found = _amounts(_mapping(resources.get("limits")))
    found.update(_amounts(_mapping(resources.get("requests"))))
    return found


def _amounts(raw: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): amount(str(name), value) for name, value in raw.items()}


def _sum(parts: Iterable[Requests]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0) + value
    return total


def _largest(left: Requests, right: Requests) -> dict[str, int]:
    return {name: max(left.get(name, 0), right.get(name, 0)) for name in {**left, **right}}


def _is_guaranteed(spec: Mapping[str, Any]) -> bool:
    containers = [*_dicts(spec.get("containers")), *_dicts(spec.get("initContainers"))]
    for container in containers:
        resources = _mapping(container.get("resources"))
        limits, requests = _amounts(_mapping(resources.get("limits"))), _requests(container)
        if any(not limits.get(name) or limits[name] != requests.get(name) for name in _POD_LEVEL):
            return False
    return bool(containers)


def _host_ports(spec: Mapping[str, Any]) -> frozenset[tuple[str, str, int]]:
    found = set()
    for container in _dicts(spec.get("containers")):
        for port in _dicts(container.get("ports")):
            number = port.get("hostPort") or (port.get("containerPort") if spec.get("hostNetwork") else None)
            if number:
                found.add((str(port.get("hostIP") or "0.0.0.0"), str(port.get("protocol") or "TCP"), int(number)))
    return frozenset(found)


def _anti_affinity(spec: Mapping[str, Any], namespace: str) -> tuple[tuple[PodTerm, ...], tuple[str, ...]]:
    affinity = _mapping(spec.get("affinity"))
    unjudged = []
    if _mapping(affinity.get("podAffinity")).get("requiredDuringSchedulingIgnoredDuringExecution"):
        unjudged.append("pod affinity")
    terms = []
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    for term in _dicts(_mapping(affinity.get("podAntiAffinity")).get(required)):
        judged = term.get("topologyKey") == HOSTNAME and not any(
            term.get(key) is not None for key in ("namespaceSelector", "matchLabelKeys", "mismatchLabelKeys")
        )
        if judged:
            names = tuple(str(name) for name in term.get("namespaces") or ()) or (namespace,)
            terms.append(PodTerm(label_rule(term.get("labelSelector")), names))
        else:
            unjudged.append(f"pod anti-affinity by {term.get('topologyKey')}")
    return tuple(terms), tuple(unjudged)


def _host_spread(spec: Mapping[str, Any], labels: Mapping[str, Any]) -> tuple[tuple[HostSpread, ...], tuple[str, ...]]:
    found, unjudged = [], []
    for constraint in _dicts(spec.get("topologySpreadConstraints")):
        if constraint.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
            continue
        selector = label_rule(constraint.get("labelSelector"))
        if constraint.get("topologyKey") != HOSTNAME or constraint.get("nodeAffinityPolicy", "Honor") != "Honor":
            unjudged.append(f"topology spread by {constraint.get('topologyKey')}")
            continue
        keys = [str(key) for key in constraint.get("matchLabelKeys") or ()]
        if keys:
            selector = selector.narrowed({key: str(labels[key]) for key in keys if key in labels})
        minimum = constraint.get("minDomains")
        found.append(
            HostSpread(
                selector,
                int(constraint.get("maxSkew") or 1),
                None if minimum is None else int(minimum),
                constraint.get("nodeTaintsPolicy") == "Honor",
            )
        )
    return tuple(found), tuple(unjudged)


def _unjudged_volumes(spec: Mapping[str, Any]) -> tuple[str, ...]:
    if any("persistentVolumeClaim" in volume or "ephemeral" in volume for volume in _dicts(spec.get("volumes"))):
        return ("volumes",)
    return ()


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _dicts(raw: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        yield from (item for item in raw if isinstance(item, Mapping))
