# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: one call of the verb ``deployment`` with what it stands on, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import Verb, in_effect, must_allow
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Plan, Revision, RevisionState
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import ignored_fields
from ansible_collections.emco.edge.plugins.module_utils._verbs.limits import limited_to
from ansible_collections.emco.edge.plugins.module_utils._verbs.rebuilding import rebuilt_progress
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing


@dataclass
class Call:
    """What was asked, and what is known when it begins: the fleet, the history, what is where."""

    wanted: Deployment
    context: Context
    naming: Naming
    revisions: Revisions
    fleet: Mapping[ClusterRef, Registered]
    only: frozenset[ClusterRef] | None
    progress: dict[ClusterRef, Standing]
    history: list[Revision]

    @property
    def last(self) -> Revision | None:
        """The newest revision that reached clusters or is on its way there."""
        return in_effect(self.history)

    @cached_property
    def before(self) -> Plan | None:
        """What runs today, as far as it was planned; None where nothing does."""
        last = self.last
        if last is None or (last.state is RevisionState.REMOVED and not self.progress):
            return None
        return self.revisions.plan_of(last)

    def previous(self) -> int:
        """The number of the newest revision that was everywhere before the last one; ``UnknownRevision`` without."""
        arrived = (RevisionState.CURRENT, RevisionState.SUPERSEDED)
        last = self.last.number if self.last is not None else 0
        for one in reversed(self.history):
            if one.number < last and one.state in arrived:
                return one.number
        raise EdgeError(
            "UnknownRevision",
            f"{self.naming.readable} has no revision to go back to: none was on all its clusters before.",
            hint="emco.edge.deployment_info with revisions: true lists what there is.",
        )

    def next_number(self) -> int:
        """The number of the next revision; a rebuilt store goes on from what the clusters know."""
        stored = [one.number for one in self.history]
        return max([*stored, *(standing.revision for standing in self.progress.values()), 0]) + 1

    def must_allow(self, verb: Verb) -> None:
        """EdgeError ``WrongState`` when the state of the deployment does not fit the verb."""
        must_allow(verb, self.history, self.naming.readable)

    def turn(self, revision: Revision, state: RevisionState, comment: str = "") -> Revision:
        """The revision in another state, stored."""
        return self.revisions.turn(revision, state, self.context, comment or self.wanted.comment or "")


def opened(wanted: Deployment, context: Context) -> Call:
    """Read what the store knows of a deployment; a store that knows nothing is rebuilt from the clusters' records."""
    store, keys = context.store(), context.keys()
    naming = Naming(wanted.project, wanted.name)
    fleet = registered(store)
    revisions = Revisions(naming, store, keys)
    history = revisions.all()
    progress = revisions.progress()
    if not history and not progress:
        progress = rebuilt_progress(naming, fleet, context)
    return Call(
        wanted=ignored_fields(wanted, context.arguments, store, keys),
        context=context,
        naming=naming,
        revisions=revisions,
        fleet=fleet,
        only=limited_to(wanted.only, fleet),
        progress=progress,
        history=history,
    )
