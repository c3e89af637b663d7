# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a sync would do to a cluster, asked of its API server without storing anything."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.emco.edge.plugins.module_utils._kube.client import Applied
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.apply import apply
from ansible_collections.emco.edge.plugins.module_utils._sync.decide import Seen, Work
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import projection
from ansible_collections.emco.edge.plugins.module_utils._sync.occasion import occasion_of, parting_of
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_definition, is_namespace
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action, FieldChange, Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.waiting import not_ready

_UNVERIFIED = ("NamespaceMissing", "KindNotServed")


def checked(session: Session, work: Work, seen: Seen) -> Outcome:
    """The outcome of a dry run; an object that the server would refuse makes it Failed."""
    say_what_stays(session, work)
    awaited = _not_there_yet(work, seen)
    known = [one for one in work.send if not awaited(one)]
    for one in work.send:
        if awaited(one):
            session.result(one, Action.WOULD_CREATE_UNVERIFIED)
    errors = []
    for one, attempt in zip(known, session.lanes.attempts(lambda one: _asked(session, one), known), strict=True):
        if isinstance(attempt, EdgeError):
            if attempt.reason in _UNVERIFIED:
                session.result(one, Action.WOULD_CREATE_UNVERIFIED, attempt.reason, attempt.message)
                continue
            if attempt.reason == "ImmutableField" and session.options.on_immutable == "replace":
                session.result(one, Action.WOULD_CHANGE, attempt.reason, "would be deleted and created again")
                continue
            errors.append(attempt)
            session.result(one, Action.FAILED, attempt.reason, attempt.message)
        else:
            _judge(session, one, attempt)
    _foresee(session, work)
    if errors:
        raise errors[0]
    left = not_ready(session, work.unchanged)
    return session.outcome(State.PROGRESSING if left or not work.nothing else State.READY, left)


def say_what_stays(session: Session, work: Work) -> None:
    """Note what needs nothing, and what has drifted and is left so; with ``diff`` how it differs."""
    for one in (*work.unchanged, *work.expired):
        session.result(one, Action.UNCHANGED)
    if session.options.drift == "ignore":
        for one in work.drifted:
            session.result(one, Action.UNCHANGED)
        return
    asked = [one for one in work.drifted if one.identity in session.live]
    wanted = dict(zip(asked, session.lanes.attempts(lambda one: _asked(session, one), asked), strict=True))
    for one in work.drifted:
        known, answer = session.live.get(one.identity), wanted.get(one)
        difference: tuple[FieldChange, ...] = ()
        if isinstance(answer, Applied) and known is not None:
            # As correcting it would change it: from what is there to what was sent.
            after = projection(answer.live, session.bundle.manager)
            if projection(known, session.bundle.manager) == after:
                # What differs is left to others: ignored fields, replicas of an autoscaler.
                session.result(one, Action.UNCHANGED)
                continue
            difference = session.difference(one.identity, after)
        words = "differs from what was sent" if known is not None else "was deleted"
        session.result(one, Action.DRIFTED, "Drifted", words, difference)


def _asked(session: Session, one: PlannedObject) -> Applied:
    if session.silent is not None:
        raise session.silent
    try:
        return apply(session, one, one.body, dry_run=True)
    except EdgeError as error:
        raise session.noticed(error) from None


def _judge(session: Session, one: PlannedObject, answer: Applied) -> None:
    manager = session.bundle.manager
    known = session.live.get(one.identity)
    before, after = projection(known, manager) if known is not None else {}, projection(answer.live, manager)
    difference = session.difference(one.identity, after)
    if answer.created:
        session.result(one, Action.WOULD_CREATE, difference=difference)
    elif known is not None and before == after:
        session.result(one, Action.UNCHANGED)
    else:
        session.result(one, Action.WOULD_CHANGE, difference=difference)


def _foresee(session: Session, work: Work) -> None:
    occasion = occasion_of(session)
    if occasion is not None:
        for hook in (*occasion.hooks(session.bundle.hooks(), "pre", "post"), *parting_of(session, occasion)):
            session.result(hook, Action.WOULD_RUN)
    for old in work.delete:
        session.result(old, Action.WOULD_DELETE)
    for old in work.kept:
        session.result(old, Action.KEPT, "Keep", "helm.sh/resource-policy: keep")
    for old, why in work.left:
        session.result(old, Action.KEPT, "NotOurs", why)


def _not_there_yet(work: Work, seen: Seen) -> Callable[[PlannedObject], bool]:
    """Whether an object waits for a namespace or a definition of this very bundle, which is not there yet."""
    there = {*seen.labelled, *seen.others}
    new = [one.identity for one in work.send if one.identity not in there]
    namespaces = {one.name for one in new if is_namespace(one)}
    # A definition is named plural.group.
    groups = {one.name.partition(".")[2] for one in new if is_definition(one)}
    return lambda one: one.identity.namespace in namespaces or one.identity.group in groups
