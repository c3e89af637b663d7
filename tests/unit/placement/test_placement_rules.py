# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters, spread, affinity, fallback, stability, explanation: what must hold of decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement, parse_hardware
from ansible_collections.emco.edge.plugins.module_utils._placement.explain import as_result, table
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import Reservation
from ansible_collections.emco.edge.plugins.module_utils._placement.what_if import changed_fleet
from tests.unit.placement.fleets import (
    NOW,
    SCORED,
    by_score,
    decided,
    fleet_of,
    intents_of,
    names,
    placed,
    reasons,
    ref,
    replicas,
)

THREE: dict[str, dict[str, Any]] = {
    "a": {"labels": {"region": "north", "gold": ""}, "kv": {"site": {"rack": "r7"}}, "version": "v1.31.2"},
    "b": {"labels": {"region": "south"}, "version": "v1.9.0"},
    "c": {"labels": {"region": "west"}},
}
API = {"apis": ["apps/v1", "apps/v1/Deployment"]}
MAINTENANCE = [{"key": "maintenance", "added": NOW - 100}]


@pytest.mark.parametrize(
    ("intent", "want"),
    [
        (None, "abc"),
        ({}, "abc"),
        ({"clusters": ["lab+a", "lab+c"]}, "ac"),
        ({"clusters": "lab+a, lab+c"}, "ac"),
        ({"label": "region=north"}, "a"),
        ({"label": "gold"}, "a"),
        ({"selector": "region in (north, south), facts.version >= 1.30"}, "a"),
        ({"selector": "kv.site.rack = r7"}, "a"),
        ({"selector": "!gold"}, "bc"),
        ({"selector": "!gold", "exclude": [{"cluster": "lab+b"}]}, "c"),
        ({"exclude": [{"label": "gold"}, {"selector": "region = west"}]}, "b"),
        ({"all_of": [{"label": "region=north"}, {"cluster": "lab+b"}]}, "ab"),
        ({"all_of": [{"label": "region=north"}], "count": 1}, "a"),
        ({"count": "50%"}, "ab"),
        ({"count": "1%"}, "a"),
        ({"count": {"min": 2, "max": "100%"}}, "abc"),
        ({"count": {"max": 2}}, "ab"),
        ({"any_of": [{"cluster": "lab+c"}, {"label": "gold"}], "count": 2}, "ac"),
        ({"all_of": [{"cluster": "lab+c"}, {"selector": "region != west"}], "count": 2}, "ac"),
        ({"label": "region=north", "fallback": [{"label": "region=south"}]}, "a"),
        ({"label": "region=east", "fallback": [{"label": "region=south"}]}, "b"),
        ({"label": "region=east", "fallback": [{"label": "x"}, {"clusters": ["lab+b", "lab+c"]}]}, "bc"),
        ({"any_of": [{"label": "x"}], "fallback": [{"any_of": [{"cluster": "lab+c"}, {"cluster": "lab+b"}]}]}, "b"),
        ({"clusters": ["lab+x"], "fallback": [{"cluster": "lab+b"}]}, "b"),
        ({"label": "region=north", "count": 2, "fallback": [{"label": "region=west"}]}, "ac"),
        ({"spread": [{"by": "region", "max_domains": 2}], "count": {"min": 1, "max": 3}}, "ab"),
        ({"spread": [{"by": "cluster", "max_domains": 2}]}, "ab"),
    ],
)
def test_intent_chooses_the_clusters_it_means(intent: Any, want: str) -> None:
    decision = decided(THREE, intent)
    assert "".join(names(decision)) == want
    assert {one.cluster.name for one in decision.refusals} == set("abc") - set(want)


