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
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import MANAGED_BY, OURS, Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Event
from ansible_collections.emco.edge.plugins.module_utils._sync.record_parts import (
    drop_parts,
    joined,
    named_parts,
    part_names,
    parts_of,
    put_parts,
)

NAMESPACE = "emco-edge-system"
RECORD_LABEL = "emco.edge/record"
_SECRETS = Resource("v1", "Secret", "secrets", True)
_NAMESPACES = Resource("v1", "Namespace", "namespaces", False)
_TYPE = "emco.edge/record.v1"
_FORMAT = 1
# A Secret holds 1 MiB; base64 and the rest of the object stay below the store's limit for a request.


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
    expires: bool = False
    """A Job that the cluster removes some time after it is done."""


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
    event: Event = "install"
    apps: tuple[str, ...] = ()
    """The apps whose installation is finished."""
    run: int = 1
    """Counts the bundles that were started here: part of what marks a hook as done."""
    hooks_done: tuple[str, ...] = ()
    """Hooks of this run that are done and whose objects are gone."""
    objects: tuple[RecordedObject, ...] = ()
    decision: Mapping[str, Any] = field(default_factory=dict)
    """Apps, replicas and versions, enough to build a lost store anew."""
    version: str = field(default="", compare=False)
    """The resourceVersion of the Secret; empty: there is none yet."""
    parts: tuple[str, ...] = field(default=(), compare=False)
    """The names of the Secrets that its content is in, when one does not hold it."""

    def by_identity(self) -> dict[Identity, RecordedObject]:
        """The objects by what makes them the same one."""
        return {one.identity: one for one in self.objects}


def record_name(label: str) -> str:
    """The name of the Secret of a deployment, from the value of its deployment label."""
    return "record-" + hashlib.sha256(label.encode()).hexdigest()[:32]


def read_record(client: ClusterClient, label: str, keys: Keys) -> Record | None:
    """The record of a deployment, None when the cluster has none; ClusterError ``RecordNotTrusted``.

    One request, and one a part for a record that one Secret does not hold.
    """
    found = client.get(_SECRETS, NAMESPACE, record_name(label))
    return None if found is None else _opened(client, found, keys)


def read_records(client: ClusterClient, keys: Keys) -> tuple[Record, ...]:
    """All records of a cluster, by deployment: what of ours is there. One request, more for more than 500."""
    found = client.list(_SECRETS, NAMESPACE, labels=f"{RECORD_LABEL}=true")
    return tuple(sorted((_opened(client, one, keys) for one in found), key=lambda one: one.deployment))


def read_signed_records(client: ClusterClient, keys: Keys) -> tuple[tuple[Record, bool], ...]:
    """All records of a cluster, and whether each is signed with the first key."""
    found = client.list(_SECRETS, NAMESPACE, labels=f"{RECORD_LABEL}=true")
    return tuple((_opened(client, one, keys), _is_signed_with_first(client, one, keys)) for one in found)


def _is_signed_with_first(client: ClusterClient, secret: Mapping[str, Any], keys: Keys) -> bool:
    signature = base64.b64decode(secret["data"]["signature"]).decode()
    return signature == keys.sign(_signed(_content(client, secret) or b""))


def write_record(client: ClusterClient, record: Record, keys: Keys) -> Record:
    """Store a record if it is still the one that was read, with its new version.

    Creates the namespace when it is missing. ClusterError ``RecordConflict``: another control node wrote it since.
    """
    content = _compressed(record)
    name = record_name(record.label)
    parts = part_names(name, content)
    secret = _sealed(record, content, parts, keys)
    try:
        if parts:
            put_parts(lambda part: _created(client, part), NAMESPACE, name, content)
        if record.version:
            stored = client.keeper.replace(_SECRETS, NAMESPACE, secret, manager=OURS)
        else:
            stored = _created(client, secret)
    except ClusterError as error:
        raise _conflict_of(client.name, record, error) from error
    drop_parts(client, _SECRETS, NAMESPACE, [one for one in record.parts if one not in parts])
    return replace(record, version=str(stored["metadata"]["resourceVersion"]), parts=parts)


def delete_record(client: ClusterClient, record: Record) -> None:
    """Delete a record if it is still the one that was read; ClusterError ``RecordConflict``."""
    try:
        client.keeper.delete(_SECRETS, NAMESPACE, record_name(record.label), resource_version=record.version)
    except ClusterError as error:
        raise _conflict_of(client.name, record, error) from error
    if record.parts:
        name = record_name(record.label)
        drop_parts(client, _SECRETS, NAMESPACE, parts_of(client, _SECRETS, NAMESPACE, name))


def _created(whose: ClusterClient, secret: Mapping[str, Any]) -> dict[str, Any]:
    client = whose.keeper
    try:
        return client.create(_SECRETS, NAMESPACE, secret, manager=OURS)
    except ClusterError as error:
        if error.reason != "NamespaceMissing":
            raise
    # Tried first without: the namespace is missing only once in the life of a cluster.
    namespace = {"metadata": {"name": NAMESPACE, "labels": {MANAGED_BY: OURS}}}
    try:
        client.create(_NAMESPACES, None, namespace, manager=OURS)
    except ClusterError as error:
        # Another deployment of this run may have been quicker.
        if error.reason != "AlreadyExists":
            raise
    return client.create(_SECRETS, NAMESPACE, secret, manager=OURS)


