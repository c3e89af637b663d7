# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how far a rollout is. A value that is stored once a tick and from which a killed run goes on.

What happens to a cluster is written down by ``noted``; what follows from it and from the time is ``machine.advance``.
All times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy


class Phase(str, Enum):
    """Where a cluster is in the rollout."""

    WAITING = "Waiting"
    PROBING = "Probing"
    """Asked for a sign of life."""
    ANSWERING = "Answering"
    """It gave one, and may be begun."""
    SILENT = "Silent"
    """It gave none, and is asked again until its time is over."""
    WORKING = "Working"
    SOAKING = "Soaking"
    PROVING = "Proving"
    """Looked at once more after its soak."""
    SUCCEEDED = "Succeeded"
    PENDING = "Pending"
    """What could be done is done; the rest waits for something outside this run."""
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    DEFERRED = "Deferred"
    """Put off until it answers again."""
    BACKING_OUT = "RollingBack"
    BACKED_OUT = "RolledBack"
    STUCK = "RollbackFailed"


FINAL = frozenset({Phase.SUCCEEDED, Phase.PENDING, Phase.FAILED, Phase.TIMED_OUT, Phase.DEFERRED})
"""Nothing more is done about a cluster, unless the rollout goes back."""
BACK = frozenset({Phase.BACKING_OUT, Phase.BACKED_OUT, Phase.STUCK})
FAILURES = frozenset({Phase.FAILED, Phase.TIMED_OUT})
IDLE = frozenset({Phase.WAITING, Phase.PROBING, Phase.ANSWERING, Phase.SILENT})
"""Nobody works on the cluster. It may have been begun all the same: by a run that was killed, or before its silence."""
ACTIVE = frozenset({Phase.WORKING, Phase.SOAKING, Phase.PROVING, Phase.BACKING_OUT})


class Ending(str, Enum):
    """How a rollout, or this run of it, ended."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    """Every cluster was tried and more failed than the budgets allow, or the way back did not succeed everywhere."""
    PAUSED = "Paused"
    STOPPED = "Stopped"
    ROLLED_BACK = "RolledBack"
    INTERRUPTED = "Interrupted"
    """By Ctrl-C, SIGTERM or a lost lease; running again goes on."""


@dataclass(frozen=True)
class ClusterProgress:
    """One cluster. ``started`` is when it was first begun, ``since`` when it came into its phase."""

    phase: Phase = Phase.WAITING
    since: float = 0.0
    started: float | None = None
    silent_since: float | None = None
    reason: str = ""

    @property
    def begun(self) -> bool:
        """Whether something of the new revision may be on the cluster."""
        return self.started is not None

    @property
    def at_risk(self) -> bool:
        """Whether the cluster takes a place of ``max_concurrency``: begun, and neither proven nor given up."""
        return self.phase in ACTIVE or (self.begun and self.phase in IDLE)

    def turned(self, phase: Phase, now: float, reason: str = "") -> ClusterProgress:
        """The same cluster in another phase."""
        return replace(self, phase=phase, since=now, reason=reason)


PAUSED = "paused"
"""What a mark says that stands for a pause behind its wave."""


@dataclass(frozen=True)
class Mark:
    """Something that happened to the rollout as a whole."""

    at: float
    what: str
    wave: str = ""
    words: str = ""


@dataclass(frozen=True)
class Progress:
    """A rollout. ``clusters`` may hold more than the strategy drives: what other runs of the same revision did."""

    clusters: Mapping[ClusterRef, ClusterProgress] = field(default_factory=dict)
    released: frozenset[str] = frozenset()
    """Waves behind which the rollout was paused and may go on."""
    breach: str = ""
    """Why nothing new is begun any more: TooManyFailures, TooManyDeferred, GateClosed. It never goes away by itself."""
    backing_out: bool = False
    ending: Ending | None = None
    marks: tuple[Mark, ...] = ()

    def with_clusters(self, changed: Mapping[ClusterRef, ClusterProgress]) -> Progress:
        """The same rollout with some clusters in other states."""
        return replace(self, clusters={**self.clusters, **changed}) if changed else self


def begun(strategy: Strategy, now: float, others: Progress | None = None) -> Progress:
    """A fresh rollout. ``others``: what earlier runs for other clusters left, to be kept beside it."""
    carried = dict(others.clusters) if others else {}
    return Progress({**carried, **{ref: ClusterProgress(since=now) for ref in strategy.clusters}})


def resumed(strategy: Strategy, left: Progress, now: float, *, released: bool = False) -> Progress:
    """A rollout taken up again where a run left it, by a signal, a crash or at a pause.

    What was being worked on is begun anew: a sync finds what is there. ``released``: the user says that the rollout
    may go on behind the wave where it paused.
    """
    taken = {ref: _settled(left.clusters.get(ref), now) for ref in strategy.clusters}
    waves = {mark.wave for mark in left.marks if mark.what == PAUSED} if released else set()
    return replace(left.with_clusters(taken), released=left.released | frozenset(waves), ending=None)


def _settled(one: ClusterProgress | None, now: float) -> ClusterProgress:
    if one is None:
        return ClusterProgress(since=now)
    if one.phase is Phase.PROVING:
        # Its soak is over, so it is looked at again at once.
        return replace(one, phase=Phase.SOAKING, since=0.0)
    if one.phase in (Phase.WORKING, Phase.BACKING_OUT, Phase.PROBING, Phase.ANSWERING):
        return one.turned(Phase.WAITING, now)
    return one


def put_off(progress: Progress) -> tuple[ClusterRef, ...]:
    """The clusters that a catch-up run asks again; it is a rollout of its own for those of them that answer."""
    return tuple(sorted(ref for ref, one in progress.clusters.items() if one.phase is Phase.DEFERRED))


def progress_document(progress: Progress) -> dict[str, Any]:
    """A rollout as JSON data, short because it is written often: a list a cluster, trailing blanks left out."""
    document: dict[str, Any] = {
        "clusters": {str(ref): _row(one) for ref, one in sorted(progress.clusters.items())},
        "marks": [[mark.at, mark.what, mark.wave, mark.words] for mark in progress.marks],
    }
    if progress.released:
        document["released"] = sorted(progress.released)
    if progress.breach:
        document["breach"] = progress.breach
    if progress.backing_out:
        document["backing_out"] = True
    if progress.ending is not None:
        document["ending"] = progress.ending.value
    return document


def progress_of(document: Mapping[str, Any]) -> Progress:
    """The rollout that ``progress_document`` wrote."""
    ending = document.get("ending")
    return Progress(
        clusters={ClusterRef.parse(name): _of_row(row) for name, row in (document.get("clusters") or {}).items()},
        released=frozenset(document.get("released") or ()),
        breach=str(document.get("breach") or ""),
        backing_out=bool(document.get("backing_out")),
        ending=None if ending is None else Ending(ending),
        marks=tuple(Mark(*row) for row in document.get("marks") or ()),
    )


def _row(one: ClusterProgress) -> list[Any]:
    row: list[Any] = [one.phase.value, one.since, one.started, one.silent_since, one.reason]
    while row[-1] in (None, ""):
        row.pop()
    return row


def _of_row(row: list[Any]) -> ClusterProgress:
    phase, since, started, silent_since, reason = [*row, None, None, None, None][:5]
    return ClusterProgress(Phase(phase), since, started, silent_since, reason or "")
