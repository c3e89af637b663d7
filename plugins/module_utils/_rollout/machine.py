# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a rollout does next. A pure function of the strategy, the progress and the time.

The budgets belong to the set: how many clusters failed is counted over all of them before any is begun, whatever their
names and order (Open Cluster Management counts while walking, so there the order decides).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._rollout import gate
from ansible_collections.emco.edge.plugins.module_utils._rollout.news import silenced
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    ACTIVE,
    BACK,
    FAILURES,
    FINAL,
    IDLE,
    PAUSED,
    ClusterProgress,
    Ending,
    Mark,
    Phase,
    Progress,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave

TOO_MANY_FAILURES = "TooManyFailures"
TOO_MANY_DEFERRED = "TooManyDeferred"
GATE_CLOSED = "GateClosed"

REMEMBERED = 60.0
"""Seconds for which a sign of life holds."""
_BUSY = frozenset({Phase.WORKING, Phase.PROVING, Phase.BACKING_OUT})


@dataclass(frozen=True)
class Steps:
    """What is to be done now; ``progress`` already says so and is to be stored before it is done.

    ``wake``: when to ask again if nothing happens before. ``withdraw``: clusters that were begun for the first time; if
    nobody has turned to them yet, they are given back.
    """

    progress: Progress
    probe: tuple[ClusterRef, ...] = ()
    start: tuple[ClusterRef, ...] = ()
    prove: tuple[ClusterRef, ...] = ()
    roll_back: tuple[ClusterRef, ...] = ()
    withdraw: tuple[ClusterRef, ...] = ()
    wake: float | None = None


def advance(strategy: Strategy, progress: Progress, now: float, *, room: int, asking: int = 64) -> Steps:
    """The next steps.

    ``room``: how many clusters may be begun now because somebody is free to work on them; safety is the strategy's
    ``max_concurrency``. ``asking``: how many clusters may be between the question for a sign of life and their turn.
    """
    if progress.ending is not None:
        return Steps(progress)
    progress = _judged(strategy, _aged(strategy, progress, now), now)
    proving: tuple[ClusterRef, ...] = ()
    if not progress.backing_out:
        progress, proving = _proving(strategy, progress, now)
        progress = _judged(strategy, progress, now)
    if progress.backing_out:
        steps = _going_back(strategy, progress, now, room)
    elif _stopped(strategy, progress):
        steps = _winding_up(strategy, progress, now, room, asking)
    else:
        steps = _going_on(strategy, progress, now, room, asking)
    return replace(steps, prove=proving, wake=_wake(strategy, steps.progress, now))


def _unturned(strategy: Strategy, progress: Progress) -> tuple[ClusterRef, ...]:
    """Clusters at work for the first time: the only ones that can be given back as if nothing had happened."""
    states = progress.clusters
    return tuple(
        ref
        for ref in strategy.clusters
        if states[ref].phase is Phase.WORKING and states[ref].started == states[ref].since
    )


def _stopped(strategy: Strategy, progress: Progress) -> bool:
    return bool(progress.breach) and (strategy.on_failure != "continue" or progress.breach == GATE_CLOSED)


def _aged(strategy: Strategy, progress: Progress, now: float) -> Progress:
    """What the time alone does: deadlines, patience with the silent, signs of life that are too old."""
    changed = {}
    for ref in strategy.clusters:
        one = progress.clusters[ref]
        limit = strategy.progress_deadline
        if one.phase is Phase.WORKING and limit is not None and now >= one.since + limit:
            changed[ref] = one.turned(Phase.TIMED_OUT, now, "ProgressDeadlineExceeded")
        elif one.phase is Phase.ANSWERING and now >= one.since + REMEMBERED:
            changed[ref] = one.turned(Phase.WAITING, now)
        elif one.phase is Phase.SILENT and now >= (one.silent_since or 0.0) + strategy.unreachable.wait:
            changed[ref] = silenced(strategy, one, now, one.reason)
    return progress.with_clusters(changed)


def _proving(strategy: Strategy, progress: Progress, now: float) -> tuple[Progress, tuple[ClusterRef, ...]]:
    """Clusters whose soak is over: done, or looked at once more."""
    over = [
        ref
        for wave in strategy.waves
        for ref in wave.clusters
        if progress.clusters[ref].phase is Phase.SOAKING and now >= progress.clusters[ref].since + wave.soak
    ]
    phase = Phase.PROVING if strategy.proves else Phase.SUCCEEDED
    changed = {ref: progress.clusters[ref].turned(phase, now) for ref in over}
    return progress.with_clusters(changed), tuple(over) if strategy.proves else ()


