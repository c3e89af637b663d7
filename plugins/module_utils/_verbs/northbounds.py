# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: clusters that are an OVN northbound: registering, reaching them, bringing networks there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import ovn_nb
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import site_of
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._model.northbound import Northbound as Endpoint
from ansible_collections.emco.edge.plugins.module_utils._model.options import parsed
from ansible_collections.emco.edge.plugins.module_utils._ovn.northbound import Northbound, Snapshot
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import (
    Action,
    FieldChange,
    ObjectResult,
    Outcome,
    State,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_options import ClusterOptions
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_view import shown_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_planning import ClusterPlan
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import networks_key
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Credentials,
    Registered,
    cluster_key,
    folder_of_variables,
    registration_document,
    silent_key,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result

GROUP = "OVN_Northbound"
_DONE = {"create": Action.CREATED, "update": Action.CHANGED, "delete": Action.DELETED}
_FORESEEN = {"create": Action.WOULD_CREATE, "update": Action.WOULD_CHANGE, "delete": Action.WOULD_DELETE}


def is_northbound(wanted: ClusterOptions, before: Registered | None) -> bool:
    """Whether the cluster that is spoken of is an OVN northbound."""
    return wanted.ovn_nb is not None or (before is not None and before.cluster.kind == "ovn")


def register(wanted: ClusterOptions, before: Registered | None, described: Cluster, context: Context) -> Result:
    """Register a northbound, change what is registered, or take it out; ``described`` is what people say of it."""
    if wanted.state == "absent":
        return _unregister(wanted, before, context)
    credentials = _credentials(wanted, before, context)
    cluster = replace(described, kind="ovn", facts=None, unreachable_since=None)
    host = wanted.inventory_host if wanted.inventory_host not in (None, "localhost", "127.0.0.1") else wanted.name
    after = Registered(cluster, credentials, str(host))
    # It must answer, like any cluster that is registered.
    opened(after, timeout=wanted.timeout).close()
    changed = before is None or registration_document(before) != registration_document(after)
    if not context.check:
        context.store().put(cluster_key(after.ref), registration_document(after))
        context.store().delete(silent_key(after.ref))
    return {"changed": changed, "cluster": shown_cluster(after, context.clock())}


def _credentials(wanted: ClusterOptions, before: Registered | None, context: Context) -> Credentials:
    if wanted.ovn_nb is None:
        if before is None:
            raise RuntimeError("one of the two is there")
        return before.credentials
    told = {name: value for name, value in asdict(wanted.ovn_nb).items() if value is not None}
    base_dir = folder_of_variables(context.host.variables, context)
    return Credentials("reference", {"ovn_nb": told}, wanted.inventory_host, base_dir=base_dir)


def _unregister(wanted: ClusterOptions, before: Registered | None, context: Context) -> Result:
    if before is None:
        return {"changed": False, "cluster": {"cluster": str(wanted.ref)}, "removed": []}
    entry = context.store().get(networks_key(before.ref))
    names = sorted((entry.value.get("networks") or {}) if entry is not None else {})
    if names and not wanted.forget:
        raise EdgeError(
            "ClusterInUse",
            f"{before.ref} still has {len(names)} of our networks: {', '.join(names)}.",
            hint="Remove them first; forget: true is for a northbound that is gone.",
            details={"cluster": str(before.ref), "networks": names},
        )
    if not context.check:
        for key in (networks_key(before.ref), silent_key(before.ref), cluster_key(before.ref)):
            context.store().delete(key)
    return {"changed": True, "cluster": {"cluster": str(wanted.ref)}, "removed": []}


def opened(one: Registered, *, timeout: float = 30.0) -> Northbound:
    """A connection to a registered northbound."""
    told: Any = one.credentials.connection.get("ovn_nb")
    if told is None:
        raise EdgeError("BadConnection", f"{one.ref} has no endpoint.", hint="Register it with ovn_nb.")
    endpoint = parsed(Endpoint, told, f"the northbound of {one.ref}")
    return Northbound(str(one.ref), endpoint, base_dir=one.credentials.base_dir, timeout=timeout)


def answers(one: Registered) -> bool:
    """Whether a northbound gives a sign of life."""
    try:
        opened(one, timeout=5.0).close()
    except EdgeError as error:
        return error.reason != "ClusterUnreachable"
    return True


def recorded(one: Registered) -> Mapping[str, Placed]:
    """The networks that the rows of a northbound tell of; none where it does not answer."""
    try:
        northbound = opened(one, timeout=10.0)
    except EdgeError as error:
        if error.reason == "ClusterUnreachable":
            return {}
        raise
    try:
        return ovn_nb.networks_in(northbound.snapshot().found.values())
    finally:
        northbound.close()


def brought(northbound: Northbound, plan: ClusterPlan, *, check: bool, drift: str = "correct") -> Outcome:
    """Make a northbound equal to a plan, in one transaction, and see that it is."""
    wanted = list(ovn_nb.rows(plan.after.values(), site_of(plan.cluster, plan.after.values())))
    before = northbound.snapshot()
    _refuse_strangers(northbound, wanted, before)
    changes = ovn_nb.changes(wanted, before.found)
    if drift != "correct" and plan.before == plan.after:
        results = [_result(one, Action.DRIFTED) for one in changes if one.action == "update"]
        changes = tuple(one for one in changes if one.action != "update")
    else:
        results = []
    names = _FORESEEN if check else _DONE
    if changes and not check:
        northbound.commit(wanted, changes)
        left = ovn_nb.changes(wanted, northbound.snapshot().found)
        if left and not results:
            first = left[0]
            raise EdgeError(
                "NorthboundRefused",
                f"{first.table} {first.title} of {northbound.name} is not as it was written: somebody else changes it.",
            )
    touched = {(one.table, one.key) for one in changes}
    same = [
        ObjectResult(Identity(GROUP, row.table, "", row.title), row.network, Action.UNCHANGED)
        for row in wanted
        if row.ident not in touched
    ]
    return Outcome(
        northbound.name,
        State.READY if wanted else State.REMOVED,
        objects=(*(_result(one, names[one.action]) for one in changes), *results, *same),
        requests=1 + bool(changes),
        writes=int(bool(changes) and not check),
    )


def _result(change: ovn_nb.Change, action: Action) -> ObjectResult:
    fields = tuple(FieldChange(name, before, after) for name, (before, after) in change.fields.items())
    return ObjectResult(Identity(GROUP, change.table, "", change.title), change.network, action, changes=fields)


def _refuse_strangers(northbound: Northbound, wanted: list[ovn_nb.Row], there: Snapshot) -> None:
    taken = [row for row in wanted if row.ident not in there.found and (row.table, row.title) in there.others]
    if taken:
        shown = ", ".join(f"{row.table} {row.title}" for row in taken)
        raise EdgeError(
            "NotOurs",
            f"{shown} exist at the northbound of {northbound.name} and were not made by us. Nothing was changed.",
            hint="Give the network or its ports other names.",
            details={"objects": [f"{row.table} {row.title}" for row in taken]},
        )


def live(one: Registered, networks: Mapping[str, Placed]) -> dict[str, dict[str, Any]]:
    """How the networks of a northbound are: whether their rows are as wanted, and the ports with their addresses."""
    northbound = opened(one, timeout=10.0)
    try:
        there = northbound.snapshot()
    finally:
        northbound.close()
    wanted = list(ovn_nb.rows(networks.values(), site_of(one.cluster, networks.values())))
    differing = {change.network for change in ovn_nb.changes(wanted, there.found)}
    found: dict[str, dict[str, Any]] = {}
    for name in networks:
        given = there.addresses.get(name, {})
        used = there.guests.get(name, ())
        ports = [{"name": port, "addresses": text, "up": port in used} for port, text in sorted(given.items())]
        found[name] = {"ready": name not in differing, "ports": ports}
    return found


def refuse_unknown(northbound: Northbound, plan: ClusterPlan) -> None:
    """EdgeError ``StalePlan`` when rows tell of networks that were not known when this was planned."""
    unknown = ovn_nb.networks_in(northbound.snapshot().found.values()).keys() - plan.before.keys()
    if unknown:
        raise EdgeError(
            "StalePlan",
            f"{northbound.name} has networks that were not known when this was planned: {', '.join(sorted(unknown))}. "
            "Nothing was changed.",
            hint="It did not answer before; run again.",
        )


def refuse_guests(northbound: Northbound, plan: ClusterPlan) -> None:
    """EdgeError ``NetworkInUse`` with the ports of others, and those with a machine behind them."""
    guests = northbound.snapshot().guests
    found = {name: guests[name] for name in plan.leaving if guests.get(name)}
    if found:
        ((name, ports), *_more) = found.items()
        raise EdgeError(
            "NetworkInUse",
            f"network {name} on {northbound.name} is used by {len(ports)} ports: {', '.join(ports)}. "
            "Nothing was changed.",
            hint="Take the machines off first.",
            details={"ports": {each: list(names) for each, names in found.items()}},
        )
