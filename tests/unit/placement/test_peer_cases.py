# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What peers' own tests say about placement, restated in our syntax: inputs and outputs as facts.

Cases without a counterpart here, by name:
- rollouts, which another room decides: ocm_rollout (all 19), fleet_limit (7), fleet_autopartition (5),
  argo_maxupdate (3), sveltos maxUpdate (2);
- group_score (4): a number of Karmada's that ranks regions before choosing; here regions are chosen by what their
  clusters score and hold, so what those numbers would choose is tested instead;
- open_horizon_constraints 5 ("list of strings only with 'in'"): a quoted value with a comma is one value here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Taint
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput
from ansible_collections.emco.edge.plugins.module_utils._model.placement_rules import Toleration
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector
from ansible_collections.emco.edge.plugins.module_utils._placement.division import webster
from tests.unit.placement.fleets import SCORED, by_score, decided, names, placed, reasons, replicas

PARTIES = {"A": 100000, "B": 80000, "C": 30000, "D": 20000}


@pytest.mark.parametrize(
    ("votes", "init", "seats", "want"),
    [
        (PARTIES, {}, 1, {"A": 1, "B": 0, "C": 0, "D": 0}),
        (PARTIES, {}, 3, {"A": 2, "B": 1, "C": 0, "D": 0}),
        (PARTIES, {}, 5, {"A": 2, "B": 2, "C": 1, "D": 0}),
        (PARTIES, {}, 7, {"A": 3, "B": 2, "C": 1, "D": 1}),
        ({"Alpha": 1200, "Beta": 900, "Gamma": 400}, {}, 4, {"Alpha": 2, "Beta": 1, "Gamma": 1}),
        ({"A": 100}, {"B": 3}, 2, {"A": 2, "B": 3}),
    ],
)
def test_webster_gives_seats_as_karmada_does(
    votes: Mapping[str, int], init: Mapping[str, int], seats: int, want: Mapping[str, int]
) -> None:
    number = {name: index for index, name in enumerate(sorted({**votes, **init}))}
    found = webster(
        {number[name]: weight for name, weight in votes.items()},
        seats,
        held={number[name]: count for name, count in init.items()},
    )
    assert {name: found[number[name]] for name in want} == want


def members(count: int) -> list[str]:
    return [f"m{index}" for index in range(1, count + 1)]


def weighted(total: int, weights: Mapping[str, int]) -> dict[str, Any]:
    rules = [{"cluster": f"lab+{name}", "weight": weight} for name, weight in weights.items()]
    return {"replicas": {"total": total, "divide": "weighted", "weights": rules}}


@pytest.mark.parametrize(
    ("total", "weights", "want"),
    [
        (12, [3, 2, 1], [6, 4, 2]),
        (14, [3, 2, 1], [7, 5, 2]),
        (3, [2, 1], [2, 1]),
        (3, [1, 1, 1], [1, 1, 1]),
        (7, [2, 1, 1, 1], [3, 2, 1, 1]),
        (9, [2, 1, 1, 1], [3, 2, 2, 2]),
        (6, [2, 1, 1, 1], [3, 1, 1, 1]),
        (6, [1, 1, 1], [2, 2, 2]),
        # Clusternet's static weights
        (5, [2, 1, 0, 2], [2, 1, 0, 2]),
        (6, [2, 1, 0, 2], [3, 1, 0, 2]),
        (12, [1, 2], [4, 8]),
    ],
)
def test_static_weights_divide_replicas(total: int, weights: Sequence[int], want: Sequence[int]) -> None:
    clusters = members(len(weights))
    decision = decided({name: {} for name in clusters}, weighted(total, dict(zip(clusters, weights, strict=True))))
    found = replicas(decision)
    assert [found.get(name, 0) for name in clusters] == want
    assert decision.shortage == 0


def divided(
    total: int, free: Mapping[str, int], divide: str, current: Mapping[str, int] | None = None, **more: Any
) -> Any:
    clusters: dict[str, dict[str, Any]] = {name: {"free_replicas": count} for name, count in free.items()}
    for name in current or {}:
        clusters.setdefault(name, {"schedulable": False, "taints": [{"key": "gone"}]})
    return placed(clusters, {"app": {"replicas": {"total": total, "divide": divide}}}, {"app": current or {}}, **more)


