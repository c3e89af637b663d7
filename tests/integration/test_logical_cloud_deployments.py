# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments in logical clouds, on real API servers: written as the tenant, and nothing beyond its rights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.clouds import EVERYTHING, Clouds, config, ok
from tests.integration.syncing import deployment
from tests.tools.checkout import ROOT

pytestmark = pytest.mark.integration

RBAC = "rbac.authorization.k8s.io"
ON_ONE = {"web": {"clusters": ["lab+edge-1"]}}
EXAMPLE = ROOT / "examples" / "camera-analytics"


def standard(clouds: Clouds, name: str, *permissions: dict[str, Any], **more: Any) -> None:
    spec = {
        "clusters": ["lab+edge-1", "lab+edge-2"],
        "user": {"name": "ann"},
        "permissions": permissions or [EVERYTHING],
    }
    ok(clouds.cloud(name, **{**spec, **more}))


def rbac(kind: str, name: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": name}, **content}


@pytest.mark.parametrize("user", ["certificate", "service_account"])
def test_objects_are_written_as_the_tenant_and_records_as_ourselves(clouds: Clouds, user: str) -> None:
    name = f"inside-{user}".replace("_", "-")
    standard(clouds, name, user={"name": "ann", "type": user})
    clouds.app(name, config("one"))
    tenant = "ann" if user == "certificate" else f"system:serviceaccount:{name}:ann-g1"
    for act_as, data in (("tenant", "1"), ("credential", "2"), ("admin", "3")):
        clouds.app(name, config("one", a=data))
        clouds.lab.mark("edge-1")
        placement = {"web": {"any_of": [{"cluster": "lab+edge-3"}, {"cluster": "lab+edge-1"}]}}
        done = ok(clouds.deploy(name, placement=placement, logical_cloud=name, act_as=act_as))
        assert list(done["clusters"]) == ["lab+edge-1"]
        writes = [one for one in clouds.lab.requests("edge-1") if one.writes and one.user_agent == "emco-edge"]
        mine = {one.user for one in writes if one.namespace == "emco-edge-system"}
        # An impersonated user is not who the audit log says asked: that stays ourselves.
        assert tenant not in mine
        whose = {one.user for one in writes if one.name == "one"}
        assert whose == {tenant if act_as == "credential" else "kubernetes-admin"}
        assert clouds.lab.get("edge-1", "configmap", "one", "-n", name)["data"] == {"a": data}
    again = ok(clouds.deploy(name, placement=placement, logical_cloud=name))
    assert (again["changed"], again["summary"]["writes"]) == (False, 0)


def test_a_chart_that_oversteps_is_refused_and_nothing_of_it_stays(clouds: Clouds) -> None:
    standard(
        clouds, "narrow", {"api_groups": ["", RBAC], "resources": ["*"], "verbs": ["get", "create", "patch", "delete"]}
    )
    jobs = {"rules": [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["*"]}]}
    reaching = {
        "a ClusterRole": (rbac("ClusterRole", "grab", rules=[]), "create clusterroles.rbac.authorization.k8s.io"),
        "more rights than it has": (rbac("Role", "grab", **jobs), "attempting to grant"),
        "a kind it has no rights for": (
            {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "grab"}, **_CRON},
            "create cronjobs.batch in namespace narrow",
        ),
    }
    before = set(clouds.everything("edge-1"))
    for number, (what, (document, words)) in enumerate(reaching.items()):
        clouds.app(f"grab-{number}", config("harmless"), document)
        refused = clouds.deploy(f"grab-{number}", placement=ON_ONE, logical_cloud="narrow")
        assert refused["reason"] == "TenantForbidden", what
        assert words in refused["msg"], what
        assert "permissions of narrow" in refused["hint"]
    clouds.app("outside", config("harmless"), config("grab", "kube-system"))
    outside = clouds.deploy("outside", placement=ON_ONE, logical_cloud="narrow")
    assert outside["reason"] == "InvalidInput"
    assert "not covered by the logical cloud" in outside["msg"]
    assert set(clouds.everything("edge-1")) == before
    # The administrator's rights are another matter.
    clouds.app("grab-0", config("harmless"), rbac("ClusterRole", "emco-edge-test-grab", rules=[]))
    ok(clouds.deploy("grab-0", placement=ON_ONE, logical_cloud="narrow", act_as="admin"))
    ok(clouds.undeploy("grab-0", act_as="admin"))
    assert set(clouds.everything("edge-1")) == before


