# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a bundle, the ordered objects of one deployment for one cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._render.hooks import Hook

__all__ = [
    "APP_LABEL",
    "DEPLOYMENT_LABEL",
    "MANAGED_BY",
    "OURS",
    "AppDependency",
    "Bundle",
    "Digest",
    "Hook",
    "Identity",
    "PlannedObject",
]

MANAGED_BY = "app.kubernetes.io/managed-by"
DEPLOYMENT_LABEL = "emco.edge/deployment"
APP_LABEL = "emco.edge/app"
OURS = "emco-edge"


@dataclass(frozen=True, order=True)
class Identity:
    """What makes two objects the same one on a cluster; the version of the API does not."""

    group: str
    kind: str
    namespace: str
    """Empty for kinds of the whole cluster."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class PlannedObject:
    """An object as it will be sent: ``body`` is its JSON, ``digest`` the keyed digest of the body."""

    identity: Identity
    api_version: str
    app: str
    digest: str
    body: bytes = field(repr=False, compare=False)
    hook: Hook | None = None
    keep: bool = False
    """``helm.sh/resource-policy: keep``: never deleted by us."""


@dataclass(frozen=True)
class AppDependency:
    """``app`` is started when ``on`` is deployed or ready, ``wait`` seconds later."""

    on: str
    status: str = "ready"
    wait: float = 0.0
    scope: str = "everywhere"
    """``cluster``: where both are on a cluster, that copy is enough; ``everywhere``: all copies, as EMCO waits."""


@dataclass(frozen=True)
class Bundle:
    """Everything of one deployment for one cluster. ``apps`` are in dependency order, ``objects`` in install order."""

    deployment: str
    """Readable: ``project/name``."""
    label: str
    """The value of the deployment label, which is also what the record's name is made of."""
    manager: str
    """The field manager of the deployment."""
    digest: str
    objects: tuple[PlannedObject, ...] = ()
    apps: tuple[str, ...] = ()
    dependencies: Mapping[str, tuple[AppDependency, ...]] = field(default_factory=dict)
    namespaces: frozenset[str] | None = None
    """Namespaces the deployment may use; None: all."""
    release: str = ""
    decision: Mapping[str, Any] = field(default_factory=dict)
    """What of the decisions goes into the record, plain data: composite app, version, profile, apps, replicas."""

    def kept(self) -> tuple[PlannedObject, ...]:
        """The objects that stay on the cluster, hooks apart."""
        return tuple(one for one in self.objects if one.hook is None)

    def parting(self, heir: Bundle) -> Bundle | None:
        """The delete hooks of the apps that ``heir`` no longer has, None when there are none."""
        going = tuple(app for app in self.apps if app not in heir.apps)
        delete = {"pre-delete", "post-delete"}
        hooks = tuple(
            one for one in self.objects if one.app in going and one.hook is not None and delete & {*one.hook.events}
        )
        return replace(self, apps=going, objects=hooks) if hooks else None

    def hooks(self) -> tuple[PlannedObject, ...]:
        """All hooks in the order in which those of an event run."""
        found = [one for one in self.objects if one.hook is not None]
        return tuple(sorted(found, key=lambda one: (one.hook.weight if one.hook else 0, one.identity.name)))


Digest = Callable[[bytes], str]
"""The keyed digest of bytes: 32 hexadecimal characters."""
