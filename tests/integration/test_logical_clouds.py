# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical clouds on real API servers: what a tenant may do there, and what it costs to keep that true."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport
from ansible_collections.emco.edge.plugins.module_utils._verbs import tenant_credentials
from tests.integration.clouds import CLUSTERS, EVERYTHING, Clouds, config, ok
from tests.integration.playbooks import Playbooks, lab_clusters
from tests.integration.syncing import namespace
from tests.tools.go_modules import fetched

pytestmark = pytest.mark.integration

POLICY_API = "sigs.k8s.io/network-policy-api"
PODS_AND_APPS = {"api_groups": ["", "apps"], "resources": ["pods", "configmaps", "deployments"], "verbs": ["*"]}
READ_NODES = {"namespace": "", "api_groups": [""], "resources": ["nodes", "namespaces"], "verbs": ["get", "list"]}
READ_SYSTEM = {"namespace": "kube-system", "api_groups": [""], "resources": ["configmaps"], "verbs": ["get"]}
ALL_THREE = [f"lab+{name}" for name in CLUSTERS[:3]]
_KINDS = {
    "pods": "/api/v1",
    "configmaps": "/api/v1",
    "secrets": "/api/v1",
    "nodes": "/api/v1",
    "namespaces": "/api/v1",
    "deployments": "/apis/apps/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "clusterroles": "/apis/rbac.authorization.k8s.io/v1",
}
_WHOLE = ("nodes", "namespaces", "clusterroles")
_ATTEMPTS = {
    "get": ("GET", "/none", None),
    "list": ("GET", "", None),
    "create": ("POST", "?dryRun=All", b"{}"),
    "patch": ("PATCH", "/none?dryRun=All", b"{}"),
    "delete": ("DELETE", "/none?dryRun=All", b"{}"),
}


def attempt(client: ClusterClient, verb: str, resource: str, space: str) -> bool:
    """Whether the server lets a tenant through to what it tries."""
    method, rest, body = _ATTEMPTS[verb]
    place = "" if resource in _WHOLE or not space else f"/namespaces/{space}"
    kind = "application/merge-patch+json" if verb == "patch" else "application/json"
    path = f"{_KINDS[resource]}{place}/{resource}{rest}"
    answer = client.transport.send(method, path, attempt=path, body=body, content_type=kind)
    assert answer.status != 401, answer.body
    return answer.status != 403


def tenant(kubeconfig: Path) -> ClusterClient:
    return ClusterClient(Transport(endpoint(Connection(kubeconfig=str(kubeconfig))), "tenant"))


@pytest.mark.parametrize("user", ["certificate", "service_account"])
@pytest.mark.parametrize("kind", ["standard", "privileged"])
def test_a_tenant_may_do_what_it_was_given_and_nothing_else(clouds: Clouds, kind: str, user: str) -> None:
    name = f"{kind}-{user}".replace("_", "-")
    permissions = [PODS_AND_APPS, *([READ_NODES, READ_SYSTEM] if kind == "privileged" else [])]
    spec = {"kind": kind, "clusters": ALL_THREE, "user": {"name": "ann", "type": user}, "permissions": permissions}
    made = ok(clouds.cloud(name, **spec))
    assert {one["state"] for one in made["clusters"].values()} == {"Ready"}
    told = ok(clouds.info(name, kubeconfig_dir=f"out-{name}"))
    files = [Path(path) for path in told["kubeconfigs"]]
    assert len(files) == 4
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}

    rows = [
        (verb, resource, space)
        for resource in ("pods", "configmaps", "secrets", "deployments", "roles")
        for verb in ("list", "create")
        for space in (name, "default")
    ]
    rows += [("get", "configmaps", "kube-system"), ("list", "secrets", "kube-system"), ("delete", "pods", name)]
    rows += [(verb, resource, "") for resource in ("nodes", "clusterroles") for verb in ("list", "delete")]

    def expected(verb: str, resource: str, space: str) -> bool:
        if space == name:
            return resource in ("pods", "configmaps", "deployments")
        if kind == "privileged" and (resource, space) == ("configmaps", "kube-system"):
            return verb == "get"
        return kind == "privileged" and (verb, resource) == ("list", "nodes")

    assert len(rows) > 20
    wanted = {row: expected(*row) for row in rows}
    client = tenant(next(path for path in files if "edge-2" in path.name))
    assert {row: attempt(client, *row) for row in rows} == wanted
    client.close()
    assert clouds.can(next(path for path in files if "edge-1" in path.name), rows) == wanted
    # One file reaches all clusters.
    everywhere = next(path for path in files if path.name == f"{name}.yaml")
    for ref in ALL_THREE:
        assert clouds.as_tenant(everywhere, "--context", ref, "get", "pods").returncode == 0
    _kept_nowhere_in_plain(clouds, everywhere)


