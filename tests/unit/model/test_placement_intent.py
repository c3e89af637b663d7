# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.placement import (
    Count,
    OnUnreachable,
    PlacementIntent,
    parse_intent,
    parse_placement,
)


def problems_of(raw: Any) -> list[str]:
    problems = Problems()
    assert parse_intent(raw, "api", problems) is None
    return [str(problem) for problem in problems]


def test_nothing_given_means_all_clusters() -> None:
    problems = Problems()
    assert parse_intent(None, "api", problems) == parse_intent({}, "api", problems) == PlacementIntent()
    assert not len(problems)


def test_intent_of_the_surface_is_read_whole() -> None:
    raw = {
        "selector": "region in (north, south)",
        "all_of": [{"cluster": "lab+edge-1"}, {"any_of": [{"cluster": "lab+edge-2"}, {"label": "spare"}]}],
        "tolerations": [{"key": "m", "operator": "Exists", "effect": "NoSelect", "toleration_seconds": "10m"}],
        "count": {"min": 2, "max": "50%"},
        "spread": [{"by": "region", "max_skew": 1, "min_domains": 2, "when": "refuse"}],
        "with": ["broker"],
        "score": [{"by": "query", "query": "facts.nodes[?ready] | length(@)", "weight": 2}],
        "replicas": {"total": 12, "divide": "weighted", "weights": [{"label": "region=north", "weight": 3}], "max": 8},
        "fallback": [{"label": "region=south"}],
        "requests": {"cpu": "250m"},
        "on_unreachable": {"after": "30m", "replace": "true"},
    }
    problems = Problems()
    intent = parse_intent(raw, "api", problems)
    problems.raise_if_any()
    assert intent is not None
    assert intent.tolerations[0].toleration_seconds == 600
    assert intent.count == Count(2, Fraction(1, 2))
    assert intent.together_with == ("broker",)
    assert intent.requests == {"cpu": 250}
    assert intent.on_unreachable == OnUnreachable(replace=True, after=1800)
    assert str(intent.all_of[1].any_of[1]) == "spare"


