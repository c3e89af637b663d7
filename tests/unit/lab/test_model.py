# SPDX-License-Identifier: GPL-3.0-or-later
"""What a description of a lab means, and what a wrong one is told."""

from __future__ import annotations

from typing import Any

import pytest
from emco_lab.model import DESCRIBED, parse
from emco_lab.report import LabError


def one(**node: Any) -> dict[str, Any]:
    return {"clusters": [{"name": "a", "nodes": [{"name": "n", **node}]}]}


def described(**node: Any) -> Any:
    return parse(one(**node)).clusters[0].nodes[0]


def test_node_without_description_is_a_usual_one() -> None:
    node = described().object
    assert node["status"]["allocatable"] == {"cpu": "4", "memory": "8Gi", "pods": "110"}
    assert node["metadata"]["labels"] == {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": "n",
    }
    assert node["metadata"]["annotations"]["kwok.x-k8s.io/node"] == "fake"


def test_values_that_yaml_reads_as_numbers_and_booleans_become_text() -> None:
    node = described(labels={"feature": True, "major": 6}, allocatable={"example.com/accelerator": 2}).object
    assert node["metadata"]["labels"]["feature"] == "true"
    assert node["metadata"]["labels"]["major"] == "6"
    assert node["status"]["allocatable"]["example.com/accelerator"] == "2"


def test_capacity_is_what_is_allocatable_unless_more_is_described() -> None:
    status = described(allocatable={"cpu": 6}, capacity={"cpu": 8}).object["status"]
    assert (status["allocatable"]["cpu"], status["capacity"]["cpu"]) == ("6", "8")
    assert status["capacity"]["memory"] == "8Gi"


def test_digest_follows_the_description_and_nothing_else() -> None:
    assert described().digest == described(unschedulable=False).digest
    changes: list[dict[str, Any]] = [{"unschedulable": True}, {"labels": {"a": "b"}}, {"allocatable": {"cpu": 5}}]
    digests = {described(**change).digest for change in changes}
    assert len(digests | {described().digest}) == 4
    assert described().object["metadata"]["annotations"][DESCRIBED] == described().digest


def test_attributes_for_the_inventory_are_accepted() -> None:
    cluster = {"name": "a", "nodes": [], "labels": {"region": "north"}, "kv": {}, "taints": []}
    assert parse({"clusters": [cluster]}).clusters[0].name == "a"


def test_all_problems_come_at_once_with_their_paths() -> None:
    wrong = {
        "base_port": 40000,
        "clusters": [
            {"name": "Upper", "nodes": [{"name": "n", "cpus": 3}, {"name": "n"}]},
            {"name": "b", "nodes": "none"},
            "c",
        ],
    }
    with pytest.raises(LabError) as caught:
        parse(wrong)
    message = str(caught.value)
    for part in (
        "base_port: 40000",
        "clusters[0].name: 'Upper'",
        "clusters[0].nodes[0]: unknown key cpus",
        "clusters[0].nodes: n is described twice",
        "clusters[1].nodes: a list is needed",
        "clusters[2]: a mapping is needed",
    ):
        assert part in message


@pytest.mark.parametrize("data", [None, [], {}, {"clusters": []}])
def test_lab_without_clusters_is_refused(data: object) -> None:
    with pytest.raises(LabError, match="at least one is needed"):
        parse(data)


def test_same_cluster_twice_is_refused() -> None:
    with pytest.raises(LabError, match="a is described twice"):
        parse({"clusters": [{"name": "a", "nodes": []}, {"name": "a", "nodes": []}]})
