# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the objects that a logical cloud is on one cluster, as the bundle that is synced there. Pure.

The order is EMCO's: namespace, user, quotas, roles, bindings. A certificate's request is no part of it: clusters
collect old ones, so that the certificate that was fetched is what counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.isolation import PolicyApi, isolation_of
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import (
    acting_objects,
    role_objects,
    tenant_of,
)
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import TOTAL_QUOTA, LogicalCloud
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming, bundle, planned
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Digest

APP = "logical-cloud"
CLOUD_LABEL = "emco.edge/logical-cloud"


def naming_of(project: str, name: str) -> Naming:
    """The names by which a logical cloud is known on its clusters."""
    return Naming(project, name, "logical_cloud")


def objects_of(
    cloud: LogicalCloud,
    ref: ClusterRef,
    generation: int,
    *,
    policy: PolicyApi | None = None,
    share: Mapping[str, str] | None = None,
    account: tuple[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The objects of a standard or privileged logical cloud on a cluster, none of an admin one.

    ``policy``: the API to isolate it with. ``share``: what of its total quota the cluster has. ``account``: namespace
    and name of our account there, which is to be allowed to act as the tenant. With ``cloud.emco_names`` they are
    called as EMCO calls them.
    """
    if cloud.kind == "admin":
        return []
    tenant = tenant_of(cloud, generation)
    space = cloud.space
    found = [_namespace(cloud)]
    if tenant.account:
        found.append(
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": tenant.account, "namespace": space},
                # Whoever may only create pods here must not get the tenant's rights with them.
                "automountServiceAccountToken": False,
            }
        )
    quotas = {one.name: one.on(ref) for one in cloud.quotas}
    if share:
        quotas[TOTAL_QUOTA] = dict(share)
    found += [_in("v1", "ResourceQuota", name, space, {"hard": hard}) for name, hard in quotas.items()]
    if cloud.limit_range:
        found.append(_in("v1", "LimitRange", "emco-edge", space, {"limits": [dict(one) for one in cloud.limit_range]}))
    if policy is not None:
        found.append(isolation_of(policy, space, cloud.isolation_except))
    acting = acting_objects(cloud, tenant, account[1], account[0]) if account is not None else []
    return found + role_objects(cloud, tenant) + acting


def bundle_of_cloud(
    cloud: LogicalCloud,
    ref: ClusterRef,
    generation: int,
    digest: Digest,
    *,
    policy: PolicyApi | None = None,
    share: Mapping[str, str] | None = None,
    account: tuple[str, str] | None = None,
) -> Bundle:
    """What a cluster is made equal to; arguments as of ``objects_of``."""
    naming = naming_of(cloud.project, cloud.name)
    documents = objects_of(cloud, ref, generation, policy=policy, share=share, account=account)
    objects = [planned(one, APP, None, naming, digest) for one in documents]
    decision = {"logical_cloud": cloud.name, "namespace": cloud.space, "generation": generation}
    return bundle(naming, objects, [APP], {}, None, digest, decision=decision)


def _namespace(cloud: LogicalCloud) -> dict[str, Any]:
    labels = {**cloud.labels, **(cloud.pod_security or {})}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cloud.space, "labels": labels}}


def _in(api_version: str, kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": dict(spec)}
