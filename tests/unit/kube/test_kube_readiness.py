# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an object is ready."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import judge
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError


def thing(
    kind: str, spec: dict[str, Any], status: dict[str, Any], *, version: str = "apps/v1", **metadata: Any
) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "generation": 2, **metadata},
        "spec": spec,
        "status": status,
    }


def conditions(**given: str | tuple[str, str]) -> dict[str, Any]:
    found = []
    for name, value in given.items():
        status, reason = value if isinstance(value, tuple) else (value, "")
        found.append({"type": name, "status": status, "reason": reason, "message": f"{name} is {status}"})
    return {"conditions": found}


ROLLED_OUT = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}


@pytest.mark.parametrize(
    ("spec", "status", "reason"),
    [
        ({"replicas": 3}, {}, ""),
        ({"replicas": 3}, {"observedGeneration": 1}, "NotObserved"),
        # EMCO's defect: the old ReplicaSet is ready, the new one is not there yet.
        ({"replicas": 3}, {"updatedReplicas": 1, "availableReplicas": 3}, "Updating"),
        ({"replicas": 3}, {"replicas": 4}, "Updating"),
        ({"replicas": 3}, {"availableReplicas": 2}, "Unavailable"),
        ({}, {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, ""),
        ({"replicas": 0}, {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0}, ""),
        ({"replicas": 3, "paused": True}, {"updatedReplicas": 0}, "Paused"),
        ({"replicas": 3}, conditions(Progressing=("False", "ProgressDeadlineExceeded")), "ProgressDeadlineExceeded"),
    ],
)
def test_deployment(spec: dict[str, Any], status: dict[str, Any], reason: str) -> None:
    found = judge(thing("Deployment", spec, {**ROLLED_OUT, **status}))

    assert (found.ready, found.reason) == (reason in ("", "Paused"), reason)
    assert found.final == (reason == "ProgressDeadlineExceeded")


def test_a_deployment_that_its_controller_never_saw_is_not_ready() -> None:
    assert judge(thing("Deployment", {"replicas": 0}, {})).reason == "NotObserved"


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({"replicas": 3}, {"currentRevision": "a", "updateRevision": "a"}, True),
        ({"replicas": 3}, {"currentRevision": "a", "updateRevision": "b", "updatedReplicas": 1}, False),
        ({"replicas": 3}, {"readyReplicas": 2}, False),
        ({"replicas": 3}, {"availableReplicas": 2}, False),
        (
            {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            {"currentRevision": "a", "updateRevision": "b", "updatedReplicas": 1},
            True,
        ),
        (
            {"replicas": 3, "updateStrategy": {"type": "OnDelete"}},
            {"currentRevision": "a", "updateRevision": "b", "updatedReplicas": 0},
            True,
        ),
    ],
)
def test_stateful_set(spec: dict[str, Any], status: dict[str, Any], ready: bool) -> None:
    assert judge(thing("StatefulSet", spec, {**ROLLED_OUT, **status})).ready is ready


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({}, {"updatedNumberScheduled": 1, "numberAvailable": 1}, True),
        ({}, {"updatedNumberScheduled": 0, "numberAvailable": 1}, False),
        ({}, {"updatedNumberScheduled": 1, "numberAvailable": 0}, False),
        ({"updateStrategy": {"type": "OnDelete"}}, {"updatedNumberScheduled": 0, "numberAvailable": 1}, True),
    ],
)
def test_daemon_set(spec: dict[str, Any], status: dict[str, Any], ready: bool) -> None:
    assert (
        judge(thing("DaemonSet", spec, {"observedGeneration": 2, "desiredNumberScheduled": 1, **status})).ready is ready
    )


def test_a_failed_hook_is_no_success() -> None:
    failed = judge(thing("Job", {}, conditions(Failed=("True", "BackoffLimitExceeded")), version="batch/v1"))

    assert (failed.ready, failed.final, failed.reason) == (False, True, "JobFailed")
    assert "BackoffLimitExceeded" in failed.message


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({}, conditions(Complete="True"), True),
        ({"completions": 2}, {"succeeded": 1}, False),
        ({}, {}, False),
        ({"suspend": True}, {}, True),
    ],
)
def test_job(spec: dict[str, Any], status: dict[str, Any], ready: bool) -> None:
    found = judge(thing("Job", spec, status, version="batch/v1"))
    assert (found.ready, found.final) == (ready, False)


