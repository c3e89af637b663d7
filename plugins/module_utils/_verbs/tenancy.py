# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: with whose rights a deployment in a logical cloud is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import tenant_of
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.logical_clouds import StoredCloud, stored_cloud
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered

ActAs = Literal["tenant", "credential", "admin"]


def cloud_of(bundle: Bundle) -> str:
    """The logical cloud that a bundle was planned in, empty for the one that is there without being made."""
    return str(bundle.decision.get("logical_cloud") or "")


@dataclass(frozen=True)
class Tenancy:
    """A deployment's logical cloud, and how its tenant is acted for."""

    one: StoredCloud
    act_as: ActAs
    context: Context

    def acting(self, cluster: Registered, connection: Connection, base_dir: str) -> Connection:
        """The connection of the tenant to a cluster; EdgeError ``NoTenantCredential`` when it has none."""
        cloud = self.one.cloud
        if self.act_as == "tenant":
            tenant = tenant_of(cloud, self.one.generation)
            resolved = self.context.resolved(connection, base_dir)
            return replace(resolved, impersonate_user=tenant.username, impersonate_groups=tenant.groups)
        # Here and not on top: only this way of acting needs certificates and what makes them.
        from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.credentials import kubeconfig_of
        from ansible_collections.emco.edge.plugins.module_utils._verbs import tenant_credentials as credentials

        store, keys = self.context.store(), self.context.keys()
        key = credentials.credential_key(cloud.project, cloud.name, cluster.ref)
        kept = credentials.kept_credential(store, keys, key)
        if kept is None or kept.credential.generation != self.one.generation:
            raise EdgeError(
                "NoTenantCredential",
                f"logical cloud {cloud.project}/{cloud.name} has no credential for {cluster.ref}.",
                hint="Run emco.edge.logical_cloud again, which issues it; act_as: tenant needs none.",
                details={"cluster": str(cluster.ref)},
            )
        access = credentials.access_of(cluster, kept.credential, self.context)
        return Connection(kubeconfig=kubeconfig_of([access], cloud.user.name if cloud.user else "", cloud.space))


def tenancy_of(name: str, project: str, act_as: ActAs, context: Context) -> Tenancy | None:
    """How to act for the tenant of a logical cloud; None where our own rights are meant."""
    if not name or act_as == "admin":
        return None
    found = stored_cloud(context.store(), context.keys(), project, name)
    # One that was removed by force has no tenant any more; what its deployments left is ours to clear.
    if found is None or found.cloud.user is None:
        return None
    return Tenancy(found, act_as, context)
