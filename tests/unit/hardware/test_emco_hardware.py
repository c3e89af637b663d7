# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EMCO's hardware platform awareness: placement by its intents, and what it refuses; its defects gone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement, parse_hardware
from ansible_collections.emco.edge.plugins.module_utils._model.hardware_emco import consumer_problems, requirement_of
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import Placement
from tests.unit.hardware.clusters import demand_of, pod
from tests.unit.placement.fleets import names, placed, reasons

QAT = "feature.node.kubernetes.io/intel_qat"


def node(name: str, cpu: int, qat: int, memory: str) -> dict[str, Any]:
    allocatable = {"cpu": cpu, "qat.intel.com/generic": qat, "memory": memory, "pods": 110}
    return {"name": name, "allocatable": allocatable, "labels": {QAT: "true"}}


FLEET: dict[str, dict[str, Any]] = {
    "c1": {"nodes": [node("node1", 10, 10, "5G"), node("node2", 5, 15, "10G")]},
    "c2": {"nodes": [node("c2-node1", 15, 2, "1G"), node("c2-node2", 10, 1, "2G")]},
}
CONSUMER = MappingProxyType({"name": "r1-http-client", "container": "http-client-1"})


def required(resource: Mapping[str, Any], consumer: Mapping[str, Any] = CONSUMER, **more: Any) -> HardwareRequirement:
    problems = Problems()
    spec = {"allocatable": "name" in resource, "resource": resource, **more}
    found = requirement_of("app", consumer, spec, "requirement", problems)
    problems.raise_if_any()
    assert found is not None
    return found


def counted(name: str, requests: int, limits: int | None = None) -> dict[str, Any]:
    return {"name": name, "requests": requests, **({} if limits is None else {"limits": limits})}


def asked(*requirements: HardwareRequirement, **request: Any) -> Placement:
    return placed(FLEET, {"app": {}}, requests={"app": {"hardware": requirements, **request}})


@pytest.mark.parametrize(
    ("resource", "consumer", "want"),
    [
        (counted("cpu", 15, 15), CONSUMER, ["c2"]),
        (counted("cpu", 20, 20), CONSUMER, []),
        (counted("cpu1", 1, 1), CONSUMER, []),
        ({"key": QAT, "value": "true"}, CONSUMER, ["c1", "c2"]),
        ({"key": "feature.node.kubernetes1.io/intel_qa", "value": "true"}, CONSUMER, []),
        (counted("cpu", 5), {**CONSUMER, "replicas": 20}, []),
        ({"key": QAT, "value": "true"}, {**CONSUMER, "replicas": 20}, ["c1", "c2"]),
        (counted("cpu", 5, 5), {**CONSUMER, "replicas": 3}, ["c1", "c2"]),
        (counted("cpu", 5, 5), {**CONSUMER, "replicas": 5}, ["c2"]),
        (counted("qat.intel.com/generic", 3, 3), CONSUMER, ["c1"]),
        (counted("memory", 1500), CONSUMER, ["c1", "c2"]),
        (counted("memory", 3000), CONSUMER, ["c1"]),
        (counted("cpu", 0, 15), CONSUMER, ["c2"]),
    ],
)
def test_requirement_chooses_the_clusters_that_hold_it(
    resource: Mapping[str, Any], consumer: Mapping[str, Any], want: list[str]
) -> None:
    placement = asked(required(resource, consumer))
    assert names(placement.decisions["app"]) == want
    assert bool(placement.failures) is not bool(want)


def test_no_requirements_change_nothing() -> None:
    assert names(asked().decisions["app"]) == ["c1", "c2"]


def test_resources_must_be_on_one_node_together() -> None:
    """EMCO looks at each resource apart: 10 CPUs on node1 and 15 QATs on node2."""
    both = [required(counted("cpu", 8)), required(counted("qat.intel.com/generic", 12))]
    placement = asked(*both)
    assert placement.failures[0].reason == "NoFeasibleCluster"
    assert reasons(placement.decisions["app"]) == {"c1": "InsufficientCapacity", "c2": "InsufficientCapacity"}


def test_nearest_miss_names_what_is_lacking() -> None:
    failure = asked(required(counted("qat.intel.com/generic", 17))).failures[0]
    assert failure.nearest is not None
    assert str(failure.nearest.cluster) == "lab+c1"
    assert failure.nearest.lacks == "2 qat.intel.com/generic"
    assert failure.hint == "Nearest is lab+c1: needs 2 more qat.intel.com/generic; largest node has 15 free."