def _kept_nowhere_in_plain(clouds: Clouds, kubeconfig: Path) -> None:
    """What is secret in a kubeconfig is in no file of the store."""
    users = json.loads(kubeconfig.read_text())["users"]
    secrets = [str(one["user"].get("client-key-data") or one["user"]["token"])[40:120].encode() for one in users]
    for path in (clouds.folder / "state").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets)
            assert b"PRIVATE KEY" not in content


def test_an_admin_logical_cloud_is_a_set_of_clusters_and_nothing_on_them(clouds: Clouds) -> None:
    for cluster in CLUSTERS:
        clouds.lab.mark(cluster)
    ok(clouds.cloud("platform", kind="admin", clusters=["lab+edge-1"]))
    assert not [one for name in CLUSTERS for one in clouds.lab.requests(name) if one.user_agent == "emco-edge"]
    clouds.app("agent", config("agent"))
    placed = ok(clouds.deploy("agent", placement={"web": {"any_of": _both(2, 1)}}, logical_cloud="platform"))
    assert list(placed["clusters"]) == ["lab+edge-1"]
    assert clouds.lab.get("edge-1", "configmap", "agent", "-n", "default")["data"] == {"a": "1"}
    refused = clouds.deploy("agent", placement={"web": {"clusters": ["lab+edge-2"]}}, logical_cloud="platform")
    assert refused["reason"] == "NoFeasibleCluster"
    leaving = clouds.cloud("platform", kind="admin", clusters=["lab+edge-2"])
    assert leaving["reason"] == "LogicalCloudInUse"
    assert clouds.cloud("platform", state="absent")["reason"] == "LogicalCloudInUse"
    ok(clouds.undeploy("agent"))
    assert ok(clouds.cloud("platform", state="absent"))["changed"]


def _both(*numbers: int) -> list[dict[str, str]]:
    return [{"cluster": f"lab+edge-{number}"} for number in numbers]


def test_quota_and_pod_security_hold(clouds: Clouds) -> None:
    spec = {
        "clusters": ["lab+edge-1", "lab+edge-2"],
        "user": {"name": "ann"},
        "permissions": [EVERYTHING],
        "quotas": [{"name": "few", "hard": {"pods": 2}, "clusters": {"lab+edge-2": {"pods": 1}}}],
        "limit_range": [{"type": "Container", "default": {"cpu": "100m"}, "defaultRequest": {"cpu": "50m"}}],
        "pod_security": "baseline",
    }
    ok(clouds.cloud("bounded", **spec))
    ok(clouds.info("bounded", status="stored", kubeconfig_dir="out-bounded"))

    def run(number: int, name: str, **more: Any) -> str:
        container = {"name": "a", "image": "example/a:1", **more}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}
        kubeconfig = clouds.folder / "out-bounded" / f"bounded.lab+edge-{number}.yaml"
        return clouds.as_tenant(kubeconfig, "create", "-f", "-", stdin=json.dumps(pod)).stderr

    assert "violates PodSecurity" in run(1, "root", securityContext={"privileged": True})
    assert [run(1, "one"), run(1, "two"), run(2, "one")] == ["", "", ""]
    assert "exceeded quota: few" in run(1, "three")
    assert "exceeded quota: few" in run(2, "two")
    pod = clouds.lab.get("edge-1", "pod", "one", "-n", "bounded")
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "100m"}


