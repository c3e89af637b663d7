# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes count: selectors, affinity, taints, unschedulable and not ready ones, feature labels, DaemonSets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.requirements import demands_of
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import parse_hardware
from tests.unit.hardware.clusters import demand_of, fitted, most, nodes_of, pod

SMALL = {"cpu": 1, "pods": 110}
A = {"name": "a", "allocatable": SMALL, "labels": {"disk": "ssd", "zone": "z1", "gen": "4"}}
B = {"name": "b", "allocatable": SMALL, "labels": {"disk": "hdd", "zone": "z1", "gen": "7"}}
C = {"name": "c", "allocatable": SMALL, "labels": {"zone": "z2", "empty": ""}}
CORE = {"cpu": 1}


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        ({}, 3),
        (None, 3),
        ({"disk": "ssd"}, 1),
        ({"disk": "hdd"}, 1),
        ({"disk": "nvme"}, 0),
        ({"zone": "z1"}, 2),
        ({"zone": "z2"}, 1),
        ({"zone": "z1", "disk": "ssd"}, 1),
        ({"zone": "z2", "disk": "ssd"}, 0),
        ({"missing": ""}, 0),
        ({"empty": ""}, 1),
        ({"gen": "4"}, 1),
        ({"gen": 4}, 1),
        ({"Disk": "ssd"}, 0),
        ({"zone": "z1", "disk": "hdd", "gen": "7"}, 1),
    ],
)
def test_node_selector_leaves_only_nodes_with_all_its_labels(selector: Any, want: int) -> None:
    assert most(pod(CORE, nodeSelector=selector), A, B, C) == want


def test_node_name_leaves_one_node() -> None:
    assert most(pod(CORE, nodeName="b"), A, B, C) == 1
    assert most(pod(CORE, nodeName="x"), A, B, C) == 0


def affinity(*terms: Mapping[str, Any]) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return pod(CORE, affinity={"nodeAffinity": required})


def says(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def both(*terms: Mapping[str, Any]) -> dict[str, Any]:
    return {"matchExpressions": [one for term in terms for one in term["matchExpressions"]]}


NAMED = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a", "c"]}]}


@pytest.mark.parametrize(
    ("terms", "want"),
    [
        ([says("disk", "In", "ssd")], 1),
        ([says("disk", "In", "ssd", "hdd")], 2),
        ([says("disk", "NotIn", "ssd")], 2),
        ([says("disk", "Exists")], 2),
        ([says("disk", "DoesNotExist")], 1),
        ([says("gen", "Gt", "4")], 1),
        ([says("gen", "Gt", "3")], 2),
        ([says("gen", "Lt", "7")], 1),
        ([says("gen", "Lt", "4")], 0),
        ([says("zone", "Gt", "1")], 0),
        ([says("gen", "Gt", "x")], 0),
        ([says("disk", "In", "ssd"), says("zone", "In", "z2")], 2),
        ([both(says("disk", "In", "ssd"), says("zone", "In", "z2"))], 0),
        ([both(says("disk", "Exists"), says("gen", "Gt", "5"))], 1),
        ([NAMED], 2),
        ([{**NAMED, **says("disk", "Exists")}], 1),
        ([{}], 0),
        ([{}, says("zone", "In", "z2")], 1),
        ([], 0),
        ([says("disk", "Unheard", "x")], 0),
    ],
)
def test_node_affinity_admits_nodes_of_any_of_its_terms(terms: Sequence[Mapping[str, Any]], want: int) -> None:
    assert most(affinity(*terms), A, B, C) == want


def test_preferred_affinity_forbids_nothing() -> None:
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": says("x", "Exists")}]}
    assert most(pod(CORE, affinity={"nodeAffinity": preferred}), A, B, C) == 3


def tainted(effect: str = "NoSchedule", key: str = "gpu", value: str = "") -> dict[str, Any]:
    return {"allocatable": SMALL, "taints": [{"key": key, "value": value, "effect": effect}]}


@pytest.mark.parametrize(
    ("node", "tolerations", "want"),
    [
        (tainted(), [], 0),
        (tainted("NoExecute"), [], 0),
        (tainted("PreferNoSchedule"), [], 1),
        (tainted(), [{"key": "gpu", "operator": "Exists"}], 1),
        (tainted(), [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}], 1),
        (tainted(), [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}], 0),
        (tainted("NoExecute"), [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}], 1),
        (tainted("NoExecute"), [{"key": "gpu", "operator": "Exists", "tolerationSeconds": 30}], 1),
        (tainted(), [{"operator": "Exists"}], 1),
        (tainted(), [{"key": "gpu"}], 1),
        (tainted(value="a100"), [{"key": "gpu"}], 0),
        (tainted(value="a100"), [{"key": "gpu", "value": "a100"}], 1),
        (tainted(value="a100"), [{"key": "gpu", "operator": "Equal", "value": "v100"}], 0),
        (tainted(value="a100"), [{"key": "gpu", "operator": "Exists"}], 1),
        (tainted(), [{"key": "fpga", "operator": "Exists"}], 0),
        (tainted(), [{"key": "fpga", "operator": "Exists"}, {"key": "gpu", "operator": "Exists"}], 1),
        ({"allocatable": SMALL, "taints": [{"key": "a"}, {"key": "b"}]}, [{"key": "a", "operator": "Exists"}], 0),
        ({"allocatable": SMALL, "taints": [{"key": "a"}, {"key": "b"}]}, [{"operator": "Exists"}], 1),
        (tainted(), [{"operator": "Equal", "value": ""}], 0),
    ],
)
def test_taints_keep_pods_away_unless_tolerated(node: Any, tolerations: Any, want: int) -> None:
    assert most(pod(CORE, tolerations=tolerations), node) == want


