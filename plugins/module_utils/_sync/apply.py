# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: sending objects to one cluster, one server-side apply each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import Applied, Removal
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync import yielding
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import (
    Projection,
    applied_by,
    digest_of,
    projection,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_irreplaceable, steps
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action
from ansible_collections.emco.edge.plugins.module_utils._sync.record import RecordedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.waiting import await_gone

# What a server refuses in the first moments of a namespace, a definition or a quota, and takes a moment later.
_FLEETING = ("error looking up service account", "status unknown for quota", "the object has been modified")
_MOMENTS = 8
_MOMENT = 0.2


def send_all(session: Session, objects: Iterable[PlannedObject]) -> None:
    """Send objects step by step in install order, each step at once; the first error ends it after its step."""
    for group in steps(objects):
        session.stop_if_told()
        send_together(session, group)


def send_together(session: Session, objects: Sequence[PlannedObject]) -> None:
    """Send objects that do not need each other; every error is noted, the first one raised."""
    attempts = session.lanes.attempts(lambda one: _sent(session, one), objects)
    errors = []
    for one, attempt in zip(objects, attempts, strict=True):
        if isinstance(attempt, EdgeError):
            errors.append(attempt)
            if session.silent is None:
                session.result(one, Action.FAILED, attempt.reason, attempt.message)
        else:
            _arrived(session, one, attempt)
    if errors:
        raise session.silent or errors[0]


def _sent(session: Session, one: PlannedObject) -> Applied:
    if session.silent is not None:
        raise session.silent
    try:
        known = session.live.get(one.identity)
        if known is not None and known["metadata"].get("deletionTimestamp"):
            # What is sent to an object on its way out goes with it.
            await_gone(session, {one.identity: str(known["metadata"]["uid"])}, {one.identity: one.api_version})
        return _inherited(session, one, apply(session, one, one.body))
    except EdgeError as error:
        raise session.noticed(error) from None


def _inherited(session: Session, one: PlannedObject, applied: Applied) -> Applied:
    """The object once the deployment that had it before has let go of it, and with it of fields that we do not set."""
    heritage = session.options.heritage
    if heritage is None or not applied_by(applied.live, heritage.manager):
        return applied
    where = one.identity
    metadata = {"name": where.name, **({"namespace": where.namespace} if where.namespace else {})}
    nothing = json.dumps({"apiVersion": one.api_version, "kind": where.kind, "metadata": metadata}).encode()
    left = session.client.apply(
        session.resource(one), where.namespace, where.name, nothing, manager=heritage.manager, force=False
    )
    return replace(applied, live=left.live)


def apply(session: Session, one: PlannedObject, body: bytes, *, dry_run: bool = False) -> Applied:
    """Send one object, with what the options say about conflicts and immutable fields."""
    known = session.live.get(one.identity)
    old = session.recorded.get(one.identity)
    ours = old is not None and bool(old.live)
    settled = ours and old is not None and old.sent == one.digest
    # Nothing is sent to what belongs to a third one; what two deployments hold while one follows the other is no fight.
    inherits = session.options.heritage is not None
    force = session.options.conflicts == "force" or inherits or (session.options.adopt and not ours)
    if ours and known is not None:
        body = yielding.without_fields_of_others(
            session.client,
            one.identity,
            known,
            body,
            ignored=session.options.ignore_fields,
            manager=session.bundle.manager,
        )
    if settled and known is not None and not force:
        # Only values have drifted, and no other declared owner wants them otherwise: they are taken back.
        force = not yielding.contested(known, body, session.bundle.manager)
    try:
        return _patient(session, one, body, force, dry_run)
    except ClusterError as error:
        if error.reason == "FieldConflict" and settled and yielding.only_updates(error):
            return _patient(session, one, body, True, dry_run)
        if error.reason != "ImmutableField" or session.options.on_immutable == "fail" or dry_run:
            raise
        return _replaced(session, one, body, error)


def _patient(session: Session, one: PlannedObject, body: bytes, force: bool, dry_run: bool) -> Applied:
    for moment in range(_MOMENTS + 1):
        try:
            return session.client.apply(
                session.resource(one),
                one.identity.namespace,
                one.identity.name,
                body,
                manager=session.bundle.manager,
                force=force,
                dry_run=dry_run,
            )
        except ClusterError as error:
            fresh = session.defines and error.reason == "KindNotServed"
            if moment == _MOMENTS or dry_run or not (fresh or any(words in error.message for words in _FLEETING)):
                raise
            session.client.kinds.forget(one.api_version)
            session.around.sleep(_MOMENT * (moment + 1))
    raise AssertionError("the last moment returns or raises")


def _replaced(session: Session, one: PlannedObject, body: bytes, error: ClusterError) -> Applied:
    if is_irreplaceable(one.identity) and not session.options.allow_deletions:
        raise EdgeError(
            "DeletionGuard",
            f"{error.message} Replacing it would delete what is in it.",
            hint="allow_deletions: true goes on.",
        ) from error
    session.report(f"replacing {one.identity}")
    resource = session.resource(one)
    where = one.identity
    found = session.client.get(resource, where.namespace, where.name, metadata_only=True)
    if found is not None:
        uid = str(found["metadata"]["uid"])
        left = session.client.begin_deletion(resource, where.namespace, where.name, uid=uid)
        if left is Removal.BEGUN:
            await_gone(session, {where: uid}, {where: one.api_version})
    session.live.pop(where, None)
    return _patient(session, one, body, False, False)


def _arrived(session: Session, one: PlannedObject, applied: Applied) -> None:
    manager = session.bundle.manager
    known = session.live.get(one.identity)
    before, after = projection(known, manager) if known is not None else {}, projection(applied.live, manager)
    if applied.created:
        action = Action.CREATED
    else:
        action = Action.UNCHANGED if known is not None and before == after else Action.CHANGED
    session.result(one, action, difference=session.difference(one.identity, after))
    session.live[one.identity] = applied.live
    session.arrived[one.identity] = recorded(session, one, applied.live, after)


def recorded(
    session: Session, one: PlannedObject, live: Mapping[str, Any], owned: Projection | None = None
) -> RecordedObject:
    """How an object that was just sent stands in the record; ``owned`` saves cutting ``live`` down once more."""
    if owned is None:
        owned = projection(live, session.bundle.manager)
    return RecordedObject(
        identity=one.identity,
        api_version=one.api_version,
        app=one.app,
        uid=str(live["metadata"]["uid"]),
        sent=one.digest,
        live=digest_of(owned, session.keys.digest),
        hook=one.hook is not None,
        keep=one.keep,
        expires=one.identity.kind == "Job" and (live.get("spec") or {}).get("ttlSecondsAfterFinished") is not None,
    )


def with_annotation(body: bytes, name: str, value: str) -> bytes:
    """A body with one more annotation."""
    document = json.loads(body)
    metadata = document["metadata"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), name: value}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
