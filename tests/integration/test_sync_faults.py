# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Syncs over bad lines and to servers that freeze, die and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from tests.integration.syncing import KEYS, Rig, bundle_of, config_map, connected, deployment
from tests.lab.harness import Lab

pytestmark = pytest.mark.integration


@pytest.fixture
def line(rig: Rig) -> Iterator[Rig]:
    """The rig, whole again afterwards."""
    yield rig
    rig.lab.no_proxy(rig.cluster)
    rig.lab.thaw(rig.cluster)
    rig.lab.start(rig.cluster)


def maps(rig: Rig, count: int) -> Bundle:
    return bundle_of(rig.space, {"web": [config_map(rig.space, f"map-{n}", text="x" * 2000) for n in range(count)]})


def synced(kubeconfig: Any, bundle: Bundle, *, seconds: float = 60.0, **options: Any) -> Outcome:
    client = connected(kubeconfig, seconds=seconds)
    try:
        return sync_cluster(client, bundle, SyncOptions(**options), KEYS)
    finally:
        client.close()


def test_a_frozen_server_is_unreachable_when_its_time_is_over(line: Rig) -> None:
    bundle = maps(line, 2)
    assert line.sync(bundle).state is State.READY
    line.lab.freeze(line.cluster)
    started = time.monotonic()

    outcome = synced(line.lab.kubeconfig(line.cluster), bundle, seconds=3.0)

    assert (outcome.state, outcome.changed) == (State.UNREACHABLE, False)
    assert time.monotonic() - started < 10.0
    line.lab.thaw(line.cluster)
    assert line.sync(bundle).state is State.READY


def test_a_server_that_freezes_in_the_middle_is_unreachable_and_finished_later(line: Rig) -> None:
    stuck = bundle_of(line.space, {"web": [deployment(line.space, "web", fate="pending")]})
    timer = threading.Timer(2.0, lambda: line.lab.freeze(line.cluster))
    timer.start()

    outcome = synced(line.lab.kubeconfig(line.cluster), stuck, seconds=8.0)
    timer.join()

    assert outcome.state is State.UNREACHABLE, outcome
    line.lab.thaw(line.cluster)
    whole = bundle_of(line.space, {"web": [deployment(line.space, "web")]})
    assert line.sync(whole).state is State.READY


def test_a_dead_server_is_unreachable_at_once(line: Rig) -> None:
    line.lab.kill(line.cluster)

    client = connected(line.lab.kubeconfig(line.cluster), patience=Patience(retries=1))
    outcome = sync_cluster(client, maps(line, 2), SyncOptions(), KEYS)

    assert (outcome.state, outcome.reason) == (State.UNREACHABLE, "ClusterUnreachable")
    assert outcome.seconds < 5.0


def test_a_server_that_is_restarted_while_we_wait_is_sat_out(line: Rig) -> None:
    apps = {"web": [deployment(line.space, "web", fate="pending")]}
    outcomes: list[Outcome] = []
    running = threading.Thread(
        target=lambda: outcomes.append(
            synced(line.lab.kubeconfig(line.cluster), bundle_of(line.space, apps), wait_timeout=45.0)
        )
    )
    running.start()
    time.sleep(2.0)
    line.lab.kill(line.cluster)
    line.lab.start(line.cluster)
    line.kubectl("patch", "deployment", "-n", line.space, "web", "--type=merge", "-p", '{"spec": {"paused": true}}')
    running.join()

    assert outcomes[0].state is State.READY, outcomes


@pytest.mark.parametrize(
    "fault",
    [{"latency": "100ms"}, {"drop": "3%", "seed": 7}, {"reset_after": 20_000}],
    ids=["slow", "lossy", "resets"],
)
def test_a_bad_line_is_got_over(line: Rig, fault: dict[str, Any]) -> None:
    through = line.lab.proxy(line.cluster, **fault)
    bundle = maps(line, 30)

    outcome = synced(through, bundle)
    for _unused in range(3):
        if outcome.state is State.READY:
            break
        outcome = synced(through, bundle)

    assert outcome.state is State.READY, outcome
    # What is there comes through the bad line too, however long the list of it is.
    seen = synced(through, bundle)
    assert (seen.state, seen.changed) == (State.READY, False), seen
    line.lab.no_proxy(line.cluster)
    again = line.sync(bundle)
    assert (again.changed, again.unchanged) == (False, 30)


