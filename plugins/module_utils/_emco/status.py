# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: status in the shape of EMCO's ``GET .../status``, made from what the info verbs tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject
from ansible_collections.emco.edge.plugins.module_utils._emco.state import Lifecycle
from ansible_collections.emco.edge.plugins.module_utils._emco.values import valid_name
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option

View = Literal["deployed", "ready"]


@dataclass(frozen=True)
class StatusQuery:
    """EMCO's query options: which view, how much of it, and of what."""

    status: View | None = option()
    type: Literal["rsync", "cluster"] | None = option()
    output: Literal["summary", "all", "detail"] = option(default="all")
    app: tuple[str, ...] = option(default=())
    cluster: tuple[str, ...] = option(default=())
    resource: tuple[str, ...] = option(default=())
    apps: bool = option(default=False)
    clusters: bool = option(default=False)
    resources: bool = option(default=False)

    def problems(self, path: str) -> Iterable[Problem]:
        """A cluster is two valid names; a resource may have any name that Kubernetes allows."""
        for index, one in enumerate(self.cluster):
            for part in one.split("+") if one.count("+") == 1 else ("",):
                try:
                    valid_name(part)
                except ValueError:
                    yield Problem(join(path, f"cluster[{index}]"), f"{one!r} is not of the form provider+cluster")
                    break

    def view(self, default: View) -> View:
        """What is looked at: ``status`` counts for more than the older ``type``."""
        if self.status is not None:
            return self.status
        return {"rsync": "deployed", "cluster": "ready", None: default}[self.type]

    def names(self, default: Literal["rsync", "cluster"] | None) -> _Names:
        """Under which names the view is told."""
        if self.status is not None:
            return _NEW[self.status]
        kind = self.type or default
        return _OLD[kind] if kind is not None else _NEW["ready"]


@dataclass(frozen=True)
class _Names:
    """The names of the fields of a view."""

    status: str
    counts: str
    resource: str
    cluster: str


_NEW: dict[str, _Names] = {
    "deployed": _Names("deployedStatus", "deployedCounts", "deployedStatus", "connectivity"),
    "ready": _Names("deployedStatus", "readyCounts", "readyStatus", "connectivity"),
}
_OLD: dict[str, _Names] = {
    "rsync": _Names("status", "rsyncStatus", "rsyncStatus", "readyStatus"),
    "cluster": _Names("status", "clusterStatus", "clusterStatus", "readyStatus"),
}
# How EMCO's engine calls what a group is in.
_CONTEXT_STATES = {
    "Created": "Created",
    "Approved": "Created",
    "Applied": "Instantiated",
    "Instantiated": "Instantiated",
    "Updated": "Instantiated",
    "InstantiateStopped": "Instantiating",
    "TerminateStopped": "Terminating",
    "Terminated": "Terminated",
}