def test_optional_requirement_scores_by_weight_instead_of_filtering() -> None:
    """EMCO ignores mandatory and weight."""
    wish = required(counted("qat.intel.com/generic", 3), mandatory=False, weight=5)
    placement = placed(FLEET, {"app": {"count": 1}}, requests={"app": {"hardware": (wish,)}})
    assert names(placement.decisions["app"]) == ["c1"]
    other = required(counted("cpu", 12), mandatory=False, weight=9)
    placement = placed(FLEET, {"app": {"count": 1}}, requests={"app": {"hardware": (wish, other)}})
    assert names(placement.decisions["app"]) == ["c2"]
    nowhere = required(counted("cpu", 99), mandatory=False)
    assert names(asked(nowhere).decisions["app"]) == ["c1", "c2"]


def test_requirement_replaces_what_the_rendered_container_asks_for() -> None:
    rendered = demand_of({"containers": [{"name": "main", "resources": {"requests": {"cpu": 12}}}]})
    problems = Problems()
    raw = [{"app": "app", "workload": "api", "container": "main", "requests": {"cpu": 9}}]
    requirements = parse_hardware(raw, ["app"], "hardware", problems)
    problems.raise_if_any()
    assert names(asked(pods=(rendered,)).decisions["app"]) == ["c2"]
    assert names(asked(*requirements, pods=(rendered,)).decisions["app"]) == ["c1", "c2"]


def test_pods_that_wait_for_a_node_are_reserved() -> None:
    """EMCO books them twice."""
    waiting = {"metadata": {"name": "w", "namespace": "x"}, "spec": pod({"cpu": 12})}
    fleet = {**FLEET, "c2": {**FLEET["c2"], "pending": [waiting]}}
    hardware = {"app": {"hardware": (required(counted("cpu", 12)),)}}
    assert names(placed(FLEET, {"app": {}}, requests=hardware).decisions["app"]) == ["c2"]
    assert placed(fleet, {"app": {}}, requests=hardware).failures


@pytest.mark.parametrize(
    ("consumer", "path"),
    [({}, "name"), ({"name": ""}, "name"), ({"name": "x", "replicas": 0}, "replicas"), ({"name": "x"}, "")],
)
def test_consumer_needs_a_name(consumer: Mapping[str, Any], path: str) -> None:
    problems = Problems()
    consumer_problems(consumer, "consumer", problems)
    assert [problem.path for problem in problems] == ([f"consumer.{path}"] if path else [])


@pytest.mark.parametrize(
    ("spec", "consumer", "says"),
    [
        ({"resource": counted("cpu", 1)}, CONSUMER, "allocatable: is required"),
        ({"allocatable": True, "resource": counted("cpu", 3, 2)}, CONSUMER, "3 is above the limit 2"),
        ({"allocatable": True, "resource": {"requests": 1}}, CONSUMER, "resource.name: is required"),
        ({"allocatable": True, "resource": {"name": "cpu"}}, CONSUMER, "resource.requests: is required"),
        ({"allocatable": False, "resource": {"key": QAT}}, CONSUMER, "resource.value: is required"),
        ({"allocatable": False, "resource": {}}, CONSUMER, "resource.key: is required"),
        ({"allocatable": True, "resource": {"key": QAT, "value": "true"}}, CONSUMER, "not key and value"),
        ({"allocatable": False, "resource": counted("cpu", 1)}, CONSUMER, "not name and requests"),
        ({"allocatable": True, "resource": counted("cpu", 1)}, {"name": "x"}, "consumer.container: is required"),
        ({"allocatable": True, "resource": counted("cpu", 1)}, {"container": "x"}, "the consumer has no name"),
        ({"allocatable": True, "resource": {"name": "cpu", "requests": "many"}}, CONSUMER, "not a whole number"),
    ],
)
def test_requirement_that_emco_refuses_is_refused(
    spec: Mapping[str, Any], consumer: Mapping[str, Any], says: str
) -> None:
    problems = Problems()
    assert requirement_of("app", consumer, spec, "requirement", problems) is None
    assert any(says in str(problem) for problem in problems), list(map(str, problems))


@pytest.mark.parametrize("limits", [None, 4, 5])
def test_requests_up_to_the_limits_are_accepted(limits: int | None) -> None:
    found = required(counted("cpu", 4, limits))
    assert found.requests == {"cpu": "4"}
    assert found.limits == {"cpu": str(limits or 4)}


def test_simple_example_of_emco_fits() -> None:
    consumer = {**CONSUMER, "replicas": 2}
    both = [required({"key": "intel_qat", "value": "true"}, consumer), required(counted("cpu", 4, 4), consumer)]
    labelled = {
        "c1": {"nodes": [{**one, "labels": {"intel_qat": "true"}} for one in FLEET["c1"]["nodes"]]},
        "c2": FLEET["c2"],
    }
    placement = placed(labelled, {"app": {}}, requests={"app": {"hardware": tuple(both)}})
    assert names(placement.decisions["app"]) == ["c1"]
    too_big = required(counted("cpu", 45, 45), consumer)
    assert placed(labelled, {"app": {}}, requests={"app": {"hardware": (too_big,)}}).failures
