# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sync asks of an API server, counted there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from tests.integration.syncing import (
    Rig,
    actions,
    bundle_of,
    config_map,
    definition,
    deployment,
    job,
    namespace,
    secret,
    service,
    short,
    versions,
)
from tests.lab.harness import Request

pytestmark = pytest.mark.integration


def still(rig: Rig) -> list[dict[str, Any]]:
    """Objects that are ready as soon as they are there: nothing is polled."""
    maps = [config_map(rig.space, f"settings-{number}", value=str(number)) for number in range(5)]
    return [*maps, secret(rig.space, "password", text="canary"), service(rig.space, "web"), service(rig.space, "api")]


def kinds(bundle: Bundle) -> int:
    return len({(one.identity.group, one.identity.kind) for one in bundle.objects})


def without_polls(requests: list[Request]) -> list[Request]:
    """Without the looks that come after the first object was sent."""
    first = next((at for at, one in enumerate(requests) if one.verb == "patch"), len(requests))
    return [*requests[:first], *(one for one in requests[first:] if one.writes)]


def test_first_run_sends_objects_kinds_and_seven_requests_at_most(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": still(rig)})

    outcome, requests = rig.counted(lambda: rig.sync(bundle))

    assert outcome.state is State.READY, outcome
    assert len(requests) == outcome.requests <= len(bundle.objects) + kinds(bundle) + 7
    assert sum(one.verb == "patch" for one in requests) == len(bundle.objects)


def test_first_run_on_an_empty_cluster_with_its_own_namespace_definition_and_workloads(rig: Rig) -> None:
    space = short("own namespace of " + rig.space)
    camera = {
        "apiVersion": "sync.example.com/v1",
        "kind": "Camera",
        "metadata": {"name": "front", "namespace": space},
        "spec": {"rate": 5},
    }
    other = {**camera, "metadata": {"name": "back", "namespace": rig.space}}
    bundle = bundle_of(
        rig.space,
        {
            "base": [namespace(space), definition(), camera, other],
            "web": [
                config_map(space, "settings", a="1"),
                config_map(rig.space, "settings", a="1"),
                deployment(space, "web"),
            ],
        },
    )

    outcome, requests = rig.counted(lambda: rig.sync(bundle))

    assert outcome.state is State.READY, outcome
    assert outcome.applied == len(bundle.objects)
    assert len(without_polls(requests)) <= len(bundle.objects) + kinds(bundle) + 7


def test_a_hook_costs_two_requests_more(rig: Rig) -> None:
    hooks = [
        job(rig.space, "before", hook="pre-install", hook_delete_policy="before-hook-creation"),
        job(rig.space, "after", hook="post-install", hook_delete_policy="hook-succeeded"),
    ]
    bundle = bundle_of(rig.space, {"web": [*still(rig), *hooks]})

    outcome, requests = rig.counted(lambda: rig.sync(bundle))

    assert outcome.state is State.READY, outcome
    assert len(without_polls(requests)) <= len(still(rig)) + kinds(bundle) + 7 + 2 * len(hooks)


def test_unchanged_run_writes_nothing_and_lists_each_kind_once(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": [*still(rig), deployment(rig.space, "web", replicas=2)]})
    first = rig.sync(bundle)
    assert first.state is State.READY, first
    before = versions(rig, "configmaps", "secrets", "services", "deployments")
    record = rig.record_secret(bundle)["metadata"]["resourceVersion"]

    outcome, requests = rig.counted(lambda: rig.sync(bundle))

    assert (outcome.state, outcome.changed, outcome.unchanged) == (State.READY, False, len(bundle.objects))
    assert [one for one in requests if one.writes] == []
    assert len(requests) <= kinds(bundle) + 4
    assert versions(rig, "configmaps", "secrets", "services", "deployments") == before
    assert rig.record_secret(bundle)["metadata"]["resourceVersion"] == record


@pytest.mark.parametrize("drifted", [1, 3])
def test_only_what_was_changed_by_hand_is_written(rig: Rig, drifted: int) -> None:
    bundle = bundle_of(rig.space, {"web": still(rig)})
    rig.sync(bundle)
    for number in range(drifted):
        rig.kubectl("patch", "configmap", "-n", rig.space, f"settings-{number}", "-p", '{"data": {"value": "by hand"}}')

    outcome, requests = rig.counted(lambda: rig.sync(bundle, diff=True))

    written = [one for one in requests if one.writes]
    assert sorted(one.name for one in written) == [f"settings-{number}" for number in range(drifted)]
    assert (outcome.applied, outcome.unchanged) == (drifted, len(bundle.objects) - drifted)
    live = rig.get("configmap", "settings-0")
    assert live is not None and live["data"] == {"value": "0"}
    [change] = next(one.changes for one in outcome.objects if one.identity.name == "settings-0")
    assert (change.path, change.before, change.after) == ("data.value", "by hand", "0")
    assert not rig.sync(bundle).changed


def test_what_was_deleted_by_hand_comes_back_alone(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": still(rig)})
    rig.sync(bundle)
    rig.kubectl("delete", "configmap", "-n", rig.space, "settings-2")

    outcome, requests = rig.counted(lambda: rig.sync(bundle))

    assert actions(outcome)[f"ConfigMap {rig.space}/settings-2"] == "created"
    assert [one.name for one in requests if one.verb == "patch"] == ["settings-2"]
    assert not rig.sync(bundle).changed


def test_a_new_revision_sends_only_what_differs(rig: Rig) -> None:
    old = bundle_of(rig.space, {"web": still(rig)})
    rig.sync(old)
    changed = [*still(rig)[1:], config_map(rig.space, "settings-0", value="new")]
    new = bundle_of(rig.space, {"web": changed})

    outcome, requests = rig.counted(lambda: rig.sync(new))

    assert [one.name for one in requests if one.verb == "patch"] == ["settings-0"]
    assert (outcome.applied, outcome.unchanged, outcome.deleted) == (1, len(new.objects) - 1, 0)


def test_check_mode_stores_nothing_and_tells_what_it_cannot_know(rig: Rig) -> None:
    space = short("new namespace of " + rig.space)
    bundle = bundle_of(
        rig.space,
        {"web": [namespace(space), config_map(space, "inside", a="1"), config_map(rig.space, "outside", a="1")]},
    )

    outcome, requests = rig.counted(lambda: rig.sync(bundle, check=True))

    assert [one for one in requests if one.writes] == []
    assert actions(outcome) == {
        f"Namespace {space}": "would create",
        f"ConfigMap {space}/inside": "would create (unverified)",
        f"ConfigMap {rig.space}/outside": "would create",
    }
    assert outcome.changed
    assert (
        json.loads(rig.kubectl("get", "configmap", "-n", rig.space, "-o", "json"))["items"][0]["metadata"]["name"]
        == "kube-root-ca.crt"
    )


def test_check_mode_shows_owned_fields_only_and_masks_secrets(rig: Rig) -> None:
    rig.sync(bundle_of(rig.space, {"web": still(rig)}))
    changed = [
        config_map(rig.space, "settings-0", value="new"),
        *still(rig)[1:5],
        secret(rig.space, "password", text="another canary"),
        *still(rig)[6:],
    ]

    outcome = rig.sync(bundle_of(rig.space, {"web": changed}), check=True, diff=True)

    shown = {str(one.identity): [each.as_result() for each in one.changes] for one in outcome.objects if one.changes}
    assert shown == {
        f"ConfigMap {rig.space}/settings-0": [{"path": "data.value", "before": "0", "after": "new"}],
        f"Secret {rig.space}/password": [{"path": "data.text", "before": "*** (before)", "after": "*** (after)"}],
    }
    assert "canary" not in repr(outcome)
