# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: credentials of a cluster that stay in a Secret of a hub cluster and are read when needed.

A connection refers to them with a kubeconfig of this form::

    kubeconfig:
      hub: {kubeconfig: /etc/hub.yaml, context: hub}     # a connection; api_key_from names an environment variable
      secret: {namespace: fleet, name: store-17-kubeconfig, key: value}

``key`` holds a kubeconfig (default ``value``, as Cluster API writes it). With ``token_key`` instead, the Secret is one
of a service account, and the connection's ``host`` says where it is valid.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._model.options import option, parse

try:
    import yaml
except ImportError:  # PyYAML comes with Ansible; its absence is told when a kubeconfig is to be read
    yaml = None  # type: ignore[assignment]

SECRETS = Resource("v1", "Secret", "secrets", True)


@dataclass(frozen=True)
class HubConnection(Connection):
    """How the hub is reached, without a secret in it."""

    api_key_from: str | None = option(no_log=False)
    """The environment variable that holds the hub's token."""


@dataclass(frozen=True)
class SecretReference:
    """Where in the hub the credentials are."""

    namespace: str = option(required=True)
    name: str = option(required=True)
    key: str = option(default="value", no_log=False)
    token_key: str | None = option(no_log=False)
    ca_key: str = option(default="ca.crt", no_log=False)


@dataclass(frozen=True)
class HubReference:
    """A reference to credentials in a hub."""

    hub: HubConnection = option(required=True)
    secret: SecretReference = option(required=True)


def refers_to_hub(connection: Connection) -> bool:
    """Whether the credentials are in a hub."""
    return isinstance(connection.kubeconfig, Mapping) and "hub" in connection.kubeconfig


def reference_of(connection: Connection) -> HubReference:
    """The reference; InvalidInput names what is wrong with it."""
    problems = Problems()
    found = parse(HubReference, connection.kubeconfig, "kubeconfig", problems)
    problems.raise_if_any("the connection")
    if found is None:  # parse gives None only together with problems
        raise RuntimeError("found is there")
    return found


def hub_connection(hub: HubConnection, environ: Mapping[str, str]) -> Connection:
    """The connection to the hub, with the token that the environment holds."""
    if hub.api_key_from is None:
        return hub
    token = environ.get(hub.api_key_from)
    if not token:
        raise EdgeError(
            "BadConnection", f"the environment variable {hub.api_key_from} with the hub's token is not set."
        )
    return replace(hub, api_key=token)


def connection_in(client: ClusterClient, secret: SecretReference, connection: Connection) -> Connection:
    """The connection with the credentials that the Secret holds; ``client`` is the hub's."""
    found = client.get(SECRETS, secret.namespace, secret.name)
    where = f"Secret {secret.namespace}/{secret.name} of the hub"
    if found is None:
        raise EdgeError("BadConnection", f"there is no {where}.", hint="The cluster may be gone or not be ready yet.")
    data = found.get("data") or {}
    if secret.token_key is not None:
        authority = _decoded(data, secret.ca_key, where) if data.get(secret.ca_key) else None
        return replace(
            connection,
            kubeconfig=None,
            api_key=_decoded(data, secret.token_key, where),
            ca_cert=connection.ca_cert or authority,
        )
    content = _content(_decoded(data, secret.key, where), where)
    return replace(connection, kubeconfig=content, context=connection.context or content.get("current-context"))


def _decoded(data: Mapping[str, Any], key: str, where: str) -> str:
    if not data.get(key):
        raise EdgeError("BadConnection", f"{where} has no {key}; it has {', '.join(sorted(data)) or 'nothing'}.")
    try:
        return base64.b64decode(data[key]).decode()
    except (binascii.Error, ValueError):
        raise EdgeError("BadConnection", f"{key} of {where} is not text.") from None


def _content(text: str, where: str) -> Mapping[str, Any]:
    if yaml is None:
        raise EdgeError("MissingLibrary", "reading a kubeconfig needs the Python package PyYAML.")
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        content = None
    if not isinstance(content, Mapping):
        raise EdgeError("BadConnection", f"{where} holds no kubeconfig.")
    return content
