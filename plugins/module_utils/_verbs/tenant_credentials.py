# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: credentials of tenants: asked of clusters, kept sealed in the store, tried out."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, inlined
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.credentials import (
    SIGNER,
    Access,
    Credential,
    approval_of,
    early,
    from_certificate,
    from_token,
    key_and_request,
    kubeconfig_of,
    signing_request,
    written_time,
)
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import permission_text, tenant_of
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud, Permission
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import Reach, client_of, reach_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import opened_document, sealed_document

_REQUESTS = Resource("certificates.k8s.io/v1", "CertificateSigningRequest", "certificatesigningrequests", False)
_ACCOUNTS = Resource("v1", "ServiceAccount", "serviceaccounts", True)
_REVIEWS = Resource("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False)
_SIGNING = 20.0
_SETTLING = 5.0
_LOOK = 0.1


@dataclass(frozen=True)
class KeptCredential:
    """A credential of the store; ``verified``: it was seen to have the rights that it should have."""

    credential: Credential
    verified: bool


def credential_key(project: str, name: str, ref: ClusterRef) -> Key:
    """Where the credential for one cluster is kept."""
    return ("logical_cloud_credentials", project, name, ref.provider, ref.name)


def kept_credential(store: Store, keys: Keys, key: Key) -> KeptCredential | None:
    """The credential that is kept; None when there is none, or it cannot be opened any more."""
    entry = store.get(key)
    if entry is None:
        return None
    told = entry.value
    try:
        secret = opened_document(told["sealed"], key, keys)
    except EdgeError as error:
        if error.reason in ("KeyMissing", "SealBroken"):
            return None
        raise
    named = ("generation", "type", "identity", "not_before", "not_after")
    return KeptCredential(Credential(**{name: told[name] for name in named}, secret=secret), bool(told["verified"]))


def keep_credential(store: Store, keys: Keys, key: Key, one: Credential, *, verified: bool) -> None:
    """Keep a credential, its secret sealed."""
    document = {
        "generation": one.generation,
        "type": one.type,
        "identity": one.identity,
        "not_before": one.not_before,
        "not_after": one.not_after,
        "verified": verified,
        "sealed": sealed_document(one.secret, key, keys),
    }
    store.put(key, document)


def needs_new(kept: KeptCredential | None, cloud: LogicalCloud, generation: int, now: float) -> str:
    """Why a new credential is needed; empty when the one that is kept will do."""
    if cloud.user is None:
        return ""
    if kept is None:
        return "there is none"
    one = kept.credential
    if one.generation != generation:
        return f"generation {generation}"
    if (one.type, one.identity) != (cloud.user.type, tenant_of(cloud, generation).username):
        return "another user"
    return f"expires {written_time(one.not_after)}" if one.due(now, cloud.user.renew_before) else ""


def issued(client: ClusterClient, cloud: LogicalCloud, generation: int) -> Credential:
    """A new credential for the tenant from one cluster, with our own rights there."""
    if cloud.user is None:
        raise RuntimeError("an admin logical cloud has no user")
    if cloud.user.type == "certificate":
        return _certificate(client, cloud, generation)
    tenant = tenant_of(cloud, generation)
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"name": tenant.account, "namespace": tenant.namespace},
        "spec": {"expirationSeconds": int(cloud.user.expires_in)},
    }
    answer = client.create(_ACCOUNTS, tenant.namespace, review, subresource="token")
    return from_token(str(answer["status"]["token"]), tenant, generation)


def request_name(cloud: LogicalCloud) -> str:
    """The name of the signing request."""
    if cloud.emco_names:
        return f"{cloud.name}-{cloud.space}-user-csr".lower()
    return "emco-edge-" + hashlib.sha256(f"{cloud.project}/{cloud.name}".encode()).hexdigest()[:32]


def _certificate(client: ClusterClient, cloud: LogicalCloud, generation: int) -> Credential:
    if cloud.user is None:
        raise RuntimeError("an admin logical cloud has no user")
    tenant, name = tenant_of(cloud, generation), request_name(cloud)
    key, request = key_and_request(tenant)
    document = signing_request(name, request, cloud.user.expires_in)
    try:
        try:
            live = client.create(_REQUESTS, None, document)
        except ClusterError as error:
            if error.reason != "AlreadyExists":
                raise
            # A run that was killed left it; the key to it is gone with that run.
            client.delete(_REQUESTS, None, name)
            live = client.create(_REQUESTS, None, document)
    except ClusterError as error:
        if error.reason in ("KindNotServed", "NotFound"):
            raise _not_issued(client, "it does not serve certificates.k8s.io/v1") from error
        raise
    try:
        client.replace(_REQUESTS, None, approval_of(live), subresource="approval")
        return from_certificate(_awaited(client, name), key, tenant, generation)
    finally:
        client.delete(_REQUESTS, None, name, uid=str(live["metadata"]["uid"]))


