# SPDX-License-Identifier: GPL-3.0-or-later
"""What `up` would do, found out without doing anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emco_lab import components, handout, nodes, tools
from emco_lab.api import Api, ApiError
from emco_lab.layout import Layout, load
from emco_lab.model import Cluster, Lab
from emco_lab.processes import Processes
from emco_lab.tools import Tool

Plan = dict[str, list[str]]


def planned(wanted: Lab, folder: Path, copies: Path | None) -> Plan:
    """What would be done to which cluster; an empty answer means that `up` would change nothing."""
    layout = load(folder)
    if layout is None:
        return {cluster.name: [_created(cluster)] for cluster in wanted.clusters}
    found = tools.find([suite for suite in tools.SUITES if suite.name in tools.SERVERS])
    processes = Processes(layout.run, layout.logs)
    layout.audit = wanted.audit
    plan = {cluster.name: _changes(layout, cluster, processes, found) for cluster in wanted.clusters}
    plan |= {name: ["would be removed"] for name in layout.slots if name not in plan}
    for name in handout.outdated(layout, copies) if copies else ():
        plan[name].append("would hand out its kubeconfig")
    return {name: steps for name, steps in plan.items() if steps}


def _changes(layout: Layout, wanted: Cluster, processes: Processes, found: Mapping[str, Tool]) -> list[str]:
    if wanted.name not in layout.slots:
        return [_created(wanted)]
    if "kube-apiserver" not in found or "kwok" not in found:
        return ["would be started"]
    cluster = layout.cluster(wanted.name)
    idle = [p.name for p in components.programs(layout, cluster, found) if not processes.runs(p)]
    if idle:
        return [f"would start {name}" for name in idle]
    api = Api(cluster)
    try:
        return [f"would change the node {name}" for name in nodes.differing(api, wanted)]
    except (ApiError, OSError):
        return ["does not answer, would be looked after"]
    finally:
        api.close()


def _created(wanted: Cluster) -> str:
    return f"would be created with {len(wanted.nodes)} nodes"
