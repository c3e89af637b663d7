# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: from what a user says about a connection to an endpoint that requests can be sent to.

Certificates, tokens and passwords are read here. Whoever needs a program or an identity provider to log in (``exec``,
``auth-provider``) is handed to the Kubernetes client, in ``_kube.login``: importing it costs a quarter of a second,
which is more than the rest of a small run, so only they pay for it.

Nothing is implicit: no in-cluster configuration, no ~/.kube/config, no current context where there are several.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.options import option

try:
    import yaml
except ImportError:  # whoever gives a dictionary or single options does without
    yaml = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Connection:
    """How to reach a cluster, with the option names of kubernetes.core. Certificates are paths or PEM text."""

    kubeconfig: Any = option(type="raw")
    """A path, or the content as a dictionary."""
    context: str | None = option()
    host: str | None = option()
    api_key: str | None = option(no_log=True)
    ca_cert: str | None = option()
    client_cert: str | None = option()
    client_key: str | None = option(no_log=True)
    validate_certs: bool = option(default=True)
    proxy: str | None = option()
    tls_server_name: str | None = option()
    impersonate_user: str | None = option()
    impersonate_groups: tuple[str, ...] = option(default=())

    def given(self) -> bool:
        """Whether the user said where the cluster is."""
        return bool(self.kubeconfig or self.host)


@dataclass(frozen=True)
class Endpoint:
    """Where and how to send requests. ``headers`` is asked before each request, ``renew`` after a 401."""

    url: str
    tls: ssl.SSLContext | None
    headers: Callable[[], tuple[tuple[str, str], ...]]
    renew: Callable[[], bool] = field(default=lambda: False)
    proxy: str | None = None
    server_name: str | None = None


def endpoint(connection: Connection, *, base_dir: str = "") -> Endpoint:
    """The endpoint that ``connection`` describes; EdgeError ``BadConnection`` says what is wrong with it.

    Relative paths are taken from ``base_dir``.
    """
    cluster, user, reader = _parts(connection, base_dir)
    login = None
    if user.get("exec") or user.get("auth-provider"):
        from ansible_collections.emco.edge.plugins.module_utils._kube.login import Login

        login = Login(cluster, user, str(reader.origin))
        user = {**user, **login.credentials()}
    url = str(cluster.get("server") or "").rstrip("/")
    if not url.startswith(("https://", "http://")):
        raise EdgeError("BadConnection", f"{url or 'an empty text'!r} is not the URL of an API server.")
    headers = _Headers(reader, user, connection, login.credentials if login else None)
    return Endpoint(
        url=url,
        tls=_tls(reader, cluster, user) if url.startswith("https://") else None,
        headers=headers,
        renew=headers.renew,
        proxy=cluster.get("proxy-url"),
        server_name=cluster.get("tls-server-name"),
    )


def inlined(connection: Connection, *, base_dir: str = "") -> Connection:
    """The same connection with the content of every file that it names, as a kubeconfig of one context.

    Secrets are in it: seal it. A login program stays a program.
    """
    cluster, user, reader = _parts(connection, base_dir)
    for source, names in ((cluster, ("certificate-authority",)), (user, ("client-certificate", "client-key"))):
        for name in names:
            content = reader.bytes_of(source, name)
            source.pop(name, None)
            if content is not None:
                source[f"{name}-data"] = base64.b64encode(content).decode()
    if user.get("tokenFile") and not user.get("token"):
        user["token"] = (reader.bytes_of(user, "tokenFile") or b"").decode().strip()
    user.pop("tokenFile", None)
    kubeconfig = {
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "cluster"}}],
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "cluster", "user": user}],
    }
    return Connection(
        kubeconfig=kubeconfig,
        impersonate_user=connection.impersonate_user,
        impersonate_groups=connection.impersonate_groups,
    )


def contexts(kubeconfig: Any, *, base_dir: str = "") -> tuple[str, ...]:
    """The names of all contexts of a kubeconfig, in its order."""
    content, _unused = _content(kubeconfig, Path(base_dir))
    return tuple(str(entry.get("name")) for entry in content.get("contexts") or ())