@pytest.mark.parametrize(
    ("cluster", "intent", "held", "reason"),
    [
        ({"schedulable": False}, {}, False, "Cordoned"),
        ({"schedulable": False}, {}, True, None),
        ({"drain": True}, {}, False, "Draining"),
        ({"drain": True}, {}, True, "Draining"),
        ({"reachable": False}, {}, False, "Unreachable"),
        ({"reachable": False}, {}, True, None),
        ({"reachable": False}, {"on_unreachable": "replace"}, True, "Unreachable"),
        ({"unreachable_since": NOW - 1799}, {"on_unreachable": {"after": "30m", "replace": True}}, True, None),
        ({"unreachable_since": NOW - 1800}, {"on_unreachable": {"after": "30m", "replace": True}}, True, "Unreachable"),
        ({"unreachable_since": NOW - 301}, {"on_unreachable": {"after": "30m", "replace": True}}, False, "Unreachable"),
        ({"unreachable_since": NOW - 60}, {"on_unreachable": {"after": "1m", "replace": True}}, True, "Unreachable"),
        ({"unreachable_since": NOW - 299}, {}, False, None),
        ({"unreachable_since": NOW - 300}, {}, False, "Unreachable"),
        ({"taints": MAINTENANCE}, {}, False, "Tainted"),
        ({"taints": MAINTENANCE}, {}, True, "Tainted"),
        ({"taints": MAINTENANCE}, {"tolerations": [{"key": "maintenance", "operator": "Exists"}]}, False, None),
        ({"taints": MAINTENANCE}, {"tolerations": [{"operator": "Exists"}]}, False, None),
        (
            {"taints": MAINTENANCE},
            {"tolerations": [{"key": "maintenance", "operator": "Exists", "toleration_seconds": "101s"}]},
            True,
            None,
        ),
        (
            {"taints": MAINTENANCE},
            {"tolerations": [{"key": "maintenance", "operator": "Exists", "toleration_seconds": 100}]},
            True,
            "Tainted",
        ),
        (
            {"taints": [{"key": "maintenance"}]},
            {"tolerations": [{"key": "maintenance", "toleration_seconds": 1}]},
            True,
            None,
        ),
        ({"constraints": "team = video"}, {}, False, "RefusedByCluster"),
        ({"labels": {"x": "y"}}, {"spread": [{"by": "region"}]}, False, "NoDomain"),
        ({"labels": {"x": "y"}}, {"spread": [{"by": "region", "when": "prefer"}]}, False, None),
        ({"free_replicas": 0}, {}, False, "InsufficientCapacity"),
        ({"free_replicas": {"app": 0}}, {}, False, "InsufficientCapacity"),
        ({"free_replicas": {"other": 0}}, {}, False, None),
        ({"free_replicas": 0}, {}, True, None),
        ({"free_replicas": 2}, {"replicas": {"total": 3}}, False, "InsufficientCapacity"),
        ({"free_replicas": 3}, {"replicas": {"total": 3}}, False, None),
        ({}, {"replicas": {"total": 3, "divide": "capacity"}}, False, "CapacityUnknown"),
        ({}, {"replicas": {"total": 3, "divide": "weighted", "weights": [{"cluster": "lab+z"}]}}, False, "NoWeight"),
    ],
)
def test_cluster_is_refused_for_this_reason(
    cluster: Mapping[str, Any], intent: Any, held: bool, reason: str | None
) -> None:
    clusters = {"x": cluster, "z": {"labels": {"region": "r"}, "free_replicas": 99}}
    decision = placed(clusters, {"app": intent}, {"app": {"x": None}} if held else {}).decisions["app"]
    assert reasons(decision).get("x") == reason
    assert ("x" in names(decision)) is (reason is None)


def test_app_goes_where_its_kinds_are_served() -> None:
    clusters = {"yes": API, "no": {"apis": ["v1", "v1/Pod"]}, "versions": {"apis": ["apps/v1"]}, "unread": {}}
    request = {"required_apis": ("apps/v1/Deployment",)}
    decision = decided(clusters, {}, request=request)
    assert names(decision) == ["unread", "versions", "yes"]
    assert decision.refusals[0].message == "it does not serve apps/v1/Deployment"


def test_toleration_that_ran_out_is_told_apart_from_none() -> None:
    clusters = {"x": {"taints": MAINTENANCE}, "z": {}}
    intent = {"tolerations": [{"key": "maintenance", "operator": "Exists", "toleration_seconds": 5}]}
    assert "is tolerated no longer" in decided(clusters, intent).refusals[0].message
    assert "is not tolerated" in decided(clusters, {}).refusals[0].message


def test_apps_stay_together_and_apart() -> None:
    apps = {"z-broker": {"count": 2}, "api": {"with": ["z-broker"]}, "spare": {"apart_from": ["z-broker", "api"]}}
    placement = placed(THREE, apps)
    broker = names(placement.decisions["z-broker"])
    assert names(placement.decisions["api"]) == broker
    assert names(placement.decisions["spare"]) == sorted(set("abc") - set(broker))
    assert set(reasons(placement.decisions["api"]).values()) == {"NotWith"}
    assert set(reasons(placement.decisions["spare"]).values()) == {"ApartFrom"}


