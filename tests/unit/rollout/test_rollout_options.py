# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.options import argument_spec
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import AT_ONCE, Rollout, Unreachable
from tests.unit.rollout.fleet import ref, rollout, tried


def test_everything_a_user_may_write_is_understood() -> None:
    found = rollout(
        waves=[
            {"clusters": ["lab+c1"], "name": "canary", "pause_after": True},
            {"selector": "region=north", "max_failures": 0, "soak": "5m", "gate": "ready"},
            {"count": "25%", "repeat": True, "max_concurrency": 2},
        ],
        max_concurrency="25%",
        max_failures="5%",
        max_deferred=10,
        soak="10m",
        progress_deadline="15m",
        unreachable={"wait": "10m", "then": "defer"},
        on_failure="rollback",
        rollback_scope="wave",
        round="up",
        remaining="refuse",
        gate="failed == `0`",
    )
    assert found.waves[0].refs == (ref(1),)
    assert found.waves[0].pause_after
    assert (found.waves[1].soak, found.waves[1].gate, found.waves[1].max_failures) == (300.0, "ready", 0)
    assert (found.waves[2].count, found.waves[2].repeat, found.waves[2].max_concurrency) == (Fraction(1, 4), True, 2)
    assert (found.max_concurrency, found.max_failures, found.max_deferred) == (Fraction(1, 4), Fraction(1, 20), 10)
    assert (found.soak, found.progress_deadline) == (600.0, 900.0)
    assert found.unreachable == Unreachable("wait", 600.0, "defer")
    assert (found.on_failure, found.rollback_scope, found.round, found.remaining) == (
        "rollback",
        "wave",
        "up",
        "refuse",
    )


def test_defaults_allow_no_failure_and_stop() -> None:
    found = rollout()
    assert (found.max_failures, found.on_failure, found.unreachable.policy) == (0, "stop", "fail")
    assert (found.max_concurrency, found.progress_deadline, found.max_deferred, found.gate) == (None, None, None, None)
    assert (found.soak, found.round, found.remaining, found.pause_after) == (0.0, "down", "last", False)


def test_without_a_rollout_every_cluster_is_on_its_own() -> None:
    assert AT_ONCE.on_failure == "continue"
    assert AT_ONCE.waves == ()


@pytest.mark.parametrize("none", [0, "0", "0%"])
@pytest.mark.parametrize("name", ["max_concurrency"])
def test_zero_is_refused_where_it_cannot_mean_anything(name: str, none: Any) -> None:
    found, problems = tried({name: none, "waves": [{"count": none}, {"selector": "a", name: none}]})
    assert found is None
    assert [problem.split(":")[0] for problem in problems] == [
        "rollout.waves[0].count",
        f"rollout.waves[1].{name}",
        f"rollout.{name}",
    ]
    assert "no cluster at all" in problems[0]