def _parts(connection: Connection, base_dir: str) -> tuple[dict[str, Any], dict[str, Any], _Material]:
    """The cluster and the user of a kubeconfig with the options over them, and what reads their files."""
    folder = Path(base_dir)
    if connection.kubeconfig:
        cluster, user, origin = _from_kubeconfig(connection.kubeconfig, connection.context, folder)
    elif connection.host:
        cluster, user, origin = {}, {}, folder
    else:
        raise EdgeError(
            "BadConnection",
            "nothing says how to reach the cluster.",
            hint="Give kubeconfig (and context), or host with api_key or client_cert; nothing is taken implicitly.",
        )
    over_cluster, over_user = _cluster_options(connection), _user_options(connection)
    # Paths given as options are relative to the caller, those inside a kubeconfig to that file.
    given = {"certificate-authority", "client-certificate", "client-key"} & {*over_cluster, *over_user}
    return {**cluster, **over_cluster}, {**user, **over_user}, _Material(origin, folder, given)


def _cluster_options(connection: Connection) -> dict[str, Any]:
    options = {
        "server": connection.host,
        "certificate-authority": connection.ca_cert,
        "proxy-url": connection.proxy,
        "tls-server-name": connection.tls_server_name,
        "insecure-skip-tls-verify": None if connection.validate_certs else True,
    }
    return {name: value for name, value in options.items() if value is not None}


def _user_options(connection: Connection) -> dict[str, Any]:
    options = {
        "token": connection.api_key,
        "client-certificate": connection.client_cert,
        "client-key": connection.client_key,
    }
    return {name: value for name, value in options.items() if value is not None}


def _from_kubeconfig(kubeconfig: Any, wanted: str | None, folder: Path) -> tuple[dict[str, Any], dict[str, Any], Path]:
    content, origin = _content(kubeconfig, folder)
    named = {
        section: {str(entry.get("name")): entry.get(section[:-1]) or {} for entry in content.get(section) or ()}
        for section in ("contexts", "clusters", "users")
    }
    names = list(named["contexts"])
    if wanted is None and len(names) != 1:
        raise EdgeError(
            "BadConnection",
            f"the kubeconfig has {len(names)} contexts ({', '.join(names) or 'none'}) and none was chosen.",
            hint="Say which with context; the current context is never taken implicitly.",
        )
    name = wanted or names[0]
    if name not in named["contexts"]:
        raise EdgeError(
            "BadConnection", f"the kubeconfig has no context {name!r}; it has {', '.join(names) or 'none'}."
        )
    context = named["contexts"][name]
    cluster = named["clusters"].get(str(context.get("cluster")))
    if cluster is None:
        raise EdgeError(
            "BadConnection", f"context {name!r} names cluster {context.get('cluster')!r}, which is not there."
        )
    user = named["users"].get(str(context.get("user")), {})
    return dict(cluster), dict(user), origin


