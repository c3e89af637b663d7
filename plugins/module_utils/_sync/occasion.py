# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a run is for a cluster and for each app there, which decides whose hooks run."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Event
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Phase
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session


@dataclass(frozen=True)
class Occasion:
    """``event`` is that of the run. An app that comes to a cluster is installed, whatever the others are."""

    event: Event
    here: frozenset[str] = frozenset()
    """The apps whose installation was finished before."""

    def of(self, app: str) -> Event:
        """The event of one app."""
        return self.event if app in self.here or self.event == "delete" else "install"

    def hooks(self, bundle: Bundle, *stages: str) -> tuple[PlannedObject, ...]:
        """The hooks of ``pre`` or ``post`` in the order in which they run, or of one after the other."""
        return tuple(
            one
            for stage in stages
            for one in bundle.hooks()
            if one.hook is not None and f"{stage}-{self.of(one.app)}" in one.hook.events
        )

    def concerns(self, one: PlannedObject) -> bool:
        """Whether a hook runs now."""
        event = self.of(one.app)
        return one.hook is not None and any(f"{stage}-{event}" in one.hook.events for stage in ("pre", "post"))


REMOVAL = Occasion("delete")


def occasion_of(session: Session) -> Occasion | None:
    """What this run is: install, upgrade, rollback; None: nothing new is brought here.

    An install that was never finished stays one, whatever is brought now; a run that was interrupted goes on as what it
    was.
    """
    record, bundle = session.record, session.bundle
    if record is None or record.phase is Phase.REMOVING:
        return Occasion("install")
    same = record.bundle == bundle.digest
    if same and record.phase is Phase.CURRENT:
        return None
    return Occasion(record.event if same else session.options.event, frozenset(record.apps))
