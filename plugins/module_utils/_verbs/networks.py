# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verbs ``network`` and ``provider_network``: give networks to clusters, change, remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import fields
from typing import Any, TypeAlias

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network, ProviderNetwork
from ansible_collections.emco.edge.plugins.module_utils._model.network_options import (
    NetworkOptions,
    ProviderNetworkOptions,
)
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs import northbounds
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_result import differences, summary
from ansible_collections.emco.edge.plugins.module_utils._verbs.limits import limited_to
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_planning import (
    ClusterPlan,
    plan_absent,
    plan_present,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_shipping import NetworkShipment, ship_networks
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import (
    NAMING,
    networks_in,
    stored_networks,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.rebuilding import found_records
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec

SPEC = Spec("network", NetworkOptions, fleet=True)
PROVIDER_SPEC = Spec("provider_network", ProviderNetworkOptions, fleet=True)
Options: TypeAlias = "NetworkOptions | ProviderNetworkOptions"
_KINDS = ("kubernetes", "ovn")
_NAMED_IN_A_MESSAGE = 5


def run(wanted: Options, context: Context) -> Result:
    """Make a network true on its clusters, or take it off; see the modules for what the options mean."""
    store = context.store(wanted.store)
    # One at a time for all networks: blocks of a pool are nobody else's.
    lease = nullcontext() if context.check else store.lease("networks", context.owner, wait=wanted.lock_wait)
    with lease:
        fleet = registered(store)
        targets = chosen_clusters(wanted.clusters or (), wanted.only, fleet)
        known = {ref: one.networks for ref, one in stored_networks(store).items()}
        strange = frozenset(targets - known.keys())
        known.update(_recorded(strange, fleet, context))
        clusters = [fleet[ref].cluster for ref in sorted(targets)]
        plans = _plans(wanted, clusters, known)
        title = f"network {wanted.name}" + (" (removed)" if wanted.state == "absent" else "")
        outcomes = ship_networks(NetworkShipment(wanted.name, title, plans, wanted, strange), fleet, context)
        return _result(wanted, plans, outcomes, context)


def chosen_clusters(
    clusters: Sequence[str], only: Sequence[str] | None, fleet: Mapping[ClusterRef, Registered], path: str = "clusters"
) -> frozenset[ClusterRef]:
    """The clusters that an option names, by name, host or selector (``all``: every one), within the run's limit."""
    everyone = frozenset(fleet)
    try:
        meant = everyone if list(clusters) == ["all"] else limited_to(clusters, fleet)
    except InvalidInput as wrong:
        raise InvalidInput(
            [Problem(one.path.replace("only", path, 1), one.message, one.hint) for one in wrong.problems],
            of="the clusters",
        ) from None
    limit = limited_to(only, fleet)
    found = everyone if meant is None else meant
    return found if limit is None else found & limit


def _plans(
    wanted: Options, clusters: Sequence[Cluster], known: Mapping[ClusterRef, Mapping[str, Placed]]
) -> dict[ClusterRef, ClusterPlan]:
    if wanted.state == "absent":
        return plan_absent(wanted.name, clusters, known)
    return plan_present(_network(wanted), clusters, known)


def _network(wanted: Options) -> Network:
    """What is wanted, without how a run goes about it."""
    model: type[Network] = ProviderNetwork if isinstance(wanted, ProviderNetworkOptions) else Network
    return model(**{one.name: getattr(wanted, one.name) for one in fields(model)})


def _recorded(
    strange: frozenset[ClusterRef], fleet: Mapping[ClusterRef, Registered], context: Context
) -> dict[ClusterRef, Mapping[str, Placed]]:
    """Networks of clusters that the store knows none of, from their records: a store may be new, or lost."""
    by_kind = {kind: {ref: fleet[ref] for ref in strange if fleet[ref].cluster.kind == kind} for kind in _KINDS}
    records = found_records(NAMING, by_kind["kubernetes"], context)
    return {
        **{ref: networks_in(record).networks for ref, record in records.items()},
        **{ref: northbounds.recorded(one) for ref, one in by_kind["ovn"].items()},
    }


def _result(
    wanted: Options, plans: Mapping[ClusterRef, ClusterPlan], outcomes: Mapping[ClusterRef, Outcome], context: Context
) -> Result:
    lines: dict[str, dict[str, Any]] = {}
    for ref, one in sorted(outcomes.items()):
        placed = plans[ref].after.get(wanted.name)
        told = {"engine": placed.engine, "subnets": list(placed.cidrs)} if placed is not None else {}
        if one.state is State.REMOVED and plans[ref].after:
            told = {}
        replaced = plans[ref].replaced.get(wanted.name)
        lines[str(ref)] = {**one.as_result(), **told, **({"replaced": list(replaced)} if replaced else {})}
    result: Result = {
        "changed": any(one.changed for one in outcomes.values()),
        "summary": summary(outcomes.values(), lines, 0),
        "clusters": lines,
    }
    if context.diff:
        result["diff"] = differences(outcomes)
    missed = {ref: one for ref, one in sorted(outcomes.items()) if one.failed}
    if missed:
        result.update(_failure(wanted, missed))
    return result


def _failure(wanted: Options, missed: Mapping[ClusterRef, Outcome]) -> Result:
    reasons = {one.reason or one.state.value for one in missed.values()}
    shown = [f"{ref}: {one.message or one.state.value}" for ref, one in list(missed.items())[:_NAMED_IN_A_MESSAGE]]
    more = f"\n  - and {len(missed) - len(shown)} more" if len(missed) > len(shown) else ""
    what = "cluster" if len(missed) == 1 else "clusters"
    hints = sorted({one.hint for one in missed.values() if one.hint})
    failure: Result = {
        "failed": True,
        "reason": reasons.pop() if len(reasons) == 1 else "ClustersFailed",
        "msg": f"network {wanted.name}: {len(missed)} {what} not as wanted"
        + "".join(f"\n  - {text}" for text in shown)
        + more,
    }
    return {**failure, **({"hint": " ".join(hints)} if hints else {})}
