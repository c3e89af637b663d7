# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardware action controller writes into the objects what placement promised."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._controllers.hardware import with_hardware
from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import pod_demands
from ansible_collections.emco.edge.plugins.module_utils._hardware.requirements import demands_of
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement, parse_hardware

GPU = "example.com/accelerator"


def hardware(*raw: Mapping[str, Any]) -> tuple[HardwareRequirement, ...]:
    problems = Problems()
    given = [{"app": "detector", "workload": "detector", "container": "main", **one} for one in raw]
    found = parse_hardware(given, ["detector"], "hardware", problems)
    problems.raise_if_any()
    return found


def template(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "x"}, {"name": "log", "image": "y"}]
    return {"metadata": {"labels": {"app": "detector"}}, "spec": {"containers": containers, **spec}}


def workload(kind: str = "Deployment", **pod_spec: Any) -> dict[str, Any]:
    metadata = {"name": "detector"}
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": kind, **template(**pod_spec), "metadata": metadata}
    if kind == "CronJob":
        job = {"template": template(**pod_spec)}
        return {"apiVersion": "batch/v1", "kind": kind, "metadata": metadata, "spec": {"jobTemplate": {"spec": job}}}
    spec: dict[str, Any] = {"template": template(**pod_spec)}
    if kind in ("Deployment", "StatefulSet"):
        spec["replicas"] = 1
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def pod_of(item: Mapping[str, Any]) -> Any:
    if item["kind"] == "Pod":
        return item["spec"]
    spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    return spec["template"]["spec"]


KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Rollout"]


@pytest.mark.parametrize("kind", KINDS)
def test_requests_and_limits_of_the_named_container_are_written_for_every_kind(kind: str) -> None:
    item = workload(kind)
    before = copy.deepcopy(item)
    wanted = hardware({"requests": {"cpu": 2, GPU: 1}, "limits": {"memory": "1Gi"}, "node": "model = a100"})
    (changed,) = with_hardware([item], wanted)
    spec = pod_of(changed)
    assert item == before
    assert spec["containers"][0]["resources"] == {
        "requests": {"cpu": "2", GPU: "1", "memory": "1Gi"},
        "limits": {"memory": "1Gi", GPU: "1"},
    }
    assert "resources" not in spec["containers"][1]
    assert spec["nodeSelector"] == {"model": "a100"}
    assert spec["tolerations"] == [{"key": GPU, "operator": "Exists"}]


def test_what_is_written_is_what_was_placed() -> None:
    wanted = hardware({"requests": {"cpu": 2, GPU: 1}, "node": "model = a100"}, {"replicas": 3, "container": None})
    item = workload()
    item["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": 7, "memory": "1Gi"}}
    (placed,) = demands_of(pod_demands([item]), wanted)
    (written,) = pod_demands(with_hardware([item], wanted))
    assert dict(placed.requests) == dict(written.requests)
    assert (placed.copies, placed.tolerations) == (written.copies, written.tolerations) == (3, placed.tolerations)
    a100, other = Node("a", {}, labels={"model": "a100"}), Node("b", {})
    for node in (a100, other):
        assert placed.rules.admit(node) is written.rules.admit(node)


def test_replicas_of_the_decision_win_over_those_of_the_consumer() -> None:
    wanted = hardware({"replicas": 2, "container": None})
    assert with_hardware([workload()], wanted)[0]["spec"]["replicas"] == 2
    assert with_hardware([workload()], wanted, replicas=5)[0]["spec"]["replicas"] == 5
    assert with_hardware([workload()], (), replicas=5, workloads=("other",))[0]["spec"]["replicas"] == 1
    assert "replicas" not in with_hardware([workload("DaemonSet")], wanted, replicas=5)[0]["spec"]
    assert "replicas" not in with_hardware([workload("Job")], (), replicas=5)[0]["spec"]