_CRON: dict[str, Any] = {
    "spec": {
        "schedule": "0 0 1 1 *",
        "jobTemplate": {
            "spec": {
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "example/a:1"}]}}
            }
        },
    }
}


def test_a_tenant_with_every_right_in_its_namespace_cannot_make_us_touch_anything_outside(clouds: Clouds) -> None:
    standard(clouds, "hostile", isolation=True)
    clouds.app("honest", config("one"), config("two"))
    ok(clouds.deploy("honest", placement=ON_ONE, logical_cloud="hostile"))
    ok(clouds.info("hostile", status="stored", kubeconfig_dir="out-hostile"))
    kubeconfig = clouds.folder / "out-hostile" / "hostile.lab+edge-1.yaml"
    label = clouds.lab.get("edge-1", "configmap", "one", "-n", "hostile")["metadata"]["labels"]["emco.edge/deployment"]
    clouds.lab.apply("edge-1", config("victim", "default"))
    # Somebody with too many rights marks a stranger's object as ours.
    clouds.lab.kubectl("edge-1", "label", "configmap", "victim", "-n", "default", f"emco.edge/deployment={label}")
    clouds.lab.apply("edge-1", config("decoy", "hostile"))

    def as_tenant(*arguments: str, stdin: str | None = None) -> str:
        done = clouds.as_tenant(kubeconfig, *arguments, stdin=stdin)
        return done.stdout + done.stderr

    as_tenant("label", "configmap", "decoy", f"emco.edge/deployment={label}")
    as_tenant("label", "configmap", "two", "emco.edge/deployment-", "--overwrite")
    as_tenant("delete", "configmap", "one")
    as_tenant("create", "configmap", "one", "--from-literal=a=theirs")
    as_tenant("label", "configmap", "one", f"emco.edge/deployment={label}")
    as_tenant("delete", "rolebindings,resourcequotas,networkpolicies", "--all")
    for verb, what in (("get", "secrets"), ("delete", "secrets"), ("create", "secrets")):
        assert "no" in as_tenant("auth", "can-i", verb, what, "-n", "emco-edge-system")
    before = {name: at for name, at in clouds.everything("edge-1").items() if "hostile" not in name}

    standard(clouds, "hostile", isolation=True)
    undone = ok(clouds.undeploy("honest"))
    assert undone["clusters"]["lab+edge-1"]["state"] == "Removed"
    left = clouds.lab.get("edge-1", "configmaps", "-n", "hostile")["items"]
    # What it made itself, in whatever clothes, is still its own; what we made and it only undressed is left to it.
    assert {one["metadata"]["name"] for one in left} == {"one", "two", "decoy", "kube-root-ca.crt"}
    after = {name: at for name, at in clouds.everything("edge-1").items() if "hostile" not in name}
    records = {name for name in before if "Secret emco-edge-system/record-" in name}
    assert {name: at for name, at in after.items() if name not in records} == {
        name: at for name, at in before.items() if name not in records
    }
    assert clouds.lab.get("edge-1", "configmap", "victim", "-n", "default")["data"] == {"a": "1"}