def free(*counts: int) -> dict[str, int]:
    return dict(zip(members(len(counts)), counts, strict=True))


@pytest.mark.parametrize(
    ("total", "room", "current", "want"),
    [
        (12, free(18, 12, 6), {}, {"m1": 6, "m2": 4, "m3": 2}),
        (12, free(6, 12, 6), {}, {"m1": 3, "m2": 6, "m3": 3}),
        (12, free(8, 8, 10), {}, {"m1": 4, "m2": 4, "m3": 4}),
        (6, free(1, 1, 1), free(2, 4, 6), {"m1": 1, "m2": 2, "m3": 3}),
        # Clusternet's dynamic assignment
        (8, free(10, 10, 10), {"m1": 1, "m2": 3}, {"m1": 3, "m2": 4, "m3": 1}),
        (2, free(10, 10, 10), {"m1": 1, "m2": 3}, {"m2": 2}),
        (4, free(10, 10, 10), {"m1": 1, "m2": 3}, {"m1": 1, "m2": 3}),
    ],
)
def test_free_capacity_divides_replicas(
    total: int, room: Mapping[str, int], current: Mapping[str, int], want: Mapping[str, int]
) -> None:
    placement = divided(total, room, "capacity", current)
    placement.raise_if_failed()
    assert replicas(placement.decisions["app"]) == want


@pytest.mark.parametrize(
    ("total", "room", "current", "want"),
    [
        (12, free(6, 12, 6), {}, {"m2": 12}),
        (12, free(6, 8, 10), {}, {"m2": 5, "m3": 7}),
        (8, free(4, 6, 8), {"m1": 4, "m2": 8}, {"m2": 8}),
        (24, free(6, 6, 20), {"m1": 4, "m2": 8}, {"m1": 10, "m2": 14}),
        (24, {"m1": 4, "m3": 8, "m4": 12}, {"m1": 4, "m2": 8}, {"m1": 7, "m3": 7, "m4": 10}),
    ],
)
def test_aggregated_replicas_lie_on_few_clusters(
    total: int, room: Mapping[str, int], current: Mapping[str, int], want: Mapping[str, int]
) -> None:
    placement = divided(total, room, "aggregated", current)
    placement.raise_if_failed()
    assert replicas(placement.decisions["app"]) == want


@pytest.mark.parametrize(
    ("total", "room", "current", "divide", "shortage"),
    [
        (24, free(1, 1, 1), free(2, 4, 6), "capacity", 9),
        (12, free(3, 3, 3), {}, "aggregated", 3),
    ],
)
def test_shortage_of_capacity_is_an_error_with_the_number(
    total: int, room: Mapping[str, int], current: Mapping[str, int], divide: str, shortage: int
) -> None:
    placement = divided(total, room, divide, current)
    with pytest.raises(EdgeError, match=f"{shortage} of {total} replicas find no room") as raised:
        placement.raise_if_failed()
    assert raised.value.reason == "NotEnoughCapacity"
    assert placement.decisions["app"].shortage == shortage


SELECTABLE = {"m1": (20, 40), "m2": (40, 60), "m3": (30, 80), "m4": (60, 50)}


def selected(need: int | None, count: Any) -> Any:
    clusters = {name: {"labels": {"score": str(s)}, "free_replicas": room} for name, (s, room) in SELECTABLE.items()}
    intent = {**SCORED, "count": count}
    if need is not None:
        intent["replicas"] = {"total": need, "divide": "capacity"}
    return placed(clusters, {"app": intent})


def test_best_clusters_that_hold_the_replicas_are_selected() -> None:
    assert names(selected(100, {"min": 1, "max": 2}).decisions["app"]) == ["m2", "m4"]


def test_replicas_that_no_two_clusters_hold_are_an_error() -> None:
    with pytest.raises(EdgeError, match="60 of 200 replicas"):
        selected(200, {"min": 1, "max": 2}).raise_if_failed()


def test_duplicated_app_takes_the_best_clusters() -> None:
    assert names(selected(None, {"min": 1, "max": 2}).decisions["app"]) == ["m2", "m4"]


Group = tuple[int, int]


