# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which path serves a kind. Kinds of Kubernetes itself are known; others are asked for once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_CORE = (
    "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota "
    "Secret Service ServiceAccount",
    "Namespace Node PersistentVolume",
)
# group: (namespaced kinds, kinds of the whole cluster)
_BUILT_IN: dict[str, tuple[str, str]] = {
    "": _CORE,
    "admissionregistration.k8s.io": (
        "",
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy "
        "ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding",
    ),
    "apiextensions.k8s.io": ("", "CustomResourceDefinition"),
    "apiregistration.k8s.io": ("", "APIService"),
    "apps": ("ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet", ""),
    "autoscaling": ("HorizontalPodAutoscaler", ""),
    "batch": ("CronJob Job", ""),
    "certificates.k8s.io": ("", "CertificateSigningRequest"),
    "coordination.k8s.io": ("Lease", ""),
    "discovery.k8s.io": ("EndpointSlice", ""),
    "flowcontrol.apiserver.k8s.io": ("", "FlowSchema PriorityLevelConfiguration"),
    "networking.k8s.io": ("Ingress NetworkPolicy", "IngressClass IPAddress ServiceCIDR"),
    "node.k8s.io": ("", "RuntimeClass"),
    "policy": ("PodDisruptionBudget", ""),
    "rbac.authorization.k8s.io": ("Role RoleBinding", "ClusterRole ClusterRoleBinding"),
    "resource.k8s.io": ("ResourceClaim ResourceClaimTemplate", "DeviceClass ResourceSlice"),
    "scheduling.k8s.io": ("", "PriorityClass"),
    "storage.k8s.io": ("CSIStorageCapacity", "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass"),
}


def _plural(kind: str) -> str:
    lower = kind.lower()
    if lower in ("endpoints",):
        return lower
    if lower.endswith("y"):
        return lower[:-1] + "ies"
    return lower + ("es" if lower.endswith(("s", "x", "ch")) else "s")


@dataclass(frozen=True)
class Resource:
    """A kind as an API server serves it: ``api_version`` is ``v1`` or ``group/version``."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def group(self) -> str:
        """The API group, empty for the core one."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The URL path of the collection, or of one object when ``name`` is given."""
        prefix = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        middle = f"/namespaces/{quote(namespace)}" if self.namespaced and namespace else ""
        return f"{prefix}{middle}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


def _known() -> dict[tuple[str, str], tuple[str, bool]]:
    table = {}
    for group, (namespaced, whole) in _BUILT_IN.items():
        table.update({(group, kind): (_plural(kind), True) for kind in namespaced.split()})
        table.update({(group, kind): (_plural(kind), False) for kind in whole.split()})
    return table


KNOWN = _known()


def built_in(api_version: str, kind: str) -> Resource | None:
    """A kind of Kubernetes itself, without asking anybody."""
    found = KNOWN.get((api_version.rpartition("/")[0], kind))
    return Resource(api_version, kind, *found) if found else None


class Kinds:
    """The kinds of one cluster. ``read`` asks it for the resource list of a group version, None when not served."""

    def __init__(self, read: Callable[[str], Mapping[str, Any] | None]) -> None:
        self._read = read
        self._found: dict[tuple[str, str], Resource] = {}
        self._asked: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Take kinds from CustomResourceDefinitions that are about to be applied."""
        for definition in definitions:
            spec = definition.get("spec") or {}
            names = spec.get("names") or {}
            for version in spec.get("versions") or ():
                api_version = f"{spec.get('group')}/{version.get('name')}"
                kind = str(names.get("kind"))
                self._found[api_version, kind] = Resource(
                    api_version, kind, str(names.get("plural")), spec.get("scope") == "Namespaced"
                )

    def find(self, api_version: str, kind: str) -> Resource | None:
        """How the cluster serves a kind, None when it does not."""
        known = built_in(api_version, kind)
        if known is not None:
            return known
        with self._lock:
            if (api_version, kind) not in self._found and api_version not in self._asked:
                self._discover(api_version)
            return self._found.get((api_version, kind))

    def forget(self, api_version: str) -> None:
        """Ask again next time: a definition has been applied since."""
        with self._lock:
            self._asked.discard(api_version)

    def _discover(self, api_version: str) -> None:
        listed = self._read(api_version)
        self._asked.add(api_version)
        for entry in (listed or {}).get("resources") or ():
            if "/" not in entry["name"]:
                self._found[api_version, entry["kind"]] = Resource(
                    api_version, entry["kind"], entry["name"], bool(entry["namespaced"])
                )
