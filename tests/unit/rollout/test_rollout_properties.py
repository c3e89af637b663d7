# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds in every rollout, however clusters behave and whenever a run dies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Unreachable
from ansible_collections.emco.edge.plugins.module_utils._rollout.machine import Steps
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    BACK,
    FAILURES,
    FINAL,
    ClusterProgress,
    Ending,
    Phase,
    Progress,
    progress_document,
    progress_of,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave
from tests.unit.rollout.fleet import ref
from tests.unit.rollout.simulation import Behaviour, Simulation

_THOROUGH = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_behaviours = st.builds(
    Behaviour,
    work=st.sampled_from(["ready", "ready", "ready", "failed", "pending", "silent"]),
    takes=st.sampled_from([0.5, 1.0, 4.0, 30.0]),
    silent_until=st.sampled_from([0.0, 0.0, 0.0, 1010.0, 10000.0]),
    proof=st.sampled_from(["ready", "ready", "failed"]),
    back=st.sampled_from(["ready", "ready", "failed"]),
)
_rules = st.sampled_from([Unreachable("fail"), Unreachable("defer"), Unreachable("wait", 20.0, "defer")])


@st.composite
def _strategies(draw: Any) -> Strategy:
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    waves, first = [], 1
    for number, size in enumerate(sizes, 1):
        waves.append(
            Wave(
                f"w{number}",
                tuple(ref(at) for at in range(first, first + size)),
                max_concurrency=draw(st.sampled_from([None, None, 1, 2])),
                max_failures=draw(st.sampled_from([None, None, 0, 1])),
                soak=draw(st.sampled_from([0.0, 0.0, 5.0])),
                gate=draw(st.sampled_from([None, None, "ready", "failed < `1`"])),
            )
        )
        first += size
    on_failure = draw(st.sampled_from(["stop", "continue", "rollback"]))
    return Strategy(
        tuple(waves),
        max_concurrency=draw(st.integers(1, 6)),
        max_failures=draw(st.integers(0, 3)),
        max_deferred=draw(st.sampled_from([None, None, 0, 2])),
        progress_deadline=draw(st.sampled_from([None, 10.0])),
        on_failure=on_failure,
        rollback_scope=draw(st.sampled_from(["all", "wave"])),
        unreachable=draw(_rules),
        proves=draw(st.booleans()),
        probes=draw(st.booleans()),
    )


@st.composite
def _simulations(draw: Any, *, crashing: bool) -> Simulation:
    strategy = draw(_strategies())
    behaviour = {one: draw(_behaviours) for one in strategy.clusters}
    crashes = draw(st.frozensets(st.integers(1, 30), max_size=6)) if crashing else frozenset()
    return Simulation(strategy, behaviour, room=draw(st.integers(1, 5)), crashes=crashes)


