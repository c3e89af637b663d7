# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: deleting what is ours and no longer wanted, in reverse install order."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import Removal
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._sync.order import steps
from ansible_collections.emco.edge.plugins.module_utils._sync.others import others_in
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action
from ansible_collections.emco.edge.plugins.module_utils._sync.record import RecordedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.waiting import await_gone

_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"})


def delete_all(session: Session, objects: Sequence[RecordedObject], *, with_pods: bool = False) -> None:
    """Delete objects that were found to be ours, the last installed first, each step waited for.

    ``with_pods``: a workload is gone only when its pods are. Definitions and namespaces in which others have something
    are kept, and said to be.
    """
    for group in reversed(steps(objects)):
        session.stop_if_told()
        _delete_together(session, group, with_pods)


def _delete_together(session: Session, group: Sequence[RecordedObject], with_pods: bool) -> None:
    attempts = session.lanes.attempts(lambda one: _deleted(session, one, with_pods), group)
    begun: dict[RecordedObject, Removal] = {}
    errors = []
    for one, attempt in zip(group, attempts, strict=True):
        if isinstance(attempt, EdgeError):
            errors.append(session.noticed(attempt))
            session.result(one, Action.FAILED, attempt.reason, attempt.message)
            continue
        if attempt is None:
            continue
        session.live.pop(one.identity, None)
        if attempt is not Removal.ABSENT:
            session.result(one, Action.DELETED)
        if attempt is Removal.BEGUN:
            begun[one] = attempt
    if errors:
        raise session.silent or errors[0]
    if begun:
        await_gone(session, {one.identity: one.uid for one in begun}, {one.identity: one.api_version for one in begun})


def _deleted(session: Session, one: RecordedObject, with_pods: bool) -> Removal | None:
    """What became of the deletion, None when the object is kept."""
    where = one.identity
    resource = session.client.kinds.find(one.api_version, where.kind)
    if resource is None:
        return Removal.ABSENT
    if not session.options.inhabited and (others := others_in(session, one)):
        session.result(one, Action.KEPT, "HoldsOthers", f"{others} would go with it")
        return None
    foreground = with_pods and where.kind in _WORKLOADS
    try:
        return session.client.begin_deletion(
            resource,
            where.namespace,
            where.name,
            uid=one.uid or None,
            propagation="Foreground" if foreground else "Background",
        )
    except ClusterError as error:
        # The precondition: somebody deleted it and made another one since it was looked at.
        if error.reason != "Conflict":
            raise
        session.result(one, Action.KEPT, "NotOurs", "somebody else made it again meanwhile")
        return None
