# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others' rollouts do in the cases that their projects check, and where this one differs on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._rollout.machine import advance
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import FAILURES, Phase
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave
from ansible_collections.emco.edge.plugins.module_utils._rollout.waves import compiled
from tests.unit.rollout.fleet import clusters, progress, refs, rollout, strategy, tried

DONE, APPLYING, FAILED = Phase.SUCCEEDED, Phase.WORKING, Phase.FAILED


@dataclass(frozen=True)
class Row:
    """A case of Open Cluster Management, Failed and TimeOut both counted as failed, times relative to now.

    ``groups``: its decision groups; ``mandatory``: how many of them go first, each alone, without a failure.
    ``start``: what it would apply next. ``ours``: what this rollout begins where it differs, and ``because``.
    """

    kind: str
    groups: tuple[tuple[int, ...], ...]
    states: dict[int, tuple[Phase, float]]
    start: tuple[int, ...]
    breach: bool = False
    wake: float | None = None
    deadline: float | None = 90
    failures: Any = 0
    concurrency: Any = None
    soak: float = 0
    mandatory: int = 0
    ours: tuple[int, ...] | None = None
    because: str = ""


_NINE = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
OCM = [
    Row("All", ((1, 2), (3, 4, 5, 6)), {}, (1, 2, 3, 4, 5, 6)),
    Row("Progressive", ((1, 2, 3), (4, 5, 6)), {}, (1, 2), concurrency=2),
    Row("Progressive", _NINE, {1: (APPLYING, -60)}, (2, 3, 4), concurrency=4, wake=30),
    Row(
        "Progressive",
        ((1, 2, 3), (4, 5, 6)),
        {1: (DONE, -60), 2: (FAILED, -120), 3: (APPLYING, -60)},
        (),
        breach=True,
        wake=30,
        concurrency=2,
    ),
    Row(
        "Progressive",
        ((1, 2, 3, 4),),
        {1: (Phase.SOAKING, -30), 2: (APPLYING, -60), 3: (APPLYING, -30), 4: (Phase.SOAKING, -120)},
        (),
        wake=30,
        failures="100%",
        concurrency=4,
        soak=60,
    ),
    Row(
        "Progressive",
        ((1, 2, 3), (4, 5, 6)),
        {1: (DONE, -30), 2: (APPLYING, -30), 3: (APPLYING, -30)},
        (4, 5),
        wake=0,
        deadline=0,
        failures=3,
        concurrency=2,
    ),
    Row(
        "Progressive",
        ((1, 2), (3, 4, 5, 6)),
        {1: (DONE, -60), 2: (FAILED, -120), 3: (APPLYING, -60)},
        (4,),
        deadline=None,
        failures="100%",
        concurrency="50%",
        ours=(4, 5),
        because="a failed cluster is final and counts; it does not keep its place for ever",
    ),
    Row(
        "Progressive",
        ((1, 2), (3, 4), (5, 6)),
        {1: (FAILED, -120), 2: (FAILED, -60)},
        (),
        breach=True,
        concurrency=3,
        mandatory=1,
    ),
    Row("PerGroup", ((1, 2, 3), (4, 5, 6)), {}, (1, 2, 3)),
    Row(
        "PerGroup",
        ((1, 2, 3), (4, 5, 6)),
        {1: (DONE, -60), 2: (FAILED, -120), 3: (APPLYING, -60)},
        (),
        breach=True,
        wake=30,
    ),
    Row(
        "PerGroup",
        _NINE,
        {1: (DONE, -60), 2: (FAILED, -120), **dict.fromkeys(range(3, 7), (DONE, -60))},
        (7, 8, 9),
        failures=2,
    ),
    Row(
        "PerGroup",
        _NINE,
        {1: (DONE, -60), 2: (FAILED, -120), 3: (DONE, -60)},
        (4, 5, 6),
        deadline=None,
        failures=2,
    ),
    Row(
        "PerGroup",
        ((1, 2, 3), (4, 5, 6)),
        {1: (DONE, -60), 2: (FAILED, -120), 3: (FAILED, -120)},
        (),
        breach=True,
        mandatory=1,
    ),
    Row("PerGroup", _NINE, dict.fromkeys((1, 2, 3), (DONE, -60)), (4, 5, 6), mandatory=1),
    Row(
        "All",
        ((1, 2, 7), (3, 4, 5, 6)),
        {1: (DONE, -60), 2: (FAILED, -120), 3: (APPLYING, -120), 4: (FAILED, -60), 5: (APPLYING, -60)},
        (7, 6),
        wake=30,
    ),
    Row(
        "PerGroup",
        ((1, 2, 3), (4, 5, 6)),
        {1: (DONE, -60), 2: (DONE, -60), 4: (APPLYING, -60), 5: (APPLYING, -60)},
        (3,),
        wake=30,
    ),
    Row(
        "Progressive",
        ((2, 3), (4, 5, 6)),
        {1: (DONE, -60), 2: (FAILED, -120), 3: (APPLYING, -60)},
        (4,),
        wake=30,
        failures="100%",
        concurrency=2,
    ),
    Row(
        "PerGroup",
        ((1, 3), (4, 5, 6)),
        {1: (DONE, -60), 2: (FAILED, -60), 3: (APPLYING, -60)},
        (),
        wake=30,
    ),
    Row(
        "PerGroup",
        ((1, 3), (4, 5, 6), (7, 8, 9)),
        {1: (DONE, -60), 2: (FAILED, -120), 3: (DONE, -60)},
        (4, 5, 6),
        mandatory=1,
    ),
]


