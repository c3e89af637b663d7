# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EMCO's generic placement: intent trees in EMCO's JSON and in the surface's form, with its defects gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.emco_placement import app_intent
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.placement import parse_intent
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import Fleet
from ansible_collections.emco.edge.plugins.module_utils._placement.normal_form import normal_form
from tests.unit.placement.fleets import decided, fleet_of, names, placed, reasons, ref

LABELS = {"east-us1": ("edge1", "edge2", "edge3"), "east-us2": ("edge4", "edge5"), "east-us3": ("edge6", "edge7")}
AWS: dict[str, dict[str, Any]] = {f"aws+edge{number}": {"labels": []} for number in range(1, 12)}
for _label, _edges in LABELS.items():
    for _edge in _edges:
        AWS[f"aws+{_edge}"] = {"labels": [_label]}


def cluster(name: str) -> dict[str, str]:
    return {"clusterProvider": "aws", "cluster": name}


def label(name: str) -> dict[str, str]:
    return {"clusterProvider": "aws", "clusterLabel": name}


A1 = {
    "allOf": [
        cluster("edge10"),
        cluster("edge11"),
        label("east-us3"),
        {"anyOf": [label("east-us1"), label("east-us2")]},
        {"anyOf": [cluster("edge8"), cluster("edge9")]},
    ],
    "anyOf": [],
}


@pytest.mark.parametrize(
    ("intent", "want"),
    [
        (
            A1,
            {
                1: ["edge10"],
                2: ["edge11"],
                3: ["edge6"],
                4: ["edge7"],
                5: ["edge1", "edge2", "edge3", "edge4", "edge5"],
                6: ["edge8", "edge9"],
            },
        ),
        ({"anyOf": [cluster("edge8"), cluster("edge9")]}, {1: ["edge8", "edge9"]}),
        ({"anyOf": [label("east-us1")]}, {1: ["edge1", "edge2", "edge3"]}),
        ({"anyOf": [label("east-us1"), cluster("edge8")]}, {1: ["edge1", "edge2", "edge3", "edge8"]}),
    ],
)
def test_emco_tree_resolves_to_numbered_groups(intent: Any, want: Mapping[int, list[str]]) -> None:
    fleet = Fleet(fleet_of(AWS))
    problems = Problems()
    parsed = parse_intent(intent, "intent", problems)
    assert parsed is not None and not len(problems)
    form = normal_form(parsed, fleet)
    found = {number: [fleet.clusters[at].ref.name] for at, number in form.numbers.items()}
    found.update({group.number: [one.name for one in fleet.refs(group.clusters)] for group in form.groups})
    assert found == want


def test_one_cluster_of_each_group_is_taken_with_its_number() -> None:
    decision = decided(AWS, A1)
    taken = {one.group: one.cluster.name for one in decision.chosen}
    assert taken == {1: "edge10", 2: "edge11", 3: "edge6", 4: "edge7", 5: "edge1", 6: "edge8"}
    assert len(decision.chosen) + len(decision.refusals) == len(AWS)


@pytest.mark.parametrize(
    ("intent", "want"),
    [
        ({"anyOf": [cluster("edge8"), cluster("edge9")]}, "edge8"),
        ({"anyOf": [cluster("edge9"), cluster("edge8")]}, "edge9"),
        ({"anyOf": [label("east-us1")]}, "edge1"),
        ({"anyOf": [label("east-us1"), cluster("edge8")]}, "edge1"),
        ({"anyOf": [cluster("edge8"), label("east-us1")]}, "edge8"),
    ],
)
def test_equally_good_clusters_of_a_group_are_taken_as_listed(intent: Any, want: str) -> None:
    """EMCO takes the first by name instead."""
    assert names(decided(AWS, intent)) == [want]


def test_better_cluster_of_a_group_is_taken_before_the_one_listed_first() -> None:
    intent = {
        "any_of": [{"cluster": "aws+edge8"}, {"cluster": "aws+edge9"}],
        "score": [{"by": "label", "key": "cost", "order": "asc"}],
    }
    clusters = {**AWS, "aws+edge8": {"labels": {"cost": 9}}, "aws+edge9": {"labels": {"cost": 3}}}
    assert names(decided(clusters, intent)) == ["edge9"]