@pytest.mark.parametrize(
    ("groups", "most", "target", "want"),
    [
        ({"R1": (1, 80), "R3": (1, 80), "R2": (1, 60), "R5": (2, 60), "R4": (5, 50), "R6": (3, 50)}, 3, 10, "R4 R5 R6"),
        ({"R1": (1, 60), "R2": (1, 50), "R3": (1, 40), "R4": (3, 30), "R5": (3, 20), "R6": (3, 10)}, 3, 6, "R1 R4 R5"),
        ({"R4": (1, 60), "R3": (3, 50), "R1": (3, 40), "R2": (4, 30)}, 2, 5, "R1 R3"),
    ],
)
def test_regions_with_enough_clusters_and_the_best_scores_are_chosen(
    groups: Mapping[str, Group], most: int, target: int, want: str
) -> None:
    clusters = {
        f"{region}-{index}".lower(): {"labels": {"score": str(weight), "region": region}}
        for region, (value, weight) in groups.items()
        for index in range(value)
    }
    intent = {**SCORED, "count": target, "spread": [{"by": "region", "min_domains": 1, "max_domains": most}]}
    found = names(decided(clusters, intent))
    assert len(found) == target
    assert {name.split("-")[0].upper() for name in found} == set(want.split())


Region = Mapping[str, Sequence[tuple[str, int, int]]]
TWO_REGIONS: Region = {
    "R1": [("member1", 100, 40), ("member2", 80, 40)],
    "R2": [("member3", 80, 40), ("member4", 80, 40), ("member5", 60, 40)],
}
FOUR_REGIONS: Region = {
    "R1": [("member1", 90, 40)],
    "R2": [("member2", 70, 40), ("member3", 60, 40), ("member4", 30, 40)],
    "R3": [("member5", 80, 40), ("member6", 50, 60)],
    "R4": [("member7", 50, 50), ("member8", 40, 50), ("member9", 10, 50), ("member10", 0, 50)],
}


def by_region(regions: Region, domains: tuple[int, int], count: tuple[int, int], need: int | None = None) -> Any:
    clusters = {
        name: {"labels": {"score": str(score), "region": region}, "free_replicas": room}
        for region, listed in regions.items()
        for name, score, room in listed
    }
    intent: dict[str, Any] = {
        **SCORED,
        "count": {"min": count[0], "max": count[1]},
        "spread": [{"by": "region", "min_domains": domains[0], "max_domains": domains[1]}],
    }
    if need is not None:
        intent["replicas"] = {"total": need, "divide": "capacity"}
    return placed(clusters, {"app": intent})


def test_region_with_the_higher_score_is_chosen() -> None:
    assert names(by_region(TWO_REGIONS, (1, 1), (2, 2)).decisions["app"]) == ["member1", "member2"]


def test_two_regions_hold_enough_clusters_with_more_score_than_karmada_finds() -> None:
    """Karmada ranks regions by their best cluster and takes R1 and R2 (four clusters, 250)."""
    score = {name: points for listed in FOUR_REGIONS.values() for name, points, _room in listed}
    found = names(by_region(FOUR_REGIONS, (2, 2), (4, 5)).decisions["app"])
    region = {name: where for where, listed in FOUR_REGIONS.items() for name, _points, _room in listed}
    assert len({region[name] for name in found}) == 2
    assert 4 <= len(found) <= 5
    assert sum(score[name] for name in found) == 290 > 250


def test_too_few_regions_are_an_error() -> None:
    with pytest.raises(EdgeError) as raised:
        by_region(TWO_REGIONS, (3, 3), (3, 3)).raise_if_failed()
    assert raised.value.reason == "NotEnoughDomains"


def test_too_few_clusters_in_the_only_region_are_an_error() -> None:
    only: Region = {"R1": [("member1", 100, 40), ("member2", 80, 20)]}
    with pytest.raises(EdgeError) as raised:
        by_region(only, (1, 1), (3, 4)).raise_if_failed()
    assert raised.value.reason == "NotEnoughClusters"


def test_choice_within_a_region_holds_the_replicas_where_karmada_fails() -> None:
    regions: Region = {"R": [("m1", 100, 10), ("m2", 100, 10), ("m3", 0, 200)]}
    placement = by_region(regions, (1, 1), (1, 2), need=100)
    placement.raise_if_failed()
    assert names(placement.decisions["app"]) in (["m1", "m3"], ["m2", "m3"])


