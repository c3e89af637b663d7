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

from emco_lab import clusters, components, handout, plan, tools
from emco_lab.layout import PORTS_PER_CLUSTER, Layout, existing, load, locked
from emco_lab.model import EPHEMERAL_PORTS, Lab
from emco_lab.processes import Processes
from emco_lab.report import LabError, say, timed
from emco_lab.tools import Tool

Result = dict[str, Any]
PARALLEL = 8


def up(wanted: Lab, folder: Path, copies: Path | None = None, download: bool = False) -> Result:
    """Make the lab in the folder what is described, and put copies of the kubeconfigs where they are wanted."""
    found, made = tools.provide(tools.SERVERS, download)
    with locked(folder):
        layout, processes = _prepare(wanted, folder)
        removed = _remove_undescribed(layout, wanted, processes)
        done = {name: ["removed"] for name in removed}
        shared = start_etcd(layout, processes, found)
        with ThreadPoolExecutor(PARALLEL) as pool:
            results = pool.map(lambda c: clusters.bring_up(layout, c, processes, found), wanted.clusters)
            done |= {cluster.name: steps for cluster, steps in zip(wanted.clusters, results, strict=True) if steps}
        if copies:
            handout.take_back(removed, copies)
            for name in handout.hand_out(layout, copies):
                done.setdefault(name, []).append("handed out its kubeconfig")
    for name, steps in done.items():
        say(f"{name}: {', '.join(steps)}")
    return {"changed": bool(done or shared or made), "done": done, **describe(layout, processes)}


def planned(wanted: Lab, folder: Path, copies: Path | None = None) -> Result:
    """What `up` would do."""
    missing = [suite.name for suite in tools.SUITES if suite.name in tools.SERVERS and not tools.find([suite])]
    would = plan.planned(wanted, folder, copies)
    return {"changed": bool(would or missing), "done": would, "missing_tools": missing, "dir": str(folder)}


def down(folder: Path, copies: Path | None = None, check: bool = False) -> Result:
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
        layout = load(folder)
        if copies and layout:
            handout.take_back(layout.slots, copies)
        for part in ("clusters", "etcd", "logs", "run"):
            shutil.rmtree(folder / part, ignore_errors=True)
        (folder / "lab.json").unlink(missing_ok=True)
        (folder / ".lock").unlink(missing_ok=True)
    if not any(folder.iterdir()):  # what somebody else put there stays
        folder.rmdir()
    return {"changed": True, "dir": str(folder), "stopped": stopped}


def status(folder: Path) -> Result:
    """What runs, and how to get at it."""
    layout = existing(folder)
    return {"changed": False, **describe(layout, Processes(layout.run, layout.logs))}


def describe(layout: Layout, processes: Processes) -> Result:
    """Clusters with their paths and the state of each process."""
    return {
        "dir": str(layout.folder),
        "etcd": _state(processes, components.ETCD),
        "clusters": {name: _describe_cluster(layout, name, processes) for name in layout.slots},
        "tools": {name: str(tool.path) for name, tool in tools.find().items()},
    }


def _describe_cluster(layout: Layout, name: str, processes: Processes) -> Result:
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
    url = f"http://127.0.0.1:{layout.etcd_port}/v3/kv/deleterange"
    body = json.dumps({"key": first, "range_end": end}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
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