def test_limit_below_the_request_rises_to_it() -> None:
    item = workload()
    item["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "500m", "memory": "2Gi"}}
    (changed,) = with_hardware([item], hardware({"requests": {"cpu": 2, "memory": "1Gi"}}))
    assert pod_of(changed)["containers"][0]["resources"]["limits"] == {"cpu": "2", "memory": "2Gi"}


def affinity_of(spec: Mapping[str, Any]) -> Any:
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return [term["matchExpressions"] for term in required["nodeSelectorTerms"]]


NODES = tuple(
    Node(name, {}, labels={"kernel": kernel, "mem": mem})
    for name, kernel, mem in (("a", "v5.4.0", "8Gi"), ("b", "v5.15.0", "32Gi"), ("c", "v6.1.0", "64Gi"))
)


@pytest.mark.parametrize(
    ("node", "want"),
    [
        ("model in (a100, h100)", [[{"key": "model", "operator": "In", "values": ["a100", "h100"]}]]),
        ("model != a100", [[{"key": "model", "operator": "NotIn", "values": ["a100"]}]]),
        ("model", [[{"key": "model", "operator": "Exists"}]]),
        ("!model", [[{"key": "model", "operator": "DoesNotExist"}]]),
        ("cores > 4", [[{"key": "cores", "operator": "Gt", "values": ["4"]}]]),
        ("cores >= 4", [[{"key": "cores", "operator": "Gt", "values": ["3"]}]]),
        ("cores < 4", [[{"key": "cores", "operator": "Lt", "values": ["4"]}]]),
        ("cores <= 4", [[{"key": "cores", "operator": "Lt", "values": ["5"]}]]),
        ("kernel >= v5.10", [[{"key": "kernel", "operator": "In", "values": ["v5.15.0", "v6.1.0"]}]]),
        ("mem > 8Gi", [[{"key": "mem", "operator": "In", "values": ["32Gi", "64Gi"]}]]),
        (
            "model = a100 || fpga",
            [
                [{"key": "model", "operator": "In", "values": ["a100"]}],
                [{"key": "fpga", "operator": "Exists"}],
            ],
        ),
        (
            "!(model = a100 || fpga)",
            [
                [
                    {"key": "model", "operator": "NotIn", "values": ["a100"]},
                    {"key": "fpga", "operator": "DoesNotExist"},
                ]
            ],
        ),
    ],
)
def test_conditions_on_nodes_become_node_affinity(node: str, want: Any) -> None:
    (changed,) = with_hardware([workload()], hardware({"node": node}), nodes=NODES)
    assert affinity_of(pod_of(changed)) == want


def test_conditions_join_every_alternative_that_is_there() -> None:
    there = [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}, {"matchFields": []}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": there}}
    item = workload(affinity={"nodeAffinity": required})
    (changed,) = with_hardware([item], hardware({"node": "fpga"}))
    fpga = {"key": "fpga", "operator": "Exists"}
    assert affinity_of(pod_of(changed)) == [[{"key": "zone", "operator": "Exists"}, fpga], [fpga]]


def test_node_selector_that_contradicts_is_kept_and_blocks() -> None:
    (changed,) = with_hardware([workload(nodeSelector={"model": "v100"})], hardware({"node": "model = a100"}))
    spec = pod_of(changed)
    assert spec["nodeSelector"] == {"model": "v100"}
    assert affinity_of(spec) == [[{"key": "model", "operator": "In", "values": ["a100"]}]]


def test_devices_become_a_claim_template_and_a_claim_of_the_container() -> None:
    devices = [{"class": "gpu.example.com", "count": 2, "selectors": ['device.driver == "x"']}]
    claim, changed = with_hardware([workload()], hardware({"devices": devices}))
    name = "detector-main-gpu"
    assert claim["kind"] == "ResourceClaimTemplate"
    assert claim["metadata"] == {"name": name}
    (request,) = claim["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"] == {
        "deviceClassName": "gpu.example.com",
        "allocationMode": "ExactCount",
        "count": 2,
        "selectors": [{"cel": {"expression": 'device.driver == "x"'}}],
    }
    spec = pod_of(changed)
    assert spec["resourceClaims"] == [{"name": name, "resourceClaimTemplateName": name}]
    assert spec["containers"][0]["resources"] == {"claims": [{"name": name}]}
    (demand,) = pod_demands([claim, changed])
    assert demand.claims[0].requests[0][0].count == 2


def test_writing_twice_changes_nothing_more() -> None:
    wanted = hardware(
        {"requests": {GPU: 1}, "node": "model in (a, b), fpga", "devices": [{"class": "gpu"}], "replicas": 2}
    )
    once = with_hardware([workload()], wanted)
    twice = with_hardware(once[1:], wanted)
    assert twice == once


def test_optional_requirement_is_not_written() -> None:
    wanted = hardware({"requests": {GPU: 1}, "mandatory": False})
    assert with_hardware([workload()], wanted) == (workload(),)


def test_missing_workloads_and_containers_are_told_together() -> None:
    wanted = hardware(
        {"workload": "detectr", "requests": {"cpu": 1}},
        {"container": "mian", "requests": {"cpu": 1}},
        {"kind": "DaemonSet", "requests": {"cpu": 1}},
    )
    with pytest.raises(InvalidInput) as raised:
        with_hardware([workload(), {"kind": "Service", "metadata": {"name": "detectr"}}], wanted)
    assert [problem.path for problem in raised.value.problems] == [
        "hardware[0].workload",
        "hardware[1].container",
        "hardware[2].workload",
    ]
    assert "did you mean detector?" in str(raised.value)
    assert "did you mean main?" in str(raised.value)


def test_workload_may_be_named_with_its_kind() -> None:
    items = [workload(), workload("StatefulSet")]
    (requirement,) = hardware({"workload": "StatefulSet/detector", "requests": {"cpu": 1}})
    first, second = with_hardware(items, [requirement])
    assert "resources" not in pod_of(first)["containers"][0]
    assert pod_of(second)["containers"][0]["resources"]["requests"] == {"cpu": "1"}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "asks for nothing"),
        ({"requests": {"cpu": "much"}}, "not a quantity"),
        ({"requests": {"cpu": -1}}, "negative"),
        ({"requests": {"cpu": 3}, "limits": {"cpu": 2}}, "above the limit"),
        ({"requests": {"cpu": 1}, "container": None}, "container: is required"),
        ({"node": "model ="}, "a value is expected"),
        ({"node": [{"key": "x", "operator": "Like", "values": ["y"]}]}, "no operator"),
        ({"node": [{"key": "x", "operator": "In"}]}, "needs values"),
        ({"node": [{"operator": "In"}]}, "is not an expression"),
        ({"replicas": 0}, "below 1"),
        ({"requests": {"cpu": 1}, "weight": 0}, "below 1"),
        ({"devices": [{"count": 1}]}, "device_class: is required"),
        ({"app": "other", "requests": {"cpu": 1}}, "there is no app"),
    ],
)
def test_malformed_hardware_is_refused_with_its_path(raw: Mapping[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        hardware(raw)
    assert says in str(raised.value)
    assert "hardware[0]" in str(raised.value)
