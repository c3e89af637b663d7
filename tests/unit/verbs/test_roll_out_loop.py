# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop around the machine, with threads and real time, and clusters that are functions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Unreachable
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    Ending,
    Phase,
    Progress,
    begun,
    progress_of,
    resumed,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs import roll_out as loop
from ansible_collections.emco.edge.plugins.module_utils._verbs.roll_out import (
    RolloutResult,
    Stopped,
    Surroundings,
    Tasks,
    roll_out,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.slots import Slots
from tests.unit.rollout.fleet import ref, refs, strategy


class Fleet:
    """Clusters that take ``seconds`` for anything; counts how many are worked on at once, and what was stored."""

    def __init__(self, seconds: float = 0.01, states: dict[ClusterRef, State] | None = None) -> None:
        self.seconds = seconds
        self.states = states or {}
        self.worked: list[ClusterRef] = []
        self.rolled_back: list[ClusterRef] = []
        self.most = 0
        self.stored: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.seen: list[Outcome] = []
        self.stopping = threading.Event()
        self._now = 0
        self._lock = threading.Lock()

    def work(self, one: ClusterRef, stopped: Stopped) -> Outcome:
        with self._lock:
            self.worked.append(one)
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self.seconds)
        with self._lock:
            self._now -= 1
        return Outcome(str(one), self.states.get(one, State.READY), "Because" if one in self.states else "")

    def roll_back(self, one: ClusterRef, stopped: Stopped) -> Outcome:
        self.rolled_back.append(one)
        return Outcome(str(one), State.READY)

    def run(self, of: Strategy, left: Progress | None = None, *, parallel: int = 10, **tasks: Any) -> RolloutResult:
        known = {"work": self.work, "roll_back": self.roll_back, **tasks}
        return roll_out(
            of,
            left or begun(of, time.time()),
            Tasks(**known),
            Surroundings(self.stored.append, self.stopping, self.said.append, self.seen.append),
            slots=Slots(parallel),
        )


def _states(result: RolloutResult) -> dict[str, str]:
    return {one.name: outcome.state.value for one, outcome in result.outcomes.items()}


def test_every_cluster_is_worked_on_once_and_told() -> None:
    fleet = Fleet()
    result = fleet.run(strategy(refs(1, 2), refs(3)))
    assert result.progress.ending is Ending.COMPLETE
    assert sorted(fleet.worked) == list(refs(1, 2, 3))
    assert fleet.worked[-1] == ref(3)
    assert _states(result) == {"c1": "Ready", "c2": "Ready", "c3": "Ready"}
    assert len(fleet.seen) == 3
    assert result.abandoned == ()


def test_no_more_clusters_are_worked_on_at_once_than_there_are_slots() -> None:
    fleet = Fleet(0.02)
    fleet.run(strategy(refs(*range(1, 25))), parallel=3)
    assert fleet.most == 3
    assert len(fleet.worked) == 24


def test_no_more_are_at_risk_at_once_than_the_strategy_allows() -> None:
    fleet = Fleet(0.02)
    fleet.run(strategy(refs(*range(1, 9)), max_concurrency=2), parallel=8)
    assert fleet.most == 2


def test_progress_is_stored_before_a_cluster_is_begun_and_once_a_tick() -> None:
    fleet = Fleet(0.05)
    early: list[ClusterRef] = []

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        if progress_of(fleet.stored[-1]).clusters[one].phase is not Phase.WORKING:
            early.append(one)
        return fleet.work(one, stopped)

    fleet.run(strategy(refs(*range(1, 41))), parallel=10, work=work)
    assert early == []
    assert len(fleet.stored) < 20
    assert progress_of(fleet.stored[-1]).ending is Ending.COMPLETE


def test_hanging_clusters_hold_no_slot() -> None:
    fleet = Fleet()

    def probe(one: ClusterRef) -> bool:
        if int(one.name[1:]) <= 6:
            time.sleep(0.6)
            return False
        return True

    began = time.monotonic()
    done: list[float] = []

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        done.append(time.monotonic() - began)
        return fleet.work(one, stopped)

    of = strategy(refs(*range(1, 13)), probes=True, unreachable=Unreachable("defer"))
    result = fleet.run(of, parallel=1, probe=probe, work=work)
    assert len(done) == 6
    assert max(done) < 0.55
    assert sorted(set(_states(result).values())) == ["Deferred", "Ready"]
    assert result.progress.ending is Ending.COMPLETE
    assert "catch_up" in result.outcomes[ref(1)].hint


