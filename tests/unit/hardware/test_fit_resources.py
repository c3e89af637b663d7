# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resources: exact quantities, what a pod effectively asks for, pods, extended resources, huge pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import effective_requests, pod_demand
from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from tests.unit.hardware.clusters import ENOUGH, container, demand_of, fitted, most, nodes_of, pod, workload

GPU = "example.com/accelerator"


def node(**allocatable: Any) -> dict[str, Any]:
    return {"allocatable": {"pods": 110, **allocatable}}


@pytest.mark.parametrize(
    ("requests", "nodes", "want"),
    [
        ({"cpu": 5}, [node(cpu=4)] * 3, 0),
        ({"cpu": 3}, [node(cpu=4)] * 3, 3),
        ({"cpu": 2}, [node(cpu=4)] * 3, 6),
        ({"cpu": "333m"}, [node(cpu=1)], 3),
        ({"cpu": "334m"}, [node(cpu=1)], 2),
        ({"cpu": "0.1"}, [node(cpu="300m")], 3),
        ({"cpu": "1n"}, [node(cpu="3m")], 3),
        ({"cpu": "1e-1"}, [node(cpu="1")], 10),
        ({"memory": "1Gi"}, [node(memory="4Gi")], 4),
        ({"memory": "1G"}, [node(memory="4Gi")], 4),
        ({"memory": "1073741825"}, [node(memory="4Gi")], 3),
        ({"memory": "1.5Gi"}, [node(memory="4Gi")], 2),
        ({"memory": "128974848"}, [node(memory="129e6")], 1),
        ({"memory": "123Mi"}, [node(memory="129M")], 1),
        ({"memory": "100m"}, [node(memory="2")], 2),
        ({"cpu": "1", "memory": "3Gi"}, [node(cpu=8, memory="8Gi")], 2),
        ({"cpu": "3", "memory": "1Gi"}, [node(cpu=8, memory="8Gi")], 2),
        ({"ephemeral-storage": "3Gi"}, [node(**{"ephemeral-storage": "10Gi"})], 3),
        ({"cpu": "1Ki"}, [node(cpu="1024")], 1),
        ({"cpu": "1k"}, [node(cpu="1024")], 1),
    ],
)
def test_quantities_are_exact(requests: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], want: int) -> None:
    assert most(pod(requests), *nodes) == want


@pytest.mark.parametrize(
    ("used", "want"),
    [({}, 8), ({"cpu": "1"}, 7), ({"cpu": "1m"}, 7), ({"cpu": 8}, 0), ({"cpu": 9}, 0), ({"memory": "1Gi"}, 8)],
)
def test_what_living_pods_ask_for_is_gone(used: Mapping[str, Any], want: int) -> None:
    assert most(pod({"cpu": 1}), {"used": used}) == want


def init(requests: Mapping[str, Any], *, sidecar: bool = False) -> dict[str, Any]:
    return container(requests, **({"restartPolicy": "Always"} if sidecar else {}))


