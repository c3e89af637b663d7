# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``project_info``: projects, which are namespaces of names, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.deployment import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec

_HELD = ("composite_apps", "deployments", "logical_clouds")


@dataclass(frozen=True)
class ProjectInfo:
    """What is asked."""

    name: str | None = option(parse=emco_name, type="str")
    store: Any = option(type="raw")


SPEC = Spec("project_info", ProjectInfo, fleet=True)


def run(wanted: ProjectInfo, context: Context) -> Result:
    """One project, or all that hold something."""
    found = _projects(context.store(wanted.store))
    if wanted.name is None:
        return {"changed": False, "projects": list(found.values())}
    if wanted.name not in found:
        raise EdgeError(
            "UnknownProject",
            f"no project {wanted.name!r} holds anything.",
            hint=near(wanted.name, found) or "A project is there as soon as something is defined in it.",
        )
    return {"changed": False, "projects": [found[wanted.name]]}


def _projects(store: Store) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for kind in _HELD:
        for entry in store.list((kind,)):
            project, name = entry.key[1], entry.key[2]
            held = found.setdefault(project, {"name": project, **{each: [] for each in _HELD}})
            if kind == "composite_apps":
                held[kind].append({"name": name, "version": entry.key[3]})
            elif kind == "logical_clouds":
                told = {key: entry.value[key] for key in ("kind", "namespace")}
                held[kind].append({"name": name, **told, "clusters": len(entry.value["members"])})
            else:
                progress = store.get(("progress", project, name))
                clusters = progress.value["clusters"] if progress is not None else {}
                cloud = entry.value.get("logical_cloud") or "admin"
                held[kind].append({"name": name, "logical_cloud": cloud, "clusters": len(clusters)})
    return dict(sorted(found.items()))
