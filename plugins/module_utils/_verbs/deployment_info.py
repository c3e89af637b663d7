# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``deployment_info``: what runs where and why, read from the clusters themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import seconds
from ansible_collections.emco.edge.plugins.module_utils._observe.status import (
    Observation,
    ObservedResource,
    Readiness,
    observe,
)
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Identity
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import in_effect
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.options import IgnoredField
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import (
    flat,
    stored_ignored_fields,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.drift_notes import first_seen
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import Reach, client_of, reach_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Kept, Stopped
from ansible_collections.emco.edge.plugins.module_utils._verbs.history import told_history, written_time
from ansible_collections.emco.edge.plugins.module_utils._verbs.limits import limited_to
from ansible_collections.emco.edge.plugins.module_utils._verbs.masking import shown
from ansible_collections.emco.edge.plugins.module_utils._verbs.rebuilding import rebuilt_progress
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Registered,
    registered,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.tables import status
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class DeploymentInfo:
    """What is asked, with EMCO's query options under snake_case names."""

    project: str = option(required=True, parse=emco_name, type="str")
    name: str | None = option(parse=emco_name, type="str")
    status: Literal["ready", "deployed"] = option(default="ready")
    output: Literal["summary", "all", "detail"] = option(default="all")
    apps: tuple[str, ...] = option(default=())
    clusters: tuple[str, ...] = option(default=())
    resources: tuple[str, ...] = option(default=())
    drift: bool = option(default=False)
    revisions: bool = option(default=False)
    why_not_ready: bool = option(default=True)
    log_lines: int = option(default=0)
    show: bool = option(default=False)
    parallel: int = option(default=50)
    cluster_timeout: float = option(default=30.0, parse=seconds, type="str", spec_default="30s")
    store: Any = option(type="raw")

    @property
    def as_seen(self) -> bool:
        """Whether objects are told in full, as they are on the cluster."""
        return self.output == "detail" and self.status == "ready"

    @property
    def as_sent(self) -> bool:
        """Whether objects are told in full, as they were sent."""
        return self.output == "detail" and self.status == "deployed"


SPEC = Spec("deployment_info", DeploymentInfo, fleet=True, spreads=True)


def run(wanted: DeploymentInfo, context: Context) -> Result:
    """The status of one deployment, or of all of a project."""
    store = context.store(wanted.store)
    fleet = registered(store)
    limit = limited_to(wanted.clusters, fleet) if wanted.clusters else None
    known = sorted({entry.key[2] for entry in store.list(("deployments", wanted.project))})
    names = [wanted.name] if wanted.name is not None else known
    found = [_one(Naming(wanted.project, name), name in known, wanted, fleet, limit, context) for name in names]
    for told in found if wanted.show else ():
        for line in status(told):
            context.say(line)
    return {"changed": False, "deployments": found}


def _one(
    naming: Naming,
    known: bool,
    wanted: DeploymentInfo,
    fleet: Mapping[ClusterRef, Registered],
    limit: frozenset[ClusterRef] | None,
    context: Context,
) -> dict[str, Any]:
    revisions = Revisions(naming, context.store(), context.keys())
    progress = revisions.progress()
    if not known and not progress:
        progress = rebuilt_progress(naming, fleet, context)
        if not progress:
            names = [entry.key[2] for entry in context.store().list(("deployments", naming.project))]
            raise EdgeError(
                "UnknownDeployment", f"there is no deployment {naming.readable}.", hint=near(naming.name, names)
            )
    asked = [ref for ref in sorted(progress) if ref in fleet and (limit is None or ref in limit)]
    history = revisions.all()
    current = in_effect(history)
    # What was sent tells which fields differ; else nobody asks for it, and a plan of a large fleet is large.
    asks = wanted.drift or wanted.as_sent
    sent = revisions.plan_of(current).bundles if asks and current is not None else {}
    observations = _observed(naming, asked, sent, wanted, fleet, context)
    told = _told(naming, progress, observations, sent, wanted, context)
    if current is not None:
        told.update(revision=current.number, state=current.state.value)
        told.update(composite_app=current.composite_app, version=current.version)
    elif history:
        # Nothing of it was ever brought anywhere.
        told.update(revision=history[-1].number, state=history[-1].state.value)
    rollout = revisions.told_rollout()
    if rollout is not None:
        told["rollout"] = rollout
    if wanted.revisions:
        told["revisions"] = told_history(history, revisions)
    return told


def _observed(
    naming: Naming,
    asked: Iterable[ClusterRef],
    sent: Mapping[ClusterRef, Bundle],
    wanted: DeploymentInfo,
    fleet: Mapping[ClusterRef, Registered],
    context: Context,
) -> dict[ClusterRef, Observation]:
    keys = context.keys()  # opened once, before there are threads
    ignored = flat(stored_ignored_fields(naming.project, naming.name, context.store(), keys)) if wanted.drift else ()
    how = _How(naming.label, keys, wanted, ignored)
    kept = Kept(how)
    helpers = context.helpers

    def one(ref: ClusterRef) -> Observation:
        try:
            reach = reach_of(fleet[ref], context)
        except EdgeError as error:
            return Observation(str(ref), reachable=False, reason=error.reason, message=error.message)
        if len(helpers):
            found: Observation = helpers.call(ref, _look, kept, reach, sent.get(ref))
            return found
        return _look(how, reach, sent.get(ref))

    refs = list(asked)
    if not refs:
        return {}
    with ThreadPoolExecutor(min(wanted.parallel, len(refs)), thread_name_prefix="observe") as pool:
        return dict(zip(refs, pool.map(one, refs), strict=True))


@dataclass(frozen=True)
class _How:
    """What a look at each cluster has in common."""

    label: str
    keys: Keys
    wanted: DeploymentInfo
    ignored: tuple[IgnoredField, ...]


def _look(how: _How, reach: Reach, bundle: Bundle | None, _unused: Stopped | None = None) -> Observation:
    """One look at one cluster, here or in a helper process."""
    wanted = how.wanted
    try:
        client = client_of(reach, Budget.of(wanted.cluster_timeout))
    except EdgeError as error:
        return Observation(reach.name, reachable=False, reason=error.reason, message=error.message)
    try:
        return observe(
            client,
            how.label,
            how.keys,
            pods=wanted.status == "ready",
            drift=wanted.drift,
            why=wanted.why_not_ready,
            log_lines=wanted.log_lines,
            bundle=bundle,
            ignored=how.ignored,
            whole=wanted.as_seen,
        )
    finally:
        client.close()


def _told(
    naming: Naming,
    progress: Mapping[ClusterRef, Standing],
    observations: Mapping[ClusterRef, Observation],
    sent: Mapping[ClusterRef, Bundle],
    wanted: DeploymentInfo,
    context: Context,
) -> dict[str, Any]:
    rows = [
        (ref, resource)
        for ref, observation in observations.items()
        for resource in observation.resources
        if _asked_for(resource, wanted)
    ]
    silent = [ref for ref, one in observations.items() if not one.reachable]
    deployed = Counter(one.deployed.value for _unused, one in rows if one.recorded)
    ready = Counter(one.ready.value for _unused, one in rows)
    told: dict[str, Any] = {
        "project": naming.project,
        "name": naming.name,
        "deployed_counts": dict(deployed),
        "summary": {"clusters": len(progress), "unreachable": len(silent), "objects": sum(deployed.values())},
        "clusters": {str(ref): _cluster(one, progress[ref], wanted) for ref, one in observations.items()},
    }
    if wanted.status == "ready":
        all_ready = bool(rows) and not silent and not (ready.keys() - {Readiness.READY.value})
        told["ready_status"] = "Ready" if all_ready else "NotReady"
        told["ready_counts"] = dict(ready)
        told["not_ready"] = [_why(ref, one) for ref, one in rows if one.ready is not Readiness.READY]
    if wanted.drift:
        told["drift"] = _drift(naming, rows, observations, wanted, context)
    if wanted.output != "summary":
        told["apps"] = _by_app(rows, _bodies(sent, observations) if wanted.as_sent else {}, wanted)
    return told


def _asked_for(resource: ObservedResource, wanted: DeploymentInfo) -> bool:
    return (not wanted.apps or resource.app in wanted.apps) and (
        not wanted.resources or resource.identity.name in wanted.resources
    )


def _cluster(one: Observation, standing: Standing, wanted: DeploymentInfo) -> dict[str, Any]:
    told: dict[str, Any] = {
        "connectivity": "Available" if one.reachable else "Unreachable",
        "revision": one.record.revision if one.record is not None else standing.revision,
        "deployed_counts": one.deployed_counts(),
    }
    if wanted.status == "ready":
        told["ready"] = one.ready
        told["ready_counts"] = one.ready_counts()
    if one.reason:
        told.update(reason=one.reason, message=one.message)
    return told


def _resource(one: ObservedResource, sent: bytes | None, wanted: DeploymentInfo) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": one.identity.kind, "api_version": one.api_version, "name": one.identity.name}
    if one.identity.namespace:
        told["namespace"] = one.identity.namespace
    if wanted.status == "ready":
        told["ready_status"] = one.ready.value
        if one.message:
            told["message"] = one.message
    else:
        told["deployed_status"] = one.deployed.value
    if wanted.output == "detail" and one.owners:
        told["other_managers"] = list(one.owners)
    if one.live is not None:
        told["manifest"] = shown(one.live)
    elif sent is not None:
        told["manifest"] = shown(json.loads(sent))
    return told


def _bodies(
    sent: Mapping[ClusterRef, Bundle], observations: Mapping[ClusterRef, Observation]
) -> dict[ClusterRef, dict[Identity, bytes]]:
    """What was sent to each cluster: one that is behind has something else, which is left out."""
    found: dict[ClusterRef, dict[Identity, bytes]] = {}
    for ref, observation in observations.items():
        recorded = observation.record.by_identity() if observation.record is not None else {}
        objects = sent[ref].objects if ref in sent else ()
        found[ref] = {
            one.identity: one.body
            for one in objects
            if one.identity in recorded and recorded[one.identity].sent == one.digest
        }
    return found


def _by_app(
    rows: Iterable[tuple[ClusterRef, ObservedResource]],
    bodies: Mapping[ClusterRef, Mapping[Identity, bytes]],
    wanted: DeploymentInfo,
) -> list[dict[str, Any]]:
    apps: dict[str, dict[ClusterRef, list[dict[str, Any]]]] = {}
    for ref, one in rows:
        if one.recorded or wanted.status == "ready":
            body = bodies.get(ref, {}).get(one.identity)
            apps.setdefault(one.app, {}).setdefault(ref, []).append(_resource(one, body, wanted))
    return [
        {
            "name": app,
            "clusters": [{"cluster": str(ref), "resources": found} for ref, found in sorted(clusters.items())],
        }
        for app, clusters in sorted(apps.items())
    ]


def _why(ref: ClusterRef, one: ObservedResource) -> dict[str, str]:
    told = {"cluster": str(ref), "app": one.app, "object": str(one.identity), "status": one.ready.value}
    return {**told, "reason": one.reason, "message": one.message}


def _drift(
    naming: Naming,
    rows: Iterable[tuple[ClusterRef, ObservedResource]],
    observations: Mapping[ClusterRef, Observation],
    wanted: DeploymentInfo,
    context: Context,
) -> list[dict[str, Any]]:
    drifted = [(ref, one) for ref, one in rows if one.drifted]
    objects: dict[ClusterRef, list[str]] = {ref: [] for ref, one in observations.items() if one.reachable}
    for ref, one in drifted:
        objects[ref].append(str(one.identity))
    seen = first_seen(naming, objects, not (wanted.apps or wanted.resources), context)
    return [
        {
            "cluster": str(ref),
            "app": one.app,
            "object": str(one.identity),
            "deleted": one.ready is Readiness.NOT_PRESENT,
            "fields": [change.as_result() for change in one.changes],
            "other_managers": list(one.owners),
            "first_seen": written_time(seen[ref][str(one.identity)]),
            **({"changed_at": one.since} if one.since else {}),
        }
        for ref, one in drifted
    ]
