# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what is to go to which cluster, and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency, Bundle
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Decisions
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Heritage
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome
from ansible_collections.emco.edge.plugins.module_utils._verbs.tenancy import cloud_of


@dataclass(frozen=True)
class Source:
    """Another deployment whose place this one takes, with the bundles of the clusters that have it, where known.

    ``first``: on each cluster it goes before the new one comes.
    """

    naming: Naming
    bundles: Mapping[ClusterRef, Bundle | None]
    first: bool = False


@dataclass(frozen=True)
class Shipment:
    """What goes to which cluster. ``leaving``: clusters to be cleared, with the bundle that is there if known."""

    naming: Naming
    number: int
    bundles: Mapping[ClusterRef, Bundle]
    leaving: Mapping[ClusterRef, Bundle | None]
    decisions: Decisions
    only: frozenset[ClusterRef] | None
    event: str
    before: Mapping[ClusterRef, Bundle] = dataclasses.field(default_factory=dict)
    """What runs today: where a rollout goes back to."""
    source: Source | None = None
    heirs: Mapping[ClusterRef, Bundle] = dataclasses.field(default_factory=dict)
    """In a removal, what took the place of the deployment."""

    def targets(self) -> tuple[ClusterRef, ...]:
        """The clusters that this run may touch, by name."""
        everything = {*self.bundles, *self.leaving}
        return tuple(sorted(ref for ref in everything if self.only is None or ref in self.only))

    @property
    def removing(self) -> bool:
        """Whether all of the deployment goes."""
        return self.event == "delete"

    def running(self) -> dict[str, list[str]]:
        """By app the clusters that its dependants wait for; in a removal those that still have it."""
        there = self.leaving if self.removing else None
        return {
            app: [str(ref) for ref in chosen if there is None or ref in there] for app, chosen in self.decisions.items()
        }

    @property
    def logical_cloud(self) -> str:
        """The logical cloud of the deployment, empty for the one that is there without being made."""
        bundles = (*self.bundles.values(), *self.leaving.values())
        return next((name for one in bundles if one is not None and (name := cloud_of(one))), "")

    def digest(self, ref: ClusterRef) -> str:
        """The digest of the bundle for a cluster, empty for one that is cleared."""
        return self.bundles[ref].digest if ref in self.bundles else ""


@dataclass(frozen=True)
class Shipped:
    """What came of a shipment: an outcome for every target, how the rollout ended, and what happened when."""

    outcomes: Mapping[ClusterRef, Outcome]
    ending: str = "Complete"
    timeline: tuple[Mapping[str, object], ...] = ()
    taken_back: frozenset[ClusterRef] = frozenset()


def heritage_of(naming: Naming) -> Heritage:
    """What a sync must know of a deployment whose objects it takes over."""
    return Heritage(naming.label, naming.manager)


def dependents_of(shipment: Shipment) -> dict[str, list[AppDependency]]:
    """By app what needs it anywhere, so that a removal takes that away first."""
    found: dict[str, dict[AppDependency, None]] = {}
    for bundle in shipment.leaving.values() if shipment.removing else ():
        for app, needs in bundle.dependencies.items() if bundle is not None else ():
            for need in needs:
                found.setdefault(need.on, {})[AppDependency(app, "gone", scope=need.scope)] = None
    return {app: list(needs) for app, needs in found.items()}
