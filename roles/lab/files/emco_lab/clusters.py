# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster: its files, its processes, and the proof that it works."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping

import yaml

from emco_lab import components, kubeconfig, nodes, pki
from emco_lab.api import CONFLICT, NOT_FOUND, Api, ApiError
from emco_lab.layout import ClusterLayout, Layout, write_private
from emco_lab.model import Cluster
from emco_lab.processes import Processes
from emco_lab.report import LabError
from emco_lab.tools import Tool

PATIENCE = 120.0  # seconds for each thing that must become true
PROBES = "/apis/apps/v1/namespaces/kube-system/deployments"
PROBE = "emco-edge-lab-probe"


def bring_up(layout: Layout, wanted: Cluster, processes: Processes, tools: Mapping[str, Tool]) -> list[str]:
    """Make one cluster what is described; returns what had to be done."""
    cluster = layout.cluster(wanted.name)
    created = pki.ensure(cluster.pki, cluster.name)
    rewritten = kubeconfig.ensure(cluster)
    configured = write_configuration(layout, cluster, tools["kube-apiserver"].version)
    started = start(layout, cluster, processes, tools, restart_kwok=configured)
    api = Api(cluster)
    try:
        wait_answering(api, cluster, processes)
        changed = nodes.reconcile(api, wanted)
        if started:
            _prove_controllers(api, cluster, processes)
        nodes.wait_ready(api, wanted, PATIENCE)
    except (ApiError, OSError) as error:
        raise LabError(f"{cluster.name}: {error}") from error
    finally:
        api.close()
    if created:
        return [f"created with {len(wanted.nodes)} nodes"]
    steps = ["wrote its kubeconfig"] if rewritten else []
    return [*steps, *(f"started {name}" for name in started), *(f"changed the node {name}" for name in changed)]


def start(
    layout: Layout, cluster: ClusterLayout, processes: Processes, tools: Mapping[str, Tool], restart_kwok: bool = False
) -> list[str]:
    """Start what does not run, or runs otherwise than it should; returns the names of those."""
    if restart_kwok:  # it reads its stages only once
        processes.stop([components.process_name(cluster.name, components.KWOK)])
    apiserver, *others = components.programs(layout, cluster, tools)
    started = [apiserver.name] if processes.start(apiserver) else []
    waiting = [program for program in others if processes.pid(program.name) is None]
    if started and waiting:
        # Started before the API server answers, they would exit or back off for seconds.
        with_api = Api(cluster)
        wait_answering(with_api, cluster, processes)
        with_api.close()
    return started + [program.name for program in others if processes.start(program)]


def stop(cluster: str, processes: Processes) -> list[str]:
    """Stop the cluster's processes in good order; returns those that ran."""
    return processes.stop(components.process_name(cluster, name) for name in components.STOP_ORDER)


def remove(layout: Layout, name: str, processes: Processes) -> None:
    """Kill the cluster's processes and delete its files; its data in etcd is the caller's."""
    names = [components.process_name(name, component) for component in components.STOP_ORDER]
    processes.kill(names)
    for process in names:
        processes.forget(process)
        processes.log(process).unlink(missing_ok=True)
    shutil.rmtree(layout.cluster(name).folder, ignore_errors=True)


def wait_answering(api: Api, cluster: ClusterLayout, processes: Processes) -> None:
    """Wait till the API server is ready and lets the lab in."""
    process = components.process_name(cluster.name, components.APISERVER)
    deadline = time.monotonic() + PATIENCE
    while not api.ready():
        processes.must_live(process)
        if time.monotonic() > deadline:
            raise LabError(f"{cluster.name}: not ready after {PATIENCE:.0f} s; see {processes.log(process)}")
        time.sleep(0.05)


def write_configuration(layout: Layout, cluster: ClusterLayout, version: str) -> bool:
    """Write the files that the processes read; true when kwok's changed."""
    if layout.audit:
        write_private(cluster.folder / "audit-policy.yaml", yaml.safe_dump(_AUDIT_POLICY))
    log = cluster.folder / "pod.log"
    write_private(log, "".join(f"{_LOG_TIME} stdout F {line}\n" for line in _POD_LOG))
    logs = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "all"},
        "spec": {"logs": [{"logsFile": str(log)}]},
    }
    stages = "".join(path.read_text(encoding="utf-8") for path in sorted(components.STAGES.glob("*.yml")))
    stages = stages.replace("KUBERNETES_VERSION", version)
    return write_private(cluster.folder / "kwok.yaml", f"{stages}---\n{yaml.safe_dump(logs)}")


# What the lab's own components do is left out: the log is there to count what others ask.
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted", "Panic"],
    "rules": [
        {
            "level": "None",
            "users": [
                pki.LAB.user,
                pki.CONTROLLER_MANAGER.user,
                pki.SCHEDULER.user,
                "system:apiserver",
            ],
        },
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "Metadata"},
    ],
}
_LOG_TIME = "2026-01-01T00:00:00.000000000Z"
_POD_LOG = ("this pod has no containers: the lab only pretends that it runs",)


def _prove_controllers(api: Api, cluster: ClusterLayout, processes: Processes) -> None:
    """Wait till controllers really act: one without rights still makes default ServiceAccounts, but no ReplicaSets."""
    name = components.process_name(cluster.name, components.CONTROLLER_MANAGER)
    deadline = time.monotonic() + PATIENCE
    _create_probe(api)
    while not (_observed(api) and _has_service_account(api)):
        processes.must_live(name)
        if time.monotonic() > deadline:
            raise LabError(f"{cluster.name}: the controller manager does nothing; see {processes.log(name)}")
        time.sleep(0.05)
    api.call("DELETE", f"{PROBES}/{PROBE}?propagationPolicy=Background")


def _create_probe(api: Api) -> None:
    labels = {"app.kubernetes.io/name": PROBE}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "none", "image": "none"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    probe = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": PROBE}, "spec": spec}
    try:
        api.call("POST", PROBES, probe)
    except ApiError as error:
        if error.status != CONFLICT:  # left by a run that was killed
            raise


def _observed(api: Api) -> bool:
    # The condition is only set once the ReplicaSet exists, which needs the rights that may be missing.
    status = api.call("GET", f"{PROBES}/{PROBE}").get("status", {})
    return any(condition["type"] == "Progressing" for condition in status.get("conditions", []))


def _has_service_account(api: Api) -> bool:
    try:
        api.call("GET", "/api/v1/namespaces/default/serviceaccounts/default")
    except ApiError as error:
        if error.status == NOT_FOUND:
            return False
        raise
    return True
