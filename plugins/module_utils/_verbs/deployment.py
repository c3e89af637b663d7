# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``deployment``: plan a composite app over the fleet, bring it there, take it away."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import Decision, Reason
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.difference import describe
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import (
    Plan,
    Revision,
    RevisionState,
    stale_inputs,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from ansible_collections.emco.edge.plugins.module_utils._verbs import deployment_result
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.controllers import loaded
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import intent_key, resolve
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import keep_intent
from ansible_collections.emco.edge.plugins.module_utils._verbs.limits import limited_to
from ansible_collections.emco.edge.plugins.module_utils._verbs.planning import decide, make_plan
from ansible_collections.emco.edge.plugins.module_utils._verbs.rebuilding import rebuilt_progress
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.rendering import RenderSession
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import SealedBlobs
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipping import Shipment, Shipped, ship
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec
from ansible_collections.emco.edge.plugins.module_utils._verbs.wanted import Wanted

SPEC = Spec("deployment", Deployment, fleet=True, control_node_only=("host_variables", "controllers"))


# Refusals that come from how full clusters are, or from comparing them; a plan may outlive those.
_NO_FILTERS = {
    Reason.INSUFFICIENT_CAPACITY.value,
    Reason.CAPACITY_UNKNOWN.value,
    Reason.LOWER_SCORE.value,
    Reason.FALLBACK_NOT_NEEDED.value,
    Reason.NO_REPLICAS.value,
}


_OUTDONE = (RevisionState.CURRENT, RevisionState.PROGRESSING, RevisionState.PAUSED)


@dataclass
class _Call:
    """One call of the verb with what it stands on."""

    wanted: Deployment
    context: Context
    naming: Naming
    revisions: Revisions
    fleet: Mapping[ClusterRef, Registered]
    only: frozenset[ClusterRef] | None
    progress: dict[ClusterRef, Standing]
    history: list[Revision]

    @property
    def last(self) -> Revision | None:
        """The newest revision that reached clusters or is on its way there."""
        past = (RevisionState.PLANNED, RevisionState.APPROVED, RevisionState.ROLLED_BACK)
        return next((one for one in reversed(self.history) if one.state not in past), None)

    def previous(self) -> int:
        """The number of the newest revision that was everywhere before the last one; ``UnknownRevision`` without."""
        arrived = (RevisionState.CURRENT, RevisionState.SUPERSEDED)
        last = self.last.number if self.last is not None else 0
        for one in reversed(self.history):
            if one.number < last and one.state in arrived:
                return one.number
        raise EdgeError(
            "UnknownRevision",
            f"{self.naming.readable} has no revision to go back to: none was on all its clusters before.",
            hint="emco.edge.deployment_info with revisions: true lists what there is.",
        )

    def next_number(self) -> int:
        """The number of the next revision; a rebuilt store goes on from what the clusters know."""
        stored = [one.number for one in self.history]
        return max([*stored, *(standing.revision for standing in self.progress.values()), 0]) + 1


def run(wanted: Deployment, context: Context) -> Result:
    """Plan, bring or remove a deployment; see the module's documentation for what the options mean."""
    store = context.store(wanted.store)
    lease = (
        nullcontext()
        if context.check
        else store.lease(f"deployment/{wanted.project}/{wanted.name}", context.owner, wait=wanted.lock_wait)
    )
    with lease:
        call = _opened(wanted, context)
        if wanted.state == "absent":
            return _absent(call)
        if wanted.catch_up:
            return _caught_up(call)
        if wanted.revision is not None:
            return _stored_revision(call, call.previous() if wanted.revision == "previous" else wanted.revision)
        return _planned_or_present(call)


def _opened(wanted: Deployment, context: Context) -> _Call:
    store, keys = context.store(), context.keys()
    naming = Naming(wanted.project, wanted.name)
    fleet = registered(store)
    revisions = Revisions(naming, store, keys)
    history = revisions.all()
    progress = revisions.progress()
    if not history and not progress:
        progress = rebuilt_progress(naming, fleet, context)
    return _Call(
        wanted=wanted,
        context=context,
        naming=naming,
        revisions=revisions,
        fleet=fleet,
        only=limited_to(wanted.only, fleet),
        progress=progress,
        history=history,
    )


def _planned_or_present(call: _Call) -> Result:
    wanted, context = call.wanted, call.context
    store, keys = context.store(), context.keys()
    resolved = resolve(wanted, context.arguments, store, keys, call.fleet)
    controllers = loaded(resolved.wanted.controllers, context)
    before = call.revisions.plan_of(call.last) if call.last is not None else None
    with _session(call, resolved.wanted) as session:
        placement = decide(
            resolved.wanted,
            call.fleet,
            before.decisions if before is not None else {},
            session.samples(resolved.wanted.apps),
            now=context.clock(),
            rebalance=wanted.rebalance,
        )
        placement.raise_if_failed()
        plan = make_plan(
            resolved.wanted,
            placement,
            call.fleet,
            session,
            keys.digest,
            controllers=controllers,
            explain=wanted.explain,
        )
    revision = _kept(call, plan, resolved.document, resolved.wanted.app.app.name, resolved.wanted.app.app.version)
    if wanted.state == "planned":
        return deployment_result.of_plan(plan, revision, describe(before, plan), call.context.diff)
    return _present(call, plan, revision, before)


def _session(call: _Call, wanted: Wanted) -> RenderSession:
    context = call.context
    return RenderSession(
        wanted,
        call.fleet,
        context,
        SealedBlobs(context.store(), context.keys()),
        on_difference=call.wanted.nondeterministic,
        storing=not context.check,
    )


def _kept(call: _Call, plan: Plan, document: Mapping[str, Any], app: str, version: str) -> Revision | None:
    """The revision of a plan: the last one when it puts the same objects on the same clusters, else a new one."""
    context, keys = call.context, call.context.keys()
    newest = call.history[-1] if call.history else None
    if newest is not None and newest.plan_digest == plan.digest(keys.digest) and newest.inputs == plan.inputs:
        return newest
    if context.check:
        return None
    keep_intent(context.store(), keys, intent_key(call.naming.project, call.naming.name), document)
    return call.revisions.keep(
        plan,
        number=call.next_number(),
        state=RevisionState.PLANNED,
        composite_app=app,
        version=version,
        created=context.clock(),
        owner=context.owner,
        comment=call.wanted.comment or "",
    )


def _stored_revision(call: _Call, number: int) -> Result:
    """Exactly a stored plan: never applied, it must still be true; applied before, this is the way back to it."""
    revision = call.revisions.find(number)
    plan = call.revisions.plan_of(revision)
    fresh = revision.state in (RevisionState.PLANNED, RevisionState.APPROVED)
    resolved = resolve(call.wanted, {}, call.context.store(), call.context.keys(), call.fleet) if fresh else None
    if resolved is not None:
        changed = stale_inputs(revision.inputs, resolved.wanted.inputs)
        if changed:
            raise EdgeError(
                "StalePlan",
                f"revision {number} of {call.naming.readable} was planned from another {' and '.join(changed)}.",
                hint="Plan again with state: planned, and look at what changed.",
                details={"revision": number, "changed": list(changed)},
            )
    gone = sorted(str(ref) for ref in plan.bundles if ref not in call.fleet)
    if gone:
        raise EdgeError(
            "StalePlan",
            f"revision {number} of {call.naming.readable} runs on {', '.join(gone)}, no longer registered.",
            hint="Plan again with state: planned.",
            details={"revision": number, "clusters": gone},
        )
    if resolved is not None:
        with _session(call, resolved.wanted) as session:
            samples = session.samples(resolved.wanted.apps)
            today = decide(resolved.wanted, call.fleet, plan.decisions, samples, now=call.context.clock())
        _still_feasible(call, number, plan, today.decisions)
    before = call.revisions.plan_of(call.last) if call.last is not None else None
    if call.wanted.state == "planned":
        return deployment_result.of_plan(plan, revision, describe(before, plan), call.context.diff)
    if not fresh and call.last is not None and call.last.number != number and not call.context.check:
        revision = call.revisions.keep(
            plan,
            number=call.next_number(),
            state=RevisionState.PLANNED,
            composite_app=revision.composite_app,
            version=revision.version,
            created=call.context.clock(),
            owner=call.context.owner,
            comment=call.wanted.comment or f"back to revision {number}",
            of=number,
        )
    return _present(call, plan, revision, before, event="upgrade" if fresh else "rollback")


def _still_feasible(call: _Call, number: int, plan: Plan, today: Mapping[str, Decision]) -> None:
    """Today's filters must accept every cluster of a plan that was never applied; free capacity is no filter."""
    refused = {}
    for app, chosen in plan.decisions.items():
        refusals = {one.cluster: one for one in today[app].refusals} if app in today else {}
        for ref in chosen:
            refusal = refusals.get(ref)
            if refusal is not None and refusal.reason not in _NO_FILTERS:
                refused[f"{app} on {ref}"] = refusal.message
    if refused:
        raise EdgeError(
            "StalePlan",
            f"revision {number} of {call.naming.readable} does not fit any more: "
            + "; ".join(f"{what}: {why}" for what, why in refused.items())
            + ".",
            hint="Plan again with state: planned.",
            details={"revision": number, "refused": refused},
        )


def _present(call: _Call, plan: Plan, revision: Revision | None, before: Plan | None, event: str = "upgrade") -> Result:
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
    )
    if revision is not None and not call.context.check:
        revision = _begun(call, shipment, revision)
    shipped = ship(shipment, call.wanted, call.fleet, call.context, call.revisions, call.progress)
    if revision is not None and not call.context.check:
        revision = _ended(call, shipment, revision, shipped)
    return deployment_result.of_run(plan, revision, shipment, shipped, call.wanted, call.context)