def test_app_elsewhere_in_the_fleet_counts_for_with() -> None:
    apps = {"api": {"with": ["broker"]}, "broker": {"clusters": ["lab+b"]}}
    assert names(placed(THREE, apps, {"broker": {"a": None}}).decisions["api"]) == ["b"]


REGIONS = {f"{region}{at}": {"labels": {"region": region}} for region in "nsw" for at in range(4)}


@pytest.mark.parametrize(
    ("count", "skew", "want"), [(3, 1, [1, 1, 1]), (4, 1, [1, 1, 2]), (7, 1, [2, 2, 3]), (12, 1, [4, 4, 4])]
)
def test_clusters_are_spread_over_regions(count: int, skew: int, want: list[int]) -> None:
    found = names(decided(REGIONS, {"count": count, "spread": [{"by": "region", "max_skew": skew}]}))
    assert sorted(sum(name[0] == region for name in found) for region in "nsw") == want


def test_spread_keeps_out_what_would_be_too_many() -> None:
    clusters = {**REGIONS, "e0": {"labels": {"region": "e"}}}
    decision = decided(clusters, {"spread": [{"by": "region"}]})
    assert len(decision.chosen) == 7
    assert reasons(decision)["n3"] == "Spread"
    assert len(decided(clusters, {"spread": [{"by": "region", "when": "prefer"}]}).chosen) == 13


def test_spread_at_two_levels_keeps_both() -> None:
    clusters = {
        f"{region}{zone}{at}": {"labels": {"region": region, "zone": f"{region}{zone}"}}
        for region in "ab"
        for zone in "123"
        for at in range(3)
    }
    found = names(decided(clusters, {"count": 6, "spread": [{"by": "region"}, {"by": "zone"}]}))
    assert sorted({name[:2] for name in found}) == ["a1", "a2", "a3", "b1", "b2", "b3"]


def test_too_few_domains_are_refused_or_put_up_with() -> None:
    spread = {"by": "region", "min_domains": 4}
    assert placed(REGIONS, {"app": {"spread": [spread]}}).failures[0].reason == "NotEnoughDomains"
    assert len(decided(REGIONS, {"spread": [{**spread, "when": "prefer"}], "count": 3}).chosen) == 3


def test_replicas_are_spread_over_clusters_by_skew() -> None:
    intent = {
        "replicas": {
            "total": 9,
            "divide": "weighted",
            "weights": [{"cluster": "lab+a", "weight": 9}, {"selector": ""}],
        },
        "spread": [{"by": "cluster", "max_skew": 1}],
    }
    assert replicas(decided(THREE, intent)) == {"a": 3, "b": 3, "c": 3}


def test_fallback_group_takes_only_what_overflows() -> None:
    clusters = {
        "n": {"labels": {"region": "n"}, "free_replicas": 5},
        "s": {"labels": {"region": "s"}, "free_replicas": 9},
    }
    intent = {
        "label": "region=n",
        "replicas": {"total": 8, "divide": "capacity"},
        "fallback": [{"label": "region=s"}],
    }
    assert replicas(decided(clusters, intent)) == {"n": 5, "s": 3}
    intent["replicas"] = {"total": 5, "divide": "capacity"}
    assert replicas(decided(clusters, intent)) == {"n": 5}
    assert reasons(decided(clusters, intent)) == {"s": "FallbackNotNeeded"}
    intent["replicas"] = {"total": 15, "divide": "capacity", "on_shortage": "partial"}
    assert decided(clusters, intent).shortage == 1


def test_what_runs_stays_though_something_better_came() -> None:
    clusters = by_score({"old": 1, "new": 9})
    intent = {**SCORED, "count": 1}
    assert names(decided(clusters, intent, {"old": None})) == ["old"]
    rebalanced = decided(clusters, intent, {"old": None}, rebalance=True)
    assert names(rebalanced) == ["new"]
    assert rebalanced.moved[0].why.startswith("rebalance: ")


