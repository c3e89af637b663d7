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


def differing(api: Api, cluster: Cluster) -> list[str]:
    """The names of nodes that are missing, differ from their description, or are no longer described."""
    live = _live(api)
    wrong = [node.name for node in cluster.nodes if _digest(live.get(node.name)) != node.digest]
    return wrong + _undescribed(live, cluster)


def reconcile(api: Api, cluster: Cluster) -> list[str]:
    """Create, update and remove nodes; returns their names; nodes that nobody described are left alone."""
    live = _live(api)
    wrong = [node for node in cluster.nodes if _digest(live.get(node.name)) != node.digest]
    for node in wrong:
        if node.name in live:
            _update(api, node, live[node.name])
        else:
            api.call("POST", NODES, node.object)
    gone = _undescribed(live, cluster)
    for name in gone:
        api.call("DELETE", f"{NODES}/{name}")
    return [*(node.name for node in wrong), *gone]


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


def _live(api: Api) -> dict[str, Mapping[str, Any]]:
    return {item["metadata"]["name"]: item for item in api.call("GET", NODES)["items"]}


def _undescribed(live: Mapping[str, Mapping[str, Any]], cluster: Cluster) -> list[str]:
    described = {node.name for node in cluster.nodes}
    return sorted(name for name, item in live.items() if _digest(item) and name not in described)


def _digest(live: Mapping[str, Any] | None) -> str | None:
    digest = live and live["metadata"].get("annotations", {}).get(DESCRIBED)
    return str(digest) if digest else None


def _ready(live: Mapping[str, Any]) -> bool:
    conditions = live.get("status", {}).get("conditions", [])
    tainted = any(taint["key"] == f"{LIFECYCLE_TAINTS}not-ready" for taint in live["spec"].get("taints", []))
    return not tainted and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
