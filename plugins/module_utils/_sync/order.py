# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what goes before what on one cluster. Pure.

Within an app the kinds follow Helm's install order, taken in steps: what stands in one step does not need each other,
so it is sent at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Identity, PlannedObject


class Placed(Protocol):
    """What has an identity."""

    @property
    def identity(self) -> Identity: ...


Thing = TypeVar("Thing", bound=Placed)

_NAMESPACE = ("", "Namespace")
_DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")
_STEPS = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    (
        *("PriorityClass", "RuntimeClass", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget"),
        *("ServiceAccount", "Secret", "ConfigMap", "StorageClass", "CSIDriver", "PersistentVolume"),
        *("PersistentVolumeClaim", "DeviceClass", "ResourceClaimTemplate", "IngressClass"),
    ),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding", "Service"),
    (
        *("DaemonSet", "Pod", "ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler"),
        *("StatefulSet", "Job", "CronJob", "ResourceClaim"),
    ),
    ("Ingress", "APIService"),
)
_STEP_OF = {kind: step for step, kinds in enumerate(_STEPS) for kind in kinds}
# Webhooks judge what comes after them, so they come when everything that they may be served by is there.
_LAST = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
_CUSTOM = len(_STEPS)


def is_namespace(identity: Identity) -> bool:
    """Whether it is a Namespace."""
    return (identity.group, identity.kind) == _NAMESPACE


def is_definition(identity: Identity) -> bool:
    """Whether it is a CustomResourceDefinition."""
    return (identity.group, identity.kind) == _DEFINITION


def is_claim(identity: Identity) -> bool:
    """Whether it is a PersistentVolumeClaim."""
    return (identity.group, identity.kind) == ("", "PersistentVolumeClaim")


def is_foundation(identity: Identity) -> bool:
    """Whether other objects cannot even be sent before it is there."""
    return is_namespace(identity) or is_definition(identity)


def is_irreplaceable(identity: Identity) -> bool:
    """Whether deleting it takes data or other people's objects along."""
    return is_foundation(identity) or is_claim(identity)


def step(identity: Identity) -> int:
    """The place of a kind in the install order; kinds that Helm does not know come after those it knows."""
    if identity.kind in _LAST:
        return _CUSTOM + 1
    return _STEP_OF.get(identity.kind, _CUSTOM)


def steps(things: Iterable[Thing]) -> list[list[Thing]]:
    """The things step by step in install order, each step in the given order."""
    found: dict[int, list[Thing]] = {}
    for thing in things:
        found.setdefault(step(thing.identity), []).append(thing)
    return [found[number] for number in sorted(found)]


def levels(bundle: Bundle) -> list[tuple[str, ...]]:
    """The apps of the cluster in groups that may start together: those without dependencies first."""
    level: dict[str, int] = {}

    def of(app: str, path: tuple[str, ...] = ()) -> int:
        # The planner refuses cycles; a bundle that has one all the same must not end in endless recursion.
        if app not in level and app not in path:
            needs = bundle.dependencies.get(app, ())
            here = [of(need.on, (*path, app)) for need in needs if need.on in bundle.apps]
            level[app] = 1 + max(here, default=0) if needs else 0
        return level.get(app, 0)

    for app in bundle.apps:
        of(app)
    highest = max(level.values(), default=-1)
    return [found for number in range(highest + 1) if (found := tuple(a for a in bundle.apps if level[a] == number))]


def of_apps(objects: Sequence[PlannedObject], apps: Iterable[str]) -> list[PlannedObject]:
    """The objects of these apps, in the given order."""
    wanted = frozenset(apps)
    return [one for one in objects if one.app in wanted]
