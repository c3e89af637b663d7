# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave, clusters_of
from ansible_collections.emco.edge.plugins.module_utils._rollout.waves import apps_in_later_waves, compiled
from tests.unit.rollout.fleet import clusters, ref, refs, rollout


def _waves(count: int = 10, regions: dict[str, range] | None = None, **options: Any) -> list[tuple[str, list[str]]]:
    made = compiled(rollout(**options), clusters(count, **(regions or {}))).strategy
    return [(wave.name, [one.name for one in wave.clusters]) for wave in made.waves]


def test_waves_by_list_selector_and_share_with_the_rest_last() -> None:
    assert _waves(
        regions={"north": range(2, 5)},
        waves=[{"clusters": ["lab+c9"], "name": "canary"}, {"selector": "region=north"}, {"count": "25%"}],
    ) == [
        ("canary", ["c9"]),
        ("wave 2", ["c2", "c3", "c4"]),
        ("wave 3", ["c1", "c5"]),
        ("remaining", ["c6", "c7", "c8", "c10"]),
    ]


def test_what_goes_last_is_said() -> None:
    made = compiled(rollout(waves=[{"clusters": ["lab+c1"]}]), clusters(3))
    assert made.notes == ("lab+c2, lab+c3 are in no wave and go last",)


def test_one_that_goes_last_is_said_in_the_singular() -> None:
    made = compiled(rollout(waves=[{"clusters": ["lab+c1"]}]), clusters(2))
    assert made.notes == ("lab+c2 is in no wave and goes last",)


def test_what_no_wave_names_can_be_refused_and_is_named() -> None:
    with pytest.raises(EdgeError, match=r"lab\+c2, lab\+c3 are in no wave") as error:
        compiled(rollout(waves=[{"clusters": ["lab+c1"]}], remaining="refuse"), clusters(3))
    assert error.value.reason == "ClustersInNoWave"
    assert error.value.details == {"clusters": ["lab+c2", "lab+c3"]}


def test_nothing_is_refused_when_the_waves_name_everything() -> None:
    assert _waves(2, waves=[{"count": "100%"}], remaining="refuse") == [("wave 1", ["c1", "c2"])]


def test_without_waves_there_is_one_of_all_and_nothing_to_say() -> None:
    made = compiled(rollout(remaining="refuse"), clusters(2))
    assert made.strategy.waves == (Wave("all", refs(1, 2)),)
    assert made.notes == ()


def test_no_clusters_make_no_waves() -> None:
    assert _waves(0, waves=[{"count": 1}, {"selector": "a"}]) == []


def test_a_listed_cluster_is_in_its_wave_though_an_earlier_one_selects_it() -> None:
    made = compiled(rollout(waves=[{"selector": "cluster.provider=lab"}, {"clusters": ["lab+c2"]}]), clusters(3))
    assert [wave.clusters for wave in made.strategy.waves] == [refs(1, 3), refs(2)]
    assert made.notes == ("wave 1 also selects lab+c2, which another wave has",)


def test_a_count_leaves_listed_clusters_to_their_wave() -> None:
    assert _waves(3, waves=[{"count": 2}, {"clusters": ["lab+c1"]}]) == [("wave 1", ["c2", "c3"]), ("wave 2", ["c1"])]


def test_a_cluster_selected_twice_is_in_the_first_of_the_waves_and_it_is_said() -> None:
    made = compiled(
        rollout(waves=[{"selector": "region=north"}, {"selector": "region in (north, south)"}]),
        clusters(4, north=range(1, 3), south=range(3, 5)),
    )
    assert [wave.clusters for wave in made.strategy.waves] == [refs(1, 2), refs(3, 4)]
    assert made.notes == ("wave 2 also selects lab+c1, lab+c2, which another wave has",)


def test_a_wave_without_a_cluster_in_this_run_is_left_out_and_it_is_said() -> None:
    made = compiled(rollout(waves=[{"clusters": ["lab+c9"]}, {"count": "100%"}]), clusters(2), known=refs(1, 2, 9))
    assert [wave.name for wave in made.strategy.waves] == ["wave 2"]
    assert made.notes == ("wave 1 has no cluster in this run",)


