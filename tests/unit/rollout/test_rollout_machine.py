# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Unreachable
from ansible_collections.emco.edge.plugins.module_utils._rollout.machine import Steps, advance, interrupted
from ansible_collections.emco.edge.plugins.module_utils._rollout.news import Happened, News, noted
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    ClusterProgress,
    Ending,
    Mark,
    Phase,
    Progress,
    begun,
    progress_document,
    progress_of,
    put_off,
    resumed,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave
from ansible_collections.emco.edge.plugins.module_utils._rollout.timeline import counters, timeline
from tests.unit.rollout.fleet import progress, ref, refs, strategy
from tests.unit.rollout.simulation import Behaviour, Simulation

READY, WORKING, WAITING, FAILED = Phase.SUCCEEDED, Phase.WORKING, Phase.WAITING, Phase.FAILED
DEFERRED, SOAKING, SILENT = Phase.DEFERRED, Phase.SOAKING, Phase.SILENT


def _next(of: Strategy, now: float = 0.0, room: int = 100, asking: int = 64, **states: tuple[Phase, float]) -> Steps:
    return advance(of, progress(of, **states), now, room=room, asking=asking)


def _phases(found: Progress) -> dict[str, str]:
    return {one.name: state.phase.value for one, state in found.clusters.items()}


# Beginning


def test_what_is_begun_is_written_down_with_the_time() -> None:
    steps = _next(strategy(refs(1)), now=7.0)
    assert steps.progress.clusters[ref(1)] == ClusterProgress(WORKING, 7.0, 7.0)


def test_no_more_is_begun_than_there_is_room_for() -> None:
    assert _next(strategy(refs(1, 2, 3)), room=2).start == refs(1, 2)
    assert _next(strategy(refs(1, 2, 3)), room=0).start == ()


def test_the_next_wave_waits_until_the_last_cluster_of_this_one_is_done() -> None:
    of = strategy(refs(1, 2), refs(3))
    assert _next(of, c1=(READY, 0), c2=(WORKING, 0)).start == ()
    assert _next(of, c1=(READY, 0), c2=(READY, 0)).start == refs(3)


@pytest.mark.parametrize("phase", [SOAKING, WORKING, Phase.PROVING])
def test_what_is_not_proven_keeps_its_place(phase: Phase) -> None:
    of = strategy(Wave("w", refs(1, 2, 3), soak=60.0), max_concurrency=2)
    assert _next(of, c1=(phase, -1)).start == refs(2)


def test_a_wave_may_be_narrower_than_the_rollout() -> None:
    of = strategy(Wave("w", refs(1, 2, 3), max_concurrency=2))
    assert _next(of).start == refs(1, 2)
    assert _next(of, c1=(WORKING, 0)).start == refs(2)


def test_places_are_counted_over_all_waves() -> None:
    of = strategy(refs(1, 2), refs(3), max_concurrency=2)
    assert _next(of, c3=(WORKING, 0)).start == refs(1)


def test_an_ended_rollout_does_nothing_more() -> None:
    of = strategy(refs(1))
    ended = replace(progress(of), ending=Ending.STOPPED)
    assert advance(of, ended, 0.0, room=9) == Steps(ended)


def test_a_rollout_without_clusters_is_complete() -> None:
    assert advance(Strategy((), 1), Progress(), 0.0, room=1).progress.ending is Ending.COMPLETE


# Signs of life


def _probing(**more: Any) -> Strategy:
    return strategy(refs(1, 2, 3), probes=True, **more)


def test_a_cluster_is_asked_before_it_is_begun() -> None:
    steps = _next(_probing())
    assert (steps.probe, steps.start) == (refs(1, 2, 3), ())
    assert set(_phases(steps.progress).values()) == {"Probing"}


