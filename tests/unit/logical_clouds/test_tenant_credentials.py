# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, requests, and what a credential is good for."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.credentials import (
    Access,
    Credential,
    early,
    from_certificate,
    from_token,
    key_and_request,
    kubeconfig_of,
    written_time,
)
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import tenant_of
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from tests.unit.logical_clouds.test_logical_cloud_rules import cloud

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


def signed(request: str, begins: datetime = NOW, days: float = 90, organisation: str | None = None) -> bytes:
    """What a cluster's signer makes of a request."""
    authority = ec.generate_private_key(ec.SECP256R1())
    asked = x509.load_pem_x509_csr(request.encode())
    subject = asked.subject
    if organisation is not None:
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )
    return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_request_names_user_and_group_and_the_key_is_p256() -> None:
    tenant = tenant_of(cloud(), 3)
    key, request = key_and_request(tenant)
    asked = x509.load_pem_x509_csr(request.encode())
    assert [one.value for one in asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["shop-user"]
    assert [one.value for one in asked.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == [tenant.group]
    private = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert private.curve.name == "secp256r1"
    assert asked.is_signature_valid


def test_no_key_shows_in_the_text_of_a_credential() -> None:
    tenant = tenant_of(cloud(), 1)
    key, request = key_and_request(tenant)
    credential = from_certificate(signed(request), key, tenant, 1)
    assert "PRIVATE" not in f"{credential!r} {credential}"
    assert "PRIVATE" not in repr(Access("lab+edge-1", {}, credential))


def test_a_certificate_for_somebody_else_is_refused() -> None:
    tenant = tenant_of(cloud(), 1)
    key, request = key_and_request(tenant)
    with pytest.raises(EdgeError) as error:
        from_certificate(signed(request, organisation="system:masters"), key, tenant, 1)
    assert error.value.reason == "CertificateNotIssued"


def test_a_certificate_that_begins_in_the_future_is_noticed() -> None:
    tenant = tenant_of(cloud(), 1)
    key, request = key_and_request(tenant)
    ahead = from_certificate(signed(request, NOW + timedelta(minutes=7)), key, tenant, 1)
    assert early(ahead, NOW.timestamp()) == 420
    assert early(from_certificate(signed(request), key, tenant, 1), NOW.timestamp()) == 0


@pytest.mark.parametrize(
    ("life", "age", "due"),
    [(90, 59, False), (90, 61, True), (3, 1.5, False), (3, 2.5, True)],
    ids=["in time", "within renew_before", "a short life is not renewed at once", "but near its end"],
)
def test_renewal_is_due_before_the_end(life: float, age: float, due: bool) -> None:
    begin = NOW.timestamp()
    one = Credential(1, "certificate", "u", begin, begin + life * 86400, {})
    assert one.due(begin + age * 86400, 30 * 86400) is due


def test_a_token_says_when_it_ends() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"iat": 100, "nbf": 100, "exp": 700}).encode()).decode().rstrip("=")
    one = from_token(f"h.{claims}.s", tenant_of(cloud(user={"name": "bot", "type": "service_account"}), 2), 2)
    assert (one.not_before, one.not_after, one.identity) == (100, 700, "system:serviceaccount:shop:bot-g2")
    assert written_time(700) == "1970-01-01T00:11:40Z"


def test_one_kubeconfig_has_a_context_for_each_cluster() -> None:
    one = Credential(1, "service_account", "u", 0, 1, {"token": "t"})
    made: dict[str, Any] = kubeconfig_of(
        [Access("lab+a", {"server": "https://a"}, one), Access("lab+b", {"server": "https://b"}, one)], "ann", "shop"
    )
    assert [each["name"] for each in made["contexts"]] == ["lab+a", "lab+b"]
    assert made["current-context"] == "lab+a"
    assert {each["context"]["namespace"] for each in made["contexts"]} == {"shop"}
    assert [each["user"] for each in made["users"]] == [{"token": "t"}, {"token": "t"}]
