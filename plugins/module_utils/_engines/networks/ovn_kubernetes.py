# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: networks as OVN-Kubernetes makes them: a ClusterUserDefinedNetwork, or a definition for Multus.

A secondary network on layer 2 that leaves out addresses is a definition: the API for it cannot say so, the plugin can.
Rules: the CRDs of ovn-kubernetes v1.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import policies
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
from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network import Subnet
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

API = "k8s.ovn.org/v1"
NMSTATE = "nmstate.io/v1"
_MOST_EXCLUDED = 25
_NAMESPACE = "kubernetes.io/metadata.name"


def refusals(placed: Placed, site: Site) -> Iterator[Problem]:
    """What OVN-Kubernetes cannot express on a secondary network."""
    network = placed.network
    yield from ports_refused(placed)
    yield from dns_refused(placed, "OVN-Kubernetes")
    yield from policies.refusals(placed, site)
    if network.router is not None:
        text = "secondary networks of OVN-Kubernetes have no router"
        yield Problem("router", text, "engine: kube_ovn routes between networks")
    for index, _route in enumerate(network.routes):
        text = "secondary networks of OVN-Kubernetes give no routes"
        yield Problem(f"routes[{index}]", text, "set the route in the pod, with an init container")
    for index, subnet in enumerate(network.subnets):
        parts = len(_excluded(subnet))
        if network.uplink is not None and parts > _MOST_EXCLUDED:
            text = f"is {parts} networks when summarised, and OVN-Kubernetes takes {_MOST_EXCLUDED}"
            yield Problem(f"subnets[{index}].exclude", text, "exclude ranges that begin and end at powers of two")


def render(networks: Sequence[Placed], site: Site) -> Iterator[tuple[str, Object]]:
    """The objects of all networks; the bridge of an interface is made once, where NMState serves it."""
    uplinks = {one.network.uplink.interface: one for one in reversed(networks) if one.network.uplink is not None}
    for interface, one in sorted(uplinks.items()):
        if site.serves(f"{NMSTATE}/NodeNetworkConfigurationPolicy"):
            yield SHARED, _bridge(interface, one.node_labels)
    for one in networks:
        if one.network.uplink is None and any(_excluded(subnet) for subnet in one.network.subnets):
            for namespace in one.network.namespaces:
                yield one.name, _definition(one, namespace)
        else:
            yield one.name, _user_defined(one)
        for policy in policies.policies(one, site, one.network.namespaces):
            yield one.name, policy


def _excluded(subnet: Subnet) -> tuple[str, ...]:
    """Networks that the pool leaves out: what is excluded, and the gateway, which no secondary network has itself."""
    gateway = (subnet.gateway,) if subnet.gateway is not None else ()
    return addresses.as_networks((*gateway, *subnet.exclude))


def _user_defined(placed: Placed) -> Object:
    network, uplink = placed.network, placed.network.uplink
    inner: Object = {"role": "Secondary", "subnets": list(placed.cidrs), **without_nothing(mtu=network.mtu)}
    topology = "Layer2"
    if uplink is not None:
        topology = "Localnet"
        inner["physicalNetworkName"] = _physical(uplink.interface)
        inner.update(without_nothing(excludeSubnets=[each for one in network.subnets for each in _excluded(one)]))
        if uplink.vlan is not None:
            inner["vlan"] = {"mode": "Access", "access": {"id": uplink.vlan}}
    names = list(network.namespaces)
    selector: Object = (
        {"matchLabels": {_NAMESPACE: names[0]}}
        if len(names) == 1
        else {"matchExpressions": [{"key": _NAMESPACE, "operator": "In", "values": names}]}
    )
    return {
        "apiVersion": API,
        "kind": "ClusterUserDefinedNetwork",
        "metadata": metadata(placed.name),
        "spec": {"namespaceSelector": selector, "network": {"topology": topology, topology.lower(): inner}},
    }


def _definition(placed: Placed, namespace: str) -> Object:
    network = placed.network
    config = {
        "cniVersion": "0.3.1",
        "name": placed.name,
        "type": "ovn-k8s-cni-overlay",
        "topology": "layer2",
        "subnets": ",".join(placed.cidrs),
        "excludeSubnets": ",".join(each for one in network.subnets for each in _excluded(one)),
        **without_nothing(mtu=network.mtu),
        "netAttachDefName": f"{namespace}/{placed.name}",
    }
    return {
        "apiVersion": NAD_API,
        "kind": "NetworkAttachmentDefinition",
        "metadata": metadata(placed.name, namespace),
        "spec": {"config": json.dumps(config)},
    }


def _physical(interface: str) -> str:
    return f"physnet-{interface}"


def _bridge(interface: str, labels: Sequence[str]) -> Object:
    """The bridge that an interface becomes a port of, and the name by which OVN knows it."""
    bridge = f"br-{interface}"[:15]
    selector = label_selector(labels)
    # NMState knows equality only.
    matching = {
        **selector.get("matchLabels", {}),
        **{one["key"]: "" for one in selector.get("matchExpressions", ())},
    }
    return {
        "apiVersion": NMSTATE,
        "kind": "NodeNetworkConfigurationPolicy",
        "metadata": metadata(f"emco-edge-{interface.lower().replace('_', '-')}"),
        "spec": {
            **without_nothing(nodeSelector=matching),
            "desiredState": {
                "interfaces": [
                    {
                        "name": bridge,
                        "type": "ovs-bridge",
                        "state": "up",
                        "bridge": {"port": [{"name": interface}]},
                    }
                ],
                "ovn": {"bridge-mappings": [{"localnet": _physical(interface), "bridge": bridge, "state": "present"}]},
            },
        },
    }


def attach(wanted: Interface, placed: Placed, _site: Site) -> Attachment:
    """Multus brings the interface; where the network does not reach every node, the pods are told to which they may."""
    return Attachment(
        # The definition is in the namespace of the pod, whichever of the network's that is.
        elements=({key: value for key, value in element(wanted, placed, "").items() if key != "namespace"},),
        node_labels=placed.node_labels,
    )


ENGINE = Engine(
    name="ovn_kubernetes",
    needs=(f"{API}/ClusterUserDefinedNetwork", NAD),
    refusals=refusals,
    render=render,
    attach=attach,
    immutable={"ClusterUserDefinedNetwork": ("spec.network",), "NetworkAttachmentDefinition": ("spec.config",)},
    local=True,
)
