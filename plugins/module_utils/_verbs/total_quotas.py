# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: keeping the total quota of a logical cloud: when deployments are planned, and on its clusters.

What the plans of its deployments have promised is reserved. A plan over the rest is refused; one that needs more on a
cluster than that has is given it before its objects arrive, by lowering others first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds import quotas
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import in_effect
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import RevisionState
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.logical_clouds import (
    IMPLICIT,
    Shares,
    StoredCloud,
    keep_shares,
    lease_of_cloud,
    stored_cloud,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions

_OVER = (RevisionState.REMOVING, RevisionState.REMOVED, RevisionState.SUPERSEDED, RevisionState.ROLLED_BACK)
_WAIT = 600.0


def refuse_over_quota(naming: Naming, cloud_name: str, bundles: Mapping[ClusterRef, Bundle], context: Context) -> None:
    """EdgeError ``TenantQuotaExceeded`` for a plan that does not fit into what is left of its logical cloud's total."""
    one = _with_total(naming.project, cloud_name, context)
    if one is None:
        return
    wanted = _taken(bundles, one.cloud)
    problems = quotas.over(one.cloud, _amounts(one.shares), _promised(one.cloud, context, naming), wanted)
    if problems:
        raise EdgeError(
            "TenantQuotaExceeded",
            f"{naming.readable} does not fit into the total quota of logical cloud {cloud_name}: "
            f"{'; '.join(problems)}.",
            hint="Ask for less, remove something, or raise total of the logical cloud.",
            details={"quota": problems},
        )


def make_room(project: str, cloud_name: str, fleet: Mapping[ClusterRef, Registered], context: Context) -> None:
    """Give clusters the parts that the stored plans need; nothing is touched while everybody has enough."""
    if context.check or _with_total(project, cloud_name, context) is None:
        return
    with context.store().lease(lease_of_cloud(project, cloud_name), context.owner, wait=_WAIT):
        one = _with_total(project, cloud_name, context)
        if one is None:
            return
        shares = new_shares(one.cloud, one.members, one.shares, context)
        changed = {ref for ref in one.members if ref in fleet and dict(shares[ref]) != dict(one.shares.get(ref, {}))}
        if not changed:
            return
        before = _amounts(one.shares)
        after = _amounts(shares)
        lowered = {ref for ref in changed if any(before.get(ref, {}).get(r, 0) > v for r, v in after[ref].items())}
        for refs in (lowered, changed - lowered):
            _brought(one, frozenset(refs), shares, fleet, context, must=refs is lowered)
        keep_shares(context.store(), one.cloud, shares)


def _brought(
    one: StoredCloud,
    refs: frozenset[ClusterRef],
    shares: Shares,
    fleet: Mapping[ClusterRef, Registered],
    context: Context,
    *,
    must: bool,
) -> None:
    # Here and not on top: a deployment without a total quota would pay for it at its start.
    from ansible_collections.emco.edge.plugins.module_utils._verbs.cloud_shipping import (
        CloudShipment,
        Manner,
        note_standings,
        ship_cloud,
    )

    shipment = CloudShipment(one.cloud, one.generation, refs, frozenset(), shares)
    shipped = ship_cloud(shipment, Manner(), fleet, context)
    note_standings(shipment, shipped, context)
    missed = sorted(str(ref) for ref, outcome in shipped.outcomes.items() if outcome.state is not State.READY)
    if must and missed:
        raise EdgeError(
            "TenantQuotaStuck",
            f"the part of {', '.join(missed)} in the total quota of logical cloud {one.cloud.name} could not be "
            "lowered, so no other cluster can be given more.",
            hint="Run again when they answer, or raise total of the logical cloud.",
            details={"clusters": missed},
        )


def new_shares(
    cloud: LogicalCloud, members: frozenset[ClusterRef], before: Shares, context: Context
) -> dict[ClusterRef, dict[str, str]]:
    """The part of each cluster, from what stored plans have promised and what each had."""
    if not cloud.total:
        return {}
    taken = quotas.added(_promised(cloud, context, None).values())
    shares = quotas.shares_of(cloud, members, taken, _amounts(before))
    return {ref: {name: quotas.written(name, value) for name, value in mine.items()} for ref, mine in shares.items()}


def _with_total(project: str, name: str, context: Context) -> StoredCloud | None:
    if not name or name == IMPLICIT:
        return None
    found = stored_cloud(context.store(), context.keys(), project, name)
    return found if found is not None and found.cloud.total else None


def _amounts(shares: Shares) -> dict[ClusterRef, dict[str, int]]:
    return {ref: {name: quotas.amount(name, text) for name, text in mine.items()} for ref, mine in shares.items()}


def _promised(cloud: LogicalCloud, context: Context, besides: Naming | None) -> dict[str, quotas.ByCluster]:
    """What deployments of a logical cloud have been promised: by what is in effect and by what was planned since."""
    store, keys = context.store(), context.keys()
    found: dict[str, quotas.ByCluster] = {}
    for entry in store.list(("deployments", cloud.project)):
        naming = Naming(cloud.project, entry.key[2])
        if naming == besides or entry.value.get("logical_cloud") != cloud.name:
            continue
        revisions = Revisions(naming, store, keys)
        history = revisions.all()
        one = {each.number: each for each in (in_effect(history), history[-1] if history else None) if each is not None}
        plans = [
            _taken(revisions.bundles_of(each, lambda _ref, _digest: True), cloud)
            for each in one.values()
            if each.state not in _OVER
        ]
        found[naming.name] = _largest(plans)
    return found


def _largest(plans: list[dict[ClusterRef, quotas.Amounts]]) -> dict[ClusterRef, quotas.Amounts]:
    found: dict[ClusterRef, quotas.Amounts] = {}
    for plan in plans:
        for ref, amounts in plan.items():
            mine = found.setdefault(ref, {})
            mine.update({name: max(value, mine.get(name, 0)) for name, value in amounts.items()})
    return found


def _taken(bundles: Mapping[ClusterRef, Bundle], cloud: LogicalCloud) -> dict[ClusterRef, quotas.Amounts]:
    """What bundles take, each different one looked at once."""
    by_digest: dict[str, quotas.Amounts] = {}
    for one in bundles.values():
        if one.digest not in by_digest:
            mine = (each for each in one.kept() if each.identity.namespace == cloud.space)
            by_digest[one.digest] = quotas.taken_by((json.loads(each.body) for each in mine), cloud)
    return {ref: by_digest[one.digest] for ref, one in bundles.items()}
