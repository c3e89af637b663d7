# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's objects as the options of this collection's own verbs that mean the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Catalogue, EmcoObject, File
from ansible_collections.emco.edge.plugins.module_utils._emco.generic import Fetch, customizations
from ansible_collections.emco.edge.plugins.module_utils._emco.networks import interfaces
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._model.emco_placement import native_intent
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware_emco import native_requirement
from ansible_collections.emco.edge.plugins.module_utils._model.names import as_label_value

NO_CLUSTERS = "No compatible clusters have been provided to the Deployment Intent Group"
NOT_PROVIDED = "The specified Logical Cloud doesn't provide the mandatory clusters"
DEPLOYMENT_ID = "emco/deployment-id"


class Packages(Protocol):
    """Where the content of packages is found."""

    def chart(self, file: File, app: str) -> str:
        """The chart of an app, as a path that helm reads."""

    def content(self, file: File) -> bytes:
        """What a file holds."""

    def profile(self, file: File, app: str) -> tuple[str, list[tuple[str, str]]]:
        """The file of values of a profile, and its files with where they go in the chart."""


def cluster(catalogue: Catalogue, one: EmcoObject) -> dict[str, Any]:
    """The options of ``cluster``: labels and pairs with it."""
    labels: dict[str, str] = {}
    for label in catalogue.children(one.path, "ClusterLabel"):
        key, _equals, value = str(label.body["clusterLabel"]).partition("=")
        labels[key] = value
    return {
        "provider": one.path[1],
        "name": one.path[3],
        "kubeconfig": one.files[0].path if one.files else None,
        "labels": labels,
        "kv": {each.name: merged_pairs(each.spec) for each in catalogue.children(one.path, "ClusterKvPairs")},
    }


def merged_pairs(spec: Mapping[str, Any]) -> dict[str, str]:
    """The list of maps as one: of a key that is there twice EMCO takes the first."""
    found: dict[str, str] = {}
    for pairs in spec.get("kv") or ():
        for key, value in pairs.items():
            found.setdefault(key, value)
    return found


def composite_app(catalogue: Catalogue, path: Path, packages: Packages) -> dict[str, Any]:
    """The options of ``composite_app``."""
    apps = []
    for app in catalogue.children(path, "App"):
        needs = [
            # In EMCO a dependency is one on all copies, wherever they are.
            {
                "app": str(one.spec["app"]),
                "status": str(one.spec["opStatus"]).lower(),
                "wait": f"{one.spec.get('wait', 0)}s",
                "scope": "everywhere",
            }
            for one in catalogue.children(app.path, "AppDependency")
        ]
        found: dict[str, Any] = {"name": app.name, "chart": packages.chart(app.files[0], app.name)}
        apps.append({**found, "depends_on": needs} if needs else found)
    profiles = [
        {"name": one.name, "apps": _profile(catalogue, one, packages)}
        for one in catalogue.children(path, "CompositeProfile")
    ]
    return {"project": path[1], "name": path[3], "version": path[4], "apps": apps, "profiles": profiles}


def _profile(catalogue: Catalogue, profile: EmcoObject, packages: Packages) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in catalogue.children(profile.path, "AppProfile"):
        app = str(one.spec["app"])
        values, files = packages.profile(one.files[0], app)
        found[app] = {"values_files": [values]}
        if files:
            found[app]["files"] = [{"src": source, "dest": target} for source, target in files]
    return found


def logical_cloud(catalogue: Catalogue, one: EmcoObject, problems: Problems) -> dict[str, Any]:
    """The options of ``logical_cloud``."""
    clusters = members(catalogue, one)
    where = "/".join(one.path)
    if not clusters:
        problems.add(where, "no cluster is assigned to the Logical Cloud")
    found: dict[str, Any] = {"project": one.path[1], "name": one.name, "clusters": clusters}
    if one.spec["level"] == "0":
        return {**found, "kind": "admin"}
    space = str(one.spec["namespace"])
    permissions = [each.spec for each in catalogue.children(one.path, "UserPermission")]
    if not any(each.get("namespace") == space for each in permissions):
        problems.add(where, "There must be a User Permission assigned to its primary namespace")
    found.update(
        # EMCO knows no isolation of namespaces, and numbers its roles.
        isolation=False,
        emco_names=True,
        kind="standard" if all(each.get("namespace") == space for each in permissions) else "privileged",
        namespace=space,
        user={"name": str(one.spec["user"]["userName"]), "type": "certificate"},
        permissions=[
            {
                "namespace": str(each.get("namespace") or ""),
                "api_groups": list(each.get("apiGroups") or ()),
                "resources": list(each.get("resources") or ()),
                "verbs": list(each.get("verbs") or ()),
            }
            for each in permissions
        ],
        quotas=[{"name": each.name, "hard": dict(each.spec)} for each in catalogue.children(one.path, "ClusterQuota")],
    )
    if one.spec.get("labels"):
        found["labels"] = dict(one.spec["labels"])
    return found


