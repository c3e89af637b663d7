# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: ``state: present``: bringing a revision to its clusters, and noting what came of it."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import Verb
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Plan, Revision, RevisionState
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import Ending
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from ansible_collections.emco.edge.plugins.module_utils._verbs import deployment_result
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_call import Call
from ansible_collections.emco.edge.plugins.module_utils._verbs.garbage import trim
from ansible_collections.emco.edge.plugins.module_utils._verbs.removing import absent
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipment import Shipment, Shipped, Source
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipping import ship
from ansible_collections.emco.edge.plugins.module_utils._verbs.stopping import StopWatch
from ansible_collections.emco.edge.plugins.module_utils._verbs.total_quotas import make_room
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result

_OUTDONE = (
    RevisionState.CURRENT,
    RevisionState.PROGRESSING,
    RevisionState.PAUSED,
    RevisionState.STOPPED,
    RevisionState.REMOVING,
)
_PUT_OFF = {State.DEFERRED.value, State.UNREACHABLE.value}


def present(
    call: Call,
    plan: Plan,
    revision: Revision | None,
    before: Plan | None,
    event: str = "upgrade",
    source: Source | None = None,
) -> Result:
    """Bring a plan to its clusters, clear those it leaves, and say what came of each.

    ``before`` is what runs today, ``source`` another deployment whose place this one takes.
    """
    call.must_allow(Verb.SHIP)
    old = before.bundles if before is not None else {}
    leaving = (set(call.progress) | set(old)) - set(plan.bundles)
    number = revision.number if revision is not None else call.next_number()
    shipment = Shipment(
        naming=call.naming,
        number=number,
        bundles=plan.bundles,
        leaving={ref: old.get(ref) for ref in leaving if ref in call.fleet},
        decisions=plan.decisions,
        only=call.only,
        event=event,
        before={ref: one for ref, one in old.items() if ref in call.progress},
        source=source,
    )
    if revision is not None and not call.context.check:
        revision = _begun(call, shipment, revision)
    make_room(call.naming.project, shipment.logical_cloud, call.fleet, call.context)
    with StopWatch(call.naming, call.context) as watch:
        shipped = ship(shipment, call.wanted, call.fleet, call.context, call.revisions, call.progress)
    if revision is not None and not call.context.check:
        revision = _ended(call, shipment, revision, shipped, watch.by)
    return deployment_result.of_run(plan, revision, shipment, shipped, call.wanted, call.context)


def caught_up(call: Call) -> Result:
    """Bring what was put off to the latest revision, or clear it; with nothing put off nobody is asked anything."""
    call.must_allow(Verb.CATCH_UP)
    revision = call.last
    if revision is None:
        raise EdgeError("UnknownDeployment", f"there is nothing of {call.naming.readable} to catch up with.")
    behind = frozenset(ref for ref, one in call.progress.items() if one.state in _PUT_OFF)
    limited = replace(call, only=behind if call.only is None else behind & call.only)
    _must_not_be_broken_off(limited, revision)
    if revision.state is RevisionState.REMOVING:
        return absent(limited)
    plan = call.revisions.plan_of(revision)
    return present(limited, plan, revision, plan)


def _must_not_be_broken_off(call: Call, revision: Revision) -> None:
    """A revision that too many clusters did not take is not brought to more of them behind everybody's back."""
    last = call.revisions.last_rollout()
    if not call.only or last is None or last[0] != revision.number or last[1].ending is not Ending.STOPPED:
        return
    clusters = sorted(str(ref) for ref in call.only)
    raise EdgeError(
        last[1].breach or "Stopped",
        f"the rollout of revision {revision.number} of {call.naming.readable} was stopped, so nothing catches up with "
        f"it; {len(clusters)} clusters are behind.",
        hint="Deploy again, or go back with revision: previous; then they follow.",
        details={"behind": clusters},
    )


def _begun(call: Call, shipment: Shipment, revision: Revision) -> Revision:
    """Note where something will be before it is, so that a killed run leaves nothing that nobody knows of."""
    fresh = {
        ref: Standing(shipment.number, one.digest, "Pending")
        for ref, one in shipment.bundles.items()
        if ref not in call.progress
    }
    call.revisions.note({**call.progress, **fresh} if fresh else {})
    if revision.state is RevisionState.CURRENT or call.wanted.catch_up:
        return revision
    return call.turn(revision, RevisionState.PROGRESSING)


def _ended(call: Call, shipment: Shipment, revision: Revision, shipped: Shipped, stopped_by: str) -> Revision:
    now = call.context.clock()
    done = {
        ref: Standing(shipment.number, shipment.digest(ref), one.state.value, one.reason, one.message, now)
        for ref, one in shipped.outcomes.items()
        if ref not in shipped.taken_back
    }
    former = {ref: call.progress[ref] for ref in shipped.taken_back if ref in call.progress}
    cleared = [ref for ref, one in shipped.outcomes.items() if one.state is State.REMOVED]
    fresh = [ref for ref in shipped.taken_back if ref not in call.progress]
    gone = {*cleared, *fresh}
    call.revisions.note({ref: one for ref, one in {**done, **former}.items() if ref not in gone}, gone=gone)
    state = deployment_result.revision_state(call.revisions.progress(), shipment, shipped)
    if state is RevisionState.CURRENT:
        for one in call.history:
            if one.number != revision.number and one.state in _OUTDONE:
                call.revisions.turn(one, RevisionState.SUPERSEDED, call.context)
        revision = call.revisions.turn(revision, state, call.context)
        trim(call, revision)
        return revision
    if stopped_by:
        return call.turn(revision, RevisionState.STOPPED, f"stopped by {stopped_by}")
    if call.wanted.catch_up:
        # A rollout that paused, or failed elsewhere, is where it was.
        return revision
    return call.revisions.turn(revision, state, call.context)
