# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests do to a cluster: freeze, kill, stop, start, and a bad line to its API server."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass
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
    victim = _open(folder, name)
    processes, server = victim.processes, victim.server
    frozen = processes.frozen(server)
    if not frozen and not processes.signal(server, signal.SIGSTOP):
        raise LabError(f"{name}: its API server does not run; `start {name}` starts it")
    while not processes.frozen(server):
        time.sleep(0.001)
    return {"changed": not frozen, "cluster": name}


def thaw(folder: Path, name: str) -> dict[str, Any]:
    """Let a frozen API server go on (SIGCONT)."""
    victim = _open(folder, name)
    frozen = victim.processes.frozen(victim.server)
    if frozen:
        victim.processes.signal(victim.server, signal.SIGCONT)
    return {"changed": frozen, "cluster": name}


def kill(folder: Path, name: str) -> dict[str, Any]:
    """SIGKILL the API server: connections are refused."""
    victim = _open(folder, name)
    return {"changed": bool(victim.processes.kill([victim.server])), "cluster": name}


def stop(folder: Path, name: str) -> dict[str, Any]:
    """Stop all processes of the cluster in good order; its data stays."""
    with locked(folder):
        stopped = clusters.stop(name, _open(folder, name).processes)
    return {"changed": bool(stopped), "cluster": name, "stopped": stopped}


def start(folder: Path, name: str) -> dict[str, Any]:
    """Start what of the cluster does not run, and wait till it answers."""
    found = tools.provide(tools.SERVERS)[0]
    with locked(folder):
        victim = _open(folder, name)
        lab.start_etcd(victim.layout, victim.processes, found)
        started = clusters.start(victim.layout, victim.cluster, victim.processes, found)
        api = Api(victim.cluster)
        clusters.wait_answering(api, victim.cluster, victim.processes)
        api.close()
    return {"changed": bool(started), "cluster": name, "started": started}


def proxy(folder: Path, name: str, faults: Faults) -> dict[str, Any]:
    """Put a bad line before the API server, and write a kubeconfig that goes through it."""
    with locked(folder):
        victim = _open(folder, name)
        cluster = victim.cluster
        program = _proxy_program(cluster, faults)
        changed = victim.processes.start(program)
        _wait_listening(victim.processes, program.name, cluster.proxy_port)
        text = kubeconfig.render(cluster, "admin", cluster.proxy_port)
        changed |= write_private(cluster.proxy_kubeconfig, text)
    return {"changed": changed, "cluster": name, "kubeconfig": str(cluster.proxy_kubeconfig)}


def no_proxy(folder: Path, name: str) -> dict[str, Any]:
    """Take the proxy away again."""
    with locked(folder):
        victim = _open(folder, name)
        stopped = victim.processes.stop([components.process_name(name, components.PROXY)], grace=0)
        victim.cluster.proxy_kubeconfig.unlink(missing_ok=True)
    return {"changed": bool(stopped), "cluster": name}


@dataclass(frozen=True)
class _Victim:
    layout: Layout
    cluster: ClusterLayout
    processes: Processes
    server: str  # the name of the API server's process


def _open(folder: Path, name: str) -> _Victim:
    layout = existing(folder)
    server = components.process_name(name, components.APISERVER)
    return _Victim(layout, layout.cluster(name), Processes(layout.run, layout.logs), server)


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
