# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds of every decision, whatever the fleet and the intent."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster
from ansible_collections.emco.edge.plugins.module_utils._placement.division import Share, divide, webster
from ansible_collections.emco.edge.plugins.module_utils._placement.explain import as_result
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import Decision, Placement
from tests.unit.placement.fleets import fleet_of, placed, ref

QUICK = settings(max_examples=40, deadline=None)
regions = st.sampled_from(["north", "south", "west"])


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    found = {}
    for at in range(draw(st.integers(1, 9))):
        given_cluster: dict[str, Any] = {"labels": {"region": draw(regions), "score": str(draw(st.integers(0, 9)))}}
        if draw(st.booleans()):
            given_cluster["labels"]["gold"] = ""
        if draw(st.integers(0, 4)) == 0:
            effect = draw(st.sampled_from(["NoSelect", "NoSelectIfNew", "PreferNoSelect"]))
            given_cluster["taints"] = [{"key": "t", "effect": effect}]
        given_cluster["schedulable"] = draw(st.integers(0, 5)) > 0
        given_cluster["free_replicas"] = draw(st.integers(0, 12))
        found[f"c{at}"] = given_cluster
    return found


@st.composite
def intents(draw: st.DrawFn) -> dict[str, Any]:
    intent: dict[str, Any] = {"score": [{"by": "label", "key": "score"}]}
    shape = draw(st.sampled_from(["all", "selector", "any_of", "all_of"]))
    if shape == "selector":
        intent["selector"] = "region in (north, south)"
    elif shape == "any_of":
        intent["any_of"] = [{"label": "gold"}, {"label": "region=west"}]
    elif shape == "all_of":
        intent["all_of"] = [{"label": "gold"}, {"any_of": [{"label": "region=north"}, {"cluster": "lab+c0"}]}]
    if draw(st.booleans()):
        intent["count"] = draw(st.sampled_from([1, 2, 3, "50%", {"min": 1, "max": 4}, {"min": 0, "max": 2}]))
    if draw(st.booleans()):
        intent["spread"] = [{"by": "region", "max_skew": draw(st.integers(1, 2))}]
    if draw(st.booleans()):
        divided = draw(st.sampled_from(["duplicated", "weighted", "capacity", "aggregated"]))
        intent["replicas"] = {"total": draw(st.integers(1, 20)), "divide": divided, "on_shortage": "partial"}
    return intent


def replicas_of(decision: Decision) -> dict[str, int | None]:
    return {one.cluster.name: one.replicas for one in decision.chosen}


def shown(placement: Placement) -> Any:
    return {app: as_result(decision, explain=True) for app, decision in placement.decisions.items()}


@QUICK
@given(clusters(), intents())
def test_every_cluster_is_chosen_or_refused_exactly_once(fleet: Any, intent: Any) -> None:
    decision = placed(fleet, {"app": intent}).decisions["app"]
    seen = [one.cluster for one in decision.chosen] + [one.cluster for one in decision.refusals]
    assert sorted(seen) == sorted(ref(name) for name in fleet)
    assert sum(count for _reason, count, _example in decision.grouped()) == len(decision.refusals)


@QUICK
@given(clusters(), intents(), st.randoms(use_true_random=False))
def test_order_of_the_input_does_not_matter(fleet: Any, intent: Any, dice: random.Random) -> None:
    listed = list(fleet_of(fleet))
    dice.shuffle(listed)
    apps = {"one": intent, "two": {}, "three": {"count": 1}}
    turned = dict(reversed(list(apps.items())))
    assert shown(placed(fleet, apps)) == shown(placed(listed, turned))


def _cluster(free: int, **more: Any) -> dict[str, Any]:
    return {"labels": {"region": "north", "score": "0"}, "schedulable": True, "free_replicas": free, **more}


