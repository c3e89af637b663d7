# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which fields of a live object are left to others, and which are taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import projected, projection, written
from ansible_collections.emco.edge.plugins.module_utils._sync.options import IgnoredField

_REPLICAS = "spec.replicas"
_SCALERS = Resource("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True)


def without_fields_of_others(
    client: ClusterClient,
    where: Identity,
    live: Mapping[str, Any],
    body: bytes,
    *,
    ignored: Iterable[IgnoredField],
    manager: str,
) -> bytes:
    """The body without the fields that others set and may set: ignored ones, replicas of an autoscaler.

    A field that is still ours is sent as ever: leaving it out would take it off the object.
    """
    paths = {
        field.path for field in ignored if fnmatchcase(where.kind, field.kind) and fnmatchcase(where.name, field.name)
    }
    if _is_scaled(client, where, live):
        paths.add(_REPLICAS)
    if not paths:
        return body
    ours = {path for path, _unused in _leaves((), projection(live, manager))}
    document = json.loads(body)
    taken = [path for path in sorted(paths) if path not in ours and _remove(document, path)]
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() if taken else body


def contested(live: Mapping[str, Any], body: bytes, manager: str) -> bool:
    """Whether another declared owner (one that applies) holds a field that the body wants otherwise.

    Two deployments on one object, or another tool that declares it, are never fought; edits by hand are corrected.
    """
    document: Any = None
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if entry.get("manager") == manager or entry.get("operation") != "Apply":
            continue
        document = document if document is not None else json.loads(body)
        wanted = dict(_leaves((), projected(document, entry.get("fieldsV1") or {})))
        there = dict(_leaves((), projected(live, entry.get("fieldsV1") or {})))
        if any(there.get(path) != value for path, value in wanted.items()):
            return True
    return False


def only_updates(error: ClusterError) -> bool:
    """Whether all that a field conflict names are plain updates: edits, not other declared owners."""
    conflicts = error.details.get("conflicts") or ()
    return bool(conflicts) and all(one.get("operation") == "Update" for one in conflicts)


def _is_scaled(client: ClusterClient, where: Identity, live: Mapping[str, Any]) -> bool:
    """Whether an autoscaler of the workload set its replicas; asked for only when somebody did through ``scale``."""
    scaled = any(
        entry.get("subresource") == "scale" for entry in (live.get("metadata") or {}).get("managedFields") or ()
    )
    if not scaled:
        return False
    for scaler in client.list(_SCALERS, where.namespace):
        target = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
        if (target.get("kind"), target.get("name")) == (where.kind, where.name):
            return True
    return False


def _leaves(path: tuple[str, ...], part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, Mapping) and part:
        for key, below in part.items():
            if key != ".":
                yield from _leaves((*path, key), below)
    else:
        yield written(path), part


def _remove(document: Any, path: str) -> bool:
    """Take a field out of a document; whether it was there."""
    *parents, last = _steps_of(path)
    for name, keys in parents:
        document = _into(document, name, keys)
    name, keys = last
    if not isinstance(document, dict) or name not in document:
        return False
    if not keys:
        del document[name]
        return True
    item = _into(document, name, keys)
    if item is None:
        return False
    document[name].remove(item)
    return True


def _into(document: Any, name: str, keys: Mapping[str, str]) -> Any:
    found = document.get(name) if isinstance(document, dict) else None
    if not keys:
        return found
    items = found if isinstance(found, list) else ()
    matching = (one for one in items if all(str(one.get(key)) == value for key, value in keys.items()))
    return next(matching, None)


def _steps_of(path: str) -> list[tuple[str, dict[str, str]]]:
    """``a.b[name=x][c.d]`` as names, each with the keys of a list item."""
    found: list[tuple[str, dict[str, str]]] = []
    rest = path
    while rest:
        if rest.startswith("["):
            inside, _unused, rest = rest[1:].partition("]")
            if "=" in inside:
                for pair in inside.split(","):
                    key, _unused, value = pair.partition("=")
                    found[-1][1][key] = value
            else:
                found.append((inside, {}))
        else:
            rest = rest.removeprefix(".")
            end = min((at for at in (rest.find("."), rest.find("[")) if at >= 0), default=len(rest))
            found.append((rest[:end], {}))
            rest = rest[end:]
    return found