@pytest.mark.parametrize(
    ("regions", "count", "need", "divide", "want"),
    [
        # Duplicated, 50 replicas: the region in which more clusters hold all of them.
        ({"A": [(100, 60), (100, 70), (100, 40)], "B": [(0, 100), (0, 10)]}, {"max": 3}, 50, "duplicated", "A"),
        ({"A": [(0, 100), (0, 100)], "B": [(0, 10), (0, 10)]}, {"max": 2}, 50, "duplicated", "A"),
        # Divided, 100 replicas over two clusters: the region that holds them.
        ({"A": [(0, 40), (0, 30), (0, 10), (0, 10)], "B": [(0, 100), (0, 100)]}, 2, 100, "capacity", "B"),
        ({"A": [(0, 100), (0, 100), (0, 10)], "B": [(0, 40), (0, 30)]}, 2, 100, "capacity", "A"),
    ],
)
def test_region_that_holds_the_replicas_is_chosen(
    regions: Mapping[str, Sequence[Group]], count: Any, need: int, divide: str, want: str
) -> None:
    clusters = {
        f"{region}{index}": {"labels": {"score": str(score), "region": region}, "free_replicas": room}
        for region, listed in regions.items()
        for index, (score, room) in enumerate(listed)
    }
    intent = {
        **SCORED,
        "count": count,
        "spread": [{"by": "region", "max_domains": 1}],
        "replicas": {"total": need, "divide": divide},
    }
    assert {name[0] for name in names(decided(clusters, intent))} == {want}


def with_node(allocatable: Mapping[str, Any], used: Mapping[str, Any], count: int = 1) -> dict[str, Any]:
    return {"nodes": [{"allocatable": allocatable, "used": used}] * count}


@pytest.mark.parametrize(
    ("cluster", "per_replica", "want"),
    [
        (
            with_node({"pods": 100, "cpu": 4, "memory": "8Gi"}, {"pods": 20, "cpu": 1, "memory": "2Gi"}),
            {"cpu": "500m", "memory": "1Gi"},
            6,
        ),
        (with_node({"pods": 10}, {"pods": 10}), {"cpu": 1}, 0),
        # 40 allocated and 10 about to be.
        (with_node({"pods": 100}, {"pods": 50}), None, 50),
    ],
)
def test_estimate_of_replicas_counts_what_is_free(
    cluster: Mapping[str, Any], per_replica: Mapping[str, Any] | None, want: int
) -> None:
    intent = {"requests": per_replica, "replicas": {"total": 1000, "divide": "capacity", "on_shortage": "partial"}}
    decision = placed({"m1": cluster}, {"app": intent}).decisions["app"]
    assert decision.shortage == 1000 - want
    assert sum(one.replicas or 0 for one in decision.chosen) == want


@pytest.mark.parametrize(
    ("score", "clusters", "apps", "current", "want"),
    [
        ({"by": "balance"}, {"c1": {}, "c2": {}, "c3": {}}, {}, {}, {"c1": 100, "c2": 100, "c3": 100}),
        (
            {"by": "balance"},
            {"c1": {}, "c2": {}, "c3": {}},
            {"x": {}, "y": {}},
            {"x": {"c1": None, "c2": None}, "y": {"c1": None, "c3": None}},
            {"c1": -100, "c2": 0, "c3": 0},
        ),
        (
            {"by": "free", "resource": "cpu"},
            {f"c{cpu}": with_node({"cpu": cpu}, {}) for cpu in (10, 6, 2)},
            {},
            {},
            {"c10": 100, "c6": 0, "c2": -100},
        ),
        ({"by": "steady"}, {"c1": {}, "c2": {}}, {}, {"app": {"c1": None}}, {"c1": 100, "c2": 0}),
    ],
)
def test_scores_are_those_of_open_cluster_management(
    score: Any, clusters: Any, apps: Mapping[str, Any], current: Any, want: Mapping[str, int]
) -> None:
    placement = placed(clusters, {"app": {"score": [score], "mode": "exact"}}, current)
    assert apps.keys() <= set(current)
    assert {one.cluster.name: one.score for one in placement.decisions["app"].chosen} == want


