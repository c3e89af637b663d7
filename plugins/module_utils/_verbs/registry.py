# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the registered clusters, as the store keeps them and as the verbs need them.

Three entries a cluster, so that what people say, what was read and what was noticed do not overwrite each other:
``clusters/<provider>/<name>``, ``facts/<provider>/<name>`` and ``silent/<provider>/<name>``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_document import (
    cluster_document,
    cluster_of,
    facts_document,
    facts_of,
)
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import opened_document

CONNECTION_VARIABLES = {
    "kubeconfig": "emco_kubeconfig",
    "context": "emco_context",
    "host": "emco_host",
    "api_key": "emco_api_key",
    "ca_cert": "emco_ca_cert",
    "client_cert": "emco_client_cert",
    "client_key": "emco_client_key",
    "validate_certs": "emco_validate_certs",
    "proxy": "emco_proxy",
    "tls_server_name": "emco_tls_server_name",
    "impersonate_user": "emco_impersonate_user",
    "impersonate_groups": "emco_impersonate_groups",
}


@dataclass(frozen=True)
class Credentials:
    """How a registered cluster is reached: a connection without secrets, the host whose variables hold it, or sealed.

    With both a connection and a host, the host's variables serve where the connection's files are missing.
    ``keep`` is ``reference``, ``encrypted`` or ``service_account``. ``base_dir`` is where relative paths start.
    """

    keep: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    host: str | None = None
    sealed: str | None = None
    base_dir: str = ""


@dataclass(frozen=True)
class Registered:
    """A cluster of the registry. ``host`` is the inventory host it was registered by."""

    cluster: Cluster
    credentials: Credentials
    host: str
    uid: str = ""
    """The uid of its namespace kube-system, which tells a cluster that was built anew."""

    @property
    def ref(self) -> ClusterRef:
        """The cluster's identity."""
        return self.cluster.ref


def cluster_key(ref: ClusterRef) -> Key:
    """Where the registration is kept."""
    return ("clusters", ref.provider, ref.name)


def facts_key(ref: ClusterRef) -> Key:
    """Where the facts are kept."""
    return ("facts", ref.provider, ref.name)


def uid_key(uid: str, ref: ClusterRef) -> Key:
    """Where it is noted which clusters have the same API server: ``uids/<uid>/<provider>/<name>``."""
    return ("uids", uid, ref.provider, ref.name)


def silent_key(ref: ClusterRef) -> Key:
    """Where it is noted since when a cluster does not answer."""
    return ("silent", ref.provider, ref.name)


def registered(store: Store) -> dict[ClusterRef, Registered]:
    """All clusters of the registry with their facts, by reference."""
    facts = {entry.key[1:]: entry.value for entry in store.list(("facts",))}
    silent = {entry.key[1:]: entry.value for entry in store.list(("silent",))}
    found = (
        _registered(entry.value, facts.get(entry.key[1:]), silent.get(entry.key[1:]))
        for entry in store.list(("clusters",))
    )
    return {one.ref: one for one in found}


def find(store: Store, ref: ClusterRef) -> Registered | None:
    """One cluster of the registry."""
    entries = store.get_many([cluster_key(ref), facts_key(ref), silent_key(ref)])
    if cluster_key(ref) not in entries:
        return None
    values = {key[0]: entry.value for key, entry in entries.items()}
    return _registered(values["clusters"], values.get("facts"), values.get("silent"))


def _registered(
    document: Mapping[str, Any], facts: Mapping[str, Any] | None, silent: Mapping[str, Any] | None
) -> Registered:
    return Registered(
        cluster=cluster_of(document, facts_of(facts) if facts else None, silent["since"] if silent else None),
        credentials=Credentials(**document["credentials"]),
        host=str(document["host"]),
        uid=str(document.get("uid") or ""),
    )


def registration_document(one: Registered) -> dict[str, Any]:
    """A registration as it is stored; the facts and silence of the cluster are stored apart."""
    return {
        **cluster_document(one.cluster),
        "host": one.host,
        "uid": one.uid,
        "credentials": asdict(one.credentials),
    }


def keep(store: Store, one: Registered) -> None:
    """Store a registration."""
    store.put(cluster_key(one.ref), registration_document(one))


def keep_facts(store: Store, facts: Mapping[ClusterRef, Facts]) -> None:
    """Store what was read from clusters, in one transaction."""
    store.put_many({facts_key(ref): facts_document(found) for ref, found in facts.items()})


def note_silence(store: Store, silent: Iterable[ClusterRef], answering: Iterable[ClusterRef], now: float) -> None:
    """Remember since when clusters do not answer, and forget it for those that do."""
    known = {entry.key for entry in store.list(("silent",))}
    store.put_many({silent_key(ref): {"since": now} for ref in silent if silent_key(ref) not in known})
    for ref in answering:
        if silent_key(ref) in known:
            store.delete(silent_key(ref))


def connection_of(one: Registered, context: Context) -> tuple[Connection, str]:
    """The connection of a registered cluster and the folder its relative paths start from."""
    credentials = one.credentials
    if one.cluster.kind == "ovn":
        raise EdgeError(
            "BadConnection", f"{one.ref} is an OVN northbound and has no API server.", hint="It takes networks only."
        )
    if credentials.sealed is not None:
        return connection_from(opened_document(credentials.sealed, cluster_key(one.ref), context.keys())), ""
    if credentials.connection and (credentials.host is None or _files_here(credentials)):
        return connection_from(credentials.connection), credentials.base_dir
    variables = context.variables_of(credentials.host) if credentials.host is not None else {}
    found = connection_from_variables(variables)
    if found.given():
        return found, folder_of_variables(variables, context)
    if credentials.connection:
        # Its files are missing: the error that says which comes from reading them.
        return connection_from(credentials.connection), credentials.base_dir
    raise EdgeError(
        "BadConnection",
        f"{one.ref} is reached with the variables of host {credentials.host}, and this inventory has none.",
        hint="Run with the inventory it was registered from, or register it with keep_credentials: encrypted.",
    )


def _files_here(credentials: Credentials) -> bool:
    """Whether this control node has the files; on another one the host's variables may say where they are."""
    paths = (credentials.connection.get(name) for name in ("kubeconfig", "ca_cert", "client_cert", "client_key"))
    return all(
        Path(credentials.base_dir, Path(path).expanduser()).exists()
        for path in paths
        if isinstance(path, str) and "-----BEGIN" not in path
    )


def folder_of_variables(variables: Mapping[str, Any], context: Context) -> str:
    """Where relative paths in a host's variables start: beside the inventory that the host is in."""
    return str(variables.get("inventory_dir") or context.base_dir)


def connection_from(document: Mapping[str, Any]) -> Connection:
    """A connection from plain data with the option names of Connection."""
    problems = Problems()
    found = parse(Connection, document, "", problems)
    problems.raise_if_any("the connection")
    if found is None:  # parse gives None only together with problems
        raise RuntimeError("found is there")
    return found


def connection_from_variables(variables: Mapping[str, Any]) -> Connection:
    """A connection from a host's ``emco_*`` variables."""
    return connection_from(
        {
            option: variables[variable]
            for option, variable in CONNECTION_VARIABLES.items()
            if variable in variables and variables[variable] not in (None, "")
        }
    )


def unknown_cluster(name: str, known: Iterable[ClusterRef]) -> EdgeError:
    """The error for a cluster that nobody registered."""
    names = [str(ref) for ref in known]
    return EdgeError(
        "UnknownCluster",
        f"no cluster {name} is registered.",
        hint=near(name, names) or "Register it with emco.edge.cluster.",
    )
