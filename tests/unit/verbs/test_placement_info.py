# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the planner about a fleet on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._verbs import placement_info
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import perform

Ask = Callable[..., dict[str, Any]]

NORTH = {"name": "lab+a", "labels": {"region": "north"}, "nodes": [{"allocatable": {"cpu": 8}}]}
SOUTH = {"name": "lab+b", "labels": {"region": "south"}, "nodes": [{"allocatable": {"cpu": 4}}]}


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    def asked(**arguments: Any) -> dict[str, Any]:
        environ = {name: str(tmp_path) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        said: list[str] = []
        context = Context(Host("localhost"), "test", str(tmp_path), environ, clock=lambda: 1_000_000.0, say=said.append)
        given = {"clusters": [NORTH, SOUTH], **arguments}
        return {**perform(placement_info.SPEC, placement_info.run, given, context), "said": said}

    return asked


def chosen(result: Mapping[str, Any], app: str = "api") -> dict[str, int | None]:
    return {one["cluster"]: one["replicas"] for one in result["decisions"][app]["chosen"]}


def paths(result: Mapping[str, Any]) -> list[str]:
    return [problem["path"] for problem in result["problems"]]


def test_a_cluster_may_refuse_an_app_by_its_labels(ask: Ask) -> None:
    clusters = [NORTH, {**SOUTH, "constraints": "team in (blue), !experimental"}]
    asked = {"clusters": clusters, "apps": {"api": {}, "other": {}}, "explain": ["api"]}
    blue = ask(**asked, labels={"api": {"team": "blue"}, "other": {"team": "blue", "experimental": "yes"}})
    assert (sorted(chosen(blue)), sorted(chosen(blue, "other"))) == (["lab+a", "lab+b"], ["lab+a"])
    red = ask(**asked, labels={"api": {"team": "red"}})
    assert sorted(chosen(red)) == ["lab+a"]
    told = red["decisions"]["api"]["rejected"][0]
    assert (told["reason"], "team in (blue)" in told["message"]) == ("RefusedByCluster", True)


def test_an_app_goes_only_where_its_networks_are(ask: Ask) -> None:
    clusters = [{**NORTH, "networks": ["protected", "uplink"]}, {**SOUTH, "networks": ["uplink"]}]
    interfaces = [{"app": "api", "workload": "api", "network": "protected"}]
    asked = ask(clusters=clusters, apps={"api": {}, "other": {}}, interfaces=interfaces, explain=["api"])
    assert (sorted(chosen(asked)), sorted(chosen(asked, "other"))) == (["lab+a"], ["lab+a", "lab+b"])
    (told,) = asked["decisions"]["api"]["rejected"]
    assert (told["cluster"], told["reason"]) == ("lab+b", "NetworkMissing")
    assert paths(ask(apps={"api": {}}, interfaces=[{"app": "gone", "workload": "w", "network": "n"}])) == [
        "interfaces[0].app"
    ]


def test_what_would_move_is_shown_with_replicas(ask: Ask) -> None:
    spread = {"replicas": {"total": 6, "divide": "capacity"}, "requests": {"cpu": 1}}
    current = {"api": {"lab+a": 3, "lab+b": 3}}
    drained = ask(apps={"api": spread}, current=current, changes=[{"cluster": "lab+b", "drain": True}])
    assert drained["moves"] == {"api": {"to": [], "from": ["lab+b"], "replicas": {"lab+a": [3, 6]}}}
    assert drained["decisions"]["api"]["moved"][0]["why"] == "Draining: it is being drained"
    nowhere = ask(apps={"api": {"clusters": ["lab+b"]}}, current=current, changes=[{"cluster": "lab+b", "drain": True}])
    assert not nowhere["moves"]
    assert "stays on lab+b" in nowhere["warnings"][0]


def test_silence_counts_when_it_lasts_and_what_runs_there_stays_unless_it_may_be_replaced(ask: Ask) -> None:
    long, short = {"unreachable_since": 999_000}, {"unreachable_since": 999_900}
    for silent, want in ((long, ["lab+b"]), (short, ["lab+a"])):
        assert list(chosen(ask(clusters=[{**NORTH, **silent}, SOUTH], apps={"api": {"count": 1}}))) == want
    fleet = [{**NORTH, **long}, SOUTH]
    there = {"api": {"lab+a": None}}
    assert list(chosen(ask(clusters=fleet, apps={"api": {"count": 1}}, current=there))) == ["lab+a"]
    replaced = ask(clusters=fleet, apps={"api": {"count": 1, "on_unreachable": "replace"}}, current=there)
    assert list(chosen(replaced)) == ["lab+b"]


def test_everything_wrong_is_told_at_once(ask: Ask) -> None:
    found = ask(
        clusters=[NORTH, NORTH, {"name": "nameless", "nodes": [{"allocatable": {"cpu": "8x"}}]}],
        apps={"api": {"count": -1, "with": ["web"]}, "default": {"selector": "a in (b"}},
        hardware=[{"app": "api", "workload": "api", "container": "main", "requests": {"cpu": "many"}}],
        labels={"apu": {}},
        changes=[{"cluster": "lab+z", "remove": True}],
        explain=["nobody"],
    )
    assert found["reason"] == "InvalidInput"
    assert paths(found) == [
        "clusters[2].name",
        "clusters[2].nodes[0].allocatable",
        "clusters[1].name",
        "apps.default.selector",
        "apps.api.count",
        "hardware[0].requests",
        "labels.apu",
        "changes[0].cluster",
        "explain",
    ]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"pending": [{"spec": {"containers": [{"resources": {"requests": {"cpu": "abc"}}}]}}]}, "pending"),
        ({"devices": {"slices": [{"driver": "x"}]}}, "devices"),
        (
            {
                "nodes": [
                    {
                        "allocatable": {"cpu": 1},
                        "extra": {
                            "topology_manager_policy": "single-numa-node",
                            "zones": [{"resources": [{"name": "cpu", "available": "few"}]}],
                        },
                    }
                ]
            },
            "nodes[0].extra",
        ),
    ],
)
def test_what_is_taken_over_as_kubernetes_writes_it_is_looked_at_first(ask: Ask, given: Any, path: str) -> None:
    found = ask(clusters=[NORTH, {**SOUTH, **given}], apps={"api": {"requests": {"cpu": 1}}})
    assert paths(found) == [f"clusters[1].{path}"]


def test_the_table_is_said_line_by_line(ask: Ask) -> None:
    said = ask(apps={"api": {"requests": {"cpu": 6}}}, show=True, explain=["api"])["said"]
    assert said[0] == "api: 1 of 2 clusters"
    assert any("lab+b" in line and "needs 2 more cpu; largest node has 4 free" in line for line in said)


def test_where_an_app_runs_is_given_as_the_answer_gives_it(ask: Ask) -> None:
    wrong = ask(apps={"api": {}}, current={"api": {"lab+a": -1, "lab+b": "two", "lab": 1}})
    assert paths(wrong) == ["current.api.lab+a", "current.api.lab+b", "current.api.lab"]
    asked = {"apps": {"api": {"count": 1}}}
    first = chosen(ask(**asked))
    assert chosen(ask(**asked, current={"api": first})) == first == {"lab+a": None}