def test_a_cluster_joins_and_leaves_alone_and_one_that_is_down_catches_up(clouds: Clouds) -> None:
    spec = {"user": {"name": "ann"}, "permissions": [EVERYTHING]}

    def written(*names: str) -> list[str]:
        return [one.uri for name in names for one in clouds.lab.requests(name) if one.writes and _ours(one)]

    def mark() -> None:
        for name in CLUSTERS:
            clouds.lab.mark(name)

    clouds.lab.freeze("edge-3")
    try:
        partly = clouds.cloud("growing", clusters=ALL_THREE, cluster_timeout="6s", **spec)
    finally:
        clouds.lab.thaw("edge-3")
    assert partly["failed"]
    assert {ref: one["state"] for ref, one in partly["clusters"].items()} == {
        "lab+edge-1": "Ready",
        "lab+edge-2": "Ready",
        "lab+edge-3": "Unreachable",
    }
    ok(clouds.cloud("growing", clusters=ALL_THREE, **spec))

    mark()
    again = ok(clouds.cloud("growing", clusters=ALL_THREE, **spec))
    assert (again["changed"], again["summary"]["writes"]) == (False, 0)
    assert written(*CLUSTERS) == []

    before = {name: clouds.lab.kubectl(name, "get", _SHAPES, "-n", "growing", *_VERSIONS) for name in CLUSTERS[:3]}
    mark()
    joined = ok(clouds.cloud("growing", clusters=[f"lab+{name}" for name in CLUSTERS], **spec))
    assert joined["clusters"]["lab+edge-4"]["changed"]
    assert written(*CLUSTERS[:3]) == []
    assert written("edge-4")
    after = {name: clouds.lab.kubectl(name, "get", _SHAPES, "-n", "growing", *_VERSIONS) for name in CLUSTERS[:3]}
    assert after == before

    mark()
    left = ok(clouds.cloud("growing", clusters=ALL_THREE, **spec))
    assert left["clusters"]["lab+edge-4"]["state"] == "Removed"
    assert written(*CLUSTERS[:3]) == []
    assert "growing" not in clouds.lab.kubectl("edge-4", "get", "namespaces", "-o", "name")


_SHAPES = "resourcequotas,roles,rolebindings,networkpolicies,serviceaccounts,limitranges"
_VERSIONS = ("-o", "jsonpath={range .items[*]}{.metadata.name} {.metadata.resourceVersion};{end}")


def _ours(request: Any) -> bool:
    return bool(request.user_agent == "emco-edge")


def test_removal_leaves_nothing_of_any_kind(clouds: Clouds) -> None:
    clouds.lab.apply("edge-1", namespace("emco-edge-system"))
    time.sleep(0.5)
    before = clouds.everything("edge-1")
    spec = {"kind": "privileged", "isolation": True, "user": {"name": "ann"}, "permissions": [EVERYTHING, READ_NODES]}
    ok(clouds.cloud("fleeting", clusters=["lab+edge-1"], quotas=[{"name": "q", "hard": {"pods": 9}}], **spec))
    there = set(clouds.everything("edge-1")) - set(before)
    assert len(there) > 8
    clouds.lab.kubectl("edge-1", "create", "configmap", "mine", "-n", "fleeting")
    kept = ok(clouds.cloud("fleeting", state="absent"))
    assert kept["clusters"]["lab+edge-1"]["state"] == "Removed"
    # What others have there is not ours to delete.
    assert clouds.lab.get("edge-1", "configmap", "mine", "-n", "fleeting")
    ok(clouds.cloud("fleeting", clusters=["lab+edge-1"], **spec))
    ok(clouds.cloud("fleeting", state="absent", force=True))
    assert set(clouds.everything("edge-1")) == set(before)
    again = ok(clouds.cloud("fleeting", state="absent"))
    assert not again["changed"]


@pytest.mark.parametrize("user", ["certificate", "service_account"])
def test_a_rotated_credential_no_longer_works(clouds: Clouds, user: str) -> None:
    name = f"rotated-{user}".replace("_", "-")
    spec = {"clusters": ["lab+edge-1"], "permissions": [PODS_AND_APPS]}
    ok(clouds.cloud(name, user={"name": "ann", "type": user}, **spec))
    ok(clouds.info(name, status="stored", kubeconfig_dir="old"))
    old = clouds.folder / "old" / f"{name}.yaml"
    assert clouds.as_tenant(old, "get", "pods").returncode == 0
    turned = ok(clouds.cloud(name, user={"name": "ann", "type": user, "generation": 2}, **spec))
    assert turned["clusters"]["lab+edge-1"]["credential"]["generation"] == 2
    ok(clouds.info(name, status="stored", kubeconfig_dir="new"))
    assert clouds.as_tenant(clouds.folder / "new" / f"{name}.yaml", "get", "pods").returncode == 0
    refused = clouds.as_tenant(old, "get", "pods")
    assert refused.returncode != 0
    assert "Forbidden" in refused.stderr or "Unauthorized" in refused.stderr or "logged in" in refused.stderr
    lower = clouds.cloud(name, user={"name": "ann", "type": user, "generation": 1}, **spec)
    assert [one["path"] for one in lower["problems"]] == ["user.generation"]


