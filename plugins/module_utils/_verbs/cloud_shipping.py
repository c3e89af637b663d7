# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: bringing a logical cloud to its clusters and taking it off others, each on its own time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.credentials import Credential, written_time
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.isolation import (
    CLUSTER_WIDE,
    GROUP,
    NAMESPACED,
    PolicyApi,
)
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.objects import APP, bundle_of_cloud, naming_of
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import tenant_of
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Identity
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings as SyncSurroundings
from ansible_collections.emco.edge.plugins.module_utils._sync.options import SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action, ObjectResult, Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._sync.record import NAMESPACE
from ansible_collections.emco.edge.plugins.module_utils._sync.removal import remove_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs import tenant_credentials as credentials
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_account import account_name
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.fan_out import Connections, failed, on_each
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing, empty_bundle
from ansible_collections.emco.edge.plugins.module_utils._verbs.roll_out import Stopped


@dataclass(frozen=True)
class CloudShipment:
    """A logical cloud, the clusters that it comes to and those that it leaves. ``shares``: of its total quota."""

    cloud: LogicalCloud
    generation: int
    members: frozenset[ClusterRef]
    leaving: frozenset[ClusterRef]
    shares: Mapping[ClusterRef, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Manner:
    """How a run goes about it; times in seconds. ``force``: also what others have in a namespace goes with it."""

    parallel: int = 50
    wait_timeout: float = 60.0
    cluster_timeout: float = 120.0
    adopt: bool = False
    force: bool = False
    allow_deletions: bool = False
    conflicts: Literal["fail", "force"] = "fail"


@dataclass
class CloudShipped:
    """An outcome for each cluster that was worked on, and what is said of some beside it."""

    outcomes: Mapping[ClusterRef, Outcome]
    told: dict[ClusterRef, dict[str, Any]] = field(default_factory=dict)
    bundles: dict[ClusterRef, str] = field(default_factory=dict)
    """The digest of what each cluster was made equal to."""


def ship_cloud(
    shipment: CloudShipment, manner: Manner, fleet: Mapping[ClusterRef, Registered], context: Context
) -> CloudShipped:
    """Sync members and clear leaving clusters; one outcome each, whatever happens."""
    if not shipment.members | shipment.leaving:
        return CloudShipped({})
    return _Fleet(shipment, manner, fleet, context).shipped()


class _Fleet:
    def __init__(
        self, shipment: CloudShipment, manner: Manner, fleet: Mapping[ClusterRef, Registered], context: Context
    ) -> None:
        self._shipment = shipment
        self._cloud = shipment.cloud
        self._manner = manner
        self._fleet = fleet
        self._context = context
        self._store, self._keys = context.store(), context.keys()  # opened before there are threads
        self._connections = Connections(fleet, context)
        self._found = CloudShipped({})
        self._options = SyncOptions(
            conflicts=manner.conflicts,
            adopt=manner.adopt,
            # A role binding that somebody changed to another role can only be made anew.
            on_immutable="replace",
            # Editing permissions deletes roles; what is dear is guarded all the same.
            deletion_guard=Fraction(1),
            allow_deletions=manner.allow_deletions,
            wait_timeout=manner.wait_timeout,
            check=context.check,
            diff=context.diff,
            revision=shipment.generation,
            inhabited=manner.force,
        )

    def shipped(self) -> CloudShipped:
        try:
            self._found.outcomes = on_each(
                self._shipment.members | self._shipment.leaving,
                self._bring,
                self._connections.answers,
                self._fleet,
                self._context,
                parallel=self._manner.parallel,
                title=self._naming.readable,
            )
        finally:
            self._connections.close_all()
        return self._found

    @property
    def _naming(self) -> Naming:
        return naming_of(self._cloud.project, self._cloud.name)

    # in threads

    def _bring(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        client = self._connections.client(ref, Budget.of(self._manner.cluster_timeout))
        requests, writes = client.requests, client.writes
        work: Callable[..., Outcome] = self._member if ref in self._shipment.members else self._leaver
        try:
            outcome = work(ref, client, SyncSurroundings(stopped=stopped))
        finally:
            # Of a thousand clusters only those that are worked on have connections.
            self._connections.close(ref)
        return dataclasses.replace(outcome, requests=client.requests - requests, writes=client.writes - writes)

    def _member(self, ref: ClusterRef, client: ClusterClient, around: SyncSurroundings) -> Outcome:
        outcome = None
        try:
            shipment, registered = self._shipment, self._fleet[ref]
            wanted, policy = bundle_on(
                client, registered, self._cloud, shipment.generation, shipment.shares.get(ref), self._keys
            )
            self._found.bundles[ref] = wanted.digest
            self._found.told[ref] = {"isolation": _isolation(policy)}
            outcome = sync_cluster(client, wanted, self._options, self._keys, around=around)
            if outcome.failed or (outcome.state is not State.READY and not self._context.check):
                return outcome
            return self._with_credential(ref, client, outcome)
        except EdgeError as error:
            return failed(ref, error, outcome)

    def _with_credential(self, ref: ClusterRef, client: ClusterClient, outcome: Outcome) -> Outcome:
        key = credentials.credential_key(self._cloud.project, self._cloud.name, ref)
        kept = credentials.kept_credential(self._store, self._keys, key)
        why = credentials.needs_new(kept, self._cloud, self._shipment.generation, self._context.clock())
        if why:
            action = Action.WOULD_CREATE if self._context.check else Action.CREATED
            outcome = dataclasses.replace(outcome, objects=(*outcome.objects, self._request(action, why)))
        if self._context.check:
            return outcome
        if why:
            credential = credentials.issued(client, self._cloud, self._shipment.generation)
            kept = credentials.KeptCredential(credential, verified=False)
            credentials.keep_credential(self._store, self._keys, key, credential, verified=False)
        if kept is None:
            return outcome
        self._found.told[ref]["credential"] = told_of(kept.credential, self._context.clock())
        if not kept.verified or outcome.changed:
            credentials.refuse_early(client, kept.credential, self._context.clock())
            self._verify(ref, kept.credential)
            credentials.keep_credential(self._store, self._keys, key, kept.credential, verified=True)
        return outcome

    def _verify(self, ref: ClusterRef, credential: Credential) -> None:
        access = credentials.access_of(self._fleet[ref], credential, self._context)
        budget = Budget.of(self._manner.cluster_timeout)
        client = credentials.tenant_client(access, self._cloud, budget)
        try:
            missing = credentials.missing_access(client, self._cloud)
        finally:
            client.close()
        if missing:
            raise EdgeError(
                "TenantAccessMissing",
                f"{credential.identity} was given rights on {ref} and does not have: {'; '.join(missing)}.",
                hint="Does the cluster authorise with RBAC? An admission policy may have taken rights away.",
                details={"cluster": str(ref), "missing": missing},
            )

    def _request(self, action: Action, why: str) -> ObjectResult:
        tenant = tenant_of(self._cloud, self._shipment.generation)
        if tenant.account:
            where = Identity("authentication.k8s.io", "TokenRequest", tenant.namespace, tenant.account)
        else:
            where = Identity(
                "certificates.k8s.io", "CertificateSigningRequest", "", credentials.request_name(self._cloud)
            )
        return ObjectResult(where, APP, action, message=why)

    def _leaver(self, ref: ClusterRef, client: ClusterClient, around: SyncSurroundings) -> Outcome:
        options = dataclasses.replace(self._options, event="delete", allow_deletions=True)
        outcome = remove_cluster(client, empty_bundle(self._naming), options, self._keys, around=around)
        if outcome.state is State.REMOVED and not self._context.check:
            self._store.delete(credentials.credential_key(self._cloud.project, self._cloud.name, ref))
        return outcome


def note_standings(shipment: CloudShipment, shipped: CloudShipped, context: Context) -> None:
    """Store what came of each cluster; nothing in check mode."""
    if context.check:
        return
    now = context.clock()
    naming = naming_of(shipment.cloud.project, shipment.cloud.name)
    gone = [ref for ref, one in shipped.outcomes.items() if one.state is State.REMOVED]
    standings = {
        ref: Standing(shipment.generation, shipped.bundles.get(ref, ""), one.state.value, one.reason, one.message, now)
        for ref, one in shipped.outcomes.items()
        if one.state is not State.REMOVED
    }
    Revisions(naming, context.store(), context.keys()).note(standings, gone=gone)


def bundle_on(
    client: ClusterClient,
    registered: Registered,
    cloud: LogicalCloud,
    generation: int,
    share: Mapping[str, str] | None,
    keys: Keys,
) -> tuple[Bundle, PolicyApi | None]:
    """What a cluster is made equal to, by the policy API that it serves; ``share``: of the total quota."""
    policy = policy_api(client) if cloud.isolated else None
    # Our own account on a cluster may act as nobody without being allowed to.
    account = (NAMESPACE, account_name(keys)) if registered.credentials.keep == "service_account" else None
    ref = registered.cluster.ref
    return bundle_of_cloud(cloud, ref, generation, keys.digest, policy=policy, share=share, account=account), policy


def policy_api(client: ClusterClient) -> PolicyApi:
    """The best policy API that a cluster serves; one request, more where it serves those of administrators."""
    group = client.read(f"/apis/{GROUP}", f"read the versions of {GROUP}") or {}
    served = {str(one.get("groupVersion")) for one in group.get("versions") or ()}
    for api in CLUSTER_WIDE:
        if api.api_version in served and client.kinds.find(api.api_version, api.kind) is not None:
            return api
    return NAMESPACED


def told_of(credential: Credential, now: float) -> dict[str, Any]:
    """What is said of a credential; its secret is not."""
    return {
        "type": credential.type,
        "identity": credential.identity,
        "generation": credential.generation,
        "not_before": written_time(credential.not_before),
        "expires": written_time(credential.not_after),
        "expires_in_days": round((credential.not_after - now) / 86400, 1),
    }


def _isolation(policy: PolicyApi | None) -> dict[str, str]:
    if policy is None:
        return {"by": "none", "effect": "pods of other namespaces may be reached and may reach it"}
    return {"by": policy.readable, "effect": policy.summary}
