# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: rendering the apps of a deployment: for one cluster to see what they need, for all to ship."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.values import ValueLayers
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.kustomize import Kustomize
from ansible_collections.emco.edge.plugins.module_utils._render.programs import cache_folder, find_helm
from ansible_collections.emco.edge.plugins.module_utils._render.render import OnDifference, Renderer, render_all
from ansible_collections.emco.edge.plugins.module_utils._render.rendering import Rendered, Renderings
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest, read_values_files
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import SealedBlobs
from ansible_collections.emco.edge.plugins.module_utils._verbs.wanted import Wanted


class RenderSession:
    """Renders for one plan; a context manager that removes helm's folders in the end. ``storing`` keeps renderings."""

    def __init__(
        self,
        wanted: Wanted,
        fleet: Mapping[ClusterRef, Registered],
        context: Context,
        blobs: SealedBlobs,
        *,
        on_difference: OnDifference = "pin",
        storing: bool = True,
    ) -> None:
        self._wanted = wanted
        self._fleet = fleet
        self._context = context
        self._values = _Values(wanted)
        self._helms: list[Helm] = []
        self._renderer = Renderer(
            helm=self._helm,
            kustomize=Kustomize(context.environ),
            template=context.template or _no_templates,
            keyed_digest=context.keys().digest,
            charts=cache_folder(context.environ) / "charts",
            cache=_KeptRenderings(blobs, storing),
            processes=2 * (os.cpu_count() or 1),
            on_difference=on_difference,
        )

    def __enter__(self) -> RenderSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._helms:
            one.__exit__(kind, error, trace)

    def patched(self, document: Mapping[str, Any], patches: Sequence[Any]) -> Mapping[str, Any]:
        """An object with patches applied, by kustomize."""
        return self._renderer.kustomize.patched(document, patches)

    def samples(self, apps: Sequence[App]) -> dict[str, Rendered]:
        """Each app as the first cluster of the fleet would get it: what it is made of and what its pods ask for."""
        first = min(self._fleet, default=None)
        if first is None:
            return {}
        found = self.of([(app, first) for app in apps])
        return {app.name: found.of(index) for index, app in enumerate(apps)}

    def of(self, pairs: Sequence[tuple[App, ClusterRef]]) -> Renderings:
        """The apps for these clusters, equal inputs rendered once."""
        return render_all([self._request(app, ref) for app, ref in pairs], self._renderer)

    def _request(self, app: App, ref: ClusterRef) -> RenderRequest:
        facts = self._fleet[ref].cluster.facts
        values = self._values.of(app, ref)
        plain = app.source == "manifests"
        return RenderRequest(
            app=app,
            base_dir=self._wanted.app.base_dir,
            release=self._wanted.release,
            namespace=self._wanted.namespace,
            values=values,
            files=self._values.files(app),
            kube_version=facts.version if facts else "",
            api_versions=facts.apis if facts else (),
            variables=_variables(self._wanted, self._fleet[ref], values, self._context) if plain else {},
        )

    def _helm(self) -> Helm:
        self._helms.append(Helm(find_helm(self._context.environ), self._context.environ))
        return self._helms[-1]


class _KeptRenderings:
    """Renderings of this run, and of earlier ones in the store's sealed blobs."""

    def __init__(self, blobs: SealedBlobs, storing: bool) -> None:
        self._blobs = blobs
        self._storing = storing
        self._own: dict[str, bytes] = {}

    def get_many(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        missing = [digest for digest in digests if digest not in self._own]
        self._own.update(self._blobs.get_known(missing))
        return self._own

    def put_many(self, renderings: Mapping[str, bytes]) -> None:
        self._own.update(renderings)
        if self._storing:
            self._blobs.keep(renderings)


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
