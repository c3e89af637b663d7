# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the account of our own on a cluster, for keep_credentials: service_account.

A ClusterRole, a ServiceAccount bound to it and a Secret with its token, all in or owned by the namespace
emco-edge-system, so that they go away with it. The name tells control nodes with different keys apart.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, inlined
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import MANAGED_BY, OURS
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.record import NAMESPACE

NAMESPACES = Resource("v1", "Namespace", "namespaces", False)
SECRETS = Resource("v1", "Secret", "secrets", True)
SERVICE_ACCOUNTS = Resource("v1", "ServiceAccount", "serviceaccounts", True)
_RBAC = "rbac.authorization.k8s.io"
CLUSTER_ROLES = Resource(f"{_RBAC}/v1", "ClusterRole", "clusterroles", False)
CLUSTER_ROLE_BINDINGS = Resource(f"{_RBAC}/v1", "ClusterRoleBinding", "clusterrolebindings", False)

_MANAGER = "emco-edge:account"
_TOKEN_WAIT = 10.0
_PAUSE = 0.5

# An application may bring any kind, also ones that it defines itself, so objects cannot be narrowed by kind. What is
# left out: impersonating users, approving certificates for anything but clients, and every path that is no object.
# Roles of applications and of logical clouds may hold more than we do, which Kubernetes allows to escalate and bind.
RULES: tuple[Mapping[str, Any], ...] = (
    {
        "apiGroups": ["*"],
        "resources": ["*"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
    },
    {
        "apiGroups": [_RBAC],
        "resources": ["roles", "clusterroles"],
        "verbs": ["escalate", "bind"],
    },
    {
        "apiGroups": ["certificates.k8s.io"],
        "resources": ["signers"],
        "resourceNames": ["kubernetes.io/kube-apiserver-client"],
        "verbs": ["approve"],
    },
    {
        "nonResourceURLs": ["/version", "/api", "/api/*", "/apis", "/apis/*", "/openapi/*", "/readyz", "/livez"],
        "verbs": ["get"],
    },
)


@dataclass(frozen=True)
class Account:
    """The account as it is on the cluster; ``changed`` names what was, or in check mode would be, created or mended."""

    changed: tuple[str, ...]
    token: str = ""
    authority: str = ""
    """The cluster's own certificate authority, PEM."""


def account_name(keys: Keys) -> str:
    """The name of the account that the holders of these keys have on every cluster."""
    return f"{OURS}-{keys.fingerprint[:8]}"


def ensure_account(
    client: ClusterClient, name: str, rules: Sequence[Mapping[str, Any]] | None, *, check: bool
) -> Account:
    """Create or mend the account and read its token; five reads when nothing is to be done."""
    changed: list[str] = []
    namespace = _namespace(client, changed, check)
    role = _ensure(client, CLUSTER_ROLES, _role(name, rules or RULES, namespace), changed, check)
    account = {"metadata": {"name": name, "namespace": NAMESPACE, "ownerReferences": _owned_by("ClusterRole", role)}}
    _ensure(client, SERVICE_ACCOUNTS, account, changed, check)
    _ensure(client, CLUSTER_ROLE_BINDINGS, _binding(name, role), changed, check)
    secret = {
        "metadata": {
            "name": f"{name}-token",
            "namespace": NAMESPACE,
            "annotations": {"kubernetes.io/service-account.name": name},
        },
        "type": "kubernetes.io/service-account-token",
    }
    found = _ensure(client, SECRETS, secret, changed, check)
    if check and changed:
        return Account(tuple(changed))
    return _with_token(client, name, found, tuple(changed))


def account_connection(account: Account, connection: Connection, base_dir: str) -> Connection:
    """The connection with the account's token to where ``connection`` leads: URL, authority, token, nothing else."""
    kubeconfig = inlined(connection, base_dir=base_dir).kubeconfig
    cluster = kubeconfig["clusters"][0]["cluster"]
    data = cluster.get("certificate-authority-data")
    insecure = bool(cluster.get("insecure-skip-tls-verify"))
    return Connection(
        host=str(cluster["server"]),
        api_key=account.token,
        # The authority that answered just now; the cluster's own may not be the one before its load balancer.
        ca_cert=base64.b64decode(data).decode() if data else None,
        validate_certs=not insecure,
        proxy=cluster.get("proxy-url"),
        tls_server_name=cluster.get("tls-server-name"),
    )


def _role(name: str, rules: Sequence[Mapping[str, Any]], namespace: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "ownerReferences": _owned_by("Namespace", namespace)}
    return {"metadata": metadata, "rules": [dict(rule) for rule in rules]}


def _binding(name: str, role: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "ownerReferences": _owned_by("ClusterRole", role)},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }


def _owned_by(kind: str, owner: Mapping[str, Any]) -> list[dict[str, str]]:
    """Kubernetes then deletes what is owned together with its owner."""
    metadata = owner["metadata"]
    version = "v1" if kind == "Namespace" else f"{_RBAC}/v1"
    return [{"apiVersion": version, "kind": kind, "name": metadata["name"], "uid": metadata.get("uid") or "unknown"}]


def _ensure(
    client: ClusterClient, resource: Resource, document: dict[str, Any], changed: list[str], check: bool
) -> dict[str, Any]:
    metadata = document["metadata"]
    namespace, name = metadata.get("namespace"), metadata["name"]
    live = client.get(resource, namespace, name)
    if live is not None and (resource is NAMESPACES or _holds(live, document)):
        return live
    changed.append(f"{resource.kind} {name}")
    metadata["labels"] = {MANAGED_BY: OURS}
    if check:
        return document
    body = json.dumps({"apiVersion": resource.api_version, "kind": resource.kind, **document}).encode()
    return client.apply(resource, namespace, name, body, manager=_MANAGER).live


def _holds(live: Any, wanted: Any) -> bool:
    """Whether ``live`` says all that ``wanted`` says; lists must be the same but for what the server adds in them."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(_holds(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) == len(wanted) and all(map(_holds, live, wanted))
    return bool(live == wanted)


def _namespace(client: ClusterClient, changed: list[str], check: bool) -> dict[str, Any]:
    """Ours. One that goes after an unregistration takes with it whatever it owns, so its end is waited for."""
    while True:
        found = _ensure(client, NAMESPACES, {"metadata": {"name": NAMESPACE}}, changed, check)
        if check or "deletionTimestamp" not in found["metadata"]:
            return found
        if client.transport.budget.left() < _PAUSE:
            raise ClusterError(
                "NamespaceTerminating",
                f"the namespace {NAMESPACE} on {client.name} is being deleted, and was not gone in time.",
                hint="Find what holds it: kubectl get namespace -o yaml. Then register again.",
                details={"cluster": client.name},
            )
        time.sleep(_PAUSE)


def _with_token(client: ClusterClient, name: str, secret: Mapping[str, Any], changed: tuple[str, ...]) -> Account:
    deadline = time.monotonic() + min(_TOKEN_WAIT, client.transport.budget.left())
    found: Mapping[str, Any] | None = secret
    while True:
        data = (found or {}).get("data") or {}
        if data.get("token"):
            return Account(changed, _text(data["token"]), _text(data.get("ca.crt") or ""))
        if time.monotonic() >= deadline:
            raise ClusterError(
                "TokenNotIssued",
                f"{client.name} did not issue a token for the account {NAMESPACE}/{name} within {_TOKEN_WAIT:.0f} s.",
                hint="Is its kube-controller-manager running? It fills Secrets of service accounts.",
                details={"cluster": client.name},
            )
        time.sleep(0.1)
        found = client.get(SECRETS, NAMESPACE, f"{name}-token")


def _text(data: str) -> str:
    return base64.b64decode(data).decode()