CPU = "cpu"


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        ({"containers": [container({CPU: 1})]}, {CPU: 1000}),
        ({"containers": [container({CPU: 1}), container({CPU: "500m"})]}, {CPU: 1500}),
        ({"containers": [container()]}, {}),
        ({"containers": [{"name": "main"}]}, {}),
        ({"containers": [{"name": "main", "resources": {"limits": {CPU: 2}}}]}, {CPU: 2000}),
        (
            {"containers": [{"resources": {"limits": {CPU: 2, "memory": 5}, "requests": {CPU: 1}}}]},
            {CPU: 1000, "memory": 5},
        ),
        ({"containers": [container({CPU: 1})], "initContainers": [init({CPU: 3})]}, {CPU: 3000}),
        ({"containers": [container({CPU: 1})], "initContainers": [init({CPU: 3}), init({CPU: 2})]}, {CPU: 3000}),
        ({"containers": [container({CPU: 2})], "initContainers": [init({CPU: 1})]}, {CPU: 2000}),
        ({"containers": [container({CPU: 2})], "initContainers": [init({CPU: 1}, sidecar=True)]}, {CPU: 3000}),
        (
            {"containers": [container({CPU: 1})], "initContainers": [init({CPU: 1}, sidecar=True), init({CPU: 4})]},
            {CPU: 5000},
        ),
        (
            {"containers": [container({CPU: 1})], "initContainers": [init({CPU: 4}), init({CPU: 1}, sidecar=True)]},
            {CPU: 4000},
        ),
        (
            {
                "containers": [container({CPU: 1})],
                "initContainers": [init({CPU: 2}, sidecar=True), init({CPU: 1}, sidecar=True), init({CPU: 1})],
            },
            {CPU: 4000},
        ),
        (
            {"containers": [container({CPU: 1, "memory": 10})], "initContainers": [init({"memory": 30})]},
            {CPU: 1000, "memory": 30},
        ),
        ({"containers": [container({CPU: 1})], "overhead": {CPU: "250m", "memory": 7}}, {CPU: 1250, "memory": 7}),
        (
            {"containers": [container({CPU: 1})], "initContainers": [init({CPU: 3})], "overhead": {CPU: 1}},
            {CPU: 4000},
        ),
        ({"containers": [container({CPU: 1})], "resources": {"requests": {CPU: 4}}}, {CPU: 4000}),
        ({"containers": [container({CPU: 1})], "resources": {"requests": {"memory": 9}}}, {CPU: 1000, "memory": 9}),
        ({"containers": [container({CPU: 1})], "resources": {"limits": {CPU: 4}}}, {CPU: 1000}),
        ({"containers": [container()], "resources": {"limits": {CPU: 4}}}, {CPU: 4000}),
        ({"containers": [container({GPU: 1})], "resources": {"requests": {GPU: 5}}}, {GPU: 1}),
        (
            {"containers": [container({"hugepages-2Mi": 2})], "resources": {"requests": {"hugepages-2Mi": 8}}},
            {"hugepages-2Mi": 8},
        ),
        ({"containers": [container({CPU: 1})], "resources": {"requests": {CPU: 2}}, "overhead": {CPU: 1}}, {CPU: 3000}),
    ],
)
def test_effective_request_is_what_the_scheduler_subtracts(spec: Mapping[str, Any], want: Mapping[str, int]) -> None:
    assert effective_requests(spec) == {**want, "pods": 1}


@pytest.mark.parametrize(
    ("item", "copies", "scalable"),
    [
        ({"kind": "Deployment", "spec": {"replicas": 3}}, 3, True),
        ({"kind": "Deployment", "spec": {}}, 1, True),
        ({"kind": "Deployment", "spec": {"replicas": 0}}, 0, True),
        ({"kind": "StatefulSet", "spec": {"replicas": 2}}, 2, True),
        ({"kind": "ReplicaSet", "spec": {"replicas": 2}}, 2, True),
        ({"kind": "DaemonSet", "spec": {}}, 1, False),
        ({"kind": "Job", "spec": {"parallelism": 4}}, 4, False),
        ({"kind": "Job", "spec": {"parallelism": 4, "completions": 3}}, 3, False),
        ({"kind": "Job", "spec": {}}, 1, False),
        ({"kind": "Rollout", "apiVersion": "example.com/v1", "spec": {"replicas": 5}}, 5, True),
        ({"kind": "Thing", "apiVersion": "example.com/v1", "spec": {}}, 1, False),
    ],
)
def test_any_object_with_a_pod_template_makes_pods(item: Mapping[str, Any], copies: int, scalable: bool) -> None:
    spec = {**item["spec"], "template": {"spec": pod({"cpu": 1})}}
    demand = pod_demand({**item, "metadata": {"name": "api"}, "spec": spec})
    assert demand is not None
    assert (demand.copies, demand.scalable, demand.requests) == (copies, scalable, {"cpu": 1000, "pods": 1})
    assert demand.per_node is (item["kind"] == "DaemonSet")


