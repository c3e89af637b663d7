# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the order in which Helm installs kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

# helm.sh/helm/v4 pkg/release/v1/util InstallOrder
INSTALL_ORDER = (
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
)
_POSITION = {kind: index for index, kind in enumerate(INSTALL_ORDER)}

T = TypeVar("T")


def position(kind: str) -> tuple[int, str]:
    """Where a kind stands: kinds that Helm does not list come last, by name."""
    known = _POSITION.get(kind)
    return (known, "") if known is not None else (len(_POSITION), kind)


def in_install_order(objects: Iterable[T], kind: Callable[[T], str]) -> tuple[T, ...]:
    """The objects as Helm installs them; those of one kind keep their order."""
    return tuple(sorted(objects, key=lambda one: position(kind(one))))


def in_deletion_order(objects: Iterable[T], kind: Callable[[T], str]) -> tuple[T, ...]:
    """The exact reverse: custom objects first, while what finalizes them still runs (Helm leaves them for last)."""
    return tuple(reversed(in_install_order(objects, kind)))
