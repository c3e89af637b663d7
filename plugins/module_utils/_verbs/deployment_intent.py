# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a deployment wants: given now or stored before, with everything it refers to found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ansible_collections.emco.edge.plugins.module_utils._model import names
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import CompositeApp
from ansible_collections.emco.edge.plugins.module_utils._model.connectivity import parse_connectivity
from ansible_collections.emco.edge.plugins.module_utils._model.controllers import parse_controllers
from ansible_collections.emco.edge.plugins.module_utils._model.customization import parse_customizations
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import INTENT, Deployment, IgnoredFields
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import parse_hardware
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface, parse_interfaces
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse, parsed
from ansible_collections.emco.edge.plugins.module_utils._model.placement import parse_placement
from ansible_collections.emco.edge.plugins.module_utils._model.values import Override
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.options import IgnoredField
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import (
    StoredApp,
    intent_digest,
    stored_app,
    stored_intent,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.logical_clouds import (
    IMPLICIT,
    StoredCloud,
    ground_of,
    stored_cloud,
    unknown_cloud,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import digest_of, networks_of_fleet
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.wanted import Wanted


class Foreseen(Protocol):
    """What a run in check mode would have stored by now."""

    def __call__(self, project: str, name: str, version: str, /) -> StoredApp | None:
        """A composite app of it."""


def intent_key(project: str, name: str) -> Key:
    """Where the intent of a deployment is kept."""
    return ("deployments", project, name)


@dataclass(frozen=True)
class Resolved:
    """A deployment's intent as plain data, and typed with everything found."""

    document: dict[str, Any]
    wanted: Wanted


def given_intent(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Of the arguments of a task those that say what is wanted."""
    return {name: arguments[name] for name in INTENT if arguments.get(name) not in (None, {}, [], ())}


def ignored_fields(wanted: Deployment, arguments: Mapping[str, Any], store: Store, keys: Keys) -> Deployment:
    """The options with the fields that are left to others: given, or stored where a task gives no intent."""
    if wanted.ignore_fields or given_intent(arguments):
        return wanted
    return replace(wanted, ignore_fields=stored_ignored_fields(wanted.project, wanted.name, store, keys))


def stored_ignored_fields(project: str, name: str, store: Store, keys: Keys) -> tuple[IgnoredFields, ...]:
    """The fields of a deployment that are left to others, as its intent says."""
    stored = stored_intent(store, keys, intent_key(project, name))
    if stored is None or not stored.document.get("ignore_fields"):
        return ()
    told = {"project": project, "name": name, "ignore_fields": stored.document["ignore_fields"]}
    return parsed(Deployment, told, "the deployment").ignore_fields


def flat(ignored: Iterable[IgnoredFields]) -> tuple[IgnoredField, ...]:
    """One entry a path, as a sync takes them."""
    return tuple(IgnoredField(path, one.kind, one.name) for one in ignored for path in one.paths)


def resolve(
    wanted: Deployment,
    arguments: Mapping[str, Any],
    store: Store,
    keys: Keys,
    fleet: Mapping[ClusterRef, Registered],
    foreseen: Foreseen = lambda *_named: None,
) -> Resolved:
    """The intent given, or the stored one when a task gives none; all problems at once.

    ``foreseen`` finds a composite app that the store would hold by now, by project, name and version.
    """
    document = given_intent(arguments)
    if not document:
        stored = stored_intent(store, keys, intent_key(wanted.project, wanted.name))
        if stored is None:
            raise EdgeError(
                "UnknownDeployment",
                f"there is no deployment {wanted.project}/{wanted.name}, and the task says nothing about it.",
                hint="Give at least composite_app, version and placement.",
            )
        document = stored.document
    intent = parsed(Deployment, {"project": wanted.project, "name": wanted.name, **document}, "the deployment")
    problems = Problems()
    for name in ("composite_app", "version"):
        if getattr(intent, name) is None:
            problems.add(name, "is required")
    problems.raise_if_any("the deployment")
    found = _Finder(intent, store, keys, fleet, problems, foreseen).wanted(document)
    return Resolved(document, found)


class _Finder:
    """Finds what an intent refers to, noting every problem."""

    def __init__(
        self,
        intent: Deployment,
        store: Store,
        keys: Keys,
        fleet: Mapping[ClusterRef, Registered],
        problems: Problems,
        foreseen: Foreseen,
    ) -> None:
        self._foreseen = foreseen
        self._intent = intent
        self._store = store
        self._keys = keys
        self._fleet = fleet
        self._problems = problems

    def wanted(self, document: Mapping[str, Any]) -> Wanted:
        intent = self._intent
        which = (intent.project, str(intent.composite_app), str(intent.version))
        stored = self._foreseen(*which) or stored_app(self._store, self._keys, *which)
        apps = [app.name for app in stored.app.apps]
        self._profile(stored.app)
        self._known("overrides", intent.overrides, apps, "app")
        intents = parse_placement(intent.placement, apps, "placement", self._problems)
        overrides = self._cluster_overrides(apps)
        hardware = parse_hardware(intent.hardware, apps, "hardware", self._problems)
        customizations = parse_customizations(intent.customizations, apps, "customizations", self._problems)
        controllers = parse_controllers(intent.controllers, "controllers", self._problems)
        connectivity = parse_connectivity(intent.connectivity, apps, "connectivity", self._problems)
        interfaces = parse_interfaces(intent.interfaces, apps, "interfaces", self._problems)
        networks = networks_of_fleet(self._store) if interfaces else {}
        self._networks(interfaces, networks)
        release = self._release()
        cloud = self._cloud()
        self._problems.raise_if_any("the deployment")
        inputs = {"deployment": intent_digest(document, self._keys), "composite_app": stored.digest}
        if cloud is not None:
            inputs["logical_cloud"] = intent_digest(ground_of(cloud), self._keys)
        if interfaces:
            inputs["networks"] = digest_of(networks, {one.network for one in interfaces}, self._keys)
        return Wanted(
            naming=Naming(intent.project, intent.name),
            app=stored,
            profile=intent.profile,
            release=release,
            namespace=cloud.cloud.space if cloud else "default",
            namespaces=cloud.cloud.namespaces if cloud else None,
            members=cloud.members if cloud else None,
            logical_cloud=cloud.cloud.name if cloud else "",
            intents=intents,
            overrides=intent.overrides,
            cluster_overrides=overrides,
            hardware=hardware,
            host_variables=intent.host_variables,
            controllers=controllers,
            customizations=customizations,
            labels=intent.labels,
            connectivity=connectivity,
            interfaces=interfaces,
            networks=networks,
            inputs=inputs,
        )

    def _cloud(self) -> StoredCloud | None:
        name = self._intent.logical_cloud or IMPLICIT
        found = stored_cloud(self._store, self._keys, self._intent.project, name)
        if found is None and name != IMPLICIT:
            unknown = unknown_cloud(self._store, self._intent.project, name)
            self._problems.add("logical_cloud", unknown.message.rstrip("."), unknown.hint)
        return found

    def _profile(self, app: CompositeApp) -> None:
        wanted, there = self._intent.profile, [profile.name for profile in app.profiles]
        if wanted is not None and wanted not in there:
            hint = near(wanted, there) or f"it has {', '.join(there) or 'none'}"
            self._problems.add("profile", f"composite app {app.name} {app.version} has no profile {wanted!r}", hint)

    def _networks(self, interfaces: tuple[Interface, ...], networks: Mapping[ClusterRef, Mapping[str, Placed]]) -> None:
        """Networks that no cluster has, with near names."""
        known = sorted({name for here in networks.values() for name in here})
        for index, one in enumerate(interfaces):
            if one.network not in known:
                hint = near(one.network, known) or "make it with emco.edge.network"
                self._problems.add(f"interfaces[{index}].network", f"no cluster has a network {one.network!r}", hint)

    def _release(self) -> str:
        release = self._intent.release or self._intent.name
        try:
            return names.dns_label(release)
        except ValueError as wrong:
            self._problems.add("release", f"{wrong}: not a valid DNS label", "give release, the name is not one")
            return release

    def _known(self, path: str, given: Iterable[str], known: list[str], what: str) -> None:
        for name in given:
            if name not in known:
                self._problems.add(f"{path}.{name}", f"there is no {what} {name!r}", near(name, known))

    def _cluster_overrides(self, apps: list[str]) -> dict[ClusterRef, dict[str, Override]]:
        found: dict[ClusterRef, dict[str, Override]] = {}
        for cluster, given in self._intent.cluster_overrides.items():
            path = f"cluster_overrides.{cluster}"
            ref = ClusterRef.parse(cluster)
            if ref not in self._fleet:
                self._problems.add(path, f"no cluster {ref} is registered", near(cluster, map(str, self._fleet)))
            self._known(path, given, apps, "app")
            parsed = {name: parse(Override, one, f"{path}.{name}", self._problems) for name, one in given.items()}
            found[ref] = {name: one for name, one in parsed.items() if one is not None}
        return found
