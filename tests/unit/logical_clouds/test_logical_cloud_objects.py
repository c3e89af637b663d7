# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that a logical cloud is on a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.isolation import (
    CLUSTER_WIDE,
    NAMESPACED,
    isolation_of,
)
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.objects import naming_of, objects_of
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import (
    group_of,
    tenant_of,
    unknown_groups,
)
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from tests.unit.logical_clouds.test_logical_cloud_rules import OWN, cloud

HERE = ClusterRef("lab", "edge-1")
DEPLOYMENTS = {"api_groups": ["apps"], "resources": ["deployments"], "verbs": ["*"]}


def names(given: Any, generation: int = 1, **how: Any) -> list[str]:
    return [f"{one['kind']} {one['metadata']['name']}" for one in objects_of(given, HERE, generation, **how)]


def test_objects_come_in_emcos_order_and_under_its_names_when_asked_for() -> None:
    # J6: a standard logical cloud as EMCO's own test has it.
    given = cloud(
        name="testlc",
        namespace="testns",
        user={"name": "lcuser"},
        permissions=[
            {"namespace": "testns", "api_groups": ["", "apps"], "resources": ["pods"], "verbs": ["get", "list"]}
        ],
        quotas=[{"name": "testquota", "hard": {"limits.cpu": "4", "limits.memory": "4096"}}],
        emco_names=True,
    )
    assert names(given) == [
        "Namespace testns",
        "ResourceQuota testquota",
        "Role testlc-role0",
        "RoleBinding testlc-roleBinding0",
    ]
    account = cloud(name="lc", namespace="ns", user={"name": "u", "type": "service_account"}, emco_names=True)
    assert "ServiceAccount ns-sa" in names(account)
    everywhere = cloud(kind="privileged", permissions=[OWN, {**OWN, "namespace": ""}], emco_names=True)
    assert {"ClusterRole shop-clusterRole1", "ClusterRoleBinding shop-clusterRoleBinding1"} <= set(names(everywhere))


def test_editing_the_list_of_permissions_leaves_the_other_roles_alone() -> None:
    both = cloud(permissions=[OWN, DEPLOYMENTS])
    turned = cloud(permissions=[DEPLOYMENTS, OWN])
    one = cloud(permissions=[OWN])
    assert sorted(names(both)) == sorted(names(turned))
    assert set(names(one)) < set(names(both))


def test_the_same_permission_twice_is_one_role() -> None:
    assert names(cloud(permissions=[OWN, {**OWN, "namespace": "shop"}])) == names(cloud(permissions=[OWN]))


def test_rights_are_bound_to_the_generation() -> None:
    def subjects(generation: int) -> list[Any]:
        return [one["subjects"] for one in objects_of(cloud(), HERE, generation) if one["kind"] == "RoleBinding"]

    assert subjects(1) != subjects(2)
    assert [one["name"] for one in subjects(2)[0]] == [group_of("p", "shop", 2)]
    account = cloud(user={"name": "bot", "type": "service_account"})
    assert (tenant_of(account, 1).account, tenant_of(account, 2).account) == ("bot-g1", "bot-g2")


def test_the_group_fits_into_a_certificate_whatever_the_names() -> None:
    assert len(group_of("p" * 128, "n" * 128, 10**9)) <= 64
    assert group_of("a", "b/c", 1) != group_of("a/b", "c", 2)


def test_quotas_may_differ_by_cluster() -> None:
    quota = {"name": "q", "hard": {"pods": 10, "limits.cpu": 4}, "clusters": {"lab+edge-1": {"pods": 2}}}
    given = cloud(quotas=[quota], clusters=["lab+edge-1", "lab+edge-2"])

    def hard(ref: ClusterRef) -> Any:
        return next(one["spec"]["hard"] for one in objects_of(given, ref, 1) if one["kind"] == "ResourceQuota")

    assert hard(HERE) == {"pods": "2", "limits.cpu": "4"}
    assert hard(ClusterRef("lab", "edge-2")) == {"pods": "10", "limits.cpu": "4"}


def test_an_admin_logical_cloud_is_nothing_on_a_cluster() -> None:
    assert objects_of(cloud(kind="admin", user=None, permissions=None), HERE, 1) == []


@pytest.mark.parametrize("api", CLUSTER_WIDE)
def test_policies_of_administrators_shut_both_ways_but_for_names(api: Any) -> None:
    policy = isolation_of(api, "shop", ["ingress"])
    refused = [one for one in (*policy["spec"]["ingress"], *policy["spec"]["egress"]) if one["action"] == "Deny"]
    peers = [peer for one in refused for peer in one.get("from", one.get("to"))]
    assert len(peers) == 2
    for peer in peers:
        assert peer["namespaces"]["matchExpressions"][0]["values"] == ["ingress", "shop"]
        assert peer["namespaces"]["matchExpressions"][0]["operator"] == "NotIn"
    assert policy["spec"]["egress"][0]["action"] in ("Accept", "Allow")
    assert "namespace" not in policy["metadata"]


def test_without_them_a_policy_of_the_namespace_lets_only_its_own_pods_in() -> None:
    policy = isolation_of(NAMESPACED, "shop", [])
    assert policy["metadata"]["namespace"] == "shop"
    assert policy["spec"]["policyTypes"] == ["Ingress"]


def test_a_deployment_of_the_same_name_is_something_else() -> None:
    mine, other = naming_of("p", "shop"), Naming("p", "shop")
    for name in ("label", "manager", "readable", "place"):
        assert getattr(mine, name) != getattr(other, name)


def test_api_groups_that_nobody_serves_are_told_with_near_names() -> None:
    given = cloud(permissions=[{**OWN, "api_groups": ["", "apps", "monitoring.coreos.co", "*"]}])
    (warning,) = unknown_groups(given, ["apps/v1", "monitoring.coreos.com/v1"])
    assert "permissions[0].api_groups" in warning
    assert "did you mean monitoring.coreos.com" in warning