def _content(kubeconfig: Any, folder: Path) -> tuple[Mapping[str, Any], Path]:
    if isinstance(kubeconfig, Mapping):
        return kubeconfig, folder
    path = folder / Path(str(kubeconfig)).expanduser()
    if yaml is None:
        raise EdgeError(
            "MissingLibrary",
            "reading a kubeconfig needs the Python package PyYAML.",
            hint="Install it where this runs: pip install PyYAML.",
        )
    try:
        content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise EdgeError("BadConnection", f"kubeconfig {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise EdgeError("BadConnection", f"kubeconfig {path} is not YAML{line}.") from None
    if not isinstance(content, Mapping):
        raise EdgeError("BadConnection", f"kubeconfig {path} holds no configuration.")
    return content, path.parent


class _Material:
    """Reads what a kubeconfig gives as path (``client-key``) or as base64 data (``client-key-data``)."""

    def __init__(self, origin: Path, folder: Path, given: set[str]) -> None:
        self.origin = origin
        self._folder = folder
        self._given = given

    def bytes_of(self, source: Mapping[str, Any], name: str) -> bytes | None:
        data = source.get(f"{name}-data")
        if data and name not in self._given:
            try:
                return base64.b64decode(data, validate=False)
            except (binascii.Error, ValueError):
                raise EdgeError("BadConnection", f"{name}-data is not base64.") from None
        value = source.get(name)
        if not value:
            return None
        if str(value).lstrip().startswith("-----BEGIN"):
            return str(value).encode()
        base = self._folder if name in self._given else self.origin
        path = base / Path(str(value)).expanduser()
        try:
            return path.read_bytes()
        except OSError as error:
            raise EdgeError("BadConnection", f"{name} {path} cannot be read: {error.strerror}.") from error


class _Headers:
    """The headers of each request; a token file is read anew when the server refuses the token."""

    def __init__(
        self,
        reader: _Material,
        user: Mapping[str, Any],
        connection: Connection,
        credentials: Callable[[], Mapping[str, Any]] | None,
    ) -> None:
        self._reader = reader
        self._user = dict(user)
        self._credentials = credentials
        fixed = [("Impersonate-User", connection.impersonate_user)] if connection.impersonate_user else []
        self._fixed = (*fixed, *(("Impersonate-Group", group) for group in connection.impersonate_groups))
        self._current = self._made()

    def __call__(self) -> tuple[tuple[str, str], ...]:
        return self._current

    def renew(self) -> bool:
        """Ask for fresh credentials; whether there may be any."""
        if self._credentials is not None:
            self._user.update(self._credentials())
        elif not self._user.get("tokenFile"):
            return False
        before, self._current = self._current, self._made()
        return before != self._current

    def _made(self) -> tuple[tuple[str, str], ...]:
        token = self._token()
        if token:
            return (*self._fixed, ("Authorization", f"Bearer {token}"))
        if self._user.get("username"):
            pair = f"{self._user['username']}:{self._user.get('password') or ''}".encode()
            return (*self._fixed, ("Authorization", "Basic " + base64.b64encode(pair).decode()))
        return self._fixed

    def _token(self) -> str:
        if self._user.get("token"):
            return str(self._user["token"])
        content = self._reader.bytes_of({"tokenFile": self._user.get("tokenFile")}, "tokenFile")
        return (content or b"").decode().strip()


def _tls(reader: _Material, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    return _context(
        reader.bytes_of(cluster, "certificate-authority"),
        reader.bytes_of(user, "client-certificate"),
        reader.bytes_of(user, "client-key"),
        bool(cluster.get("insecure-skip-tls-verify")),
    )


@lru_cache(maxsize=8192)
def _context(authority: bytes | None, certificate: bytes | None, key: bytes | None, insecure: bool) -> ssl.SSLContext:
    """One context for all endpoints that share their material.

    The system's authorities are loaded only for a cluster that brings none: they cost 20 to 30 ms a context.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if authority:
            context.load_verify_locations(cadata=authority.decode())
        elif not insecure:
            context.load_default_certs()
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise EdgeError("BadConnection", f"the certificate authority is not a PEM certificate: {error}.") from error
    if certificate:
        _load_pair(context, certificate, key)
    return context


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes | None) -> None:
    # OpenSSL reads a client certificate from a file only; this one exists for the time of the call, readable by us.
    with tempfile.NamedTemporaryFile(prefix="emco-edge-") as file:
        file.write(certificate + b"\n" + (key or b""))
        file.flush()
        try:
            context.load_cert_chain(file.name)
        except (ssl.SSLError, ValueError) as error:
            raise EdgeError(
                "BadConnection", "client certificate and key do not belong together or are not PEM."
            ) from error


def identity(end: Endpoint) -> str:
    """A short name of where an endpoint leads, for comparing two registrations; holds no secret."""
    return hashlib.sha256(end.url.encode()).hexdigest()[:16]
