# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: deleting what is ours and no longer wanted, in reverse install order."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import Removal
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import DEPLOYMENT_LABEL
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_definition, steps
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action
from ansible_collections.emco.edge.plugins.module_utils._sync.record import RecordedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.waiting import await_gone


def delete_all(session: Session, objects: Sequence[RecordedObject], *, propagation: str = "Background") -> None:
    """Delete objects that were found to be ours, the last installed first, each step waited for."""
    for group in reversed(steps(objects)):
        session.stop_if_told()
        _delete_together(session, group, propagation)


def _delete_together(session: Session, group: Sequence[RecordedObject], propagation: str) -> None:
    attempts = session.lanes.attempts(lambda one: _deleted(session, one, propagation), group)
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


def _deleted(session: Session, one: RecordedObject, propagation: str) -> Removal | None:
    """What became of the deletion, None when the object is kept."""
    where = one.identity
    resource = session.client.kinds.find(one.api_version, where.kind)
    if resource is None:
        return Removal.ABSENT
    if is_definition(where) and (foreign := _foreign_instances(session, one)):
        session.result(one, Action.KEPT, "HasInstances", f"{foreign} objects of this kind are not of this deployment")
        return None
    try:
        return session.client.begin_deletion(
            resource, where.namespace, where.name, uid=one.uid or None, propagation=propagation
        )
    except ClusterError as error:
        # The precondition: somebody deleted it and made another one since it was looked at.
        if error.reason != "Conflict":
            raise
        session.result(one, Action.KEPT, "NotOurs", "somebody else made it again meanwhile")
        return None


def _foreign_instances(session: Session, one: RecordedObject) -> int:
    """How many objects of a defined kind would go with its definition though they are not ours."""
    definition = session.live.get(one.identity) or {}
    spec = definition.get("spec") or {}
    served = [str(version["name"]) for version in spec.get("versions") or () if version.get("served")]
    if not served:
        return 0
    session.client.kinds.learn([definition])
    resource = session.client.resource(f"{spec['group']}/{served[0]}", str(spec["names"]["kind"]))
    return sum(
        (each["metadata"].get("labels") or {}).get(DEPLOYMENT_LABEL) != session.bundle.label
        for each in session.client.list(resource, metadata_only=True)
    )
