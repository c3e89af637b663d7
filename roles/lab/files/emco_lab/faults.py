# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests do to a cluster: freeze, kill, stop, start, and a bad line to its API server."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

from emco_lab import clusters, components, kubeconfig, lab, tools
from emco_lab.api import Api
from emco_lab.layout import ClusterLayout, Layout, existing, locked, write_private
from emco_lab.processes import Processes, Program
from emco_lab.proxy import Faults
from emco_lab.report import LabError


def freeze(folder: Path, name: str) -> dict[str, Any]:
    """Stop the API server in its tracks (SIGSTOP): connections are accepted and hang."""
    _, _, processes, server = _open(folder, name)
    frozen = processes.frozen(server)
    if not frozen and not processes.signal(server, signal.SIGSTOP):
        raise LabError(f"{name}: its API server does not run; `start {name}` starts it")
    while not processes.frozen(server):
        time.sleep(0.001)
    return {"changed": not frozen, "cluster": name}


def thaw(folder: Path, name: str) -> dict[str, Any]:
    """Let a frozen API server go on (SIGCONT)."""
    _, _, processes, server = _open(folder, name)
    frozen = processes.frozen(server)
    if frozen:
        processes.signal(server, signal.SIGCONT)
    return {"changed": frozen, "cluster": name}


def kill(folder: Path, name: str) -> dict[str, Any]:
    """SIGKILL the API server: connections are refused."""
    _, _, processes, server = _open(folder, name)
    return {"changed": bool(processes.kill([server])), "cluster": name}


def stop(folder: Path, name: str) -> dict[str, Any]:
    """Stop all processes of the cluster in good order; its data stays."""
    with locked(folder):
        _, _, processes, _ = _open(folder, name)
        stopped = clusters.stop(name, processes)
    return {"changed": bool(stopped), "cluster": name, "stopped": stopped}


def start(folder: Path, name: str) -> dict[str, Any]:
    """Start what of the cluster does not run, and wait till it answers."""
    found, _ = tools.provide(tools.SERVERS)
    with locked(folder):
        layout, cluster, processes, _ = _open(folder, name)
        lab.start_etcd(layout, processes, found)
        started = clusters.start(layout, cluster, processes, found)
        api = Api(cluster)
        clusters.wait_answering(api, cluster, processes)
        api.close()
    return {"changed": bool(started), "cluster": name, "started": started}


def proxy(folder: Path, name: str, faults: Faults) -> dict[str, Any]:
    """Put a bad line before the API server, and write a kubeconfig that goes through it."""
    with locked(folder):
        _, cluster, processes, _ = _open(folder, name)
        program = _proxy_program(cluster, faults)
        changed = processes.start(program)
        _wait_listening(processes, program.name, cluster.proxy_port)
        text = kubeconfig.render(cluster, "admin", cluster.proxy_port)
        changed |= write_private(cluster.proxy_kubeconfig, text)
    return {"changed": changed, "cluster": name, "kubeconfig": str(cluster.proxy_kubeconfig)}


def no_proxy(folder: Path, name: str) -> dict[str, Any]:
    """Take the proxy away again."""
    with locked(folder):
        _, cluster, processes, _ = _open(folder, name)
        process = components.process_name(name, components.PROXY)
        stopped = processes.stop([process], grace=0)
        cluster.proxy_kubeconfig.unlink(missing_ok=True)
    return {"changed": bool(stopped), "cluster": name}


def _open(folder: Path, name: str) -> tuple[Layout, ClusterLayout, Processes, str]:
    layout = existing(folder)
    cluster = layout.cluster(name)
    return layout, cluster, Processes(layout.run, layout.logs), components.process_name(name, components.APISERVER)


def _proxy_program(cluster: ClusterLayout, faults: Faults) -> Program:
    ports = (f"--listen={cluster.proxy_port}", f"--target={cluster.port}")
    command = (sys.executable, str(Path(__file__).with_name("proxy.py")), *ports, *faults.arguments())
    return Program(components.process_name(cluster.name, components.PROXY), command)


def _wait_listening(processes: Processes, name: str, port: int) -> None:
    deadline = time.monotonic() + 20
    while not lab.listens(port):
        processes.must_live(name)
        if time.monotonic() > deadline:
            raise LabError(f"{name} does not listen on port {port}")
        time.sleep(0.02)
