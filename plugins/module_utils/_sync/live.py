# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what of a deployment is on a cluster, in one LIST a kind and namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import DEPLOYMENT_LABEL, Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.lanes import Lanes

Object = dict[str, Any]
Objects = dict[Identity, Object]
Versions = Mapping[Identity, str]
"""Objects and the API version in which each is to be read."""


@dataclass(frozen=True)
class _Part:
    """Some objects of one kind, in one namespace or, empty, wherever they are."""

    resource: Resource
    namespace: str
    identities: tuple[Identity, ...]


def labelled(client: ClusterClient, lanes: Lanes, label: str, wanted: Versions) -> Objects:
    """All objects of the kinds and namespaces of ``wanted`` that carry the deployment label, in full."""
    selector = f"{DEPLOYMENT_LABEL}={label}"

    def read(part: _Part) -> list[Object]:
        return list(client.list(part.resource, part.namespace or None, labels=selector))

    parts = _by_namespace(client, wanted)
    found: Objects = {}
    for part, objects in zip(parts, lanes.each(read, parts), strict=True):
        found.update({identity_of(part.resource, one): one for one in objects})
    return found


def existing(client: ClusterClient, lanes: Lanes, wanted: Versions) -> Objects:
    """Those of the objects that exist, whoever made them: their metadata only.

    One request a kind: a GET for a single object, a LIST of the namespace for several, of the cluster where they are
    in several namespaces.
    """
    missing_namespaces = _missing_namespaces(client, wanted)
    found: Objects = {}
    rest = {one: version for one, version in wanted.items() if one.namespace not in missing_namespaces.absent}
    found.update(missing_namespaces.found)
    parts = _by_kind(client, {one: version for one, version in rest.items() if not _is_namespace(one)})

    def read(part: _Part) -> list[Object]:
        try:
            return _metadata(client, part)
        except ClusterError as error:
            if error.reason != "Forbidden" or part.namespace or not part.resource.namespaced:
                raise
            # An account of some namespaces only.
            spaces = sorted({one.namespace for one in part.identities})
            return [each for space in spaces for each in client.list(part.resource, space, metadata_only=True)]

    for part, objects in zip(parts, lanes.each(read, parts), strict=True):
        known = frozenset(part.identities)
        for one in objects:
            identity = identity_of(part.resource, one)
            if identity in known:
                found[identity] = one
    return found


def identity_of(resource: Resource, live: Mapping[str, Any]) -> Identity:
    """The identity of a live object of a kind."""
    metadata = live["metadata"]
    return Identity(resource.group, resource.kind, str(metadata.get("namespace") or ""), str(metadata["name"]))


@dataclass(frozen=True)
class _Namespaces:
    found: Objects
    absent: frozenset[str]


def _missing_namespaces(client: ClusterClient, wanted: Versions) -> _Namespaces:
    """The wanted namespaces that exist, and those that do not: nothing is looked for in these."""
    namespaces = {one: version for one, version in wanted.items() if _is_namespace(one)}
    found: Objects = {}
    for part in _by_kind(client, namespaces):
        for one in _metadata(client, part):
            identity = identity_of(part.resource, one)
            if identity in namespaces:
                found[identity] = one
    return _Namespaces(found, frozenset(one.name for one in namespaces if one not in found))


def _metadata(client: ClusterClient, part: _Part) -> list[Object]:
    if len(part.identities) == 1:
        one = part.identities[0]
        found = client.get(part.resource, one.namespace, one.name, metadata_only=True)
        return [] if found is None else [found]
    return list(client.list(part.resource, part.namespace or None, metadata_only=True))


def _is_namespace(identity: Identity) -> bool:
    return identity.kind == "Namespace" and not identity.group


def _by_namespace(client: ClusterClient, wanted: Versions) -> list[_Part]:
    return _parts(client, wanted, lambda one: one.namespace)


def _by_kind(client: ClusterClient, wanted: Versions) -> list[_Part]:
    spaces: dict[tuple[str, str], set[str]] = {}
    for one in wanted:
        spaces.setdefault((one.group, one.kind), set()).add(one.namespace)

    def space(one: Identity) -> str:
        return one.namespace if len(spaces[one.group, one.kind]) == 1 else ""

    return _parts(client, wanted, space)


def _parts(client: ClusterClient, wanted: Versions, space: Any) -> list[_Part]:
    # One version a kind: the first one given, so that no kind is read twice.
    versions: dict[tuple[str, str], str] = {}
    groups: dict[tuple[str, str, str], list[Identity]] = {}
    for one, version in wanted.items():
        versions.setdefault((one.group, one.kind), version)
        groups.setdefault((one.group, one.kind, space(one)), []).append(one)
    parts = []
    for (group, kind, namespace), identities in groups.items():
        resource = client.kinds.find(versions[group, kind], kind)
        # A kind that is not served has no objects.
        if resource is not None:
            parts.append(_Part(resource, namespace, tuple(identities)))
    return parts


def versions_of(*sources: Iterable[Any]) -> dict[Identity, str]:
    """The API versions of planned and recorded objects; earlier sources win."""
    found: dict[Identity, str] = {}
    for source in sources:
        for one in source:
            found.setdefault(one.identity, one.api_version)
    return found
