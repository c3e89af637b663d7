# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: all kinds of objects and operations of EMCO's API, found by an anchor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ansible_collections.emco.edge.plugins.module_utils._emco import (
    table_actions,
    table_apps,
    table_clusters,
    table_services,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Operation, Path, Resource
from ansible_collections.emco.edge.plugins.module_utils._model.errors import near

RESOURCES: tuple[Resource, ...] = (
    *table_clusters.RESOURCES,
    *table_apps.RESOURCES,
    *table_actions.RESOURCES,
    *table_services.RESOURCES,
)
OPERATIONS: tuple[Operation, ...] = (
    *table_clusters.OPERATIONS,
    *table_apps.OPERATIONS,
    *table_services.OPERATIONS,
)
BY_KIND = {one.kind: one for one in RESOURCES}


@dataclass(frozen=True)
class Found:
    """What an anchor means: a collection (``own`` empty), an object in it (its own names), or an operation."""

    resource: Resource
    parameters: dict[str, str]
    parent: Path
    """The path of the parent, empty at the top."""
    own: Path = ()
    operation: Operation | None = None


def find(anchor: str) -> Found | None:
    """What the anchor means, None when it is none of EMCO's."""
    path = path_of(anchor)
    for operation, pattern in _operations().get(len(path), ()):
        parameters = _matched(pattern, path)
        if parameters is not None:
            return Found(BY_KIND[operation.of], parameters, path[: -len(operation.name.split())], (), operation)
    for resource, pattern in _collections().get(len(path), ()):
        parameters = _matched(pattern, path)
        if parameters is not None:
            return Found(resource, parameters, path[:-1])
    for resource, pattern in _named().get(len(path), ()):
        own = len(resource.named_by)
        parameters = _matched(pattern, path[:-own])
        if parameters is not None:
            return Found(resource, parameters, path[: -own - 1], path[-own:])
    return None


def path_of(anchor: str) -> Path:
    """The segments of an anchor, without what a URL has in front."""
    parts = [part for part in anchor.strip().split("/") if part]
    return tuple(parts[1:] if parts[:1] == ["v2"] else parts)


def parent_kind(resource: Resource) -> Resource | None:
    """The kind of the parent."""
    pattern = tuple(resource.anchor.split("/"))[:-1]
    # policy/agents stands under no object.
    for one in RESOURCES:
        own = tuple(one.anchor.split("/"))
        if len(pattern) == len(own) + len(one.named_by) and pattern[: len(own)] == own:
            return one
    return None


def hint_for(anchor: str) -> str:
    """Which anchor was probably meant: one of those that differ in a single word."""
    path = path_of(anchor)
    there = [*(pattern for _of, pattern in _operations().get(len(path), ()))]
    there += [pattern for of in (_collections(), _named()) for _one, pattern in of.get(len(path), ())]
    meant: dict[str, None] = {}
    for pattern in there:
        # An object's own names stand behind its pattern.
        pairs = zip(pattern, path, strict=False)
        wrong = [(wanted, given) for wanted, given in pairs if not wanted.startswith("{") and wanted != given]
        if len(wrong) == 1 and near(wrong[0][1], wrong[0][:1]):
            meant[wrong[0][0]] = None
    return f"did you mean {' or '.join(meant)}?" if meant else "anchors are those of EMCO's API v2, without /v2"


def _matched(pattern: Path, path: Path) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for wanted, given in zip(pattern, path, strict=True):
        if wanted.startswith("{"):
            found[wanted[1:-1]] = given
        elif wanted != given:
            return None
    return found


@cache
def _operations() -> dict[int, list[tuple[Operation, Path]]]:
    found: dict[int, list[tuple[Operation, Path]]] = {}
    for one in OPERATIONS:
        pattern = tuple(one.anchor.split("/"))
        found.setdefault(len(pattern), []).append((one, pattern))
    return found


@cache
def _collections() -> dict[int, list[tuple[Resource, Path]]]:
    found: dict[int, list[tuple[Resource, Path]]] = {}
    for one in RESOURCES:
        pattern = tuple(one.anchor.split("/"))
        found.setdefault(len(pattern), []).append((one, pattern))
    return found


@cache
def _named() -> dict[int, list[tuple[Resource, Path]]]:
    found: dict[int, list[tuple[Resource, Path]]] = {}
    for one in RESOURCES:
        pattern = tuple(one.anchor.split("/"))
        found.setdefault(len(pattern) + len(one.named_by), []).append((one, pattern))
    return found