def test_what_deployments_stand_on_is_not_taken_away(clouds: Clouds) -> None:
    standard(clouds, "ground")
    clouds.app("standing", config("one"))
    ok(clouds.deploy("standing", placement=ON_ONE, logical_cloud="ground"))
    everything = {"user": {"name": "ann"}, "permissions": [EVERYTHING]}
    for changed in (
        clouds.cloud("ground", state="absent"),
        clouds.cloud("ground", clusters=["lab+edge-2"], **everything),
        clouds.cloud("ground", clusters=["lab+edge-1"], namespace="other", **everything),
    ):
        assert changed["reason"] == "LogicalCloudInUse"
        assert changed["deployments"] == ["standing"]
    held = clouds.project()
    assert {"name": "standing", "logical_cloud": "ground", "clusters": 1} in held["deployments"]
    assert {"name": "ground", "kind": "standard", "namespace": "ground", "clusters": 2} in held["logical_clouds"]
    assert {"name": "standing", "version": "v1"} in held["composite_apps"]
    # A cluster that runs nothing of it may leave.
    ok(clouds.cloud("ground", clusters=["lab+edge-1"], **everything))
    moved = clouds.deploy("standing", placement=ON_ONE)
    assert moved["reason"] == "LogicalCloudChanged"
    nowhere = clouds.deploy("standing-2", composite_app="standing", placement=ON_ONE, logical_cloud="grond")
    assert "did you mean ground" in nowhere["problems"][0]["hint"]
    assert ok(clouds.cloud("ground", state="absent", force=True))["changed"]
    assert ok(clouds.undeploy("standing"))["clusters"]["lab+edge-1"]["state"] == "Removed"


def test_an_account_of_ours_that_may_act_as_nobody_is_allowed_to_act_as_this_tenant(
    clouds: Clouds, tmp_path: Path
) -> None:
    own = Clouds(clouds.lab, tmp_path).register("edge-4", keep_credentials="service_account")
    rights = {"clusters": ["lab+edge-4"], "permissions": [EVERYTHING]}
    placement = {"web": {"clusters": ["lab+edge-4"]}}
    for user in ("certificate", "service_account"):
        name = f"lent-{user}".replace("_", "-")
        ok(own.cloud(name, user={"name": "ann", "type": user}, **rights))
        own.app(name, config("one"))
        ok(own.deploy(name, placement=placement, logical_cloud=name))
        assert own.lab.get("edge-4", "configmap", "one", "-n", name)["data"] == {"a": "1"}
    account = own.lab.get("edge-4", "serviceaccounts", "-n", "emco-edge-system")["items"][-1]["metadata"]["name"]
    asks = (
        "auth",
        "can-i",
        "impersonate",
        "users/somebody-else",
        f"--as=system:serviceaccount:emco-edge-system:{account}",
    )
    assert "no" in own.as_tenant(own.lab.kubeconfig("edge-4"), *asks).stdout


def test_a_total_quota_is_reserved_by_plans_and_moved_to_where_it_is_needed(clouds: Clouds) -> None:
    refs = [f"lab+edge-{number}" for number in (1, 2, 3)]
    spec = {"clusters": refs, "user": {"name": "ann"}, "permissions": [EVERYTHING], "total": {"pods": 9}}
    made = ok(clouds.cloud("counted", **spec))
    assert made["logical_cloud"]["total"] == {ref: {"pods": "3"} for ref in refs}

    def parts() -> list[int]:
        found = [clouds.lab.get(f"edge-{n}", "resourcequota", "emco-edge-total", "-n", "counted") for n in (1, 2, 3)]
        return [int(one["spec"]["hard"]["pods"]) for one in found]

    def deploy(name: str, replicas: int, *numbers: int, **how: Any) -> dict[str, Any]:
        document = deployment("counted", "web", replicas=replicas)
        document["metadata"] = {"name": name}
        clouds.app(name, document)
        placement = {"web": {"clusters": [refs[number - 1] for number in numbers]}}
        return clouds.deploy(name, placement=placement, logical_cloud="counted", **how)

    assert parts() == [3, 3, 3]
    for cluster in ("edge-1", "edge-2", "edge-3"):
        clouds.lab.mark(cluster)
    ok(deploy("two", 1, 1, 2))
    assert parts() == [3, 3, 3]
    assert not [one for one in clouds.lab.requests("edge-3") if one.writes and one.user_agent == "emco-edge"]
    # Planned and not applied is promised all the same.
    planned = ok(deploy("five", 5, 3, state="planned"))
    assert planned["revision"] == 1
    refused = deploy("three", 3, 1)
    assert refused["reason"] == "TenantQuotaExceeded"
    assert refused["quota"] == ["pods: needs 3, and 2 of 9 are left (promised: five 5, two 2)"]
    ok(deploy("five", 5, 3))
    assert sum(parts()) == 9
    assert parts()[2] >= 5
    assert ok(deploy("five", 5, 3))["summary"]["writes"] == 0
    again = ok(clouds.cloud("counted", **spec))
    assert (again["changed"], again["summary"]["writes"]) == (False, 0)
    ok(clouds.undeploy("five"))
    ok(deploy("three", 3, 1))
    assert sum(parts()) == 9
    (told,) = ok(clouds.info("counted", status="stored"))["logical_clouds"]
    assert sum(int(one["pods"]) for one in told["total"]["parts"].values()) == 9
    raised = ok(clouds.cloud("counted", **{**spec, "total": {"pods": 30}}))
    assert sum(int(one["pods"]) for one in raised["logical_cloud"]["total"].values()) == 30