@pytest.mark.parametrize(
    ("taint", "toleration", "held", "selected"),
    [
        (("key1", "value1", "NoSelect"), None, False, False),
        (("key1", "value2", "NoSelect"), {"key": "key1", "value": "value1", "operator": "Equal"}, False, False),
        (("key1", "", "NoSelectIfNew"), None, False, False),
        (("key1", "", "NoSelectIfNew"), {"key": "key1", "operator": "Exists"}, False, True),
        (("key1", "", "NoSelectIfNew"), {"key": "key2", "operator": "Exists"}, True, True),
        (
            ("key1", "value1", "NoSelect"),
            {"key": "key1", "value": "value1", "operator": "Equal", "effect": "NoSelectIfNew"},
            False,
            False,
        ),
        (
            ("key1", "value1", "NoSelectIfNew"),
            {"key": "key1", "value": "value2", "operator": "Equal", "effect": "NoSelectIfNew"},
            False,
            False,
        ),
    ],
)
def test_taints_keep_apps_away_as_in_open_cluster_management(
    taint: tuple[str, str, str], toleration: Any, held: bool, selected: bool
) -> None:
    key, value, effect = taint
    clusters = {"c1": {"taints": [{"key": key, "value": value, "effect": effect}]}}
    intent = {"tolerations": [toleration] if toleration else []}
    decision = placed(clusters, {"app": intent}, {"app": {"c1": None}} if held else {}).decisions["app"]
    assert names(decision) == (["c1"] if selected else [])


