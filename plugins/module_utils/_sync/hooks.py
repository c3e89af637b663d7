# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: running the hooks of an event, one after the other, each exactly once a run.

As in Helm, hooks that are to go when they succeeded go when all hooks of the event are done, the last one first.

A hook's object carries the mark of the run it belongs to, so a run that was killed and started again knows which hooks
are done; of hooks whose objects are deleted afterwards the record keeps the mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.client import Removal
from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import Judgement, judge
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.apply import apply, recorded, with_annotation
from ansible_collections.emco.edge.plugins.module_utils._sync.occasion import SUCCEEDED, Occasion
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_irreplaceable
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action
from ansible_collections.emco.edge.plugins.module_utils._sync.record import write_record
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.waiting import await_gone, await_ready
from ansible_collections.emco.edge.plugins.module_utils._sync.why import last_words

RUN_ANNOTATION = "emco.edge/hook-run"
_BEFORE, _FAILED = "before-hook-creation", "hook-failed"


def run_hooks(session: Session, occasion: Occasion, stage: str, hooks: Sequence[PlannedObject]) -> None:
    """Run those of the hooks that are of a stage (``pre``, ``post``), in order; EdgeError ``HookFailed`` ends it."""
    if session.record is None:
        raise RuntimeError("session.record is there")
    # What a hook of this run carries.
    wanted = f"{session.record.bundle}:{session.record.run}:{stage}-{occasion.event}"
    ended: list[PlannedObject] = []
    try:
        for one in occasion.hooks(hooks, stage):
            session.stop_if_told()
            _run(session, one, f"{stage}-{occasion.of(one.app)}", wanted)
            ended.append(one)
    except EdgeError as error:
        if error.reason == "HookFailed":
            _clear(session, ended, wanted)
        raise
    _clear(session, ended, wanted)


def _run(session: Session, one: PlannedObject, event: str, wanted: str) -> None:
    if session.record is None:
        raise RuntimeError("session.record is there")
    live = session.live.get(one.identity)
    if _done(wanted, one) in session.record.hooks_done:
        return
    session.report(f"{event} hook {one.identity}")
    begun = live is not None and _marked(live) == wanted and not live["metadata"].get("deletionTimestamp")
    if not begun or _end(live).final:
        _start(session, one, live, wanted)
    await_ready(session, [one], until_final=False)
    ended = _end(session.live.get(one.identity))
    if not ended.ready:
        _fail(session, one, event, ended)
    if not begun:
        session.result(one, Action.RAN)


def _clear(session: Session, ended: list[PlannedObject], wanted: str) -> None:
    """Delete those of the hooks that are to go when they succeeded."""
    if session.record is None:
        raise RuntimeError("session.record is there")
    going = [
        one
        for one in ended
        if one.hook is not None
        and SUCCEEDED in one.hook.delete_policies
        and one.identity in session.live
        and _marked(session.live[one.identity]) == wanted
    ]
    known = session.record.hooks_done
    done = tuple(note for one in going if (note := _done(wanted, one)) not in known)
    if done:
        # First the note that they are done, then the deletion: the other way round a kill between them runs them again.
        session.record = write_record(session.client, replace(session.record, hooks_done=(*known, *done)), session.keys)
    for one in reversed(going):
        _delete(session, one)


def _done(wanted: str, one: PlannedObject) -> str:
    """How the record says that a hook is done and its object gone."""
    return f"{wanted}:{one.identity}"


def _start(session: Session, one: PlannedObject, live: dict[str, Any] | None, wanted: str) -> None:
    if one.hook is None:
        raise RuntimeError("one.hook is there")
    if live is None and (session.options.adopt or session.options.heritage):
        # What another tool left of it, which nobody has looked at yet.
        live = session.client.get(session.resource(one), one.identity.namespace, one.identity.name)
        session.live.update({one.identity: live} if live else {})
    # A run of its own needs an object of its own; what holds data or other objects is only ever updated.
    if live is not None and _BEFORE in one.hook.delete_policies and not is_irreplaceable(one.identity):
        _delete(session, one)
    applied = apply(session, one, with_annotation(one.body, RUN_ANNOTATION, wanted))
    session.live[one.identity] = applied.live
    session.arrived[one.identity] = recorded(session, one, applied.live)


def _delete(session: Session, one: PlannedObject) -> None:
    where = one.identity
    uid = str(session.live[where]["metadata"]["uid"])
    left = session.client.begin_deletion(session.resource(one), where.namespace, where.name, uid=uid)
    if left is Removal.BEGUN:
        await_gone(session, {where: uid}, {where: one.api_version})
    session.live.pop(where, None)
    session.arrived.pop(where, None)


def _fail(session: Session, one: PlannedObject, event: str, ended: Judgement) -> None:
    words = ended.message
    if session.options.why:
        words += last_words(session.client, one.identity)
    if one.hook is None:
        raise RuntimeError("one.hook is there")
    if _FAILED in one.hook.delete_policies:
        _delete(session, one)
    session.result(one, Action.FAILED, "HookFailed", words)
    raise EdgeError(
        "HookFailed",
        f"{event} hook {one.identity} of {one.app} on {session.cluster} failed: {words}",
        hint="What it did is not undone; mend its cause and run again.",
        details={"hook": str(one.identity), "event": event},
    ) from None


def _marked(live: dict[str, Any]) -> str:
    return str((live["metadata"].get("annotations") or {}).get(RUN_ANNOTATION) or "")


def _end(live: dict[str, Any] | None) -> Judgement:
    return judge(live) if live is not None else Judgement(False, "NotPresent", "its object is gone", final=True)