def test_label_that_no_cluster_has_is_an_error_with_near_names() -> None:
    placement = placed(AWS, {"app": {"allOf": [label("east-us4")]}})
    assert "did you mean east-us" in placement.warnings[0]
    with pytest.raises(EdgeError) as raised:
        placement.raise_if_failed()
    assert raised.value.reason == "NoFeasibleCluster"
    assert "did you mean east-us" in raised.value.hint
    by_label = placed(AWS, {"app": {"label": "east-us4"}})
    assert "did you mean east-us" in by_label.failures[0].hint


def test_unknown_label_besides_a_known_cluster_is_a_warning() -> None:
    placement = placed(AWS, {"app": {"all_of": [{"cluster": "aws+edge8"}, {"label": "east-us33"}]}})
    placement.raise_if_failed()
    assert names(placement.decisions["app"]) == ["edge8"]
    assert "did you mean east-us3" in placement.warnings[0]


def test_emco_intent_that_names_nothing_is_refused() -> None:
    problems = Problems()
    assert parse_intent({"allOf": [], "anyOf": []}, "intent", problems) is None
    assert "No compatible clusters" in str(next(iter(problems)))


def test_label_of_another_provider_does_not_count() -> None:
    clusters = {**AWS, "gcp+edge1": {"labels": ["east-us1"]}}
    assert names(decided(clusters, {"allOf": [label("east-us1")]})) == ["edge1", "edge2", "edge3"]
    both = decided(clusters, {"all_of": [{"label": "east-us1"}]})
    assert len(both.chosen) == 4


def test_mandatory_cluster_outside_logical_cloud_is_refused() -> None:
    placement = placed(AWS, {"app": {"allOf": [cluster("edge2")]}}, members=frozenset({ref("aws+edge1")}))
    with pytest.raises(EdgeError, match="must run on aws\\+edge2, but the logical cloud does not include it"):
        placement.raise_if_failed()
    assert reasons(placement.decisions["app"])["edge2"] == "OutsideLogicalCloud"


def test_optional_cluster_outside_logical_cloud_is_never_taken() -> None:
    """EMCO takes it."""
    intent = {"anyOf": [cluster("edge2"), cluster("edge1")]}
    assert names(decided(AWS, intent, members=frozenset({ref("aws+edge1")}))) == ["edge1"]
    alone = placed(AWS, {"app": {"anyOf": [cluster("edge2")]}}, members=frozenset({ref("aws+edge1")}))
    assert alone.failures[0].reason == "NoFeasibleCluster"


def test_mandatory_cluster_that_is_also_optional_stays_mandatory() -> None:
    """EMCO drops edge2."""
    intent = {"allOf": [cluster("edge1"), cluster("edge2")], "anyOf": [cluster("edge1"), cluster("edge2")]}
    assert names(decided(AWS, intent)) == ["edge1", "edge2"]


def test_mandatory_cluster_named_twice_is_taken_once() -> None:
    """EMCO finds it missing from the logical cloud."""
    intent = {"allOf": [cluster("edge1"), cluster("edge1")]}
    decision = decided(AWS, intent, members=frozenset({ref("aws+edge1")}))
    assert names(decision) == ["edge1"]


def test_group_that_nothing_satisfies_fails_the_app() -> None:
    """EMCO loses the group in silence."""
    clusters = {**AWS, "aws+edge8": {"taints": [{"key": "broken"}]}}
    placement = placed(clusters, {"app": {"allOf": [cluster("edge1"), {"anyOf": [cluster("edge8")]}]}})
    assert placement.failures[0].reason == "NoFeasibleCluster"
    assert "one of aws+edge8 must take it" in placement.failures[0].message


def test_all_of_a_label_that_only_refusing_clusters_have_fails() -> None:
    clusters = {**AWS, **{f"aws+{edge}": {"labels": ["east-us2"], "schedulable": False} for edge in LABELS["east-us2"]}}
    placement = placed(clusters, {"app": {"all_of": [{"cluster": "aws+edge1"}, {"label": "east-us2"}]}})
    assert "no cluster with east-us2 can take it" in placement.failures[0].message


