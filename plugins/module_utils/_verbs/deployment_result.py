# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a run on a deployment returns, small enough for a job at a thousand clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._plan.difference import BundleDifference, PlanDifference
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Plan, Revision, RevisionState
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import clusters_of
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action, ObjectResult, Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipment import Shipment, Shipped
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipping import how_to_roll_out
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result

_STATES = ("ready", "progressing", "pending", "deferred", "unreachable", "failed", "removed")
_NAMED_IN_A_MESSAGE = 5


def of_plan(plan: Plan, revision: Revision | None, difference: PlanDifference, diff: bool) -> Result:
    """The result of ``state: planned``: what is decided, and what it would change against the revision before."""
    result: Result = {
        "changed": difference.any,
        "decisions": dict(plan.explained),
        "clusters": {
            str(ref): {
                "changed": one.any,
                "added": len(one.added),
                "changed_objects": len(one.changed),
                "removed": len(one.removed),
                "unchanged": one.unchanged,
            }
            for ref, one in difference.clusters.items()
        },
        "moves": {
            app: {
                "to": [str(ref) for ref in difference.arriving.get(app, ())],
                "from": [str(ref) for ref in difference.leaving.get(app, ())],
            }
            for app in sorted({*difference.arriving, *difference.leaving})
        },
        "warnings": list(plan.warnings),
    }
    if revision is not None:
        result["revision"] = revision.number
        result["state"] = revision.state.value
    if diff:
        result["diff"] = [_plan_diff(ref, one) for ref, one in difference.clusters.items() if one.any]
    return result


def _plan_diff(ref: ClusterRef, one: BundleDifference) -> dict[str, str]:
    before = [f"{identity}" for identity in (*one.changed, *one.removed)]
    after = [f"{identity} (changed)" for identity in one.changed] + [f"{identity} (new)" for identity in one.added]
    return {
        "before_header": f"{ref} now",
        "after_header": f"{ref} as planned",
        "before": "".join(f"{text}\n" for text in before),
        "after": "".join(f"{text}\n" for text in after),
    }


def of_run(
    plan: Plan,
    revision: Revision | None,
    shipment: Shipment,
    shipped: Shipped,
    wanted: Deployment,
    context: Context,
) -> Result:
    """The result of a run that brought a revision to clusters."""
    result = _of_shipment(shipment, shipped, wanted, context)
    result["decisions"] = dict(plan.explained)
    if plan.warnings:
        result["warnings"] = list(plan.warnings)
    if revision is not None:
        result["revision"] = revision.number
        result["state"] = revision.state.value
    return result


def of_removal(
    revision: Revision | None,
    shipment: Shipment,
    shipped: Shipped,
    wanted: Deployment,
    context: Context,
) -> Result:
    """The result of ``state: absent``."""
    result = _of_shipment(shipment, shipped, wanted, context)
    if revision is not None:
        result["revision"] = revision.number
        result["state"] = revision.state.value
    return result


def _of_shipment(shipment: Shipment, shipped: Shipped, wanted: Deployment, context: Context) -> Result:
    outcomes = shipped.outcomes
    lines = {str(ref): one.as_result() for ref, one in sorted(outcomes.items())}
    outside = sorted({*shipment.bundles, *shipment.leaving} - set(outcomes))
    result: Result = {
        "changed": any(one.changed for one in outcomes.values()),
        "summary": summary(outcomes.values(), lines, len(outside)),
        "clusters": lines,
    }
    if outside:
        result["outside_limit"] = [str(ref) for ref in outside]
    if shipped.timeline:
        result["timeline"] = [dict(entry) for entry in shipped.timeline]
    if context.diff:
        result["diff"] = differences(outcomes)
    rollout = how_to_roll_out(wanted)
    missed = {ref: one for ref, one in sorted(outcomes.items()) if one.state in (State.FAILED, State.UNREACHABLE)}
    allowed = clusters_of(rollout.max_failures, len(outcomes), up=rollout.round == "up")
    if len(missed) > allowed or shipped.ending in ("RolledBack", "Stopped", "Interrupted"):
        result.update(_failure(missed, shipped, wanted, context))
    return result