def test_draining_moves_what_may_move() -> None:
    clusters = {"x": {"drain": True}, "y": {}}
    moved = decided(clusters, {"count": 1}, {"x": None})
    assert names(moved) == ["y"]
    assert [(one.source, one.to, one.why) for one in moved.moved] == [
        (ref("x"), (ref("y"),), "Draining: it is being drained")
    ]
    pinned = placed(clusters, {"app": {"clusters": ["lab+x"]}}, {"app": {"x": None}})
    pinned.raise_if_failed()
    assert names(pinned.decisions["app"]) == ["x"]
    assert "stays on lab+x, which is being drained" in pinned.warnings[0]
    assert placed(clusters, {"app": {"clusters": ["lab+x"]}}).failures


def test_cluster_that_left_the_fleet_is_said_to_be_left() -> None:
    decision = decided({"y": {}}, {}, {"gone": None})
    assert [(one.source, one.why) for one in decision.moved] == [(ref("gone"), "it is no longer in the fleet")]


def test_apps_share_the_room_of_a_cluster() -> None:
    clusters = {name: {"nodes": [{"allocatable": {"cpu": 4, "pods": 9}}]} for name in ("a", "b")}
    pods = (PodDemand("Deployment", "x", {"cpu": 3000, "pods": 1}),)
    apps = {name: {"count": 1} for name in ("one", "two", "three")}
    placement = placed(clusters, apps, requests={name: {"pods": pods} for name in apps})
    assert [failure.app for failure in placement.failures] == ["two"]
    assert {names(placement.decisions[name])[0] for name in ("one", "three")} == {"a", "b"}
    with pytest.raises(EdgeError) as raised:
        placement.raise_if_failed()
    assert raised.value.reason == "NoFeasibleCluster"
    assert raised.value.details["failures"][0]["nearest"] == {"cluster": "lab+a", "lacks": "2 cpu"}


def test_promised_pods_that_have_not_landed_keep_their_room() -> None:
    clusters = {"a": {"nodes": [{"allocatable": {"cpu": 4}}]}, "b": {"nodes": [{"allocatable": {"cpu": 4}}]}}
    pods = (PodDemand("Deployment", "x", {"cpu": 3000}),)
    kept = [Reservation(ref("a"), pods)]
    assert names(decided(clusters, {"count": 1}, request={"pods": pods}, reserved=kept)) == ["b"]
    assert names(decided(clusters, {"count": 1}, {"a": None}, {"pods": pods}, reserved=kept)) == ["a"]


@pytest.mark.parametrize(
    ("score", "best"),
    [
        ({"by": "free", "resource": "cpu"}, "big"),
        ({"by": "free", "resource": "memory"}, "wide"),
        ({"by": "fragmentation", "resource": "cpu"}, "one"),
        ({"by": "kv", "key": "site.latency", "order": "asc"}, "big"),
        ({"by": "facts", "key": "version"}, "wide"),
        ({"by": "facts", "key": "nodes", "order": "asc"}, "one"),
        ({"by": "query", "query": "facts.nodes[?ready] | length(@)"}, "big"),
        ({"by": "query", "query": "labels.rank"}, "one"),
    ],
)
def test_any_number_may_be_the_score(score: Mapping[str, Any], best: str) -> None:
    def nodes(*cpus: int, memory: str = "1Gi") -> list[dict[str, Any]]:
        return [{"allocatable": {"cpu": cpu, "memory": memory}} for cpu in cpus]

    clusters: dict[str, dict[str, Any]] = {
        "big": {"nodes": nodes(8, 8, 8), "kv": {"site": {"latency": 3}}, "version": "v1.9.1"},
        "wide": {"nodes": nodes(6, 4, memory="9Gi"), "kv": {"site": {"latency": "20"}}, "version": "v1.30.0"},
        "one": {"nodes": nodes(7), "version": "v1.10.7", "labels": {"rank": "7"}},
    }
    assert names(decided(clusters, {"score": [score], "mode": "exact", "count": 1})) == [best]


def test_exact_mode_uses_only_the_scores_given() -> None:
    clusters = by_score({"a": 1, "b": 5})
    exact = decided(clusters, {**SCORED, "count": 1}).chosen[0]
    assert (exact.score, dict(exact.parts)) == (100, {"label score": 100})
    added = decided(clusters, {"score": SCORED["score"], "count": 1}).chosen[0]
    assert dict(added.parts) == {"label score": 100, "balance": 100, "steady": 0}
    assert added.score == 67


