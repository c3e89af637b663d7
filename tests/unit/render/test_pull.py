# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts from repositories and registries. Both are served here, by the read side of their protocols."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import ipaddress
import json
import os
import ssl
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._render.render import Renderer, render_all
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from tests.unit.render.conftest import counted_helm

RequestFor = Callable[..., RenderRequest]
MakeRenderer = Callable[..., Renderer]

LOGIN = "Basic " + base64.b64encode(b"reader:canary-5b1c").decode()


@cache
def archive(version: str) -> bytes:
    """A chart whose only object tells its version; the same bytes each time, though gzip notes the time."""
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: shipped\nversion: {version}\n",
        "templates/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v{{ .Chart.Version }}}\n",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"shipped/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass
class Served:
    """A web server on this machine: what it serves by path, with which type, and what was asked."""

    address: str
    scheme: str = "http"
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    login: bool = False

    def as_repository(self, *versions: str) -> str:
        """Serve the chart in these versions as a Helm repository."""
        entries = []
        for version in versions:
            packed = archive(version)
            self.pages[f"/shipped-{version}.tgz"] = ("application/gzip", packed)
            entries.append(
                {
                    "apiVersion": "v2",
                    "name": "shipped",
                    "version": version,
                    "digest": sha256(packed).removeprefix("sha256:"),
                    "urls": [f"shipped-{version}.tgz"],
                }
            )
        index = {"apiVersion": "v1", "entries": {"shipped": entries}, "generated": "2026-01-01T00:00:00Z"}
        self.pages["/index.yaml"] = ("text/yaml", json.dumps(index).encode())
        return f"{self.scheme}://{self.address}"

    def as_registry(self, *versions: str) -> str:
        """Serve the chart in these versions as an OCI registry."""
        config = b'{"name": "shipped", "version": "0", "apiVersion": "v2"}'
        kind = "application/vnd.oci.image.manifest.v1+json"
        self.pages["/v2/"] = ("application/json", b"{}")
        for version in versions:
            packed = archive(version)
            layers = [("application/vnd.cncf.helm.chart.content.v1.tar+gzip", packed)]
            described = [{"mediaType": one, "digest": sha256(blob), "size": len(blob)} for one, blob in layers]
            config_type = "application/vnd.cncf.helm.config.v1+json"
            manifest = {
                "schemaVersion": 2,
                "mediaType": kind,
                "config": {"mediaType": config_type, "digest": sha256(config), "size": len(config)},
                "layers": described,
            }
            body = json.dumps(manifest).encode()
            for blob in (config, packed):
                self.pages[f"/v2/charts/shipped/blobs/{sha256(blob)}"] = ("application/octet-stream", blob)
            for reference in (version, sha256(body)):
                self.pages[f"/v2/charts/shipped/manifests/{reference}"] = (kind, body)
        tags = {"name": "charts/shipped", "tags": list(versions)}
        self.pages["/v2/charts/shipped/tags/list"] = ("application/json", json.dumps(tags).encode())
        return f"oci://{self.address}/charts/shipped"

    def manifest_digest(self, version: str) -> str:
        """The digest of a version's manifest in the registry."""
        return sha256(self.pages[f"/v2/charts/shipped/manifests/{version}"][1])


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Served]:
    """A web server that serves nothing yet; with TLS when it has a certificate (a file that holds the key too)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            if here.login and self.headers.get("Authorization") != LOGIN:
                self._answer(401, "text/plain", b"who are you?")
            elif self.path in here.pages:
                self._answer(200, *here.pages[self.path])
            else:
                self._answer(404, "text/plain", b"not here")

        do_HEAD = do_GET  # noqa: N815

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="charts"')
            if "/manifests/" in self.path:
                self.send_header("Docker-Content-Digest", sha256(body))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    here = Served(f"127.0.0.1:{server.server_address[1]}", scheme="https" if certificate else "http")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def served() -> Iterator[Served]:
    """A web server that serves nothing yet."""
    with serving() as here:
        yield here


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody knows, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "charts")])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    unprotected = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unprotected)
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path


def named(renderer: Renderer, request: RenderRequest) -> str:
    return render_all([request], renderer).of(0).objects[0].name


@pytest.fixture(params=["repository", "registry"])
def source(request: pytest.FixtureRequest, served: Served) -> Mapping[str, object]:
    """Where the chart comes from, as options of an app."""
    if request.param == "repository":
        return {"chart": "shipped", "repository": served.as_repository("1.0.0", "1.1.0")}
    return {"chart": served.as_registry("1.0.0", "1.1.0"), "plain_http": True}


class TestBoth:
    def test_a_version_is_pulled_once_for_good(
        self, renderer: MakeRenderer, request_for: RequestFor, source: Mapping[str, object], served: Served
    ) -> None:
        request = request_for(**source, version="1.0.0")
        assert named(renderer(), request) == "v1.0.0"
        served.asked.clear()
        with counted_helm() as (helm, runs):
            assert named(renderer(helm=helm), request) == "v1.0.0"
        assert runs == ["template"]
        assert served.asked == []

    def test_without_a_version_it_is_the_newest_of_today(
        self, renderer: MakeRenderer, request_for: RequestFor, source: Mapping[str, object], served: Served
    ) -> None:
        request = request_for(**source)
        assert named(renderer(), request) == "v1.1.0"
        served.as_repository("1.0.0", "1.1.0", "1.2.0")
        served.as_registry("1.0.0", "1.1.0", "1.2.0")
        assert named(renderer(), request) == "v1.2.0"

    def test_a_digest_of_the_archive_is_verified(
        self, renderer: MakeRenderer, request_for: RequestFor, source: Mapping[str, object], tmp_path: Path
    ) -> None:
        good = request_for(**source, version="1.0.0", digest=sha256(archive("1.0.0")))
        assert named(renderer(), good) == "v1.0.0"
        with pytest.raises(EdgeError, match="is not the one expected: its digest is sha256:") as caught:
            render_all([request_for(**source, version="1.0.0", digest=sha256(b"other"))], renderer())
        assert caught.value.reason == "ChartError"
        assert len(list((tmp_path / "pulled").glob("*/*.tgz"))) == 1

    def test_a_version_that_is_not_there_is_told_in_helms_words(
        self, renderer: MakeRenderer, request_for: RequestFor, source: Mapping[str, object]
    ) -> None:
        with pytest.raises(EdgeError, match=r"app app: chart .*shipped cannot be fetched from .*: .*9\.9\.9"):
            render_all([request_for(**source, version="9.9.9")], renderer())

    def test_credentials_are_used_and_never_seen(
        self,
        renderer: MakeRenderer,
        request_for: RequestFor,
        source: Mapping[str, object],
        served: Served,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        import subprocess

        commands: list[str] = []
        real = subprocess.Popen

        def watched(command: list[str], **options: object) -> object:
            commands.extend([*command, *dict(options["env"]).values()])  # type: ignore[call-overload]
            return real(command, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(subprocess, "Popen", watched)
        served.login = True
        login = {"username": "reader", "password": "canary-5b1c"}
        assert named(renderer(), request_for(**source, version="1.0.0", **login)) == "v1.0.0"
        with pytest.raises(EdgeError) as caught:
            render_all([request_for(**source, version="1.1.0", username="reader", password="canary-wrong")], renderer())
        assert "canary" not in str(caught.value)
        assert not [word for word in commands if "canary" in word]
        kept = b"".join(path.read_bytes() for path in (tmp_path / "pulled").rglob("*") if path.is_file())
        assert b"canary" not in kept

    def test_what_does_not_answer_is_named(self, renderer: MakeRenderer, request_for: RequestFor) -> None:
        requests = [
            request_for("one", chart="shipped", repository="http://127.0.0.1:1", version="1.0.0"),
            request_for("two", chart="oci://127.0.0.1:1/charts/shipped", plain_http=True, version="1.0.0"),
        ]
        with pytest.raises(EdgeError, match=r"(?s)app one: .*127\.0\.0\.1:1.*app two: .*127\.0\.0\.1:1"):
            render_all(requests, renderer())


class TestRegistry:
    def test_the_digest_of_the_manifest_is_one_too(
        self, renderer: MakeRenderer, request_for: RequestFor, served: Served
    ) -> None:
        chart = served.as_registry("1.0.0", "1.1.0")
        digest = served.manifest_digest("1.0.0")
        assert named(renderer(), request_for(chart=chart, plain_http=True, version="1.0.0", digest=digest)) == "v1.0.0"

    def test_a_digest_alone_says_which_one(
        self, renderer: MakeRenderer, request_for: RequestFor, served: Served
    ) -> None:
        chart = served.as_registry("1.0.0", "1.1.0")
        request = request_for(chart=chart, plain_http=True, digest=served.manifest_digest("1.0.0"))
        assert named(renderer(), request) == "v1.0.0"

    def test_credentials_that_helm_itself_keeps_are_used(
        self,
        renderer: MakeRenderer,
        request_for: RequestFor,
        served: Served,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        served.login = True
        kept = tmp_path / "config" / "helm" / "registry" / "config.json"
        kept.parent.mkdir(parents=True)
        auths = {served.address: {"auth": LOGIN.removeprefix("Basic ")}}
        kept.write_text(json.dumps({"auths": auths}), encoding="utf-8")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.delenv("HELM_REGISTRY_CONFIG", raising=False)
        assert "HELM_CONFIG_HOME" not in os.environ
        request = request_for(chart=served.as_registry("1.0.0"), plain_http=True, version="1.0.0")
        assert named(renderer(), request) == "v1.0.0"


def test_a_digest_of_an_archive_on_this_machine_is_verified(
    renderer: MakeRenderer, request_for: RequestFor, tmp_path: Path
) -> None:
    (tmp_path / "shipped.tgz").write_bytes(archive("1.0.0"))
    assert named(renderer(), request_for(chart="shipped.tgz", digest=sha256(archive("1.0.0")))) == "v1.0.0"
    with pytest.raises(EdgeError, match="is not the one expected"):
        render_all([request_for(chart="shipped.tgz", digest=sha256(b""))], renderer())
    (tmp_path / "folder").mkdir()
    with pytest.raises(EdgeError, match="a digest is that of an archive, and folder is a folder"):
        render_all([request_for(chart="folder", digest=sha256(b""))], renderer())


def test_an_archive_may_have_an_address_of_its_own(
    renderer: MakeRenderer, request_for: RequestFor, served: Served
) -> None:
    chart = served.as_repository("1.0.0") + "/shipped-1.0.0.tgz"
    assert named(renderer(), request_for(chart=chart)) == "v1.0.0"
    assert named(renderer(), request_for(chart=chart, digest=sha256(archive("1.0.0")))) == "v1.0.0"


@pytest.mark.parametrize("kind", ["repository", "registry"])
def test_a_source_with_a_certificate_of_its_own_needs_its_ca(
    renderer: MakeRenderer, request_for: RequestFor, certificate: Path, kind: str
) -> None:
    with serving(certificate) as served:
        source = (
            {"chart": "shipped", "repository": served.as_repository("1.0.0")}
            if kind == "repository"
            else {"chart": served.as_registry("1.0.0")}
        )
        with pytest.raises(EdgeError, match="certificate"):
            render_all([request_for(**source, version="1.0.0")], renderer())
        assert named(renderer(), request_for(**source, version="1.0.0", ca_cert=str(certificate))) == "v1.0.0"