def test_no_more_are_asked_than_may_be_ahead_of_their_turn() -> None:
    assert _next(_probing(), asking=2).probe == refs(1, 2)
    assert _next(_probing(), asking=2, room=0, c1=(Phase.ANSWERING, 0), c2=(Phase.PROBING, 0)).probe == ()


def test_one_that_answered_is_begun() -> None:
    before = Progress({**progress(_probing()).clusters, ref(2): ClusterProgress(Phase.ANSWERING, 0.0)})
    assert advance(_probing(), before, 1.0, room=9).start == refs(2)


@pytest.mark.parametrize(("age", "start", "probe"), [(59.9, refs(1), ()), (60.0, (), refs(1))])
def test_a_sign_of_life_holds_for_a_minute(age: float, start: Any, probe: Any) -> None:
    of = strategy(refs(1), probes=True)
    steps = advance(of, Progress({ref(1): ClusterProgress(Phase.ANSWERING, 0.0)}), age, room=9)
    assert (steps.start, steps.probe) == (start, probe)


def test_clusters_of_later_waves_are_not_asked() -> None:
    assert _next(strategy(refs(1), refs(2), probes=True)).probe == refs(1)


@pytest.mark.parametrize(
    ("rule", "phase"),
    [
        (Unreachable("fail"), FAILED),
        (Unreachable("defer"), DEFERRED),
        (Unreachable("wait", 60.0), SILENT),
        (Unreachable("wait", 60.0, "defer"), SILENT),
    ],
)
@pytest.mark.parametrize("before", [Phase.PROBING, WORKING, Phase.PROVING])
def test_silence_is_what_the_rule_says(rule: Unreachable, phase: Phase, before: Phase) -> None:
    of = strategy(refs(1), unreachable=rule)
    found = noted(of, progress(of, c1=(before, 0)), [News(ref(1), Happened.SILENT)], 5.0).clusters[ref(1)]
    assert (found.phase, found.since, found.silent_since, found.reason) == (phase, 5.0, 5.0, "ClusterUnreachable")


@pytest.mark.parametrize(("then", "phase"), [("fail", FAILED), ("defer", DEFERRED)])
def test_patience_with_the_silent_ends_to_the_tick(then: Any, phase: Phase) -> None:
    of = strategy(refs(1), unreachable=Unreachable("wait", 60.0, then))
    silent = Progress({ref(1): ClusterProgress(SILENT, 35.0, None, 5.0, "ClusterUnreachable")})
    assert advance(of, silent, 64.9, room=9).progress.clusters[ref(1)].phase is not phase
    assert advance(of, silent, 65.0, room=9).progress.clusters[ref(1)].phase is phase
    assert advance(of, silent, 36.0, room=9).wake == 45.0


def test_the_silent_are_asked_again_after_a_while_and_after_the_others() -> None:
    of = strategy(refs(1, 2), probes=True, unreachable=Unreachable("wait", 600.0))
    states = {ref(1): ClusterProgress(SILENT, 0.0, None, 0.0), ref(2): ClusterProgress()}
    assert advance(of, Progress(states), 9.9, room=9).probe == refs(2)
    assert advance(of, Progress(states), 10.0, room=9).probe == refs(2, 1)
    assert advance(of, Progress(states), 10.0, room=9, asking=1).probe == refs(2)


def test_the_silent_do_not_keep_the_others_of_their_wave() -> None:
    of = strategy(refs(1, 2), unreachable=Unreachable("wait", 600.0))
    states = {ref(1): ClusterProgress(SILENT, 0.0, None, 0.0), ref(2): ClusterProgress()}
    assert advance(of, Progress(states), 1.0, room=9).start == refs(2)


def test_one_that_fell_silent_in_the_midst_keeps_its_place() -> None:
    of = strategy(refs(1, 2), max_concurrency=1, unreachable=Unreachable("wait", 600.0))
    states = {ref(1): ClusterProgress(SILENT, 0.0, 0.0, 0.0), ref(2): ClusterProgress()}
    assert advance(of, Progress(states), 1.0, room=9).start == ()


