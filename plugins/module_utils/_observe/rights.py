# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether the account that we have on a cluster may do what deploying needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._sync.lanes import Lanes

# Rights that hold everywhere: of no namespace that anybody grants anything in.
_NOWHERE = "emco-edge-nowhere"
_RULES = Resource("authorization.k8s.io/v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False)
_REVIEWS = Resource("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False)


class Right(NamedTuple):
    """A verb on a resource (its plural) of an API group."""

    verb: str
    resource: str
    group: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}.{self.group}" if self.group else f"{self.verb} {self.resource}"


_WRITING = ("get", "list", "create", "patch", "delete")
# What an application is commonly made of; "" is the core group.
_WRITTEN = (
    ("namespaces", ""),
    ("configmaps", ""),
    ("secrets", ""),
    ("serviceaccounts", ""),
    ("services", ""),
    ("persistentvolumeclaims", ""),
    ("deployments", "apps"),
    ("statefulsets", "apps"),
    ("daemonsets", "apps"),
    ("jobs", "batch"),
    ("cronjobs", "batch"),
    ("ingresses", "networking.k8s.io"),
    ("networkpolicies", "networking.k8s.io"),
    ("roles", "rbac.authorization.k8s.io"),
    ("rolebindings", "rbac.authorization.k8s.io"),
    ("customresourcedefinitions", "apiextensions.k8s.io"),
)
_READ = (
    ("nodes", ""),
    ("pods", ""),
    ("events", ""),
    ("storageclasses", "storage.k8s.io"),
)


def missing_rights(client: ClusterClient) -> tuple[str, ...]:
    """What the account may not do and deploying needs, such as ``create deployments.apps``; empty when all is there.

    One request for an account that may do everything, else two; where the cluster cannot list an account's rules (an
    authorizer outside of it), one a resource, and one a verb where something is missing.
    """
    if _allowed(client, Right("*", "*", "*")):
        return ()
    rules = _rules(client)
    if rules is not None:
        needed = [Right(verb, *one) for one in _WRITTEN for verb in _WRITING] + [Right("list", *one) for one in _READ]
        return tuple(str(right) for right in needed if not any(_covers(rule, right) for rule in rules))
    wholes = [Right("*", *one) for one in _WRITTEN]
    reads = [Right("list", *one) for one in _READ]
    with Lanes() as lanes:
        asked = [*wholes, *reads]
        answers = lanes.each(lambda right: _allowed(client, right), asked)
        refused = [right for right, allowed in zip(asked, answers, strict=True) if not allowed]
        single = [
            Right(verb, right.resource, right.group)
            for right in refused
            for verb in (_WRITING if right.verb == "*" else (right.verb,))
        ]
        answers = lanes.each(lambda right: _allowed(client, right), single)
    return tuple(str(right) for right, allowed in zip(single, answers, strict=True) if not allowed)


def _rules(client: ClusterClient) -> list[Mapping[str, Any]] | None:
    """The rules of the account that hold in all namespaces; None where the answer is not all there is."""
    review = {"apiVersion": _RULES.api_version, "kind": _RULES.kind, "metadata": {}, "spec": {"namespace": _NOWHERE}}
    status = client.create(_RULES, None, review).get("status") or {}
    return None if status.get("incomplete") else list(status.get("resourceRules") or ())


def _covers(rule: Mapping[str, Any], right: Right) -> bool:
    if rule.get("resourceNames"):
        return False
    wanted = (("verbs", right.verb), ("apiGroups", right.group), ("resources", right.resource))
    return all(not {"*", value}.isdisjoint(rule.get(name) or ()) for name, value in wanted)


def _allowed(client: ClusterClient, right: Right) -> bool:
    attributes = {"verb": right.verb, "group": right.group, "resource": right.resource}
    review = {
        "apiVersion": _REVIEWS.api_version,
        "kind": _REVIEWS.kind,
        "metadata": {},
        "spec": {"resourceAttributes": attributes},
    }
    answer = client.create(_REVIEWS, None, review)
    return bool((answer.get("status") or {}).get("allowed"))