def test_result_has_the_shape_of_the_surface() -> None:
    decision = decided(THREE, {"label": "region=north", "replicas": {"total": 3}})
    short = as_result(decision)
    assert set(short) == {"chosen", "refused", "shortage"}
    (chosen,) = short["chosen"]
    assert (chosen["cluster"], chosen["replicas"], chosen["score"]) == ("lab+a", 3, 50)
    assert chosen["why"].endswith("balance 100, steady 0")
    assert short["refused"] == {
        "LabelMismatch": {"count": 2, "example": "lab+b", "message": "it does not have region=north"}
    }
    full = as_result(decision, explain=True)
    assert [(one["cluster"], one["reason"]) for one in full["rejected"]] == [
        ("lab+b", "LabelMismatch"),
        ("lab+c", "LabelMismatch"),
    ]
    assert full["chosen"][0]["scores"] == {"balance": 100, "steady": 0}
    failed = placed({"a": {"free_replicas": 1}}, {"app": {"replicas": {"total": 3}}}).decisions["app"]
    assert as_result(failed)["nearest"] == {"cluster": "lab+a", "lacks": "it can hold 1 of 3 replicas"}


def test_table_shows_choice_reasons_and_failures() -> None:
    placement = placed(THREE, {"api": {"label": "gold"}, "db": {"label": "silver"}, "web": {}})
    text = table(placement, explain=["db"], shown=2)
    assert "api: 1 of 3 clusters" in text
    assert "  +  lab+a    -" in text
    assert "2  LabelMismatch: it does not have gold (lab+b)" in text
    assert any(line.split()[:3] == ["-", "lab+c", "LabelMismatch:"] for line in text.splitlines())
    assert "  + 1 more" in text
    assert "! db cannot be placed: no cluster can take it" in text


def test_what_if_shows_what_would_move() -> None:
    fleet = fleet_of({"edge-1": {}, "edge-2": {}, "edge-3": {}})
    problems = Problems()
    changes = [
        {"cluster": "lab+edge-1", "add_taints": [{"key": "maintenance", "effect": "NoSelect"}]},
        {"cluster": "lab+edge-3", "remove": True},
        {"cluster": "lab+edge-4", "add": {"labels": {"region": "north"}}},
        {"cluster": "lab+edge-2", "labels": {"tier": "edge"}, "schedulable": False},
    ]
    changed = changed_fleet(fleet, changes, "changes", problems)
    problems.raise_if_any()
    decision = placed(changed, {"app": {"count": 2}}, {"app": {"edge-1": None, "edge-3": None}}).decisions["app"]
    assert names(decision) == ["edge-4"]
    assert [one.source.name for one in decision.moved] == ["edge-3", "edge-1"]
    assert {str(cluster.ref): dict(cluster.labels) for cluster in changed}["lab+edge-2"] == {"tier": "edge"}


def test_changes_that_make_no_sense_are_told_with_their_path() -> None:
    problems = Problems()
    raw = [
        {"cluster": "lab+edge-9", "drain": True},
        {"cluster": "lab+edge-1", "add": {}},
        {"cluster": "edge"},
        {"cluster": "lab+edge-1", "drian": True},
    ]
    changed_fleet(fleet_of({"edge-1": {}}), raw, "changes", problems)
    assert [problem.path for problem in problems] == [
        "changes[0].cluster",
        "changes[1].cluster",
        "changes[2].cluster",
        "changes[3].drian",
    ]


def test_two_requests_for_one_app_are_refused() -> None:
    from ansible_collections.emco.edge.plugins.module_utils._placement.planner import AppRequest, place

    with pytest.raises(InvalidInput, match="2 placement intents for app 'api'"):
        place([AppRequest("api"), AppRequest("api")], fleet_of({"a": {}}), now=0.0)
    with pytest.raises(EdgeError, match="more than once"):
        place([], [*fleet_of({"a": {}}), *fleet_of({"a": {}})], now=0.0)


def test_empty_fleet_fails_every_app() -> None:
    placement = placed((), {"app": {}})
    assert placement.failures[0].reason == "NoFeasibleCluster"
    assert placement.decisions["app"].chosen == ()