def test_pods_of_a_cron_job_and_of_a_pod_are_read() -> None:
    template = {"spec": pod({"cpu": 1})}
    cron = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"parallelism": 2, "template": template}}}}
    found = pod_demand(cron)
    assert found is not None and found.copies == 2
    bare = pod_demand({"kind": "Pod", "metadata": {"name": "x", "namespace": "n"}, **template})
    assert bare is not None and (bare.workload, bare.namespace, bare.copies) == ("Pod/x", "n", 1)


@pytest.mark.parametrize(
    "item", [{"kind": "Service", "spec": {"ports": []}}, {"kind": "ConfigMap"}, {"kind": "X", "spec": {"template": 3}}]
)
def test_object_without_a_pod_template_makes_no_pods(item: Mapping[str, Any]) -> None:
    assert pod_demand(item) is None


@pytest.mark.parametrize(
    ("pods", "used", "nodes", "want"),
    [
        (110, 0, 1, ENOUGH),
        (10, 0, 1, 10),
        (10, 4, 1, 6),
        (10, 10, 1, 0),
        (10, 12, 1, 0),
        (1, 0, 1, 1),
        (1, 0, 5, 5),
        (3, 1, 4, 8),
        (0, 0, 3, 0),
        (29, 0, 2, 58),
        (30, 0, 2, ENOUGH),
        (7, 6, 3, 3),
        (7, 7, 3, 0),
        (2, 1, 2, 2),
        (5, 0, 7, 35),
    ],
)
def test_a_node_takes_only_so_many_pods(pods: int, used: int, nodes: int, want: int) -> None:
    given = {"allocatable": {"cpu": 100, "pods": pods}, "used": {"pods": used}}
    assert most(pod({"cpu": "1m"}), *[given] * nodes) == want


@pytest.mark.parametrize(
    ("wanted", "free", "want"),
    [
        (1, [1], 1),
        (1, [0], 0),
        (1, [], 0),
        (2, [1, 1], 0),
        (2, [2, 2], 2),
        (4, [2, 2], 0),
        (1, [2, 2], 4),
        (3, [8], 2),
        (1, [8, 0, 3], 11),
        (8, [8], 1),
        (9, [8], 0),
        (2, [3, 3, 3], 3),
        (3, [2, 3, 4], 2),
        (5, [4, 4, 4], 0),
        (1, [1, 1, 1, 1], 4),
    ],
)
def test_extended_resources_are_whole_pieces_of_one_node(wanted: int, free: Sequence[int], want: int) -> None:
    assert most(pod({GPU: wanted}), *[node(cpu=64, **{GPU: count}) for count in free], node(cpu=64)) == want


def test_extended_resource_and_cpu_must_be_on_the_same_node() -> None:
    assert most(pod({"cpu": 2, GPU: 1}), node(cpu=8, **{GPU: 0}), node(cpu=1, **{GPU: 1})) == 0


