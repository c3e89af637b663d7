# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the loop that drives the machine of a rollout: it asks what is next, stores it, and does it.

Every cluster that is begun has a thread of its own, which waits for one of the working slots. Signs of life are asked
for outside the slots, so that clusters that hang cost the others nothing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._rollout.machine import Steps, advance, interrupted
from ansible_collections.emco.edge.plugins.module_utils._rollout.news import Happened, News, noted
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    Phase,
    Progress,
    progress_document,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy
from ansible_collections.emco.edge.plugins.module_utils._rollout.timeline import counters
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs.rollout_outcomes import outcome_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.slots import Slots

Stopped = Callable[[], bool]
Work = Callable[[ClusterRef, Stopped], Outcome]
Kind = Literal["work", "prove", "roll_back"]

QUIET = 5.0
"""Seconds after which a line of counters is due when nothing else was said."""
GRACE = 4.5
"""Seconds that clusters being worked on have to come to a stop."""
STOPPED = "Stopped"
"""The reason of an outcome that came early because the run was to stop."""
_LOOK = 0.25
_TICK = 0.1
_LONGEST_TICK = 5.0
_ASKED = frozenset({Phase.WAITING, Phase.PROBING, Phase.ANSWERING})
_VERDICTS = {
    State.READY: Happened.READY,
    State.REMOVED: Happened.READY,
    State.PENDING: Happened.PENDING,
    State.DEFERRED: Happened.SILENT,
    State.UNREACHABLE: Happened.SILENT,
    State.FAILED: Happened.FAILED,
}


@dataclass(frozen=True)
class Tasks:
    """What can be done to a cluster; all are called in threads.

    ``work`` brings the new revision, ``roll_back`` the old one, ``prove`` looks once more after the soak: each is given
    a function that turns true when the cluster is given up or the run ends, and never raises EdgeError. ``probe`` says
    within a few seconds whether the cluster answers.
    """

    work: Work
    probe: Callable[[ClusterRef], bool] | None = None
    prove: Work | None = None
    roll_back: Work | None = None


@dataclass(frozen=True)
class Surroundings:
    """What the loop needs of the world. ``persist`` is given JSON data before anything that it names is begun.

    ``said`` takes lines for people, ``seen`` every cluster as it finishes; both are called in the calling thread.
    """

    persist: Callable[[dict[str, Any]], None]
    stopping: threading.Event
    said: Callable[[str], None] = lambda _: None
    seen: Callable[[Outcome], None] = lambda _: None
    clock: Callable[[], float] = time.time


@dataclass(frozen=True)
class RolloutResult:
    """``outcomes``: one for every cluster of the strategy. ``abandoned``: still busy when the run had to end."""

    progress: Progress
    outcomes: Mapping[ClusterRef, Outcome]
    abandoned: tuple[ClusterRef, ...] = ()


def roll_out(
    strategy: Strategy,
    progress: Progress,
    tasks: Tasks,
    around: Surroundings,
    *,
    slots: Slots,
    waits: bool = True,
    asking: int = 64,
) -> RolloutResult:
    """Drive a rollout to its end, or until ``around.stopping``; returns within 5 s of that.

    ``waits``: the work waits for readiness, so a cluster that is still progressing after it has failed to get ready.
    What ``around.persist`` raises ends the run once everything that goes on has stopped, and is then raised.
    """
    return _Run(strategy, progress, tasks, around, slots, waits, asking).driven()


@dataclass(eq=False)
class _Job:
    """One thing that is done to one cluster. ``given_up``: nobody waits for it any more."""

    kind: Kind
    ref: ClusterRef
    given_up: bool = False
    turned_to: bool = False
    thread: threading.Thread | None = None


@dataclass(frozen=True)
class _Arrival:
    """What a thread says at its end; without ``outcome`` nothing was done."""

    news: News
    job: _Job | None = None
    outcome: Outcome | None = None