def test_a_handshake_that_stalls_ends_with_the_budget(line: Rig) -> None:
    through = line.lab.proxy(line.cluster, stall_tls=True)

    outcome = synced(through, maps(line, 1), seconds=3.0)

    assert outcome.state is State.UNREACHABLE, outcome
    assert outcome.seconds < 8.0


def test_requests_are_sent_at_the_same_time(line: Rig) -> None:
    through = line.lab.proxy(line.cluster, latency="100ms")
    bundle = maps(line, 20)

    outcome = synced(through, bundle)

    # 24 requests one after the other would need 200 ms each.
    assert outcome.state is State.READY, outcome
    assert outcome.seconds < 0.2 * outcome.requests * 0.75


def webhook(name: str, space: str, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": "judge.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 1,
                "failurePolicy": "Fail",
                "clientConfig": {"url": "https://127.0.0.1:9/none"},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}},
                "rules": [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["configmaps"]}],
                **more,
            }
        ],
    }


def test_a_webhook_that_does_not_answer_is_named(rig: Rig) -> None:
    rig.lab.apply(rig.cluster, webhook(rig.space, rig.space))
    try:
        outcome = rig.sync(maps(rig, 1))
    finally:
        rig.kubectl("delete", "validatingwebhookconfiguration", rig.space)

    assert (outcome.state, outcome.reason) == (State.FAILED, "WebhookFailed")
    assert "judge.example.com" in outcome.message


def test_a_policy_that_refuses_is_named(rig: Rig) -> None:
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": rig.space},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
                ]
            },
            "validations": [{"expression": "false", "message": "no maps here"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": rig.space},
        "spec": {
            "policyName": rig.space,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": rig.space}}},
        },
    }
    rig.lab.apply(rig.cluster, policy, binding)
    try:
        deadline = time.monotonic() + 20.0
        bundle = maps(rig, 1)
        while (outcome := rig.sync(bundle, check=True)).state is not State.FAILED and time.monotonic() < deadline:
            time.sleep(0.5)
    finally:
        rig.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", rig.space)

    assert (outcome.state, outcome.reason) == (State.FAILED, "PolicyDenied")
    assert "no maps here" in outcome.message


def test_two_control_nodes_do_not_work_on_one_cluster_at_once(rig: Rig) -> None:
    slow = bundle_of(rig.space, {"web": [deployment(rig.space, "web", fate="pending")]})
    outcomes: list[Outcome] = []
    first = threading.Thread(target=lambda: outcomes.append(rig.sync(slow, wait_timeout=6.0)))
    first.start()
    time.sleep(2.0)

    second = rig.sync(bundle_of(rig.space, {"web": [config_map(rig.space, "other", a="1")]}), allow_deletions=True)
    first.join()

    assert second.state is State.READY, second
    assert outcomes[0].state is State.FAILED
    assert rig.get("deployment", "web") is None
    assert rig.get("configmap", "other") is not None


def test_a_bad_cluster_costs_the_others_nothing(line: Rig, audited_lab: Lab) -> None:
    through = audited_lab.proxy(line.cluster, stall_tls=True)
    bundle = maps(line, 3)
    outcomes: dict[str, Outcome] = {}
    threads = [
        threading.Thread(target=lambda: outcomes.update(bad=synced(through, bundle, seconds=4.0))),
        threading.Thread(target=lambda: outcomes.update(good=line.sync(bundle))),
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert {name: one.state for name, one in outcomes.items()} == {"bad": State.UNREACHABLE, "good": State.READY}
    assert outcomes["good"].seconds < outcomes["bad"].seconds
