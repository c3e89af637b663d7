# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: up, down, status."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import time
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from emco_lab import clusters, components, tools
from emco_lab.layout import PORTS_PER_CLUSTER, Layout, existing, load, locked
from emco_lab.model import EPHEMERAL_PORTS, Lab
from emco_lab.processes import Processes
from emco_lab.report import LabError, say, timed
from emco_lab.tools import Tool

NEEDED = ("etcd", "kubernetes", "kwok")
PARALLEL = 8


def up(wanted: Lab, folder: Path, check: bool = False, download: bool = False) -> dict[str, Any]:
    """Make the lab in the folder what is described."""
    if check:
        return _planned(wanted, folder)
    found, made = tools.provide(NEEDED, download)
    with locked(folder):
        layout, processes = _prepare(wanted, folder)
        done = {name: ["removed"] for name in _remove_undescribed(layout, wanted, processes)}
        shared = start_etcd(layout, processes, found)
        with ThreadPoolExecutor(PARALLEL) as pool:
            results = pool.map(lambda c: clusters.bring_up(layout, c, processes, found), wanted.clusters)
            for cluster, steps in zip(wanted.clusters, results, strict=True):
                if steps:
                    say(f"{cluster.name}: {', '.join(steps)}")
                    done[cluster.name] = steps
    return {"changed": bool(done or shared or made), "done": done, **describe(layout, processes)}


def down(folder: Path, check: bool = False) -> dict[str, Any]:
    """Remove every process and every file of the lab."""
    if not (folder / "lab.json").exists() and not (folder / "run").exists():
        return {"changed": False, "dir": str(folder), "stopped": []}
    processes = Processes(folder / "run", folder / "logs")
    if check:
        return {"changed": True, "dir": str(folder), "stopped": [n for n in processes.names() if processes.pid(n)]}
    with locked(folder):
        names = processes.names()
        # The data goes too, so nothing is gained by asking the processes to end well.
        stopped = processes.kill(names)
        for name in names:
            processes.forget(name)
        for part in ("clusters", "etcd", "logs", "run"):
            shutil.rmtree(folder / part, ignore_errors=True)
        (folder / "lab.json").unlink(missing_ok=True)
        (folder / ".lock").unlink(missing_ok=True)
    if not any(folder.iterdir()):  # what somebody else put there stays
        folder.rmdir()
    return {"changed": True, "dir": str(folder), "stopped": stopped}


def status(folder: Path) -> dict[str, Any]:
    """What runs, and how to get at it."""
    layout = existing(folder)
    return {"changed": False, **describe(layout, Processes(layout.run, layout.logs))}


def describe(layout: Layout, processes: Processes) -> dict[str, Any]:
    """Clusters with their paths and the state of each process."""
    return {
        "dir": str(layout.folder),
        "etcd": _state(processes, components.ETCD),
        "clusters": {name: _describe_cluster(layout, name, processes) for name in layout.slots},
        "tools": {name: str(tool.path) for name, tool in tools.find().items()},
    }


def _describe_cluster(layout: Layout, name: str, processes: Processes) -> dict[str, Any]:
    cluster = layout.cluster(name)
    states = {c: _state(processes, components.process_name(name, c)) for c in components.STOP_ORDER}
    return {
        "server": f"https://127.0.0.1:{cluster.port}",
        "kubeconfig": str(cluster.kubeconfig),
        "audit_log": str(cluster.audit_log) if layout.audit else None,
        "proxy": str(cluster.proxy_kubeconfig) if states[components.PROXY] != "absent" else None,
        "processes": {component: state for component, state in states.items() if state != "absent"},
    }


def _state(processes: Processes, name: str) -> str:
    if processes.pid(name) is None:
        return "dead" if name in processes.names() else "absent"
    return "frozen" if processes.frozen(name) else "running"


def _planned(wanted: Lab, folder: Path) -> dict[str, Any]:
    layout = load(folder)
    processes = Processes(folder / "run", folder / "logs")
    would: dict[str, list[str]] = {}
    for cluster in wanted.clusters:
        if layout is None or cluster.name not in layout.slots:
            would[cluster.name] = [f"would be created with {len(cluster.nodes)} nodes"]
            continue
        states = _describe_cluster(layout, cluster.name, processes)["processes"]
        if idle := [component for component, state in states.items() if state != "running"]:
            would[cluster.name] = [f"would start {component}" for component in idle]
    described = {cluster.name for cluster in wanted.clusters}
    would |= {name: ["would be removed"] for name in (layout.slots if layout else ()) if name not in described}
    missing = [suite.name for suite in tools.SUITES if suite.name in NEEDED and not tools.find([suite])]
    return {"changed": bool(would or missing), "done": would, "missing_tools": missing, "dir": str(folder)}


def _prepare(wanted: Lab, folder: Path) -> tuple[Layout, Processes]:
    layout = load(folder) or Layout(folder, wanted.base_port)
    if layout.base_port != wanted.base_port:
        raise LabError(
            f"the lab at {folder} uses the ports from {layout.base_port}, not {wanted.base_port}: take it down first"
        )
    layout.audit = wanted.audit
    known = set(layout.slots)
    for cluster in wanted.clusters:
        layout.allot(cluster.name)
    last = layout.base_port + PORTS_PER_CLUSTER * (max(layout.slots.values()) + 2)
    if last >= EPHEMERAL_PORTS:
        raise LabError(f"ports up to {last} would be needed, {EPHEMERAL_PORTS} and up are not ours: lower base_port")
    _refuse_taken_ports(layout, known)
    layout.save()
    return layout, Processes(layout.run, layout.logs)


def _refuse_taken_ports(layout: Layout, known: set[str]) -> None:
    ports = [layout.cluster(name).port for name in layout.slots if name not in known]
    if not known:
        ports += [layout.etcd_port, layout.etcd_port + 1]
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise LabError(f"port {port} of 127.0.0.1 is taken: choose another base_port ({error})") from error


def _remove_undescribed(layout: Layout, wanted: Lab, processes: Processes) -> list[str]:
    described = {cluster.name for cluster in wanted.clusters}
    removed = [name for name in layout.slots if name not in described]
    for name in removed:
        say(f"{name}: no longer described, removing it")
        clusters.remove(layout, name, processes)
        _forget_data(layout, name)
        del layout.slots[name]
        layout.save()
    return removed


def _forget_data(layout: Layout, name: str) -> None:
    # etcd's JSON gateway: all keys from "/registry-NAME/" up to the same with the next character.
    first, end = (base64.b64encode(f"/registry-{name}{c}".encode()).decode() for c in "/0")
    request = urllib.request.Request(
        f"http://127.0.0.1:{layout.etcd_port}/v3/kv/deleterange",
        json.dumps({"key": first, "range_end": end}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()
    except OSError as error:
        raise LabError(f"{name}: its data cannot be deleted from etcd: {error}") from error


def start_etcd(layout: Layout, processes: Processes, found: Mapping[str, Tool]) -> bool:
    """Start the shared etcd unless it runs; true when it was started."""
    program = components.etcd(layout, found)
    if not processes.start(program):
        return False
    with timed("starting etcd"):
        deadline = time.monotonic() + clusters.PATIENCE
        while not listens(layout.etcd_port):
            processes.must_live(program.name)
            if time.monotonic() > deadline:
                raise LabError(f"etcd does not answer; see {processes.log(program.name)}")
            time.sleep(0.02)
    return True


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