def test_unknown_mandatory_cluster_is_named_with_near_names() -> None:
    placement = placed(AWS, {"app": {"allOf": [cluster("edge12")]}})
    assert placement.failures[0].reason == "UnknownCluster"
    assert "aws+edge1" in placement.failures[0].hint


def test_update_of_the_intent_moves_the_app_and_going_back_moves_it_back() -> None:
    """EMCO's update and rollback of an app-intent."""
    clusters = {"cluster1": {}, "cluster2": {}}
    second = decided(clusters, {"all_of": [{"cluster": "lab+cluster2"}]}, {"cluster1": None})
    assert names(second) == ["cluster2"]
    assert [(move.source.name, [to.name for to in move.to]) for move in second.moved] == [("cluster1", ["cluster2"])]
    assert second.moved[0].why.startswith("NotListed")
    back = decided(clusters, {"all_of": [{"cluster": "lab+cluster1"}]}, second.replicas and {"cluster2": None})
    assert names(back) == ["cluster1"]


VALID = label("l")


@pytest.mark.parametrize(
    ("body", "message", "path"),
    [
        ({}, "Empty body", ""),
        (None, "Empty body", ""),
        ({"metadata": {}, "spec": {"app": "a", "intent": {"anyOf": [VALID]}}}, "Missing name for the intent", "name"),
        ({"metadata": {"name": "n"}, "spec": {"intent": {"anyOf": [VALID]}}}, "Missing app for the intent", "app"),
        ({"anyOf": [{"cluster": "c", "clusterLabel": "l"}]}, "Missing clusterProvider in an intent", "anyOf[0]"),
        ({"anyOf": [{"clusterProvider": "p"}]}, "Missing cluster or clusterLabel", "anyOf[0]"),
        (
            {"anyOf": [{"clusterProvider": "p", "clusterLabel": "l", "cluster": "c"}]},
            "Only one of cluster name or cluster label allowed",
            "anyOf[0]",
        ),
        (
            {"allOf": [{"name": "p", "clusterLabel": "l"}, {"anyOf": [VALID]}]},
            "Missing clusterProvider in an intent",
            "allOf[0]",
        ),
        (
            {"allOf": [VALID, {"anyOf": [{"name": "p", "clusterLabel": "l"}]}]},
            "Missing clusterProvider in an intent",
            "allOf[1].anyOf[0]",
        ),
        (
            {"allOf": [{"clusterProvider": "p1", "clusterLabel": "l1", "cluster": "e"}, {"anyOf": [VALID]}]},
            "Only one of cluster name or cluster label allowed",
            "allOf[0]",
        ),
        (
            {"allOf": [VALID, {"anyOf": [{"clusterProvider": "p2", "clusterLabel": "l2", "cluster": "c"}]}]},
            "Only one of cluster name or cluster label allowed",
            "allOf[1].anyOf[0]",
        ),
    ],
)
def test_malformed_app_intent_is_refused_in_emcos_words(body: Any, message: str, path: str) -> None:
    problems = Problems()
    if isinstance(body, Mapping) and ("allOf" in body or "anyOf" in body):
        body = {"metadata": {"name": "n"}, "spec": {"app": "a", "intent": body}}
    assert app_intent(body, "", problems) is None
    found = list(problems)
    assert [problem.message for problem in found] == [message]
    assert found[0].path.endswith(path)


def test_valid_app_intent_gives_name_app_and_intent() -> None:
    body = {"metadata": {"name": "n"}, "spec": {"app": "a", "intent": {"allOf": [{**cluster("e"), "anyOf": [VALID]}]}}}
    problems = Problems()
    found = app_intent(body, "", problems)
    assert not len(problems)
    leaf = {"label": "l", "provider": "aws"}
    assert found == ("n", "a", {"all_of": [{"cluster": "aws+e", "any_of": [leaf]}], "any_of": []})


def test_every_problem_of_an_emco_intent_is_told_at_once() -> None:
    problems = Problems()
    raw = {"allOf": [{"clusterProvider": "p"}, {"cluster": "c"}], "anyOf": "x", "oneOf": []}
    assert parse_intent(raw, "intent", problems) is None
    assert [problem.path for problem in problems] == [
        "intent.oneOf",
        "intent.allOf[0]",
        "intent.allOf[1]",
        "intent.anyOf",
    ]
