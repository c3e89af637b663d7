# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: from what is wanted to a plan: place, render, assemble. No cluster is asked anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.emco.edge.plugins.module_utils._controllers.hardware import hardware_problems, with_hardware
from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demands
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef, Facts
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import built_in
from ansible_collections.emco.edge.plugins.module_utils._placement.explain import as_result
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import AppRequest, Placement, place
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import bundle, planned
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency, Bundle, Digest
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
    rebalance: bool = False,
) -> Placement:
    """Where each app runs, over the whole fleet, whatever a run is limited to.

    ``samples`` are the apps as one cluster would get them: which kinds they need, what their pods ask for.
    """
    problems = unmet_hardware(wanted, samples)
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
        )
        for app in wanted.apps
    ]
    clusters = [one.cluster for one in fleet.values()]
    return place(requests, clusters, now=now, members=wanted.members, previous=previous, rebalance=rebalance)


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
    explain: Iterable[str] = (),
) -> Plan:
    """Render what was decided and put together a bundle for every chosen cluster."""
    decisions: dict[str, dict[ClusterRef, int | None]] = {
        name: {one.cluster: one.replicas for one in decision.chosen} for name, decision in placement.decisions.items()
    }
    pairs = [(app, ref) for app in wanted.apps for ref in sorted(decisions.get(app.name, {}))]
    renderings = session.of(pairs)
    asked = set(explain)
    return Plan(
        decisions=decisions,
        bundles=_Assembly(wanted, fleet, decisions, digest).bundles(pairs, renderings),
        inputs=wanted.inputs,
        explained={name: as_result(decision, explain=name in asked) for name, decision in placement.decisions.items()},
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
    replicas: int | None = None
    own: ClusterRef | None = None
    """The cluster, where its nodes decide what is written."""


class _Assembly:
    """Puts bundles together, each different app and each different bundle once."""

    def __init__(
        self, wanted: Wanted, fleet: Mapping[ClusterRef, Registered], decisions: Decisions, digest: Digest
    ) -> None:
        self._wanted = wanted
        self._fleet = fleet
        self._decisions = decisions
        self._hardware: dict[str, list[HardwareRequirement]] = {}
        for one in wanted.hardware:
            self._hardware.setdefault(one.app, []).append(one)
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
            self._decisions[app.name][ref],
            ref if any(one.node is not None for one in self._hardware.get(app.name, ())) else None,
        )

    def _objects(self, part: _Part, objects: Sequence[RenderedObject], ref: ClusterRef) -> tuple[RenderedObject, ...]:
        """An app's objects with what was promised written into them, and with the site's mirrors and pull secrets."""
        hardware = self._hardware.get(part.app, ())
        if hardware or part.replicas is not None:
            objects = _with_hardware(part, objects, hardware, self._wanted, self._fleet[ref].cluster.facts)
        return for_site(objects, image_mirrors=dict(part.image_mirrors), pull_secrets=part.pull_secrets)

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
                "apps": [part.app for part in parts],
            },
        )


def _with_hardware(
    part: _Part,
    objects: Sequence[RenderedObject],
    hardware: Sequence[HardwareRequirement],
    wanted: Wanted,
    facts: Facts | None,
) -> tuple[RenderedObject, ...]:
    replicas = wanted.intents[part.app].replicas
    kept = [one for one in objects if one.hook is None]
    written = with_hardware(
        [one.object for one in kept],
        hardware,
        replicas=part.replicas,
        workloads=replicas.workloads if replicas is not None else (),
        nodes=facts.nodes if facts is not None else (),
    )
    added = len(written) - len(kept)
    return (
        *(RenderedObject(part.app, "hardware", one) for one in written[:added]),
        *(one.with_object(document) for one, document in zip(kept, written[added:], strict=True)),
        *(one for one in objects if one.hook is not None),
    )


def unmet_hardware(wanted: Wanted, samples: Mapping[str, Rendered]) -> list[Problem]:
    """Workloads and containers that the hardware option names and the rendered apps do not have."""
    found: list[Problem] = []
    for index, one in enumerate(wanted.hardware):
        if one.app in samples:
            objects = [each.object for each in samples[one.app].kept]
            found += [
                replace(problem, path=problem.path.replace("hardware[0]", f"hardware[{index}]", 1))
                for problem in hardware_problems(objects, [one], "hardware")
            ]
    return found


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
