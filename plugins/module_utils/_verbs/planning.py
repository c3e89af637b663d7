# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: from what is wanted to a plan: place, render, assemble. No cluster is asked anything."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import (
    Controller,
    Intents,
    Patched,
    Subject,
)
from ansible_collections.emco.edge.plugins.module_utils._controllers.table import CONTROLLERS
from ansible_collections.emco.edge.plugins.module_utils._controllers.third_party import Changes, changes
from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demands
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import built_in
from ansible_collections.emco.edge.plugins.module_utils._placement.explain import as_result
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import (
    AppRequest,
    Placement,
    Reservation,
    place,
)
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import bundle, identity_of, planned
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import (
    APP_LABEL,
    DEPLOYMENT_LABEL,
    AppDependency,
    Bundle,
    Digest,
)
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Decisions, Plan
from ansible_collections.emco.edge.plugins.module_utils._render.checks import check_objects
from ansible_collections.emco.edge.plugins.module_utils._render.objects import (
    IsNamespaced,
    RenderedObject,
    custom_scopes,
    in_namespace,
)
from ansible_collections.emco.edge.plugins.module_utils._render.rendering import Rendered, Renderings
from ansible_collections.emco.edge.plugins.module_utils._render.site import for_site
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.rendering import RenderSession
from ansible_collections.emco.edge.plugins.module_utils._verbs.wanted import Wanted


def decide(
    wanted: Wanted,
    fleet: Mapping[ClusterRef, Registered],
    previous: Decisions,
    samples: Mapping[str, Rendered],
    *,
    now: float,
    reserved: Iterable[Reservation] = (),
    rebalance: bool = False,
) -> Placement:
    """Where each app runs, over the whole fleet, whatever a run is limited to.

    ``samples`` are the apps as one cluster would get them: which kinds they need, what their pods ask for. ``reserved``
    is what plans have promised to clusters already.
    """
    problems = unmet_intents(wanted, samples)
    if problems:
        raise InvalidInput(problems, of="the deployment")
    brought = {kind for sample in samples.values() for kind in custom_scopes(sample.objects)}
    requests = [
        AppRequest(
            name=app.name,
            intent=wanted.intents[app.name],
            labels=dict(app.labels),
            required_apis=_required_apis(samples.get(app.name), brought),
            pods=_pods(wanted, samples.get(app.name)),
            hardware=tuple(one for one in wanted.hardware if one.app == app.name),
            networks=tuple(sorted({one.network for one in wanted.interfaces if one.app == app.name})),
        )
        for app in wanted.apps
    ]
    clusters = [
        replace(one.cluster, networks=tuple(wanted.networks.get(ref, ())))
        for ref, one in fleet.items()
        if one.cluster.kind == "kubernetes"  # an OVN northbound has networks and no workloads
    ]
    return place(
        requests,
        clusters,
        now=now,
        members=wanted.members,
        previous=previous,
        reserved=reserved,
        rebalance=rebalance,
    )


def _required_apis(sample: Rendered | None, brought: set[tuple[str, str]]) -> tuple[str, ...]:
    """The kinds that a cluster must serve already: those that no app of the deployment defines."""
    objects = sample.objects if sample is not None else ()
    return tuple(sorted({f"{one.api_version}/{one.kind}" for one in objects if (one.group, one.kind) not in brought}))


def _pods(wanted: Wanted, sample: Rendered | None) -> tuple[PodDemand, ...]:
    return pod_demands((dict(one.object) for one in sample.kept), wanted.namespace) if sample is not None else ()


def make_plan(
    wanted: Wanted,
    placement: Placement,
    fleet: Mapping[ClusterRef, Registered],
    session: RenderSession,
    digest: Digest,
    *,
    controllers: Sequence[Controller] = (),
    explain: Iterable[str] = (),
) -> Plan:
    """Render what was decided, let the controllers edit it, and put together a bundle for every chosen cluster.

    ``controllers``: those of other collections, in their order; they edit after ours.
    """
    decisions: dict[str, dict[ClusterRef, int | None]] = {
        name: {one.cluster: one.replicas for one in decision.chosen} for name, decision in placement.decisions.items()
    }
    pairs = [(app, ref) for app in wanted.apps for ref in sorted(decisions.get(app.name, {}))]
    renderings = session.of(pairs)
    asked = set(explain)
    assembly = _Assembly(wanted, fleet, decisions, digest, controllers, session.patched)
    return Plan(
        decisions=decisions,
        bundles=assembly.bundles(pairs, renderings),
        inputs=wanted.inputs,
        renderings=frozenset(renderings.digests),
        explained={
            name: {**as_result(decision, explain=name in asked), **assembly.edits(name)}
            for name, decision in placement.decisions.items()
        },
        warnings=(*placement.warnings, *renderings.warnings),
    )