@pytest.mark.parametrize(
    ("toleration", "says"),
    [
        ({"value": "value1", "operator": "Equal"}, "if the key is empty, the operator must be Exists"),
        ({"value": "value1", "operator": "Exists"}, "if the operator is Exists, the value must be empty"),
    ],
)
def test_toleration_that_means_nothing_is_refused(toleration: Mapping[str, str], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        placed({"c1": {}}, {"app": {"tolerations": [toleration]}})


def test_taint_that_is_preferred_not_to_be_selected_scores_below_zero() -> None:
    """In Open Cluster Management it never lowers a score."""
    clusters = {"c1": {"taints": [{"key": "old", "effect": "PreferNoSelect"}]}, "c2": {}}
    decision = decided(clusters, {})
    score = {one.cluster.name: one.score for one in decision.chosen}
    assert score["c1"] < 0 < score["c2"]
    assert names(decided(clusters, {"count": 1})) == ["c2"]
    assert Toleration(operator="Exists").tolerates(Taint("old", effect="PreferNoSelect"), 0)


@pytest.mark.parametrize(
    ("order", "low", "high", "share"),
    [("desc", 4, 8, 0.0), ("desc", 2, 7, 0.4), ("asc", 4, 8, 1.0), ("asc", 2, 7, 0.6), ("desc", 4, 4, None)],
)
def test_property_scores_lie_between_the_extremes(order: str, low: int, high: int, share: float | None) -> None:
    """KubeFleet gives the observed 4 this share of the weight; equal values tie here as there."""
    clusters = by_score({"low": low, "seen": 4, "high": high})
    intent = {"score": [{"by": "label", "key": "score", "order": order}], "mode": "exact"}
    score = {one.cluster.name: one.score for one in decided(clusters, intent).chosen}
    assert score["seen"] == (100 if share is None else round(200 * share - 100))
    assert share is not None or set(score.values()) == {100}


@pytest.mark.parametrize(
    ("counts", "pick", "skew", "allowed"),
    [
        ([2, 2, 2], 0, 1, True),
        # KubeFleet refuses the next three because the whole is uneven; the Kubernetes rule lets them get better.
        ([1, 4, 4], 0, 1, True),
        ([1, 1, 3], 0, 1, True),
        ([1, 2, 3], 1, 1, False),
        ([1, 2, 5, 3], 3, 3, True),
    ],
)
def test_one_more_cluster_is_judged_by_the_kubernetes_rule(
    counts: Sequence[int], pick: int, skew: int, allowed: bool
) -> None:
    """KubeFleet's last case is refused there (its global skew stays 4 > 3); 3 + 1 - 1 = 3 is within the rule."""
    from ansible_collections.emco.edge.plugins.module_utils._placement.spread import Level, Tally

    tally = Tally(Level("region", dict(enumerate(f"r{index}" for index in range(len(counts)))), skew, 0, None, True))
    for domain, count in enumerate(counts):
        for _unused in range(count):
            tally.add(domain)
    assert tally.admits(pick) is allowed


def preferred(total: int, rules: Sequence[Mapping[str, Any]], current: Mapping[str, int], **more: Any) -> Any:
    intent = {"replicas": {"total": total, "divide": "weighted", "weights": rules, "on_shortage": "partial"}}
    return placed({"A": {}, "B": {}, "C": {}}, {"app": intent}, {"app": current}, **more).decisions["app"]


EVEN = [{"selector": "", "weight": 1}]


def test_kubeadmiral_even_weights() -> None:
    assert sorted(replicas(preferred(50, EVEN, {})).values()) == [16, 17, 17]


def test_kubeadmiral_minimum_comes_before_weights() -> None:
    rules = [{"cluster": "lab+A", "min": 10}, {"cluster": "lab+B"}]
    assert replicas(preferred(50, rules, {})) == {"A": 30, "B": 20}


def test_kubeadmiral_maximum_leaves_a_shortage() -> None:
    decision = preferred(50, [{"selector": "", "min": 10, "max": 12}], {})
    assert replicas(decision) == {"A": 12, "B": 12, "C": 12}
    assert decision.shortage == 14


def test_kubeadmiral_overflow_goes_to_who_has_room() -> None:
    rules = [
        {"cluster": "lab+A", "weight": 10000, "max": 10},
        {"cluster": "lab+B"},
        {"cluster": "lab+C", "max": 10},
    ]
    assert replicas(preferred(50, rules, {})) == {"A": 10, "B": 30, "C": 10}


def test_kubeadmiral_existing_replicas_stay_unless_rebalanced() -> None:
    """KubeAdmiral gives 9 and 11 to the others; equal weights give them the same here."""
    assert replicas(preferred(50, EVEN, {"C": 30})) == {"A": 10, "B": 10, "C": 30}
    assert sorted(replicas(preferred(50, EVEN, {"C": 30}, rebalance=True)).values()) == [16, 17, 17]


@pytest.mark.parametrize("rebalance", [False, True])
def test_kubeadmiral_existing_replicas_above_the_limit_move(rebalance: bool) -> None:
    rules = [{"cluster": "lab+A", "max": 10}, {"cluster": "lab+B"}]
    assert replicas(preferred(50, rules, {"A": 30}, rebalance=rebalance)) == {"A": 10, "B": 40}


@pytest.mark.parametrize(
    ("constraint", "properties", "satisfied"),
    [
        ('color = gray || (colour = grey && country in "england,australia,canada")', {"color": "gray"}, True),
        ('ininString in "cat, dog, mouse" || intValue > 4', {"ininString": "dog", "intValue": "2"}, True),
        ("purpose = testing AND ( nodenum > 4 || nodenum <= 2)", {"purpose": "testing", "nodenum": "3"}, False),
        ("purpose = network-testing1, group = bluenode", {"purpose": "network-testing", "group": "bluenode"}, False),
    ],
)
def test_open_horizon_constraints_are_judged_on_both_sides(
    constraint: str, properties: Mapping[str, str], satisfied: bool
) -> None:
    assert Selector.parse(constraint).matches_labels(properties) is satisfied
    refusing = placed({"c1": {"constraints": constraint}}, {"app": {}}, requests={"app": {"labels": properties}})
    assert reasons(refusing.decisions["app"]) == ({} if satisfied else {"c1": "RefusedByCluster"})
    asking = placed({"c1": {"labels": properties}}, {"app": {"selector": constraint}})
    assert bool(asking.decisions["app"].chosen) is satisfied


def test_sveltos_set_with_room_for_more_takes_all_that_match() -> None:
    clusters = {name: {} for name in ("a", "b", "c")}
    assert len(names(decided(clusters, {"count": {"max": 4}}))) == 3


def test_lowering_a_count_keeps_exactly_that_many() -> None:
    """Sveltos keeps one fewer."""
    clusters = {name: {} for name in "abcdef"}
    current = dict.fromkeys("bcdef")
    decision = decided(clusters, {"count": 4}, current)
    assert len(names(decision)) == 4
    assert set(names(decision)) < set(current)
