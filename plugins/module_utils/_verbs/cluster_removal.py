# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: taking a cluster out of the registry, when nothing of ours runs there or it is gone."""

from __future__ import annotations

from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import MANAGED_BY, OURS
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._sync.record import NAMESPACE, RECORD_LABEL
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_account import (
    CLUSTER_ROLES,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    account_name,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_credentials import way_to
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_options import ClusterOptions
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import networks_key
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Registered,
    cluster_key,
    facts_key,
    silent_key,
    uid_key,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result

_PROGRESS = "progress"


def unregister(wanted: ClusterOptions, before: Registered | None, context: Context, patience: Patience) -> Result:
    """Remove the registration, and from the cluster what registering put there; ``ClusterInUse`` lists what runs."""
    if before is None:
        return {"changed": False, "cluster": {"cluster": str(wanted.ref)}, "removed": []}
    forgotten = _deployed_by_store(before.ref, context.store()) if wanted.forget else []
    removed = [] if wanted.forget else _cleared(wanted, before, context, patience)
    if not context.check:
        _drop(before, context.store(), forget=wanted.forget)
    result: Result = {"changed": True, "cluster": {"cluster": str(wanted.ref)}, "removed": removed}
    if forgotten:
        result["forgotten_deployments"] = forgotten
    if context.diff:
        result["diff"] = {"before": {"registered": str(wanted.ref)}, "after": {}}
    return result


def _cleared(wanted: ClusterOptions, before: Registered, context: Context, patience: Patience) -> list[str]:
    """What registering had put on the cluster and is deleted now (in check mode: would be)."""
    way = way_to(wanted, before, context)
    client = context.connect(
        str(wanted.ref), way.connection, base_dir=way.base_dir, budget=Budget.of(wanted.timeout), patience=patience
    )
    try:
        running = _deployed_by_records(client)
    except EdgeError as error:
        raise EdgeError(
            error.reason,
            f"{wanted.ref} cannot be unregistered without knowing what runs there: {error.message}",
            hint="forget: true unregisters a cluster that is gone, without asking it.",
            details=error.details,
        ) from error
    running = sorted({*running, *_deployed_by_store(before.ref, context.store())})
    if running:
        raise EdgeError(
            "ClusterInUse",
            f"{wanted.ref} still runs {len(running)} of our deployments: {', '.join(running)}.",
            hint="Move them away (drain: true, or placement) or remove them first; forget: true is for a cluster that "
            "is gone.",
            details={"cluster": str(wanted.ref), "deployments": running},
        )
    if _shared(before, context.store()):
        return []
    return _cleaned(client, account_name(context.keys()), check=context.check)


def _deployed_by_records(client: ClusterClient) -> list[str]:
    found = client.list(SECRETS, NAMESPACE, labels=f"{RECORD_LABEL}=true", metadata_only=True)
    return [_annotated(one["metadata"]) for one in found]


def _annotated(metadata: dict[str, Any]) -> str:
    readable = (metadata.get("annotations") or {}).get(f"{RECORD_LABEL}-of")
    return str(readable or metadata["name"])


def _deployed_by_store(ref: ClusterRef, store: Store) -> list[str]:
    return sorted(
        Naming(*entry.key[1:]).readable
        for entry in store.list((_PROGRESS,))
        if str(ref) in (entry.value.get("clusters") or {})
    )


def _shared(before: Registered, store: Store) -> bool:
    """Whether the same cluster is registered under another name too, which goes on needing what is there."""
    return bool(before.uid) and any(
        entry.key[2:] != (before.ref.provider, before.ref.name) for entry in store.list(("uids", before.uid))
    )


def _cleaned(client: ClusterClient, account: str, *, check: bool) -> list[str]:
    removed = []
    namespace = client.get(NAMESPACES, None, NAMESPACE)
    ours = (((namespace or {}).get("metadata") or {}).get("labels") or {}).get(MANAGED_BY) == OURS
    # The namespace first: it takes a while to go, and the account in it may be the one that asks.
    if namespace is not None and ours and not _holds_others(client, account):
        client.delete(NAMESPACES, None, NAMESPACE, uid=namespace["metadata"]["uid"], dry_run=check)
        removed.append(f"Namespace {NAMESPACE}")
    role = client.get(CLUSTER_ROLES, None, account)
    if role is not None:
        client.delete(CLUSTER_ROLES, None, account, uid=role["metadata"]["uid"], dry_run=check)
        removed.append(f"ClusterRole {account}")
    return removed


def _holds_others(client: ClusterClient, account: str) -> bool:
    """Whether somebody else keeps accounts or secrets in the namespace: another control node, a person."""
    accounts = {one["metadata"]["name"] for one in client.list(SERVICE_ACCOUNTS, NAMESPACE, metadata_only=True)}
    secrets = {one["metadata"]["name"] for one in client.list(SECRETS, NAMESPACE, metadata_only=True)}
    return bool(accounts - {"default", account} or secrets - {f"{account}-token"})


def _drop(before: Registered, store: Store, *, forget: bool) -> None:
    if forget:
        for entry in store.list((_PROGRESS,)):
            clusters = dict(entry.value.get("clusters") or {})
            if clusters.pop(str(before.ref), None) is not None:
                store.put(entry.key, {**entry.value, "clusters": clusters}, expect=entry.version)
    # The registration last: a run that is killed here is finished by the next.
    if before.uid:
        store.delete(uid_key(before.uid, before.ref))
    # Blocks of addresses that it had are free again.
    store.delete(networks_key(before.ref))
    store.delete(facts_key(before.ref))
    store.delete(silent_key(before.ref))
    store.delete(cluster_key(before.ref))
