# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the store and the keys that a user's options and environment name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.names import dns_label
from ansible_collections.emco.edge.plugins.module_utils._model.options import option, parse
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.key_file import (
    created_keys,
    key_file_path,
    known_keys,
)
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys, new_keys
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore, default_path

STORE_VARIABLE = "EMCO_EDGE_STORE"

# Which keys this store's content was made with: ids and a fingerprint, no secret.
KEYS_ENTRY: Key = ("meta", "keys")

Choice: TypeAlias = "str | Mapping[str, Any] | None"

_FORMS = (
    "sqlite, sqlite:/path/to/edge.db, kubernetes:/path/to/kubeconfig?context=NAME&namespace=NAME, "
    "kubernetes:in-cluster?namespace=NAME, {type: sqlite, path: ...}, "
    "{type: kubernetes, kubeconfig: ..., context: ..., namespace: ...}"
)
_KINDS = ("sqlite", "kubernetes")
_IN_CLUSTER = "in-cluster"
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
DEFAULT_NAMESPACE = "emco-edge-store"


@dataclass(frozen=True)
class _Sqlite:
    path: str | None = option()


@dataclass(frozen=True)
class _Kubernetes(Connection):
    namespace: str = option(default=DEFAULT_NAMESPACE, parse=dns_label)
    in_cluster: bool = option(default=False)


def open_store(
    given: Choice,
    environ: Mapping[str, str],
    *,
    variable: Choice = None,
    base_dir: str = "",
    clock: Callable[[], float] = time.time,
) -> Store:
    """The chosen store: of the option, else the variable ``emco_edge_store``, else ``EMCO_EDGE_STORE``, else sqlite.

    Nothing is created or contacted yet. Relative paths start at ``base_dir``, those of the environment at the working
    directory. InvalidInput names the forms when the choice is none of them; ``BadConnection`` as for clusters.
    """
    for where, choice, folder in (
        ("store", given, base_dir),
        ("emco_edge_store", variable, base_dir),
        (STORE_VARIABLE, environ.get(STORE_VARIABLE), ""),
    ):
        if choice:
            return _opened(_settings(choice), where, folder, environ, clock)
    return SqliteStore(default_path(environ), clock=clock)


def _settings(choice: str | Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary form of a choice."""
    if isinstance(choice, Mapping):
        return {str(name): value for name, value in choice.items()}
    if choice.lstrip().startswith("{"):
        try:
            settings: dict[str, Any] = json.loads(choice)  # an extra variable of a job template
        except ValueError:
            return {"type": "{...}"}  # not the text itself, it may hold a token
        return settings
    kind, _colon, place = choice.partition(":")
    if kind != "kubernetes":
        return {"type": kind, "path": place or None}
    place, _mark, query = place.partition("?")
    where = {"in_cluster": True} if place == _IN_CLUSTER else {"kubeconfig": place or None}
    return {"type": kind, **where, **dict(parse_qsl(query))}


def _opened(
    settings: dict[str, Any], where: str, folder: str, environ: Mapping[str, str], clock: Callable[[], float]
) -> Store:
    problems = Problems()
    kind = str(settings.pop("type", ""))
    if kind == "sqlite":
        file = parse(_Sqlite, settings, where, problems)
        if file is not None:
            path = _expanded(file.path, folder, environ) if file.path else default_path(environ)
            return SqliteStore(path, clock=clock)
    elif kind == "kubernetes":
        hub = parse(_Kubernetes, settings, where, problems)
        if hub is not None and (hub.given() or hub.in_cluster):
            return _in_kubernetes(hub, folder, environ)
        if hub is not None:
            problems.add(where, f"nothing says where the hub cluster is; a store is one of: {_FORMS}")
    else:
        problems.add(where, f"{kind!r} is not a kind of store; a store is one of: {_FORMS}", near(kind, _KINDS))
    raise InvalidInput(problems, of="the choice of store")


def _in_kubernetes(hub: _Kubernetes, folder: str, environ: Mapping[str, str]) -> Store:
    # Here and not on top: most stores are files.
    from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes import KubernetesStore

    connection: Connection = hub
    if hub.in_cluster:
        connection = Connection(kubeconfig=_account_of_this_pod(environ))
    end = endpoint(connection, base_dir=folder)
    return KubernetesStore(ClusterClient(Transport(end, end.url)), hub.namespace)


def _account_of_this_pod(environ: Mapping[str, str]) -> dict[str, Any]:
    """A kubeconfig of the service account that Kubernetes gave to this pod; taken only when somebody asks for it."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise EdgeError(
            "BadConnection",
            "The store is to be in the cluster that this runs in, but this does not run in a pod.",
            hint="Name the hub cluster's kubeconfig instead.",
        )
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return {
        "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod"}}],
        "clusters": [{"name": "pod", "cluster": {"server": server, "certificate-authority": f"{_ACCOUNT}/ca.crt"}}],
        # The file, not its content: Kubernetes renews it, and it is read again when the old one is refused.
        "users": [{"name": "pod", "user": {"tokenFile": f"{_ACCOUNT}/token"}}],
    }


def _expanded(path: str, folder: str, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home(), path[2:]) if path.startswith("~/") else Path(folder, path)


def open_keys(store: Store, environ: Mapping[str, str], *, writing: bool) -> Keys:
    """The keys of this store; made on first use, unless the store was filled with others.

    Without ``writing`` (check mode) nothing is made: keys for this run only, where there are none.
    EdgeError ``KeyMissing`` when the store's own keys are not the ones found here.
    """
    # In this order: who fills a store makes the keys first, so what a store notes a moment later can be found.
    noted = store.get(KEYS_ENTRY)
    keys = known_keys(environ)
    if noted is not None and (keys is None or keys.fingerprint != noted.value["fingerprint"]):
        raise _lost(store, environ, keys, noted.value)
    if keys is None:
        keys = created_keys(environ) if writing else new_keys("this run only")
    if writing and noted is None:
        try:
            store.put(KEYS_ENTRY, {"fingerprint": keys.fingerprint}, expect=0)
        except EdgeError as error:
            if error.reason != "StoreConflict":
                raise
            # Another run was first, perhaps on another machine with other keys: then this one has the wrong ones.
            return open_keys(store, environ, writing=writing)
    return keys


def _lost(store: Store, environ: Mapping[str, str], keys: Keys | None, noted: Mapping[str, Any]) -> EdgeError:
    found = f"{keys.source} holds others" if keys else f"there are none at {key_file_path(environ)}"
    return EdgeError(
        "KeyMissing",
        f"The keys that the store ({store.description}) was filled with are not here: {found}.",
        hint="Put back your copy of the key file, or give it in EMCO_EDGE_KEYS or EMCO_EDGE_KEY_FILE. If it is lost "
        "for good, start with a new store: it is rebuilt from the clusters, without what was sealed.",
        details={"store": store.description, "fingerprint": noted["fingerprint"]},
    )
