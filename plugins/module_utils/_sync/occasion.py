# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a run is for a cluster and for each app there, which decides whose hooks run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Event
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_irreplaceable
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Phase
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session

SUCCEEDED = "hook-succeeded"


@dataclass(frozen=True)
class Occasion:
    """``event`` is that of the run. An app that comes to a cluster is installed, whatever the others are."""

    event: Event
    here: frozenset[str] = frozenset()
    """The apps whose installation was finished before."""

    def of(self, app: str) -> Event:
        """The event of one app."""
        return self.event if app in self.here or self.event == "delete" else "install"

    def hooks(self, ordered: Sequence[PlannedObject], *stages: str) -> tuple[PlannedObject, ...]:
        """The hooks of ``pre`` or ``post`` in the given order, or of one after the other."""
        return tuple(
            one
            for stage in stages
            for one in ordered
            if one.hook is not None and f"{stage}-{self.of(one.app)}" in one.hook.events
        )

    def concerns(self, one: PlannedObject) -> bool:
        """Whether a hook runs now."""
        return bool(self.hooks([one], "pre", "post"))


REMOVAL = Occasion("delete")


def parting_of(session: Session, occasion: Occasion | None) -> tuple[PlannedObject, ...]:
    """The delete hooks of the apps that were installed here and leave, while others stay."""
    parting = session.options.parting
    if occasion is None or parting is None:
        return ()
    return leaving_nothing(one for one in parting.hooks() if one.app in occasion.here)


def leaving_nothing(hooks: Iterable[PlannedObject]) -> tuple[PlannedObject, ...]:
    """Hooks of what goes: each goes as well when it has succeeded, unless it holds data or other objects.

    So it is noted as done before, and a run that is killed meanwhile does not run it again.
    """
    return tuple(
        replace(one, hook=replace(one.hook, delete_policies=(*one.hook.delete_policies, SUCCEEDED)))
        if one.hook is not None and not is_irreplaceable(one.identity)
        else one
        for one in hooks
    )


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