def test_one_that_answers_and_drops_the_work_again_and_again_ends() -> None:
    of = strategy(refs(1), probes=True, unreachable=Unreachable("wait", 60.0))
    end = Simulation(of, {ref(1): Behaviour(work="silent")}).run()
    assert end.clusters[ref(1)].phase is FAILED


def test_success_ends_the_silence() -> None:
    of = strategy(refs(1))
    before = Progress({ref(1): ClusterProgress(WORKING, 9.0, 9.0, 3.0)})
    assert noted(of, before, [News(ref(1), Happened.READY)], 10.0).clusters[ref(1)] == ClusterProgress(READY, 10.0, 9.0)


# Soak, deadline, proof


def test_a_soak_begins_when_a_cluster_is_ready() -> None:
    of = strategy(Wave("w", refs(1), soak=60.0))
    after = noted(of, progress(of, c1=(WORKING, 0)), [News(ref(1), Happened.READY)], 10.0)
    assert after.clusters[ref(1)].phase is SOAKING
    assert advance(of, after, 69.9, room=9).progress.clusters[ref(1)].phase is SOAKING
    assert advance(of, after, 69.9, room=9).wake == 70.0
    assert advance(of, after, 70.0, room=9).progress.ending is Ending.COMPLETE


def test_after_its_soak_a_cluster_is_looked_at_once_more() -> None:
    of = strategy(Wave("w", refs(1), soak=60.0), proves=True)
    steps = _next(of, now=60.0, c1=(SOAKING, 0))
    assert steps.prove == refs(1)
    assert steps.progress.clusters[ref(1)].phase is Phase.PROVING
    bad = noted(of, steps.progress, [News(ref(1), Happened.FAILED, "CrashLoop")], 61.0)
    assert (bad.clusters[ref(1)].phase, bad.clusters[ref(1)].reason) == (FAILED, "CrashLoop")


def test_a_deadline_counts_from_the_begin_of_the_work() -> None:
    of = strategy(refs(1), progress_deadline=90.0)
    assert _next(of, now=89.9, c1=(WORKING, 0)).progress.clusters[ref(1)].phase is WORKING
    late = _next(of, now=90.0, c1=(WORKING, 0)).progress.clusters[ref(1)]
    assert (late.phase, late.reason) == (Phase.TIMED_OUT, "ProgressDeadlineExceeded")
    assert _next(of, now=1.0, c1=(WORKING, 0)).wake == 90.0


def test_what_comes_too_late_changes_nothing() -> None:
    of = strategy(refs(1))
    before = progress(of, c1=(Phase.TIMED_OUT, 0))
    assert noted(of, before, [News(ref(1), Happened.READY)], 1.0) == before


def test_news_of_a_cluster_of_another_run_changes_nothing() -> None:
    of = strategy(refs(1))
    before = Progress({**progress(of).clusters, ref(9): ClusterProgress(WORKING)})
    assert noted(of, before, [News(ref(9), Happened.READY), News(ref(8), Happened.READY)], 1.0) == before


# Budgets


def test_a_budget_that_is_used_up_holds_and_one_more_breaks_it() -> None:
    of = strategy(refs(1, 2, 3, 4), max_failures=1)
    assert _next(of, c1=(FAILED, 0)).start == refs(2, 3, 4)
    steps = _next(of, c1=(FAILED, 0), c2=(Phase.TIMED_OUT, 0))
    assert (steps.start, steps.progress.breach) == ((), "TooManyFailures")
    assert steps.progress.marks[0] == Mark(0.0, "TooManyFailures", "w1", "2 failed, 1 may")


