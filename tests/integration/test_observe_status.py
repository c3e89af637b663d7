# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a deployment is, and what a cluster is, read from real API servers."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._observe.facts import read_facts
from ansible_collections.emco.edge.plugins.module_utils._observe.rights import missing_rights
from ansible_collections.emco.edge.plugins.module_utils._observe.status import Observation, Readiness, observe
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from tests.integration.syncing import KEYS, Rig, bundle_of, config_map, connected, definition, deployment, job, secret

pytestmark = pytest.mark.integration


def seen(rig: Rig, of: Bundle, **how: Any) -> Observation:
    client = rig.client()
    try:
        return observe(client, of.label, KEYS, **how)
    finally:
        client.close()


def statuses(found: Observation) -> dict[str, str]:
    return {str(one.identity): one.ready.value for one in found.resources if one.recorded}


def test_ready_view_has_objects_and_pods_and_counts_as_emco_does(rig: Rig) -> None:
    bundle = bundle_of(
        rig.space, {"web": [config_map(rig.space, "a", a="1"), deployment(rig.space, "web", replicas=2)]}
    )
    assert rig.sync(bundle).state is State.READY

    rig.lab.mark(rig.cluster)
    found = seen(rig, bundle)
    requests = [one for one in rig.lab.requests(rig.cluster) if one.user_agent == "emco-edge"]

    assert found.ready and found.reachable
    assert found.deployed_counts() == {"Applied": 2}
    assert found.ready_counts() == {"Ready": 4}
    pods = [one for one in found.resources if not one.recorded]
    assert [(one.identity.kind, one.app) for one in pods] == [("Pod", "web")] * 2
    assert len(requests) == found.requests == 4
    assert not any(one.writes for one in requests)