def test_an_unknown_cluster_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidInput) as error:
        compiled(rollout(waves=[{"count": 1}, {"clusters": ["lab+c1", "lab+edg-2"]}]), clusters(1), [ref(1), *_edges()])
    assert str(error.value.problems[0]) == (
        "rollout.waves[1].clusters[1]: no cluster lab+edg-2 is registered (did you mean lab+edge-2?)"
    )


def _edges() -> list[ClusterRef]:
    return [ClusterRef("lab", "edge-2")]


def test_a_share_of_a_selector_is_of_what_it_selects() -> None:
    assert _waves(regions={"north": range(1, 9)}, waves=[{"selector": "region=north", "count": "25%"}])[0] == (
        "wave 1",
        ["c1", "c2"],
    )


def test_a_share_is_of_all_clusters_not_of_those_that_are_left() -> None:
    assert [len(names) for _unused, names in _waves(waves=[{"count": "50%"}, {"count": "50%"}])] == [5, 5]


@pytest.mark.parametrize(("rounding", "sizes"), [("down", [2, 8]), ("up", [3, 7])])
def test_shares_round_down_unless_up_is_asked_for(rounding: str, sizes: list[int]) -> None:
    assert [len(names) for _unused, names in _waves(waves=[{"count": "25%"}], round=rounding)] == sizes


def test_a_wave_has_at_least_one_cluster() -> None:
    assert [len(names) for _unused, names in _waves(3, waves=[{"count": "10%"}])] == [1, 2]


def test_repeated_waves_take_everything_and_are_numbered() -> None:
    assert _waves(5, waves=[{"clusters": ["lab+c1"]}, {"count": 2, "repeat": True, "name": "rest"}]) == [
        ("wave 1", ["c1"]),
        ("rest.1", ["c2", "c3"]),
        ("rest.2", ["c4", "c5"]),
    ]


def test_a_repeated_wave_that_is_needed_once_keeps_its_name() -> None:
    assert _waves(2, waves=[{"count": 2, "repeat": True}]) == [("wave 1", ["c1", "c2"])]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({}, (10, 0, None)),
        ({"max_concurrency": "25%", "max_failures": "5%"}, (2, 0, None)),
        ({"max_concurrency": "25%", "max_failures": "5%", "round": "up"}, (3, 1, None)),
        ({"max_concurrency": "1%", "max_failures": "19%"}, (1, 1, None)),
        ({"max_concurrency": 50, "max_failures": 50}, (10, 10, None)),
        ({"max_deferred": "39%", "unreachable": "defer"}, (10, 0, 3)),
    ],
)
def test_limits_become_numbers_of_clusters(options: dict[str, Any], sizes: tuple[Any, ...]) -> None:
    made = compiled(rollout(**options), clusters(10)).strategy
    assert (made.max_concurrency, made.max_failures, made.max_deferred) == sizes


def test_the_limits_of_a_wave_are_shares_of_the_wave() -> None:
    made = compiled(
        rollout(soak="1m", gate="ready", waves=[{"count": 4, "max_concurrency": "50%", "max_failures": "25%"}]),
        clusters(10),
    ).strategy
    assert made.waves[0] == Wave("wave 1", refs(1, 2, 3, 4), 2, 1, 60.0, "ready")
    assert made.waves[1] == Wave("remaining", refs(5, 6, 7, 8, 9, 10), None, None, 60.0, "ready")


def test_a_wave_may_have_its_own_soak_and_gate() -> None:
    made = compiled(
        rollout(soak="1m", gate="ready", waves=[{"count": 4, "soak": 0, "gate": "failed < `2`"}]), clusters(4)
    ).strategy
    assert (made.waves[0].soak, made.waves[0].gate) == (0.0, "failed < `2`")


