# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether a tenant may do all that a bundle needs, asked of the server before the first write.

So nothing is half applied. The server refuses what oversteps in any case; this only finds it in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.record import RecordedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session

_GROUP = "authorization.k8s.io"
_RULES = Resource(f"{_GROUP}/v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False)
_ACCESS = Resource(f"{_GROUP}/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False)
_RBAC = "rbac.authorization.k8s.io"
_SHOWN = 10

Rules = Sequence[Mapping[str, Any]]


class Need(NamedTuple):
    """A right that the bundle needs; ``namespace`` empty: in the whole cluster."""

    verb: str
    group: str
    resource: str
    namespace: str

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what} in {f'namespace {self.namespace}' if self.namespace else 'the whole cluster'}"


def refuse_overstepping(session: Session, send: Iterable[PlannedObject], delete: Iterable[RecordedObject]) -> None:
    """EdgeError ``TenantForbidden`` with every right that is missing; nothing is asked where nobody else writes."""
    if not session.client.acts:
        return
    sent = list(send)
    needs = sorted({*_writing(session, sent), *_deleting(session, delete)})
    if not needs:
        return
    missing = [str(need) for need in _refused(session, needs)]
    if not missing:
        missing = list(_escalations(session, sent))
    if missing:
        raise _error(session, missing)


def _writing(session: Session, objects: Iterable[PlannedObject]) -> Iterator[Need]:
    for one in objects:
        for verb in ("patch",) if one.identity in session.live else ("create", "patch"):
            yield from _need(session, verb, one)
        if one.hook is not None:
            yield from _need(session, "delete", one)


def _deleting(session: Session, objects: Iterable[RecordedObject]) -> Iterator[Need]:
    for one in objects:
        yield from _need(session, "delete", one)


def _need(session: Session, verb: str, one: PlannedObject | RecordedObject) -> Iterator[Need]:
    found = session.client.kinds.find(one.api_version, one.identity.kind)
    # A kind that nobody serves is told when the object is sent.
    if found is not None:
        yield Need(verb, one.identity.group, found.plural, one.identity.namespace if found.namespaced else "")


def _refused(session: Session, needs: Sequence[Need]) -> list[Need]:
    """One request a namespace; what its answer does not grant, or is outside namespaces, is asked one by one."""
    spaces = sorted({need.namespace for need in needs if need.namespace})
    rules = dict(zip(spaces, session.lanes.each(lambda space: _rules(session, space), spaces), strict=True))
    unsure = [need for need in needs if not need.namespace or not granted(rules[need.namespace], need)]
    answers = session.lanes.each(lambda need: _allowed(session, need), unsure)
    return [need for need, allowed in zip(unsure, answers, strict=True) if not allowed]


def _rules(session: Session, namespace: str) -> Rules:
    status = _asked(session, _RULES, {"namespace": namespace})
    return status.get("resourceRules") or ()


def _allowed(session: Session, need: Need) -> bool:
    attributes = {"verb": need.verb, "group": need.group, "resource": need.resource, "namespace": need.namespace}
    return bool(_asked(session, _ACCESS, {"resourceAttributes": attributes}).get("allowed"))


def _asked(session: Session, review: Resource, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    document = {"apiVersion": review.api_version, "kind": review.kind, "metadata": {}, "spec": dict(spec)}
    try:
        answer = session.client.create(review, None, document)
    except ClusterError as error:
        if error.reason == "Forbidden" and "impersonate" in error.message:
            raise EdgeError(
                "ImpersonationForbidden",
                f"the account that {session.cluster} is registered with may not act as the tenant: {error.message}",
                hint="Let it impersonate users and groups, or use act_as: credential.",
            ) from error
        raise
    return answer.get("status") or {}


def granted(rules: Rules, need: Need) -> bool:
    """Whether one of the rules that a review lists gives the right, for objects of any name."""
    return any(
        not rule.get("resourceNames")
        and _has(rule.get("verbs"), need.verb)
        and _has(rule.get("apiGroups"), need.group)
        and _has(rule.get("resources"), need.resource)
        for rule in rules
    )


def _has(given: Sequence[str] | None, wanted: str) -> bool:
    return given is not None and (wanted in given or "*" in given)


def _escalations(session: Session, objects: Iterable[PlannedObject]) -> Iterator[str]:
    """Roles and bindings that would give more than the tenant has: only a dry run tells."""
    there = {one.identity.namespace for one in objects if one.identity.kind == "Namespace"}
    asked = [one for one in objects if one.identity.group == _RBAC and one.identity.namespace not in there]
    for one, answer in zip(asked, session.lanes.attempts(lambda each: _tried(session, each), asked), strict=True):
        # A binding whose role comes with the same bundle cannot be tried before the role is there.
        if isinstance(answer, ClusterError) and answer.reason == "Forbidden":
            yield f"{one.identity}: {answer.message}"


def _tried(session: Session, one: PlannedObject) -> object:
    where = one.identity
    resource = session.resource(one)
    manager = session.bundle.manager
    return session.client.apply(
        resource, where.namespace, where.name, one.body, manager=manager, force=True, dry_run=True
    )


def _error(session: Session, missing: Sequence[str]) -> EdgeError:
    shown = "".join(f"\n  - {one}" for one in missing[:_SHOWN])
    more = f"\n  - and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    cloud = session.bundle.decision.get("logical_cloud") or "its logical cloud"
    return EdgeError(
        "TenantForbidden",
        f"the tenant of logical cloud {cloud} lacks rights that {session.bundle.deployment} needs on "
        f"{session.cluster}. Nothing was changed:{shown}{more}\n",
        hint=f"Add them to the permissions of {cloud} (kind: privileged for other namespaces and the whole cluster), "
        "leave the objects out, or have an administrator bring it with act_as: admin.",
        details={"missing": list(missing)},
    )