def summary(outcomes: Iterable[Outcome], lines: Mapping[str, Mapping[str, Any]], outside: int) -> dict[str, Any]:
    """The sums over all clusters; ``outside``: those that the limit left out."""
    outcomes = list(outcomes)
    states = Counter(str(told["state"]).lower() for told in lines.values())
    return {
        "clusters": len(outcomes) + outside,
        **{state: states.get(state, 0) for state in _STATES},
        "pending": states.get("pending", 0) + outside,
        "applied": sum(one.applied for one in outcomes),
        "unchanged": sum(one.unchanged for one in outcomes),
        "deleted": sum(one.deleted for one in outcomes),
        "requests": sum(one.requests for one in outcomes),
        "writes": sum(one.writes for one in outcomes),
        "seconds": round(max((one.seconds for one in outcomes), default=0.0), 2),
    }


def _failure(missed: Mapping[ClusterRef, Outcome], shipped: Shipped, wanted: Deployment, context: Context) -> Result:
    reasons = {one.reason or one.state.value for one in missed.values()}
    shown = [f"{ref}: {one.message or one.state.value}" for ref, one in list(missed.items())[:_NAMED_IN_A_MESSAGE]]
    more = f"\n  - and {len(missed) - len(shown)} more" if len(missed) > len(shown) else ""
    what = "cluster" if len(missed) == 1 else "clusters"
    words = f"{len(missed)} {what} not as wanted" if missed else f"the rollout ended as {shipped.ending}"
    if shipped.taken_back:
        words += f", {len(shipped.taken_back)} taken back to what ran before"
    hints = sorted({one.hint for one in missed.values() if one.hint})
    failure: Result = {
        "failed": True,
        "reason": reasons.pop() if len(reasons) == 1 else "ClustersFailed" if reasons else shipped.ending,
        "msg": f"{wanted.project}/{wanted.name}: {words}" + "".join(f"\n  - {text}" for text in shown) + more,
    }
    if context.stopping.is_set():
        failure["reason"] = "Stopped"
    elif shipped.taken_back:
        failure["reason"] = "RolledBack"
    if hints:
        failure["hint"] = " ".join(hints)
    return failure


_SHOWN_IN_DIFF = {
    Action.CREATED,
    Action.CHANGED,
    Action.DELETED,
    Action.DRIFTED,
    Action.WOULD_CREATE,
    Action.WOULD_CREATE_UNVERIFIED,
    Action.WOULD_CHANGE,
    Action.WOULD_DELETE,
}


def differences(outcomes: Mapping[ClusterRef, Outcome]) -> list[dict[str, str]]:
    """What was changed, object by object, as Ansible shows it with ``--diff``."""
    return [
        _diff(str(ref), one)
        for ref, outcome in sorted(outcomes.items())
        for one in outcome.objects
        if one.action in _SHOWN_IN_DIFF
    ]


def _diff(cluster: str, one: ObjectResult) -> dict[str, str]:
    header = f"{cluster} {one.identity}"
    if one.changes:
        before = "".join(f"{change.path}: {change.before}\n" for change in one.changes if change.before is not None)
        after = "".join(f"{change.path}: {change.after}\n" for change in one.changes if change.after is not None)
    else:
        gone = one.action in (Action.DELETED, Action.WOULD_DELETE)
        before, after = (f"{one.identity}\n", "") if gone else ("", f"{one.identity} ({one.action.value})\n")
    return {"before_header": header, "after_header": f"{header} ({one.action.value})", "before": before, "after": after}


_ENDINGS = {
    "Paused": RevisionState.PAUSED,
    "RolledBack": RevisionState.ROLLED_BACK,
    "Stopped": RevisionState.FAILED,
}


def revision_state(progress: Mapping[ClusterRef, Standing], shipment: Shipment, shipped: Shipped) -> RevisionState:
    """Current when every cluster of the revision is ready with its bundle and all others are cleared."""
    here = all(
        ref in progress and progress[ref].bundle == one.digest and progress[ref].state == State.READY.value
        for ref, one in shipment.bundles.items()
    )
    cleared = not any(ref in progress for ref in shipment.leaving)
    if here and cleared:
        return RevisionState.CURRENT
    if shipped.ending in _ENDINGS:
        return _ENDINGS[shipped.ending]
    failed = any(one.state is State.FAILED for one in shipped.outcomes.values())
    return RevisionState.FAILED if failed else RevisionState.PROGRESSING