@pytest.mark.parametrize(
    ("pause", "paused"),
    [
        (True, ["wave 1", "two", "remaining"]),
        (False, []),
        ([1], ["wave 1"]),
        (["two"], ["two"]),
        ([2], ["two"]),
        (["1", "two"], ["wave 1", "two"]),
    ],
)
def test_pauses_are_behind_the_waves_that_are_named(pause: Any, paused: list[str]) -> None:
    made = compiled(rollout(waves=[{"count": 1}, {"count": 1, "name": "two"}], pause_after=pause), clusters(4)).strategy
    assert [wave.name for wave in made.waves if wave.pause_after] == paused


def test_a_number_means_the_entry_of_the_list_also_when_one_before_it_is_empty() -> None:
    made = compiled(
        rollout(waves=[{"selector": "nowhere"}, {"count": 1}, {"count": 1}], pause_after=2), clusters(3)
    ).strategy
    assert [wave.name for wave in made.waves if wave.pause_after] == ["wave 2"]


def test_a_wave_says_itself_that_the_rollout_pauses_behind_it() -> None:
    made = compiled(rollout(waves=[{"count": 1, "pause_after": True}]), clusters(2)).strategy
    assert [wave.pause_after for wave in made.waves] == [True, False]


def test_the_other_rules_go_into_the_strategy_as_they_are() -> None:
    options = {"progress_deadline": "15m", "on_failure": "rollback", "rollback_scope": "wave", "unreachable": "defer"}
    made = compiled(rollout(**options), clusters(1), probes=False, proves=True).strategy
    assert (made.progress_deadline, made.on_failure, made.rollback_scope) == (900.0, "rollback", "wave")
    assert (made.unreachable.policy, made.probes, made.proves) == ("defer", False, True)


def test_a_strategy_without_concurrency_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Strategy((), max_concurrency=0)


_entries = st.one_of(
    st.builds(lambda share: {"count": share}, st.sampled_from(["1%", "25%", "50%", "100%", 1, 3, 50])),
    st.builds(lambda region: {"selector": f"region={region}"}, st.sampled_from(["north", "south", "nowhere"])),
)


@given(
    st.integers(0, 30),
    st.lists(_entries, max_size=5),
    st.lists(st.integers(1, 30), unique=True, max_size=4),
    st.sampled_from(["up", "down"]),
)
def test_every_cluster_is_in_exactly_one_wave(
    count: int, entries: list[dict[str, Any]], listed: list[int], rounding: str
) -> None:
    fleet = clusters(count, north=range(1, 10), south=range(10, 14))
    waves = [*entries, *([{"clusters": [str(ref(number)) for number in listed]}] if listed else [])]
    made = compiled(rollout(waves=waves, round=rounding), fleet, known=refs(*range(1, 31)))
    assert sorted(made.strategy.clusters) == sorted(one.ref for one in fleet)
    assert all(wave.clusters for wave in made.strategy.waves)


@pytest.mark.parametrize(
    ("limit", "total", "up", "least", "size"),
    [
        (Fraction(1, 2), 3, False, 0, 1),
        (Fraction(1, 2), 3, True, 0, 2),
        (Fraction(1, 100), 3, False, 1, 1),
        (Fraction(1, 100), 3, False, 0, 0),
        (Fraction(29, 100), 100, False, 0, 29),
        (7, 3, False, 0, 3),
        (2, 3, True, 1, 2),
        (1, 0, False, 1, 1),
    ],
)
def test_limits_round_exactly(limit: Any, total: int, up: bool, least: int, size: int) -> None:
    assert clusters_of(limit, total, up=up, least=least) == size


def test_apps_that_start_before_what_they_need_everywhere_are_named() -> None:
    made = compiled(rollout(waves=[{"count": 1}, {"count": 1}]), clusters(2)).strategy
    running = {"api": refs(1, 2), "db": refs(2), "cache": refs(1), "web": refs(2), "gone": refs(7)}
    needs = {"api": {"db", "gone", "cache"}, "web": {"api", "db"}, "db": set[str](), "cache": {"api"}}
    assert apps_in_later_waves(made, running, needs) == (
        "api starts in wave 1 and needs db on all its clusters, the last of which are in wave 2",
        "cache starts in wave 1 and needs api on all its clusters, the last of which are in wave 2",
    )