@pytest.mark.parametrize(
    ("node", "tolerations", "want"),
    [
        ({}, [], 1),
        ({"unschedulable": True}, [], 0),
        ({"ready": False}, [], 0),
        ({"ready": False, "unschedulable": True}, [], 0),
        ({"unschedulable": True}, [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}], 1),
        ({"unschedulable": True}, [{"operator": "Exists"}], 1),
        ({"unschedulable": True}, [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}], 0),
        ({"ready": False}, [{"operator": "Exists"}], 0),
        ({"unschedulable": False, "ready": True}, [], 1),
    ],
)
@pytest.mark.parametrize("others", [0, 2])
def test_unschedulable_and_not_ready_nodes_have_no_room(
    node: Mapping[str, Any], tolerations: Any, want: int, others: int
) -> None:
    nodes = [{"allocatable": SMALL, **node}, *[{"allocatable": SMALL}] * others]
    assert most(pod(CORE, tolerations=tolerations), *nodes) == want + others


def test_nodes_that_may_not_be_used_are_counted_by_reason() -> None:
    nodes = nodes_of(tainted(), {"unschedulable": True}, {"labels": {"disk": "ssd"}})
    short = fitted(pod(CORE, nodeSelector={"disk": "hdd"}), nodes, wanted=1).shortfall
    assert short is not None
    assert (short.blocks, short.lacks) == ("nodes", "no node may be used: 3 do not match its node rules (disk=hdd)")
    tolerant = fitted(pod(CORE), nodes_of(tainted(), tainted(key="x")), wanted=1).shortfall
    assert tolerant is not None
    assert "1 have the taint gpu that it does not tolerate" in tolerant.lacks


QAT = "feature.node.kubernetes.io/intel_qat"
KERNEL = "feature.node.kubernetes.io/kernel-version.full"
FEATURES = {
    "name": "f",
    "allocatable": SMALL,
    "labels": {QAT: "true", KERNEL: "5.15.0-91-generic", "nvidia.com/gpu.memory": "40960", "model": "a100"},
}