@pytest.mark.parametrize(
    ("requests", "allocatable", "used", "want"),
    [
        ({"hugepages-2Mi": "128Mi"}, {"hugepages-2Mi": "1Gi"}, {}, 8),
        ({"hugepages-2Mi": "128Mi"}, {"hugepages-2Mi": "1Gi"}, {"hugepages-2Mi": "512Mi"}, 4),
        ({"hugepages-2Mi": "128Mi"}, {"hugepages-2Mi": "100Mi"}, {}, 0),
        ({"hugepages-2Mi": "128Mi"}, {"hugepages-1Gi": "4Gi"}, {}, 0),
        ({"hugepages-1Gi": "1Gi"}, {"hugepages-1Gi": "4Gi"}, {}, 4),
        ({"hugepages-1Gi": "2Gi"}, {"hugepages-1Gi": "3Gi"}, {}, 1),
        ({"hugepages-1Gi": "1Gi"}, {"hugepages-1Gi": "0"}, {}, 0),
        ({"hugepages-1Gi": "1Gi"}, {}, {}, 0),
        ({"hugepages-1Gi": "1Gi", "hugepages-2Mi": "2Mi"}, {"hugepages-1Gi": "4Gi"}, {}, 0),
        ({"hugepages-1Gi": "1Gi", "hugepages-2Mi": "2Mi"}, {"hugepages-1Gi": "4Gi", "hugepages-2Mi": "4Mi"}, {}, 2),
        ({"hugepages-2Mi": "2Mi", "memory": "4Gi"}, {"hugepages-2Mi": "1Gi", "memory": "8Gi"}, {}, 2),
        ({"hugepages-2Mi": "2Mi"}, {"memory": "8Gi"}, {}, 0),
        ({"memory": "4Gi"}, {"hugepages-2Mi": "8Gi", "memory": "4Gi"}, {}, 1),
        ({"hugepages-2Mi": "4Mi"}, {"hugepages-2Mi": "22Mi"}, {"hugepages-2Mi": "2Mi"}, 5),
        ({"hugepages-2Mi": "2M"}, {"hugepages-2Mi": "6Mi"}, {}, 3),
    ],
)
def test_huge_pages_are_a_resource_by_size(
    requests: Mapping[str, Any], allocatable: Mapping[str, Any], used: Mapping[str, Any], want: int
) -> None:
    given = {"allocatable": {"cpu": 64, "pods": 110, **allocatable}, "used": used}
    assert most(pod({"cpu": "1m", **requests}), given) == want


@pytest.mark.parametrize(
    ("spec", "nodes", "blocks", "says"),
    [
        (pod({GPU: 3}), [node(cpu=8, **{GPU: 1})], GPU, f"needs 2 more {GPU}; largest node has 1 free"),
        (pod({GPU: 4}), [node(cpu=8, **{GPU: 2})] * 2, GPU, f"needs 2 more {GPU}; largest node has 2 free"),
        (pod({"cpu": 5}), [node(cpu=4)] * 3, "cpu", "needs 1 more cpu; largest node has 4 free"),
        (pod({"memory": "3Gi"}), [node(memory="1Gi")], "memory", "needs 2Gi more memory; largest node has 1Gi free"),
        (pod({"cpu": 1}), [], "nodes", "it has no ready node"),
        (
            pod({"cpu": 2, GPU: 1}),
            [node(cpu=8, **{GPU: 0}), node(cpu=1, **{GPU: 1})],
            "cpu",
            "no node has cpu and example.com/accelerator together",
        ),
    ],
)
def test_shortfall_says_what_blocks_and_how_far_off(
    spec: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], blocks: str, says: str
) -> None:
    short = fitted(spec, nodes_of(*nodes), wanted=1).shortfall
    assert short is not None
    assert says in short.lacks
    assert short.blocks == blocks or blocks in says


def test_nodes_that_nobody_read_are_unknown() -> None:
    answer = fit(cluster_room(None), (demand_of(pod({"cpu": 1})),))
    assert (answer.verdict, answer.copies) == ("unknown", None)


def test_whole_app_must_fit_together() -> None:
    room = cluster_room(nodes_of(node(cpu=4), node(cpu=4)))
    big, small = demand_of(pod({"cpu": 3}), replicas=2), demand_of(pod({"cpu": 1}), replicas=2)
    assert fit(room, (big, small)).verdict == "possible"
    assert fit(room, (big, demand_of(pod({"cpu": 1}), replicas=3))).verdict == "no"
    assert fit(room, (demand_of(pod({"cpu": 1})), demand_of(pod({"cpu": "1m"})))).verdict == "certain"