def test_credentials_are_renewed_before_their_end_and_listed_when_they_end_soon(clouds: Clouds) -> None:
    user = {"name": "ann", "expires_in": "2h", "renew_before": "30m"}
    spec = {"clusters": ["lab+edge-1"], "permissions": [PODS_AND_APPS], "user": user}
    first = ok(clouds.cloud("renewed", **spec))["clusters"]["lab+edge-1"]["credential"]
    soon = ok(clouds.info("renewed", status="stored", expiring_within="1d"))["expiring"]
    assert [(one["name"], one["cluster"], one["expires"]) for one in soon] == [
        ("renewed", "lab+edge-1", first["expires"])
    ]
    assert ok(clouds.info("renewed", status="stored", expiring_within="1h"))["expiring"] == []
    later = ok(clouds.cloud("renewed", now=time.time() + 5700, **spec))
    assert later["changed"]
    assert later["clusters"]["lab+edge-1"]["credential"]["not_before"] >= first["not_before"]
    assert later["summary"]["unchanged"] > 0


def test_a_credential_that_begins_later_than_now_is_told_as_a_wrong_clock(clouds: Clouds) -> None:
    spec = {"clusters": ["lab+edge-1"], "permissions": [PODS_AND_APPS], "user": {"name": "ann"}}
    early = clouds.cloud("early", now=time.time() - 3600, **spec)
    assert early["reason"] == "ClockSkew"
    assert "Set the clocks" in early["hint"]
    assert ok(clouds.cloud("early", **spec))["clusters"]["lab+edge-1"]["state"] == "Ready"


