# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what an action controller is. It edits the objects of one app for one cluster, and is pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.connectivity import AppFlow
from ansible_collections.emco.edge.plugins.module_utils._model.customization import Customization
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

Objects = Sequence[Mapping[str, Any]]
"""The objects of an app that stay on the cluster, in install order; hooks only where a controller wants them."""


Patched = Callable[[Mapping[str, Any], Sequence[Any]], Mapping[str, Any]]
"""An object with patches applied in order: a dictionary merges strategically, a list is a JSON patch."""


def _no_patches(_object: Mapping[str, Any], _patches: Sequence[Any]) -> Mapping[str, Any]:
    raise RuntimeError("nobody said how objects are patched")


@dataclass(frozen=True)
class Intents:
    """What a deployment wants of its objects besides what its apps render."""

    hardware: tuple[HardwareRequirement, ...] = ()
    scaled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """App: the workloads that a decision about replicas is for; none: all that have replicas."""
    customizations: tuple[Customization, ...] = ()
    patched: Patched = _no_patches
    """How customizations are made: by the renderer's program."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels for every object and pod template; ``{app}`` in a value stands for the app's name."""
    interfaces: tuple[Interface, ...] = ()
    networks: Mapping[ClusterRef, Mapping[str, Placed]] = field(default_factory=dict)
    """The networks of each cluster, by name."""
    connectivity: tuple[AppFlow, ...] = ()
    selectors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For each app the labels that all of its pods have."""


@dataclass(frozen=True)
class Subject:
    """One app on one cluster."""

    app: str
    cluster: Cluster
    namespace: str
    """Where objects go that name no namespace."""
    replicas: int | None
    """What the decision gives this cluster; None: what the app says itself."""
    intents: Intents
    deployment: str = ""
    """Readable: ``project/name``."""


def _nothing(_intents: Intents, _samples: Mapping[str, Objects]) -> Iterable[Problem]:
    return ()


@dataclass(frozen=True)
class Controller:
    """An action controller."""

    name: str
    edit: Callable[[Objects, Subject], Objects]
    """The edited objects; what was given is left as it is. InvalidInput with all problems at once."""
    concerns: Callable[[Subject], Hashable]
    """None: nothing to edit. Else what decides the edit: subjects for which it is equal are edited once."""
    problems: Callable[[Intents, Mapping[str, Objects]], Iterable[Problem]] = _nothing
    """What is wrong with the intents, given for each app the objects that one cluster would get."""
    hooks: bool = False
    """Whether it edits hooks too, and not only what stays."""