_PUT_OFF = {State.DEFERRED.value, State.UNREACHABLE.value}


def _caught_up(call: _Call) -> Result:
    """Bring what was put off to the latest revision; with nothing put off nobody is asked anything."""
    revision = call.last
    if revision is None:
        raise EdgeError("UnknownDeployment", f"there is nothing of {call.naming.readable} to catch up with.")
    behind = frozenset(ref for ref, one in call.progress.items() if one.state in _PUT_OFF)
    plan = call.revisions.plan_of(revision)
    limited = replace(call, only=behind if call.only is None else behind & call.only)
    return _present(limited, plan, revision, plan)


def _begun(call: _Call, shipment: Shipment, revision: Revision) -> Revision:
    """Note where something will be before it is, so that a killed run leaves nothing that nobody knows of."""
    fresh = {
        ref: Standing(shipment.number, one.digest, "Pending")
        for ref, one in shipment.bundles.items()
        if ref not in call.progress
    }
    call.revisions.note({**call.progress, **fresh} if fresh else {})
    if revision.state is RevisionState.CURRENT:
        return revision
    return call.revisions.turn(revision, RevisionState.PROGRESSING)


def _ended(call: _Call, shipment: Shipment, revision: Revision, shipped: Shipped) -> Revision:
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
                call.revisions.turn(one, RevisionState.SUPERSEDED)
    return call.revisions.turn(revision, state)


