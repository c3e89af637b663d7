# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's networks and network controller intents as options of this collection's own verbs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Catalogue, EmcoObject

NETWORKS = ("Network", "ProviderNetwork")


def network(one: EmcoObject) -> dict[str, Any]:
    """The options of ``network`` or ``provider_network``; EMCO's are for one cluster."""
    spec = one.spec
    found: dict[str, Any] = {
        "clusters": [f"{one.path[1]}+{one.path[3]}"],
        "name": one.name,
        "subnets": [_subnet(each) for key in ("ipv4Subnets", "ipv6Subnets") for each in spec.get(key) or ()],
    }
    if one.kind == "Network":
        return found
    vlan = spec.get("vlan") or {}
    nodes: dict[str, Any] = {"selector": vlan.get("vlanNodeSelector") or "any"}
    if vlan.get("nodeLabelList"):
        nodes["labels"] = list(vlan["nodeLabelList"])
    if spec["providerNetType"] == "DIRECT":
        return {**found, "type": "direct", "direct": {"interface": vlan.get("providerInterfaceName"), "nodes": nodes}}
    tag = {
        "id": vlan["vlanID"],
        "interface": vlan["providerInterfaceName"],
        "logical_interface": vlan["logicalInterfaceName"],
        "nodes": nodes,
    }
    return {**found, "type": "vlan", "vlan": tag}


def _subnet(one: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one["name"], "cidr": one["subnet"]}
    if one.get("gateway"):
        found["gateway"] = one["gateway"]
    if one.get("excludeIps"):
        found["exclude"] = one["excludeIps"].split()
    return found


def interfaces(catalogue: Catalogue, group: EmcoObject, intents: Iterable[str]) -> list[dict[str, Any]]:
    """The entries of the option ``interfaces`` that the named intents of a group mean."""
    wanted, found = set(intents), []
    for intent in catalogue.children(group.path, "NetControllerIntent"):
        for workload in catalogue.children(intent.path, "WorkloadIntent") if intent.name in wanted else ():
            found += [_interface(workload, one) for one in catalogue.children(workload.path, "InterfaceIntent")]
    return found


def _interface(workload: EmcoObject, one: EmcoObject) -> dict[str, Any]:
    found: dict[str, Any] = {
        "app": str(workload.spec["app"]),
        "workload": str(workload.spec["workloadResource"]),
        "kind": str(workload.spec["type"]),
        "network": str(one.spec["name"]),
        "name": str(one.spec["interface"]),
    }
    if one.spec.get("ipAddress"):
        found["ip"] = str(one.spec["ipAddress"]).partition("/")[0]
    if one.spec.get("macAddress"):
        found["mac"] = str(one.spec["macAddress"])
    if one.spec.get("defaultGateway") == "true":
        found["default_gateway"] = True
    return found
