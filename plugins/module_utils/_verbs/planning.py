# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: from what is wanted to a plan: place, render, assemble. No cluster is asked anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App, dependency_order
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import built_in
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent
from ansible_collections.emco.edge.plugins.module_utils._model.values import Override, ValueLayers
from ansible_collections.emco.edge.plugins.module_utils._placement.explain import as_result
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import AppRequest, Placement, place
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming, bundle, planned
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency, Bundle, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Decisions, Plan
from ansible_collections.emco.edge.plugins.module_utils._render.checks import check_objects
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.kustomize import Kustomize
from ansible_collections.emco.edge.plugins.module_utils._render.objects import (
    RenderedObject,
    custom_scopes,
    in_namespace,
)
from ansible_collections.emco.edge.plugins.module_utils._render.programs import cache_folder, find_helm
from ansible_collections.emco.edge.plugins.module_utils._render.render import OnDifference, Renderer, render_all
from ansible_collections.emco.edge.plugins.module_utils._render.rendering import Renderings
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest, read_values_files
from ansible_collections.emco.edge.plugins.module_utils._render.site import for_site
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import StoredApp
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import SealedBlobs


@dataclass(frozen=True)
class Wanted:
    """A deployment with everything it refers to found and checked."""

    naming: Naming
    app: StoredApp
    profile: str | None
    release: str
    namespace: str
    namespaces: frozenset[str] | None
    members: frozenset[ClusterRef] | None
    intents: Mapping[str, PlacementIntent]
    overrides: Mapping[str, Override]
    cluster_overrides: Mapping[ClusterRef, Mapping[str, Override]]
    host_variables: tuple[str, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def apps(self) -> tuple[App, ...]:
        """The apps, each after those it depends on."""
        by_name = {app.name: app for app in self.app.app.apps}
        return tuple(by_name[name] for step in dependency_order(self.app.app.apps) for name in step)


def decide(
    wanted: Wanted, fleet: Mapping[ClusterRef, Registered], previous: Decisions, *, now: float, rebalance: bool = False
) -> Placement:
    """Where each app runs, over the whole fleet, whatever a run is limited to."""
    requests = [
        AppRequest(name=app.name, intent=wanted.intents[app.name], labels=dict(app.labels)) for app in wanted.apps
    ]
    clusters = [one.cluster for one in fleet.values()]
    return place(requests, clusters, now=now, members=wanted.members, previous=previous, rebalance=rebalance)


def make_plan(
    wanted: Wanted,
    placement: Placement,
    fleet: Mapping[ClusterRef, Registered],
    context: Context,
    blobs: SealedBlobs,
    *,
    explain: Iterable[str] = (),
    on_difference: OnDifference = "pin",
    storing: bool = True,
) -> Plan:
    """Render what was decided and put together a bundle for every chosen cluster; ``storing`` keeps the renderings."""
    decisions: dict[str, dict[ClusterRef, int | None]] = {
        name: {one.cluster: one.replicas for one in decision.chosen} for name, decision in placement.decisions.items()
    }
    pairs = [(app, ref) for app in wanted.apps for ref in sorted(decisions.get(app.name, {}))]
    kept = _KeptRenderings(blobs, storing)
    renderings = _rendered(wanted, pairs, fleet, context, kept, on_difference)
    bundles = _Assembly(wanted, fleet, context).bundles(pairs, renderings)
    asked = set(explain)
    return Plan(
        decisions=decisions,
        bundles=bundles,
        inputs=wanted.inputs,
        explained={name: as_result(decision, explain=name in asked) for name, decision in placement.decisions.items()},
        warnings=(*placement.warnings, *renderings.warnings),
    )


class _KeptRenderings:
    """Renderings of earlier runs, in the store's sealed blobs."""

    def __init__(self, blobs: SealedBlobs, storing: bool) -> None:
        self._blobs = blobs
        self._storing = storing

    def get_many(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        return self._blobs.get_known(digests)

    def put_many(self, renderings: Mapping[str, bytes]) -> None:
        if self._storing:
            self._blobs.keep(renderings)


def _rendered(
    wanted: Wanted,
    pairs: Sequence[tuple[App, ClusterRef]],
    fleet: Mapping[ClusterRef, Registered],
    context: Context,
    kept: _KeptRenderings,
    on_difference: OnDifference,
) -> Renderings:
    values = _Values(wanted)
    requests = [
        RenderRequest(
            app=app,
            base_dir=wanted.app.base_dir,
            release=wanted.release,
            namespace=wanted.namespace,
            values=values.of(app, ref),
            files=values.files(app),
            kube_version=_version(fleet[ref].cluster),
            api_versions=facts.apis if (facts := fleet[ref].cluster.facts) else (),
            variables=_variables(wanted, fleet[ref], values.of(app, ref), context) if app.source == "manifests" else {},
        )
        for app, ref in pairs
    ]
    helms: list[Helm] = []

    def helm() -> Helm:
        helms.append(Helm(find_helm(context.environ), context.environ))
        return helms[-1]

    renderer = Renderer(
        helm=helm,
        kustomize=Kustomize(context.environ),
        template=context.template or _no_templates,
        keyed_digest=context.keys().digest,
        charts=cache_folder(context.environ) / "charts",
        cache=kept,
        processes=2 * (os.cpu_count() or 1),
        on_difference=on_difference,
    )
    try:
        return render_all(requests, renderer)
    finally:
        for one in helms:
            one.__exit__(None, None, None)


def _no_templates(text: str, variables: Mapping[str, Any]) -> str:
    del text, variables
    raise InvalidInput([Problem("manifests", "templates in manifests need the control node", "run without delegation")])


def _version(cluster: Cluster) -> str:
    return cluster.facts.version if cluster.facts else ""


def _variables(wanted: Wanted, one: Registered, values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    cluster = one.cluster
    host = context.variables_of(one.host) if wanted.host_variables else {}
    return {
        "cluster": {
            "provider": cluster.ref.provider,
            "name": cluster.ref.name,
            "labels": dict(cluster.labels),
            "kv": {name: dict(pairs) for name, pairs in cluster.kv.items()},
            "version": _version(cluster),
        },
        "values": dict(values),
        "release": wanted.release,
        "namespace": wanted.namespace,
        "host": {name: host[name] for name in wanted.host_variables if name in host},
    }


class _Values:
    """The values of each app, for each cluster that has some of its own; shared by all the others."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._shared: dict[str, dict[str, Any]] = {}
        profile = wanted.app.app.profile(wanted.profile) if wanted.profile else None
        self._profiles = profile.apps if profile else {}
        self._file_values: dict[str, tuple[dict[str, Any], ...]] = {}

    def of(self, app: App, ref: ClusterRef) -> dict[str, Any]:
        own = self._wanted.cluster_overrides.get(ref, {}).get(app.name)
        if own is None and app.name in self._shared:
            return self._shared[app.name]
        given = self._profiles.get(app.name)
        layers = ValueLayers(
            profile_files=self._from_files(app),
            profile=given.values if given else {},
            overrides=self._wanted.overrides.get(app.name),
            cluster_overrides=own,
        )
        merged = layers.merged()
        if own is None:
            self._shared[app.name] = merged
        return merged

    def files(self, app: App) -> tuple[Any, ...]:
        given = self._profiles.get(app.name)
        return given.files if given else ()

    def _from_files(self, app: App) -> tuple[dict[str, Any], ...]:
        given = self._profiles.get(app.name)
        if given is None or not given.values_files:
            return ()
        if app.name not in self._file_values:
            self._file_values[app.name] = read_values_files(given.values_files, self._wanted.app.base_dir, app.name)
        return self._file_values[app.name]


@dataclass(frozen=True)
class _Part:
    """What makes the objects of an app on one cluster the same as on another."""

    app: str
    rendering: str
    image_mirrors: tuple[tuple[str, str], ...]
    pull_secrets: tuple[str, ...]
    cluster_scoped: tuple[str, ...]


class _Assembly:
    """Puts bundles together, each different app and each different bundle once."""

    def __init__(self, wanted: Wanted, fleet: Mapping[ClusterRef, Registered], context: Context) -> None:
        self._wanted = wanted
        self._fleet = fleet
        self._digest = context.keys().digest
        self._parts: dict[_Part, tuple[RenderedObject, ...]] = {}
        self._planned: dict[_Part, tuple[PlannedObject, ...]] = {}
        self._bundles: dict[tuple[_Part, ...], Bundle] = {}
        self._problems: dict[Problem, None] = {}
        self._dependencies = {
            app.name: tuple(AppDependency(need.app, need.status, need.wait) for need in app.depends_on)
            for app in wanted.apps
        }

    def bundles(self, pairs: Sequence[tuple[App, ClusterRef]], renderings: Renderings) -> dict[ClusterRef, Bundle]:
        """The bundle of every cluster; InvalidInput with everything wrong with their objects."""
        parts: dict[ClusterRef, list[_Part]] = {}
        for index, (app, ref) in enumerate(pairs):
            part = self._part(app, ref, renderings.digests[index])
            if part not in self._parts:
                self._parts[part] = for_site(
                    renderings.of(index).objects,
                    image_mirrors=dict(part.image_mirrors),
                    pull_secrets=part.pull_secrets,
                )
            parts.setdefault(ref, []).append(part)
        found = {ref: self._bundle(tuple(own)) for ref, own in parts.items()}
        if self._problems:
            raise InvalidInput(self._problems, of="the rendered objects")
        return found

    def _part(self, app: App, ref: ClusterRef, rendering: str) -> _Part:
        cluster = self._fleet[ref].cluster
        mirrors = tuple(sorted(cluster.image_mirrors.items()))
        outside = cluster.facts.cluster_scoped if cluster.facts else ()
        return _Part(app.name, rendering, mirrors, cluster.pull_secrets, outside)

    def _bundle(self, parts: tuple[_Part, ...]) -> Bundle:
        if parts not in self._bundles:
            self._bundles[parts] = self._made(parts)
        return self._bundles[parts]

    def _made(self, parts: tuple[_Part, ...]) -> Bundle:
        everything = [one for part in parts for one in self._parts[part]]
        # A kind of the whole cluster may be defined by one app and used by another.
        scopes = custom_scopes(everything)
        outside = {tuple(kind.rpartition("/")[::2]) for part in parts for kind in part.cluster_scoped}

        def is_namespaced(api_version: str, kind: str) -> bool | None:
            known = built_in(api_version, kind)
            if known is not None:
                return known.namespaced
            key = (api_version.rpartition("/")[0], kind)
            return scopes.get(key, key not in outside)

        placed = in_namespace(everything, self._wanted.namespace, is_namespaced)
        for problem in check_objects(placed, allowed_namespaces=self._wanted.namespaces):
            self._problems[problem] = None
        if self._problems:
            placed = ()
        naming = self._wanted.naming
        return bundle(
            naming,
            [planned(one.object, one.app, one.hook, naming, self._digest) for one in placed],
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