def test_a_wave_may_have_a_budget_of_its_own() -> None:
    of = strategy(Wave("canary", refs(1, 2), max_failures=0), refs(3), max_failures=5)
    steps = _next(of, c1=(FAILED, 0))
    assert (steps.start, steps.progress.breach) == ((), "TooManyFailures")
    assert steps.progress.marks[0] == Mark(0.0, "TooManyFailures", "canary", "1 failed, 0 of the wave may")
    assert _next(of, c1=(READY, 0), c2=(READY, 0), c3=(FAILED, 0)).progress.ending is Ending.COMPLETE


def test_the_deferred_have_a_budget_of_their_own() -> None:
    of = strategy(refs(1, 2, 3), max_deferred=1, unreachable=Unreachable("defer"))
    assert _next(of, c1=(DEFERRED, 0)).start == refs(2, 3)
    steps = _next(of, c1=(DEFERRED, 0), c2=(DEFERRED, 0))
    assert (steps.start, steps.progress.breach) == ((), "TooManyDeferred")
    assert steps.progress.marks[0].words == "2 do not answer, 1 may"


def test_the_deferred_are_no_failures() -> None:
    assert _next(strategy(refs(1), refs(2)), c1=(DEFERRED, 0)).start == refs(2)


def test_with_stop_those_begun_go_on_and_then_it_ends() -> None:
    of = strategy(refs(1, 2, 3), max_concurrency=2)
    steps = _next(of, c1=(FAILED, 0), c2=(WORKING, 0))
    assert steps.progress.ending is None
    assert steps.withdraw == refs(2)
    done = noted(of, steps.progress, [News(ref(2), Happened.READY)], 1.0)
    end = advance(of, done, 1.0, room=9).progress
    assert (end.ending, _phases(end)) == (Ending.STOPPED, {"c1": "Failed", "c2": "Succeeded", "c3": "Waiting"})


def test_a_stopped_rollout_does_not_sit_out_soaks() -> None:
    of = strategy(Wave("w", refs(1, 2), soak=60.0))
    assert _next(of, c1=(FAILED, 0), c2=(SOAKING, 0)).progress.ending is Ending.STOPPED


def test_with_continue_everything_is_tried_and_the_end_is_failed() -> None:
    of = strategy(refs(1), refs(2), on_failure="continue")
    steps = _next(of, c1=(FAILED, 0))
    assert (steps.start, steps.progress.breach) == (refs(2), "TooManyFailures")
    done = noted(of, steps.progress, [News(ref(2), Happened.READY)], 1.0)
    assert advance(of, done, 1.0, room=9).progress.ending is Ending.FAILED


def test_what_was_given_back_is_as_if_it_had_never_been_begun() -> None:
    of = strategy(refs(1))
    before = Progress({ref(1): ClusterProgress(WORKING, 5.0, 5.0)})
    assert noted(of, before, [News(ref(1), Happened.WITHDRAWN)], 6.0).clusters[ref(1)] == ClusterProgress(WAITING, 6.0)


def test_what_another_run_had_begun_stays_begun_when_given_back() -> None:
    of = strategy(refs(1))
    before = Progress({ref(1): ClusterProgress(WORKING, 5.0, 1.0)})
    assert noted(of, before, [News(ref(1), Happened.WITHDRAWN)], 6.0).clusters[ref(1)].started == 1.0
    stopped = replace(before, breach="TooManyFailures")
    assert advance(of, stopped, 6.0, room=9).withdraw == ()


# Going back


def _back(scope: Any = "all", **more: Any) -> Strategy:
    return strategy(refs(1, 2), refs(3, 4), on_failure="rollback", rollback_scope=scope, **more)


def test_everything_begun_goes_back_the_last_wave_first() -> None:
    steps = _next(_back(), c1=(READY, 0), c2=(READY, 0), c3=(FAILED, 0))
    assert steps.roll_back == refs(3, 2, 1)
    assert steps.progress.backing_out
    assert [mark.what for mark in steps.progress.marks] == ["TooManyFailures", "rolling back"]


