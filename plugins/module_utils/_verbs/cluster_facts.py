# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``cluster_facts``, which gives a host the facts of its cluster, fresh enough."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._observe.facts import read_facts
from ansible_collections.emco.edge.plugins.module_utils._verbs import northbounds
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_options import (
    IDENTITY_VARIABLES,
    ClusterFactsOptions,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_view import shown_facts
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Registered,
    connection_of,
    find,
    keep_facts,
    note_silence,
    registered,
    unknown_cluster,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec

SPEC = Spec("cluster_facts", ClusterFactsOptions, fleet=False, variables=IDENTITY_VARIABLES)

_PATIENCE = Patience(connect=5.0, read=10.0, retries=1)
# Without an answer nothing more is known than before. All else (expired credentials, missing rights) is an error.
_SILENT = frozenset({"ClusterUnreachable", "BudgetSpent"})


def run(wanted: ClusterFactsOptions, context: Context) -> Result:
    """The stored facts, read anew when they are older than ``max_age``; check mode reads and stores nothing."""
    one = find(context.store(wanted.store), wanted.ref)
    if one is None:
        raise unknown_cluster(str(wanted.ref), registered(context.store()))
    now = context.clock()
    if one.cluster.kind == "ovn":
        return _northbound(one, wanted, context)
    facts = one.cluster.facts
    if facts is not None and one.cluster.unreachable_since is None and now - facts.observed <= wanted.max_age:
        return _result(one, now)
    try:
        fresh = _refreshed(one, wanted, context)
    except ClusterError as silence:
        if silence.reason not in _SILENT:
            raise
        return _silent(one, wanted, silence, context)
    if not context.check:
        keep_facts(context.store(), {one.ref: fresh.cluster.facts} if fresh.cluster.facts else {})
        note_silence(context.store(), (), (one.ref,), now)
    return _result(fresh, context.clock())


def _northbound(one: Registered, wanted: ClusterFactsOptions, context: Context) -> Result:
    """A northbound has no nodes; whether it answers is all there is to know."""
    answering = northbounds.answers(one)
    if not answering and wanted.fail_when_unreachable:
        raise EdgeError("ClusterUnreachable", f"the OVN northbound of {one.ref} does not answer.")
    if not context.check:
        told: tuple[tuple[ClusterRef, ...], tuple[ClusterRef, ...]] = (
            ((), (one.ref,)) if answering else ((one.ref,), ())
        )
        note_silence(context.store(), *told, context.clock())
    facts = shown_facts(None, context.clock(), reachable=answering)
    return {"changed": False, "ansible_facts": {"emco_cluster": {"cluster": str(one.ref), "kind": "ovn", **facts}}}


def _refreshed(one: Registered, wanted: ClusterFactsOptions, context: Context) -> Registered:
    connection, base_dir = connection_of(one, context)
    client = context.connect(
        str(one.ref), connection, base_dir=base_dir, budget=Budget.of(wanted.timeout), patience=_PATIENCE
    )
    facts = read_facts(client, context.clock())
    return replace(one, cluster=replace(one.cluster, facts=facts, unreachable_since=None))


def _silent(one: Registered, wanted: ClusterFactsOptions, silence: ClusterError, context: Context) -> Result:
    if not context.check:
        note_silence(context.store(), (one.ref,), (), context.clock())
    if wanted.fail_when_unreachable:
        raise EdgeError("ClusterUnreachable", silence.message, hint=silence.hint, details=silence.details)
    since = one.cluster.unreachable_since
    silent = replace(one, cluster=replace(one.cluster, unreachable_since=context.clock() if since is None else since))
    result = _result(silent, context.clock())
    result["warnings"] = [f"{silence.message} The facts are those that are stored."]
    return result


def _result(one: Registered, now: float) -> Result:
    facts = shown_facts(one.cluster.facts, now, reachable=one.cluster.unreachable_since is None)
    return {"changed": False, "ansible_facts": {"emco_cluster": {"cluster": str(one.ref), **facts}}}
