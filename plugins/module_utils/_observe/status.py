# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how a deployment is on one cluster, read from the cluster itself, no agent there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import Judgement, judge
from ansible_collections.emco.edge.plugins.module_utils._model.names import as_label_value
from ansible_collections.emco.edge.plugins.module_utils._observe.drift import drift_of, has_drifted
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import APP_LABEL, Bundle, Identity
from ansible_collections.emco.edge.plugins.module_utils._sync import live
from ansible_collections.emco.edge.plugins.module_utils._sync.lanes import Lanes
from ansible_collections.emco.edge.plugins.module_utils._sync.options import IgnoredField
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import FieldChange, NotReady
from ansible_collections.emco.edge.plugins.module_utils._sync.record import (
    Keys,
    Phase,
    Record,
    RecordedObject,
    read_record,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.why import pod_trouble, reasons_for


class Deployed(str, Enum):
    """What became of an object that was to be sent (EMCO's deployed view)."""

    APPLIED = "Applied"
    PENDING = "Pending"
    FAILED = "Failed"
    DELETED = "Deleted"


class Readiness(str, Enum):
    """How an object is (EMCO's ready view)."""

    READY = "Ready"
    NOT_READY = "NotReady"
    NOT_PRESENT = "NotPresent"


@dataclass(frozen=True)
class ObservedResource:
    """An object of the deployment, or a pod of one of its apps (``recorded`` is False)."""

    identity: Identity
    api_version: str
    app: str
    deployed: Deployed
    ready: Readiness
    reason: str = ""
    message: str = ""
    recorded: bool = True
    drifted: bool = False
    changes: tuple[FieldChange, ...] = ()
    """How it differs from what was sent, with ``drift`` and a bundle."""
    owners: tuple[str, ...] = ()
    """Other managers of an object that drifted."""
    since: str = ""
    """When these last wrote to it, by the cluster's clock."""
    live: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """The object as it is there, with ``whole``."""


@dataclass(frozen=True)
class Observation:
    """A deployment on one cluster; ``reachable`` False: nothing is known, which is not the same as nothing there."""

    cluster: str
    reachable: bool
    resources: tuple[ObservedResource, ...] = ()
    record: Record | None = None
    reason: str = ""
    message: str = ""
    requests: int = 0

    def deployed_counts(self) -> dict[str, int]:
        """How many objects are Applied, Pending, Failed, Deleted; pods are not counted, they were not sent."""
        return dict(Counter(one.deployed.value for one in self.resources if one.recorded))

    def ready_counts(self) -> dict[str, int]:
        """How many objects and pods are Ready, NotReady, NotPresent."""
        return dict(Counter(one.ready.value for one in self.resources))

    @property
    def ready(self) -> bool:
        """Whether something is there and all of it is ready."""
        return bool(self.resources) and all(one.ready is Readiness.READY for one in self.resources)


def observe(
    client: ClusterClient,
    label: str,
    keys: Keys,
    *,
    pods: bool = True,
    drift: bool = False,
    why: bool = True,
    log_lines: int = 0,
    ready_queries: Mapping[str, str] | None = None,
    bundle: Bundle | None = None,
    ignored: tuple[IgnoredField, ...] = (),
    whole: bool = False,
) -> Observation:
    """How the deployment with this label is on a cluster. A cluster that does not answer is an observation, no error.

    One request for the record and one a kind and namespace; with ``why`` a few more for each workload that is not
    ready, with ``log_lines`` their last lines. ``ready_queries``: jmespath by kind, true where the object is ready.
    ``drift`` with ``bundle``, which says what was sent: one dry run for each object that drifted. ``ignored``: fields
    that others may set.
    ``whole``: the objects themselves too, secrets and all.
    EdgeError ``InvalidInput`` for a query that is none.
    """
    before = client.transport.requests
    found: Observation
    try:
        look = _Look(client, label, keys, ready_queries or {}, ignored)
        found = look.observation(pods, drift, why, log_lines, bundle, whole)
    except ClusterError as error:
        silent = error.reason in ("ClusterUnreachable", "BudgetSpent", "CertificateRejected")
        found = Observation(client.name, not silent, reason=error.reason, message=error.message)
    return replace(found, requests=client.transport.requests - before)


class _Look:
    """One look at one cluster."""

    def __init__(
        self,
        client: ClusterClient,
        label: str,
        keys: Keys,
        queries: Mapping[str, str],
        ignored: tuple[IgnoredField, ...],
    ) -> None:
        self.client = client
        self.label = label
        self.keys = keys
        self.queries = queries
        self.ignored = ignored

    def observation(
        self, pods: bool, drift: bool, why: bool, log_lines: int, bundle: Bundle | None, whole: bool
    ) -> Observation:
        record = read_record(self.client, self.label, self.keys)
        if record is None:
            return Observation(self.client.name, reachable=True)
        # Hooks ran; they are not part of what is there.
        objects = [one for one in record.objects if not one.hook]
        wanted = live.versions_of(objects)
        if pods:
            spaces = sorted({one.identity.namespace for one in objects if one.identity.namespace})
            wanted.update({Identity("", "Pod", space, ""): "v1" for space in spaces})
        with Lanes() as lanes:
            there = live.labelled(self.client, lanes, self.label, wanted)
            resources = [self._resource(one, there.get(one.identity), record) for one in objects]
            if drift:
                resources = lanes.each(
                    lambda one: self._with_drift(one, record, there.get(one.identity), bundle), resources
                )
        if pods:
            resources += self._pods(there, objects)
        if why:
            resources = self._explained(resources, there, log_lines)
        if whole:
            resources = [replace(one, live=there.get(one.identity)) for one in resources]
        return Observation(self.client.name, reachable=True, resources=tuple(resources), record=record)

    def _resource(self, old: RecordedObject, there: Mapping[str, Any] | None, record: Record) -> ObservedResource:
        judged = self._judged(old.identity, there)
        if there is None and old.expires and old.uid:
            ready, judged = Readiness.READY, Judgement(True, "Expired", "was done and removed by its time to live")
        elif there is None:
            ready = Readiness.NOT_PRESENT
        else:
            ready = Readiness.READY if judged.ready else Readiness.NOT_READY
        deployed = Deployed.APPLIED if old.sent else Deployed.PENDING
        if record.phase is Phase.REMOVING and there is None:
            deployed = Deployed.DELETED
        return ObservedResource(old.identity, old.api_version, old.app, deployed, ready, judged.reason, judged.message)

    def _judged(self, identity: Identity, there: Mapping[str, Any] | None) -> Judgement:
        if there is None:
            return Judgement(False, "NotPresent", "is not there")
        return judge(there, self.queries.get(identity.kind))

    def _with_drift(
        self, one: ObservedResource, record: Record, there: Mapping[str, Any] | None, bundle: Bundle | None
    ) -> ObservedResource:
        old = record.by_identity()[one.identity]
        if one.reason == "Expired" or not has_drifted(old, there, record.manager, self.keys.digest):
            return one
        found = drift_of(self.client, old, there, record.manager, bundle, self.ignored)
        if found is None:
            return one
        return replace(one, drifted=True, owners=found.owners, changes=found.changes, since=found.since)

    def _pods(
        self, there: Mapping[Identity, Mapping[str, Any]], objects: Sequence[RecordedObject]
    ) -> Iterator[ObservedResource]:
        recorded = {one.identity for one in objects}
        apps = {as_label_value(one.app): one.app for one in objects}
        for identity, pod in sorted(there.items(), key=lambda item: item[0]):
            if (identity.group, identity.kind) != ("", "Pod") or identity in recorded:
                continue
            judged = self._judged(identity, pod)
            app = str((pod["metadata"].get("labels") or {}).get(APP_LABEL) or "")
            reason, words = pod_trouble(pod) if not judged.ready else ("", "")
            yield ObservedResource(
                identity=identity,
                api_version="v1",
                app=apps.get(app, app),
                deployed=Deployed.APPLIED,
                ready=Readiness.READY if judged.ready else Readiness.NOT_READY,
                reason=reason or judged.reason,
                message=words or judged.message,
                recorded=False,
            )

    def _explained(
        self, resources: list[ObservedResource], there: Mapping[Identity, Mapping[str, Any]], log_lines: int
    ) -> list[ObservedResource]:
        unready = [
            NotReady(one.identity, one.app, one.reason, one.message)
            for one in resources
            if one.ready is Readiness.NOT_READY and one.recorded
        ]
        told = {one.identity: one for one in reasons_for(self.client, unready, there, log_lines=log_lines)}
        return [
            replace(one, reason=told[one.identity].reason, message=told[one.identity].message)
            if one.identity in told
            else one
            for one in resources
        ]
