# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``placement_info``: what would be chosen and why; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demand
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import parse_hardware
from ansible_collections.emco.edge.plugins.module_utils._model.inline_cluster import parse_cluster
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import parse_interfaces
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
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import stored_app, stored_intent
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import names_by_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs.promised import pods_of, reservations
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class PlacementInfo:
    """A question to the planner."""

    apps: Mapping[str, Any] = option(default={})
    clusters: tuple[Any, ...] | None = option(type="list", elements="dict")
    hardware: tuple[Any, ...] = option(default=(), elements="dict")
    interfaces: tuple[Any, ...] = option(default=(), elements="dict")
    labels: Mapping[str, Mapping[str, str]] = option(default={})
    project: str | None = option(parse=emco_name, type="str")
    name: str | None = option(parse=emco_name, type="str")
    current: Mapping[str, Mapping[str, Any]] | None = option()
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
        store = context.store(wanted.store)
        names = names_by_cluster(store)
        return tuple(
            replace(one.cluster, networks=names.get(ref, ()))
            for ref, one in registered(store).items()
            if one.cluster.kind == "kubernetes"  # an OVN northbound has networks and no workloads
        )
    found = [parse_cluster(raw, f"clusters[{index}]", problems) for index, raw in enumerate(wanted.clusters)]
    clusters = [one for one in found if one is not None]
    seen: set[ClusterRef] = set()
    for index, one in enumerate(clusters):
        if one.ref in seen:
            problems.add(f"clusters[{index}].name", f"{one.ref} is given twice")
        seen.add(one.ref)
        wrong = _unreadable(one)
        if wrong is not None:
            problems.add(f"clusters[{index}].{wrong[0]}", wrong[1])
    return tuple(clusters)


def _unreadable(cluster: Cluster) -> tuple[str, str] | None:
    """What of a cluster given inline is not as Kubernetes would write it, where it is taken over as it stands."""
    facts = cluster.facts
    if facts is None:
        return None
    place = "pending"
    try:
        for pod in facts.pending:
            pod_demand({"kind": "Pod", **pod})
        place = "devices"
        cluster_room((), facts.devices)
        for at, node in enumerate(facts.nodes):
            place = f"nodes[{at}].extra"
            if node.extra:
                cluster_room((node,))
    except (ValueError, TypeError, AttributeError) as wrong:
        return place, str(wrong)
    except KeyError as missing:
        return place, f"{missing.args[0]} is missing"
    return None


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
        interfaces = wanted.interfaces or stored.get("interfaces") or ()
        self._interfaces = parse_interfaces(interfaces, names, "interfaces", problems)
        self._plan = self._stored_plan(context)
        self._labels = {**_labels_of(stored, str(wanted.project), context), **wanted.labels}
        for app in wanted.labels:
            if app not in names:
                problems.add(f"labels.{app}", f"there is no app {app!r}", near(app, names))
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
        requests = [self._request(app, intent) for app, intent in self.intents.items()]
        return place(
            requests,
            fleet,
            now=self._now,
            previous=current,
            reserved=self._reserved,
            rebalance=self._wanted.rebalance,
        )

    def _request(self, app: str, intent: PlacementIntent) -> AppRequest:
        """What a stored plan knows of an app, its pods above all; mandatory hardware is written into those."""
        pods = self._pods(app)
        hardware = tuple(one for one in self._hardware if one.app == app and not (pods and one.mandatory))
        networks = tuple(sorted({one.network for one in self._interfaces if one.app == app}))
        return AppRequest(app, intent, self._labels.get(app, {}), pods=pods, hardware=hardware, networks=networks)

    def _pods(self, app: str) -> tuple[PodDemand, ...]:
        bundles = self._plan.bundles.values() if self._plan is not None and not self._wanted.hardware else ()
        first = next((one for one in bundles if app in one.apps), None)
        return pods_of(first, app) if first is not None else ()


def _labels_of(stored: Mapping[str, Any], project: str, context: Context) -> dict[str, Mapping[str, str]]:
    """The labels of the apps of a stored deployment."""
    if not stored:
        return {}
    found = stored_app(context.store(), context.keys(), project, stored["composite_app"], stored["version"])
    return {app.name: app.labels for app in found.app.apps}


def _parsed_current(
    raw: Mapping[str, Mapping[str, Any]], problems: Problems
) -> dict[str, dict[ClusterRef, int | None]]:
    """Where apps run, as a result's ``chosen`` says it: replicas, or null where it is as many as the chart says."""
    found: dict[str, dict[ClusterRef, int | None]] = {}
    for app, places in raw.items():
        for cluster, replicas in places.items():
            path = f"current.{app}.{cluster}"
            if replicas is not None and (not str(replicas).isdecimal() or isinstance(replicas, bool)):
                problems.add(path, f"{replicas!r} is neither a number of replicas nor null")
                continue
            try:
                found.setdefault(app, {})[ClusterRef.parse(cluster)] = None if replicas is None else int(replicas)
            except ValueError as wrong:
                problems.add(path, str(wrong))
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
