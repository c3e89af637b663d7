# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: networks as EMCO wrote them for Nodus (ovn4nfv), which nobody maintains since 2022.

Rules that are only in its code: a missing gateway crashes the operator, only the first subnet of a family is used,
selectors of nodes are joined with AND, and nothing can be changed in place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import (
    NAD_API,
    Attachment,
    Engine,
    Object,
    Site,
    metadata,
    ports_refused,
    without_nothing,
)
from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network import Subnet, Uplink
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, gateway_of

API = "k8s.plugin.opnfv.org/v1alpha1"
# Keys of EMCO's clusters: whether Multus stands before Nodus for virtual networks, and for interfaces.
_WRAPPED_NETWORKS = "CNI-Networking-Multi-VM-CNI-Wrapper"
_WRAPPED_INTERFACES = "CNI-Networking-Multi-CNI-Wrapper"
_ALL_INTERFACES = "CNI-Networking-Nodus-CNI-For-all-interfaces"


def refusals(placed: Placed, _site: Site) -> Iterator[Problem]:
    """What Nodus cannot express."""
    network = placed.network
    yield from ports_refused(placed)
    if network.subnet(4) is None:
        text = "have no IPv4 subnet, which the CRD of Nodus requires"
        yield Problem("subnets", text, "add one, or choose another engine for IPv6 alone")
    if network.mtu is not None:
        yield Problem("mtu", "Nodus has no setting for it", "its agents decide for the whole cluster")
    if network.router is not None:
        yield Problem("router", "Nodus has one router for all virtual networks of a cluster", "leave it out")
    if network.connectivity:
        yield Problem("connectivity", "Nodus has no policies", "use NetworkPolicy on the primary network")


def render(networks: Sequence[Placed], site: Site) -> Iterator[tuple[str, Object]]:
    """The objects of all networks, virtual ones first, as EMCO makes them."""
    for one in sorted(networks, key=lambda each: each.network.uplink is not None):
        uplink = one.network.uplink
        yield one.name, _provider_network(one, uplink) if uplink else _network(one)
        if uplink is None and site.value(_WRAPPED_NETWORKS) == "multus":
            yield one.name, _definition(one)


def _network(placed: Placed) -> Object:
    where = metadata(placed.name, placed.network.home, labels={"net": placed.name})
    return {"apiVersion": API, "kind": "Network", "metadata": where, "spec": _spec(placed)}


def _provider_network(placed: Placed, uplink: Uplink) -> Object:
    labels = list(uplink.nodes.labels)
    if uplink.vlan is not None:
        told: Object = {
            "providerNetType": "VLAN",
            "vlan": {
                "vlanId": str(uplink.vlan),
                "providerInterfaceName": uplink.interface,
                "logicalInterfaceName": uplink.logical_interface,
                "vlanNodeSelector": uplink.nodes.selector,
                **without_nothing(nodeLabelList=labels),
            },
        }
    else:
        told = {
            "providerNetType": "DIRECT",
            "direct": {
                "providerInterfaceName": uplink.interface,
                "directNodeSelector": uplink.nodes.selector,
                **without_nothing(nodeLabelList=labels),
            },
        }
    where = metadata(placed.name, placed.network.home)
    return {"apiVersion": API, "kind": "ProviderNetwork", "metadata": where, "spec": {**_spec(placed), **told}}


def _spec(placed: Placed) -> Object:
    network, dns = placed.network, placed.network.dns
    by_family = {family: [_subnet(one) for one in network.subnets if one.family == family] for family in (4, 6)}
    names = without_nothing(
        nameservers=list(dns.nameservers) if dns else [],
        domain=dns.domain if dns else "",
        search=list(dns.search) if dns else [],
        options=list(dns.options) if dns else [],
    )
    return {
        "cniType": "ovn4nfv",
        "ipv4Subnets": by_family[4],
        **without_nothing(
            ipv6Subnets=by_family[6],
            dns=names,
            routes=[without_nothing(dst=route.to, gw=route.via) for route in network.routes],
        ),
    }


def _subnet(subnet: Subnet) -> Object:
    return {
        "name": subnet.name or f"ipv{subnet.family}",
        "subnet": str(subnet.cidr),
        "gateway": f"{gateway_of(subnet)}/{addresses.length(str(subnet.cidr))}",
        **without_nothing(excludeIps=" ".join(subnet.exclude)),
    }


def _definition(placed: Placed) -> Object:
    config = {"cniVersion": "0.3.1", "type": "ovn4nfvk8s-cni", "nfn-network": placed.name}
    return {
        "apiVersion": NAD_API,
        "kind": "NetworkAttachmentDefinition",
        "metadata": metadata(placed.name, placed.network.home),
        "spec": {"config": json.dumps(config, separators=(",", ":"))},
    }


def wrapped(site: Site) -> bool:
    """Whether pods need the element of Multus besides Nodus' own annotation: yes, unless the cluster says otherwise."""
    if site.value(_ALL_INTERFACES).lower() == "true":
        return False
    return site.value(_WRAPPED_INTERFACES) in ("", "multus")


def attach(wanted: Interface, placed: Placed, site: Site) -> Attachment:
    """An entry of Nodus' annotation, all of it text, and the element that makes Multus call Nodus."""
    entry = {
        "interface": wanted.name or "",
        "name": placed.name,
        # EMCO leaves the text empty where nobody said anything.
        "defaultGateway": "true" if wanted.default_gateway else "",
        **without_nothing(ipAddress=",".join(wanted.ip), macAddress=wanted.mac),
    }
    element = ({"name": "ovn-networkobj", "namespace": "default"},) if wrapped(site) else ()
    return Attachment(nodus=(entry,), elements=element)


ENGINE = Engine(
    name="nodus",
    needs=(f"{API}/Network",),
    refusals=refusals,
    render=render,
    attach=attach,
    immutable={"Network": ("spec",), "ProviderNetwork": ("spec",)},
)