def _judged(strategy: Strategy, progress: Progress, now: float) -> Progress:
    """Whether budgets and gates hold. What is broken stays so: it must not be mended by having gone back."""
    if not progress.breach:
        progress = _broken(strategy, progress, now, _budgets(strategy, progress))
    # A rollout that goes back is a stopped one.
    if _stopped(strategy, progress):
        return progress
    return _broken(strategy, progress, now, _gates(strategy, progress))


def _broken(strategy: Strategy, progress: Progress, now: float, found: tuple[str, str, str]) -> Progress:
    breach, wave, words = found
    if not breach:
        return progress
    back = strategy.on_failure == "rollback"
    marks = [Mark(now, breach, wave, words)] + ([Mark(now, "rolling back", wave)] if back else [])
    return replace(progress, breach=breach, backing_out=back, marks=(*progress.marks, *marks))


def _budgets(strategy: Strategy, progress: Progress) -> tuple[str, str, str]:
    """Which budget is exceeded (nothing if none), in which wave, and words for it."""
    failed = _count(progress, strategy.clusters, FAILURES)
    if failed > strategy.max_failures:
        return TOO_MANY_FAILURES, _reached(strategy, progress).name, f"{failed} failed, {strategy.max_failures} may"
    deferred = _count(progress, strategy.clusters, {Phase.DEFERRED})
    if strategy.max_deferred is not None and deferred > strategy.max_deferred:
        words = f"{deferred} do not answer, {strategy.max_deferred} may"
        return TOO_MANY_DEFERRED, _reached(strategy, progress).name, words
    for wave in strategy.waves:
        failed = _count(progress, wave.clusters, FAILURES)
        if wave.max_failures is not None and failed > wave.max_failures:
            return TOO_MANY_FAILURES, wave.name, f"{failed} failed, {wave.max_failures} of the wave may"
    return "", "", ""


def _gates(strategy: Strategy, progress: Progress) -> tuple[str, str, str]:
    """Which gate behind a wave that is done, and before another, is closed."""
    for wave in strategy.waves[:-1]:
        if not _done(progress, wave):
            break
        if not gate.opens(wave, progress.clusters):
            return GATE_CLOSED, wave.name, f"{wave.gate} does not hold"
    return "", "", ""


def _going_on(strategy: Strategy, progress: Progress, now: float, room: int, asking: int) -> Steps:
    """The normal case: the first wave that is not done is worked on."""
    for wave in strategy.waves:
        if not _done(progress, wave):
            return _started(strategy, progress, now, wave, room, asking)
        if wave.pause_after and wave is not strategy.waves[-1] and wave.name not in progress.released:
            return Steps(_ended(progress, now, Ending.PAUSED, Mark(now, PAUSED, wave.name)))
    return Steps(_ended(progress, now, Ending.FAILED if progress.breach else Ending.COMPLETE))


def _winding_up(strategy: Strategy, progress: Progress, now: float, room: int, asking: int) -> Steps:
    """Nothing new is begun; what was begun is brought to its end."""
    begun = [ref for ref in strategy.clusters if progress.clusters[ref].begun]
    busy = any(
        progress.clusters[ref].phase in _BUSY
        or progress.clusters[ref].phase in (Phase.WAITING, Phase.PROBING, Phase.ANSWERING)
        for ref in begun
    )
    if not busy:
        return Steps(_ended(progress, now, Ending.STOPPED))
    withdrawn = _unturned(strategy, progress)
    return replace(_started(strategy, progress, now, None, room, asking), withdraw=withdrawn)


def _started(strategy: Strategy, progress: Progress, now: float, wave: Wave | None, room: int, asking: int) -> Steps:
    """Begins what may be begun: what another run had begun wherever it is, and of ``wave`` what the limits allow."""
    states = progress.clusters
    able = {Phase.ANSWERING} if strategy.probes else {Phase.WAITING, Phase.ANSWERING}
    again = [ref for ref in strategy.clusters if states[ref].begun and states[ref].phase in IDLE]
    fresh = (
        [] if wave is None else [ref for ref in wave.clusters if not states[ref].begun and states[ref].phase in IDLE]
    )
    active = _count(progress, strategy.clusters, ACTIVE)
    places = max(0, strategy.max_concurrency - active)
    # A place is kept for everything that was begun and is not proven, also while nobody works on it.
    spare = places - len(again)
    if wave is not None and wave.max_concurrency is not None:
        spare = min(spare, wave.max_concurrency - sum(states[ref].at_risk for ref in wave.clusters))
    first = [ref for ref in again if states[ref].phase in able][: max(0, min(places, room))]
    then = [ref for ref in fresh if states[ref].phase in able][: max(0, min(spare, room - len(first)))]
    changed = {ref: _working(states[ref], now) for ref in (*first, *then)}
    progress = progress.with_clusters(changed)
    progress, asked = _asked(strategy, progress, now, (*again, *fresh), asking)
    return Steps(progress, probe=asked, start=(*first, *then))


