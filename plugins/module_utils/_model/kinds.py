# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the kinds of Kubernetes itself, how they are served and whether they live in namespaces."""

from __future__ import annotations

from dataclasses import dataclass
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