def test_zero_failures_and_zero_deferred_mean_what_they_say() -> None:
    found = rollout(max_failures=0, max_deferred=0, unreachable="defer", soak=0)
    assert (found.max_failures, found.max_deferred, found.soak) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"progress_deadline": "0s"}, "rollout.progress_deadline", "leaves no time"),
        ({"unreachable": {"wait": 0}}, "rollout.unreachable", "waits for nothing"),
        ({"unreachable": "skip"}, "rollout.unreachable", "must be defer, fail"),
        ({"unreachable": {"wait": "1m", "than": "fail"}}, "rollout.unreachable", "must be defer, fail"),
        ({"unreachable": {"wait": "1m", "then": "wait"}}, "rollout.unreachable", "must be fail or defer"),
        ({"unreachable": ["defer"]}, "rollout.unreachable", "must be defer, fail"),
        ({"max_failures": "150%"}, "rollout.max_failures", "more than all"),
        ({"max_concurrency": "101%"}, "rollout.max_concurrency", "more than all"),
        ({"max_concurrency": "-10%"}, "rollout.max_concurrency", "neither a number nor a percentage"),
        ({"max_failures": -1}, "rollout.max_failures", "neither a number nor a percentage"),
        ({"max_deferred": 1}, "rollout.max_deferred", "puts no cluster off"),
        ({"max_deferred": 1, "unreachable": {"wait": "1m"}}, "rollout.max_deferred", "then: defer"),
        ({"rollback_scope": "wave"}, "rollout.rollback_scope", "on_failure: rollback only"),
        ({"on_failure": "panic"}, "rollout.on_failure", "is not one of stop, continue, rollback"),
        ({"gate": "failed =="}, "rollout.gate", "is not a jmespath expression"),
        ({"gate": ""}, "rollout.gate", "jmespath condition"),
        ({"gate": 1}, "rollout.gate", "jmespath condition"),
        ({"pause_after": 0}, "rollout.pause_after", "neither a wave's name nor its number"),
        ({"pause_after": ["canari"], "waves": [{"count": 1, "name": "canary"}]}, "rollout.pause_after", "canary"),
        ({"pause_after": [3], "waves": [{"count": 1}, {"count": 1}]}, "rollout.pause_after", "there are 2 waves"),
        ({"pause_after": [["a"]]}, "rollout.pause_after", "names and numbers of waves"),
        ({"pause_after": []}, "rollout.pause_after", "names and numbers of waves"),
        ({"waves": [{}]}, "rollout.waves[0]", "chooses no cluster"),
        ({"waves": [{"clusters": []}]}, "rollout.waves[0].clusters", "is empty"),
        ({"waves": [{"clusters": ["c1"]}]}, "rollout.waves[0].clusters[0]", "write provider+cluster"),
        ({"waves": [{"clusters": ["lab+a", "lab+a"]}]}, "rollout.waves[0].clusters[1]", "listed twice"),
        (
            {"waves": [{"clusters": ["lab+a"]}, {"clusters": ["lab+a"]}]},
            "rollout.waves[1].clusters",
            "is in waves[0] too",
        ),
        ({"waves": [{"clusters": ["lab+a"], "count": 1}]}, "rollout.waves[0].count", "together with clusters"),
        ({"waves": [{"clusters": ["lab+a"], "selector": "a"}]}, "rollout.waves[0].selector", "together with clusters"),
        ({"waves": [{"selector": "region in"}]}, "rollout.waves[0].selector", "region in"),
        ({"waves": [{"selector": "a", "repeat": True}]}, "rollout.waves[0].repeat", "with count only"),
        ({"waves": [{"count": 1, "repeat": True}, {"count": 1}]}, "rollout.waves[0].repeat", "must be the last"),
        (
            {"waves": [{"count": 1, "name": "a"}, {"count": 1, "name": "a"}]},
            "rollout.waves[1].name",
            "is the name of waves[0]",
        ),
        ({"waves": [{"count": 1, "name": "2"}]}, "rollout.waves[0].name", "taken for the number"),
    ],
)
def test_bad_input_names_its_path(options: dict[str, Any], path: str, words: str) -> None:
    found, problems = tried(options)
    assert found is None
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}: ")
    assert words in problems[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (True, True),
        ("true", True),
        ("each", True),
        (False, False),
        ("false", False),
        (1, ("1",)),
        ("canary", ("canary",)),
        ([1, "canary"], ("1", "canary")),
    ],
)
def test_pauses_are_written_as_truth_names_or_numbers(written: Any, meant: Any) -> None:
    found = rollout(pause_after=written, waves=[{"count": 1, "name": "canary"}])
    assert found.pause_after == meant


def test_max_deferred_goes_with_a_rule_that_puts_off() -> None:
    assert rollout(max_deferred=1, unreachable="defer").max_deferred == 1
    assert rollout(max_deferred="10%", unreachable={"wait": "1m", "then": "defer"}).max_deferred == Fraction(1, 10)


def test_defaults_are_told_to_ansible_as_users_write_them() -> None:
    spec = argument_spec(Rollout)
    assert spec["unreachable"]["default"] == "fail"
    assert spec["soak"] == {"type": "str", "default": "0s"}
    assert spec["waves"]["options"]["clusters"]["elements"] == "str"
    assert "default" not in spec["progress_deadline"]
