# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to emco.edge: where the clusters of an inventory come from. Each source gives hosts with plain variables."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import contexts, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.hub import HubConnection, hub_connection
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Taint
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_store
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered

_SECRETS = Resource("v1", "Secret", "secrets", True)
_CAPI_LABEL = "cluster.x-k8s.io/cluster-name"
_PROFILE_LABEL = "x-k8s.io/cluster-profile"
_EFFECTS = ("NoSelect", "NoSelectIfNew", "PreferNoSelect")


@dataclass(frozen=True)
class Source(HubConnection):
    """One entry of ``sources``: what it is, and for a hub how it is reached."""

    type: Literal["store", "kubeconfig", "capi", "ocm", "cluster_profile"] = option(required=True)
    provider: str | None = option()
    selector: Selector | None = option(parse=Selector.parse, type="str")
    store: Any = option(type="raw")
    path: tuple[str, ...] = option(default=())
    contexts: tuple[str, ...] = option(default=())
    name_from: Literal["auto", "file", "context"] = option(default="auto")
    namespace: str | None = option()
    service_account: str | None = option()
    """The ManagedServiceAccount (ocm) whose token is used."""
    access_provider: str | None = option()
    """Which of a ClusterProfile's access providers is used; default the first."""

    def problems(self, path: str) -> Iterable[Problem]:
        """A source needs to know where to look."""
        if self.type == "kubeconfig" and not self.path:
            yield Problem(f"{path}.path", "is required", "kubeconfigs, as paths or patterns such as kubeconfigs/*.yaml")
        if self.type in ("capi", "ocm", "cluster_profile") and not self.given():
            yield Problem(f"{path}.kubeconfig", "is required", "or host: how the hub cluster is reached")

    @property
    def hub(self) -> HubConnection:
        """The options that say how the hub is reached."""
        return HubConnection(**{one.name: getattr(self, one.name) for one in fields(HubConnection)})


@dataclass(frozen=True)
class Surroundings:
    """What sources need besides their options."""

    base_dir: str
    """The folder of the inventory: relative paths start there."""
    environ: Mapping[str, str]
    store: Any = None
    """The choice of store of the whole inventory."""
    warn: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True)
class FoundCluster:
    """A cluster with the variables of its host, plain data without secrets."""

    name: str
    provider: str
    variables: Mapping[str, Any]


def found_clusters(source: Source, around: Surroundings) -> list[FoundCluster]:
    """The clusters of a source that its selector matches, by name."""
    found = _READERS[source.type](source, around)
    chosen = [one for one in found if source.selector is None or source.selector.matches(_as_cluster(one))]
    return sorted(chosen, key=lambda one: (one.provider, one.name))


def _as_cluster(one: FoundCluster) -> Cluster:
    taints = tuple(
        Taint(taint["key"], taint.get("value", ""), taint.get("effect", "NoSelect"))
        for taint in one.variables.get("emco_taints") or ()
    )
    return Cluster(
        ClusterRef(one.provider, one.name),
        labels=one.variables.get("emco_labels") or {},
        kv=one.variables.get("emco_kv") or {},
        taints=taints,
    )


def _host(source: Source, name: str, provider: str, **variables: Any) -> FoundCluster:
    said = {f"emco_{key}": value for key, value in variables.items() if value not in (None, {}, [], (), "")}
    return FoundCluster(name, source.provider or provider, {"emco_provider": source.provider or provider, **said})