ONE_CLUSTER_SHORT = (
    {
        "c0": _cluster(0, taints=[{"key": "t", "effect": "NoSelect"}], schedulable=False),
        "c1": _cluster(1),
        "c2": _cluster(0, schedulable=False),
    },
    {
        "score": [{"by": "label", "key": "score"}],
        "count": 2,
        "replicas": {"total": 1, "divide": "weighted", "on_shortage": "partial"},
    },
)


@QUICK
@example(*ONE_CLUSTER_SHORT)
@given(clusters(), intents())
def test_never_more_replicas_than_there_is_room_for(fleet: Any, intent: Any) -> None:
    decision = placed(fleet, {"app": intent}).decisions["app"]
    total = 0
    for name, count in replicas_of(decision).items():
        total += count or 0
        assert count is None or count <= fleet[name]["free_replicas"]
    if "replicas" in intent:
        per_cluster = intent["replicas"]["divide"] == "duplicated"
        wanted = intent["replicas"]["total"] * (len(decision.chosen) if per_cluster else 1)
        assert total + decision.shortage >= wanted
        assert per_cluster or total + decision.shortage == wanted or not decision.chosen


def test_shortage_counts_replicas_and_missing_clusters_are_said() -> None:
    placement = placed(ONE_CLUSTER_SHORT[0], {"app": ONE_CLUSTER_SHORT[1]})
    decision = placement.decisions["app"]
    assert (decision.shortage, decision.missing_clusters) == (0, 1)
    assert shown(placement)["app"]["missing_clusters"] == 1
    assert placement.warnings == ("app: runs on 1 of the 2 clusters it should run on; no other can take it",)


def test_copies_of_missing_clusters_are_short_too() -> None:
    fleet = {"a": _cluster(5), "b": _cluster(5, schedulable=False)}
    intent = {"count": 2, "replicas": {"total": 3, "divide": "duplicated", "on_shortage": "partial"}}
    decision = placed(fleet, {"app": intent}).decisions["app"]
    assert (decision.shortage, decision.missing_clusters) == (3, 1)


@QUICK
@given(clusters(), intents())
def test_a_chosen_cluster_passes_all_filters(fleet: Any, intent: Any) -> None:
    for name in replicas_of(placed(fleet, {"app": intent}).decisions["app"]):
        given_cluster = fleet[name]
        assert given_cluster["schedulable"]
        assert all(taint["effect"] == "PreferNoSelect" for taint in given_cluster.get("taints", ()))
        if "selector" in intent:
            assert given_cluster["labels"]["region"] != "west"
        if "any_of" in intent:
            assert "gold" in given_cluster["labels"] or given_cluster["labels"]["region"] == "west"


@QUICK
@given(clusters(), intents())
def test_skew_is_kept(fleet: Any, intent: Any) -> None:
    if "spread" not in intent or "all_of" in intent or "replicas" in intent:
        return
    placement = placed(fleet, {"app": intent})
    decision = placement.decisions["app"]
    usable = {one.cluster.name for one in decision.refusals if one.reason in ("LowerScore", "Spread")}
    usable |= replicas_of(decision).keys()
    if "any_of" in intent and "count" not in intent:
        return
    counts = {fleet[name]["labels"]["region"]: 0 for name in usable}
    for name in replicas_of(decision):
        counts[fleet[name]["labels"]["region"]] += 1
    if counts:
        assert max(counts.values()) - min(counts.values()) <= intent["spread"][0]["max_skew"]


@QUICK
@given(clusters(), intents())
def test_equal_input_moves_nothing(fleet: Any, intent: Any) -> None:
    first = placed(fleet, {"app": intent})
    held = replicas_of(first.decisions["app"])
    if isinstance(intent.get("count"), str) or first.failures:
        return
    # What the app took is no longer free.
    room = {name: one["free_replicas"] - ((held[name] or 1) if name in held else 0) for name, one in fleet.items()}
    fleet = {name: {**one, "free_replicas": room[name]} for name, one in fleet.items()}
    again = placed(fleet, {"app": intent}, {"app": held}).decisions["app"]
    assert replicas_of(again) == held
    assert not again.moved