def test_a_cluster_without_a_sign_of_life_is_unreachable_and_not_worked_on() -> None:
    fleet = Fleet()
    result = fleet.run(strategy(refs(1), probes=True), probe=lambda one: False)
    assert fleet.worked == []
    assert _states(result) == {"c1": "Unreachable"}
    assert result.progress.ending is Ending.STOPPED


def test_a_probe_that_breaks_leaves_it_to_the_work_to_say_what_is_wrong() -> None:
    def probe(one: ClusterRef) -> bool:
        raise EdgeError("BadConnection", "no such file")

    fleet = Fleet()
    fleet.run(strategy(refs(1), probes=True), probe=probe)
    assert fleet.worked == [ref(1)]


def test_a_failing_canary_takes_everything_back() -> None:
    fleet = Fleet(states={ref(2): State.FAILED})
    result = fleet.run(strategy(refs(1, 2), refs(3, 4), on_failure="rollback"))
    assert result.progress.ending is Ending.ROLLED_BACK
    assert sorted(fleet.rolled_back) == list(refs(1, 2))
    assert ref(3) not in fleet.worked
    assert result.outcomes[ref(1)].reason == "RolledBack"
    assert (result.outcomes[ref(3)].state, result.outcomes[ref(3)].reason) == (State.PENDING, "TooManyFailures")
    assert "w1: rolling back" in fleet.said


def test_what_nobody_turned_to_is_given_back_when_the_budget_is_spent() -> None:
    fleet = Fleet(0.05, states={ref(1): State.FAILED})
    result = fleet.run(strategy(refs(*range(1, 20))), parallel=2)
    assert result.progress.ending is Ending.STOPPED
    assert len(fleet.worked) <= 4
    assert {result.progress.clusters[one].started for one in refs(*range(8, 20))} == {None}


def test_a_mistake_of_ours_on_one_cluster_fails_that_cluster() -> None:
    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        if one == ref(1):
            raise KeyError("oops")
        return Outcome(str(one), State.READY)

    result = Fleet().run(strategy(refs(1, 2), max_failures=1), work=work)
    assert result.outcomes[ref(1)].reason == "UnexpectedError"
    assert result.outcomes[ref(2)].state is State.READY


def _patient(stopped: Stopped, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if stopped():
            return True
        time.sleep(0.01)
    return False


def test_a_run_that_is_to_stop_stops_soon_and_another_goes_on() -> None:
    fleet = Fleet()

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        if _patient(stopped):
            return Outcome(str(one), State.PENDING, "Stopped")
        return Outcome(str(one), State.READY)

    threading.Timer(0.3, fleet.stopping.set).start()
    of = strategy(refs(*range(1, 9)))
    began = time.monotonic()
    result = fleet.run(of, parallel=2, work=work)
    assert time.monotonic() - began < 3
    assert result.progress.ending is Ending.INTERRUPTED
    assert result.abandoned == ()
    assert {outcome.reason for outcome in result.outcomes.values()} == {"Stopped"}
    left = progress_of(fleet.stored[-1])
    assert sum(one.begun for one in left.clusters.values()) == 2
    again = Fleet()
    result = again.run(of, resumed(of, left, time.time()))
    assert result.progress.ending is Ending.COMPLETE
    assert len(again.worked) == 8


def test_a_cluster_that_does_not_stop_is_left_behind_within_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "GRACE", 0.3)
    fleet = Fleet()
    free = threading.Event()

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        free.wait(5)
        return Outcome(str(one), State.READY)

    threading.Timer(0.1, fleet.stopping.set).start()
    began = time.monotonic()
    result = fleet.run(strategy(refs(1)), work=work)
    free.set()
    assert time.monotonic() - began < 2
    assert result.abandoned == refs(1)
    assert result.progress.clusters[ref(1)].phase is Phase.WORKING


def test_a_cluster_over_its_deadline_is_given_up_and_told_to_stop() -> None:
    told: list[bool] = []

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        told.append(_patient(stopped))
        return Outcome(str(one), State.READY)

    result = Fleet().run(strategy(refs(1), progress_deadline=0.3), work=work)
    assert result.outcomes[ref(1)].reason == "ProgressDeadlineExceeded"
    assert told == [True]


def test_going_back_on_a_cluster_begins_when_what_was_given_up_there_has_ended() -> None:
    order: list[str] = []

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        time.sleep(0.5)
        order.append("work ended")
        return Outcome(str(one), State.READY)

    def back(one: ClusterRef, stopped: Stopped) -> Outcome:
        order.append("went back")
        return Outcome(str(one), State.READY)

    of = strategy(refs(1), progress_deadline=0.2, on_failure="rollback")
    result = Fleet().run(of, work=work, roll_back=back)
    assert order == ["work ended", "went back"]
    assert result.progress.ending is Ending.ROLLED_BACK


