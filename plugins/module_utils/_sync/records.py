# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what the record says before, during and after the work on a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.decide import Work
from ansible_collections.emco.edge.plugins.module_utils._sync.occasion import REMOVAL, Occasion
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action
from ansible_collections.emco.edge.plugins.module_utils._sync.record import (
    NAMESPACE,
    Phase,
    Record,
    RecordedObject,
    delete_record,
    write_record,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.waiting import gone_in_time


def expect(session: Session, work: Work, occasion: Occasion | None, parting: Iterable[PlannedObject] = ()) -> None:
    """Record what may come to be on the cluster, before the first write: what is there and what is wanted."""
    before, bundle = session.record, session.bundle
    record = before or Record(bundle.deployment, bundle.label, bundle.manager)
    if occasion is not None and not _goes_on(before, bundle.digest):
        record = replace(
            record,
            phase=Phase.PROGRESSING,
            event=occasion.event,
            bundle=bundle.digest,
            run=record.run + 1 if before else 1,
            hooks_done=(),
            release=bundle.release,
            revision=session.options.revision,
            decision=dict(bundle.decision),
        )
    objects = record.by_identity()
    missing = {one.identity for one in work.send if one.identity not in session.live}
    for one in bundle.objects:
        if one.hook is not None and (occasion is None or not occasion.concerns(one)):
            continue
        known = objects.get(one.identity)
        # No uid: it may be made in this run, and that may never be noted.
        if known is None:
            objects[one.identity] = _expected(one)
        elif one.identity in missing and known.uid:
            objects[one.identity] = replace(known, uid="")
    for one in parting:
        objects.setdefault(one.identity, _expected(one))
    record = replace(record, objects=_sorted(objects.values()))
    if record != before:
        session.record = _begun(session, record)


def _begun(session: Session, record: Record) -> Record:
    try:
        return write_record(session.client, record, session.keys)
    except ClusterError as error:
        # A cluster that was unregistered a moment ago has our namespace on its way out.
        if error.reason != "NamespaceTerminating" or not gone_in_time(session, NAMESPACE):
            raise
    return write_record(session.client, record, session.keys)


def expect_removal(session: Session) -> None:
    """Record that everything is being taken away, and the delete hooks' objects that may come to be."""
    before, bundle = session.record, session.bundle
    if before is None:
        raise RuntimeError("before is there")
    record = before
    if before.phase is not Phase.REMOVING:
        record = replace(before, phase=Phase.REMOVING, event="delete", run=before.run + 1, hooks_done=(), apps=())
    objects = record.by_identity()
    for one in bundle.objects:
        if REMOVAL.concerns(one):
            objects.setdefault(one.identity, _expected(one))
    record = replace(record, objects=_sorted(objects.values()))
    # Written even when a removal goes on: a second control node must notice the first.
    session.record = write_record(session.client, record, session.keys)


def settle(session: Session, work: Work) -> None:
    """Record what is there now; a record of nothing is deleted."""
    if session.record is None:
        raise RuntimeError("session.record is there")
    wanted = {one.identity for one in session.bundle.objects}
    left = {old.identity for old, _unused in work.left}
    failed = {where for where, found in session.results.items() if found.action is Action.FAILED}
    known = session.record.by_identity()
    objects = {
        where: old
        for where, old in known.items()
        if where in left or where in failed or (where in wanted and (not old.hook or where in session.live))
    }
    objects.update(session.arrived)
    record = replace(
        session.record,
        phase=Phase.CURRENT,
        hooks_done=(),
        apps=tuple(session.bundle.apps),
        objects=_sorted(objects.values()),
    )
    if not record.objects:
        delete_record(session.client, session.record)
        session.record = None
    elif record != session.record:
        session.record = write_record(session.client, record, session.keys)


def note_arrivals(session: Session, error: EdgeError) -> None:
    """Record what was sent before an error ended the run; the error itself stays what is told."""
    if session.silent is not None or error.reason == "RecordConflict" or session.record is None:
        return
    objects = {**session.record.by_identity(), **session.arrived}
    record = replace(session.record, objects=_sorted(objects.values()))
    if record == session.record:
        return
    try:
        session.record = write_record(session.client, record, session.keys)
    except EdgeError as other:
        session.warnings.append(f"The record could not be brought up to date: {other.message}")


def _goes_on(before: Record | None, bundle: str) -> bool:
    return before is not None and before.bundle == bundle and before.phase is Phase.PROGRESSING


def _expected(one: PlannedObject) -> RecordedObject:
    return RecordedObject(one.identity, one.api_version, one.app, hook=one.hook is not None, keep=one.keep)


def _sorted(objects: Iterable[RecordedObject]) -> tuple[RecordedObject, ...]:
    def key(one: RecordedObject) -> Identity:
        return one.identity

    return tuple(sorted(objects, key=key))
