# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a cluster's nodes equal to their description."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from emco_lab.api import Api
from emco_lab.model import DESCRIBED, Cluster, Node
from emco_lab.report import LabError

NODES = "/api/v1/nodes"
# Taints of this kind belong to the cluster's own controllers.
LIFECYCLE_TAINTS = "node.kubernetes.io/"


def reconcile(api: Api, cluster: Cluster) -> bool:
    """Create, update and remove nodes; nodes that nobody described are left alone; true when one changed."""
    live = {item["metadata"]["name"]: item for item in api.call("GET", NODES)["items"]}
    changed = False
    for node in cluster.nodes:
        if node.name not in live:
            api.call("POST", NODES, node.object)
        elif _digest(live[node.name]) != node.digest:
            _update(api, node, live[node.name])
        else:
            continue
        changed = True
    described = {node.name for node in cluster.nodes}
    for name in sorted(name for name, item in live.items() if _digest(item) and name not in described):
        api.call("DELETE", f"{NODES}/{name}")
        changed = True
    return changed


def wait_ready(api: Api, cluster: Cluster, timeout: float) -> None:
    """Wait till every described node is Ready and pods may be put on it."""
    wanted = {node.name for node in cluster.nodes}
    deadline = time.monotonic() + timeout
    while True:
        items = api.call("GET", f"{NODES}?resourceVersion=0")["items"]
        missing = wanted - {item["metadata"]["name"] for item in items if _ready(item)}
        if not missing:
            return
        if time.monotonic() > deadline:
            raise LabError(f"{cluster.name}: nodes not ready after {timeout:.0f} s: {', '.join(sorted(missing))}")
        time.sleep(0.05)


def _update(api: Api, node: Node, live: Mapping[str, Any]) -> None:
    described = node.object
    kept = [taint for taint in live["spec"].get("taints", []) if taint["key"].startswith(LIFECYCLE_TAINTS)]
    spec = {**live["spec"], **described["spec"], "taints": [*described["spec"]["taints"], *kept]}
    if "unschedulable" not in described["spec"]:
        spec.pop("unschedulable", None)
    metadata = {key: live["metadata"][key] for key in ("name", "uid")} | described["metadata"]
    stored = api.call("PUT", f"{NODES}/{node.name}", {**live, "metadata": metadata, "spec": spec})
    stored["status"] = {**stored["status"], **described["status"]}
    stored["metadata"].pop("resourceVersion")  # kwok and the controllers write here too; ours wins
    api.call("PUT", f"{NODES}/{node.name}/status", stored)


def _digest(live: Mapping[str, Any]) -> str | None:
    digest = live["metadata"].get("annotations", {}).get(DESCRIBED)
    return str(digest) if digest else None


def _ready(live: Mapping[str, Any]) -> bool:
    conditions = live.get("status", {}).get("conditions", [])
    tainted = any(taint["key"] == f"{LIFECYCLE_TAINTS}not-ready" for taint in live["spec"].get("taints", []))
    return not tainted and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
