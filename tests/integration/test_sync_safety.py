# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sync refuses, and what it never deletes, on a real API server."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.options import IgnoredField
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
    service,
    short,
)

pytestmark = pytest.mark.integration


def maps(rig: Rig, count: int, value: str = "1") -> list[dict[str, Any]]:
    return [config_map(rig.space, f"settings-{number}", value=value) for number in range(count)]


def there(rig: Rig, kind: str = "configmap") -> set[str]:
    found = rig.lab.get(rig.cluster, kind, "-n", rig.space)
    return {one["metadata"]["name"] for one in found["items"]} - {"kube-root-ca.crt"}


# what is not ours


def test_objects_of_others_are_all_named_before_anything_is_written(rig: Rig) -> None:
    for number in (1, 3):
        rig.kubectl("create", "configmap", "-n", rig.space, f"settings-{number}", "--from-literal=value=theirs")
    bundle = bundle_of(rig.space, {"web": maps(rig, 4)})

    outcome, requests = rig.counted(lambda: rig.sync(bundle))

    assert (outcome.state, outcome.reason) == (State.FAILED, "NotOurs")
    assert outcome.details["objects"] == [f"ConfigMap {rig.space}/settings-{number}" for number in (1, 3)]
    assert [one for one in requests if one.writes] == []


def test_adopt_takes_over_what_others_made_and_then_keeps_it(rig: Rig) -> None:
    rig.kubectl("create", "configmap", "-n", rig.space, "settings-0", "--from-literal=value=theirs")
    bundle = bundle_of(rig.space, {"web": maps(rig, 2)})

    outcome = rig.sync(bundle, adopt=True)

    assert outcome.state is State.READY, outcome
    assert actions(outcome) == {
        f"ConfigMap {rig.space}/settings-0": "changed",
        f"ConfigMap {rig.space}/settings-1": "created",
    }
    live = rig.get("configmap", "settings-0")
    assert live is not None and live["data"] == {"value": "1"}
    assert not rig.sync(bundle).changed


def test_two_deployments_on_one_object_conflict_loudly(rig: Rig) -> None:
    first = bundle_of(rig.space, {"web": maps(rig, 1)})
    second = bundle_of(rig.space + "-second", {"web": maps(rig, 1, value="2")})
    rig.sync(first)

    assert rig.sync(second).reason == "NotOurs"
    assert rig.sync(second, adopt=True).state is State.READY
    outcome = rig.sync(first)

    assert (outcome.state, outcome.reason) == (State.FAILED, "FieldConflict")
    assert second.manager in outcome.message
    live = rig.get("configmap", "settings-0")
    assert live is not None and live["data"] == {"value": "2"}


# conflicts and immutable fields