def test_of_a_wave_alone_goes_back_what_is_in_it() -> None:
    of = _back("wave")
    steps = _next(of, c1=(READY, 0), c2=(READY, 0), c3=(FAILED, 0), c4=(READY, 0))
    assert steps.roll_back == refs(4, 3)
    after = noted(of, steps.progress, [News(one, Happened.READY) for one in refs(3, 4)], 1.0)
    assert advance(of, after, 1.0, room=9).progress.ending is Ending.STOPPED


def test_a_first_wave_that_goes_back_leaves_nothing() -> None:
    of = _back("wave")
    steps = _next(of, c1=(FAILED, 0))
    after = noted(of, steps.progress, [News(ref(1), Happened.READY)], 1.0)
    assert advance(of, after, 1.0, room=9).progress.ending is Ending.ROLLED_BACK


def test_what_is_being_worked_on_goes_back_when_it_is_done() -> None:
    of = _back()
    steps = _next(of, c1=(FAILED, 0), c2=(WORKING, 0))
    assert steps.roll_back == refs(1)
    after = noted(of, steps.progress, [News(ref(2), Happened.READY)], 1.0)
    assert advance(of, after, 1.0, room=9).roll_back == refs(2)


def test_going_back_keeps_to_the_concurrency_and_the_room() -> None:
    states: dict[str, tuple[Phase, float]] = {"c1": (READY, 0), "c2": (READY, 0), "c3": (FAILED, 0)}
    assert _next(_back(max_concurrency=2), **states).roll_back == refs(3, 2)
    assert _next(_back(), room=1, **states).roll_back == refs(3)


def test_a_soak_is_over_when_it_is_gone_back() -> None:
    of = strategy(Wave("w", refs(1, 2), soak=60.0), on_failure="rollback")
    steps = _next(of, now=60.0, c1=(FAILED, 0), c2=(SOAKING, 59.0))
    assert steps.roll_back == refs(2, 1)
    assert steps.prove == ()


def test_a_cluster_that_cannot_go_back_makes_the_end_failed() -> None:
    of = _back()
    steps = _next(of, c1=(FAILED, 0))
    after = noted(of, steps.progress, [News(ref(1), Happened.FAILED, "Forbidden")], 1.0)
    end = advance(of, after, 1.0, room=9).progress
    assert (end.ending, end.clusters[ref(1)].phase, end.clusters[ref(1)].reason) == (
        Ending.FAILED,
        Phase.STUCK,
        "Forbidden",
    )


@pytest.mark.parametrize(
    ("rule", "phase"),
    [
        (Unreachable("defer"), DEFERRED),
        (Unreachable("wait", 9.0, "defer"), DEFERRED),
        (Unreachable("wait", 9.0), Phase.STUCK),
        (Unreachable("fail"), Phase.STUCK),
    ],
)
def test_one_that_falls_silent_on_the_way_back_is_put_off_where_that_is_the_rule(
    rule: Unreachable, phase: Phase
) -> None:
    of = _back(unreachable=rule)
    before = replace(progress(of, c1=(Phase.BACKING_OUT, 0)), breach="TooManyFailures", backing_out=True)
    after = noted(of, before, [News(ref(1), Happened.SILENT)], 1.0)
    assert after.clusters[ref(1)].phase is phase
    end = Ending.ROLLED_BACK if phase is DEFERRED else Ending.FAILED
    assert advance(of, after, 1.0, room=9).progress.ending is end


def test_one_that_was_never_begun_has_nothing_to_take_back() -> None:
    of = _back()
    failed = Progress({**progress(of).clusters, ref(1): ClusterProgress(FAILED, 0.0, None, 0.0, "ClusterUnreachable")})
    steps = advance(of, failed, 0.0, room=9)
    assert (steps.roll_back, steps.progress.ending) == ((), Ending.ROLLED_BACK)


