# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``placement_info``: what would be chosen and why; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import parse_hardware
from ansible_collections.emco.edge.plugins.module_utils._model.inline_cluster import parse_cluster
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent, parse_placement
from ansible_collections.emco.edge.plugins.module_utils._placement.explain import as_result, table
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import (
    AppRequest,
    Placement,
    Reservation,
    place,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.what_if import changed_fleet
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Decisions, Plan
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import intent_key
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import stored_intent
from ansible_collections.emco.edge.plugins.module_utils._verbs.promised import reservations
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class PlacementInfo:
    """A question to the planner."""

    apps: Mapping[str, Any] = option(default={})
    clusters: tuple[Any, ...] | None = option(type="list", elements="dict")
    hardware: tuple[Any, ...] = option(default=(), elements="dict")
    project: str | None = option(parse=emco_name, type="str")
    name: str | None = option(parse=emco_name, type="str")
    current: Mapping[str, Mapping[str, int | None]] | None = option()
    changes: tuple[Any, ...] = option(default=(), elements="dict")
    rebalance: bool = option(default=False)
    explain: tuple[str, ...] = option(default=())
    show: bool = option(default=False)
    store: Any = option(type="raw")


SPEC = Spec("placement_info", PlacementInfo, fleet=True)


def run(wanted: PlacementInfo, context: Context) -> Result:
    """The planner's answer, and with ``changes`` what they would move."""
    problems = Problems()
    fleet = _fleet(wanted, context, problems)
    question = _Question(wanted, context, problems)
    changed = changed_fleet(fleet, wanted.changes, "changes", problems)
    for app in wanted.explain:
        if app not in question.intents:
            problems.add("explain", f"there is no app {app!r}", near(app, question.intents))
    problems.raise_if_any("the options of emco.edge.placement_info")
    placement = question.asked(changed, question.current)
    result = _told(placement, wanted)
    if wanted.changes:
        before = question.asked(fleet, question.current)
        result["moves"] = _moves(before, placement)
    if wanted.show:
        for line in table(placement, explain=wanted.explain).splitlines():
            context.say(line)
    return result


def _fleet(wanted: PlacementInfo, context: Context, problems: Problems) -> tuple[Cluster, ...]:
    if wanted.clusters is None:
        return tuple(one.cluster for one in registered(context.store(wanted.store)).values())
    found = [parse_cluster(raw, f"clusters[{index}]", problems) for index, raw in enumerate(wanted.clusters)]
    clusters = [one for one in found if one is not None]
    seen: set[ClusterRef] = set()
    for index, one in enumerate(clusters):
        if one.ref in seen:
            problems.add(f"clusters[{index}].name", f"{one.ref} is given twice")
        seen.add(one.ref)
    return tuple(clusters)


class _Question:
    """The apps that are asked about and where they run today: given, or those of a stored deployment."""

    def __init__(self, wanted: PlacementInfo, context: Context, problems: Problems) -> None:
        self._wanted = wanted
        self._now = context.clock()
        stored = self._stored(context) if wanted.name is not None else {}
        apps: Mapping[str, Any] = wanted.apps or stored.get("placement") or {}
        names = [name for name in apps if name != "default"]
        if not names:
            problems.add("apps", "says no app", "give apps, or project and name of a deployment that names its apps")
        self.intents: dict[str, PlacementIntent] = parse_placement(apps, names, "apps", problems)
        self._hardware = parse_hardware(wanted.hardware or stored.get("hardware") or (), names, "hardware", problems)
        self._plan = self._stored_plan(context)
        self.current = self._current(problems)
        self._reserved = self._promised(context) if wanted.clusters is None else []

    def _stored(self, context: Context) -> dict[str, Any]:
        key = intent_key(str(self._wanted.project), str(self._wanted.name))
        found = stored_intent(context.store(self._wanted.store), context.keys(), key)
        if found is None:
            raise EdgeError("UnknownDeployment", f"there is no deployment {self._wanted.project}/{self._wanted.name}.")
        return found.document

    def _current(self, problems: Problems) -> Decisions:
        if self._wanted.current is not None:
            return _parsed_current(self._wanted.current, problems)
        return self._plan.decisions if self._plan is not None else {}

    def _stored_plan(self, context: Context) -> Plan | None:
        if self._wanted.name is None or self._wanted.clusters is not None:
            return None
        revisions = Revisions(self._naming, context.store(), context.keys())
        past = [one for one in revisions.all() if one.state.value not in ("Planned", "Approved", "RolledBack")]
        return revisions.plan_of(past[-1]) if past and past[-1].state.value != "Removed" else None

    @property
    def _naming(self) -> Naming:
        return Naming(str(self._wanted.project), str(self._wanted.name))

    def _promised(self, context: Context) -> list[Reservation]:
        store, keys = context.store(), context.keys()
        fleet = registered(store)
        if self._plan is None:
            return reservations(store, keys, fleet, self._naming if self._wanted.name is not None else None)
        progress = Revisions(self._naming, store, keys).progress()
        return reservations(store, keys, fleet, self._naming, self._plan.bundles, progress)

    def asked(self, fleet: Sequence[Cluster], current: Decisions) -> Placement:
        requests = [
            AppRequest(name=app, intent=intent, hardware=tuple(one for one in self._hardware if one.app == app))
            for app, intent in self.intents.items()
        ]
        return place(
            requests,
            fleet,
            now=self._now,
            previous=current,
            reserved=self._reserved,
            rebalance=self._wanted.rebalance,
        )


def _parsed_current(
    raw: Mapping[str, Mapping[str, int | None]], problems: Problems
) -> dict[str, dict[ClusterRef, int | None]]:
    found: dict[str, dict[ClusterRef, int | None]] = {}
    for app, places in raw.items():
        for cluster, replicas in places.items():
            try:
                found.setdefault(app, {})[ClusterRef.parse(cluster)] = replicas
            except ValueError as wrong:
                problems.add(f"current.{app}.{cluster}", str(wrong))
    return found


def _told(placement: Placement, wanted: PlacementInfo) -> Result:
    return {
        "changed": False,
        "feasible": not placement.failures,
        "decisions": {
            app: as_result(decision, explain=app in wanted.explain) for app, decision in placement.decisions.items()
        },
        "failures": [failure.as_result() for failure in placement.failures],
        "warnings": list(placement.warnings),
    }


def _moves(before: Placement, after: Placement) -> dict[str, Any]:
    moves = {}
    for app, decision in after.decisions.items():
        had, has = before.decisions[app].replicas, decision.replicas
        arriving = sorted(str(ref) for ref in has.keys() - had.keys())
        leaving = sorted(str(ref) for ref in had.keys() - has.keys())
        resized = {str(ref): [had[ref], has[ref]] for ref in sorted(had.keys() & has.keys()) if had[ref] != has[ref]}
        if arriving or leaving or resized:
            moves[app] = {"to": arriving, "from": leaving, "replicas": resized}
    return moves