def _absent(call: _Call) -> Result:
    old = call.revisions.plan_of(call.last).bundles if call.last is not None else {}
    everywhere = {ref: old.get(ref) for ref in set(call.progress) | set(old)}
    known = {ref: one for ref, one in everywhere.items() if ref in call.fleet}
    there = {ref: one for ref, one in known.items() if call.last is None or ref in call.progress}
    shipment = Shipment(
        naming=call.naming,
        number=call.last.number if call.last is not None else 0,
        bundles={},
        leaving=there,
        decisions={},
        only=call.only,
        event="delete",
    )
    shipped = ship(shipment, call.wanted, call.fleet, call.context, call.revisions, call.progress)
    if not call.context.check and call.last is not None:
        now = call.context.clock()
        gone = [ref for ref, one in shipped.outcomes.items() if one.state is State.REMOVED]
        left = {
            ref: Standing(shipment.number, "", one.state.value, one.reason, one.message, now)
            for ref, one in shipped.outcomes.items()
            if ref not in gone
        }
        call.revisions.note(left, gone=gone)
        if not call.revisions.progress() and call.last.state is not RevisionState.REMOVED:
            call.revisions.turn(call.last, RevisionState.REMOVED)
    return deployment_result.of_removal(call.last, shipment, shipped, call.wanted, call.context)