def _working(one: ClusterProgress, now: float) -> ClusterProgress:
    return replace(one.turned(Phase.WORKING, now), started=now if one.started is None else one.started)


def _asked(
    strategy: Strategy, progress: Progress, now: float, candidates: tuple[ClusterRef, ...], asking: int
) -> tuple[Progress, tuple[ClusterRef, ...]]:
    """Asks the next clusters for a sign of life, a few ahead of their turn."""
    if not strategy.probes:
        candidates = tuple(ref for ref in candidates if progress.clusters[ref].phase is Phase.SILENT)
    ahead = _count(progress, strategy.clusters, {Phase.PROBING, Phase.ANSWERING})
    states = progress.clusters
    waiting = [ref for ref in candidates if states[ref].phase is Phase.WAITING]
    # Those that were silent come last, so that asking them again and again keeps nobody from being asked once.
    silent = [
        ref for ref in candidates if states[ref].phase is Phase.SILENT and now >= states[ref].since + strategy.ask_again
    ]
    asked = tuple([*waiting, *silent][: max(0, asking - ahead)])
    return progress.with_clusters({ref: progress.clusters[ref].turned(Phase.PROBING, now) for ref in asked}), asked


def _going_back(strategy: Strategy, progress: Progress, now: float, room: int) -> Steps:
    """Takes back what was begun, last wave first; those being worked on are let finish before their turn comes."""
    states = progress.clusters
    scope = strategy.clusters if strategy.rollback_scope == "all" else _reached(strategy, progress).clusters
    left = [
        ref
        for ref in reversed(scope)
        if states[ref].begun and states[ref].phase not in BACK and states[ref].phase is not Phase.DEFERRED
    ]
    busy = _count(progress, strategy.clusters, _BUSY)
    if not left and not busy:
        return Steps(_ended(progress, now, _end_of_the_way_back(strategy, progress)))
    free = max(0, min(strategy.max_concurrency - busy, room))
    chosen = tuple(ref for ref in left if states[ref].phase not in _BUSY)[:free]
    changed = {ref: states[ref].turned(Phase.BACKING_OUT, now) for ref in chosen}
    return Steps(progress.with_clusters(changed), roll_back=chosen, withdraw=_unturned(strategy, progress))


def _end_of_the_way_back(strategy: Strategy, progress: Progress) -> Ending:
    if _count(progress, strategy.clusters, {Phase.STUCK}):
        return Ending.FAILED
    if any(one.begun and one.phase not in BACK | {Phase.DEFERRED} for one in _states(progress, strategy.clusters)):
        return Ending.STOPPED
    return Ending.ROLLED_BACK


def _ended(progress: Progress, now: float, ending: Ending, *marks: Mark) -> Progress:
    kept = marks or (Mark(now, "ended", "", ending.value),)
    asked = {
        ref: one.turned(Phase.WAITING, now)
        for ref, one in progress.clusters.items()
        if one.phase in (Phase.PROBING, Phase.ANSWERING)
    }
    return replace(progress.with_clusters(asked), ending=ending, marks=(*progress.marks, *kept))


def interrupted(progress: Progress, now: float) -> Progress:
    """The rollout after this run was told to stop; ``resumed`` goes on from it."""
    return progress if progress.ending is not None else _ended(progress, now, Ending.INTERRUPTED)


def _done(progress: Progress, wave: Wave) -> bool:
    return all(one.phase in FINAL for one in _states(progress, wave.clusters))


def _reached(strategy: Strategy, progress: Progress) -> Wave:
    """The last wave of which anything was tried."""
    tried = [
        wave
        for wave in strategy.waves
        if any(one.begun or one.phase in FINAL for one in _states(progress, wave.clusters))
    ]
    return tried[-1] if tried else strategy.waves[0]


def _states(progress: Progress, refs: Iterable[ClusterRef]) -> list[ClusterProgress]:
    return [progress.clusters[ref] for ref in refs]


def _count(progress: Progress, refs: Iterable[ClusterRef], phases: Iterable[Phase]) -> int:
    among = frozenset(phases)
    return sum(progress.clusters[ref].phase in among for ref in refs)


def _wake(strategy: Strategy, progress: Progress, now: float) -> float | None:
    """The nearest time to come at which something changes by itself."""
    times = []
    for wave in strategy.waves:
        for one in _states(progress, wave.clusters):
            if one.phase is Phase.WORKING and strategy.progress_deadline is not None:
                times.append(one.since + strategy.progress_deadline)
            elif one.phase is Phase.SOAKING:
                times.append(one.since + wave.soak)
            elif one.phase is Phase.SILENT:
                times += [one.since + strategy.ask_again, (one.silent_since or 0.0) + strategy.unreachable.wait]
    return min((at for at in times if at > now), default=None)
