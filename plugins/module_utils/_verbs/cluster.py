# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``cluster``, which registers a cluster and keeps what people say about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Taint
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_document import (
    cluster_document,
    facts_document,
)
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._observe.facts import read_facts
from ansible_collections.emco.edge.plugins.module_utils._observe.rights import missing_rights
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_account import (
    NAMESPACES,
    account_connection,
    account_name,
    ensure_account,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_credentials import (
    Way,
    encrypted,
    for_kubernetes_core,
    reference,
    sealed,
    way_to,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_options import (
    CLUSTER_VARIABLES,
    ClusterOptions,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_removal import unregister
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_view import shown_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.northbounds import is_northbound, register
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Credentials,
    Registered,
    cluster_key,
    facts_key,
    find,
    registration_document,
    silent_key,
    uid_key,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec

SPEC = Spec("cluster", ClusterOptions, fleet=False, variables=CLUSTER_VARIABLES)

# One cluster that does not answer must not hold up a play over hundreds: a retry, then it is said.
PATIENCE = Patience(connect=5.0, read=10.0, retries=1)


@dataclass(frozen=True)
class Seen:
    """What a cluster said about itself."""

    uid: str
    facts: Facts
    lacking: tuple[str, ...]
    """Rights that deploying needs and the account does not have."""


def run(wanted: ClusterOptions, context: Context) -> Result:
    """Register a cluster, change what is registered, or take it out."""
    before = find(context.store(wanted.store), wanted.ref)
    if is_northbound(wanted, before):
        return register(wanted, before, _described(wanted, before, None, context.clock()), context)
    if wanted.state == "absent":
        return unregister(wanted, before, context, PATIENCE)
    way = way_to(wanted, before, context)
    client = context.connect(
        str(wanted.ref),
        way.connection,
        base_dir=way.base_dir,
        budget=Budget.of(wanted.timeout),
        patience=PATIENCE,
    )
    seen = _examined(client, wanted, context.clock())
    _refuse_duplicate(wanted, seen.uid, context.store())
    credentials, mended = _credentials(wanted, way, before, client, context)
    after = Registered(
        cluster=_described(wanted, before, seen.facts, context.clock()),
        credentials=credentials,
        host=_host(wanted),
        uid=seen.uid,
    )
    changed = bool(mended) or before is None or registration_document(before) != registration_document(after)
    if not context.check:
        _store(after, before, context.store())
        if before is None and not wanted.allow_duplicate:
            _refuse_later_duplicate(after, context.store())
    return _result(after, before, seen, way, mended, changed, context)


def kube_system_uid(client: ClusterClient) -> str:
    """What tells one cluster from another, also when its address stays; empty where it may not be read."""
    try:
        found = client.get(NAMESPACES, None, "kube-system")
    except EdgeError as error:
        if error.reason != "Forbidden":
            raise
        return ""
    except ValueError:  # an answer, but no JSON
        found = None
    uid = ((found or {}).get("metadata") or {}).get("uid")
    if not uid:
        # Every API server makes this namespace for itself.
        raise _no_api_server(client)
    return str(uid)


def _examined(client: ClusterClient, wanted: ClusterOptions, now: float) -> Seen:
    uid = kube_system_uid(client)
    lacking = tuple(missing_rights(client))
    if lacking and wanted.on_missing_rights == "fail":
        raise EdgeError(
            "MissingRights",
            f"the account that {wanted.ref} is registered with may not do all that deploying needs: "
            f"{', '.join(lacking)}.",
            hint="Grant what is missing, or register with on_missing_rights: warn when less is deployed there.",
            details={"cluster": str(wanted.ref), "missing_rights": list(lacking)},
        )
    return Seen(uid, _facts(client, wanted, now), lacking)


def _no_api_server(client: ClusterClient) -> EdgeError:
    return EdgeError(
        "BadConnection",
        f"what answers for {client.name} is not the API server of a Kubernetes cluster.",
        hint="Check the URL: no path behind the port, unless a proxy in between needs it.",
        details={"cluster": client.name},
    )


def _facts(client: ClusterClient, wanted: ClusterOptions, now: float) -> Facts:
    try:
        return read_facts(client, now)
    except EdgeError as error:
        if error.reason != "Forbidden" or wanted.on_missing_rights == "fail":
            raise
        return Facts(observed=now, version=client.version())


def _refuse_duplicate(wanted: ClusterOptions, uid: str, store: Store) -> None:
    others = _others(wanted.ref, uid, store)
    if others and not wanted.allow_duplicate:
        raise _duplicate(wanted.ref, others)


def _refuse_later_duplicate(after: Registered, store: Store) -> None:
    """Two hosts with the same API server may register at the same time: who was stored later goes."""
    own = store.get(uid_key(after.uid, after.ref))
    earlier = _others(after.ref, after.uid, store, before=own.version if own else 0)
    if earlier:
        for key in (uid_key(after.uid, after.ref), cluster_key(after.ref), facts_key(after.ref)):
            store.delete(key)
        raise _duplicate(after.ref, earlier)


def _others(ref: ClusterRef, uid: str, store: Store, before: int | None = None) -> list[str]:
    if not uid:
        return []
    found = []
    for entry in store.list(("uids", uid)):
        other = ClusterRef(*entry.key[2:])
        if other != ref and (before is None or entry.version < before):
            registration = store.get(cluster_key(other))
            if registration is not None and registration.value.get("uid") == uid:
                found.append(str(other))
    return found


def _duplicate(ref: ClusterRef, others: list[str]) -> EdgeError:
    return EdgeError(
        "DuplicateCluster",
        f"{ref} has the same API server as {', '.join(others)}, which is registered already.",
        hint="Check the connection of this host; allow_duplicate: true registers it under both names, and both deploy "
        "to it.",
        details={"cluster": str(ref), "same_as": others},
    )


def _credentials(
    wanted: ClusterOptions, way: Way, before: Registered | None, client: ClusterClient, context: Context
) -> tuple[Credentials, tuple[str, ...]]:
    """What is kept, and what was created or mended on the cluster for it."""
    keep = wanted.keep_credentials or (before.credentials.keep if before else "reference")
    if keep == "service_account":
        return _account_credentials(wanted, way, before, client, context)
    if way.registered and before is not None and before.credentials.keep == keep:
        return before.credentials, ()
    if keep == "encrypted":
        return encrypted(wanted.ref, way, before, context), ()
    return reference(wanted.ref, way), ()


def _account_credentials(
    wanted: ClusterOptions, way: Way, before: Registered | None, client: ClusterClient, context: Context
) -> tuple[Credentials, tuple[str, ...]]:
    account = ensure_account(client, account_name(context.keys()), wanted.account_rules, check=context.check)
    if not account.token:  # check mode, and there is no account yet
        return Credentials("service_account"), account.changed
    connection = account_connection(account, context.resolved(way.connection, way.base_dir), way.base_dir)
    kept = sealed("service_account", wanted.ref, connection, before, context)
    if before is None or kept != before.credentials:
        # What is kept must work, before anybody throws away what was given.
        own = context.connect(
            f"{wanted.ref} (own account)", connection, budget=Budget.of(wanted.timeout), patience=PATIENCE
        )
        kube_system_uid(own)
    return kept, account.changed


def _described(wanted: ClusterOptions, before: Registered | None, facts: Facts | None, now: float) -> Cluster:
    """The cluster as the options say; what they leave out stays as it was."""
    known = before.cluster if before is not None else Cluster(wanted.ref)
    given: dict[str, Any] = {
        "labels": wanted.labels,
        "kv": wanted.kv,
        "taints": _taints(wanted, known, now),
        "schedulable": wanted.schedulable,
        "draining": wanted.drain,
        "image_mirrors": wanted.image_mirrors,
        "pull_secrets": wanted.pull_secrets,
        "constraints": wanted.constraints,
    }
    said = {name: value for name, value in given.items() if value is not None}
    return replace(known, **said, facts=facts, unreachable_since=None)


def _taints(wanted: ClusterOptions, known: Cluster, now: float) -> tuple[Taint, ...] | None:
    if wanted.taints is None:
        return None
    since = {(taint.key, taint.value, taint.effect): taint.added for taint in known.taints}
    return tuple(
        Taint(one.key, one.value, one.effect, since.get((one.key, one.value, one.effect)) or now)
        for one in wanted.taints
    )


def _host(wanted: ClusterOptions) -> str:
    # In a loop on localhost the host does not stand for the cluster.
    if wanted.inventory_host in (None, "localhost", "127.0.0.1"):
        return str(wanted.name)
    return str(wanted.inventory_host)


def _store(after: Registered, before: Registered | None, store: Store) -> None:
    entries: dict[Key, Mapping[str, Any]] = {cluster_key(after.ref): registration_document(after)}
    if after.cluster.facts is not None:
        entries[facts_key(after.ref)] = facts_document(after.cluster.facts)
    if after.uid:
        entries[uid_key(after.uid, after.ref)] = {}
    store.put_many(entries)
    if before is not None and before.uid and before.uid != after.uid:
        store.delete(uid_key(before.uid, before.ref))
    if before is not None and before.cluster.unreachable_since is not None:
        store.delete(silent_key(after.ref))


def _result(
    after: Registered,
    before: Registered | None,
    seen: Seen,
    way: Way,
    mended: tuple[str, ...],
    changed: bool,
    context: Context,
) -> Result:
    rebuilt = before is not None and bool(before.uid) and before.uid != after.uid
    warnings = []
    if rebuilt:
        warnings.append(
            f"{after.ref} is not the cluster that was registered under this name: it was built anew, and nothing of "
            "what was deployed there is known to be there."
        )
    if seen.lacking:
        warnings.append(f"{after.ref}: the account lacks rights that deploying may need: {', '.join(seen.lacking)}.")
    if not way.connection.validate_certs:
        warnings.append(f"{after.ref}: validate_certs is false, so that anybody may pretend to be this cluster.")
    result: Result = {
        "changed": changed,
        "cluster": shown_cluster(after, context.clock()),
        "kubernetes_core": {} if way.registered else for_kubernetes_core(way),
        "missing_rights": list(seen.lacking),
        "rebuilt": rebuilt,
        "account_changes": list(mended),
    }
    if warnings:
        result["warnings"] = warnings
    if context.diff:
        result["diff"] = {
            "before_header": f"registration of {after.ref}",
            "after_header": f"registration of {after.ref}",
            "before": _shown_registration(before) if before is not None else {},
            "after": _shown_registration(after),
        }
    return result


def _shown_registration(one: Registered) -> dict[str, Any]:
    """What diff mode shows; a sealed credential is told from another by a digest of how it is sealed."""
    shown = {**cluster_document(one.cluster), "host": one.host, "uid": one.uid}
    credentials = one.credentials
    shown["credentials"] = {
        "keep": credentials.keep,
        "connection": dict(credentials.connection),
        "host": credentials.host,
        "sealed": hashlib.sha256(credentials.sealed.encode()).hexdigest()[:12] if credentials.sealed else None,
        "base_dir": credentials.base_dir,
    }
    return shown
