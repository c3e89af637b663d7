# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: waiting on one cluster, until objects are ready or gone, one LIST a kind and space a look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import Judgement, judge
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync import live as live_objects
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import NotReady
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session, WaitInVain
from ansible_collections.emco.edge.plugins.module_utils._sync.why import reasons_for

_NAMESPACES = Resource("v1", "Namespace", "namespaces", False)
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
# Looked again after this share of the time waited so far, so that no wait is much longer than it has to be.
_SHARE = 0.15
_REPORT_EVERY = 5.0
_SILENCE = 20.0
_ABSENT = Judgement(False, "NotPresent", "is not there")


def await_ready(session: Session, objects: Iterable[PlannedObject], *, until_final: bool = True) -> None:
    """Return when all objects are ready; WaitInVain when the time is over or one will never be.

    What the answers to the applies and the first look already showed ready is not asked for again. ``until_final``
    False: return also when an object has reached an end that is not readiness (a hook that failed).
    """
    waited_for = list(objects)

    def pending() -> dict[Identity, Judgement]:
        judged = {one.identity: _judged(session, one.identity) for one in waited_for}
        return {identity: found for identity, found in judged.items() if not found.ready}

    def look(identities: Iterable[Identity]) -> None:
        wanted = {one.identity: one.api_version for one in waited_for if one.identity in set(identities)}
        refresh(session, wanted)

    def done() -> bool:
        left = pending()
        if any(found.final for found in left.values()):
            if not until_final:
                return True
            raise in_vain(session, waited_for, "NeverReady", left)
        return not left

    if not _poll(session, done, lambda: look(pending()), lambda: _words(pending())):
        raise in_vain(session, waited_for, "WaitTimeout", pending())


def not_ready(session: Session, objects: Iterable[PlannedObject]) -> tuple[NotReady, ...]:
    """What is not ready by what was last seen of it; nothing is asked."""
    found = []
    for one in objects:
        judged = _judged(session, one.identity)
        if not judged.ready:
            found.append(NotReady(one.identity, one.app, judged.reason, judged.message, judged.final))
    return tuple(found)


def await_gone(session: Session, uids: Mapping[Identity, str], versions: Mapping[Identity, str]) -> None:
    """Return when the objects with these uids are gone; WaitInVain names what holds them."""
    left = dict(uids)

    def look() -> None:
        wanted = {identity: versions[identity] for identity in left}
        found = live_objects.existing(session.client, session.lanes, wanted)
        for identity in list(left):
            there = found.get(identity)
            if there is None or there["metadata"].get("uid") != left[identity]:
                del left[identity]
                session.live.pop(identity, None)
            else:
                session.live[identity] = there

    look()
    if not _poll(session, lambda: not left, look, lambda: "deletion of " + ", ".join(map(str, left))):
        raise _held(session, left)


def refresh(session: Session, wanted: Mapping[Identity, str]) -> None:
    """Read these objects again; those that are not found are forgotten."""
    found = live_objects.labelled(session.client, session.lanes, session.bundle.label, wanted)
    for identity in wanted:
        if identity in found:
            session.live[identity] = found[identity]
        else:
            session.live.pop(identity, None)


def gone_in_time(session: Session, namespace: str) -> bool:
    """Wait for a namespace that is being deleted; whether it is gone before the time is over."""
    found: list[Any] = []

    def look() -> None:
        found[:] = [session.client.get(_NAMESPACES, None, namespace, metadata_only=True)]

    look()
    return _poll(session, lambda: found == [None], look, lambda: f"namespace {namespace} to be gone")


def _poll(session: Session, done: Callable[[], bool], look: Callable[[], None], words: Callable[[], str]) -> bool:
    """Look until ``done``; whether it was before the time was over."""
    clock, sleep = session.around.clock, session.around.sleep
    started = said = heard = clock()
    deadline = started + session.options.wait_timeout
    while not done():
        now = clock()
        if now >= deadline:
            return False
        if now - said >= _REPORT_EVERY:
            said = now
            session.report("waiting for " + words())
        session.stop_if_told()
        pause = min(max((now - started) * _SHARE, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        sleep(min(pause, deadline - now))
        try:
            look()
            heard = clock()
        except ClusterError as error:
            # An API server may be restarted while its cluster works on; what is waited for goes on without it.
            if error.reason != "ClusterUnreachable" or clock() - heard > _SILENCE:
                raise session.noticed(error) from None
            session.report(f"waiting for the API server: {error.message}")
    return True


def _judged(session: Session, identity: Identity) -> Judgement:
    live = session.live.get(identity)
    return _ABSENT if live is None else judge(live)


def in_vain(
    session: Session, objects: Iterable[PlannedObject], reason: str, left: Mapping[Identity, Judgement]
) -> WaitInVain:
    """The error of objects that are not ready, with the reasons that the cluster gives."""
    apps = {one.identity: one.app for one in objects}
    found = tuple(
        NotReady(identity, apps[identity], judged.reason, judged.message, judged.final)
        for identity, judged in left.items()
    )
    if session.options.why and session.silent is None:
        found = reasons_for(session.client, found, session.live)
    end = "will not become ready" if reason == "NeverReady" else f"not ready after {session.options.wait_timeout:g} s"
    first = next((one for one in found if one.final), found[0])
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return WaitInVain(
        first.reason if reason == "NeverReady" else reason,
        f"{session.bundle.deployment} on {session.cluster}: {first.identity}{more} {end}: {first.message}.",
        found,
    )


def _held(session: Session, left: Mapping[Identity, str]) -> WaitInVain:
    found = []
    for identity in left:
        metadata: Mapping[str, Any] = session.live.get(identity, {}).get("metadata") or {}
        holders = ", ".join(metadata.get("finalizers") or ())
        words = f"held by the finalizer {holders}" if holders else "still being deleted"
        found.append(NotReady(identity, "", "Terminating", words))
    first = found[0]
    return WaitInVain(
        "NamespaceTerminating" if first.identity.kind == "Namespace" else "DeletionTimeout",
        f"{session.bundle.deployment} on {session.cluster}: {first.identity} was not gone after "
        f"{session.options.wait_timeout:g} s, {first.message}.",
        tuple(found),
        hint="Mend what serves the finalizer; taking it off by hand leaves what it protects behind.",
    )


def _words(left: Mapping[Identity, Judgement]) -> str:
    identity, judged = next(iter(left.items()))
    more = f" and {len(left) - 1} more" if len(left) > 1 else ""
    return f"{identity}: {judged.message}{more}"