@pytest.mark.parametrize(
    ("node", "want"),
    [
        (f"{QAT} = true", 1),
        (f"{QAT} = false", 0),
        (QAT, 1),
        (f"!{QAT}", 1),
        ("model in (a100, h100)", 1),
        ("model notin (a100)", 1),
        ("model != a100", 1),
        ("model", 1),
        (f"{KERNEL} >= 5.10", 1),
        (f"{KERNEL} > 5.15.0", 0),
        (f"{KERNEL} < 6.0.0", 1),
        ("nvidia.com/gpu.memory >= 40000", 1),
        ("nvidia.com/gpu.memory > 40960", 0),
        (f"{QAT} = true, model = a100", 1),
        (f"{QAT} = true, model = h100", 0),
        ("model = h100 || model = a100", 1),
        ([{"key": QAT, "operator": "In", "values": ["true"]}], 1),
        ([{"key": QAT, "operator": "In", "values": [True]}], 1),
        ([{"key": QAT, "value": "true"}], 1),
        ([{"key": QAT, "operator": "Exists"}], 1),
        ([{"key": QAT, "operator": "DoesNotExist"}], 1),
        ([{"key": "model", "operator": "NotIn", "values": ["a100"]}], 1),
        ([{"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["40000"]}], 1),
        ([{"key": "nvidia.com/gpu.memory", "operator": "Lt", "values": [40000]}], 0),
        ([{"key": KERNEL, "operator": "Ge", "values": ["5.15.0"]}, "model"], 1),
    ],
)
def test_feature_labels_are_asked_for_with_operators(node: Any, want: int) -> None:
    problems = Problems()
    requirements = parse_hardware([{"app": "api", "node": node}], ["api"], "hardware", problems)
    problems.raise_if_any()
    plain = {"name": "p", "allocatable": SMALL}
    found = demands_of((demand_of(pod(CORE)),), requirements)
    here = cluster_room(nodes_of(FEATURES, plain))
    assert fit(here, (), found, 5).copies == want


def daemon(spec: Mapping[str, Any], **more: Any) -> Any:
    return demand_of(spec, kind="DaemonSet", **more)


@pytest.mark.parametrize(
    ("spec", "nodes", "fits"),
    [
        (pod(CORE), [A, B, C], True),
        (pod({"cpu": 2}), [A, B, C], False),
        (pod(CORE), [A, {**B, "used": {"cpu": 1}}], False),
        (pod(CORE, nodeSelector={"disk": "ssd"}), [A, {**B, "used": {"cpu": 1}}], True),
        (pod(CORE), [A, {**B, "ready": False, "used": {"cpu": 1}}], True),
        (pod(CORE), [A, {**B, "unschedulable": True}], True),
        (pod(CORE), [A, {**B, "unschedulable": True, "used": {"cpu": 1}}], False),
        (pod(CORE), [A, {**tainted(), "used": {"cpu": 1}}], True),
        (pod(CORE, tolerations=[{"operator": "Exists"}]), [A, {**tainted(), "used": {"cpu": 1}}], False),
        (pod(CORE), [], True),
        (pod({"cpu": "1m"}), [{"allocatable": {"cpu": 1, "pods": 1}, "used": {"pods": 1}}], False),
        (pod(CORE), [tainted(key="node.kubernetes.io/disk-pressure")], True),
        (pod(CORE), [{**tainted(key="node.kubernetes.io/not-ready"), "used": {"cpu": 1}}], False),
        (affinity(says("zone", "In", "z1")), [A, B, {**C, "used": {"cpu": 1}}], True),
        (affinity(says("zone", "In", "z2")), [A, B, {**C, "used": {"cpu": 1}}], False),
    ],
)
def test_daemon_set_needs_room_on_every_node_that_it_may_use(
    spec: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], fits: bool
) -> None:
    answer = fit(cluster_room(nodes_of(*nodes)), (daemon(spec),))
    assert (answer.verdict != "no") is fits


def test_daemon_set_takes_its_room_before_anything_else() -> None:
    room = cluster_room(nodes_of(*[{"allocatable": {"cpu": 2, "pods": 9}}] * 3))
    assert fit(room, (daemon(pod(CORE)), demand_of(pod(CORE), replicas=3))).verdict == "possible"
    assert fit(room, (daemon(pod(CORE)), demand_of(pod(CORE), replicas=4))).verdict == "no"