def test_members_that_are_not_in_the_fleet_change_nothing() -> None:
    members = frozenset({ref("a"), ClusterRef("other", "a")})
    assert names(decided(THREE, {}, members=members)) == ["a"]


def test_what_is_free_is_judged_after_placement() -> None:
    """Before it one large node beats two small ones; the app fills one of the small ones and leaves the other whole."""
    clusters = {
        "one": {"nodes": [{"allocatable": {"cpu": 10}}, {"allocatable": {"cpu": 2}}]},
        "two": {"nodes": [{"allocatable": {"cpu": 6}}, {"allocatable": {"cpu": 6}}]},
    }
    intent = {"mode": "exact", "count": 1, "score": [{"by": "fragmentation", "resource": "cpu"}]}
    pods = (PodDemand("Deployment", "x", {"cpu": 6000}, scalable=True),)
    assert names(decided(clusters, intent)) == ["one"]
    assert names(decided(clusters, intent, request={"pods": pods})) == ["two"]
    # Where it runs already nothing is taken a second time.
    assert names(decided(clusters, {**intent, "count": 2}, {"one": None}, {"pods": pods})) == ["one", "two"]


def test_daemons_count_on_every_node_when_what_is_free_is_compared() -> None:
    clusters = {
        "few": {"nodes": [{"allocatable": {"cpu": 10}}]},
        "many": {"nodes": [{"allocatable": {"cpu": 4}} for _unused in range(3)]},
    }
    intent = {"mode": "exact", "count": 1, "score": [{"by": "free", "resource": "cpu"}]}
    daemon = (PodDemand("DaemonSet", "x", {"cpu": 3000}, per_node=True),)
    assert names(decided(clusters, intent)) == ["many"]
    assert names(decided(clusters, intent, request={"pods": daemon})) == ["few"]


def test_what_is_required_and_excluded_by_the_same_words_is_a_contradiction() -> None:
    with pytest.raises(InvalidInput) as raised:
        intents_of(
            {
                "one": {"all_of": [{"label": "gold"}], "exclude": [{"cluster": "lab+a"}, {"label": "gold"}]},
                "two": {"all_of": [{"selector": "tier in (a, b)"}], "exclude": [{"selector": "tier in (a, b)"}]},
                "fine": {"all_of": [{"label": "gold", "provider": "lab"}], "exclude": [{"label": "gold"}]},
            }
        )
    assert [problem.path for problem in raised.value.problems] == ["apps.one.exclude[1]", "apps.two.exclude[0]"]


def test_table_is_aligned() -> None:
    placement = placed(by_score({"edge-1": 100, "b": 0}), {"api": {**SCORED, "count": 1, "replicas": {"total": 12}}})
    assert table(placement, explain=["api"]) == (
        "api: 1 of 2 clusters\n"
        "     cluster     replicas  score  why\n"
        "  +  lab+edge-1  12        100    among the best of 2 that can take it; label score 100\n"
        "  -  lab+b                        LowerScore: others were preferred: "
        "its score is -100, the lowest chosen has 100"
    )


def test_cluster_that_refuses_an_app_says_what_it_takes_and_what_the_app_is() -> None:
    clusters = {"a": {"constraints": "team=blue"}, "b": {}}
    (refusal,) = decided(clusters, {}, request={"labels": {"tier": "x", "team": "red"}}).refusals
    assert refusal.message == "it takes only apps with team=blue; this one has team=red, tier=x"
    (refusal,) = decided(clusters, {}).refusals
    assert refusal.message == "it takes only apps with team=blue; this one has no labels"


def test_fleets_of_more_clusters_than_a_word_has_bits() -> None:
    clusters = {f"c{at:03d}": {"labels": {"half": str(at % 2)}} for at in range(200)}
    decision = decided(clusters, {"label": "half=1"})
    assert names(decision) == [f"c{at:03d}" for at in range(1, 200, 2)]
    assert set(reasons(decision)) == {f"c{at:03d}" for at in range(0, 200, 2)}


def test_what_one_app_grows_by_is_gone_for_the_next() -> None:
    clusters = {"a": {"nodes": [{"allocatable": {"cpu": 10, "pods": 99}, "used": {"cpu": 1}}]}}
    grown = {"requests": {"cpu": 1}, "replicas": {"total": 4, "divide": "capacity"}}
    rest = {"requests": {"cpu": 1}, "replicas": {"total": 99, "divide": "capacity", "on_shortage": "partial"}}
    decision = placed(clusters, {"a": grown, "b": rest}, {"a": {"a": 1}}).decisions["b"]
    assert replicas(decision) == {"a": 6}