def test_a_killed_way_back_is_gone_on_with() -> None:
    of = _back()
    before = replace(progress(of, c1=(Phase.BACKING_OUT, 0)), breach="TooManyFailures", backing_out=True)
    again = resumed(of, before, 5.0)
    assert advance(of, again, 5.0, room=9).roll_back == refs(1)


# Gates and pauses


@pytest.mark.parametrize(
    ("gate", "states", "opens"),
    [
        ("ready", {}, True),
        ("ready", {"c2": (FAILED, 0)}, False),
        ("ready", {"c2": (DEFERRED, 0)}, False),
        ("ready", {"c2": (Phase.PENDING, 0)}, False),
        ("failed < `2`", {"c2": (FAILED, 0)}, True),
        ("failed == `0`", {"c2": (FAILED, 0)}, False),
        ("ready == total", {}, True),
        ("deferred == `1` && pending == `0`", {"c2": (DEFERRED, 0)}, True),
        ("wave == 'canary'", {}, True),
        ("length(clusters[?state == 'Succeeded']) == `2`", {}, True),
        ("clusters[0].cluster == 'lab+c1'", {}, True),
        ("misspelt", {}, False),
        ("ready", {"c1": (Phase.TIMED_OUT, 0)}, False),
        ("length(ready) == `1`", {}, False),
    ],
)
def test_a_gate_is_asked_before_the_next_wave(gate: str, states: dict[str, Any], opens: bool) -> None:
    of = strategy(Wave("canary", refs(1, 2), gate=gate), refs(3), max_failures=2)
    steps = _next(of, **{"c1": (READY, 0), "c2": (READY, 0), **states})
    assert bool(steps.start) == opens
    assert steps.progress.breach == ("" if opens else "GateClosed")
    if not opens:
        assert steps.progress.ending is Ending.STOPPED
        assert steps.progress.marks[0] == Mark(0.0, "GateClosed", "canary", f"{gate} does not hold")


def test_there_is_no_gate_behind_the_last_wave() -> None:
    of = strategy(Wave("w", refs(1), gate="ready"), max_failures=1)
    assert _next(of, c1=(FAILED, 0)).progress.ending is Ending.COMPLETE


def test_a_closed_gate_stops_also_what_continues_after_failures() -> None:
    of = strategy(Wave("w", refs(1), gate="ready"), refs(2), on_failure="continue")
    steps = _next(of, c1=(FAILED, 0))
    assert (steps.start, steps.progress.breach, steps.progress.ending) == ((), "GateClosed", Ending.STOPPED)
    assert [mark.what for mark in steps.progress.marks] == ["TooManyFailures", "GateClosed", "ended"]


def test_a_closed_gate_goes_back_where_failures_do() -> None:
    of = strategy(Wave("w", refs(1), gate="misspelt"), refs(2), on_failure="rollback")
    assert _next(of, c1=(READY, 0)).roll_back == refs(1)


def test_a_rollout_pauses_behind_a_wave_until_it_is_released() -> None:
    of = strategy(Wave("canary", refs(1), pause_after=True), refs(2))
    paused = _next(of, now=3.0, c1=(READY, 0)).progress
    assert paused.ending is Ending.PAUSED
    assert paused.marks == (Mark(3.0, "paused", "canary"),)
    assert advance(of, resumed(of, paused, 4.0), 4.0, room=9).progress.ending is Ending.PAUSED
    assert advance(of, resumed(of, paused, 4.0, released=True), 4.0, room=9).start == refs(2)


def test_there_is_no_pause_behind_the_last_wave() -> None:
    of = strategy(Wave("w", refs(1), pause_after=True))
    assert _next(of, c1=(READY, 0)).progress.ending is Ending.COMPLETE


# Runs that die


def test_what_was_being_worked_on_is_begun_anew_first_and_keeps_its_begin() -> None:
    of = strategy(refs(1, 2), refs(3), max_concurrency=1)
    again = resumed(of, progress(of, c2=(WORKING, 1.0)), 50.0)
    steps = advance(of, again, 50.0, room=9)
    assert steps.start == refs(2)
    assert steps.progress.clusters[ref(2)] == ClusterProgress(WORKING, 50.0, 1.0)