def _awaited(client: ClusterClient, name: str) -> bytes:
    deadline = time.monotonic() + min(_SIGNING, client.transport.budget.left())
    while True:
        status = (client.get(_REQUESTS, None, name) or {}).get("status") or {}
        if status.get("certificate"):
            return base64.b64decode(status["certificate"])
        ended = [one for one in status.get("conditions") or () if one.get("type") in ("Denied", "Failed")]
        if ended:
            raise _not_issued(client, f"{ended[0]['type']}: {ended[0].get('message') or ended[0].get('reason') or ''}")
        if time.monotonic() >= deadline:
            raise _not_issued(client, f"nobody signed for {SIGNER} within {_SIGNING:.0f} s")
        time.sleep(_LOOK)


def _not_issued(client: ClusterClient, why: str) -> ClusterError:
    return ClusterError(
        "CertificateNotIssued",
        f"{client.name} issued no certificate for the tenant: {why}.",
        hint="Does its kube-controller-manager sign (--cluster-signing-cert-file)? Managed clusters often do not: "
        "user.type: service_account needs no certificate.",
        details={"cluster": client.name},
    )


# trying it out


def access_of(one: Registered, credential: Credential, context: Context) -> Access:
    """How the tenant reaches a registered cluster: where we reach it, without who we are."""
    reach = reach_of(one, context)
    cluster = inlined(reach.connection, base_dir=reach.base_dir).kubeconfig["clusters"][0]["cluster"]
    return Access(str(one.ref), cluster, credential)


def tenant_client(access: Access, cloud: LogicalCloud, budget: Budget) -> ClusterClient:
    """A client that is the tenant, to be closed by whoever asks for it."""
    kubeconfig = kubeconfig_of([access], cloud.user.name if cloud.user else "", cloud.space)
    return client_of(Reach(access.name, Connection(kubeconfig=kubeconfig), ""), budget)


def refuse_early(client: ClusterClient, credential: Credential, now: float) -> None:
    """EdgeError ``ClockSkew`` for a credential that begins in the future."""
    ahead = early(credential, now)
    if ahead:
        raise ClusterError(
            "ClockSkew",
            f"the credential that {client.name} issued is valid from {written_time(credential.not_before)}, "
            f"{ahead:.0f} s from now by this machine's clock.",
            hint="Set the clocks of the cluster and of this machine; the credential is good once that time has come.",
            details={"cluster": client.name, "seconds": round(ahead)},
        )


def missing_access(client: ClusterClient, cloud: LogicalCloud) -> list[str]:
    """The permissions that the tenant, asked as itself, does not have; authorizers learn of bindings a moment later."""
    deadline = time.monotonic() + min(_SETTLING, client.transport.budget.left())
    while True:
        try:
            refused = [one for one in cloud.permissions if not _allowed(client, one, cloud.space)]
        except ClusterError as error:
            if error.reason not in ("Unauthorized", "Forbidden") or time.monotonic() >= deadline:
                raise
            refused = list(cloud.permissions)
        if not refused or time.monotonic() >= deadline:
            return [permission_text(one, cloud.space) for one in refused]
        time.sleep(_LOOK)


def _allowed(client: ClusterClient, one: Permission, space: str) -> bool:
    where = space if one.namespace is None else one.namespace
    # A resource may be written as pods/log.
    resource, _slash, subresource = one.resources[0].partition("/")
    attributes = {"verb": one.verbs[0], "group": one.api_groups[0], "resource": resource, "namespace": where}
    if subresource:
        attributes["subresource"] = subresource
    if one.resource_names:
        attributes["name"] = one.resource_names[0]
    answer = client.create(_REVIEWS, None, _review(attributes))
    return bool((answer.get("status") or {}).get("allowed"))


def _review(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": _REVIEWS.api_version,
        "kind": _REVIEWS.kind,
        "metadata": {},
        "spec": {"resourceAttributes": dict(attributes)},
    }