def _with_accelerator(clouds: Clouds, name: str) -> None:
    """A device plugin would say so."""
    amount = {"status": {"capacity": {"example.com/accelerator": "4"}, "allocatable": {"example.com/accelerator": "4"}}}
    for node in clouds.lab.get(name, "nodes")["items"]:
        at = node["metadata"]["name"]
        clouds.lab.kubectl(name, "patch", "node", at, "--subresource=status", "--type=merge", "-p", json.dumps(amount))
    ok(clouds.call_facts(name))


def test_the_example_runs_inside_a_standard_logical_cloud_as_its_tenant(clouds: Clouds) -> None:
    folder = clouds.folder / "cameras"
    shutil.copytree(EXAMPLE, folder)
    definitions = folder / "charts" / "detector" / "crds"
    documents = [document for path in definitions.iterdir() for document in yaml.safe_load_all(path.read_text())]
    groups = sorted({document["spec"]["group"] for document in documents})
    rights = {"api_groups": ["", "apps", "batch", "networking.k8s.io", *groups], "resources": ["*"], "verbs": ["*"]}
    standard(clouds, "cameras", rights, {"api_groups": [RBAC, "policy"], "resources": ["*"], "verbs": ["*"]})
    charts = [{"name": name, "chart": f"cameras/charts/{name}"} for name in ("broker", "detector", "dashboard")]
    for name in ("edge-1", "edge-2"):
        _with_accelerator(clouds, name)
    how = {"placement": {"default": {"clusters": ["lab+edge-1", "lab+edge-2"]}}, "logical_cloud": "cameras"}

    before = set(clouds.everything("edge-1"))
    clouds.app("camera-analytics", apps=charts)
    refused = clouds.deploy("camera-analytics", **how)
    assert refused["reason"] == "TenantForbidden", refused["msg"]
    assert "create customresourcedefinitions.apiextensions.k8s.io in the whole cluster" in refused["msg"]
    assert set(clouds.everything("edge-1")) == before

    clouds.app("definitions", *documents)
    ok(clouds.deploy("definitions", placement={"web": {"clusters": ["lab+edge-1", "lab+edge-2"]}}))
    ok(clouds.call_facts("edge-1", "edge-2"))
    shutil.rmtree(definitions)
    clouds.app("camera-analytics", apps=charts)
    done = ok(clouds.deploy("camera-analytics", **how))
    assert {one["state"] for one in done["clusters"].values()} == {"Ready"}
    there = clouds.lab.get("edge-1", "deployments", "-n", "cameras")["items"]
    assert there
    assert ok(clouds.deploy("camera-analytics", **how))["summary"]["writes"] == 0
    ok(clouds.undeploy("camera-analytics"))