def deployment(
    catalogue: Catalogue,
    group: EmcoObject,
    name: str,
    packages: Packages,
    problems: Problems,
    *,
    fetch: Fetch | None = None,
    context: str = "",
) -> dict[str, Any]:
    """The options of ``deployment`` under this name, without those that say how to go about it.

    ``context``: the id that its objects are labelled with; empty: its own.
    """
    project, app, version = group.path[1], group.path[3], group.path[4]
    named = named_intents(catalogue, group)
    found: dict[str, Any] = {
        "project": project,
        "name": name,
        "composite_app": app,
        "version": version,
        "profile": str(group.spec["compositeProfile"]),
        "release": str(group.spec["version"]),
        "logical_cloud": str(group.spec["logicalCloud"]),
        "placement": _placement(catalogue, group, problems),
        "labels": {DEPLOYMENT_ID: f"{context or context_id(group.path)}-{{app}}"},
    }
    overrides: dict[str, dict[str, Any]] = {}
    for entry in group.spec.get("overrideValues") or ():
        overrides.setdefault(str(entry["app"]), {"set": {}})["set"].update(entry.get("values") or {})
    if overrides:
        found["overrides"] = overrides
    hardware = list(_hardware(catalogue, group, problems)) if _asks_for_hardware(named) else []
    if hardware:
        found["hardware"] = hardware
    nics = interfaces(catalogue, group, named.values())
    if nics:
        found["interfaces"] = nics
    cloud = logical_cloud_of(catalogue, group)
    clusters = members(catalogue, cloud) if cloud is not None else []
    changed = customizations(catalogue, group, named.values(), clusters, packages.content, fetch, problems)
    if changed:
        found["customizations"] = changed
    _check_profiles(catalogue, group, problems)
    return found


def named_intents(catalogue: Catalogue, group: EmcoObject) -> dict[str, str]:
    """What the group's intents maps say: controller to intent."""
    found: dict[str, str] = {}
    for one in catalogue.children(group.path, "GroupIntent"):
        found.update(one.spec.get("intent") or {})
    return found


def context_id(path: Path) -> str:
    """A number that stands for a group wherever EMCO shows the id of its context: always the same one."""
    return str(int(hashlib.sha256("/".join(path).encode()).hexdigest()[:15], 16))


def deployment_id(path: Path, app: str) -> str:
    """The value of the label ``emco/deployment-id``."""
    return as_label_value(f"{context_id(path)}-{app}")


def logical_cloud_of(catalogue: Catalogue, group: EmcoObject) -> EmcoObject | None:
    """The logical cloud that a group is deployed in."""
    return catalogue.get(("projects", group.path[1], "logical-clouds", str(group.spec["logicalCloud"])))


def members(catalogue: Catalogue, cloud: EmcoObject) -> list[str]:
    """The clusters of a logical cloud, ``provider+cluster``."""
    references = catalogue.children(cloud.path, "ClusterReference")
    return [f"{one.spec['clusterProvider']}+{one.spec['cluster']}" for one in references]


def _placement(catalogue: Catalogue, group: EmcoObject, problems: Problems) -> dict[str, Any]:
    wanted = [
        str((one.spec.get("intent") or {}).get("genericPlacementIntent"))
        for one in catalogue.children(group.path, "GroupIntent")
    ]
    where = "/".join(group.path)
    if not wanted:
        problems.add(
            where, "there is no intents map that names a genericPlacementIntent", "add a document with .../intents"
        )
    found: dict[str, dict[str, list[Any]]] = {}
    for intent in catalogue.children(group.path, "GenericPlacementIntent"):
        for one in catalogue.children(intent.path, "AppIntent") if intent.name in wanted else ():
            native = native_intent(one.spec.get("intent") or {}, "/".join(one.path), problems)
            if native is not None:
                _add_intent(found.setdefault(str(one.spec["app"]), {"all_of": [], "any_of": []}), native)
    for app in catalogue.children(group.parent, "App"):
        if app.name not in found and wanted:
            problems.add(where, f"{NO_CLUSTERS}: app {app.name} has no app intent")
    cloud = logical_cloud_of(catalogue, group)
    if cloud is not None:
        _check_members(found, members(catalogue, cloud), where, problems)
    return {app: {key: value for key, value in intent.items() if value} for app, intent in found.items()}


def _add_intent(found: dict[str, list[Any]], more: Mapping[str, Any]) -> None:
    """Several intents for an app hold together; EMCO takes the first that it finds."""
    if found["any_of"] and more["any_of"]:
        found["all_of"] += [{"any_of": list(more["any_of"])}]
    else:
        found["any_of"] += list(more["any_of"])
    found["all_of"] += list(more["all_of"])


def _check_members(
    placement: Mapping[str, Mapping[str, list[Any]]], there: Iterable[str], where: str, problems: Problems
) -> None:
    known = set(there)
    for app, intent in placement.items():
        outside = sorted({one["cluster"] for one in intent["all_of"] if "cluster" in one} - known)
        if outside:
            problems.add(where, f"{NOT_PROVIDED}: app {app} wants {', '.join(outside)}")


def _check_profiles(catalogue: Catalogue, group: EmcoObject, problems: Problems) -> None:
    profile = (*group.parent, "composite-profiles", str(group.spec["compositeProfile"]))
    given = {str(one.spec["app"]) for one in catalogue.children(profile, "AppProfile")}
    for app in catalogue.children(group.parent, "App"):
        if app.name not in given:
            problems.add("/".join(profile), f"AppProfileContent not found: there is no profile for app {app.name}")


def _asks_for_hardware(named: Mapping[str, str]) -> bool:
    return any("hpa" in controller.lower() for controller in named)


def _hardware(catalogue: Catalogue, group: EmcoObject, problems: Problems) -> Iterable[dict[str, Any]]:
    for intent in catalogue.children(group.path, "HpaIntent"):
        for consumer in catalogue.children(intent.path, "HpaConsumer"):
            for one in catalogue.children(consumer.path, "HpaResource"):
                app, where = str(intent.spec["app"]), "/".join(one.path)
                raw = native_requirement(app, consumer.spec, one.spec, where, problems)
                if raw is not None:
                    yield raw
