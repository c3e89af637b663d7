# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a revision, a numbered plan that is kept: decisions and the bundle of every cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Digest


class RevisionState(str, Enum):
    """Where a revision is in its life."""

    PLANNED = "Planned"
    APPROVED = "Approved"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    STOPPED = "Stopped"
    CURRENT = "Current"
    SUPERSEDED = "Superseded"
    ROLLED_BACK = "RolledBack"
    REMOVING = "Removing"
    """Being taken away; clusters that do not answer still have it."""
    REMOVED = "Removed"
    FAILED = "Failed"


# Decisions as a revision keeps them: for each app the clusters with their replicas, None where the chart says how many.
Decisions = Mapping[str, Mapping[ClusterRef, "int | None"]]


@dataclass(frozen=True)
class Plan:
    """Everything decided, nothing done. ``inputs`` are digests of what it was made from, by name, for StalePlan."""

    decisions: Decisions
    bundles: Mapping[ClusterRef, Bundle]
    inputs: Mapping[str, str]
    renderings: frozenset[str] = field(default=frozenset(), compare=False)
    """The digests of the renderings that the objects came from, so that they are kept as long as these."""
    explained: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The decisions as a result shows them."""
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def digest(self, digest: Digest) -> str:
        """Equal for plans that put the same objects on the same clusters."""
        rows = [f"{ref} {bundle.digest}" for ref, bundle in sorted(self.bundles.items())]
        return digest("\n".join(rows).encode())


@dataclass(frozen=True)
class Event:
    """A turn in the life of a revision: into which state, when (seconds since the epoch), by whom, and why."""

    state: RevisionState
    at: float
    by: str
    comment: str = ""


@dataclass(frozen=True)
class Revision:
    """A stored plan. Times are seconds since the epoch."""

    number: int
    state: RevisionState
    plan_digest: str
    content: str
    """The digest of the blob that holds bundles and decisions."""
    inputs: Mapping[str, str]
    composite_app: str
    version: str
    created: float
    owner: str
    comment: str = ""
    of: int | None = None
    """The revision whose objects these are, when this one went back to it."""
    events: tuple[Event, ...] = ()
    """How it came to be as it is, oldest first."""

    def turned(self, state: RevisionState, *, at: float, by: str, comment: str = "") -> Revision:
        """The same revision in another state, and who brought it there; itself when it has the state already."""
        if state is self.state:
            return self
        return replace(self, state=state, events=(*self.events, Event(state, at, by, comment)))


def revision_document(one: Revision) -> dict[str, Any]:
    """A revision as JSON data."""
    events = [[event.state.value, event.at, event.by, event.comment] for event in one.events]
    return {**one.__dict__, "state": one.state.value, "inputs": dict(one.inputs), "events": events}


def revision_of(document: Mapping[str, Any]) -> Revision:
    """The revision that ``revision_document`` made."""
    events = tuple(Event(RevisionState(state), *told) for state, *told in document.get("events", ()))
    return Revision(**{**document, "state": RevisionState(document["state"]), "events": events})


def decisions_document(decisions: Decisions) -> dict[str, dict[str, int | None]]:
    """Decisions as JSON data."""
    return {
        app: {str(ref): replicas for ref, replicas in sorted(chosen.items())}
        for app, chosen in sorted(decisions.items())
    }


def decisions_of(document: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[ClusterRef, int | None]]:
    """The decisions that ``decisions_document`` made."""
    return {
        app: {ClusterRef.parse(ref): replicas for ref, replicas in chosen.items()} for app, chosen in document.items()
    }


def stale_inputs(planned: Mapping[str, str], today: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the inputs that are not what they were when the plan was made."""
    return tuple(sorted(name for name in planned.keys() | today.keys() if planned.get(name) != today.get(name)))
