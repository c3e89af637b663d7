# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what of other people's would be deleted along with a namespace or a definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.discovery import served_kinds
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import DEPLOYMENT_LABEL
from ansible_collections.emco.edge.plugins.module_utils._sync.live import identity_of
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_definition, is_namespace
from ansible_collections.emco.edge.plugins.module_utils._sync.record import RecordedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session

# Made by the cluster itself for each namespace, or for objects that are there for others.
_FURNITURE = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
_BY_PRODUCTS = {"Event", "Endpoints", "EndpointSlice", "Lease", "PodMetrics"}
_SHOWN = 5


def others_in(session: Session, one: RecordedObject) -> str:
    """What of others is in a namespace or of a defined kind: a few by name; empty when nothing is, or for other kinds.

    What is owned by another object counts with that object. A claim always counts: its data is nobody's to lose.
    """
    if is_definition(one.identity):
        found = _instances(session, one)
    elif is_namespace(one.identity):
        found = _inhabitants(session, one.identity.name)
    else:
        return ""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _instances(session: Session, one: RecordedObject) -> list[str]:
    definition = session.live.get(one.identity) or {}
    spec = definition.get("spec") or {}
    served = [str(version["name"]) for version in spec.get("versions") or () if version.get("served")]
    if not served:
        return []
    names = spec["names"]
    namespaced = spec.get("scope") == "Namespaced"
    resource = Resource(f"{spec['group']}/{served[0]}", str(names["kind"]), str(names["plural"]), namespaced)
    return [
        _named(resource, each)
        for each in session.client.list(resource, metadata_only=True)
        if not _is_ours(session, each)
    ]


def _inhabitants(session: Session, namespace: str) -> list[str]:
    served = [one for path in ("/api", "/apis") for one in served_kinds(session.client, path)]
    resources = [
        one.resource
        for one in served
        if one.listed and one.preferred and one.resource.namespaced and one.resource.kind not in _BY_PRODUCTS
    ]

    def read(resource: Resource) -> list[str]:
        try:
            found = list(session.client.list(resource, namespace, metadata_only=True))
        except ClusterError as error:
            # Kinds that only exist on paper: an aggregated API that is down, one that cannot be listed.
            if error.reason in ("NotSupported", "ServerError"):
                return []
            raise
        return [_named(resource, one) for one in found if _counts(session, resource, one)]

    return sorted({name for names in session.lanes.each(read, resources) for name in names})


def _counts(session: Session, resource: Resource, live: Mapping[str, Any]) -> bool:
    metadata = live["metadata"]
    if resource.kind == "PersistentVolumeClaim" and not resource.group:
        return not metadata.get("deletionTimestamp")
    if metadata.get("ownerReferences") or (resource.kind, metadata["name"]) in _FURNITURE:
        return False
    return not _is_ours(session, live)


def _is_ours(session: Session, live: Mapping[str, Any]) -> bool:
    return (live["metadata"].get("labels") or {}).get(DEPLOYMENT_LABEL) == session.bundle.label


def _named(resource: Resource, live: Mapping[str, Any]) -> str:
    return str(identity_of(resource, live))
