# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what is kept of the credentials that a cluster is registered with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, inlined
from ansible_collections.emco.edge.plugins.module_utils._kube.hub import reference_of, refers_to_hub
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_options import ClusterOptions
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Credentials,
    Registered,
    cluster_key,
    connection_from_variables,
    connection_of,
    folder_of_variables,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import opened_document, sealed_document

_FILES = ("ca_cert", "client_cert", "client_key")


@dataclass(frozen=True)
class Way:
    """How a cluster is reached in this run."""

    connection: Connection
    base_dir: str
    """Where relative paths start."""
    host: str | None = None
    """The inventory host whose variables hold this connection."""
    registered: bool = False
    """Nobody gave a connection: this is the one that is registered."""


def way_to(wanted: ClusterOptions, before: Registered | None, context: Context) -> Way:
    """The connection that was given, else that of the host's variables, else the registered one."""
    given = wanted.connection
    if not given.given():
        if before is None:
            raise EdgeError(
                "BadConnection",
                f"nothing says how to reach {wanted.ref}.",
                hint="Give kubeconfig (and context), or host with api_key or client_cert, as options or as the host's "
                "emco_* variables; nothing is taken implicitly.",
            )
        connection, base_dir = connection_of(before, context)
        return Way(connection, base_dir, registered=True)
    variables = context.host.variables
    if given == connection_from_variables(variables):
        return Way(given, folder_of_variables(variables, context), host=context.host.name)
    return Way(given, context.base_dir)


def reference(ref: ClusterRef, way: Way) -> Credentials:
    """A reference to files, or to the host's variables where they hold the secrets themselves."""
    if not _secrets_of(way.connection):
        base_dir = way.base_dir if _relative(way.connection) else ""
        return Credentials("reference", _document(way.connection), way.host, None, base_dir)
    if way.host is None:
        raise EdgeError(
            "BadConnection",
            f"the options for {ref} hold secrets ({', '.join(_secrets_of(way.connection))}), which a reference cannot "
            "keep.",
            hint="Put them into the host's emco_* variables or into a kubeconfig file, or choose "
            "keep_credentials: encrypted.",
        )
    return Credentials("reference", {}, way.host)


def encrypted(ref: ClusterRef, way: Way, before: Registered | None, context: Context) -> Credentials:
    """The credentials themselves, with all files they name, sealed with the keys of this store."""
    resolved = context.resolved(way.connection, way.base_dir)
    return sealed("encrypted", ref, inlined(resolved, base_dir=way.base_dir), before, context)


def sealed(
    keep: str, ref: ClusterRef, connection: Connection, before: Registered | None, context: Context
) -> Credentials:
    """A sealed connection; what was sealed before stays where it is the same."""
    material = json.loads(json.dumps(_document(connection)))
    if before is not None and _unsealed(before, context) == material:
        return replace(before.credentials, keep=keep)
    return Credentials(keep, sealed=sealed_document(material, cluster_key(ref), context.keys()))


def _unsealed(before: Registered, context: Context) -> dict[str, Any] | None:
    if before.credentials.sealed is None:
        return None
    try:
        return opened_document(before.credentials.sealed, cluster_key(before.ref), context.keys())
    except EdgeError as error:
        if error.reason in ("KeyMissing", "SealBroken"):
            return None
        raise


def for_kubernetes_core(way: Way) -> dict[str, Any]:
    """The connection as module_defaults for ``group/kubernetes.core.k8s``, with absolute paths and without secrets."""
    hidden = _secrets_of(way.connection)
    found = {name: value for name, value in _document(way.connection).items() if name not in hidden}
    for name in ("kubeconfig", *_FILES):
        if isinstance(found.get(name), str) and "-----BEGIN" not in found[name]:
            found[name] = str(Path(way.base_dir, Path(found[name]).expanduser()))
    if refers_to_hub(way.connection):
        return {}
    # kubernetes.core knows neither of them by these names.
    found.pop("tls_server_name", None)
    found.pop("impersonate_groups", None)
    return found


def _document(connection: Connection) -> dict[str, Any]:
    """What was given of a connection; defaults are left out."""
    defaults = {one.name: one.default for one in fields(Connection)}
    return {name: value for name, value in asdict(connection).items() if value != defaults[name]}


def _secrets_of(connection: Connection) -> list[str]:
    found: list[str] = []
    if refers_to_hub(connection):
        hub = reference_of(connection).hub
        found.extend(f"kubeconfig.hub.{name}" for name in _secrets_of(hub))
    elif isinstance(connection.kubeconfig, Mapping):
        found.append("kubeconfig")
    if connection.api_key:
        found.append("api_key")
    if connection.client_key and "-----BEGIN" in connection.client_key:
        found.append("client_key")
    if connection.proxy and "@" in connection.proxy:
        found.append("proxy")
    return found


def _relative(connection: Connection) -> bool:
    paths = [connection.kubeconfig, *(getattr(connection, name) for name in _FILES)]
    if refers_to_hub(connection) and _relative(reference_of(connection).hub):
        return True
    return any(
        isinstance(path, str) and "-----BEGIN" not in path and not Path(path).expanduser().is_absolute()
        for path in paths
    )
