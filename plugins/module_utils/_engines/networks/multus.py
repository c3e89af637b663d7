# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: networks as plain CNI plugins make them: bridge, macvlan, ipvlan or sriov under Multus."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import policies
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import (
    NAD,
    NAD_API,
    Attachment,
    Engine,
    Object,
    Site,
    dns_refused,
    metadata,
    ports_refused,
    without_nothing,
)
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.elements import element
from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network import Subnet
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, gateway_of

_WHEREABOUTS = "whereabouts.cni.cncf.io/v1alpha1/IPPool"


def kind_of(placed: Placed) -> str:
    """The CNI plugin of a network."""
    return placed.network.multus.type or ("macvlan" if placed.network.uplink else "bridge")


def refusals(placed: Placed, site: Site) -> Iterator[Problem]:
    """What plain plugins cannot express."""
    network, kind = placed.network, kind_of(placed)
    yield from ports_refused(placed)
    yield from dns_refused(placed, "Multus")
    yield from policies.refusals(placed, site)
    if network.router is not None:
        yield Problem("router", "plain plugins have no router", "engine: kube_ovn routes between networks")
    if kind == "bridge" and network.uplink is not None:
        text = "a bridge of the plugin has no way to the interface of the node"
        yield Problem("multus.type", text, "use macvlan, ipvlan or sriov")
    if kind in ("macvlan", "ipvlan") and network.uplink is None and network.multus.interface is None:
        yield Problem("multus.interface", f"is required for a virtual network of {kind}")
    if kind != "bridge" and not site.serves(_WHEREABOUTS):
        text = f"of {kind} on several nodes needs whereabouts, or each node gives the same addresses"
        yield Problem("subnets", text, "install whereabouts, or choose an engine with addresses of its own")


def render(networks: Sequence[Placed], site: Site) -> Iterator[tuple[str, Object]]:
    """A definition in each namespace of each network, and its policy."""
    for one in networks:
        for namespace in one.network.namespaces:
            yield one.name, _definition(one, namespace, site)
        for policy in policies.policies(one, site, one.network.namespaces):
            yield one.name, policy


def _definition(placed: Placed, namespace: str, site: Site) -> Object:
    resource = placed.network.multus.resource
    marks = {"annotations": {"k8s.v1.cni.cncf.io/resourceName": resource}} if resource else {}
    return {
        "apiVersion": NAD_API,
        "kind": "NetworkAttachmentDefinition",
        "metadata": metadata(placed.name, namespace, **marks),
        "spec": {"config": json.dumps(_config(placed, site))},
    }


def _config(placed: Placed, site: Site) -> dict[str, Any]:
    network, uplink, kind = placed.network, placed.network.uplink, kind_of(placed)
    config: dict[str, Any] = {"cniVersion": "0.3.1", "name": placed.name, "type": kind}
    if kind == "bridge":
        # Linux allows 15 characters; a bridge is one node's, and isGateway gives it the gateway's address.
        config.update(bridge=f"eb-{placed.name}"[:15], isGateway=True)
    elif kind == "sriov":
        config.update(without_nothing(vlan=uplink.vlan if uplink else None))
    else:
        config.update(master=uplink.logical_interface if uplink else network.multus.interface)
    if kind == "macvlan":
        config["mode"] = "bridge"
    if kind != "sriov":
        config.update(without_nothing(mtu=network.mtu))
    config["capabilities"] = {"ips": True, **({} if kind == "ipvlan" else {"mac": True})}
    config["ipam"] = _whereabouts(placed) if site.serves(_WHEREABOUTS) else _host_local(placed)
    return config


def _host_local(placed: Placed) -> dict[str, Any]:
    return {
        "type": "host-local",
        "ranges": [_ranges(one) for one in placed.network.subnets],
        **_routes(placed),
    }


def _ranges(subnet: Subnet) -> list[dict[str, str]]:
    """The plugin has no exclusions: it gets the ranges between them."""
    cidr, gateway = str(subnet.cidr), gateway_of(subnet)
    free = addresses.free_ranges(cidr, (gateway, *subnet.exclude))
    ends = [(one.partition("..")[0], one.rpartition("..")[2]) for one in free]
    return [{"subnet": cidr, "rangeStart": first, "rangeEnd": last, "gateway": gateway} for first, last in ends]


def _whereabouts(placed: Placed) -> dict[str, Any]:
    return {
        "type": "whereabouts",
        "ipRanges": [
            without_nothing(range=str(one.cidr), exclude=list(addresses.as_networks((gateway_of(one), *one.exclude))))
            for one in placed.network.subnets
        ],
        **_routes(placed),
    }


def _routes(placed: Placed) -> dict[str, Any]:
    routes = [without_nothing(dst=route.to, gw=route.via) for route in placed.network.routes]
    return {"routes": routes} if routes else {}


def attach(wanted: Interface, placed: Placed, _site: Site) -> Attachment:
    """Multus brings the interface; the definition is in the namespace of the pod."""
    return Attachment(
        elements=({key: value for key, value in element(wanted, placed, "").items() if key != "namespace"},),
        node_labels=placed.node_labels,
    )


ENGINE = Engine(
    name="multus",
    needs=(NAD,),
    refusals=refusals,
    render=render,
    attach=attach,
    # A plugin reads its configuration when it makes an interface; those that are there keep theirs.
    immutable={},
    local=True,
)