def test_query_is_asked_of_clusters_that_nobody_read_as_well() -> None:
    clusters = {"read": {"nodes": [{"allocatable": {"cpu": 1}}]}, "unread": {"labels": {"rank": "7"}}}
    by = {"mode": "exact", "count": 1}
    assert names(decided(clusters, {**by, "score": [{"by": "query", "query": "length(facts.nodes)"}]})) == ["read"]
    assert names(decided(clusters, {**by, "score": [{"by": "query", "query": "labels.rank"}]})) == ["unread"]


def test_optional_hardware_is_preferred_by_weight() -> None:
    def wish(resource: str, weight: int) -> HardwareRequirement:
        problems = Problems()
        raw = {"app": "app", "workload": "x", "container": "main", "requests": {resource: 1}}
        (found,) = parse_hardware([{**raw, "mandatory": False, "weight": weight}], ["app"], "hardware", problems)
        problems.raise_if_any()
        return found

    def with_device(resource: str) -> dict[str, Any]:
        return {"nodes": [{"allocatable": {"cpu": 4, resource: 1}}]}

    clusters = {"fast": with_device("example.com/fast"), "slow": with_device("example.com/slow"), "none": {"nodes": []}}
    pods = (PodDemand("Deployment", "x", {"cpu": 1000}, scalable=True, containers=(("main", {"cpu": 1000}),)),)
    for weights, best in (((5, 1), "fast"), ((1, 5), "slow")):
        wishes = (wish("example.com/fast", weights[0]), wish("example.com/slow", weights[1]))
        assert names(decided(clusters, {"count": 1}, request={"pods": pods, "hardware": wishes})) == [best]


def test_spread_is_chosen_anew_when_a_rebalance_is_asked_for() -> None:
    clusters = by_score({"a": 1, "b": 2, "c": 3}, a={"labels": {"score": "1", "region": "x"}})
    for name in "bc":
        clusters[name]["labels"]["region"] = "y"
    intent = {**SCORED, "count": 2, "spread": [{"by": "region", "max_domains": 1}]}
    held: dict[str, int | None] = {"a": None}
    assert "a" in names(
        placed(clusters, {"app": {**intent, "count": {"min": 1, "max": 2}}}, {"app": held}).decisions["app"]
    )
    assert names(decided(clusters, intent, held, rebalance=True)) == ["b", "c"]


def test_zones_that_lie_across_regions_are_exchanged_for_roomier_clusters() -> None:
    def there(region: str, zone: str, score: int, **free: int) -> dict[str, Any]:
        return {"labels": {"region": region, "zone": zone, "score": str(score)}, **free}

    clusters = {
        "a1": there("r1", "a", 9, free_replicas=2),
        "a2": there("r1", "a", 1, free_replicas=30),
        "b1": there("r2", "b", 9, free_replicas=2),
        "b2": there("r2", "b", 1, free_replicas=50),
        "c1": there("r2", "a", 0, free_replicas=1),
    }
    spread = [{"by": "region"}, {"by": "zone"}]
    intent = {**SCORED, "count": 2, "spread": spread, "replicas": {"total": 40, "divide": "capacity"}}
    assert names(decided(clusters, intent)) == ["a1", "b2"]
    unlimited = {**clusters, "b2": there("r2", "b", 1)}
    weighted = {**intent, "replicas": {"total": 400, "divide": "weighted"}}
    assert "b2" in names(decided(unlimited, weighted))


def test_more_domains_than_clusters_are_a_contradiction() -> None:
    spread = [{"by": "zone"}, {"by": "region", "min_domains": 3}]
    with pytest.raises(InvalidInput) as raised:
        intents_of({"app": {"count": {"min": 1, "max": 2}, "spread": spread}})
    assert [problem.path for problem in raised.value.problems] == ["apps.app.spread[1].min_domains"]
    intents_of({"app": {"count": 3, "spread": spread}})
    intents_of({"app": {"count": 2, "spread": [{**spread[1], "when": "prefer"}]}})