def test_order_of_the_scheduler_may_waste_room_and_then_nothing_is_certain() -> None:
    """Spread out, three small pods leave no node for the large one."""
    room = cluster_room(nodes_of(*[node(cpu=4)] * 3))
    assert fit(room, (demand_of(pod({"cpu": 4})), demand_of(pod({"cpu": 1}), replicas=3))).verdict == "possible"


def test_promised_room_is_gone_and_makes_the_rest_a_guess() -> None:
    room = cluster_room(nodes_of(node(cpu=4)))
    first = fit(room, (), (demand_of(pod({"cpu": 1})),), 3)
    assert (first.verdict, first.copies) == ("certain", 3)
    room.promise(first.placed)
    second = fit(room, (), (demand_of(pod({"cpu": 1})),), 3)
    assert (second.verdict, second.copies) == ("possible", 1)


def test_copies_are_looked_for_up_to_what_is_wanted() -> None:
    room = cluster_room(nodes_of(node(cpu=10)))
    pair = (demand_of(pod({"cpu": 2})), demand_of(pod({"cpu": 1})))
    assert fit(room, (), pair, 2).copies == 2
    assert fit(room, (), pair, 9).copies == 3
    assert fit(room, (demand_of(pod({"cpu": 8})),), pair, 9).verdict == "no"
    assert fit(room, (), (), 4).copies == 4


def test_volumes_are_not_judged() -> None:
    claimed = pod({"cpu": 1}, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    assert fitted(claimed, nodes_of(node(cpu=4)), wanted=1).verdict == "possible"
    assert workload(claimed)["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("spec", "alone"),
    [
        (pod({"cpu": 1}), True),
        (pod({"cpu": 1}, tolerations=[{"operator": "Exists"}]), True),
        (pod({"cpu": 1}, nodeSelector={"disk": "ssd"}), False),
        (pod({"cpu": 1}, nodeName="a"), False),
        (pod({"cpu": 1}, resourceClaims=[{"name": "gpu", "resourceClaimName": "gpus"}]), False),
        ({"containers": [{"name": "main", "ports": [{"hostPort": 80}]}]}, False),
    ],
)
def test_pods_that_ask_for_room_alone_are_told_from_others(spec: Mapping[str, Any], alone: bool) -> None:
    demand = demand_of(spec)
    assert demand.asks_for_room_only is alone
    assert demand.rules.any_node is (alone or not (spec.get("nodeSelector") or spec.get("nodeName")))
    assert not demand_of(spec, kind="DaemonSet").asks_for_room_only


def test_distance_is_the_share_that_is_missing() -> None:
    """Of clusters that lack something the one that lacks least is the nearest."""
    for spec, nodes, distance in (
        (pod({"cpu": 5}), [node(cpu=4)], 0.2),
        (pod({"cpu": 8}), [node(cpu=4)], 0.5),
        (pod({"cpu": 8}), [node(cpu=4)] * 3, 0.5),
        (pod({"cpu": 1}), [], 1.0),
        (pod({"cpu": 1}, nodeSelector={"a": "b"}), [node(cpu=4)], 1.0),
    ):
        short = fitted(spec, nodes_of(*nodes), wanted=1).shortfall
        assert short is not None
        assert short.distance == pytest.approx(distance)


def test_nothing_certain_depends_on_which_of_two_kinds_comes_first() -> None:
    """A pod of the other kind takes as many places as it is larger in any resource, and one where it is smaller."""
    room = cluster_room(nodes_of(node(cpu=8), node(cpu=8)))
    small, large = demand_of(pod({"cpu": 2}), replicas=4), demand_of(pod({"cpu": 5}))
    assert fit(room, (small, large)).verdict == "possible"
    assert fit(room, (demand_of(pod({"cpu": 2})), demand_of(pod({"cpu": 3})))).verdict == "certain"
    unlike = demand_of({"containers": [{"name": "main"}]})
    assert fit(room, (unlike, demand_of(pod({"cpu": 8})))).verdict == "certain"
