# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the record of a deployment in a cluster, which says what of ours is there.

A Secret whose content is signed with a key that tenants do not have. It is written with compare-and-swap before the
first object of a sync is sent and shrunk after the last one is pruned, so that a killed run never leaves an object
that nobody knows of, and two control nodes never work on one deployment of a cluster at once.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import MANAGED_BY, OURS, Identity

NAMESPACE = "emco-edge-system"
RECORD_LABEL = "emco.edge/record"
_SECRETS = Resource("v1", "Secret", "secrets", True)
_NAMESPACES = Resource("v1", "Namespace", "namespaces", False)
_TYPE = "emco.edge/record.v1"
_FORMAT = 1
# A Secret holds 1 MiB; base64 and the rest of the object stay below the store's limit for a request.
_LARGEST = 900_000


class Keys(Protocol):
    """The keys of the orchestrator, kept apart from its store."""

    def digest(self, data: bytes) -> str:
        """The keyed digest of bytes: 32 hexadecimal characters."""

    def sign(self, data: bytes) -> str:
        """A signature that only holders of the key can make."""

    def verify(self, data: bytes, signature: str) -> bool:
        """Whether the signature was made with one of our keys, over exactly these bytes."""


class Phase(str, Enum):
    """Where the work on a cluster stands."""

    PROGRESSING = "Progressing"
    CURRENT = "Current"
    REMOVING = "Removing"


@dataclass(frozen=True)
class RecordedObject:
    """An object of ours. ``uid`` is empty from before it is created until its creation is recorded."""

    identity: Identity
    api_version: str
    app: str
    uid: str = ""
    sent: str = ""
    """The digest of what was sent, empty until it has been sent."""
    live: str = ""
    """The digest of the fields that are ours, as the server had them afterwards."""
    hook: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Record:
    """What one cluster holds of one deployment."""

    deployment: str
    """Readable: ``project/name``."""
    label: str
    manager: str
    release: str = ""
    revision: int = 0
    """The revision that last changed something here."""
    bundle: str = ""
    """The digest of the bundle that is being applied, or was."""
    phase: Phase = Phase.PROGRESSING
    event: str = "install"
    run: int = 1
    """Counts the bundles that were started here: part of what marks a hook as done."""
    hooks_done: tuple[str, ...] = ()
    """Hooks of this run that are done and whose objects are gone."""
    objects: tuple[RecordedObject, ...] = ()
    decision: Mapping[str, Any] = field(default_factory=dict)
    """Apps, replicas and versions, enough to build a lost store anew."""
    version: str = field(default="", compare=False)
    """The resourceVersion of the Secret; empty: there is none yet."""

    def by_identity(self) -> dict[Identity, RecordedObject]:
        """The objects by what makes them the same one."""
        return {one.identity: one for one in self.objects}


def record_name(label: str) -> str:
    """The name of the Secret of a deployment, from the value of its deployment label."""
    return "record-" + hashlib.sha256(label.encode()).hexdigest()[:32]


def read_record(client: ClusterClient, label: str, keys: Keys) -> Record | None:
    """The record of a deployment, None when the cluster has none; ClusterError ``RecordNotTrusted``. One request."""
    found = client.get(_SECRETS, NAMESPACE, record_name(label))
    return None if found is None else _opened(client.name, found, keys)


def read_records(client: ClusterClient, keys: Keys) -> tuple[Record, ...]:
    """All records of a cluster, by deployment: what of ours is there. One request, more for more than 500."""
    found = client.list(_SECRETS, NAMESPACE, labels=f"{RECORD_LABEL}=true")
    return tuple(sorted((_opened(client.name, one, keys) for one in found), key=lambda one: one.deployment))


def write_record(client: ClusterClient, record: Record, keys: Keys) -> Record:
    """Store a record if it is still the one that was read, with its new version.

    ClusterError ``RecordConflict``: another control node wrote it since. Creates the namespace when it is missing.
    """
    raise NotImplementedError


def delete_record(client: ClusterClient, record: Record) -> None:
    """Delete a record if it is still the one that was read; ClusterError ``RecordConflict``."""
    raise NotImplementedError


def _opened(cluster: str, secret: Mapping[str, Any], keys: Keys) -> Record:
    raise NotImplementedError
