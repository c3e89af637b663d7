# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``network_info``: which networks there are, and how they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._engines.networks.status import attached_pods
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import judge
from ansible_collections.emco.edge.plugins.module_utils._model import quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.network_options import listed
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, network_document
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._verbs import northbounds
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.fan_out import Connections, failed
from ansible_collections.emco.edge.plugins.module_utils._verbs.masking import shown
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_planning import bundle_for
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_shipping import LIVING, PODS
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import ClusterNetworks, stored_networks
from ansible_collections.emco.edge.plugins.module_utils._verbs.networks import chosen_clusters
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec

_AT_ONCE = 50


@dataclass(frozen=True)
class NetworkInfoOptions:
    """Options of ``network_info``."""

    clusters: tuple[str, ...] = option(default=("all",), parse=listed, type="raw")
    name: str | None = option()
    live: bool = option(default=False)
    """Ask the clusters how their networks are and who is on them."""
    output: Literal["all", "detail"] = option(default="all")
    timeout: float = option(default=30.0, parse=quantities.seconds, type="str", spec_default="30s")
    store: Any = option(type="raw")


SPEC = Spec("network_info", NetworkInfoOptions, fleet=True)


def run(wanted: NetworkInfoOptions, context: Context) -> Result:
    """The networks of clusters; changes nothing."""
    store = context.store(wanted.store)
    fleet = registered(store)
    targets = chosen_clusters(wanted.clusters, None, fleet)
    known = {ref: one for ref, one in sorted(stored_networks(store).items()) if ref in targets}
    told = {str(ref): _told(one, wanted.name) for ref, one in known.items()}
    if wanted.output == "detail" and not wanted.live:
        for ref, one in known.items():
            told[str(ref)] = _with_live(told[str(ref)], {"networks": _as_sent(fleet[ref].cluster, one, context)})
    if wanted.live:
        for ref, live in _asked(known, fleet, wanted, context).items():
            told[str(ref)] = _with_live(told[str(ref)], live)
    shown = {ref: one for ref, one in told.items() if one["networks"] or wanted.name is None}
    return {"changed": False, "clusters": shown, "count": sum(len(one["networks"]) for one in shown.values())}


def _told(one: ClusterNetworks, name: str | None) -> dict[str, Any]:
    words = {"reason": one.reason, "message": one.message}
    return {
        "state": one.state,
        **{key: text for key, text in words.items() if text},
        "networks": [
            _network(placed) for other, placed in sorted(one.networks.items()) if name is None or name == other
        ],
    }


def _network(placed: Placed) -> dict[str, Any]:
    found = {**network_document(placed.network), "engine": placed.engine}
    return {**found, **({"node": placed.node} if placed.node is not None else {})}


def _with_live(told: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    by_name = live.get("networks") or {}
    rest = {key: value for key, value in live.items() if key != "networks"}
    networks = [{**one, **by_name.get(one["name"], {})} for one in told["networks"]]
    return {**told, **rest, "networks": networks}


def _asked(
    known: Mapping[ClusterRef, ClusterNetworks],
    fleet: Mapping[ClusterRef, Registered],
    wanted: NetworkInfoOptions,
    context: Context,
) -> dict[ClusterRef, Mapping[str, Any]]:
    connections, keys = Connections(fleet, context), context.keys()

    def ask(ref: ClusterRef) -> Mapping[str, Any]:
        try:
            if fleet[ref].cluster.kind == "ovn":
                return {"reachable": True, "networks": northbounds.live(fleet[ref], known[ref].networks)}
            client = connections.client(ref, Budget.of(wanted.timeout))
            objects = bundle_for(fleet[ref].cluster, known[ref].networks, keys.digest).objects
            found = _live(client, known[ref].networks, objects, whole=wanted.output == "detail")
            return {"reachable": True, "networks": found}
        except EdgeError as error:
            outcome = failed(ref, error)
            return {"reachable": False, "reason": outcome.reason, "message": outcome.message}
        finally:
            connections.close(ref)

    with ThreadPoolExecutor(min(_AT_ONCE, len(known) or 1), thread_name_prefix="networks") as pool:
        return dict(zip(known, pool.map(ask, known), strict=True))


def _as_sent(cluster: Cluster, known: ClusterNetworks, context: Context) -> dict[str, dict[str, Any]]:
    """The objects that make each network, in full; what a northbound database is given are rows, no objects."""
    if cluster.kind == "ovn":
        return {}
    found: dict[str, dict[str, Any]] = {}
    for one in bundle_for(cluster, known.networks, context.keys().digest).objects:
        told = {"object": str(one.identity), "manifest": shown(json.loads(one.body))}
        found.setdefault(one.app, {"objects": []})["objects"].append(told)
    return found


def _live(
    client: ClusterClient, networks: Mapping[str, Placed], objects: Sequence[PlannedObject], *, whole: bool
) -> dict[str, dict[str, Any]]:
    """What the engines say of each network's objects, and the pods that are on it."""
    pods = list(client.list(PODS, fields=LIVING))
    found: dict[str, dict[str, Any]] = {}
    for name, placed in networks.items():
        verdicts = [_verdict(client, one, whole=whole) for one in objects if one.app == name]
        waiting = [one for one in verdicts if not one["ready"]]
        found[name] = {
            "ready": not waiting,
            "objects": verdicts,
            "pods": list(attached_pods(pods, placed)),
        }
    return found


def _verdict(client: ClusterClient, one: PlannedObject, *, whole: bool) -> dict[str, Any]:
    where = one.identity
    resource = client.resource(one.api_version, where.kind)
    live = client.get(resource, where.namespace or None, where.name)
    if live is None:
        return {"object": str(where), "ready": False, "reason": "NotFound", "message": "is not there"}
    verdict = judge(live)
    words = {"reason": verdict.reason, "message": verdict.message}
    told = {"object": str(where), "ready": verdict.ready, **{key: text for key, text in words.items() if text}}
    return {**told, "manifest": shown(live)} if whole else told
