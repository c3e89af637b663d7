# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which kinds a cluster serves, all of them in two requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


@dataclass(frozen=True)
class ServedKind:
    """A kind that a cluster serves, in one of its versions."""

    resource: Resource
    listed: bool
    """Whether its objects can be listed: reviews and the like cannot."""
    preferred: bool
    """Whether the server prefers this version of the group."""


def served_kinds(client: ClusterClient, path: str) -> list[ServedKind]:
    """The kinds under ``/api`` (the core group) or ``/apis``. One request; before Kubernetes 1.26 one a group version.

    An aggregated API whose server is down has no kinds, as kubectl has it.
    """
    found = client.read(path, f"read the kinds under {path}", accept=_AGGREGATED) or {}
    if found.get("kind") == "APIGroupDiscoveryList":
        return list(_aggregated(found.get("items") or ()))
    versions = found.get("versions") or [
        each["groupVersion"] for group in found.get("groups") or () for each in group["versions"]
    ]
    return [one for version in versions for one in _one_by_one(client, path, str(version))]


def _aggregated(groups: Iterable[Mapping[str, Any]]) -> Iterator[ServedKind]:
    for group in groups:
        name = str((group.get("metadata") or {}).get("name") or "")
        # The server lists the version that it prefers first.
        for place, version in enumerate(group.get("versions") or ()):
            api_version = f"{name}/{version['version']}" if name else str(version["version"])
            for one in version.get("resources") or ():
                kind = str((one.get("responseKind") or {}).get("kind") or "")
                if kind:
                    resource = Resource(api_version, kind, str(one["resource"]), one.get("scope") == "Namespaced")
                    yield ServedKind(resource, "list" in (one.get("verbs") or ()), place == 0)


def _one_by_one(client: ClusterClient, path: str, api_version: str) -> Iterator[ServedKind]:
    listed = client.read(f"{path}/{api_version}", f"read the kinds of {api_version}") or {}
    for one in listed.get("resources") or ():
        if "/" not in one["name"]:
            resource = Resource(api_version, str(one["kind"]), str(one["name"]), bool(one["namespaced"]))
            yield ServedKind(resource, "list" in (one.get("verbs") or ()), True)
