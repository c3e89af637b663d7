# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A quota of all clusters together: what objects take of it, and how it is divided."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.quotas import (
    amount,
    divided,
    over,
    shares_of,
    taken_by,
    written,
)
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud
from tests.unit.logical_clouds.test_logical_cloud_rules import cloud

REFS = [ClusterRef("lab", f"edge-{number}") for number in range(1, 6)]


def limited(total: dict[str, Any], **more: Any) -> LogicalCloud:
    return cloud(total=total, clusters=[str(ref) for ref in REFS], **more)


def workload(replicas: int, *containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": str(n), **one} for n, one in enumerate(containers)]}},
        },
    }


def test_requests_and_limits_of_all_copies_count() -> None:
    first = {"resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": "500m", "memory": "1Gi"}}}
    second = {"resources": {"limits": {"cpu": 1}}}
    total = {"limits.cpu": 9, "requests.cpu": 9, "limits.memory": "9Gi", "pods": 9, "count/deployments.apps": 9}
    taken = taken_by([workload(3, first, second)], limited(total))
    assert {name: written(name, value) for name, value in taken.items()} == {
        "limits.cpu": "4500m",
        "requests.cpu": "3750m",
        "limits.memory": "3Gi",
        "pods": "3",
        "count/deployments.apps": "1",
    }


def test_what_a_limit_range_gives_counts() -> None:
    ranges = [{"type": "Container", "default": {"cpu": "200m"}, "defaultRequest": {"cpu": "100m"}}]
    taken = taken_by([workload(2, {})], limited({"limits.cpu": 1, "requests.cpu": 1}, limit_range=ranges))
    assert taken == {"limits.cpu": 400, "requests.cpu": 200}


def test_objects_that_make_no_pods_count_too() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"type": "LoadBalancer", "ports": [{"port": 1}]}}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "spec": {"resources": {"requests": {"storage": "2Gi"}}},
    }
    names = ("services", "services.loadbalancers", "services.nodeports", "persistentvolumeclaims", "requests.storage")
    taken = taken_by([service, claim], limited(dict.fromkeys(names, "9Gi")))
    assert taken == dict(zip(names, (1, 1, 1, 1, 2 << 30), strict=True))


@given(st.integers(0, 10**6), st.lists(st.integers(0, 50), min_size=1, max_size=9))
def test_parts_add_up_and_follow_the_weights(total: int, weights: list[int]) -> None:
    parts = divided(total, weights)
    assert sum(parts) == total
    assert all(part >= 0 for part in parts)
    if any(weights):
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
        assert all(abs(part - total * w / sum(weights)) < 1 for part, w in zip(parts, weights, strict=True))


@given(
    st.integers(0, 500),
    st.lists(st.integers(0, 200), min_size=5, max_size=5),
    st.lists(st.integers(0, 200), min_size=5, max_size=5),
)
def test_every_cluster_has_what_it_uses_and_all_have_the_total(total: int, first: list[int], then: list[int]) -> None:
    given_cloud = limited({"pods": total})

    def use(values: list[int]) -> dict[ClusterRef, dict[str, int]]:
        return {ref: {"pods": value} for ref, value in zip(REFS, values, strict=True)}

    shares: dict[ClusterRef, dict[str, int]] = {}
    for values in (first, then, then):
        before, shares = shares, shares_of(given_cloud, REFS, use(values), shares)
        if sum(values) <= total:
            assert sum(one["pods"] for one in shares.values()) == total
        assert all(shares[ref]["pods"] >= value for ref, value in zip(REFS, values, strict=True))
    # The same again touches nobody.
    assert sum(then) > total or before == shares


def test_shares_stay_as_long_as_everybody_has_enough() -> None:
    one = limited({"limits.cpu": "100"})
    shares = shares_of(one, REFS, {}, {})
    assert {amount["limits.cpu"] for amount in shares.values()} == {20000}
    same = shares_of(one, REFS, {REFS[0]: {"limits.cpu": 15000}}, shares)
    assert same == shares
    moved = shares_of(one, REFS, {REFS[0]: {"limits.cpu": 40000}}, shares)
    assert moved[REFS[0]]["limits.cpu"] > 40000
    assert sum(amount["limits.cpu"] for amount in moved.values()) == 100000


def test_weighted_parts_are_fixed() -> None:
    weights = {str(REFS[0]): 3, str(REFS[1]): 1}
    one = limited({"pods": 40}, total_divide="weighted", total_weights=weights)
    shares = shares_of(one, REFS, {REFS[1]: {"pods": 30}}, {})
    assert [shares[ref]["pods"] for ref in REFS] == [30, 10, 0, 0, 0]
    assert over(one, shares, {}, {REFS[1]: {"pods": 11}}) == [
        "pods on lab+edge-2: needs 11, and 10 of its part 10 are left"
    ]


def test_a_plan_over_the_rest_is_told_with_the_numbers() -> None:
    one = limited({"limits.cpu": "100", "pods": 50})
    others = {"web": {REFS[0]: {"limits.cpu": 60000}}, "db": {REFS[1]: {"limits.cpu": 28000, "pods": 3}}}
    wanted = {REFS[0]: {"limits.cpu": 10000}, REFS[2]: {"limits.cpu": 20000}}
    assert over(one, {}, others, wanted) == ["limits.cpu: needs 30, and 12 of 100 are left (promised: db 28, web 60)"]
    assert over(one, {}, others, {REFS[0]: {"limits.cpu": 12000}}) == []
    assert amount("limits.cpu", "12") == 12000