def test_a_cluster_that_signs_nothing_is_told_what_to_do(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody signs for this one, as on clusters whose controller manager has no authority.
    monkeypatch.setattr(tenant_credentials, "_SIGNING", 0.5)
    real = tenant_credentials.signing_request

    def unsigned(*arguments: Any) -> dict[str, Any]:
        document = real(*arguments)
        document["spec"]["signerName"] = "example.com/nobody"
        return document

    monkeypatch.setattr(tenant_credentials, "signing_request", unsigned)
    spec = {"clusters": ["lab+edge-1"], "permissions": [PODS_AND_APPS]}
    refused = clouds.cloud("unsigned", user={"name": "ann"}, **spec)
    assert refused["reason"] == "CertificateNotIssued"
    assert "user.type: service_account" in refused["hint"]
    assert clouds.lab.get("edge-1", "certificatesigningrequests")["items"] == []
    ok(clouds.cloud("unsigned", user={"name": "ann", "type": "service_account"}, **spec))


def test_a_namespace_is_one_tenants_and_never_taken_without_being_told(clouds: Clouds) -> None:
    spec = {"user": {"name": "ann"}, "permissions": [EVERYTHING]}
    ok(clouds.cloud("first", namespace="shared", clusters=["lab+edge-1"], **spec))
    second = clouds.cloud("second", namespace="shared", clusters=["lab+edge-1", "lab+edge-2"], **spec)
    assert [one["path"] for one in second["problems"]] == ["namespace"]
    assert "tests/first on lab+edge-1" in second["problems"][0]["message"]
    ok(clouds.cloud("second", namespace="shared", clusters=["lab+edge-2"], **spec))

    clouds.lab.apply("edge-3", namespace("theirs"))
    theirs = clouds.cloud("theirs", clusters=["lab+edge-3"], **spec)
    assert theirs["reason"] == "NotOurs"
    assert "adopt: true" in theirs["hint"]
    adopted = ok(clouds.cloud("theirs", clusters=["lab+edge-3"], adopt=True, check=True, **spec))
    assert adopted["changed"]
    assert clouds.lab.get("edge-3", "resourcequotas,roles", "-n", "theirs")["items"] == []
    ok(clouds.cloud("theirs", clusters=["lab+edge-3"], adopt=True, **spec))


def test_status_tells_of_each_cluster_and_object_and_of_a_right_that_went(clouds: Clouds) -> None:
    spec = {"clusters": ["lab+edge-1", "lab+edge-2"], "user": {"name": "ann"}, "permissions": [PODS_AND_APPS]}
    ok(clouds.cloud("watched", **spec))
    (told,) = ok(clouds.info("watched"))["logical_clouds"]
    assert told["ready_status"] == "Ready"
    assert told["clusters"]["lab+edge-1"]["objects"]["Namespace watched"] == "Ready"
    assert told["clusters"]["lab+edge-1"]["access"] == "verified"
    (deployed,) = ok(clouds.info("watched", status="deployed"))["logical_clouds"]
    assert set(deployed["clusters"]["lab+edge-1"]["objects"].values()) == {"Applied"}
    clouds.lab.kubectl("edge-2", "delete", "rolebindings", "--all", "-n", "watched")
    (less,) = ok(clouds.info("watched"))["logical_clouds"]
    assert less["ready_status"] == "NotReady"
    assert (less["clusters"]["lab+edge-1"]["ready"], less["clusters"]["lab+edge-2"]["ready"]) == (True, False)
    assert "may not" in less["clusters"]["lab+edge-2"]["access"]
    needed = clouds.unregister("edge-2")
    assert needed["reason"] == "ClusterInUse"
    assert needed["deployments"].count("logical cloud tests/watched") == 1
    mended = ok(clouds.cloud("watched", **spec))
    assert [one["changed"] for one in mended["clusters"].values()] == [False, True]


def test_the_playbook_makes_them_true_and_says_so_host_by_host(clouds: Clouds, playbooks: Playbooks) -> None:
    hosts = lab_clusters(clouds.lab, "edge-1", "edge-2")
    hosts["edge"]["vars"]["emco_logical_clouds"] = [
        {
            "project": "tests",
            "name": "listed",
            "clusters": ["lab+edge-1", "lab+edge-2"],
            "user": {"name": "ann"},
            "permissions": [PODS_AND_APPS],
        }
    ]
    assert playbooks.run("emco.edge.register", hosts).code == 0
    out = {"logical_clouds_kubeconfig_dir": "out"}
    first = playbooks.run("emco.edge.logical_clouds", hosts, "--limit", "edge-1", extra=out)
    assert first.code == 0, first.output
    assert first.results_of("cluster_result")[0]["state"] == "Ready"
    assert first.results_of("logical_cloud")[0]["outside_limit"] == ["lab+edge-2"]
    both = playbooks.run("emco.edge.logical_clouds", hosts, "-vvv", extra=out)
    assert both.code == 0, both.output
    changed = {one["cluster"]: one["changed"] for one in both.results_of("cluster_result")}
    assert changed == {"lab+edge-1": False, "lab+edge-2": True}
    clouds.canaries(both.output + first.output)
    kubeconfig = next(playbooks.folder.rglob("out/tests/listed.yaml"))
    assert clouds.as_tenant(kubeconfig, "--context", "lab+edge-2", "get", "pods").returncode == 0
    again = playbooks.run("emco.edge.logical_clouds", hosts, extra=out)
    assert not any(one["changed"] for one in again.results_of("logical_cloud"))


def test_each_cluster_is_isolated_by_the_best_policy_api_that_it_serves(clouds: Clouds) -> None:
    newer = f"{POLICY_API}@v0.2.0", "standard/policy.networking.k8s.io_clusternetworkpolicies.yaml"
    older = f"{POLICY_API}@v0.1.5", "standard/policy.networking.k8s.io_adminnetworkpolicies.yaml"
    # v1beta1 is in no release yet: what v1alpha2 defines is served under its name, too.
    served = {"edge-1": (newer, "v1beta1"), "edge-2": (newer, ""), "edge-3": (older, "")}
    for name, ((module, file), also) in served.items():
        definition = yaml.safe_load((fetched(module) / "config/crd" / file).read_text())
        if also:
            version = {**definition["spec"]["versions"][0], "name": also, "storage": False}
            definition["spec"]["versions"].append(version)
        clouds.lab.apply(name, definition)
        clouds.lab.established(name, definition["metadata"]["name"])
    spec = {"user": {"name": "ann"}, "permissions": [EVERYTHING], "isolation_except": ["ingress"]}
    made = ok(clouds.cloud("isolated", clusters=[f"lab+{name}" for name in CLUSTERS], **spec))
    told = {ref: one["isolation"]["by"] for ref, one in made["clusters"].items()}
    assert told == {
        "lab+edge-1": "policy.networking.k8s.io/v1beta1 ClusterNetworkPolicy",
        "lab+edge-2": "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy",
        "lab+edge-3": "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy",
        "lab+edge-4": "networking.k8s.io/v1 NetworkPolicy",
    }
    kinds = ("clusternetworkpolicies", "clusternetworkpolicies", "adminnetworkpolicies")
    for name, kind in zip(CLUSTERS, kinds, strict=False):
        assert clouds.lab.get(name, kind, "emco-edge-isolation-isolated")["spec"]["egress"][1]["action"] == "Deny"
    again = ok(clouds.cloud("isolated", clusters=[f"lab+{name}" for name in CLUSTERS], **spec))
    assert again["summary"]["writes"] == 0