def cluster_name(text: str) -> str:
    """A text as a cluster can be called: whatever a name may not hold becomes ``-``."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-_.")[:128].strip("-_.") or "cluster"


# registered clusters


def _from_store(source: Source, around: Surroundings) -> Iterator[FoundCluster]:
    store = open_store(source.store if source.store is not None else around.store, around.environ)
    try:
        fleet = registered(store)
    finally:
        store.close()
    for one in fleet.values():
        if source.provider is None or source.provider == one.ref.provider:
            yield _of_registry(source, one)


def _of_registry(source: Source, one: Registered) -> FoundCluster:
    cluster = one.cluster
    return _host(
        source,
        one.ref.name,
        one.ref.provider,
        **_connection_variables(one),
        labels=dict(cluster.labels),
        kv={name: dict(values) for name, values in cluster.kv.items()},
        taints=[{"key": each.key, "value": each.value, "effect": each.effect} for each in cluster.taints],
        schedulable=cluster.schedulable,
        drain=cluster.draining,
        image_mirrors=dict(cluster.image_mirrors),
        pull_secrets=list(cluster.pull_secrets),
        constraints=cluster.constraints,
        keep_credentials=one.credentials.keep,
        version=cluster.facts.version if cluster.facts else None,
        reachable=cluster.unreachable_since is None,
    )


def _connection_variables(one: Registered) -> dict[str, Any]:
    """What a reference refers to, with absolute paths. What is sealed stays so: verbs find it in the registry."""
    found = dict(one.credentials.connection)
    for name in ("kubeconfig", "ca_cert", "client_cert", "client_key"):
        if isinstance(found.get(name), str) and "-----BEGIN" not in found[name]:
            found[name] = str(Path(one.credentials.base_dir, Path(found[name]).expanduser()))
    return found


# kubeconfigs


def _from_kubeconfigs(source: Source, around: Surroundings) -> Iterator[FoundCluster]:
    for pattern in source.path:
        files = _matching(pattern, around.base_dir)
        if not files:
            around.warn(f"no kubeconfig is at {Path(around.base_dir, pattern)}")
        for file in files:
            try:
                yield from _of_kubeconfig(source, file)
            except EdgeError as broken:
                around.warn(f"left out: {broken}")


def _matching(pattern: str, base_dir: str) -> list[Path]:
    path = Path(base_dir, Path(pattern).expanduser())
    if not any(mark in pattern for mark in "*?["):
        return [path] if path.exists() else []
    return sorted(file for file in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if file.is_file())


def _of_kubeconfig(source: Source, file: Path) -> Iterator[FoundCluster]:
    names = [name for name in contexts(str(file)) if not source.contexts or name in source.contexts]
    # What installers call their only context ("default", "kubernetes-admin@kubernetes") tells no cluster from another.
    by_file = source.name_from == "file" or (source.name_from == "auto" and len(names) == 1)
    for name in names:
        host = cluster_name(file.stem if by_file and len(names) == 1 else name)
        yield _host(source, host, "kubeconfig", kubeconfig=str(file), context=name)


# hubs


def _from_capi(source: Source, around: Surroundings) -> Iterator[FoundCluster]:
    with _Hub(source, around) as hub:
        secrets = {
            (one["metadata"]["namespace"], str(one["metadata"]["labels"][_CAPI_LABEL]))
            for one in hub.client.list(_SECRETS, source.namespace, labels=_CAPI_LABEL, metadata_only=True)
            if one["metadata"]["name"] == f"{one['metadata']['labels'][_CAPI_LABEL]}-kubeconfig"
        }
        for cluster in hub.objects("cluster.x-k8s.io", "clusters", "Cluster", source.namespace):
            metadata = cluster["metadata"]
            key = (metadata["namespace"], metadata["name"])
            if key not in secrets:
                around.warn(f"Cluster {key[0]}/{key[1]} has no kubeconfig yet and is left out")
                continue
            yield _host(
                source,
                metadata["name"],
                metadata["namespace"],
                kubeconfig=hub.reference(metadata["namespace"], f"{metadata['name']}-kubeconfig"),
                labels=_labels(metadata),
                kv={"capi": _capi_values(cluster)},
            )


def _capi_values(cluster: Mapping[str, Any]) -> dict[str, str]:
    topology = (cluster.get("spec") or {}).get("topology") or {}
    values = {
        "namespace": cluster["metadata"]["namespace"],
        "phase": (cluster.get("status") or {}).get("phase"),
        "version": topology.get("version"),
        "class": topology.get("class") or (topology.get("classRef") or {}).get("name"),
    }
    return {name: str(value) for name, value in values.items() if value}


def _from_ocm(source: Source, around: Surroundings) -> Iterator[FoundCluster]:
    with _Hub(source, around) as hub:
        if not hub.serves("cluster.open-cluster-management.io"):
            yield from _profiles(source, hub)
            return
        for cluster in hub.objects("cluster.open-cluster-management.io", "managedclusters", "ManagedCluster", None):
            if (cluster.get("spec") or {}).get("hubAcceptsClient"):
                yield _of_managed_cluster(source, hub, cluster)


def _of_managed_cluster(source: Source, hub: _Hub, cluster: Mapping[str, Any]) -> FoundCluster:
    metadata, spec, status = cluster["metadata"], cluster.get("spec") or {}, cluster.get("status") or {}
    ways = [one for one in spec.get("managedClusterClientConfigs") or () if one.get("url")]
    way = ways[0] if ways else {}
    reference = None
    if source.service_account and way:
        reference = hub.reference(metadata["name"], source.service_account, token_key="token")
    conditions = {one.get("type"): one.get("status") for one in status.get("conditions") or ()}
    return _host(
        source,
        metadata["name"],
        "ocm",
        kubeconfig=reference,
        host=way.get("url"),
        ca_cert=_pem(way.get("caBundle")),
        labels=_labels(metadata),
        kv={"claims": {one["name"]: one.get("value", "") for one in status.get("clusterClaims") or ()}},
        taints=_taints(spec.get("taints") or ()),
        version=(status.get("version") or {}).get("kubernetes"),
        reachable=conditions.get("ManagedClusterConditionAvailable") == "True",
    )


def _from_cluster_profiles(source: Source, around: Surroundings) -> Iterator[FoundCluster]:
    with _Hub(source, around) as hub:
        yield from _profiles(source, hub)


def _profiles(source: Source, hub: _Hub) -> Iterator[FoundCluster]:
    secrets = {
        (one["metadata"]["namespace"], one["metadata"]["labels"][_PROFILE_LABEL]): one["metadata"]["name"]
        for one in hub.client.list(_SECRETS, source.namespace, labels=_PROFILE_LABEL, metadata_only=True)
    }
    for profile in hub.objects("multicluster.x-k8s.io", "clusterprofiles", "ClusterProfile", source.namespace):
        metadata, status = profile["metadata"], profile.get("status") or {}
        secret = secrets.get((metadata["namespace"], metadata["name"]))
        way = _access(source, status)
        manager = ((profile.get("spec") or {}).get("clusterManager") or {}).get("name")
        yield _host(
            source,
            metadata["name"],
            cluster_name(manager or metadata["namespace"]),
            kubeconfig=hub.reference(metadata["namespace"], secret, key="Config") if secret else None,
            host=None if secret else way.get("server"),
            ca_cert=None if secret else _pem(way.get("certificate-authority-data")),
            labels=_labels(metadata),
            kv={"properties": {one["name"]: one.get("value", "") for one in status.get("properties") or ()}},
            version=(status.get("version") or {}).get("kubernetes"),
        )


def _access(source: Source, status: Mapping[str, Any]) -> Mapping[str, Any]:
    # Named anew in v1alpha1; hubs have either.
    for one in status.get("accessProviders") or status.get("credentialProviders") or ():
        if source.access_provider in (None, one.get("name")):
            found: Mapping[str, Any] = one.get("cluster") or {}
            return found
    return {}


class _Hub:
    """A hub cluster: its objects, and references to its Secrets."""

    def __init__(self, source: Source, around: Surroundings) -> None:
        self._source = source
        self._base_dir = around.base_dir
        hub = hub_connection(source.hub, around.environ)
        transport = Transport(
            endpoint(hub, base_dir=around.base_dir), f"the hub of source {source.type}", patience=Patience(retries=2)
        )
        self.client = ClusterClient(transport)

    def __enter__(self) -> _Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def serves(self, group: str) -> bool:
        """Whether the hub has this API group."""
        return self.client.read(f"/apis/{group}", f"read the versions of {group}") is not None

    def objects(self, group: str, plural: str, kind: str, namespace: str | None) -> Iterator[dict[str, Any]]:
        """All objects of a kind in the version that the hub prefers; none when it does not serve the group."""
        found = self.client.read(f"/apis/{group}", f"read the versions of {group}")
        if found is None:
            return
        version = str((found.get("preferredVersion") or {}).get("groupVersion") or "")
        yield from self.client.list(Resource(version, kind, plural, True), namespace)

    def reference(self, namespace: str, name: str, **keys: str) -> dict[str, Any]:
        """What stands for a kubeconfig that the hub keeps; the hub's own secrets are not in it."""
        hub = {key: value for key, value in asdict(self._source.hub).items() if value not in (None, (), True)}
        if hub.pop("api_key", None):
            raise EdgeError(
                "BadConnection",
                "a hub's token would end up in the variables of every host.",
                hint="Name the environment variable that holds it in api_key_from, or use a kubeconfig.",
            )
        for option_name in ("kubeconfig", "ca_cert", "client_cert", "client_key"):
            if isinstance(hub.get(option_name), str) and "-----BEGIN" not in hub[option_name]:
                hub[option_name] = str(Path(self._base_dir, Path(hub[option_name]).expanduser()))
        return {"hub": hub, "secret": {"namespace": namespace, "name": name, **keys}}


def _labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in (metadata.get("labels") or {}).items()}


def _taints(taints: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [
        {"key": str(one.get("key")), "value": str(one.get("value") or ""), "effect": str(one.get("effect"))}
        for one in taints
        if one.get("effect") in _EFFECTS
    ]


def _pem(data: str | None) -> str | None:
    if not data:
        return None
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, ValueError):
        return None


_READERS: Mapping[str, Callable[[Source, Surroundings], Iterator[FoundCluster]]] = {
    "store": _from_store,
    "kubeconfig": _from_kubeconfigs,
    "capi": _from_capi,
    "ocm": _from_ocm,
    "cluster_profile": _from_cluster_profiles,
}
