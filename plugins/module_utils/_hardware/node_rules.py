# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which nodes a pod may use at all: names, labels, node affinity and tolerations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node, NodeTaint
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector

_UNSCHEDULABLE = NodeTaint("node.kubernetes.io/unschedulable", "", "NoSchedule")
# What the DaemonSet controller adds to its pods (k8s.io/kubernetes pkg/controller/daemon/util).
_DAEMON_TOLERATES = (
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
)


@dataclass(frozen=True)
class Requirement:
    """A condition on a label: In, NotIn, Exists, DoesNotExist, Gt, Lt (the last two compare whole numbers)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Whether a label's value (None: no such label) satisfies it."""
        if self.operator == "In":
            return value is not None and value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        if self.operator in ("Gt", "Lt") and value is not None and self.values:
            try:
                left, right = int(value), int(self.values[0])
            except ValueError:
                return False
            return left > right if self.operator == "Gt" else left < right
        return False

    def __str__(self) -> str:
        return " ".join(part for part in (self.key, self.operator, ",".join(self.values)) if part)


@dataclass(frozen=True)
class LabelRule:
    """A Kubernetes label selector; ``nothing`` is the missing one, which matches nothing."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy all of it."""
        return not self.nothing and all(one.holds(labels.get(one.key)) for one in self.requirements)

    def narrowed(self, labels: Mapping[str, str]) -> LabelRule:
        """The same with these labels required as well."""
        more = tuple(Requirement(key, "In", (value,)) for key, value in labels.items())
        return LabelRule(self.requirements + more, self.nothing)


@dataclass(frozen=True)
class NodeTerm:
    """One term of a node affinity: all of its conditions on labels and on the name."""

    labels: tuple[Requirement, ...] = ()
    names: tuple[Requirement, ...] = ()

    def admits(self, node: Node) -> bool:
        """Whether a node satisfies the term; an empty term admits none."""
        if not self.labels and not self.names:
            return False
        return all(one.holds(node.labels.get(one.key)) for one in self.labels) and all(
            one.holds(node.name) for one in self.names
        )


@dataclass(frozen=True)
class NodeRules:
    """What a pod requires of its node besides room: ``terms`` is None without a node affinity."""

    node_name: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    terms: tuple[NodeTerm, ...] | None = None
    expressions: tuple[Selector, ...] = ()
    """Conditions of hardware requirements on the labels of the node."""

    @property
    def any_node(self) -> bool:
        """Whether every node will do."""
        return not self.node_name and not self.labels and self.terms is None and not self.expressions

    def admit(self, node: Node) -> bool:
        """Whether the pod may run on a node as far as names and labels go."""
        if self.node_name and node.name != self.node_name:
            return False
        if any(node.labels.get(key) != value for key, value in self.labels):
            return False
        if self.terms is not None and not any(term.admits(node) for term in self.terms):
            return False
        return all(expression.matches_labels(node.labels) for expression in self.expressions)


@dataclass(frozen=True)
class PodToleration:
    """A toleration of a pod, as Kubernetes has them."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: NodeTaint) -> bool:
        """Whether the pod puts up with the taint."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        return self.operator == "Exists" or (bool(self.key) and self.value == taint.value)


def untolerated(node: Node, tolerations: Sequence[PodToleration]) -> NodeTaint | None:
    """The first taint that keeps the pod away from the node, None when there is none."""
    taints = (*node.taints, _UNSCHEDULABLE) if node.unschedulable else node.taints
    for taint in taints:
        if taint.effect in ("NoSchedule", "NoExecute") and not any(one.tolerates(taint) for one in tolerations):
            return taint
    return None


def node_rules(spec: Mapping[str, Any]) -> NodeRules:
    """The rules of a pod spec."""
    wanted = spec.get("nodeSelector")
    labels = tuple((str(key), str(value)) for key, value in wanted.items()) if isinstance(wanted, Mapping) else ()
    affinity: Any = spec.get("affinity")
    for key in ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"):
        affinity = affinity.get(key) if isinstance(affinity, Mapping) else None
    terms = None
    if isinstance(affinity, Mapping):
        terms = tuple(
            NodeTerm(requirements_of(term.get("matchExpressions")), requirements_of(term.get("matchFields")))
            for term in affinity.get("nodeSelectorTerms") or ()
        )
    return NodeRules(str(spec.get("nodeName") or ""), labels, terms)


def tolerations_of(spec: Mapping[str, Any], *, daemon: bool = False) -> tuple[PodToleration, ...]:
    """The tolerations of a pod spec, with those that a DaemonSet's pods are given."""
    found = [
        PodToleration(
            str(one.get("key") or ""),
            str(one.get("operator") or "Equal"),
            str(one.get("value") or ""),
            str(one.get("effect") or ""),
        )
        for one in spec.get("tolerations") or ()
        if isinstance(one, Mapping)
    ]
    if daemon:
        found.extend(PodToleration(key, "Exists") for key in _DAEMON_TOLERATES)
    return tuple(found)


def label_rule(raw: Any) -> LabelRule:
    """A label selector ``{matchLabels, matchExpressions}``."""
    if not isinstance(raw, Mapping):
        return LabelRule(nothing=True)
    exact = tuple(Requirement(str(key), "In", (str(value),)) for key, value in (raw.get("matchLabels") or {}).items())
    return LabelRule(exact + requirements_of(raw.get("matchExpressions")))


def requirements_of(raw: Any) -> tuple[Requirement, ...]:
    """The conditions of a list of match expressions."""
    return tuple(
        Requirement(
            str(one.get("key", "")),
            str(one.get("operator", "")),
            tuple(str(value) for value in one.get("values") or ()),
        )
        for one in raw or ()
    )
