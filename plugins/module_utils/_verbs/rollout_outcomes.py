# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the outcome of each cluster of a rollout, also of those that nobody worked on in this run."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._rollout.news import UNREACHABLE
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    ClusterProgress,
    Ending,
    Phase,
    Progress,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State

_WHY_NOT_BEGUN = {
    Ending.PAUSED: ("Paused", "the rollout is paused before the wave of this cluster"),
    Ending.INTERRUPTED: ("Stopped", "the run was stopped before this cluster was done"),
}


def outcome_of(ref: ClusterRef, progress: Progress, known: Outcome | None) -> Outcome:
    """What is to be said of a cluster; ``known`` is what the last work on it in this run came to."""
    state, name = progress.clusters[ref], str(ref)
    if state.phase is Phase.DEFERRED:
        return replace(
            known or Outcome(name, State.DEFERRED),
            state=State.DEFERRED,
            reason=state.reason or UNREACHABLE,
            message="it does not answer and was put off",
            hint="It is brought to the latest revision by the next run, or with catch_up, once it answers again.",
        )
    if state.phase is Phase.TIMED_OUT:
        return replace(
            known or Outcome(name, State.FAILED),
            state=State.FAILED,
            reason=state.reason,
            message="it was not ready within progress_deadline",
        )
    if state.phase is Phase.BACKED_OUT:
        return replace(
            known or Outcome(name, State.READY), reason="RolledBack", message="it was taken back to what ran before"
        )
    if known is not None and state.phase not in (Phase.WAITING, Phase.SILENT):
        return known
    return _unworked(name, state, progress, known)


def _unworked(name: str, state: ClusterProgress, progress: Progress, known: Outcome | None) -> Outcome:
    if state.phase in (Phase.SUCCEEDED, Phase.SOAKING, Phase.PROVING):
        return Outcome(name, State.READY, message="an earlier run brought it here")
    if state.phase is Phase.FAILED and state.reason == UNREACHABLE:
        return Outcome(
            name,
            State.UNREACHABLE,
            UNREACHABLE,
            "it gave no sign of life",
            "Check that it is up and that this machine reaches it; rollout.unreachable: defer puts such clusters off.",
        )
    if state.phase in (Phase.FAILED, Phase.STUCK):
        return Outcome(name, State.FAILED, state.reason, "an earlier run failed here")
    if state.phase is Phase.SILENT:
        return Outcome(
            name, State.UNREACHABLE, state.reason or UNREACHABLE, "it was waited for and does not answer yet"
        )
    begun = "in the midst of it" if state.begun else "before this cluster was begun"
    reason, words = _WHY_NOT_BEGUN.get(
        progress.ending or Ending.INTERRUPTED, (progress.breach, f"the rollout was stopped {begun}: {progress.breach}")
    )
    return replace(known or Outcome(name, State.PENDING), state=State.PENDING, reason=reason, message=words)