def _conflict_of(cluster: str, record: Record, error: ClusterError) -> ClusterError:
    # NotFound: the Secret that was read is gone, whoever deleted it.
    if error.reason not in ("Conflict", "AlreadyExists") and not (error.reason == "NotFound" and record.version):
        return error
    return ClusterError(
        "RecordConflict",
        f"the record of {record.deployment} on {cluster} was changed by somebody else while this run worked on it.",
        hint="Another control node works on this deployment; run again when it is done.",
        details={"cluster": cluster},
    )


def _compressed(record: Record) -> bytes:
    # No time in the compressed form: the same record is the same bytes.
    return gzip.compress(json.dumps(_document(record), separators=(",", ":")).encode(), 6, mtime=0)


def _sealed(record: Record, content: bytes, parts: tuple[str, ...], keys: Keys) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": record_name(record.label),
        "namespace": NAMESPACE,
        "labels": {MANAGED_BY: OURS, RECORD_LABEL: "true"},
        "annotations": {f"{RECORD_LABEL}-of": record.deployment},
    }
    if record.version:
        metadata["resourceVersion"] = record.version
    here = {"parts": json.dumps(parts).encode()} if parts else {"record": content}
    return {
        "metadata": metadata,
        "type": _TYPE,
        "data": {
            **{name: base64.b64encode(data).decode() for name, data in here.items()},
            "signature": base64.b64encode(keys.sign(_signed(content)).encode()).decode(),
        },
    }


def _signed(content: bytes) -> bytes:
    # The purpose is part of it, so that nothing else that the key signs passes as a record.
    return b"emco.edge record\n" + content


def _content(client: ClusterClient, secret: Mapping[str, Any]) -> bytes | None:
    """What was signed, None when a part of it is not there."""
    parts = named_parts(secret)
    if parts:
        return joined(client, _SECRETS, NAMESPACE, parts)
    return base64.b64decode(secret["data"]["record"], validate=True)


def _opened(client: ClusterClient, secret: Mapping[str, Any], keys: Keys) -> Record:
    cluster, metadata = client.name, secret["metadata"]
    try:
        content = _content(client, secret)
        if content is None:
            newer = client.get(_SECRETS, NAMESPACE, str(metadata["name"]))
            if newer is not None and newer["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
                # Another control node wrote it between our requests, and its old parts are gone.
                return _opened(client, newer, keys)
            raise _not_trusted(cluster, metadata, "a part of it is missing")
        signature = base64.b64decode(secret["data"]["signature"], validate=True).decode()
        if not keys.verify(_signed(content), signature):
            raise _not_trusted(cluster, metadata, "its signature is not one of ours")
        record = _record(json.loads(gzip.decompress(content)))
    except (KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise _not_trusted(cluster, metadata, f"it cannot be read ({type(error).__name__})") from error
    if metadata.get("name") != record_name(record.label):
        raise _not_trusted(cluster, metadata, f"it is the record of {record.deployment} under another name")
    return replace(record, version=str(metadata["resourceVersion"]), parts=named_parts(secret))


def _not_trusted(cluster: str, metadata: Mapping[str, Any], why: str) -> ClusterError:
    name = metadata.get("name")
    whose = (metadata.get("annotations") or {}).get(f"{RECORD_LABEL}-of")
    return ClusterError(
        "RecordNotTrusted",
        f"the record {NAMESPACE}/{name} on {cluster}{f' ({whose})' if whose else ''} is not to be trusted: {why}. "
        "Nothing was changed or deleted.",
        hint="Someone edited it, or it was written with other keys: put the keys back; or, when you are sure, delete "
        "this Secret and deploy with adopt: true.",
        details={"cluster": cluster, "record": f"{NAMESPACE}/{name}"},
    )


def _document(record: Record) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "deployment": record.deployment,
        "label": record.label,
        "manager": record.manager,
        "release": record.release,
        "revision": record.revision,
        "bundle": record.bundle,
        "phase": record.phase.value,
        "event": record.event,
        "apps": list(record.apps),
        "run": record.run,
        "hooks_done": list(record.hooks_done),
        "decision": dict(record.decision),
        "columns": list(_COLUMNS),
        "objects": [_row(one) for one in record.objects],
    }


_COLUMNS = ("api_version", "kind", "namespace", "name", "app", "uid", "sent", "live", "hook", "keep", "expires")


def _row(one: RecordedObject) -> list[Any]:
    where = one.identity
    flags = [one.hook, one.keep, one.expires]
    return [one.api_version, where.kind, where.namespace, where.name, one.app, one.uid, one.sent, one.live, *flags]


def _record(document: Mapping[str, Any]) -> Record:
    if document["format"] != _FORMAT:
        raise ValueError("a record of another version")
    return Record(
        deployment=document["deployment"],
        label=document["label"],
        manager=document["manager"],
        release=document["release"],
        revision=document["revision"],
        bundle=document["bundle"],
        phase=Phase(document["phase"]),
        event=document["event"],
        apps=tuple(document["apps"]),
        run=document["run"],
        hooks_done=tuple(document["hooks_done"]),
        decision=document["decision"],
        objects=tuple(_recorded(row) for row in document["objects"]),
    )


def _recorded(row: list[Any]) -> RecordedObject:
    api_version, kind, namespace, name, app, uid, sent, live, hook, keep, expires = row
    identity = Identity(api_version.rpartition("/")[0], kind, namespace, name)
    return RecordedObject(identity, api_version, app, uid, sent, live, hook, keep, expires)