def test_what_was_begun_is_finished_also_when_the_budget_is_spent() -> None:
    of = strategy(refs(1, 2, 3))
    again = resumed(of, progress(of, c1=(FAILED, 0), c2=(WORKING, 1.0)), 50.0)
    steps = advance(of, again, 50.0, room=9)
    assert (steps.start, steps.progress.ending) == (refs(2), None)


def test_a_soak_goes_on_over_a_crash() -> None:
    of = strategy(Wave("w", refs(1), soak=60.0))
    again = resumed(of, progress(of, c1=(SOAKING, 10.0)), 50.0)
    assert advance(of, again, 69.9, room=9).progress.ending is None
    assert advance(of, again, 70.0, room=9).progress.ending is Ending.COMPLETE


def test_one_that_was_being_looked_at_is_looked_at_again() -> None:
    of = strategy(Wave("w", refs(1), soak=60.0), proves=True)
    assert advance(of, resumed(of, progress(of, c1=(Phase.PROVING, 70.0)), 71.0), 71.0, room=9).prove == refs(1)


def test_a_cluster_that_is_new_to_the_rollout_waits_its_turn() -> None:
    before = progress(strategy(refs(1)), c1=(READY, 0))
    of = strategy(refs(1, 2))
    assert advance(of, resumed(of, before, 5.0), 5.0, room=9).start == refs(2)


def test_other_runs_of_the_revision_are_kept_beside_and_not_driven() -> None:
    others = progress(strategy(refs(8, 9)), c8=(FAILED, 0), c9=(WORKING, 0))
    of = strategy(refs(1))
    fresh = begun(of, 5.0, others)
    assert fresh.clusters[ref(8)].phase is FAILED
    steps = advance(of, fresh, 5.0, room=9)
    assert (steps.start, steps.progress.breach) == (refs(1), "")


def test_an_interrupted_rollout_says_so_and_an_ended_one_stays_as_it_is() -> None:
    of = strategy(refs(1))
    assert interrupted(progress(of), 4.0).ending is Ending.INTERRUPTED
    ended = replace(progress(of), ending=Ending.PAUSED)
    assert interrupted(ended, 4.0) == ended


def test_signs_of_life_are_forgotten_at_the_end() -> None:
    of = strategy(refs(1, 2), probes=True)
    before = Progress({ref(1): ClusterProgress(FAILED, 0.0), ref(2): ClusterProgress(Phase.ANSWERING, 0.0)})
    assert _phases(advance(of, before, 1.0, room=9).progress) == {"c1": "Failed", "c2": "Waiting"}


def test_those_put_off_are_told_for_catching_up() -> None:
    of = strategy(refs(1, 2, 3))
    assert put_off(progress(of, c3=(DEFERRED, 0), c1=(DEFERRED, 0), c2=(FAILED, 0))) == refs(1, 3)


# What is stored


def test_everything_is_stored_and_read_again() -> None:
    full = Progress(
        {
            ref(1): ClusterProgress(FAILED, 5.5, 1.0, 2.0, "Because"),
            ref(2): ClusterProgress(WAITING, 1.0),
            ref(3): ClusterProgress(SILENT, 1.0, None, 3.0),
        },
        frozenset({"canary"}),
        "TooManyFailures",
        True,
        Ending.ROLLED_BACK,
        (Mark(1.0, "paused", "canary", "words"),),
    )
    assert progress_of(progress_document(full)) == full
    assert progress_document(full)["clusters"]["lab+c2"] == ["Waiting", 1.0]


def test_what_is_not_so_is_not_stored() -> None:
    assert set(progress_document(Progress({ref(1): ClusterProgress()}))) == {"clusters", "marks"}
    assert progress_of({}) == Progress()


# For people