def test_a_soak_ends_with_another_look() -> None:
    looks: list[float] = []

    def prove(one: ClusterRef, stopped: Stopped) -> Outcome:
        looks.append(time.monotonic())
        return Outcome(str(one), State.FAILED, "CrashLoop")

    of = strategy(refs(1), proves=True)
    of = Strategy(
        tuple(type(wave)(**{**wave.__dict__, "soak": 0.4}) for wave in of.waves), 1, probes=False, proves=True
    )
    began = time.monotonic()
    result = Fleet().run(of, prove=prove)
    assert looks[0] - began >= 0.4
    assert result.outcomes[ref(1)].reason == "CrashLoop"


@pytest.mark.parametrize(("proof", "told"), [(State.READY, "worked"), (State.FAILED, "proven")])
def test_what_was_done_is_told_unless_the_look_after_the_soak_finds_a_failure(proof: State, told: str) -> None:
    of = strategy(refs(1))
    of = Strategy(tuple(replace(wave, soak=0.1) for wave in of.waves), 1, probes=False, proves=True)
    result = Fleet().run(
        of,
        work=lambda one, stopped: Outcome(str(one), State.READY, message="worked"),
        prove=lambda one, stopped: Outcome(str(one), proof, message="proven"),
    )
    assert result.outcomes[ref(1)].message == told


def test_a_cluster_that_waits_for_another_lends_its_slot() -> None:
    slots = Slots(1)
    there = threading.Event()

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        if one == ref(1):
            with slots.handed_over():
                assert there.wait(5)
        there.set()
        return Outcome(str(one), State.READY)

    of = strategy(refs(1, 2), progress_deadline=4.0)
    result = roll_out(
        of,
        begun(of, time.time()),
        Tasks(work),
        Surroundings(lambda _: None, threading.Event()),
        slots=slots,
    )
    assert _states(result) == {"c1": "Ready", "c2": "Ready"}
    assert slots.lent == 0


def test_a_store_that_breaks_ends_the_run_and_is_told() -> None:
    calls: list[int] = []

    def persist(document: dict[str, Any]) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise EdgeError("LeaseLost", "somebody else goes on")

    def work(one: ClusterRef, stopped: Stopped) -> Outcome:
        return Outcome(str(one), State.READY)

    of = strategy(refs(1, 2), max_concurrency=1)
    with pytest.raises(EdgeError, match="somebody else"):
        roll_out(of, begun(of, time.time()), Tasks(work), Surroundings(persist, threading.Event()), slots=Slots(2))
    assert len(calls) == 2


def test_there_is_a_line_when_nothing_else_was_said_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "QUIET", 0.3)
    fleet = Fleet(1.0)
    fleet.run(strategy(refs(1, 2), refs(3)))
    assert "wave 1 of 2 (w1): 0 of 2 ready, 2 working" in fleet.said


def test_a_fleet_that_only_waits_for_its_turn_does_not_store_signs_of_life() -> None:
    fleet = Fleet(0.05)
    fleet.run(strategy(refs(*range(1, 9)), max_concurrency=1, probes=True), probe=lambda one: True)
    # Begin, and end which is the begin of the next: one write each, whatever was asked in between.
    assert len(fleet.stored) <= 2 + 8 + 1


@pytest.mark.parametrize(("waits", "state"), [(True, Ending.STOPPED), (False, Ending.COMPLETE)])
def test_progressing_is_enough_only_where_nobody_waits(waits: bool, state: Ending) -> None:
    of = strategy(refs(1))
    work: Callable[..., Outcome] = lambda one, stopped: Outcome(str(one), State.PROGRESSING)  # noqa: E731
    result = roll_out(
        of,
        begun(of, time.time()),
        Tasks(work),
        Surroundings(lambda _: None, threading.Event()),
        slots=Slots(1),
        waits=waits,
    )
    assert result.progress.ending is state


def test_slots_refuse_to_be_none() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Slots(0)


def test_one_wave_that_tries_everything_is_told_by_its_clusters_alone() -> None:
    fleet = Fleet(states={ref(1): State.FAILED})
    fleet.run(strategy(refs(1, 2), on_failure="continue"))
    assert fleet.said == []
    assert len(fleet.seen) == 2
    fleet.run(strategy(refs(1, 2), on_failure="stop"))
    assert any("TooManyFailures" in line for line in fleet.said)