@pytest.mark.parametrize(
    ("status", "labels", "ready", "final"),
    [
        ({"phase": "Running", **conditions(Ready="True")}, {}, True, False),
        ({"phase": "Running", **conditions(Ready="False")}, {}, False, False),
        ({"phase": "Pending"}, {}, False, False),
        ({"phase": "Succeeded"}, {}, True, False),
        ({"phase": "Failed"}, {}, False, True),
        ({"phase": "Failed"}, {"job-name": "x"}, True, False),
    ],
)
def test_pod(status: dict[str, Any], labels: dict[str, str], ready: bool, final: bool) -> None:
    found = judge(thing("Pod", {}, status, version="v1", labels=labels))
    assert (found.ready, found.final) == (ready, final)


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({"type": "ExternalName"}, {}, True),
        ({"type": "ClusterIP", "clusterIP": "10.0.0.1"}, {}, True),
        ({"type": "ClusterIP", "clusterIP": "None"}, {}, True),
        ({"type": "ClusterIP"}, {}, False),
        ({}, {}, False),
        ({"type": "LoadBalancer", "clusterIP": "10.0.0.1"}, {"loadBalancer": {}}, False),
        ({"type": "LoadBalancer", "clusterIP": "10.0.0.1"}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}, True),
        ({"type": "LoadBalancer", "clusterIP": "10.0.0.1", "externalIPs": ["1.2.3.4"]}, {}, True),
    ],
)
def test_service(spec: dict[str, Any], status: dict[str, Any], ready: bool) -> None:
    assert judge(thing("Service", spec, status, version="v1")).ready is ready


@pytest.mark.parametrize(
    ("version", "kind", "status", "ready", "final"),
    [
        ("v1", "PersistentVolumeClaim", {"phase": "Bound"}, True, False),
        ("v1", "PersistentVolumeClaim", {"phase": "Pending"}, False, False),
        ("v1", "PersistentVolumeClaim", {"phase": "Lost"}, False, True),
        ("v1", "Namespace", {"phase": "Active"}, True, False),
        ("v1", "ConfigMap", {}, True, False),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            conditions(Established="True", NamesAccepted="True"),
            True,
            False,
        ),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, False, False),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            conditions(NamesAccepted=("False", "Conflict")),
            False,
            True,
        ),
        ("apiregistration.k8s.io/v1", "APIService", conditions(Available="True"), True, False),
        ("apiregistration.k8s.io/v1", "APIService", conditions(Available=("False", "MissingEndpoints")), False, False),
        ("example.com/v1", "Camera", {}, True, False),
        ("example.com/v1", "Camera", conditions(Ready="True"), True, False),
        ("example.com/v1", "Camera", conditions(Ready="Unknown"), False, False),
        ("example.com/v1", "Camera", conditions(Available="False"), False, False),
        ("example.com/v1", "Camera", conditions(Ready="True", Reconciling="True"), False, False),
        ("example.com/v1", "Camera", conditions(Stalled=("True", "NoLens")), False, True),
        ("example.com/v1", "Camera", {"observedGeneration": 1, **conditions(Ready="True")}, False, False),
        ("certificates.k8s.io/v1", "CertificateSigningRequest", {}, True, False),
    ],
)
def test_other_kinds(version: str, kind: str, status: dict[str, Any], ready: bool, final: bool) -> None:
    found = judge(thing(kind, {}, status, version=version))
    assert (found.ready, found.final) == (ready, final)


def test_what_is_being_deleted_is_not_ready_and_says_what_holds_it() -> None:
    found = judge(thing("ConfigMap", {}, {}, version="v1", deletionTimestamp="now", finalizers=["example.com/held"]))

    assert (found.ready, found.reason) == (False, "Terminating")
    assert "example.com/held" in found.message


def test_a_query_of_the_user_decides_for_its_kind() -> None:
    camera = thing("Camera", {}, {"lens": "clean"}, version="example.com/v1")

    assert judge(camera, "status.lens == 'clean'").ready
    assert not judge(camera, "status.lens == 'new'").ready
    with pytest.raises(EdgeError, match="is wrong"):
        judge(camera, "status.[")


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(1, 3))
def test_a_ready_deployment_has_exactly_its_replicas_new_and_available(
    wanted: int, total: int, updated: int, available: int, observed: int
) -> None:
    status = {
        "observedGeneration": observed,
        "replicas": total,
        "updatedReplicas": updated,
        "availableReplicas": available,
    }

    ready = judge(thing("Deployment", {"replicas": wanted}, status)).ready

    assert ready == (observed >= 2 and updated >= wanted and total <= wanted and available >= wanted)
