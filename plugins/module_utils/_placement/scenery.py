# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what the decisions of a plan share, and one of them as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import Fit
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent
from ansible_collections.emco.edge.plugins.module_utils._placement.capacity import Copies, Ledger
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import Chosen, Failure, RefusedSet
from ansible_collections.emco.edge.plugins.module_utils._placement.filters import Circumstances
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import Fleet
from ansible_collections.emco.edge.plugins.module_utils._placement.normal_form import NormalForm, normal_form

Held: TypeAlias = "Mapping[int, int | None]"


class Scenery:
    """What all decisions of a plan share; it changes as they are made."""

    def __init__(
        self, fleet: Fleet, ledger: Ledger, around: Circumstances, apps_on: list[int], rebalance: bool
    ) -> None:
        self.fleet = fleet
        self.ledger = ledger
        self.around = around
        self.apps_on = apps_on
        self.rebalance = rebalance
        self._forms: dict[int, tuple[PlacementIntent, NormalForm]] = {}

    def form(self, intent: PlacementIntent) -> NormalForm:
        """The normal form of an intent; apps that share an intent share it."""
        found = self._forms.get(id(intent))
        if found is None:
            found = self._forms[id(intent)] = (intent, normal_form(intent, self.fleet))
        return found[1]

    def note(self, found: Attempt) -> None:
        """Count a decision and give it the room that it needs."""
        for position, replicas in found.replicas.items():
            self.apps_on[position] += 1
            has = found.held.get(position) or 0
            if replicas is None:
                fit = None if position in found.held else found.fits.get(position)
                self.ledger.promise(position, fit, None if position in found.held else 1)
            elif replicas > has:
                more = self.ledger.fit(position, found.copies, replicas - has)
                self.ledger.promise(position, more, replicas - has)


@dataclass
class Attempt:
    """A decision as it stands: what is taken, and every other cluster in exactly one refused set."""

    copies: Copies
    held: Held
    replicas: dict[int, int | None] = field(default_factory=dict)
    chosen: Callable[[], tuple[Chosen, ...]] = tuple
    refused: tuple[RefusedSet, ...] = ()
    shortage: int = 0
    """Replicas that find no room; clusters, where no replicas are asked for."""
    missing_clusters: int = 0
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    fits: Mapping[int, Fit] = field(default_factory=dict)
