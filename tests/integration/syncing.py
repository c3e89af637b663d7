# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles and syncs for tests against real API servers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming, bundle, planned
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency, Bundle, Hook
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.order import step
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome
from ansible_collections.emco.edge.plugins.module_utils._sync.record import NAMESPACE, record_name
from ansible_collections.emco.edge.plugins.module_utils._sync.removal import remove_cluster
from tests.lab.harness import Lab, Request


class TestKeys:
    """Keys of a test: signatures and digests that nobody else makes."""

    __test__ = False

    def __init__(self, secret: bytes = b"test") -> None:
        self._secret = secret

    def digest(self, data: bytes) -> str:
        return hmac.digest(self._secret, data, "sha256").hex()[:32]

    def sign(self, data: bytes) -> str:
        return hmac.digest(self._secret + b" sign", data, "sha256").hex()

    def verify(self, data: bytes, signature: str) -> bool:
        return hmac.compare_digest(self.sign(data), signature)


KEYS = TestKeys()
Objects = Mapping[str, Iterable[dict[str, Any]]]


def connected(
    kubeconfig: Path | str | dict[str, Any],
    name: str = "lab+edge-1",
    *,
    seconds: float = 60.0,
    patience: Patience | None = None,
) -> ClusterClient:
    """A client for the only context of a kubeconfig."""
    end = endpoint(Connection(kubeconfig=str(kubeconfig) if isinstance(kubeconfig, Path) else kubeconfig))
    return ClusterClient(Transport(end, name, budget=Budget.of(seconds), patience=patience))


def bundle_of(
    name: str,
    apps: Objects,
    *,
    dependencies: Mapping[str, tuple[AppDependency, ...]] | None = None,
    namespaces: frozenset[str] | None = None,
) -> Bundle:
    """A bundle of the objects of each app, hooks told by their annotations as Helm's are."""
    naming = Naming("tests", name)
    objects = []
    for app, documents in apps.items():
        mine = [planned(one, app, _hook(one), naming, KEYS.digest) for one in documents]
        objects += sorted(mine, key=lambda one: step(one.identity))
    return bundle(naming, objects, apps, dependencies or {}, namespaces, KEYS.digest)


def _hook(document: dict[str, Any]) -> Hook | None:
    annotations = document["metadata"].get("annotations") or {}
    events = annotations.get("helm.sh/hook")
    if not events:
        return None
    policies = annotations.get("helm.sh/hook-delete-policy", "before-hook-creation")
    weight = int(annotations.get("helm.sh/hook-weight", "0"))
    return Hook(tuple(events.split(",")), weight, tuple(policies.split(",")))


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def config_map(space: str, name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": space}, "data": data}


def secret(space: str, name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": space}, "stringData": data}


def service(space: str, name: str, port: int = 80) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": space},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": port}]},
    }


def deployment(
    space: str, name: str, *, replicas: int = 1, image: str = "example/web:1", fate: str = ""
) -> dict[str, Any]:
    annotations = {"lab.emco.edge/pod": fate} if fate else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": space},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": annotations},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


def job(space: str, name: str, *, hook: str = "", fate: str = "", **annotations: str) -> dict[str, Any]:
    marks = {"helm.sh/hook": hook} if hook else {}
    marks.update(
        {key.replace("_", "-").replace("hook-", "helm.sh/hook-", 1): text for key, text in annotations.items()}
    )
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": space, "annotations": marks},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {"annotations": {"lab.emco.edge/pod": fate} if fate else {}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "once", "image": "example/once:1"}]},
            },
        },
    }


def definition(plural: str = "cameras", kind: str = "Camera", group: str = "sync.example.com") -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [version],
        },
    }


def short(text: str) -> str:
    """A name of its own for a test."""
    return "t-" + hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Rig:
    """One cluster of a lab with an audit log, a namespace of the test's own, and syncs to it."""

    lab: Lab
    cluster: str
    space: str

    def client(self, **how: Any) -> ClusterClient:
        return connected(self.lab.kubeconfig(self.cluster), **how)

    def sync(self, bundle: Bundle, *, board: DependencyBoard | None = None, **options: Any) -> Outcome:
        client = self.client()
        try:
            return sync_cluster(client, bundle, SyncOptions(**options), KEYS, board=board)
        finally:
            client.close()

    def remove(self, bundle: Bundle, **options: Any) -> Outcome:
        client = self.client()
        try:
            return remove_cluster(client, bundle, SyncOptions(**options), KEYS)
        finally:
            client.close()

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """A live object of the test's namespace."""
        found = self.lab.get(self.cluster, kind, "-n", self.space, "--field-selector", f"metadata.name={name}")
        return found["items"][0] if found["items"] else None

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.lab.kubectl(self.cluster, *arguments, stdin=stdin)

    def record_secret(self, bundle: Bundle) -> dict[str, Any]:
        """The record as the Secret that it is."""
        return self.lab.get(self.cluster, "secret", "-n", NAMESPACE, record_name(bundle.label))

    def counted(self, work: Callable[[], Outcome]) -> tuple[Outcome, list[Request]]:
        """What ``work`` made, and what the API server was asked meanwhile."""
        self.lab.mark(self.cluster)
        outcome = work()
        return outcome, [one for one in self.lab.requests(self.cluster) if one.user_agent == "emco-edge"]


def actions(outcome: Outcome) -> dict[str, str]:
    """What became of each object, by its identity."""
    return {str(one.identity): one.action.value for one in outcome.objects}


def versions(rig: Rig, *kinds: str) -> dict[str, str]:
    """The resourceVersions of all objects of these kinds in the test's namespace."""
    found = rig.lab.get(rig.cluster, ",".join(kinds), "-n", rig.space)
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["resourceVersion"] for one in found["items"]}
