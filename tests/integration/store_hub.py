# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub cluster for stores, each in a namespace of its own with the Role that is shipped."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes import KubernetesStore
from tests.lab.harness import Lab

ROLE = Path(__file__).resolve().parents[2] / "examples" / "store-kubernetes-role.yaml"
_numbers = itertools.count()


@dataclass(frozen=True)
class Hub:
    """A hub cluster; each store is a namespace with the shipped Role, reached as the account it is for."""

    lab: Lab
    cluster: str
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> dict[str, Any]:
        """The administrator's way in."""
        content: dict[str, Any] = yaml.safe_load(self.lab.kubeconfig(self.cluster).read_text())
        return content

    def namespace(self) -> str:
        name = f"store-{next(_numbers)}"
        documents = yaml.safe_load(ROLE.read_text().replace("emco-edge-store", name))["items"]
        self.lab.apply(self.cluster, *documents)
        return name

    def account(self, namespace: str) -> dict[str, Any]:
        """A kubeconfig of the account that the Role is bound to."""
        if namespace not in self._tokens:
            token = self.lab.kubectl(self.cluster, "create", "token", namespace, "--namespace", namespace)
            self._tokens[namespace] = token.strip()
        return {**self.kubeconfig, "users": [{"name": self.user, "user": {"token": self._tokens[namespace]}}]}

    @property
    def user(self) -> str:
        return str(self.kubeconfig["users"][0]["name"])

    def open(self, namespace: str, clock: Callable[[], float] | None = None) -> KubernetesStore:
        end = endpoint(Connection(kubeconfig=self.account(namespace)))
        patience = Patience(read=60.0, retries=1)
        return KubernetesStore(ClusterClient(Transport(end, "hub", patience=patience)), namespace, clock=clock)

    def secrets(self, namespace: str) -> list[dict[str, Any]]:
        return list(self.lab.get(self.cluster, "secrets", "--namespace", namespace)["items"])

    def parts(self, namespace: str) -> list[str]:
        """The names of the Secrets that hold a part of something long."""
        labelled = [(secret["metadata"]["name"], secret["metadata"]["labels"]) for secret in self.secrets(namespace)]
        return [name for name, labels in labelled if labels.get("emco.edge/store") == "part"]
