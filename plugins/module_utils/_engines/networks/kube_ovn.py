# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: networks as Kube-OVN makes them: Vpc, Subnet, ProviderNetwork, Vlan, a definition for Multus.

Rules: pkg/util/validator.go and the CRDs of kubeovn/kube-ovn v1.16.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import acl
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import (
    NAD,
    NAD_API,
    SHARED,
    Attachment,
    Engine,
    Object,
    Site,
    dns_refused,
    label_selector,
    metadata,
    ports_refused,
    without_nothing,
)
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.elements import element
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network import Uplink
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, gateway_of

API = "kubeovn.io/v1"
_SOCKET = "/run/openvswitch/kube-ovn-daemon.sock"
# Kube-OVN names a bridge br-<provider network>, and Linux allows 15 characters.
_LONGEST = 12


def refusals(placed: Placed, site: Site) -> Iterator[Problem]:
    """What Kube-OVN cannot express."""
    yield from ports_refused(placed)
    yield from dns_refused(placed, "Kube-OVN")
    yield from _no_node(placed)
    router = placed.network.router
    if router is not None and router in site.networks:
        yield Problem("router", f"{router} is the name of a network, and a Vpc may not be called like a Subnet")


def _no_node(placed: Placed) -> Iterator[Problem]:
    uplink = placed.network.uplink
    if uplink is not None and uplink.nodes.selector == "any" and placed.node is None:
        yield Problem("nodes", "any needs a ready node, and the cluster's facts know none", "run cluster_facts")


def render(networks: Sequence[Placed], site: Site) -> Iterator[tuple[str, Object]]:
    """The objects of all networks; a Vpc of several and a ProviderNetwork of an interface are made once."""
    for router in sorted({_router(one) for one in networks if one.network.uplink is None}):
        of = [one for one in networks if one.network.uplink is None and _router(one) == router]
        yield (of[0].name if of[0].network.router is None else SHARED), _vpc(router, of)
    uplinks = {one.network.uplink.interface: one for one in reversed(networks) if one.network.uplink is not None}
    for interface, one in sorted(uplinks.items()):
        yield SHARED, _provider_network(interface, one.node_labels)
    for one in networks:
        uplink = one.network.uplink
        if uplink is not None:
            yield one.name, _vlan(one.name, uplink)
        yield one.name, _subnet(one, site)
        yield one.name, _definition(one)


def _router(placed: Placed) -> str:
    return placed.network.router or f"{placed.name}-vpc"


def _vpc(name: str, networks: Iterable[Placed]) -> Object:
    routes = [
        {"cidr": route.to, "nextHopIP": route.via, "policy": "policyDst"}
        for one in networks
        for route in one.network.routes
        if route.via is not None
    ]
    return {"apiVersion": API, "kind": "Vpc", "metadata": metadata(name), "spec": without_nothing(staticRoutes=routes)}


def provider_network_name(interface: str) -> str:
    """The name of the ProviderNetwork of an interface."""
    name = f"pn-{interface}"
    if len(name) <= _LONGEST and re.fullmatch(r"[a-z0-9-]*[a-z0-9]", name):
        return name
    return f"pn-{hashlib.sha256(interface.encode()).hexdigest()[:8]}"


def _provider_network(interface: str, labels: Sequence[str]) -> Object:
    return {
        "apiVersion": API,
        "kind": "ProviderNetwork",
        "metadata": metadata(provider_network_name(interface)),
        "spec": {"defaultInterface": interface, **without_nothing(nodeSelector=label_selector(labels))},
    }


def _vlan(name: str, uplink: Uplink) -> Object:
    spec = {"id": uplink.vlan or 0, "provider": provider_network_name(uplink.interface)}
    return {"apiVersion": API, "kind": "Vlan", "metadata": metadata(name), "spec": spec}


def _subnet(placed: Placed, site: Site) -> Object:
    network = placed.network
    # IPv4 first: that is the order Kube-OVN reads pairs in.
    subnets = sorted(network.subnets, key=lambda one: one.family)
    protocol = "Dual" if len(subnets) == 2 else f"IPv{subnets[0].family}"
    sources = [site.sources(flow.source.network, flow.source.cidr) for flow in network.connectivity]
    return {
        "apiVersion": API,
        "kind": "Subnet",
        "metadata": metadata(placed.name),
        "spec": {
            "protocol": protocol,
            "cidrBlock": ",".join(str(one.cidr) for one in subnets),
            "gateway": ",".join(gateway_of(one) for one in subnets),
            "provider": _provider(placed),
            **without_nothing(
                excludeIps=[each for one in subnets for each in one.exclude],
                vpc=None if network.uplink else _router(placed),
                vlan=placed.name if network.uplink else None,
                mtu=network.mtu,
                acls=[
                    {"priority": rule.priority, "direction": "to-lport", "match": rule.match, "action": rule.action}
                    for rule in acl.rules(placed, sources)
                ],
            ),
        },
    }


def _provider(placed: Placed) -> str:
    return f"{placed.name}.{placed.network.home}.ovn"


def _definition(placed: Placed) -> Object:
    config = {
        "cniVersion": "0.3.1",
        "type": "kube-ovn",
        "server_socket": _SOCKET,
        "provider": _provider(placed),
    }
    return {
        "apiVersion": NAD_API,
        "kind": "NetworkAttachmentDefinition",
        "metadata": metadata(placed.name, placed.network.home),
        "spec": {"config": json.dumps(config)},
    }


def attach(wanted: Interface, placed: Placed, _site: Site) -> Attachment:
    """Multus brings the interface, annotations of Kube-OVN say its addresses."""
    prefix = f"{_provider(placed)}.kubernetes.io"
    gateways = {one.family: gateway_of(one) for one in placed.network.subnets}
    routes = [
        {"dst": route.to, "gw": route.via or gateways[6 if ":" in route.to else 4]}
        for route in (*placed.network.routes, *wanted.routes)
    ]
    annotations = {
        "ip_address": ",".join(sorted(wanted.ip, key=lambda one: ":" in one)),
        "mac_address": wanted.mac or "",
        "default_route": "true" if wanted.default_gateway else "",
        "routes": json.dumps(routes) if routes else "",
    }
    return Attachment(
        annotations={f"{prefix}/{name}": value for name, value in annotations.items() if value},
        elements=(element(wanted, placed, placed.network.home, addressed=False),),
        node_labels=placed.node_labels,
    )


ENGINE = Engine(
    name="kube_ovn",
    needs=(f"{API}/Subnet", NAD),
    refusals=refusals,
    render=render,
    attach=attach,
    immutable={
        "ProviderNetwork": ("spec.defaultInterface",),
        "Vlan": ("spec.id", "spec.provider"),
        # Pods hold addresses of it and ports in it.
        "Subnet": ("spec.cidrBlock", "spec.protocol", "spec.provider", "spec.vpc", "spec.vlan"),
    },
)