def _strategy(row: Row) -> Strategy:
    everybody = [number for group in row.groups for number in group]
    limits = compiled(
        rollout(max_failures=row.failures, **({} if row.concurrency is None else {"max_concurrency": row.concurrency})),
        clusters(len(everybody)),
    ).strategy
    alone = [Wave(f"group {group[0]}", refs(*group), max_failures=0, soak=row.soak) for group in row.groups]
    if row.kind == "PerGroup":
        waves = [
            wave if number < row.mandatory else Wave(wave.name, wave.clusters, soak=row.soak)
            for number, wave in enumerate(alone)
        ]
    else:
        rest = [number for group in row.groups[row.mandatory :] for number in group]
        waves = [*alone[: row.mandatory], Wave("rest", refs(*rest), soak=row.soak)]
    return strategy(
        *waves,
        max_concurrency=limits.max_concurrency,
        max_failures=limits.max_failures,
        progress_deadline=row.deadline,
        # All has no budget: everything is tried.
        on_failure="continue" if row.kind == "All" else "stop",
    )


@pytest.mark.parametrize("row", OCM, ids=[f"{number}-{row.kind}" for number, row in enumerate(OCM, 1)])
def test_open_cluster_management_begins_the_same_but_where_it_is_wrong(row: Row) -> None:
    of = _strategy(row)
    before = progress(of, **{f"c{number}": state for number, state in row.states.items()})
    steps = advance(of, before, 0.0, room=100)
    assert steps.start == refs(*(row.start if row.ours is None else row.ours))
    assert (row.ours is None) == (not row.because)
    if row.kind != "All":
        assert bool(steps.progress.breach) == row.breach
    if row.wake:
        assert steps.wake == row.wake


def test_a_deadline_that_is_over_makes_a_cluster_time_out_as_with_open_cluster_management() -> None:
    row = OCM[5]
    of = _strategy(row)
    before = progress(of, **{f"c{number}": state for number, state in row.states.items()})
    after = advance(of, before, 0.0, room=100).progress.clusters
    assert [one.name for one, state in after.items() if state.phase is Phase.TIMED_OUT] == ["c2", "c3"]


@pytest.mark.parametrize(("waiting", "failed"), [(1, (8, 9)), (9, (1, 2))])
def test_a_budget_is_a_property_of_the_set_whatever_the_names(waiting: int, failed: tuple[int, int]) -> None:
    """Open Cluster Management begins the first of the two and stops at the second."""
    of = strategy(refs(*sorted((waiting, *failed))), max_concurrency=1)
    states = {f"c{number}": (FAILED, -1.0) for number in failed}
    steps = advance(of, progress(of, **states), 0.0, room=100)
    assert steps.start == ()
    assert steps.progress.breach == "TooManyFailures"


@pytest.mark.parametrize("none", [0, "0%"])
def test_a_concurrency_of_zero_is_an_error_and_not_all_clusters(none: Any) -> None:
    assert tried({"max_concurrency": none})[0] is None


@pytest.mark.parametrize(
    ("count", "limit", "ours"),
    [
        (10, 5, 5),
        (1, 15, 1),
        (10, "50%", 5),
        (10, "5%", 1),
    ],
)
def test_limits_of_fleet(count: int, limit: Any, ours: int) -> None:
    made = compiled(rollout(max_concurrency=limit), clusters(count)).strategy
    assert made.max_concurrency == ours


@pytest.mark.parametrize("limit", ["150%", "-10%"])
def test_fleet_bends_impossible_limits_and_we_refuse_them(limit: str) -> None:
    assert tried({"max_concurrency": limit})[0] is None


def test_without_a_limit_all_clusters_may_go_at_once_as_with_fleet() -> None:
    assert compiled(rollout(), clusters(50)).strategy.max_concurrency == 50


def test_a_limit_of_no_clusters_at_all_is_one_as_with_fleet() -> None:
    assert compiled(rollout(max_concurrency=15), []).strategy.max_concurrency == 1


@pytest.mark.parametrize(
    ("count", "size", "sizes"),
    [
        (200, 100, [100, 100]),
        (200, "25%", [50] * 4),
        (1000, "10%", [100] * 10),
        (50, "50%", [25, 25]),
    ],
)
def test_partitions_of_fleet_are_a_repeated_wave(count: int, size: Any, sizes: list[int]) -> None:
    """Fleet cuts by itself from 200 clusters on; here nothing is cut that nobody asked to be cut."""
    made = compiled(rollout(waves=[{"count": size, "repeat": True}]), clusters(count)).strategy
    assert [len(wave.clusters) for wave in made.waves] == sizes


def test_without_waves_even_many_clusters_are_one_wave() -> None:
    assert [len(wave.clusters) for wave in compiled(rollout(), clusters(500)).strategy.waves] == [500]


@pytest.mark.parametrize(("limit", "may"), [("50%", 1), ("100%", 3)])
def test_shares_of_an_argo_step_round_down_with_at_least_one(limit: str, may: int) -> None:
    """Zero, which with Argo CD means by hand, is an error here; ``pause_after`` is for people who decide."""
    of = compiled(rollout(waves=[{"count": 3, "max_concurrency": limit}]), clusters(3), probes=False).strategy
    assert len(advance(of, progress(of), 0.0, room=100).start) == may
    assert tried({"waves": [{"count": 3, "max_concurrency": "0%"}]})[0] is None


@pytest.mark.parametrize(
    ("limit", "count", "rounding", "may"), [(10, 20, "down", 10), ("30%", 2, "up", 1), ("70%", 2, "up", 2)]
)
def test_shares_of_sveltos_round_up_and_so_do_ours_when_asked(limit: Any, count: int, rounding: str, may: int) -> None:
    assert compiled(rollout(max_concurrency=limit, round=rounding), clusters(count)).strategy.max_concurrency == may


def test_failures_are_both_that_failed_and_that_timed_out() -> None:
    assert {Phase.FAILED, Phase.TIMED_OUT} == FAILURES
