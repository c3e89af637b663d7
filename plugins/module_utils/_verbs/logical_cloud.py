# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``logical_cloud``: give a tenant a slice of many clusters, change it, take it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.objects import naming_of
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import unknown_groups
from ansible_collections.emco.edge.plugins.module_utils._model import quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import only_these
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs import logical_clouds as clouds
from ansible_collections.emco.edge.plugins.module_utils._verbs.cloud_shipping import (
    CloudShipment,
    CloudShipped,
    Manner,
    note_standings,
    ship_cloud,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_result import differences, summary
from ansible_collections.emco.edge.plugins.module_utils._verbs.limits import limited_to
from ansible_collections.emco.edge.plugins.module_utils._verbs.rebuilding import found_records
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.total_quotas import new_shares
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class LogicalCloudOptions(LogicalCloud):
    """A logical cloud, and how a run goes about it."""

    adopt: bool = option(default=False)
    force: bool = option(default=False)
    allow_deletions: bool = option(default=False)
    conflicts: Literal["fail", "force"] = option(default="fail")
    only: tuple[str, ...] | None = option(parse=only_these, type="raw")
    parallel: int = option(default=50)
    wait_timeout: float = option(default=60.0, parse=quantities.seconds, type="str", spec_default="60s")
    cluster_timeout: float = option(default=120.0, parse=quantities.seconds, type="str", spec_default="2m")
    lock_wait: float = option(default=0.0, parse=quantities.seconds, type="str", spec_default="0s")
    state: Literal["present", "absent"] = option(default="present")
    store: Any = option(type="raw")

    def problems(self, path: str) -> Iterator[Problem]:
        """The rules of a logical cloud; for one that is to go its names are enough."""
        if self.parallel < 1:
            yield Problem(join(path, "parallel"), "must be at least 1")
        if self.state == "present":
            yield from super().problems(path)


SPEC = Spec("logical_cloud", LogicalCloudOptions, fleet=True)
_INTENT = tuple(one.name for one in fields(LogicalCloud))


@dataclass
class _Call:
    """One call of the verb with what it stands on."""

    wanted: LogicalCloudOptions
    context: Context
    fleet: Mapping[ClusterRef, Registered]
    before: clouds.StoredCloud | None
    revisions: Revisions
    progress: dict[ClusterRef, Standing]
    only: frozenset[ClusterRef] | None

    def within(self, refs: frozenset[ClusterRef]) -> frozenset[ClusterRef]:
        """Those of the clusters that this run may touch."""
        return refs if self.only is None else refs & self.only


def run(wanted: LogicalCloudOptions, context: Context) -> Result:
    """Make a logical cloud true on its clusters, or remove it; see the module for what the options mean."""
    store = context.store(wanted.store)
    name = clouds.lease_of_cloud(wanted.project, wanted.name)
    lease = nullcontext() if context.check else store.lease(name, context.owner, wait=wanted.lock_wait)
    with lease:
        fleet = registered(store)
        naming = naming_of(wanted.project, wanted.name)
        revisions = Revisions(naming, store, context.keys())
        call = _Call(
            wanted=wanted,
            context=context,
            fleet=fleet,
            before=clouds.stored_cloud(store, context.keys(), wanted.project, wanted.name),
            revisions=revisions,
            progress=revisions.progress(),
            only=limited_to(wanted.only, fleet),
        )
        return _absent(call) if wanted.state == "absent" else _present(call)


def _present(call: _Call) -> Result:
    wanted, context, store = call.wanted, call.context, call.context.store()
    members, found = clouds.members_of(wanted, call.fleet)
    problems = Problems()
    problems.extend(found)
    problems.extend(clouds.claimed_by_others(store, wanted, members))
    generation = _generation(call, members, problems)
    problems.raise_if_any(f"logical cloud {wanted.project}/{wanted.name}")
    gone = {ref for ref in call.progress if ref not in call.fleet}
    leaving = frozenset(call.progress) - members - gone
    if wanted.kind == "admin":
        # Nothing of an admin logical cloud is on a cluster; what is there is of another kind that it had before.
        leaving = frozenset(call.progress) - gone
    _refuse_in_use(call, members)
    shares = new_shares(wanted, members, call.before.shares if call.before is not None else {}, context)
    if not context.check:
        # Before anything is touched: where something may come to be, and what is wanted there.
        fresh = members - set(call.progress) if wanted.kind != "admin" else frozenset()
        call.revisions.note({ref: Standing(generation, "", State.PENDING.value) for ref in fresh}, gone=gone)
        document = {name: context.arguments[name] for name in _INTENT if context.arguments.get(name) is not None}
        clouds.keep_cloud(store, context.keys(), document, wanted, generation, members, shares)
    touched = members if wanted.kind != "admin" else frozenset()
    shipment = CloudShipment(wanted, generation, call.within(touched), call.within(leaving), shares)
    shipped = ship_cloud(shipment, _manner(wanted), call.fleet, context)
    note_standings(shipment, shipped, context)
    result = _result(call, shipped, outside=(touched | leaving) - set(shipped.outcomes))
    result["logical_cloud"] = {
        "project": wanted.project,
        "name": wanted.name,
        "kind": wanted.kind,
        "namespace": wanted.space,
        "generation": generation,
        "clusters": sorted(str(ref) for ref in members),
    }
    if shares:
        result["logical_cloud"]["total"] = {str(ref): mine for ref, mine in sorted(shares.items())}
    if call.before is None or frozenset(call.before.members) != members:
        result["changed"] = True
    served = {api for ref in members for api in _apis(call.fleet[ref])}
    result["warnings"] = unknown_groups(wanted, served) if served else []
    return result


def _apis(one: Registered) -> tuple[str, ...]:
    return one.cluster.facts.apis if one.cluster.facts is not None else ()


def _manner(wanted: LogicalCloudOptions) -> Manner:
    return Manner(
        parallel=wanted.parallel,
        wait_timeout=wanted.wait_timeout,
        cluster_timeout=wanted.cluster_timeout,
        adopt=wanted.adopt,
        force=wanted.force,
        allow_deletions=wanted.allow_deletions,
        conflicts=wanted.conflicts,
    )


def _generation(call: _Call, members: frozenset[ClusterRef], problems: Problems) -> int:
    """The generation of credentials asked for, else the one there is. It never falls: that would revive old ones."""
    asked = call.wanted.user.generation if call.wanted.user is not None else None
    known = call.before.generation if call.before is not None else _recorded_generation(call, members)
    if asked is not None and asked < known:
        problems.add("user.generation", f"is {asked}, and {known} was reached", "credentials are revoked by raising it")
    return asked or known


def _recorded_generation(call: _Call, members: frozenset[ClusterRef]) -> int:
    """What the clusters know, for a store that was lost."""
    if call.wanted.kind == "admin":
        return 1
    naming = naming_of(call.wanted.project, call.wanted.name)
    records = found_records(naming, {ref: call.fleet[ref] for ref in members if ref in call.fleet}, call.context)
    return max((int(record.decision.get("generation", 1)) for record in records.values()), default=1)


def _refuse_in_use(call: _Call, members: frozenset[ClusterRef]) -> None:
    """EdgeError ``LogicalCloudInUse`` where deployments would lose the ground that they stand on."""
    wanted, before = call.wanted, call.before
    if before is None or wanted.force:
        return
    inside = clouds.deployments_in(call.context.store(), wanted.project, wanted.name)
    moved = wanted.space != before.cloud.space
    for name, there in sorted(inside.items()):
        lost = there if moved else there - members
        if lost:
            where = ", ".join(str(ref) for ref in sorted(lost)[:5])
            what = f"namespace {before.cloud.space}" if moved else f"it there ({where})"
            raise _in_use(call, [name], f"deployment {name} runs in {what}")


def _in_use(call: _Call, names: list[str], words: str) -> EdgeError:
    return EdgeError(
        "LogicalCloudInUse",
        f"logical cloud {call.wanted.project}/{call.wanted.name}: {words}. Nothing was changed.",
        hint="Remove or move the deployments first; force: true takes the ground from under them.",
        details={"deployments": names},
    )


def _absent(call: _Call) -> Result:
    wanted, context, store = call.wanted, call.context, call.context.store()
    inside = sorted(clouds.deployments_in(store, wanted.project, wanted.name))
    if inside and not wanted.force:
        raise _in_use(call, inside, f"{', '.join(inside)} {'is' if len(inside) == 1 else 'are'} deployed in it")
    progress = call.progress
    if not progress and call.before is None:
        naming = naming_of(wanted.project, wanted.name)
        progress = {ref: Standing(0, "", State.PENDING.value) for ref in found_records(naming, call.fleet, context)}
        call.progress = progress
    there = frozenset(ref for ref in progress if ref in call.fleet)
    cloud = call.before.cloud if call.before is not None else wanted
    shipment = CloudShipment(cloud, 0, frozenset(), call.within(there))
    shipped = ship_cloud(shipment, _manner(wanted), call.fleet, context)
    note_standings(shipment, shipped, context)
    result = _result(call, shipped, outside=there - set(shipped.outcomes))
    if call.before is not None and (context.check or _forgotten(call)):
        result["changed"] = True
    return result


def _forgotten(call: _Call) -> bool:
    """Drop the logical cloud once nothing of it is on any registered cluster; whether that is so."""
    store, wanted = call.context.store(), call.wanted
    left = call.revisions.progress()
    if any(ref in call.fleet for ref in left):
        return False
    call.revisions.note({}, gone=list(left))
    for entry in store.list(("logical_cloud_credentials", wanted.project, wanted.name)):
        store.delete(entry.key)
    store.delete(clouds.cloud_key(wanted.project, wanted.name))
    return True


def _result(call: _Call, shipped: CloudShipped, *, outside: frozenset[ClusterRef] | set[ClusterRef]) -> Result:
    outcomes = shipped.outcomes
    lines = {str(ref): {**one.as_result(), **shipped.told.get(ref, {})} for ref, one in sorted(outcomes.items())}
    result: Result = {
        "changed": any(one.changed for one in outcomes.values()),
        "summary": summary(outcomes.values(), lines, len(outside)),
        "clusters": lines,
    }
    if outside:
        result["outside_limit"] = sorted(str(ref) for ref in outside)
    if call.context.diff:
        result["diff"] = differences(outcomes)
    missed = {ref: one for ref, one in sorted(outcomes.items()) if one.failed}
    if missed or call.context.stopping.is_set():
        result.update(_failure(call, missed))
    return result


def _failure(call: _Call, missed: Mapping[ClusterRef, Outcome]) -> Result:
    reasons = {one.reason or one.state.value for one in missed.values()}
    shown = "".join(f"\n  - {ref}: {one.message or one.state.value}" for ref, one in list(missed.items())[:5])
    more = f"\n  - and {len(missed) - 5} more" if len(missed) > 5 else ""
    what = "cluster" if len(missed) == 1 else "clusters"
    name = f"{call.wanted.project}/{call.wanted.name}"
    hints = sorted({one.hint for one in missed.values() if one.hint})
    failure: Result = {
        "failed": True,
        "reason": reasons.pop() if len(reasons) == 1 else "ClustersFailed",
        "msg": f"logical cloud {name}: {len(missed)} {what} not as wanted{shown}{more}",
    }
    if call.context.stopping.is_set():
        failure["reason"] = "Stopped"
    if hints:
        failure["hint"] = " ".join(hints)
    return failure
