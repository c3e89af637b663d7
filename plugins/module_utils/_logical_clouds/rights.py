# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: who a tenant is on a cluster, and what its permissions are there. Pure."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.kinds import KNOWN
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud, Permission

RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Tenant:
    """Who the user of a logical cloud is to an API server, in one generation of its credentials.

    Rights are bound to ``group`` for a certificate and to ``account`` for a service account; both change with the
    generation, so that a credential of an earlier one has no rights.
    """

    user: str
    group: str
    account: str = ""
    namespace: str = ""

    @property
    def username(self) -> str:
        """The user name that the API server sees."""
        return f"system:serviceaccount:{self.namespace}:{self.account}" if self.account else self.user

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that whoever acts for the tenant has to say; those of a service account are known."""
        return () if self.account else (self.group,)

    @property
    def subject(self) -> dict[str, str]:
        """The subject of role bindings."""
        if self.account:
            return {"kind": "ServiceAccount", "name": self.account, "namespace": self.namespace}
        return {"apiGroup": RBAC, "kind": "Group", "name": self.group}


def group_of(project: str, name: str, generation: int) -> str:
    """``emco:<hash>:g<generation>``: a certificate's organisation holds 64 characters."""
    digest = hashlib.sha256(f"{project}/{name}".encode()).hexdigest()[:40]
    return f"emco:{digest}:g{generation}"


def tenant_of(cloud: LogicalCloud, generation: int) -> Tenant:
    """The user of a logical cloud; RuntimeError for an admin one, which has none."""
    if cloud.user is None:
        raise RuntimeError("an admin logical cloud has no user")
    group = group_of(cloud.project, cloud.name, generation)
    if cloud.user.type == "certificate":
        return Tenant(cloud.user.name, group)
    if cloud.emco_names:
        account = f"{cloud.space}-sa" + (f"-g{generation}" if generation > 1 else "")
    else:
        account = f"{cloud.user.name}-g{generation}"
    return Tenant(cloud.user.name, group, account, cloud.space)


def rule_of(one: Permission) -> dict[str, list[str]]:
    """A permission as the rule of a role."""
    rule = {"apiGroups": list(one.api_groups), "resources": list(one.resources), "verbs": list(one.verbs)}
    if one.resource_names:
        rule["resourceNames"] = list(one.resource_names)
    return rule


def permission_text(one: Permission, space: str) -> str:
    """``get, list pods, deployments in namespace shop``."""
    where = one.namespace if one.namespace is not None else space
    place = f"in namespace {where}" if where else "in the whole cluster"
    return f"{', '.join(one.verbs)} {', '.join(one.resources)} {place}"


def role_objects(cloud: LogicalCloud, tenant: Tenant) -> list[dict[str, Any]]:
    """The roles and their bindings, roles first."""
    roles, bindings = [], []
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(cloud.permissions):
        where = cloud.space if one.namespace is None else one.namespace
        role_name, binding_name = _names(cloud, one, where, index)
        if (where, role_name) in seen:
            continue
        seen.add((where, role_name))
        kind = "Role" if where else "ClusterRole"
        place = {"namespace": where} if where else {}
        roles.append(_object(kind, {"name": role_name, **place}, rules=[rule_of(one)]))
        bindings.append(
            _object(
                f"{kind}Binding",
                {"name": binding_name, **place},
                roleRef={"apiGroup": RBAC, "kind": kind, "name": role_name},
                subjects=[tenant.subject],
            )
        )
    return [*roles, *bindings]


def acting_objects(cloud: LogicalCloud, tenant: Tenant, account: str, namespace: str) -> list[dict[str, Any]]:
    """What lets our own account act as this tenant and as nobody else, where it may not act as anybody."""
    name = f"emco-edge:{cloud.project}:{cloud.name}:act-as"
    if tenant.account:
        # In no group but its own: Kubernetes knows them.
        rules = [{"apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": [tenant.account]}]
    else:
        rules = [
            {"apiGroups": [""], "resources": ["users"], "resourceNames": [tenant.user]},
            {"apiGroups": [""], "resources": ["groups"], "resourceNames": [tenant.group]},
        ]
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return [
        _object("ClusterRole", {"name": name}, rules=[{**rule, "verbs": ["impersonate"]} for rule in rules]),
        _object("ClusterRoleBinding", {"name": name}, roleRef=reference, subjects=[subject]),
    ]


def _names(cloud: LogicalCloud, one: Permission, where: str, index: int) -> tuple[str, str]:
    if cloud.emco_names:
        kinds = ("role", "roleBinding") if where else ("clusterRole", "clusterRoleBinding")
        return f"{cloud.name}-{kinds[0]}{index}", f"{cloud.name}-{kinds[1]}{index}"
    # By what it grants, so that editing the list leaves all others alone.
    granted = json.dumps({name: sorted(given) for name, given in rule_of(one).items()}, sort_keys=True)
    name = f"emco-edge:{cloud.project}:{cloud.name}:{hashlib.sha256(granted.encode()).hexdigest()[:10]}"
    return name, name


def _object(kind: str, metadata: Mapping[str, str], **content: Any) -> dict[str, Any]:
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": dict(metadata), **content}


def unknown_groups(cloud: LogicalCloud, served: Iterable[str]) -> list[str]:
    """A warning for each API group that no cluster serves; ``served``: group versions such as ``apps/v1``."""
    known = {group for group, _kind in KNOWN} | {one.split("/")[0] for one in served if "/" in one}
    warnings = []
    for index, one in enumerate(cloud.permissions):
        for group in one.api_groups:
            if group in known or group == "*":
                continue
            close = difflib.get_close_matches(group, sorted(known - {""}), n=2, cutoff=0.5)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            warnings.append(f"permissions[{index}].api_groups: no cluster is known to serve {group!r}{hint}")
    return warnings