class _Run:
    def __init__(
        self,
        strategy: Strategy,
        progress: Progress,
        tasks: Tasks,
        around: Surroundings,
        slots: Slots,
        waits: bool,
        asking: int,
    ) -> None:
        self._strategy = strategy
        self._progress = progress
        self._stored: Progress | None = None
        self._tasks = tasks
        self._around = around
        self._slots = slots
        self._waits = waits
        self._asking = asking
        # With a deadline a cluster is begun only when a slot is free, so that its time is not spent in a queue.
        self._ahead = 0 if strategy.progress_deadline is not None else (slots.parallel + 1) // 2
        self._arrived: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        self._jobs: dict[ClusterRef, _Job] = {}
        self._threads: set[_Job] = set()
        self._turning = threading.Lock()
        self._outcomes: dict[ClusterRef, Outcome] = {}
        self._over = False
        self._spoke = around.clock()
        self._marks = len(progress.marks)
        self._tick = _TICK
        self._stored_at = 0.0

    def driven(self) -> RolloutResult:
        try:
            self._go()
        finally:
            self._wind_down()
        if self._progress.ending is None:
            self._progress = interrupted(self._progress, self._around.clock())
        self._store()
        self._speak()
        return RolloutResult(
            self._progress,
            {ref: outcome_of(ref, self._progress, self._outcomes.get(ref)) for ref in self._strategy.clusters},
            tuple(sorted(job.ref for job in self._threads if job.turned_to)),
        )

    def _go(self) -> None:
        while not self._around.stopping.is_set():
            began, room = time.monotonic(), self._room()
            steps = advance(self._strategy, self._progress, self._around.clock(), room=room, asking=self._asking)
            self._progress = steps.progress
            self._store()
            # Deciding and storing take a tenth of the time, however many clusters there are and however slow the store.
            self._tick = max(_TICK, 10 * (time.monotonic() - began))
            self._do(steps)
            self._speak()
            if self._progress.ending is not None:
                return
            self._wait(steps.wake, room - len(steps.start) - len(steps.roll_back) - len(steps.prove))

    # what is to be done

    def _room(self) -> int:
        begun = sum(1 for job in self._threads if not job.given_up)
        return max(0, self._slots.parallel + self._ahead - (begun - self._slots.lent))

    def _do(self, steps: Steps) -> None:
        self._note([News(ref, Happened.WITHDRAWN) for ref in steps.withdraw if self._withdrawn(ref)])
        for ref in steps.probe:
            threading.Thread(target=self._ask, args=(ref,), name=f"probe {ref}", daemon=True).start()
        for ref in steps.start:
            self._begin("work", ref)
        for ref in steps.prove:
            self._begin("prove", ref)
        for ref in steps.roll_back:
            self._begin("roll_back", ref)

    def _begin(self, kind: Kind, ref: ClusterRef) -> None:
        former = self._jobs.get(ref)
        if former is not None:
            former.given_up = True
        job = self._jobs[ref] = _Job(kind, ref)
        self._threads.add(job)
        job.thread = threading.Thread(target=self._work_on, args=(job, former), name=str(ref), daemon=True)
        job.thread.start()

    def _withdrawn(self, ref: ClusterRef) -> bool:
        """Take back what nobody has turned to yet; whether that was so."""
        job = self._jobs.get(ref)
        with self._turning:
            if job is None or job.turned_to:
                return False
            job.given_up = True
        del self._jobs[ref]
        return True

    # in threads

    def _ask(self, ref: ClusterRef) -> None:
        try:
            answers = self._tasks.probe is None or self._tasks.probe(ref)
        except Exception:
            # Whatever is wrong there is found, and told better, by the work itself.
            answers = True
        self._arrived.put(_Arrival(News(ref, Happened.ANSWERED if answers else Happened.SILENT)))

    def _work_on(self, job: _Job, former: _Job | None) -> None:
        if former is not None and former.thread is not None:
            # What was given up there may still end its last request; two at once on one cluster would be too many.
            former.thread.join()
        outcome = None
        with self._slots.taken():
            with self._turning:
                job.turned_to = not job.given_up and not self._stops()
            if job.turned_to:
                outcome = self._worked(job)
        news = News(job.ref, Happened.WITHDRAWN)
        if outcome is not None:
            news = News(job.ref, self._verdict(outcome), outcome.reason)
        self._arrived.put(_Arrival(news, job, outcome))

    def _worked(self, job: _Job) -> Outcome:
        task = {"work": self._tasks.work, "prove": self._tasks.prove, "roll_back": self._tasks.roll_back}[job.kind]
        try:
            if task is None:
                raise RuntimeError(f"nobody can {job.kind}")
            return task(job.ref, lambda: job.given_up or self._stops())
        except Exception as error:
            # A mistake of ours on one cluster must not take the others with it.
            return Outcome(str(job.ref), State.FAILED, "UnexpectedError", f"{type(error).__name__}: {error}")

    def _stops(self) -> bool:
        return self._over or self._around.stopping.is_set()

    def _verdict(self, outcome: Outcome) -> Happened:
        if outcome.state is State.PROGRESSING:
            return Happened.FAILED if self._waits else Happened.READY
        return _VERDICTS[outcome.state]

    # what happened

    def _wait(self, wake: float | None, room: int) -> None:
        """Until something happened, or it is time; then for the rest of the tick, so that much is stored at once.

        There is more than ``room`` without any news when a cluster lends its slot.
        """
        news: list[News] = []
        while not news and not self._around.stopping.is_set() and self._room() <= max(0, room):
            due = _LOOK if wake is None else wake - self._around.clock()
            news = self._drained(max(0.0, min(_LOOK, due)))
            self._speak()
            if due <= 0:
                break
        end = min(self._stored_at + self._tick, self._around.clock() + _LONGEST_TICK)
        while news and self._threads and not self._around.stopping.is_set():
            rest = end - self._around.clock()
            if rest <= 0:
                break
            news += self._drained(min(rest, _LOOK))
        self._note(news)

    def _drained(self, seconds: float) -> list[News]:
        found = []
        try:
            arrival = self._arrived.get(timeout=seconds) if seconds > 0 else self._arrived.get_nowait()
            while True:
                found += self._received(arrival)
                arrival = self._arrived.get_nowait()
        except queue.Empty:
            return found

    def _received(self, arrival: _Arrival) -> list[News]:
        job, outcome = arrival.job, arrival.outcome
        if job is not None:
            self._threads.discard(job)
            if self._jobs.get(job.ref) is not job:
                return []
        if job is not None and outcome is not None:
            # A look that finds everything as it was says less than the work that it looks at.
            if job.kind != "prove" or arrival.news.what is not Happened.READY or job.ref not in self._outcomes:
                self._outcomes[job.ref] = outcome
                self._spoke = self._around.clock()
                self._around.seen(outcome)
            if outcome.reason == STOPPED:
                # Begun and not done: so it stays, and the next run goes on there.
                return []
        return [arrival.news]

    def _note(self, news: list[News]) -> None:
        if news:
            self._progress = noted(self._strategy, self._progress, news, self._around.clock())

    def _store(self) -> None:
        if self._stored is not None and not _worth_storing(self._stored, self._progress):
            return
        self._around.persist(progress_document(self._progress))
        self._stored_at = self._around.clock()
        self._stored = self._progress

    def _wind_down(self) -> None:
        """Give back what was not turned to, let the rest stop, and take in what comes of it."""
        self._over = True
        waiting = [job.ref for job in self._threads]
        self._note([News(ref, Happened.WITHDRAWN) for ref in waiting if self._withdrawn(ref)])
        deadline = time.monotonic() + GRACE
        while any(job.turned_to for job in self._threads) and time.monotonic() < deadline:
            self._note(self._drained(_LOOK))

    # what people see

    def _speak(self) -> None:
        # One wave in which everything is tried has no story beside what is said of each cluster.
        told = len(self._strategy.waves) > 1 or self._strategy.on_failure != "continue"
        for mark in self._progress.marks[self._marks :] if told else ():
            self._say(": ".join(part for part in (mark.wave, mark.what, mark.words) if part))
        self._marks = len(self._progress.marks)
        if self._progress.ending is None and self._around.clock() - self._spoke >= QUIET:
            self._say(counters(self._strategy, self._progress))

    def _say(self, text: str) -> None:
        self._spoke = self._around.clock()
        self._around.said(text)


def _worth_storing(stored: Progress, now: Progress) -> bool:
    """Whether more has changed than who was asked for a sign of life."""
    if (stored.ending, stored.breach, stored.marks, stored.released) != (
        now.ending,
        now.breach,
        now.marks,
        now.released,
    ):
        return True
    return any(
        one is not (before := stored.clusters.get(ref))
        and not (
            before is not None
            and one.phase in _ASKED
            and before.phase in _ASKED
            and (one.started, one.silent_since) == (before.started, before.silent_since)
        )
        for ref, one in now.clusters.items()
    )
