# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: bringing networks to clusters: nobody may use what goes, then one sync makes it true."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._engines.networks.kinds import served
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.usage import uses
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._model.network_options import Run
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import (
    Action,
    FieldChange,
    ObjectResult,
    Outcome,
    State,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.record import read_record
from ansible_collections.emco.edge.plugins.module_utils._verbs import northbounds
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.fan_out import Connections, on_each
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_planning import ClusterPlan, bundle_for
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import (
    NAMING,
    ClusterNetworks,
    networks_document,
    networks_in,
    networks_key,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.roll_out import Stopped

PODS = Resource("v1", "Pod", "pods", True)
LIVING = "status.phase!=Succeeded,status.phase!=Failed"
_MARGIN = 60.0
_NAMED = 20


@dataclass(frozen=True)
class NetworkShipment:
    """What a run brings where: the network it is about, ``title`` is for people.

    ``strange``: clusters of which the store knows nothing, so that only their own records can tell what is there.
    """

    name: str
    title: str
    plans: Mapping[ClusterRef, ClusterPlan]
    how: Run
    strange: frozenset[ClusterRef] = frozenset()


def ship_networks(
    shipment: NetworkShipment, fleet: Mapping[ClusterRef, Registered], context: Context
) -> Mapping[ClusterRef, Outcome]:
    """Make every cluster equal to its plan; one outcome each. What is wanted is stored before it is sent."""
    return _Shipping(shipment, fleet, context).shipped()


class _Shipping:
    def __init__(self, shipment: NetworkShipment, fleet: Mapping[ClusterRef, Registered], context: Context) -> None:
        how = shipment.how
        self._shipment = shipment
        self._how = how
        self._fleet = fleet
        self._context = context
        self._store, self._keys = context.store(), context.keys()  # opened before there are threads
        self._connections = Connections(fleet, context)
        self._stored: set[ClusterRef] = set()
        """Clusters whose new networks the store has."""
        self._options = SyncOptions(
            conflicts=how.conflicts,
            adopt=how.adopt,
            # What goes was said to go, and nobody uses it.
            allow_deletions=True,
            drift=how.drift,
            wait=how.wait,
            # What else is on the cluster is ready, or not, for reasons of its own.
            wait_for=frozenset({shipment.name}),
            wait_timeout=how.wait_timeout,
            check=context.check,
            diff=context.diff,
        )

    def shipped(self) -> Mapping[ClusterRef, Outcome]:
        plans = self._shipment.plans
        # What comes is stored before it is sent, all at once; what goes stays in the store until it is gone, so that a
        # run that ends in between is finished by the next. A cluster that nobody knows is asked first.
        self._keep(plan for ref, plan in plans.items() if not plan.leaving and ref not in self._shipment.strange)
        outcomes = on_each(
            plans.keys(),
            self._work,
            self._answers,
            self._fleet,
            self._context,
            parallel=self._how.parallel,
            title=self._shipment.title,
            waits=self._how.wait,
        )
        self._note(outcomes)
        return outcomes

    def _keep(self, plans: Iterable[ClusterPlan]) -> None:
        plans = list(plans)
        self._stored.update(plan.cluster.ref for plan in plans)
        changed = {
            networks_key(plan.cluster.ref): networks_document(ClusterNetworks(plan.after, "Pending"))
            for plan in plans
            if plan.before != plan.after
        }
        if changed and not self._context.check:
            self._store.put_many(changed)

    def _note(self, outcomes: Mapping[ClusterRef, Outcome]) -> None:
        """How each cluster ended, where the store has what was wanted of it."""
        if self._context.check:
            return
        told = {}
        for ref, one in outcomes.items():
            plan = self._shipment.plans[ref]
            if ref not in self._stored:
                continue
            if not plan.after and one.state is State.REMOVED:
                self._store.delete(networks_key(ref))
                continue
            state = ClusterNetworks(plan.after, one.state.value, one.reason, one.message)
            told[networks_key(ref)] = networks_document(state)
        if told:
            self._store.put_many(told)

    # in threads

    def _answers(self, ref: ClusterRef) -> bool:
        one = self._fleet[ref]
        return northbounds.answers(one) if one.cluster.kind == "ovn" else self._connections.answers(ref)

    def _work(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        if self._fleet[ref].cluster.kind == "ovn":
            return self._northbound(self._fleet[ref], self._shipment.plans[ref])
        try:
            seconds = self._how.cluster_timeout or self._how.wait_timeout + _MARGIN
            client = self._connections.client(ref, Budget.of(seconds))
            facts = self._fleet[ref].cluster.facts
            client.kinds.know(served(facts.apis if facts is not None else ()))
            return self._brought(client, self._shipment.plans[ref], Surroundings(stopped=stopped))
        finally:
            self._connections.close(ref)

    def _northbound(self, one: Registered, plan: ClusterPlan) -> Outcome:
        northbound = northbounds.opened(one, timeout=self._how.wait_timeout)
        try:
            if plan.cluster.ref in self._shipment.strange:
                northbounds.refuse_unknown(northbound, plan)
                self._keep([plan] if not plan.leaving else [])
            if plan.leaving:
                northbounds.refuse_guests(northbound, plan)
            outcome = northbounds.brought(northbound, plan, check=self._context.check, drift=self._how.drift)
            self._keep_done(plan, outcome)
            return outcome
        finally:
            northbound.close()

    def _brought(self, client: ClusterClient, plan: ClusterPlan, around: Surroundings) -> Outcome:
        requests, writes = client.transport.requests, client.transport.writes
        if plan.cluster.ref in self._shipment.strange:
            self._refuse_unknown(client, plan)
            self._keep([plan] if not plan.leaving else [])
        if plan.leaving:
            self._refuse_unwanted(plan)
            refuse_in_use(client, plan)
        outcome = self._made_anew(client, plan, around) if plan.replaced else None
        if outcome is None:
            outcome = self._synced(client, plan, plan.after, around)
            self._keep_done(plan, outcome)
        return dataclasses.replace(
            outcome,
            requests=client.transport.requests - requests,
            writes=client.transport.writes - writes,
        )

    def _keep_done(self, plan: ClusterPlan, outcome: Outcome) -> None:
        if plan.leaving and not outcome.failed and outcome.state is not State.PENDING:
            self._keep([plan])

    def _refuse_unknown(self, client: ClusterClient, plan: ClusterPlan) -> None:
        record = read_record(client, NAMING.label, self._keys)
        unknown = networks_in(record).networks.keys() - plan.before.keys() if record is not None else set()
        if unknown:
            raise EdgeError(
                "StalePlan",
                f"{plan.cluster.ref} has networks that were not known when this was planned: "
                f"{', '.join(sorted(unknown))}. Nothing was changed.",
                hint="It did not answer before; run again.",
            )

    def _refuse_unwanted(self, plan: ClusterPlan) -> None:
        if not plan.replaced or self._how.replace or self._context.check:
            return
        ((name, fields), *_more) = plan.replaced.items()
        raise EdgeError(
            "ImmutableNetwork",
            f"network {name} on {plan.cluster.ref} can only be made anew: {'; '.join(fields)}. Nothing was changed.",
            hint="replace: true deletes it and makes it again, when no pod uses it.",
            details={"replaced": {each: list(texts) for each, texts in plan.replaced.items()}},
        )

    def _made_anew(self, client: ClusterClient, plan: ClusterPlan, around: Surroundings) -> Outcome | None:
        """Take away what is made anew; the outcome, where that is the end: in check mode, or when it did not work."""
        without = self._synced(client, plan, plan.staying, around)
        if self._context.check:
            wanted = bundle_for(plan.cluster, plan.after, self._keys.digest)
            again = tuple(_again(one, plan) for one in wanted.objects if one.app in plan.replaced)
            return dataclasses.replace(without, objects=(*without.objects, *again))
        if without.failed or without.state is State.PENDING:
            return without
        self._keep([plan])
        outcome = self._synced(client, plan, plan.after, around)
        gone = tuple(one for one in without.objects if one.action is Action.DELETED)
        made = {one.identity for one in outcome.objects}
        return dataclasses.replace(
            outcome, objects=(*(one for one in gone if one.identity not in made), *outcome.objects)
        )

    def _synced(
        self, client: ClusterClient, plan: ClusterPlan, networks: Mapping[str, Placed], around: Surroundings
    ) -> Outcome:
        wanted = bundle_for(plan.cluster, networks, self._keys.digest)
        return sync_cluster(client, wanted, self._options, self._keys, around=around)


def refuse_in_use(client: ClusterClient, plan: ClusterPlan) -> None:
    """EdgeError ``NetworkInUse`` with the pods that are on a network that goes."""
    found: dict[str, list[str]] = {}
    for pod in client.list(PODS, fields=LIVING):
        for name, placed in plan.leaving.items():
            if uses(pod, placed):
                metadata = pod["metadata"]
                found.setdefault(name, []).append(f"{metadata.get('namespace')}/{metadata['name']}")
    if not found:
        return
    ((name, pods), *_more) = found.items()
    shown = ", ".join(sorted(pods)[:_NAMED]) + (f" and {len(pods) - _NAMED} more" if len(pods) > _NAMED else "")
    raise EdgeError(
        "NetworkInUse",
        f"network {name} on {plan.cluster.ref} is used by {len(pods)} pods: {shown}. Nothing was changed.",
        hint="Take the workloads off first: the interfaces of their deployments, or the deployments.",
        details={"pods": {each: sorted(names) for each, names in found.items()}},
    )


def _again(one: PlannedObject, plan: ClusterPlan) -> ObjectResult:
    changes = tuple(FieldChange(text, "made anew") for text in plan.replaced[one.app])
    return ObjectResult(one.identity, one.app, Action.WOULD_CREATE_UNVERIFIED, message="is made anew", changes=changes)
