# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: keys, requests for certificates, what a credential is good for, and kubeconfigs. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import Tenant
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error

SIGNER = "kubernetes.io/kube-apiserver-client"
_APPROVED_FOR = "LogicalCloud"
# Signers date certificates back by minutes, so a later beginning than now is a clock that is wrong.
_SKEW = 1.0


@dataclass(frozen=True)
class Credential:
    """What a tenant shows to one cluster. Times are seconds since the epoch.

    ``secret``: PEM certificate and key by their names in a kubeconfig, or a token.
    """

    generation: int
    type: str
    identity: str
    """Whom it is for, as the API server sees it."""
    not_before: float
    not_after: float
    secret: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Credential({self.type} of {self.identity}, generation {self.generation})"

    def due(self, now: float, renew_before: float) -> bool:
        """Whether it is time for a new one; a cluster may give shorter lives than were asked for."""
        life = self.not_after - self.not_before
        return now >= self.not_after - min(renew_before, life / 3)


def need_cryptography() -> None:
    """EdgeError when certificates cannot be handled here."""
    if MISSING is not None:
        raise EdgeError(
            "MissingLibrary",
            "certificates of logical clouds need the Python package cryptography.",
            hint="Install it where this runs: pip install cryptography.",
        ) from MISSING


def key_and_request(tenant: Tenant) -> tuple[str, str]:
    """A new private key (ECDSA P-256, PEM) and a PKCS#10 request for the tenant (PEM)."""
    need_cryptography()
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, tenant.group),
            x509.NameAttribute(NameOID.COMMON_NAME, tenant.user),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return plain.decode(), request.public_bytes(serialization.Encoding.PEM).decode()


def signing_request(name: str, request: str, lifetime: float) -> dict[str, Any]:
    """The CertificateSigningRequest to send; ``lifetime`` in seconds."""
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {
            "request": base64.b64encode(request.encode()).decode(),
            "signerName": SIGNER,
            "expirationSeconds": int(lifetime),
            "usages": ["digital signature", "client auth"],
        },
    }


def approval_of(live: Mapping[str, Any]) -> dict[str, Any]:
    """A live signing request with our approval."""
    condition = {
        "type": "Approved",
        "status": "True",
        "reason": _APPROVED_FOR,
        "message": "Approved for Logical Cloud authentication",
    }
    return {**live, "status": {**(live.get("status") or {}), "conditions": [condition]}}


def from_certificate(certificate: bytes, key: str, tenant: Tenant, generation: int) -> Credential:
    """The credential that a certificate (PEM) is; EdgeError ``CertificateNotIssued`` when it is for somebody else."""
    need_cryptography()
    found = x509.load_pem_x509_certificate(certificate)
    groups = [str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    if groups != [tenant.group]:
        raise EdgeError("CertificateNotIssued", "the cluster signed a certificate for somebody else.")
    return Credential(
        generation=generation,
        type="certificate",
        identity=tenant.username,
        not_before=_seconds(found, "not_valid_before"),
        not_after=_seconds(found, "not_valid_after"),
        secret={"client-certificate": certificate.decode(), "client-key": key},
    )


def _seconds(certificate: Any, name: str) -> float:
    # Older versions of the library have times without a zone only.
    found: datetime = getattr(certificate, f"{name}_utc", None) or getattr(certificate, name)
    return found.replace(tzinfo=timezone.utc).timestamp()


def from_token(token: str, tenant: Tenant, generation: int) -> Credential:
    """The credential that a bound token is, read from its claims; the cluster is who verifies it."""
    claims = json.loads(_unpadded(token.split(".")[1]))
    return Credential(
        generation=generation,
        type="service_account",
        identity=tenant.username,
        not_before=float(claims["nbf"] if "nbf" in claims else claims["iat"]),
        not_after=float(claims["exp"]),
        secret={"token": token},
    )


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def early(credential: Credential, now: float) -> float:
    """In how many seconds the credential begins to be valid by our clock; 0 when it is."""
    ahead = credential.not_before - now
    return ahead if ahead > _SKEW else 0.0


def written_time(seconds: float) -> str:
    """A time as Kubernetes writes it: ``2026-11-25T23:00:00Z``."""
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (epoch + timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Access:
    """How a tenant reaches one cluster: ``cluster`` is the entry of a kubeconfig."""

    name: str
    cluster: Mapping[str, Any]
    credential: Credential


def kubeconfig_of(accesses: Sequence[Access], user: str, namespace: str) -> dict[str, Any]:
    """A kubeconfig with a context for each cluster, the first one chosen."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": one.name, "cluster": dict(one.cluster)} for one in accesses],
        "users": [{"name": f"{user}@{one.name}", "user": _user(one.credential)} for one in accesses],
        "contexts": [
            {
                "name": one.name,
                "context": {"cluster": one.name, "user": f"{user}@{one.name}", "namespace": namespace},
            }
            for one in accesses
        ],
        "current-context": accesses[0].name if accesses else "",
    }


def _user(credential: Credential) -> dict[str, str]:
    if "token" in credential.secret:
        return {"token": credential.secret["token"]}
    return {f"{name}-data": base64.b64encode(text.encode()).decode() for name, text in credential.secret.items()}