def test_counters_are_of_the_wave_that_goes_on() -> None:
    of = strategy(refs(1), Wave("north", refs(2, 3, 4, 5)), refs(6))
    told = counters(of, progress(of, c1=(READY, 0), c2=(WORKING, 0), c3=(FAILED, 0), c4=(DEFERRED, 0)))
    assert told == "wave 2 of 3 (north): 0 of 4 ready, 1 working, 1 failed, 1 deferred, 1 to come"


def test_counters_of_a_single_wave_do_not_name_it() -> None:
    of = strategy(refs(1, 2))
    assert counters(of, progress(of, c1=(READY, 0), c2=(SOAKING, 0))) == "1 of 2 ready, 1 soaking"


def test_counters_of_the_way_back_are_of_all() -> None:
    of = strategy(refs(1), refs(2))
    states = progress(of, c1=(Phase.BACKING_OUT, 0), c2=(Phase.BACKED_OUT, 0))
    told = counters(of, replace(states, backing_out=True))
    assert told == "wave 1 of 2 (w1): 0 of 2 ready, 1 rolling back, 1 rolled back"


def test_counters_of_nothing() -> None:
    assert counters(Strategy((), 1), Progress()) == "no clusters"


def test_the_timeline_has_waves_and_marks_in_their_order() -> None:
    of = strategy(refs(1, 2), refs(3), refs(4))
    states = {
        ref(1): ClusterProgress(READY, 12.0, 10.0),
        ref(2): ClusterProgress(FAILED, 15.0, 11.0),
        ref(3): ClusterProgress(WORKING, 20.0, 20.0),
        ref(4): ClusterProgress(),
    }
    told = timeline(of, Progress(states, marks=(Mark(16.0, "paused", "w1"),)))
    assert told == [
        {"at": 10.0, "event": "wave", "wave": "w1", "until": 15.0, "clusters": 2, "ready": 1, "failed": 1},
        {"at": 16.0, "event": "paused", "wave": "w1"},
        {"at": 20.0, "event": "wave", "wave": "w2", "until": None, "clusters": 1, "working": 1},
    ]


def test_the_timeline_of_a_wave_that_went_back_has_an_end() -> None:
    of = strategy(refs(1))
    states = {ref(1): ClusterProgress(Phase.BACKED_OUT, 30.0, 10.0)}
    assert timeline(of, Progress(states))[0]["until"] == 30.0


def test_clusters_of_a_strategy_are_those_of_its_waves() -> None:
    assert strategy(refs(2, 1), refs(3)).clusters == (ClusterRef("lab", "c2"), ClusterRef("lab", "c1"), ref(3))


@pytest.mark.parametrize("probes", [True, False])
def test_without_probes_only_who_fell_silent_is_asked_for_a_sign_of_life(probes: bool) -> None:
    of = strategy(refs(1, 2, 3), max_concurrency=1, probes=probes, unreachable=Unreachable("wait", 600.0, "defer"))
    silent = ClusterProgress(Phase.SILENT, 100.0, silent_since=90.0)
    left = replace(progress(of), clusters={**progress(of).clusters, ref(2): silent})
    assert advance(of, left, 105.0, room=1).probe == (refs(1, 3) if probes else ())
    assert advance(of, left, 110.0, room=1).probe == (refs(1, 3, 2) if probes else refs(2))


def test_patience_with_a_silent_cluster_counts_from_when_it_fell_silent() -> None:
    of = strategy(refs(1), unreachable=Unreachable("wait", 60.0, "defer"))
    silent = ClusterProgress(Phase.SILENT, 149.0, silent_since=100.0)
    left = replace(progress(of), clusters={ref(1): silent})
    assert advance(of, left, 159.9, room=1).progress.clusters[ref(1)].phase is not Phase.DEFERRED
    assert advance(of, left, 160.0, room=1).progress.clusters[ref(1)].phase is Phase.DEFERRED