@pytest.mark.parametrize(
    ("raw", "path", "says"),
    [
        ({"count": -1}, "api.count", "neither a number nor a percentage"),
        ({"count": 0}, "api.count", "nowhere"),
        ({"count": "many"}, "api.count", "neither a number"),
        ({"count": {"min": 3, "max": 2}}, "api.count", "min 3 is above max 2"),
        ({"count": {"least": 3}}, "api.count", "least is not known"),
        ({"count": {"max": 0}}, "api.count", "nowhere"),
        ({"all_of": [{"cluster": "lab+a"}], "exclude": [{"cluster": "lab+a"}]}, "api.exclude[0]", "both required"),
        ({"clusters": ["lab+a"], "exclude": [{"cluster": "lab+a"}]}, "api.exclude[0]", "both required (clusters)"),
        ({"all_of": [{"cluster": "lab+a"}, {"cluster": "lab+b"}], "count": 1}, "api.count", "less than the 2 clusters"),
        ({"all_of": [{}]}, "api.all_of[0]", "exactly one of cluster, label and selector, not nothing"),
        ({"any_of": [{"cluster": "lab+a", "label": "x"}]}, "api.any_of[0]", "not cluster and label"),
        ({"any_of": [{"cluster": "edge"}]}, "api.any_of[0].cluster", "write provider+cluster"),
        ({"fallback": [{}]}, "api.fallback[0]", "exactly one"),
        ({"clusters": 3}, "api.clusters", "is not a list"),
        ({"label": "a,b"}, "api.label", "is not a label"),
        ({"selector": "region in north"}, "api.selector", "character 11"),
        ({"with": ["x"], "apart_from": ["x"]}, "api.apart_from", "in both with and apart_from"),
        ({"mode": "exact"}, "api.mode", "none is"),
        ({"mode": "exclusive"}, "api.mode", "not one of additive, exact"),
        ({"score": [{"by": "steady", "weight": 0}, {"by": "balance", "weight": 0}]}, "api.score", "sum to zero"),
        ({"score": [{"by": "steady", "weight": -1}]}, "api.score[0].weight", "is not a weight"),
        ({"score": [{"by": "free"}]}, "api.score[0].resource", "is required for a score by free"),
        ({"score": [{"by": "label"}]}, "api.score[0].key", "is required"),
        ({"score": [{"by": "facts", "key": "colour"}]}, "api.score[0].key", "is not a fact"),
        ({"score": [{"by": "query"}]}, "api.score[0].query", "is required"),
        ({"score": [{"by": "query", "query": "a["}]}, "api.score[0].query", "is not a jmespath query"),
        ({"spread": [{}]}, "api.spread[0].by", "is required"),
        ({"spread": [{"by": "a = b"}]}, "api.spread[0].by", "is not a key"),
        ({"spread": [{"by": "r", "max_skew": 0}]}, "api.spread[0].max_skew", "below 1"),
        ({"spread": [{"by": "r", "min_domains": 3, "max_domains": 2}]}, "api.spread[0]", "above max_domains"),
        ({"replicas": {}}, "api.replicas.total", "is required"),
        ({"replicas": {"total": -2}}, "api.replicas.total", "below 0"),
        ({"replicas": {"total": 2, "min": 3, "max": 2}}, "api.replicas", "min 3 is above max 2"),
        ({"replicas": {"total": 2, "weights": [{"weight": 1}]}}, "api.replicas.weights", "only with divide: weighted"),
        (
            {"replicas": {"total": 2, "divide": "weighted", "weights": [{"weight": 0}]}},
            "api.replicas.weights",
            "sum to zero",
        ),
        (
            {"replicas": {"total": 2, "divide": "weighted", "weights": [{"label": "a", "selector": "b"}]}},
            "api.replicas.weights[0]",
            "not label and selector",
        ),
        (
            {"replicas": {"total": 2, "divide": "weighted", "weights": [{"min": 2, "max": 1}]}},
            "api.replicas.weights[0]",
            "min 2 is above max 1",
        ),
        ({"on_unreachable": "move"}, "api.on_unreachable", "must be keep, replace, or {after: 30m, replace: true}"),
        ({"on_unreachable": {"after": "30m"}}, "api.on_unreachable", "must be keep, replace, or"),
        ({"on_unreachable": {"replace": "maybe"}}, "api.on_unreachable", "must be true or false"),
        ({"on_unreachable": {"after": "1m", "replace": False}}, "api.on_unreachable", "with replace: true only"),
        ({"on_unreachable": {"after": "soon", "replace": True}}, "api.on_unreachable", "soon"),
        ({"requests": {"cpu": "lots"}}, "api.requests", "is not a quantity"),
        ({"requests": {"cpu": "-1"}}, "api.requests", "negative"),
        ({"requests": 3}, "api.requests", "is not a dictionary"),
        ({"lable": "x"}, "api.lable", "did you mean label?"),
        ("everywhere", "api", "must be a dictionary"),
    ],
)
def test_contradiction_is_refused_with_its_path(raw: Any, path: str, says: str) -> None:
    found = problems_of(raw)
    assert any(text.startswith(f"{path}: ") and says in text for text in found), found


def test_all_problems_are_told_at_once() -> None:
    found = problems_of({"count": 0, "label": "a,b", "score": [{"by": "free"}], "nothing": 1})
    assert len(found) == 4


def placement_problems(raw: Mapping[str, Any] | None, *apps: str) -> list[str]:
    problems = Problems()
    parse_placement(raw, apps, "placement", problems)
    return [str(problem) for problem in problems]


def test_default_stands_for_apps_that_are_not_named() -> None:
    problems = Problems()
    found = parse_placement({"default": {"label": "x"}, "b": {"label": "y"}}, ["a", "b"], "placement", problems)
    assert {app: str(intent.label) for app, intent in found.items()} == {"a": "x", "b": "y"}


def test_app_without_an_intent_is_an_error_that_says_so() -> None:
    (text,) = placement_problems({"b": {}}, "a", "b")
    assert text == "placement: app 'a' has no placement intent (add placement.a or placement.default)"


def test_unknown_apps_are_named_with_near_names() -> None:
    assert "did you mean broker?" in placement_problems({"default": {}, "brokr": {}}, "broker")[0]
    (text,) = placement_problems({"default": {}, "api": {"with": ["brokr"]}}, "broker", "api")
    assert text == "placement.api.with: there is no app 'brokr' (did you mean broker?)"


@pytest.mark.parametrize(
    ("after", "cycles"),
    [
        ({"a": "b", "b": "a"}, 1),
        ({"a": "a"}, 1),
        ({"a": "b", "b": "c", "c": "a", "d": "a"}, 1),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, 2),
        ({"a": "b", "b": "c", "d": "c"}, 0),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, 0),
    ],
)
def test_circles_of_with_and_apart_from_are_refused(after: Mapping[str, str], cycles: int) -> None:
    raw: dict[str, Any] = {"default": {}}
    for app, others in after.items():
        raw[app] = {"with" if app < "c" else "apart_from": list(others)}
    found = placement_problems(raw, "a", "b", "c", "d")
    assert len([text for text in found if "go in a circle" in text]) == cycles
