# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: ``state: absent``: taking a deployment off its clusters; those that are away are remembered."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import Verb
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import RevisionState
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from ansible_collections.emco.edge.plugins.module_utils._verbs import deployment_result
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_call import Call
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipment import Shipment, Shipped
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipping import ship
from ansible_collections.emco.edge.plugins.module_utils._verbs.stopping import StopWatch
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result


def absent(call: Call, heirs: Mapping[ClusterRef, Bundle] | None = None) -> Result:
    """Clear every cluster that has something of the deployment; run again, it goes on with those that are left.

    ``heirs``: bundles of another deployment that took its place; what is in them is theirs now.
    """
    call.must_allow(Verb.REMOVE)
    old = call.before
    bundles = old.bundles if old is not None else {}
    shipment = Shipment(
        naming=call.naming,
        number=call.last.number if call.last is not None else 0,
        bundles={},
        leaving={ref: bundles.get(ref) for ref in call.progress if ref in call.fleet},
        decisions=old.decisions if old is not None else {},
        only=call.only,
        event="delete",
        heirs=heirs or {},
    )
    storing = call.last is not None and not call.context.check
    revision = call.last
    if revision is not None and storing and call.progress:
        revision = call.turn(revision, RevisionState.REMOVING)
    with StopWatch(call.naming, call.context) as watch:
        shipped = ship(shipment, call.wanted, call.fleet, call.context, call.revisions, call.progress)
    if revision is not None and storing:
        _note(call, shipment, shipped)
        if not call.revisions.progress():
            revision = call.turn(revision, RevisionState.REMOVED)
        elif watch.by:
            revision = call.turn(revision, RevisionState.STOPPED, f"stopped by {watch.by}")
    if not call.context.check:
        # A plan that nobody will apply any more gives back the room that it was promised.
        for one in call.history:
            if one.state in (RevisionState.PLANNED, RevisionState.APPROVED):
                call.turn(one, RevisionState.ROLLED_BACK)
    return deployment_result.of_removal(revision, shipment, shipped, call.wanted, call.context)


def _note(call: Call, shipment: Shipment, shipped: Shipped) -> None:
    now = call.context.clock()
    gone = [ref for ref, one in shipped.outcomes.items() if one.state is State.REMOVED]
    left = {
        ref: Standing(shipment.number, "", one.state.value, one.reason, one.message, now)
        for ref, one in shipped.outcomes.items()
        if ref not in gone
    }
    call.revisions.note(left, gone=gone)
