# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys and certificates of one cluster: its own CA, and one identity for each component."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emco_lab.layout import write_private

YEARS = 10
ADMINISTRATORS = "system:masters"


@dataclass(frozen=True)
class Identity:
    """A client certificate: file name, user name, group."""

    file: str
    user: str
    group: str | None = None


# The lab's own requests have a user of their own, so that an audit log can tell them from the users'.
LAB = Identity("lab", "emco-edge-lab", ADMINISTRATORS)
ADMIN = Identity("admin", "kubernetes-admin", ADMINISTRATORS)
CONTROLLER_MANAGER = Identity("controller-manager", "system:kube-controller-manager")
SCHEDULER = Identity("scheduler", "system:kube-scheduler")
KUBELET_CLIENT = Identity("kubelet-client", "emco-edge-lab-kubelet-client", ADMINISTRATORS)
IDENTITIES = (LAB, ADMIN, CONTROLLER_MANAGER, SCHEDULER, KUBELET_CLIENT)

SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
SERVER_ADDRESSES = ("127.0.0.1", "10.96.0.1")


def ensure(folder: Path, cluster: str) -> bool:
    """Make the cluster's PKI when it is not there; an existing one is never replaced."""
    if (folder / "complete").exists():
        return False
    authority = _Authority.new(f"{cluster}-ca")
    _write(folder, "ca", authority.certificate, authority.key)
    _write(folder, "apiserver", *authority.server("kube-apiserver"))
    for identity in IDENTITIES:
        _write(folder, identity.file, *authority.client(identity))
    # The API server does not read an EC service account key in PKCS#8 form.
    write_private(folder / "service-account.key", _pem(_key(), serialization.PrivateFormat.TraditionalOpenSSL))
    write_private(folder / "complete", "")
    return True


@dataclass(frozen=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @staticmethod
    def new(name: str) -> _Authority:
        key = _key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            _builder(subject, subject, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return _Authority(builder.sign(key, hashes.SHA256()), key)

    def server(self, name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        names: list[x509.GeneralName] = [x509.DNSName(n) for n in SERVER_NAMES]
        names += [x509.IPAddress(ipaddress.ip_address(a)) for a in SERVER_ADDRESSES]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._issue(subject, ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(names))

    def client(self, identity: Identity) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, identity.user)]
        if identity.group:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group))
        return self._issue(x509.Name(attributes), ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _issue(
        self, subject: x509.Name, purpose: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = _key()
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            _builder(subject, self.certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(issuer_key, critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256()), key


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
    )


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_private(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))
    write_private(folder / f"{name}.key", _pem(key, serialization.PrivateFormat.PKCS8))


def _pem(key: ec.EllipticCurvePrivateKey, form: serialization.PrivateFormat) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