@dataclass(frozen=True)
class _Part:
    """What makes the objects of an app on one cluster the same as on another."""

    app: str
    rendering: str
    image_mirrors: tuple[tuple[str, str], ...]
    pull_secrets: tuple[str, ...]
    cluster_scoped: tuple[str, ...]
    edits: tuple[Hashable, ...]
    """For each controller what decides its edit, None where it has nothing to do."""


class _Assembly:
    """Puts bundles together, each different app and each different bundle once."""

    def __init__(
        self,
        wanted: Wanted,
        fleet: Mapping[ClusterRef, Registered],
        decisions: Decisions,
        digest: Digest,
        controllers: Sequence[Controller],
        patched: Patched,
    ) -> None:
        self._wanted = wanted
        self._fleet = fleet
        self._decisions = decisions
        self._controllers = (*CONTROLLERS, *controllers)
        self._intents = replace(intents_of(wanted), patched=patched)
        self._edits: dict[str, dict[str, dict[ClusterRef, Changes]]] = {}
        self._digest = digest
        self._parts: dict[_Part, tuple[RenderedObject, ...]] = {}
        self._bundles: dict[tuple[_Part, ...], Bundle] = {}
        self._problems: dict[Problem, None] = {}
        self._dependencies = {
            app.name: tuple(AppDependency(need.app, need.status, need.wait, need.scope) for need in app.depends_on)
            for app in wanted.apps
        }

    def bundles(self, pairs: Sequence[tuple[App, ClusterRef]], renderings: Renderings) -> dict[ClusterRef, Bundle]:
        """The bundle of every cluster; InvalidInput with everything wrong with their objects."""
        parts: dict[ClusterRef, list[_Part]] = {}
        for index, (app, ref) in enumerate(pairs):
            part = self._part(app, ref, renderings.digests[index])
            if part not in self._parts:
                self._parts[part] = self._objects(part, renderings.of(index).objects, ref)
            parts.setdefault(ref, []).append(part)
        found = {ref: self._bundle(tuple(own)) for ref, own in parts.items()}
        if self._problems:
            raise InvalidInput(self._problems, of="the rendered objects")
        return found

    def _part(self, app: App, ref: ClusterRef, rendering: str) -> _Part:
        cluster = self._fleet[ref].cluster
        return _Part(
            app.name,
            rendering,
            tuple(sorted(cluster.image_mirrors.items())),
            cluster.pull_secrets,
            cluster.facts.cluster_scoped if cluster.facts else (),
            tuple(one.concerns(self._subject(app.name, ref)) for one in self._controllers),
        )

    def _subject(self, app: str, ref: ClusterRef) -> Subject:
        wanted = self._wanted
        replicas, readable = self._decisions[app][ref], wanted.naming.readable
        return Subject(app, self._fleet[ref].cluster, wanted.namespace, replicas, self._intents, readable)

    def _objects(self, part: _Part, objects: Sequence[RenderedObject], ref: ClusterRef) -> tuple[RenderedObject, ...]:
        """An app's objects as the controllers leave them, with the site's mirrors and pull secrets."""
        for controller, concern in zip(self._controllers, part.edits, strict=True):
            if concern is not None:
                objects = self._edited(controller, objects, self._subject(part.app, ref))
        return for_site(objects, image_mirrors=dict(part.image_mirrors), pull_secrets=part.pull_secrets)

    def _edited(
        self, controller: Controller, objects: Sequence[RenderedObject], subject: Subject
    ) -> tuple[RenderedObject, ...]:
        given = [one for one in objects if one.hook is None or controller.hooks]
        before = [one.object for one in given]
        try:
            after = controller.edit(before, subject)
        except InvalidInput as wrong:  # what other clusters are refused for belongs beside it
            self._problems.update(dict.fromkeys(wrong.problems))
            return tuple(objects)
        if controller not in CONTROLLERS:
            done = self._edits.setdefault(subject.app, {}).setdefault(controller.name, {})
            done[subject.cluster.ref] = changes(before, after)
        known = {identity_of(one.object): one for one in given}
        fresh = [one for one in after if identity_of(one) not in known]
        return (
            *(RenderedObject(subject.app, f"controller {controller.name}", one) for one in fresh),
            *(known[identity_of(one)].with_object(one) for one in after if identity_of(one) in known),
            *(one for one in objects if one.hook is not None and not controller.hooks),
        )

    def edits(self, app: str) -> dict[str, Any]:
        """What controllers of other collections did to an app, each different edit once with its clusters."""
        found = []
        for name, by_cluster in self._edits.get(app, {}).items():
            alike: dict[Changes, list[str]] = {}
            for ref, done in sorted(by_cluster.items()):
                alike.setdefault(done, []).append(str(ref))
            found += [{"name": name, "clusters": refs, **done.as_result()} for done, refs in alike.items()]
        return {"controllers": found} if found else {}

    def _bundle(self, parts: tuple[_Part, ...]) -> Bundle:
        if parts not in self._bundles:
            self._bundles[parts] = self._made(parts)
        return self._bundles[parts]

    def _made(self, parts: tuple[_Part, ...]) -> Bundle:
        everything = [one for part in parts for one in self._parts[part]]
        placed = in_namespace(everything, self._wanted.namespace, _scopes(everything, parts))
        found = check_objects(placed, allowed_namespaces=self._wanted.namespaces)
        self._problems.update(dict.fromkeys(found))
        naming = self._wanted.naming
        return bundle(
            naming,
            [] if found else [planned(one.object, one.app, one.hook, naming, self._digest) for one in placed],
            [part.app for part in parts],
            self._dependencies,
            self._wanted.namespaces,
            self._digest,
            release=self._wanted.release,
            decision={
                "composite_app": self._wanted.app.app.name,
                "version": self._wanted.app.app.version,
                "profile": self._wanted.profile,
                **({"logical_cloud": self._wanted.logical_cloud} if self._wanted.logical_cloud else {}),
                "apps": [part.app for part in parts],
            },
        )


