# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of a cluster's processes, and why their flags are as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emco_lab.kubeconfig import component_path
from emco_lab.layout import ClusterLayout, Layout
from emco_lab.processes import Program
from emco_lab.tools import Tool

APISERVER, CONTROLLER_MANAGER, SCHEDULER, KWOK, PROXY = (
    "apiserver",
    "controller-manager",
    "scheduler",
    "kwok",
    "proxy",
)
# The API server last: with clients that still watch, it takes long to stop.
STOP_ORDER = (PROXY, CONTROLLER_MANAGER, KWOK, SCHEDULER, APISERVER)
ETCD = "etcd"
# How nodes and pods without a kubelet live, one document a file; ours, so that a cached kwok works without its source.
# A pod's annotation lab.emco.edge/pod chooses another fate than becoming ready.
STAGES = Path(__file__).with_name("stages")

# With the default of 20 requests a second, twenty Deployments of three pods already take six seconds.
_UNTHROTTLED = ("--kube-api-qps=1000", "--kube-api-burst=2000")
_ALONE = ("--leader-elect=false", "--secure-port=0")
# What reacts to the objects of one cluster must not hold up the API server that takes those of another.
_REACTING = 19


def process_name(cluster: str, component: str) -> str:
    """The name under which a cluster's process is recorded."""
    return f"{cluster}.{component}"


def etcd(layout: Layout, tools: Mapping[str, Tool]) -> Program:
    """The one etcd that all clusters share, each under a prefix of its own."""
    client = f"http://127.0.0.1:{layout.etcd_port}"
    peer = f"http://127.0.0.1:{layout.etcd_port + 1}"
    command = (
        str(tools["etcd"].path),
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",  # a lab that loses power may be started anew
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=5m",
        f"--quota-backend-bytes={8 << 30}",
        "--log-level=warn",
    )
    return Program(ETCD, command)


def programs(layout: Layout, cluster: ClusterLayout, tools: Mapping[str, Tool]) -> list[Program]:
    """A cluster's processes in the order of their start."""
    return [
        apiserver(layout, cluster, tools),
        _controller_manager(cluster, tools),
        _scheduler(cluster, tools),
        _kwok(cluster, tools),
    ]


def apiserver(layout: Layout, cluster: ClusterLayout, tools: Mapping[str, Tool]) -> Program:
    """The API server, on loopback only."""
    pki = cluster.pki
    command = [
        str(tools["kube-apiserver"].path),
        f"--etcd-servers=http://127.0.0.1:{layout.etcd_port}",
        f"--etcd-prefix=/registry-{cluster.name}",
        "--bind-address=127.0.0.1",
        f"--secure-port={cluster.port}",
        # It refuses to advertise loopback; a documentation address is fine, since nothing is advertised.
        "--advertise-address=192.0.2.1",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={pki}",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--profiling=false",
    ]
    if layout.audit:
        command += [
            f"--audit-policy-file={cluster.folder}/audit-policy.yaml",
            f"--audit-log-path={cluster.audit_log}",
            "--audit-log-format=json",
        ]
    # Costs nothing that matters here and saves 30 MiB a cluster.
    return Program(process_name(cluster.name, APISERVER), tuple(command), {"GOGC": "50"})


def _controller_manager(cluster: ClusterLayout, tools: Mapping[str, Tool]) -> Program:
    pki = cluster.pki
    command = (
        str(tools["kube-controller-manager"].path),
        f"--kubeconfig={component_path(cluster, 'controller-manager')}",
        # Without these credentials it is forbidden nearly everything, and fails silently.
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={pki}/service-account.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        f"--cert-dir={pki}",
        # Nodes shall not fall over because a test froze the API server for a while.
        "--node-monitor-grace-period=1h",
        *_ALONE,
        *_UNTHROTTLED,
    )
    return Program(process_name(cluster.name, CONTROLLER_MANAGER), command, nice=_REACTING)


def _scheduler(cluster: ClusterLayout, tools: Mapping[str, Tool]) -> Program:
    command = (
        str(tools["kube-scheduler"].path),
        f"--kubeconfig={component_path(cluster, 'scheduler')}",
        *_ALONE,
        *_UNTHROTTLED,
    )
    return Program(process_name(cluster.name, SCHEDULER), command, nice=_REACTING)


def _kwok(cluster: ClusterLayout, tools: Mapping[str, Tool]) -> Program:
    command = (
        str(tools["kwok"].path),
        f"--kubeconfig={component_path(cluster, 'lab')}",
        f"--config={cluster.folder}/kwok.yaml",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        "--node-ip=127.0.0.1",
        f"--node-port={cluster.kubelet_port}",
        f"--server-address=127.0.0.1:{cluster.kubelet_port}",
        f"--tls-cert-file={cluster.pki}/apiserver.crt",
        f"--tls-private-key-file={cluster.pki}/apiserver.key",
        "--node-lease-duration-seconds=40",
        "--v=WARN",  # otherwise a line for each pod
    )
    return Program(process_name(cluster.name, KWOK), command, nice=_REACTING)