def group_status(
    query: StatusQuery, group: EmcoObject, life: Lifecycle, context: str, told: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The status of a deployment intent group; ``told`` is its entry of deployment_info, None: nothing was deployed."""
    found: dict[str, Any] = {
        "name": group.name,
        "project": group.path[1],
        "compositeApp": group.path[3],
        "compositeAppVersion": group.path[4],
        "compositeProfile": str(group.spec["compositeProfile"]),
        "states": {"actions": _actions(life, context)},
        **status_of(query, life, told, default="rsync"),
    }
    return found


def cloud_status(
    query: StatusQuery, cloud: EmcoObject, life: Lifecycle, context: str, told: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The status of a logical cloud; ``told`` is its entry of logical_cloud_info."""
    return {
        "name": cloud.name,
        "project": cloud.path[1],
        "states": {"actions": _actions(life, context)},
        **status_of(query, life, _as_app(_cloud_rows(told), query, "logical-cloud"), default=None),
    }


def networks_status(
    query: StatusQuery,
    cluster: EmcoObject,
    life: Lifecycle,
    context: str,
    told: Mapping[str, Any] | None,
    full: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The status of the networks of a cluster; answers of network_info: a live one, and one with objects in full."""
    found = status_of(query, life, _as_app(_network_rows(told, full), query, "network-intents"), default=None)
    return {"name": cluster.name, "states": {"actions": _actions(life, context)}, **found}


@dataclass(frozen=True)
class _OnCluster:
    """What was told of the objects on one cluster, by their readable names: a state, and the object in full."""

    connectivity: str
    states: Mapping[str, str]
    manifests: Mapping[str, Mapping[str, Any]]


def _cloud_rows(told: Mapping[str, Any] | None) -> dict[str, _OnCluster]:
    return {
        str(ref): _OnCluster(one.get("connectivity", "Unknown"), one.get("objects") or {}, one.get("manifests") or {})
        for ref, one in ((told or {}).get("clusters") or {}).items()
    }


def _network_rows(told: Mapping[str, Any] | None, full: Mapping[str, Any] | None) -> dict[str, _OnCluster]:
    return {
        str(ref): _OnCluster(
            "Available" if one.get("reachable") else "Unreachable",
            {each["object"]: "Ready" if each["ready"] else "NotReady" for each in _network_objects(told, ref)},
            {each["object"]: each["manifest"] for each in _network_objects(full, ref) if "manifest" in each},
        )
        for ref, one in ((told or {}).get("clusters") or {}).items()
    }


def _network_objects(told: Mapping[str, Any] | None, ref: str) -> list[dict[str, Any]]:
    networks = ((told or {}).get("clusters") or {}).get(ref, {}).get("networks") or ()
    return [each for network in networks for each in network.get("objects") or ()]


def _as_app(rows: Mapping[str, _OnCluster], query: StatusQuery, app: str) -> dict[str, Any]:
    """What was told of objects as if it were an app, the way EMCO puts them into a context."""
    found: dict[str, list[dict[str, Any]]] = {}
    for ref, one in rows.items():
        if not query.cluster or ref in query.cluster:
            resources = [_from_name(name, state, one.manifests.get(name)) for name, state in one.states.items()]
            found[ref] = [each for each in resources if not query.resource or each["name"] in query.resource]
    counts = Counter(each["ready_status"] for resources in found.values() for each in resources)
    return {
        "clusters": {ref: {"connectivity": one.connectivity} for ref, one in rows.items()},
        "ready_counts" if query.view("ready") == "ready" else "deployed_counts": dict(counts),
        "apps": [{"name": app, "clusters": [{"cluster": ref, "resources": each} for ref, each in found.items()]}],
    }


def _from_name(name: str, state: str, manifest: Mapping[str, Any] | None) -> dict[str, Any]:
    """``Kind namespace/name`` or ``Kind name`` as a resource."""
    kind, _space, rest = name.partition(" ")
    told: dict[str, Any] = {
        "kind": kind,
        "api_version": (manifest or {}).get("apiVersion", ""),
        "name": rest.rpartition("/")[2],
        "ready_status": state,
        "deployed_status": state,
    }
    return told if manifest is None else {**told, "manifest": manifest}


def status_of(
    query: StatusQuery,
    life: Lifecycle,
    told: Mapping[str, Any] | None,
    *,
    default: Literal["rsync", "cluster"] | None,
) -> dict[str, Any]:
    """The part of a status that is the same for whatever was deployed."""
    told = told or {}
    view = query.view("deployed" if default == "rsync" else "ready")
    apps = [_app(one, query, told, view, query.names(default)) for one in told.get("apps") or ()]
    apps = [one for one in apps if one["clusters"]]
    listed = _listed(query, apps)
    if listed is not None:
        return listed
    names = query.names(default)
    counts = _counts(told, view)
    found: dict[str, Any] = {names.status: _state(life, told), names.counts: counts}
    if view == "ready":
        ready = bool(counts) and set(counts) <= {"Ready"}
        found["readyStatus"] = "Ready" if ready else "NotReady"
    if query.output != "summary":
        found["apps"] = apps
    return found


def unknown_apps(query: StatusQuery, known: Iterable[str]) -> list[str]:
    """Apps that were asked for and are not there: EMCO answers that with an error."""
    there = set(known)
    return [one for one in query.app if one not in there]


def _actions(life: Lifecycle, context: str) -> list[dict[str, Any]]:
    return [
        {
            "state": one.state,
            "instance": context if one.state not in ("Created", "Approved") else "",
            "time": one.time,
            "revision": one.revision,
        }
        for one in life.actions
    ]


def _state(life: Lifecycle, told: Mapping[str, Any]) -> str:
    state = _CONTEXT_STATES[life.state]
    counts = told.get("deployed_counts") or {}
    if state == "Instantiated" and counts.get("Failed"):
        return "InstantiateFailed" if life.state == "Instantiated" else "UpdateFailed"
    return state


def _counts(told: Mapping[str, Any], view: View) -> dict[str, int]:
    return dict(told.get("ready_counts" if view == "ready" else "deployed_counts") or {})


def _listed(query: StatusQuery, apps: list[dict[str, Any]]) -> dict[str, Any] | None:
    if query.apps:
        return {"apps": sorted(one["name"] for one in apps)}
    if query.clusters:
        return {
            "clustersByApp": [
                {
                    "app": one["name"],
                    "clusters": [
                        {"clusterProvider": each["clusterProvider"], "cluster": each["cluster"]}
                        for each in one["clusters"]
                    ],
                }
                for one in apps
            ]
        }
    if query.resources:
        return {
            "resourcesByApp": [
                {
                    "app": one["name"],
                    "clusterProvider": each["clusterProvider"],
                    "cluster": each["cluster"],
                    "resources": [{"name": it["name"], "GVK": it["GVK"]} for it in each["resources"]],
                }
                for one in apps
                for each in one["clusters"]
            ]
        }
    return None


def _app(
    told: Mapping[str, Any], query: StatusQuery, everything: Mapping[str, Any], view: View, names: _Names
) -> dict[str, Any]:
    clusters = everything.get("clusters") or {}
    found = []
    for one in told["clusters"]:
        ref = str(one["cluster"])
        provider, _plus, cluster = ref.partition("+")
        if query.cluster and ref not in query.cluster:
            continue
        connectivity = (clusters.get(ref) or {}).get("connectivity", "Unknown")
        found.append(
            {
                "clusterProvider": provider,
                "cluster": cluster,
                names.cluster: "Available" if connectivity == "Available" else "Retrying",
                "resources": [
                    _resource(each, view, names, whole=query.output == "detail") for each in one["resources"]
                ],
            }
        )
    return {"name": told["name"], "clusters": found}


def _resource(told: Mapping[str, Any], view: View, names: _Names, *, whole: bool) -> dict[str, Any]:
    group, _slash, version = str(told["api_version"]).rpartition("/")
    found = {
        "GVK": {"Group": group, "Version": version, "Kind": told["kind"]},
        "name": told["name"],
        names.resource: told["ready_status" if view == "ready" else "deployed_status"],
    }
    if whole and "manifest" in told:
        found["detail"] = told["manifest"]
    return found