def intents_of(wanted: Wanted) -> Intents:
    """What a deployment wants of its objects, as the controllers take it."""
    scaled = {name: one.replicas.workloads for name, one in wanted.intents.items() if one.replicas is not None}
    return Intents(
        hardware=wanted.hardware,
        scaled=scaled,
        customizations=wanted.customizations,
        labels=wanted.labels,
        interfaces=wanted.interfaces,
        networks=wanted.networks,
        connectivity=wanted.connectivity,
        selectors={app.name: _selector(wanted, app.name) for app in wanted.apps} if wanted.connectivity else {},
    )


def _selector(wanted: Wanted, app: str) -> dict[str, str]:
    labels = wanted.naming.labels(app)
    return {name: labels[name] for name in (DEPLOYMENT_LABEL, APP_LABEL)}


def unmet_intents(wanted: Wanted, samples: Mapping[str, Rendered]) -> list[Problem]:
    """What is wrong with the intents given what the apps render: workloads and containers that are not there."""
    intents = intents_of(wanted)
    objects = {app: [one.object for one in sample.kept] for app, sample in samples.items()}
    return [problem for controller in CONTROLLERS for problem in controller.problems(intents, objects)]


def _scopes(objects: Sequence[RenderedObject], parts: Iterable[_Part]) -> IsNamespaced:
    """Whether a kind lives in namespaces: Kubernetes' own, those that an app brings, those that the cluster serves."""
    # A kind of the whole cluster may be defined by one app and used by another.
    brought = custom_scopes(objects)
    outside = {kind for part in parts for kind in part.cluster_scoped}

    def is_namespaced(api_version: str, kind: str) -> bool | None:
        known = built_in(api_version, kind)
        if known is not None:
            return known.namespaced
        group = api_version.rpartition("/")[0]
        return brought.get((group, kind), f"{group}/{kind}" not in outside)

    return is_namespaced
