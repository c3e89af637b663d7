# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room that is promised is taken, once: before the facts show the pods and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import Reservation
from tests.unit.placement.fleets import decided, placed, ref

OURS = {"emco.edge/deployment": "demo.one", "app": "api"}
PROMISED = PodDemand("Deployment", "api", {"cpu": 1000}, copies=3, scalable=True, namespace="n", labels=OURS)


def free(*there: Mapping[str, Any], cpu: int = 8, used: int = 0, pending: Any = (), promised: Any = (PROMISED,)) -> int:
    """How many pods of one core a cluster with one node still takes."""
    cluster = {
        "nodes": [{"allocatable": {"cpu": cpu}, "used": {"cpu": used}, "extra": {"pods": list(there)}}],
        "pending": list(pending),
    }
    asked = {"replicas": {"total": 99, "divide": "capacity", "on_shortage": "partial"}}
    request = {"pods": (PodDemand("Deployment", "asked", {"cpu": 1000}, scalable=True),)}
    decision = placed(
        {"a": cluster}, {"app": asked}, requests={"app": request}, reserved=[Reservation(ref("a"), tuple(promised))]
    ).decisions["app"]
    return sum(one.replicas or 0 for one in decision.chosen)


def seen(**more: Any) -> dict[str, Any]:
    return {"namespace": "n", "labels": {**OURS, "pod-template-hash": "1"}, "requests": {"cpu": 1000}, **more}


def waiting(labels: Mapping[str, str], cpu: str = "1", namespace: str = "n") -> dict[str, Any]:
    container = {"name": "main", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"namespace": namespace, "labels": dict(labels)}, "spec": {"containers": [container]}}


def test_what_is_promised_is_not_free() -> None:
    assert free(promised=()) == 8
    assert free() == 5


def test_pods_that_the_facts_show_take_their_room_once() -> None:
    assert free(seen(), seen(), used=2) == 5
    assert free(seen(), seen(), seen(), used=3) == 5


def test_more_pods_than_promised_give_nothing_back() -> None:
    assert free(*[seen()] * 4, used=4) == 4


@pytest.mark.parametrize(
    "other",
    [
        seen(namespace="elsewhere"),
        seen(labels={"app": "api"}),
        seen(labels={**OURS, "app": "web"}),
        seen(labels={**OURS, "emco.edge/deployment": "demo.two"}),
    ],
)
def test_pods_of_others_are_not_taken_for_the_promised_ones(other: Mapping[str, Any]) -> None:
    assert free(other, used=1) == 4


def test_pods_that_wait_for_a_node_count_as_those_that_were_promised() -> None:
    assert free(pending=[waiting(OURS)] * 2) == 5
    assert free(pending=[waiting({"app": "somebody"})]) == 4
    assert free(pending=[waiting({"app": "somebody"})], promised=()) == 7


def test_of_pods_that_grow_the_difference_is_reserved() -> None:
    larger = replace(PROMISED, requests={"cpu": 2000})
    assert free(seen(), seen(), seen(), used=3, promised=(larger,)) == 2
    assert free(seen(requests={"cpu": 2000}), seen(), seen(), used=4, promised=(larger,)) == 2
    assert free(seen(requests={"cpu": 3000}), used=3, promised=(replace(larger, copies=1),)) == 5


def test_pods_without_known_requests_are_taken_for_as_large_as_promised() -> None:
    unknown = {name: value for name, value in seen().items() if name != "requests"}
    assert free(unknown, used=1, promised=(replace(PROMISED, requests={"cpu": 2000}, copies=1),)) == 7


def test_two_promises_do_not_share_one_pod() -> None:
    twin = replace(PROMISED, name="twin", copies=1)
    assert free(seen(), used=1, promised=(replace(PROMISED, copies=1), twin)) == 6


def test_promise_that_finds_no_room_leaves_none_and_takes_what_there_is() -> None:
    assert free(cpu=2) == 0
    assert free(promised=(replace(PROMISED, requests={"cpu": 9000}),)) == 8


def test_daemon_takes_room_on_each_node_where_it_is_not_yet() -> None:
    daemon = PodDemand("DaemonSet", "agent", {"cpu": 2000}, per_node=True, namespace="n", labels=OURS)
    nodes = [{"allocatable": {"cpu": 4}} for _unused in range(3)]
    nodes[0] |= {"used": {"cpu": 2}, "extra": {"pods": [seen()]}}
    nodes[1] |= {"taints": [{"key": "gpu"}]}
    asked = {"replicas": {"total": 99, "divide": "capacity", "on_shortage": "partial"}, "requests": {"cpu": 1}}
    decision = decided({"a": {"nodes": nodes}}, asked, reserved=[Reservation(ref("a"), (daemon,))])
    assert [one.replicas for one in decision.chosen] == [4]


def test_reserved_room_makes_nothing_certain() -> None:
    cluster = {"a": {"nodes": [{"allocatable": {"cpu": 8}}]}}
    for reserved, fit in (([], "certain"), ([Reservation(ref("a"), (PROMISED,))], "possible")):
        assert decided(cluster, {"requests": {"cpu": 1}}, reserved=reserved).chosen[0].fit == fit


def test_reservations_of_clusters_that_nobody_knows_are_ignored() -> None:
    decision = decided({"a": {}}, {}, reserved=[Reservation(ref("a"), (PROMISED,)), Reservation(ref("b"), (PROMISED,))])
    assert [one.cluster.name for one in decision.chosen] == ["a"]
