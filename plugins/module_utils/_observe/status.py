# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how a deployment is on one cluster, read from the cluster itself, no agent there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import FieldChange
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Keys, Record


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
    owners: tuple[str, ...] = ()
    """Other managers that took over fields of ours."""


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
        raise NotImplementedError

    def ready_counts(self) -> dict[str, int]:
        """How many objects and pods are Ready, NotReady, NotPresent."""
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        """Whether something is there and all of it is ready."""
        raise NotImplementedError


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
) -> Observation:
    """How the deployment with this label is on a cluster. Never raises EdgeError for a cluster that does not answer.

    One request for the record and one a kind and namespace; with ``why`` a few more for each workload that is not
    ready, with ``log_lines`` their last lines. ``ready_queries``: jmespath by kind, true where the object is ready.
    """
    raise NotImplementedError