@QUICK
@given(clusters(), intents())
def test_an_unsuitable_cluster_more_changes_nothing(fleet: Any, intent: Any) -> None:
    more = {**fleet, "b-unfit": {"labels": {"region": "east", "gold": "", "score": "99"}, "taints": [{"key": "no"}]}}
    before, after = (placed(one, {"app": intent}).decisions["app"] for one in (fleet, more))
    # EMCO numbers the groups of a label by all clusters that have it, so only the numbers may differ.
    chosen = [[(one.cluster, one.replicas, one.score) for one in decision.chosen] for decision in (before, after)]
    assert sorted(chosen[0]) == sorted(chosen[1])


@QUICK
@given(clusters(), intents(), st.integers(0, 8))
def test_a_decision_moves_only_off_what_is_refused(fleet: Any, intent: Any, which: int) -> None:
    if "count" not in intent or isinstance(intent["count"], str) or "spread" in intent or "replicas" in intent:
        return
    first = placed(fleet, {"app": intent})
    held = replicas_of(first.decisions["app"])
    name = f"c{which % len(fleet)}"
    broken = {**fleet, name: {**fleet[name], "taints": [{"key": "broken"}]}}
    after = placed(broken, {"app": intent}, {"app": held}).decisions["app"]
    assert {move.source.name for move in after.moved} <= {name}


shares = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 9), st.one_of(st.none(), st.integers(0, 15))), min_size=1, max_size=6
)
ways = st.sampled_from(["weighted", "capacity", "aggregated"])


def shares_of(raw: Any, *, limited: bool) -> list[Share]:
    return [
        Share(at, weight, held, most=(15 if limited and most is None else most))
        for at, (weight, held, most) in enumerate(raw)
    ]


@QUICK
@given(shares, st.integers(0, 60), ways, st.booleans())
def test_division_gives_all_or_fills_all(raw: Any, total: int, way: Any, rebalance: bool) -> None:
    made = shares_of(raw, limited=True)
    counts = divide(total, made, way, rebalance=rebalance)
    assert all(0 <= counts[one.position] <= one.limit for one in made)
    assert sum(counts.values()) == min(total, sum(one.limit for one in made))


@QUICK
@given(shares, st.integers(0, 40), ways)
def test_more_replicas_never_take_one_away(raw: Any, total: int, way: Any) -> None:
    made = shares_of(raw, limited=True)
    held = sum(one.kept for one in made)
    if total < held:
        return
    counts = divide(total, made, way)
    assert all(counts[one.position] >= one.kept for one in made)


@QUICK
@given(shares, st.integers(0, 40), ways)
def test_fewer_replicas_give_none_to_anybody(raw: Any, total: int, way: Any) -> None:
    made = shares_of(raw, limited=True)
    if total >= sum(one.kept for one in made):
        return
    counts = divide(total, made, way)
    assert all(counts[one.position] <= one.kept for one in made)
    assert sum(counts.values()) == total


@QUICK
@given(st.dictionaries(st.integers(0, 5), st.integers(0, 20), min_size=1), st.integers(0, 40))
def test_webster_is_monotone_for_static_weights(weights: dict[int, int], seats: int) -> None:
    less, more = webster(weights, seats), webster(weights, seats + 1)
    assert all(more[who] >= less[who] for who in less)
    assert sum(more.values()) == (seats + 1 if any(weights.values()) else 0)


def test_clusters_are_values() -> None:
    """Nothing that a plan is made from is changed by making it."""
    fleet = fleet_of({"a": {"nodes": [{"allocatable": {"cpu": 4}}]}})
    before = repr(fleet)
    placed(fleet, {"app": {"requests": {"cpu": 1}, "replicas": {"total": 3, "divide": "capacity"}}})
    assert repr(fleet) == before
    assert isinstance(fleet[0], Cluster)