class Watcher:
    """Looks at every persisted tick."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.ready_at: dict[ClusterRef, float] = {}
        self.before: Progress | None = None

    def __call__(self, now: float, steps: Steps) -> None:
        states = steps.progress.clusters
        self._concurrency(states)
        self._budgets(steps)
        self._order(steps)
        self._to_the_tick(now, steps)
        self.before = steps.progress

    def _concurrency(self, states: Any) -> None:
        assert sum(one.at_risk for one in states.values()) <= self.strategy.max_concurrency
        for wave in self.strategy.waves:
            if wave.max_concurrency is not None and not self._back(states):
                assert sum(states[one].at_risk for one in wave.clusters) <= wave.max_concurrency

    @staticmethod
    def _back(states: Any) -> bool:
        return any(one.phase in BACK for one in states.values())

    def _budgets(self, steps: Steps) -> None:
        states = steps.progress.clusters
        fresh = [one for one in steps.start if states[one].started == states[one].since]
        failed = sum(one.phase in FAILURES for one in states.values())
        deferred = sum(one.phase is Phase.DEFERRED for one in states.values())
        over = failed > self.strategy.max_failures or (
            self.strategy.max_deferred is not None and deferred > self.strategy.max_deferred
        )
        over = over or any(
            wave.max_failures is not None
            and sum(states[one].phase in FAILURES for one in wave.clusters) > wave.max_failures
            for wave in self.strategy.waves
        )
        if over:
            assert steps.progress.breach
            assert not fresh or self.strategy.on_failure == "continue"
        if self.strategy.on_failure == "rollback" and steps.progress.breach:
            assert not steps.start

    def _order(self, steps: Steps) -> None:
        states = steps.progress.clusters
        for number, wave in enumerate(self.strategy.waves):
            if any(one in wave.clusters for one in steps.start):
                for former in self.strategy.waves[:number]:
                    assert all(states[one].phase in FINAL for one in former.clusters)

    def _to_the_tick(self, now: float, steps: Steps) -> None:
        soaks = {one: wave.soak for wave in self.strategy.waves for one in wave.clusters}
        for one, state in steps.progress.clusters.items():
            before = self.before.clusters[one] if self.before else ClusterProgress()
            if before.phase is Phase.SOAKING and state.phase in (Phase.SUCCEEDED, Phase.PROVING):
                assert now == max(before.since + soaks[one], now if before.since == 0.0 else 0.0)
            if state.phase is Phase.TIMED_OUT and before.phase is Phase.WORKING:
                assert now == before.since + (self.strategy.progress_deadline or 0.0)
            if state.phase is Phase.WORKING and self.strategy.progress_deadline is not None:
                assert now < state.since + self.strategy.progress_deadline
            if state.phase is Phase.SOAKING and state.since and not steps.progress.breach:
                assert now < state.since + soaks[one]


@given(_simulations(crashing=False))
@_THOROUGH
def test_every_rollout_keeps_its_limits_and_ends(simulation: Simulation) -> None:
    simulation.watch = Watcher(simulation.strategy)
    end = simulation.run()
    assert all(times == 1 for one, times in simulation.begins.items() if end.clusters[one].silent_since is None)
    _ends_as_it_says(simulation.strategy, end)


@given(_simulations(crashing=True))
@_THOROUGH
def test_every_rollout_keeps_its_limits_also_when_its_runs_die(simulation: Simulation) -> None:
    watcher = Watcher(simulation.strategy)

    def watch(now: float, steps: Steps) -> None:
        if simulation.ticks - 1 in simulation.crashes:
            watcher.before = None
        watcher(now, steps)

    simulation.watch = watch
    _ends_as_it_says(simulation.strategy, simulation.run())


def _ends_as_it_says(strategy: Strategy, end: Progress) -> None:
    phases = {one: end.clusters[one].phase for one in strategy.clusters}
    if end.ending is Ending.COMPLETE:
        assert not end.breach
        assert set(phases.values()) <= FINAL
    if end.ending is Ending.FAILED and strategy.on_failure == "continue":
        assert end.breach
        assert set(phases.values()) <= FINAL
    if end.ending is Ending.ROLLED_BACK:
        assert all(
            not state.begun or state.phase in (Phase.BACKED_OUT, Phase.DEFERRED) for state in end.clusters.values()
        )
    if end.breach and strategy.on_failure == "rollback":
        assert end.ending in (Ending.ROLLED_BACK, Ending.FAILED, Ending.STOPPED)
        assert end.ending is not Ending.STOPPED or strategy.rollback_scope == "wave"
    if end.breach and strategy.on_failure == "stop":
        assert end.ending is Ending.STOPPED
        assert Phase.WORKING not in phases.values()


@given(_simulations(crashing=True))
@_THOROUGH
def test_a_rollout_whose_runs_die_ends_as_one_that_lives(simulation: Simulation) -> None:
    """One cluster after the other, so that what fails first does not depend on how long anything takes."""
    strategy = replace(simulation.strategy, max_concurrency=1)
    # How long it takes until a cluster counts as silent decides what else has failed by then.
    behaviour = {one: replace(how, silent_until=0.0) for one, how in simulation.behaviour.items()}
    lives = Simulation(strategy, behaviour).run()
    dies = Simulation(strategy, behaviour, crashes=simulation.crashes).run()
    assert dies.ending == lives.ending
    assert dies.breach == lives.breach
    assert {one: state.phase for one, state in dies.clusters.items()} == {
        one: state.phase for one, state in lives.clusters.items()
    }


@given(_simulations(crashing=True))
@_THOROUGH
def test_without_failures_every_cluster_ends_ready_whatever_happens_to_the_runs(simulation: Simulation) -> None:
    simulation.behaviour = {one: Behaviour(takes=how.takes / 10) for one, how in simulation.behaviour.items()}
    end = simulation.run()
    assert end.ending is Ending.COMPLETE
    assert {state.phase for state in end.clusters.values()} == {Phase.SUCCEEDED}


@given(_simulations(crashing=True))
@_THOROUGH
def test_what_is_stored_is_what_was_known(simulation: Simulation) -> None:
    simulation.watch = lambda now, steps: _same(steps.progress, progress_of(progress_document(steps.progress)))
    simulation.run()


def _same(one: Progress, other: Progress) -> None:
    assert one == other