def test_a_field_that_another_tool_declares_is_a_conflict_that_names_it(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": maps(rig, 1)})
    rig.sync(bundle)
    theirs = json.dumps(config_map(rig.space, "settings-0", value="theirs"))
    rig.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other-tool", "-f", "-", stdin=theirs)

    refused = rig.sync(bundle)
    forced = rig.sync(bundle, conflicts="force")

    assert (refused.state, refused.reason) == (State.FAILED, "FieldConflict")
    assert refused.details["conflicts"] == [{"manager": "other-tool", "field": ".data.value", "operation": "Apply"}]
    assert forced.state is State.READY, forced
    live = rig.get("configmap", "settings-0")
    assert live is not None and live["data"] == {"value": "1"}


def test_immutable_fields_fail_or_replace(rig: Rig) -> None:
    first = bundle_of(rig.space, {"web": [deployment(rig.space, "web")]})
    assert rig.sync(first).state is State.READY
    changed = deployment(rig.space, "web")
    changed["spec"]["selector"]["matchLabels"] = changed["spec"]["template"]["metadata"]["labels"] = {"app": "new"}
    second = bundle_of(rig.space, {"web": [changed]})
    uid = rig.get("deployment", "web")["metadata"]["uid"]  # type: ignore[index]

    refused = rig.sync(second)
    checked = rig.sync(second, check=True, on_immutable="replace")
    replaced = rig.sync(second, on_immutable="replace")

    assert (refused.state, refused.reason) == (State.FAILED, "ImmutableField")
    assert f"Deployment {rig.space}/web" in refused.message
    assert actions(checked) == {f"Deployment {rig.space}/web": "would change"}
    assert replaced.state is State.READY, replaced
    assert rig.get("deployment", "web")["metadata"]["uid"] != uid  # type: ignore[index]
    assert not rig.sync(second).changed


# drift


def test_drift_can_be_reported_or_ignored_instead_of_corrected(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": maps(rig, 2)})
    rig.sync(bundle)
    rig.kubectl("patch", "configmap", "-n", rig.space, "settings-0", "-p", '{"data": {"value": "by hand"}}')

    for drift in ("report", "ignore"):
        outcome, requests = rig.counted(lambda drift=drift: rig.sync(bundle, drift=drift))  # type: ignore[misc]
        assert [one for one in requests if one.writes] == []
        assert actions(outcome)[f"ConfigMap {rig.space}/settings-0"] == (
            "drifted" if drift == "report" else "unchanged"
        )
        assert not outcome.changed
    shown = rig.sync(bundle, drift="report", diff=True)
    [change] = next(one.changes for one in shown.objects if one.action.value == "drifted")
    assert (change.path, change.before, change.after) == ("data.value", "by hand", "1")


def test_an_ignored_field_is_left_to_whoever_set_it(rig: Rig) -> None:
    ignored = (IgnoredField("data.value", "ConfigMap", "settings-*"),)
    rig.sync(bundle_of(rig.space, {"web": maps(rig, 1)}))
    rig.kubectl("patch", "configmap", "-n", rig.space, "settings-0", "-p", '{"data": {"value": "theirs"}}')
    more = bundle_of(rig.space, {"web": [config_map(rig.space, "settings-0", value="1", other="new")]})

    outcome = rig.sync(more, ignore_fields=ignored)

    assert outcome.state is State.READY, outcome
    live = rig.get("configmap", "settings-0")
    assert live is not None and live["data"] == {"value": "theirs", "other": "new"}
    assert not rig.sync(more, ignore_fields=ignored).changed


def test_replicas_that_an_autoscaler_set_are_left_to_it(rig: Rig) -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": rig.space},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
    }
    bundle = bundle_of(rig.space, {"web": [deployment(rig.space, "web", replicas=2), scaler]})
    rig.sync(bundle)
    rig.kubectl("scale", "deployment", "-n", rig.space, "web", "--replicas=3")

    outcome = rig.sync(bundle)

    assert outcome.state is State.READY, outcome
    assert rig.get("deployment", "web")["spec"]["replicas"] == 3  # type: ignore[index]
    assert not outcome.changed
    again, requests = rig.counted(lambda: rig.sync(bundle))
    assert [one for one in requests if one.writes] == [], again


def test_replicas_that_somebody_scaled_by_hand_are_corrected(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": [deployment(rig.space, "web", replicas=2)]})
    rig.sync(bundle)
    rig.kubectl("scale", "deployment", "-n", rig.space, "web", "--replicas=3")

    outcome = rig.sync(bundle)

    assert (outcome.state, outcome.applied) == (State.READY, 1)
    assert rig.get("deployment", "web")["spec"]["replicas"] == 2  # type: ignore[index]


def test_a_job_that_its_time_to_live_removed_is_no_drift(rig: Rig) -> None:
    once = job(rig.space, "once")
    once["spec"]["ttlSecondsAfterFinished"] = 3600
    bundle = bundle_of(rig.space, {"web": [once]})
    assert rig.sync(bundle).state is State.READY
    rig.kubectl("delete", "job", "-n", rig.space, "once")

    outcome = rig.sync(bundle)

    assert (outcome.state, outcome.changed, outcome.unchanged) == (State.READY, False, 1)


# deletions


def test_what_is_no_longer_wanted_is_deleted_and_nothing_else(rig: Rig) -> None:
    rig.kubectl("create", "configmap", "-n", rig.space, "theirs", "--from-literal=value=theirs")
    rig.sync(bundle_of(rig.space, {"web": maps(rig, 4)}))
    smaller = bundle_of(rig.space, {"web": maps(rig, 3)})

    outcome = rig.sync(smaller)

    assert (outcome.state, outcome.deleted, outcome.unchanged) == (State.READY, 1, 3)
    assert there(rig) == {"settings-0", "settings-1", "settings-2", "theirs"}
    assert not rig.sync(smaller).changed


def test_deletion_guard_stops_before_any_write_and_says_what_it_would_delete(rig: Rig) -> None:
    rig.sync(bundle_of(rig.space, {"web": maps(rig, 12)}))
    smaller = bundle_of(rig.space, {"web": [*maps(rig, 7), config_map(rig.space, "new", a="1")]})

    outcome, requests = rig.counted(lambda: rig.sync(smaller))

    assert (outcome.state, outcome.reason) == (State.FAILED, "DeletionGuard")
    assert len(outcome.details["would_delete"]) == 5
    assert [one for one in requests if one.writes] == []
    assert rig.sync(smaller, allow_deletions=True).deleted == 5


def test_a_single_namespace_or_definition_or_claim_needs_consent(rig: Rig) -> None:
    space = short("namespace in " + rig.space)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": rig.space},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    dear = [namespace(space), definition("lenses", "Lens"), claim]
    rig.sync(bundle_of(rig.space, {"web": [*maps(rig, 20), *dear]}), wait=False)

    for one in dear:
        kept = [other for other in dear if other is not one]
        outcome = rig.sync(bundle_of(rig.space, {"web": [*maps(rig, 20), *kept]}), wait=False)
        assert (outcome.state, outcome.reason) == (State.FAILED, "DeletionGuard"), one


def test_an_object_made_anew_by_somebody_else_is_not_deleted(rig: Rig) -> None:
    rig.sync(bundle_of(rig.space, {"web": maps(rig, 2)}))
    rig.kubectl("delete", "configmap", "-n", rig.space, "settings-1")
    theirs = config_map(rig.space, "settings-1", value="theirs")
    theirs["metadata"]["labels"] = {"emco.edge/deployment": bundle_of(rig.space, {}).label}
    rig.kubectl("create", "-f", "-", stdin=json.dumps(theirs))

    outcome = rig.sync(bundle_of(rig.space, {"web": maps(rig, 1)}))

    assert outcome.deleted == 0
    assert actions(outcome)[f"ConfigMap {rig.space}/settings-1"] == "kept"
    assert there(rig) == {"settings-0", "settings-1"}


def test_an_object_that_lost_our_label_is_not_deleted(rig: Rig) -> None:
    rig.sync(bundle_of(rig.space, {"web": maps(rig, 2)}))
    rig.kubectl("label", "configmap", "-n", rig.space, "settings-1", "emco.edge/deployment-")

    outcome = rig.sync(bundle_of(rig.space, {"web": maps(rig, 1)}))

    assert outcome.deleted == 0
    assert there(rig) == {"settings-0", "settings-1"}


def test_nothing_is_deleted_in_a_namespace_that_the_deployment_may_no_longer_use(rig: Rig) -> None:
    rig.sync(bundle_of(rig.space, {"web": maps(rig, 2)}))
    elsewhere = bundle_of(rig.space, {"web": []}, namespaces=frozenset({"default"}))

    outcome = rig.sync(elsewhere, allow_deletions=True)

    assert outcome.deleted == 0
    assert there(rig) == {"settings-0", "settings-1"}


# the record


def tampered(rig: Rig, bundle: Bundle, **data: bytes) -> None:
    secret = rig.record_secret(bundle)
    secret["data"].update({name: base64.b64encode(value).decode() for name, value in data.items()})
    rig.kubectl("replace", "-f", "-", stdin=json.dumps(secret))


@pytest.mark.parametrize("data", [{"signature": b"forged"}, {"record": b"not gzip"}, {"record": b""}])
def test_a_record_that_was_tampered_with_never_makes_us_delete(rig: Rig, data: dict[str, bytes]) -> None:
    bundle = bundle_of(rig.space, {"web": maps(rig, 2)})
    rig.sync(bundle)
    tampered(rig, bundle, **data)

    shrunk, requests = rig.counted(lambda: rig.sync(bundle_of(rig.space, {"web": maps(rig, 1)}), allow_deletions=True))
    removed = rig.remove(bundle)

    assert [one.reason for one in (shrunk, removed)] == ["RecordNotTrusted"] * 2
    assert [one for one in requests if one.writes] == []
    assert there(rig) == {"settings-0", "settings-1"}


def test_the_record_of_another_deployment_is_not_taken(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": maps(rig, 2)})
    other = bundle_of(rig.space + "-other", {"web": [config_map(rig.space, "other", a="1")]})
    rig.sync(bundle)
    rig.sync(other)
    theirs = rig.record_secret(other)
    mine = rig.record_secret(bundle)
    mine["data"] = theirs["data"]
    rig.kubectl("replace", "-f", "-", stdin=json.dumps(mine))

    assert rig.remove(bundle).reason == "RecordNotTrusted"
    assert there(rig) == {"settings-0", "settings-1", "other"}


def test_a_record_that_was_deleted_makes_our_objects_strangers_until_adopted(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": maps(rig, 2)})
    rig.sync(bundle)
    rig.kubectl("delete", "secret", "-n", "emco-edge-system", rig.record_secret(bundle)["metadata"]["name"])

    assert rig.remove(bundle).deleted == 0
    assert rig.sync(bundle).reason == "NotOurs"
    assert rig.sync(bundle, adopt=True).state is State.READY
    assert not rig.sync(bundle).changed


def test_the_record_holds_no_secret_in_plain(rig: Rig) -> None:
    import gzip

    hidden = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": rig.space},
        "stringData": {"a": "canary-value"},
    }
    bundle = bundle_of(rig.space, {"web": [hidden]})
    outcome = rig.sync(bundle, diff=True)

    content = gzip.decompress(base64.b64decode(rig.record_secret(bundle)["data"]["record"]))
    assert b"canary-value" not in content
    assert base64.b64encode(b"canary-value") not in content
    assert "canary-value" not in repr(outcome)


# what a server refuses


def test_objects_that_the_server_refuses_are_all_named_with_its_words(rig: Rig) -> None:
    wrong = [service(rig.space, "fine"), service(rig.space, "wrong-1"), service(rig.space, "wrong-2")]
    for one in wrong[1:]:
        one["spec"]["ports"][0]["port"] = 123456
    outcome = rig.sync(bundle_of(rig.space, {"web": wrong}))

    assert (outcome.state, outcome.reason) == (State.FAILED, "Invalid")
    assert f"Service {rig.space}/wrong-1 on lab+edge-1" in outcome.message
    assert [name for name, action in actions(outcome).items() if action == "failed"] == [
        f"Service {rig.space}/wrong-{number}" for number in (1, 2)
    ]


def test_an_object_that_is_too_large_is_named(rig: Rig) -> None:
    large = config_map(rig.space, "large", text="x" * 1_200_000)
    outcome = rig.sync(bundle_of(rig.space, {"web": [large, *maps(rig, 1)]}))

    assert (outcome.state, outcome.reason) == (State.FAILED, "TooLarge")
    assert f"ConfigMap {rig.space}/large on lab+edge-1" in outcome.message
    assert "xxxxxxxxxx" not in outcome.message


def test_a_namespace_that_does_not_exist_is_named(rig: Rig) -> None:
    outcome = rig.sync(bundle_of(rig.space, {"web": [config_map("t-nowhere", "settings", a="1")]}))

    assert (outcome.state, outcome.reason) == (State.FAILED, "NamespaceMissing")


def test_a_kind_that_is_not_served_is_named(rig: Rig) -> None:
    camera = {
        "apiVersion": "nowhere.example.com/v1",
        "kind": "Camera",
        "metadata": {"name": "a", "namespace": rig.space},
    }
    outcome = rig.sync(bundle_of(rig.space, {"web": [camera]}))

    assert (outcome.state, outcome.reason) == (State.FAILED, "KindNotServed")


def test_an_exceeded_quota_is_named(rig: Rig) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": rig.space},
        "spec": {"hard": {"count/configmaps": "2"}},
    }
    rig.lab.apply(rig.cluster, quota)
    rig.kubectl("wait", "-n", rig.space, "resourcequota/small", "--for=jsonpath={.status.used.count/configmaps}=1")
    outcome = rig.sync(bundle_of(rig.space, {"web": maps(rig, 3)}))

    assert (outcome.state, outcome.reason) == (State.FAILED, "QuotaExceeded")


def test_our_own_namespace_on_its_way_out_is_waited_for(rig: Rig) -> None:
    assert rig.sync(bundle_of(rig.space, {"web": [config_map(rig.space, "one")]})).state is State.READY
    rig.lab.kubectl(rig.cluster, "delete", "namespace", "emco-edge-system", "--wait=false")
    outcome = rig.sync(bundle_of(f"{rig.space}-b", {"web": [config_map(rig.space, "two")]}), wait_timeout=60.0)
    assert outcome.state is State.READY, outcome
    assert rig.lab.get(rig.cluster, "namespace", "emco-edge-system")["status"]["phase"] == "Active"


def test_what_is_not_ready_in_time_says_why(rig: Rig) -> None:
    stuck = deployment(rig.space, "web", fate="image-pull-error")
    outcome = rig.sync(bundle_of(rig.space, {"web": [stuck]}), wait_timeout=4.0)

    assert (outcome.state, outcome.reason) == (State.FAILED, "WaitTimeout")
    [found] = outcome.not_ready
    assert str(found.identity) == f"Deployment {rig.space}/web"
    assert found.reason in ("ImagePullBackOff", "ErrImagePull"), found
    assert "0 of 1 replicas are available" in found.message


def test_without_waiting_a_cluster_is_progressing(rig: Rig) -> None:
    stuck = deployment(rig.space, "web", fate="pending")
    outcome = rig.sync(bundle_of(rig.space, {"web": [stuck]}), wait=False)

    assert (outcome.state, outcome.reason) == (State.PROGRESSING, "NotReady")
