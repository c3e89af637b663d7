# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a deployment with everything it refers to found and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App, dependency_order
from ansible_collections.emco.edge.plugins.module_utils._model.connectivity import AppFlow
from ansible_collections.emco.edge.plugins.module_utils._model.controllers import ControllerUse
from ansible_collections.emco.edge.plugins.module_utils._model.customization import Customization
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent
from ansible_collections.emco.edge.plugins.module_utils._model.values import Override
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import StoredApp


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
    hardware: tuple[HardwareRequirement, ...]
    host_variables: tuple[str, ...]
    logical_cloud: str = ""
    """Empty for the one that is there without being made."""
    controllers: tuple[ControllerUse, ...] = ()
    customizations: tuple[Customization, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    connectivity: tuple[AppFlow, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    networks: Mapping[ClusterRef, Mapping[str, Placed]] = field(default_factory=dict)
    """The networks of all clusters, where an interface asks for one."""
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def apps(self) -> tuple[App, ...]:
        """The apps, each after those it depends on."""
        by_name = {app.name: app for app in self.app.app.apps}
        return tuple(by_name[name] for step in dependency_order(self.app.app.apps) for name in step)
