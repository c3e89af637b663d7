# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``document_info``: what EMCO's documents mean here; nothing is changed anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco import native, support
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject, Refused
from ansible_collections.emco.edge.plugins.module_utils._emco.convert import converted
from ansible_collections.emco.edge.plugins.module_utils._emco.documents import Document
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._emco.status import (
    StatusQuery,
    cloud_status,
    group_status,
    networks_status,
    unknown_apps,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.world import NETWORKS, World, forwards
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._verbs import deployment_info, logical_cloud_info, network_info
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_database import load_world
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_groups import Groups
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_outcome import Manner, call
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_sources import CachedPackages, read_sources
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class DocumentInfoOptions:
    """The options of ``document_info``."""

    src: tuple[str, ...] = option(required=True)
    values: tuple[str, ...] = option(default=())
    convert: bool = option(default=False)
    status: StatusQuery | None = option()
    store: Any = option(type="raw")


SPEC = Spec("document_info", DocumentInfoOptions, fleet=True)


def run(wanted: DocumentInfoOptions, context: Context) -> Result:
    """Check the documents; convert them, tell their status, and what of them is not supported."""
    context = replace(context, check=True)
    context.store(wanted.store)
    documents = read_sources(wanted.src, wanted.values, context)
    stored = load_world(context.store(), context.keys())
    described = stored.copy()
    problems = Problems()
    steps = forwards(documents)
    described.try_out(steps, problems)
    problems.raise_if_any("the documents")
    result: Result = {
        "changed": False,
        "documents": [
            {
                "anchor": step.what,
                "kind": step.document.object.kind if step.document.object is not None else step.do,
                "file": step.document.place.file,
                "line": step.document.place.line,
            }
            for step in steps
        ],
        "unsupported": [one.as_result() for one in support.of_steps(steps)],
    }
    if wanted.convert:
        groups = Groups(described, Manner(), context, [])
        paths = {path for document in documents for path in _with_ancestors(document, described)}
        found = converted(described.catalogue, paths, CachedPackages(context.environ), groups.name_of, problems)
        problems.raise_if_any("what the documents mean")
        result["converted"] = found
    if wanted.status is not None:
        result["status"] = _statuses(wanted.status, documents, stored, context)
    return result


def _with_ancestors(document: Document, world: World) -> list[Path]:
    """The object of a document and what it stands under."""
    found, one = [], world.catalogue.get(document.path)
    while one is not None:
        found.append(one.path)
        one = world.catalogue.get(one.parent)
    return found


def _statuses(
    query: StatusQuery, documents: Sequence[Document], world: World, context: Context
) -> list[dict[str, Any]]:
    """The status of each group, logical cloud and cluster with networks that a document is about."""
    asked = {path: None for document in documents for path in _with_ancestors(document, world)}
    found = []
    for path in asked:
        one = world.catalogue.get(path)
        if one is not None and one.kind == "DeploymentIntentGroup":
            found.append(_group(query, one, world, context))
        elif one is not None and one.kind == "LogicalCloud":
            found.append(_cloud(query, one, world, context))
        elif one is not None and one.kind == "Cluster" and world.catalogue.children(path, *NETWORKS):
            found.append(_networks(query, one, world, context))
    return found


def _cloud(query: StatusQuery, one: EmcoObject, world: World, context: Context) -> dict[str, Any]:
    life, told = world.lifecycle(one.path), None
    if life.running:
        asked = {"project": one.path[1], "name": one.name, "status": query.view("ready"), "output": "detail"}
        told = call(logical_cloud_info.SPEC, logical_cloud_info.run, asked, context)["logical_clouds"][0]
    return cloud_status(query, one, life, native.context_id(one.path), told)


def _networks(query: StatusQuery, one: EmcoObject, world: World, context: Context) -> dict[str, Any]:
    life, told, full = world.lifecycle(one.path), None, None
    if life.running:
        asked = {"clusters": [f"{one.path[1]}+{one.path[3]}"], "output": "detail"}
        told = full = call(network_info.SPEC, network_info.run, {**asked, "live": True}, context)
        if query.view("ready") == "deployed":
            full = call(network_info.SPEC, network_info.run, asked, context)
    return networks_status(query, one, life, native.context_id(one.path), told, full)


def _group(query: StatusQuery, one: EmcoObject, world: World, context: Context) -> dict[str, Any]:
    apps = [app.name for app in world.catalogue.children(one.parent, "App")]
    unknown = unknown_apps(query, apps)
    if unknown:
        raise Refused(400, f"{'/'.join(one.path)} has no app {', '.join(unknown)}", near(unknown[0], apps))
    life = world.lifecycle(one.path)
    told = _deployed(query, one, life.deployed, context) if life.deployed else None
    return group_status(query, one, life, native.context_id(one.path), told)


def _deployed(query: StatusQuery, one: EmcoObject, name: str, context: Context) -> dict[str, Any] | None:
    asked: dict[str, Any] = {
        "project": one.path[1],
        "name": name,
        "status": query.view("deployed"),
        "output": "detail" if query.output == "detail" else "all",
        "apps": list(query.app),
        "clusters": list(query.cluster),
        "resources": list(query.resource),
        "why_not_ready": False,
    }
    try:
        result = call(deployment_info.SPEC, deployment_info.run, asked, context)
    except EdgeError as error:
        if error.reason != "UnknownDeployment":
            raise
        return None
    found: dict[str, Any] = result["deployments"][0]
    return found
