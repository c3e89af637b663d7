# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what happened to clusters, written into the progress of a rollout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    IDLE,
    ClusterProgress,
    Phase,
    Progress,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy

UNREACHABLE = "ClusterUnreachable"


class Happened(str, Enum):
    """What can happen to a cluster; the driver tells."""

    ANSWERED = "answered"
    SILENT = "silent"
    READY = "ready"
    PENDING = "pending"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    """Its turn has not come before the run ended: nothing was done there."""


@dataclass(frozen=True)
class News:
    """One thing that happened, with a stable reason code."""

    ref: ClusterRef
    what: Happened
    reason: str = ""


def noted(strategy: Strategy, progress: Progress, news: Iterable[News], now: float) -> Progress:
    """The rollout after ``news``. What comes too late, such as the end of work that timed out, changes nothing."""
    soaks = {ref: wave.soak for wave in strategy.waves for ref in wave.clusters}
    changed: dict[ClusterRef, ClusterProgress] = {}
    for one in news:
        before = changed.get(one.ref) or progress.clusters.get(one.ref)
        if before is not None and one.ref in soaks:
            changed[one.ref] = _after(strategy, before, one, now, soaks[one.ref])
    return progress.with_clusters(changed)


def _after(strategy: Strategy, one: ClusterProgress, news: News, now: float, soak: float) -> ClusterProgress:
    if one.phase in IDLE:
        return _after_a_probe(strategy, one, news, now)
    if one.phase is Phase.WORKING:
        return _after_work(strategy, one, news, now, soak)
    if one.phase is Phase.PROVING:
        return _after_proof(strategy, one, news, now)
    if one.phase is Phase.BACKING_OUT:
        return _after_going_back(strategy, one, news, now)
    return one


def _after_a_probe(strategy: Strategy, one: ClusterProgress, news: News, now: float) -> ClusterProgress:
    if news.what is Happened.ANSWERED:
        # Its silence is forgotten when its work is done: one that answers and then drops the work would never end.
        return one.turned(Phase.ANSWERING, now)
    return silenced(strategy, one, now, news.reason) if news.what is Happened.SILENT else one


def _after_work(strategy: Strategy, one: ClusterProgress, news: News, now: float, soak: float) -> ClusterProgress:
    if news.what is Happened.READY:
        return replace(one.turned(Phase.SOAKING if soak > 0 else Phase.SUCCEEDED, now), silent_since=None)
    if news.what is Happened.WITHDRAWN:
        # Begun for the first time by this very step, and then not: as if it had never been begun.
        return replace(one.turned(Phase.WAITING, now), started=None if one.started == one.since else one.started)
    return _after_proof(strategy, one, news, now)


def _after_proof(strategy: Strategy, one: ClusterProgress, news: News, now: float) -> ClusterProgress:
    if news.what is Happened.SILENT:
        return silenced(strategy, one, now, news.reason)
    phases = {Happened.READY: Phase.SUCCEEDED, Happened.PENDING: Phase.PENDING, Happened.FAILED: Phase.FAILED}
    return one.turned(phases[news.what], now, news.reason) if news.what in phases else one


def _after_going_back(strategy: Strategy, one: ClusterProgress, news: News, now: float) -> ClusterProgress:
    if news.what is Happened.READY:
        return one.turned(Phase.BACKED_OUT, now)
    if news.what is Happened.WITHDRAWN:
        return one.turned(Phase.WAITING, now)
    if news.what is Happened.SILENT and _puts_off(strategy):
        return one.turned(Phase.DEFERRED, now, news.reason or UNREACHABLE)
    return one.turned(Phase.STUCK, now, news.reason)


def silenced(strategy: Strategy, one: ClusterProgress, now: float, reason: str = "") -> ClusterProgress:
    """A cluster that does not answer, by the rollout's rule for it."""
    rule = strategy.unreachable
    since = now if one.silent_since is None else one.silent_since
    silent = replace(one, silent_since=since)
    if rule.policy == "wait" and now < since + rule.wait:
        return silent.turned(Phase.SILENT, now, reason or UNREACHABLE)
    return silent.turned(Phase.DEFERRED if _puts_off(strategy) else Phase.FAILED, now, reason or UNREACHABLE)


def _puts_off(strategy: Strategy) -> bool:
    rule = strategy.unreachable
    return rule.policy == "defer" or (rule.policy == "wait" and rule.then == "defer")
