# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``deployment``: plan a composite app over the fleet, bring it there, take it away."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import Decision, Reason
from ansible_collections.emco.edge.plugins.module_utils._placement.reserved import Reservation
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.difference import describe
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import must_be_approved, to_approve
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import (
    Plan,
    Revision,
    RevisionState,
    stale_inputs,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs import deployment_result
from ansible_collections.emco.edge.plugins.module_utils._verbs.bringing import caught_up, present
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.controllers import loaded
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_call import Call, opened
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import (
    Resolved,
    given_intent,
    intent_key,
    resolve,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.foreseen import foreseen_app
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import keep_intent
from ansible_collections.emco.edge.plugins.module_utils._verbs.logical_clouds import IMPLICIT
from ansible_collections.emco.edge.plugins.module_utils._verbs.migrating import migrated
from ansible_collections.emco.edge.plugins.module_utils._verbs.planning import decide, make_plan
from ansible_collections.emco.edge.plugins.module_utils._verbs.promised import reservations
from ansible_collections.emco.edge.plugins.module_utils._verbs.removing import absent
from ansible_collections.emco.edge.plugins.module_utils._verbs.rendering import RenderSession
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import SealedBlobs
from ansible_collections.emco.edge.plugins.module_utils._verbs.stopping import lease_name, stopped
from ansible_collections.emco.edge.plugins.module_utils._verbs.tenancy import cloud_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.total_quotas import refuse_over_quota
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec
from ansible_collections.emco.edge.plugins.module_utils._verbs.wanted import Wanted

SPEC = Spec("deployment", Deployment, fleet=True, spreads=True, control_node_only=("host_variables", "controllers"))

_PLANNING = 600.0
"""Seconds to wait while another deployment is planned."""


# Refusals that come from how full clusters are, or from comparing them; a plan may outlive those.
_NO_FILTERS = {
    Reason.INSUFFICIENT_CAPACITY.value,
    Reason.CAPACITY_UNKNOWN.value,
    Reason.LOWER_SCORE.value,
    Reason.FALLBACK_NOT_NEEDED.value,
    Reason.NO_REPLICAS.value,
}


def run(wanted: Deployment, context: Context) -> Result:
    """Plan, bring or remove a deployment; see the module's documentation for what the options mean."""
    store = context.store(wanted.store)
    if wanted.state == "stopped":
        return stopped(wanted, context)
    name = lease_name(Naming(wanted.project, wanted.name))
    lease = nullcontext() if context.check else store.lease(name, context.owner, wait=wanted.lock_wait)
    with lease:
        call = opened(wanted, context)
        if wanted.state == "absent":
            return absent(call)
        if wanted.catch_up:
            return caught_up(call)
        number = call.previous() if wanted.revision == "previous" else wanted.revision
        if wanted.state == "approved" and (number is not None or not given_intent(context.arguments)):
            return _approved(call, to_approve(call.history, number, call.naming.readable))
        if number is not None:
            return _stored_revision(call, number)
        return _planned_or_present(call)


def _approved(call: Call, revision: Revision) -> Result:
    """Note that somebody looked at a plan and wants it; it is applied by ``state: present`` with its number."""
    changed = revision.state is not RevisionState.APPROVED
    if changed and not call.context.check:
        revision = call.turn(revision, RevisionState.APPROVED)
    plan = call.revisions.plan_of(revision, bodies=False)
    result = deployment_result.of_plan(plan, revision, describe(call.before, plan), call.context.diff)
    return {**result, "changed": changed, "state": RevisionState.APPROVED.value}


def _planned_or_present(call: Call) -> Result:
    wanted, context = call.wanted, call.context
    store, keys = context.store(), context.keys()
    resolved = resolve(wanted, context.arguments, store, keys, call.fleet, lambda *named: foreseen_app(context, *named))
    _refuse_moving(call, resolved.wanted.logical_cloud)
    controllers = loaded(resolved.wanted.controllers, context)
    before = call.before
    with _session(call, resolved.wanted) as session:
        samples = session.samples(resolved.wanted.apps)
        with _alone_in_planning(call):
            placement = decide(
                resolved.wanted,
                call.fleet,
                before.decisions if before is not None else {},
                samples,
                now=context.clock(),
                reserved=_reserved(call, before),
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
            refuse_over_quota(call.naming, resolved.wanted.logical_cloud, plan.bundles, context)
            app = resolved.wanted.app.app
            revision = _kept(call, plan, resolved, app.name, app.version)
    if wanted.state == "planned":
        return deployment_result.of_plan(plan, revision, describe(before, plan), call.context.diff)
    if wanted.state == "approved":
        if revision is not None and revision.state in (RevisionState.PLANNED, RevisionState.APPROVED):
            return _approved(call, revision)
        return deployment_result.of_plan(plan, revision, describe(before, plan), call.context.diff)
    if wanted.require_approval:
        must_be_approved(revision, call.naming.readable)
    if wanted.migrate_from is not None:
        return migrated(call, plan, revision, "upgrade")
    return present(call, plan, revision, before)


def _alone_in_planning(call: Call) -> AbstractContextManager[object]:
    """Until a plan is stored nobody else's may be made: both would count on the same room."""
    if call.context.check:
        return nullcontext()
    return call.context.store().lease("planning", call.context.owner, wait=_PLANNING)


def _reserved(call: Call, before: Plan | None) -> list[Reservation]:
    own = before.bundles if before is not None else {}
    context = call.context
    return reservations(context.store(), context.keys(), call.fleet, call.naming, own, call.progress)


def _refuse_moving(call: Call, wanted: str) -> None:
    """EdgeError ``LogicalCloudChanged``: what runs in one logical cloud cannot be told to be in another."""
    there = {cloud_of(one) for ref, one in (call.before.bundles if call.before else {}).items() if ref in call.progress}
    if there - {wanted}:
        names = ", ".join(sorted(name or IMPLICIT for name in there))
        raise EdgeError(
            "LogicalCloudChanged",
            f"{call.naming.readable} runs in logical cloud {names}, and is wanted in {wanted or IMPLICIT}.",
            hint="Remove it first (state: absent), or deploy it under another name.",
        )


def _session(call: Call, wanted: Wanted) -> RenderSession:
    context = call.context
    return RenderSession(
        wanted,
        call.fleet,
        context,
        SealedBlobs(context.store(), context.keys()),
        on_difference=call.wanted.nondeterministic,
        storing=not context.check,
    )


def _kept(call: Call, plan: Plan, resolved: Resolved, app: str, version: str) -> Revision | None:
    """The revision of a plan: the last one when it puts the same objects on the same clusters, else a new one."""
    context, keys = call.context, call.context.keys()
    newest = call.history[-1] if call.history else None
    if newest is not None and newest.plan_digest == plan.digest(keys.digest) and newest.inputs == plan.inputs:
        return newest
    if context.check:
        return None
    key = intent_key(call.naming.project, call.naming.name)
    keep_intent(context.store(), keys, key, resolved.document, logical_cloud=resolved.wanted.logical_cloud)
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


def _stored_revision(call: Call, number: int) -> Result:
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
    _refuse_moving(call, next((cloud_of(one) for one in plan.bundles.values()), ""))
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
            now, reserved = call.context.clock(), _reserved(call, None)
            today = decide(resolved.wanted, call.fleet, plan.decisions, samples, now=now, reserved=reserved)
        _still_feasible(call, number, plan, today.decisions)
    if call.wanted.require_approval:
        must_be_approved(revision, call.naming.readable)
    before = call.before
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
    event = "upgrade" if fresh else "rollback"
    if call.wanted.migrate_from is not None:
        return migrated(call, plan, revision, event)
    return present(call, plan, revision, before, event)


def _still_feasible(call: Call, number: int, plan: Plan, today: Mapping[str, Decision]) -> None:
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
