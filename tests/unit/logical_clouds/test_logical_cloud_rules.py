# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EMCO's rules of the three kinds of logical clouds, and names that clusters would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud
from ansible_collections.emco.edge.plugins.module_utils._model.options import parsed

OWN = {"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}
GOOD: dict[str, Any] = {
    "project": "p",
    "name": "shop",
    "clusters": ["lab+edge-1"],
    "user": {"name": "shop-user"},
    "permissions": [OWN],
}


def cloud(**options: Any) -> LogicalCloud:
    given = {name: value for name, value in {**GOOD, **options}.items() if value is not None}
    return parsed(LogicalCloud, given, "the logical cloud")


def problems(**options: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as error:
        cloud(**options)
    return {one.path: f"{one.message} ({one.hint})" for one in error.value.problems}


def test_a_logical_cloud_is_standard_unless_said_otherwise() -> None:
    assert cloud().kind == "standard"
    assert cloud().space == "shop"


def test_a_tenant_without_a_permission_on_its_own_namespace_is_refused() -> None:
    told = problems(namespace="mine", permissions=[{**OWN, "namespace": "other"}], kind="privileged")
    assert "needs a permission on its own namespace mine" in told["permissions"]
    assert "primary namespace" in told["permissions"]


@pytest.mark.parametrize("namespace", ["other", ""])
def test_only_a_privileged_one_reaches_beyond_its_namespace(namespace: str) -> None:
    more = [OWN, {**OWN, "namespace": namespace}]
    assert "kind: privileged" in problems(permissions=more)["permissions[1].namespace"]
    assert cloud(permissions=more, kind="privileged").permissions[1].namespace == namespace


def test_an_admin_one_has_nothing_of_its_own() -> None:
    given = {"namespace": "x", "quotas": [{"name": "q", "hard": {"pods": 1}}], "total": {"pods": 1}, "isolation": True}
    told = problems(kind="admin", **given)
    assert set(told) == {"namespace", "user", "permissions", "quotas", "total", "isolation"}
    assert cloud(kind="admin", user=None, permissions=None).space == "default"


@pytest.mark.parametrize("namespace", ["default", "kube-system", "kube-anything", "emco-edge-system", "Shop", "a.b"])
def test_a_namespace_that_no_tenant_can_have_is_refused(namespace: str) -> None:
    assert "namespace" in problems(namespace=namespace)


def test_records_are_no_tenants_business() -> None:
    given = [OWN, {**OWN, "namespace": "emco-edge-system"}]
    assert "permissions[1].namespace" in problems(kind="privileged", permissions=given)


@pytest.mark.parametrize("name", ["system:admin", "", "a" * 65, "line\nbreak", " blank"])
def test_user_names_that_kubernetes_or_x509_refuse(name: str) -> None:
    assert "user.name" in problems(user={"name": name})


def test_a_service_account_has_the_name_of_an_object() -> None:
    assert "user.name" in problems(user={"name": "Ann Other", "type": "service_account"})
    assert cloud(user={"name": "Ann Other"}).user is not None


def test_a_credential_that_every_run_would_renew_is_refused() -> None:
    assert "user.renew_before" in problems(user={"name": "a", "expires_in": "1h", "renew_before": "1h"})
    assert "user.expires_in" in problems(user={"name": "a", "expires_in": "1m", "renew_before": "1s"})


def test_all_problems_come_at_once() -> None:
    told = problems(
        namespace="kube-x",
        user={"name": "system:x"},
        permissions=[{**OWN, "api_groups": ["apps/v1"], "verbs": []}],
        quotas=[{"name": "Q", "hard": {"pods": "many"}}],
        clusters=["edge-1"],
    )
    assert {"user.name", "permissions[0].api_groups", "permissions[0].verbs", "quotas[0].hard"} <= set(told)


def test_what_is_set_without_a_user_cannot_be_set_by_one() -> None:
    labels = {"emco.edge/app": "x", "kubernetes.io/metadata.name": "y", "fine": "z", "bad key": "v"}
    assert set(problems(labels=labels)) == {
        "labels.emco.edge/app",
        "labels.kubernetes.io/metadata.name",
        "labels.bad key",
    }


def test_pod_security_is_a_level_or_modes() -> None:
    prefix = "pod-security.kubernetes.io/"
    assert cloud(pod_security="restricted").pod_security == dict.fromkeys(
        [prefix + mode for mode in ("audit", "enforce", "warn")], "restricted"
    )
    modes = {"enforce": "baseline", "enforce_version": "v1.36"}
    assert cloud(pod_security=modes).pod_security == {
        prefix + "enforce": "baseline",
        prefix + "enforce-version": "v1.36",
    }
    assert "pod_security" in problems(pod_security="strict")


def test_standard_is_isolated_and_privileged_is_not() -> None:
    assert cloud().isolated
    assert not cloud(isolation=False).isolated
    assert not cloud(kind="privileged").isolated
    assert cloud(kind="privileged", isolation=True).isolated


def test_deployments_may_go_where_the_tenant_has_rights() -> None:
    assert cloud().namespaces == {"shop"}
    assert cloud(kind="privileged", permissions=[OWN, {**OWN, "namespace": "logs"}]).namespaces == {"shop", "logs"}
    assert cloud(kind="privileged", permissions=[OWN, {**OWN, "namespace": ""}]).namespaces is None