def test_deployed_view_has_no_pods(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": [deployment(rig.space, "web")]})
    rig.sync(bundle)

    assert [one.recorded for one in seen(rig, bundle, pods=False).resources] == [True]


def test_what_is_not_there_and_what_is_not_ready_is_told_apart_with_the_reason(rig: Rig) -> None:
    apps = {"web": [config_map(rig.space, "gone", a="1"), deployment(rig.space, "web", fate="crash-loop")]}
    bundle = bundle_of(rig.space, apps)
    rig.sync(bundle, wait=False)
    rig.kubectl("delete", "configmap", "-n", rig.space, "gone")
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        found = seen(rig, bundle)
        if any("CrashLoopBackOff" in one.reason for one in found.resources):
            break
        time.sleep(0.5)

    assert statuses(found) == {
        f"ConfigMap {rig.space}/gone": "NotPresent",
        f"Deployment {rig.space}/web": "NotReady",
    }
    web = next(one for one in found.resources if one.identity.kind == "Deployment")
    assert web.reason == "CrashLoopBackOff", web
    assert not found.ready


def test_unschedulable_pods_say_so(rig: Rig) -> None:
    greedy = deployment(rig.space, "web")
    greedy["spec"]["template"]["spec"]["containers"][0]["resources"] = {
        "requests": {"example.com/none": "1"},
        "limits": {"example.com/none": "1"},
    }
    bundle = bundle_of(rig.space, {"web": [greedy]})

    outcome = rig.sync(bundle, wait_timeout=3.0)

    assert outcome.not_ready[0].reason == "Unschedulable"
    assert "Insufficient example.com/none" in outcome.not_ready[0].message


def test_a_cluster_without_the_deployment_has_nothing_and_is_not_ready(rig: Rig) -> None:
    found = seen(rig, bundle_of(rig.space, {}))

    assert (found.reachable, found.resources, found.record, found.ready) == (True, (), None, False)


def test_a_cluster_that_does_not_answer_is_not_empty() -> None:
    kubeconfig = {
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "users": [{"name": "x", "user": {"token": "x"}}],
    }
    client = connected(kubeconfig, seconds=2.0)

    found = observe(client, "tests.x", KEYS)

    assert (found.reachable, found.reason) == (False, "ClusterUnreachable")


def test_drift_names_fields_values_and_owners_and_masks_secrets(rig: Rig) -> None:
    apps = {
        "web": [
            config_map(rig.space, "a", a="1"),
            secret(rig.space, "s", text="canary"),
            config_map(rig.space, "b", a="1"),
        ]
    }
    bundle = bundle_of(rig.space, apps)
    rig.sync(bundle)
    rig.kubectl("patch", "configmap", "-n", rig.space, "a", "--field-manager=a-hand", "-p", '{"data": {"a": "2"}}')
    rig.kubectl("patch", "secret", "-n", rig.space, "s", "-p", '{"stringData": {"text": "stolen"}}')
    rig.kubectl("delete", "configmap", "-n", rig.space, "b")

    found = seen(rig, bundle, drift=True, bundle=bundle)

    drifted = {one.identity.name: one for one in found.resources if one.drifted}
    assert set(drifted) == {"a", "s", "b"}
    assert [(one.path, one.before, one.after) for one in drifted["a"].changes] == [("data.a", "1", "2")]
    assert drifted["a"].owners == ("a-hand",)
    assert drifted["b"].ready is Readiness.NOT_PRESENT
    assert "canary" not in repr(found) and "stolen" not in repr(found)


def test_a_job_that_expired_is_ready_and_has_not_drifted(rig: Rig) -> None:
    once = job(rig.space, "once")
    once["spec"]["ttlSecondsAfterFinished"] = 3600
    bundle = bundle_of(rig.space, {"web": [once]})
    rig.sync(bundle)
    rig.kubectl("delete", "job", "-n", rig.space, "once")

    found = seen(rig, bundle, drift=True)

    assert statuses(found) == {f"Job {rig.space}/once": "Ready"}
    assert not any(one.drifted for one in found.resources)


def test_a_query_of_the_user_says_when_a_kind_is_ready(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": [config_map(rig.space, "a", a="1")]})
    rig.sync(bundle)

    assert not seen(rig, bundle, ready_queries={"ConfigMap": "data.a == '2'"}).ready
    assert seen(rig, bundle, ready_queries={"ConfigMap": "data.a == '1'"}).ready


# facts and rights


def test_facts_have_nodes_and_what_living_pods_use(rig: Rig) -> None:
    asking = deployment(rig.space, "web", replicas=2)
    asking["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "250m", "memory": "64Mi"}}
    bundle = bundle_of(rig.space, {"web": [asking, job(rig.space, "done")]})
    client = rig.client()
    before = sum(node.used.get("cpu", 0) for node in read_facts(client, 0.0).nodes)
    assert rig.sync(bundle).state is State.READY

    rig.lab.mark(rig.cluster)
    found = read_facts(client, 12.0)
    requests = [one for one in rig.lab.requests(rig.cluster) if one.user_agent == "emco-edge"]

    assert (found.observed, found.version) == (12.0, rig.client().version())
    assert [node.name for node in found.nodes] == ["one-a", "one-b"]
    assert all(node.ready and node.allocatable["cpu"] > 0 and node.allocatable["memory"] > 0 for node in found.nodes)
    assert sum(node.used.get("cpu", 0) for node in found.nodes) - before == 500
    assert {"apps/v1", "apps/v1/Deployment", "v1", "v1/ConfigMap"} <= set(found.apis)
    assert len(requests) <= 10 and not any(one.writes for one in requests)
    client.close()


def test_pods_that_wait_for_a_node_are_told(rig: Rig) -> None:
    greedy = deployment(rig.space, "web")
    greedy["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1000"}}
    rig.sync(bundle_of(rig.space, {"web": [greedy]}), wait=False)
    client, deadline = rig.client(), time.monotonic() + 20.0
    while not (waiting := [p for p in read_facts(client, 0.0).pending if p["metadata"]["namespace"] == rig.space]):
        assert time.monotonic() < deadline
        time.sleep(0.2)

    assert waiting[0]["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1k"}
    rig.kubectl("delete", "deployment", "-n", rig.space, "web")


def test_engines_are_known_by_the_kinds_that_are_served(rig: Rig) -> None:
    multus = definition("network-attachment-definitions", "NetworkAttachmentDefinition", "k8s.cni.cncf.io")
    rig.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(multus))
    client, deadline = rig.client(), time.monotonic() + 20.0
    try:
        while not (found := read_facts(client, 0.0)).engines:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        rig.kubectl("delete", "crd", "network-attachment-definitions.k8s.cni.cncf.io")

    assert found.engines == {"multus": "k8s.cni.cncf.io/v1"}


def test_an_administrator_misses_no_right_in_one_request(rig: Rig) -> None:
    client = rig.client()
    assert missing_rights(client) == ()
    assert client.transport.requests == 1


def test_missing_rights_are_named_one_by_one(rig: Rig) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "small", "namespace": rig.space}}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": rig.space},
        "rules": [
            {
                "apiGroups": [
                    "",
                    "batch",
                    "networking.k8s.io",
                    "apiextensions.k8s.io",
                    "storage.k8s.io",
                    "rbac.authorization.k8s.io",
                ],
                "resources": ["*"],
                "verbs": ["*"],
            },
            {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get", "list", "patch"]},
        ],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": rig.space},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": rig.space},
        "subjects": [{"kind": "ServiceAccount", "name": "small", "namespace": rig.space}],
    }
    # What is granted in one namespace is not granted in all.
    here = {**role, "kind": "Role", "metadata": {"name": rig.space, "namespace": rig.space}}
    here["rules"] = [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}]
    bound = {**binding, "kind": "RoleBinding", "metadata": here["metadata"]}
    bound["roleRef"] = {**binding["roleRef"], "kind": "Role"}
    rig.lab.apply(rig.cluster, account, role, binding, here, bound)
    token = rig.kubectl("create", "token", "-n", rig.space, "small").strip()
    admin = json.loads(rig.kubectl("config", "view", "--raw", "-o", "json"))
    admin["users"] = [{"name": admin["users"][0]["name"], "user": {"token": token}}]
    client = connected(admin)
    time.sleep(1.0)

    found = missing_rights(client)

    expected = {
        f"{verb} {kind}.apps" for verb in ("create", "delete") for kind in ("deployments", "statefulsets", "daemonsets")
    }
    assert set(found) == expected
    assert client.transport.requests == 2
    rig.kubectl("delete", "clusterrole,clusterrolebinding", rig.space)
