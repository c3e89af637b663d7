# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusters are real ones, as described, and only their owner gets at them."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lab.harness import Lab

pytestmark = pytest.mark.integration


def deployment(name: str, replicas: int, **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    annotations = {"lab.emco.edge/pod": pod.pop("fate")} if "fate" in pod else {}
    container = {"name": "main", "image": "example.com/none:1", **pod.pop("container", {})}
    template = {
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": {"containers": [container], **pod},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def eventually(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not become true in time"
        time.sleep(0.05)


def test_nodes_are_as_described(lab: Lab) -> None:
    node = lab.get("one", "node", "one-a")
    assert node["status"]["allocatable"] == {
        "cpu": "8",
        "memory": "16Gi",
        "pods": "110",
        "example.com/accelerator": "2",
    }
    labels = node["metadata"]["labels"]
    assert labels["topology.kubernetes.io/zone"] == "z1"
    assert labels["feature.node.kubernetes.io/cpu-cpuid.AVX2"] == "true"
    assert labels["kubernetes.io/hostname"] == "one-a"
    assert lab.get("one", "node", "one-b")["spec"]["taints"] == [
        {"key": "kept", "value": "for-tests", "effect": "NoSchedule"}
    ]


def test_deployment_becomes_available_and_avoids_the_tainted_node(lab: Lab) -> None:
    lab.apply("one", deployment("web", 3))
    lab.kubectl("one", "wait", "--for=condition=Available", "deployment/web", "--timeout=15s")
    pods = lab.get("one", "pods", "-l", "app=web")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"one-a"}


def test_pods_beyond_the_extended_resource_stay_pending(lab: Lab) -> None:
    wanted = {"resources": {"limits": {"example.com/accelerator": "1"}}}
    lab.apply("one", deployment("detector", 3, container=wanted))

    def phases() -> list[str]:
        return sorted(pod["status"]["phase"] for pod in lab.get("one", "pods", "-l", "app=detector")["items"])

    eventually(lambda: phases() == ["Pending", "Running", "Running"])


def test_pod_that_cannot_pull_its_image_says_so(lab: Lab) -> None:
    lab.apply("one", deployment("unpullable", 1, fate="image-pull-error"))

    def reasons() -> list[str]:
        pods = lab.get("one", "pods", "-l", "app=unpullable")["items"]
        states = [status["state"] for pod in pods for status in pod["status"].get("containerStatuses", [])]
        return [state["waiting"]["reason"] for state in states]

    eventually(lambda: reasons() == ["ImagePullBackOff"])


def test_job_completes_and_its_log_can_be_read(lab: Lab) -> None:
    container = {"name": "main", "image": "example.com/none:1"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    lab.apply(
        "two",
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once", "namespace": "default"},
            "spec": {"template": template},
        },
    )
    lab.kubectl("two", "wait", "--for=condition=Complete", "job/once", "--timeout=15s")
    assert "no containers" in lab.kubectl("two", "logs", "job/once")


def test_certificate_request_is_signed_by_the_clusters_own_authority(lab: Lab) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    pem = request.public_bytes(serialization.Encoding.PEM)
    spec = {
        "request": base64.b64encode(pem).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    metadata = {"name": "somebody"}
    lab.apply(
        "two",
        {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": metadata,
            "spec": spec,
        },
    )
    lab.kubectl("two", "certificate", "approve", "somebody")
    eventually(lambda: "certificate" in lab.get("two", "csr", "somebody")["status"])
    issued = x509.load_pem_x509_certificate(
        base64.b64decode(lab.get("two", "csr", "somebody")["status"]["certificate"])
    )
    authority = x509.load_pem_x509_certificate((lab.folder / "clusters/two/pki/ca.crt").read_bytes())
    issued.verify_directly_issued_by(authority)


def test_namespace_is_deleted_with_what_is_in_it(lab: Lab) -> None:
    lab.kubectl("two", "create", "namespace", "short")
    lab.kubectl("two", "-n", "short", "create", "configmap", "inside")
    lab.kubectl("two", "delete", "namespace", "short", "--timeout=40s")


def test_one_cluster_does_not_know_the_certificates_of_another(lab: Lab) -> None:
    config = json.loads(lab.kubectl("one", "config", "view", "--raw", "-o", "json"))
    there = json.loads(lab.kubectl("two", "config", "view", "--raw", "-o", "json"))
    config["clusters"] = there["clusters"]
    config["contexts"][0]["context"]["cluster"] = config["current-context"] = config["contexts"][0]["name"] = "two"
    mixed = lab.folder / "mixed.json"
    mixed.write_text(json.dumps(config))
    command = [str(lab.tool("kubectl")), f"--kubeconfig={mixed}", "get", "nodes"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    mixed.unlink()
    assert answer.returncode != 0
    assert "must be logged in" in answer.stderr or "Unauthorized" in answer.stderr


def test_secrets_are_for_the_owner_only_and_ports_for_loopback(lab: Lab) -> None:
    open_to_others = [path for path in lab.folder.rglob("*") if path.is_file() and path.suffix in {".key", ".yaml"}]
    assert open_to_others
    assert {oct(path.stat().st_mode & 0o077) for path in open_to_others} == {"0o0"}
    assert lab.folder.stat().st_mode & 0o077 == 0
    assert _listening_addresses(lab) == {"0100007F"}


def _listening_addresses(lab: Lab) -> set[str]:
    state = json.loads((lab.folder / "lab.json").read_text())
    ours = range(state["base_port"], state["base_port"] + 200)
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, port = line.split()[1].split(":")
            if line.split()[3] == "0A" and int(port, 16) in ours:
                found.add(address)
    return found
