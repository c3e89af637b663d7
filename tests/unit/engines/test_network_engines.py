# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each network engine makes of an intent, and what it refuses with the way round."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import table
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import SHARED, Attachment, Site
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network, ProviderNetwork
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse

NAD = "k8s.cni.cncf.io/v1/NetworkAttachmentDefinition"
POLICY = "k8s.cni.cncf.io/v1beta1/MultiNetworkPolicy"
APIS = {
    "kube_ovn": ("kubeovn.io/v1/Subnet", NAD),
    "ovn_kubernetes": ("k8s.ovn.org/v1/ClusterUserDefinedNetwork", NAD, POLICY),
    "nodus": ("k8s.plugin.opnfv.org/v1alpha1/Network",),
    "multus": (NAD, "whereabouts.cni.cncf.io/v1alpha1/IPPool"),
}
S1 = {"name": "s1", "cidr": "10.151.12.0/24", "gateway": "10.151.12.1", "exclude": "10.151.12.2..10.151.12.9"}
UPLINK: dict[str, Any] = {
    "name": "edge-uplink",
    "namespaces": ["lc-a"],
    "type": "vlan",
    "subnets": [S1],
    "vlan": {
        "id": 102,
        "interface": "ens5",
        "nodes": {"selector": "specific", "labels": ["feature.example.com/uplink=true"]},
    },
}


def placed(engine: str, node: str | None = None, **given: Any) -> Placed:
    problems = Problems()
    model = ProviderNetwork if "type" in given else Network
    network = parse(model, {"name": "protected", **given}, "", problems)
    assert network is not None, list(problems)
    return Placed(network, engine, node)


def site(*networks: Placed, apis: tuple[str, ...] = (), **kv: Any) -> Site:
    served = {kind for one in networks for kind in APIS.get(one.engine, ())}
    return Site("lab+one", frozenset({*served, *apis}), {"emco": kv}, {one.name: one for one in networks})


def objects(*networks: Placed, **how: Any) -> dict[str, dict[str, Any]]:
    found = table.objects(site(*networks, **how))
    return {
        f"{one['kind']} {one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one for _app, one in found
    }


def refused(one: Placed, **how: Any) -> list[str]:
    return [problem.path for problem in table.refusals(one, site(one, **how))]


def test_kube_ovn_makes_an_uplink_of_three_objects_and_a_definition() -> None:
    found = objects(placed("kube_ovn", **UPLINK))
    assert found["ProviderNetwork /pn-ens5"]["spec"] == {
        "defaultInterface": "ens5",
        "nodeSelector": {"matchLabels": {"feature.example.com/uplink": "true"}},
    }
    assert found["Vlan /edge-uplink"]["spec"] == {"id": 102, "provider": "pn-ens5"}
    assert found["Subnet /edge-uplink"]["spec"] == {
        "protocol": "IPv4",
        "cidrBlock": "10.151.12.0/24",
        "gateway": "10.151.12.1",
        "excludeIps": ["10.151.12.2..10.151.12.9"],
        "vlan": "edge-uplink",
        "provider": "edge-uplink.lc-a.ovn",
    }
    config = json.loads(found["NetworkAttachmentDefinition lc-a/edge-uplink"]["spec"]["config"])
    assert config["provider"] == "edge-uplink.lc-a.ovn"
    assert len(found) == 4


def test_kube_ovn_shares_what_belongs_to_an_interface_or_a_router() -> None:
    direct = {"type": "direct", "direct": {"interface": "enp101s0f0np0"}, "subnets": [{"cidr": "10.7.0.0/24"}]}
    tagged = {**UPLINK, "vlan": {"id": 7, "interface": "enp101s0f0np0", "logical_interface": "up.7"}}
    inside = {"router": "core", "subnets": [{"cidr": "fd00:1::/64"}, {"cidr": "10.8.0.0/24"}]}
    other = {"name": "other", "router": "core", "subnets": [{"cidr": "10.9.0.0/24"}]}
    route = {"routes": [{"to": "172.16.0.0/12", "via": "10.9.0.3"}]}
    networks = [
        placed("kube_ovn", **{"name": "raw", **direct}),
        placed("kube_ovn", **tagged),
        placed("kube_ovn", **inside),
        placed("kube_ovn", **other, **route),
    ]
    apps: dict[str, list[str]] = {}
    for app, one in table.objects(site(*networks)):
        apps.setdefault(one["kind"], []).append(app)
    assert apps["ProviderNetwork"] == apps["Vpc"] == [SHARED]
    found = objects(*networks)
    assert found["Vlan /raw"]["spec"]["id"] == 0
    # A bridge is called br-<provider network>, and Linux allows 15 characters.
    assert len(found["Vlan /raw"]["spec"]["provider"]) <= 12
    assert found["Vpc /core"]["spec"]["staticRoutes"] == [
        {"cidr": "172.16.0.0/12", "nextHopIP": "10.9.0.3", "policy": "policyDst"}
    ]
    assert found["Subnet /protected"]["spec"]["cidrBlock"] == "10.8.0.0/24,fd00:1::/64"
    assert found["Subnet /protected"]["spec"]["protocol"] == "Dual"
    assert found["Subnet /protected"]["spec"]["vpc"] == "core"


def test_ovn_kubernetes_summarises_what_a_localnet_leaves_out() -> None:
    found = objects(placed("ovn_kubernetes", **UPLINK))
    assert found["ClusterUserDefinedNetwork /edge-uplink"]["spec"] == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "lc-a"}},
        "network": {
            "topology": "Localnet",
            "localnet": {
                "role": "Secondary",
                "physicalNetworkName": "physnet-ens5",
                "subnets": ["10.151.12.0/24"],
                "excludeSubnets": ["10.151.12.1/32", "10.151.12.2/31", "10.151.12.4/30", "10.151.12.8/31"],
                "vlan": {"mode": "Access", "access": {"id": 102}},
            },
        },
    }


def test_ovn_kubernetes_makes_a_definition_where_its_api_cannot_leave_out_addresses() -> None:
    plain = objects(placed("ovn_kubernetes", subnets=[{"cidr": "10.8.0.0/24"}, {"cidr": "fd00::/64"}], mtu=1400))
    assert plain["ClusterUserDefinedNetwork /protected"]["spec"]["network"]["layer2"] == {
        "role": "Secondary",
        "subnets": ["10.8.0.0/24", "fd00::/64"],
        "mtu": 1400,
    }
    left_out = objects(placed("ovn_kubernetes", subnets=[S1], namespaces=["a", "b"]))
    assert set(left_out) == {"NetworkAttachmentDefinition a/protected", "NetworkAttachmentDefinition b/protected"}
    config = json.loads(left_out["NetworkAttachmentDefinition b/protected"]["spec"]["config"])
    assert config["netAttachDefName"] == "b/protected"
    assert config["excludeSubnets"].startswith("10.151.12.1/32,")


def test_ovn_kubernetes_maps_the_bridge_where_nmstate_is_served() -> None:
    found = objects(placed("ovn_kubernetes", **UPLINK), apis=("nmstate.io/v1/NodeNetworkConfigurationPolicy",))
    policy = found["NodeNetworkConfigurationPolicy /emco-edge-ens5"]["spec"]
    assert policy["nodeSelector"] == {"feature.example.com/uplink": "true"}
    assert policy["desiredState"]["ovn"]["bridge-mappings"] == [
        {"localnet": "physnet-ens5", "bridge": "br-ens5", "state": "present"}
    ]


def test_multus_writes_the_plugin_that_was_meant() -> None:
    uplink = objects(placed("multus", **UPLINK))["NetworkAttachmentDefinition lc-a/edge-uplink"]
    config = json.loads(uplink["spec"]["config"])
    assert (config["type"], config["master"], config["ipam"]["type"]) == ("macvlan", "ens5.102", "whereabouts")
    assert config["ipam"]["ipRanges"] == [
        {
            "range": "10.151.12.0/24",
            "exclude": ["10.151.12.1/32", "10.151.12.2/31", "10.151.12.4/30", "10.151.12.8/31"],
        }
    ]
    sriov = {**UPLINK, "multus": {"type": "sriov", "resource": "vendor.example.com/pool"}}
    found = objects(placed("multus", **sriov))["NetworkAttachmentDefinition lc-a/edge-uplink"]
    assert found["metadata"]["annotations"] == {"k8s.v1.cni.cncf.io/resourceName": "vendor.example.com/pool"}
    assert json.loads(found["spec"]["config"])["vlan"] == 102


def test_a_bridge_gives_the_addresses_between_the_exclusions() -> None:
    one = placed("multus", subnets=[{"cidr": "10.8.0.0/29", "exclude": ["10.8.0.4"]}])
    (found,) = table.objects(Site("lab+one", frozenset({NAD}), {}, {"protected": one}))
    config = json.loads(found[1]["spec"]["config"])
    assert (config["type"], config["isGateway"]) == ("bridge", True)
    assert config["ipam"]["ranges"] == [
        [
            {"subnet": "10.8.0.0/29", "rangeStart": "10.8.0.2", "rangeEnd": "10.8.0.3", "gateway": "10.8.0.1"},
            {"subnet": "10.8.0.0/29", "rangeStart": "10.8.0.5", "rangeEnd": "10.8.0.6", "gateway": "10.8.0.1"},
        ]
    ]


def test_nodus_gets_what_emco_wrote_and_direct_done_right() -> None:
    given = {"exclude": ["10.9.0.2", "10.9.0.5..10.9.0.9"], "name": "s1", "cidr": "10.9.0.0/24"}
    blue = placed("nodus", name="blue-net", subnets=[given])
    raw = {"name": "raw", "type": "direct", "direct": {"interface": "eth2", "nodes": {"selector": "any"}}}
    uplink = {**UPLINK, "vlan": {**UPLINK["vlan"], "interface": "eth1", "id": 102}}
    networks = [placed("nodus", **raw, subnets=[{"cidr": "10.5.0.0/24"}]), placed("nodus", **uplink), blue]
    found = objects(*networks, **{"CNI-Networking-Multi-VM-CNI-Wrapper": "multus"})
    network = found["Network default/blue-net"]
    assert network["metadata"]["labels"] == {"net": "blue-net"}
    assert network["spec"] == {
        "cniType": "ovn4nfv",
        "ipv4Subnets": [
            {
                "name": "s1",
                "subnet": "10.9.0.0/24",
                "gateway": "10.9.0.1/24",
                "excludeIps": "10.9.0.2 10.9.0.5..10.9.0.9",
            }
        ],
    }
    assert found["NetworkAttachmentDefinition default/blue-net"]["spec"]["config"] == (
        '{"cniVersion":"0.3.1","type":"ovn4nfvk8s-cni","nfn-network":"blue-net"}'
    )
    assert found["ProviderNetwork lc-a/edge-uplink"]["spec"]["vlan"] == {
        "vlanId": "102",
        "providerInterfaceName": "eth1",
        "logicalInterfaceName": "eth1.102",
        "vlanNodeSelector": "specific",
        "nodeLabelList": ["feature.example.com/uplink=true"],
    }
    assert found["ProviderNetwork default/raw"]["spec"]["providerNetType"] == "DIRECT"
    assert found["ProviderNetwork default/raw"]["spec"]["direct"] == {
        "providerInterfaceName": "eth2",
        "directNodeSelector": "any",
    }
    assert len(found) == 4  # Multus has a definition of the virtual network only
    assert len(objects(*networks)) == 3


@pytest.mark.parametrize(
    ("engine", "given", "paths"),
    [
        ("kube_ovn", {"dns": {"nameservers": ["10.0.0.1"]}, "ports": [{"name": "vm"}]}, ["ports", "dns"]),
        ("kube_ovn", {"type": "direct", "direct": {"interface": "e", "nodes": {"selector": "any"}}}, ["nodes"]),
        ("ovn_kubernetes", {"router": "r", "routes": [{"to": "10.0.0.0/8"}]}, ["router", "routes[0]"]),
        ("multus", {"router": "r"}, ["router"]),
        ("multus", {"multus": {"type": "macvlan"}}, ["multus.interface"]),
        ("multus", {"type": "direct", "direct": {"interface": "e"}, "multus": {"type": "bridge"}}, ["multus.type"]),
        ("multus", {"connectivity": [{"from": {"cidr": "10.0.0.0/8"}}]}, ["connectivity"]),
        ("nodus", {"mtu": 1400, "router": "r", "connectivity": [{"from": {"network": "x"}}]}, ["mtu", "router"]),
    ],
)
def test_an_engine_refuses_what_it_cannot_express(engine: str, given: dict[str, Any], paths: list[str]) -> None:
    assert refused(placed(engine, subnets=[{"cidr": "10.151.12.0/24"}], **given))[: len(paths)] == paths


def test_refusals_name_the_way_round() -> None:
    apart = [f"10.151.12.{2 * number + 1}" for number in range(1, 31)]
    one = placed("ovn_kubernetes", **{**UPLINK, "subnets": [{**S1, "exclude": apart}]})
    (problem,) = table.refusals(one, site(one))
    assert "31 networks" in problem.message and "powers of two" in problem.hint
    v6 = placed("nodus", subnets=[{"cidr": "fd00::/64"}])
    assert "IPv6 alone" in next(iter(table.refusals(v6, site(v6)))).hint
    macvlan = placed("multus", **UPLINK)
    (problem,) = table.refusals(macvlan, Site("lab+one", frozenset({NAD})))
    assert "whereabouts" in problem.hint


def test_auto_prefers_living_engines_with_networks_of_their_own() -> None:
    network = placed("auto", subnets=[S1]).network
    every = frozenset(kind for kinds in APIS.values() for kind in kinds)
    assert table.chosen(network, Site("c", every)) == "kube_ovn"
    assert table.chosen(network, Site("c", every - {"kubeovn.io/v1/Subnet"})) == "ovn_kubernetes"
    assert table.chosen(network, Site("c", frozenset({*APIS["nodus"], NAD}))) == "nodus"
    assert table.chosen(network, Site("c", frozenset({NAD}))) == "multus"
    assert table.chosen(network, Site("c"), ovn=True) == "ovn_nb"
    assert isinstance(table.chosen(network, Site("c")), Problem)
    asked = replace(network, engine="kube_ovn")
    missing = table.chosen(asked, Site("c", frozenset({NAD})))
    assert isinstance(missing, Problem) and "kubeovn.io/v1/Subnet" in missing.message
    assert isinstance(table.chosen(asked, Site("c"), ovn=True), Problem)


FLOWS = [
    {"from": {"network": "other"}, "ports": [{"port": "443"}, {"protocol": "udp", "port": "8000-8080"}]},
    {"from": {"cidr": "172.16.0.0/12"}},
]


def test_connectivity_becomes_rules_of_the_engine() -> None:
    other = {"name": "other", "subnets": [{"cidr": "10.9.0.0/24"}]}
    mine = {"subnets": [{"cidr": "10.8.0.0/24"}], "connectivity": FLOWS}
    acls = objects(placed("kube_ovn", **mine), placed("kube_ovn", **other))["Subnet /protected"]["spec"]["acls"]
    assert [(one["priority"], one["match"], one["action"]) for one in acls] == [
        (2000, "ip4.src == 10.9.0.0/24 && ip4.dst == 10.8.0.0/24 && tcp.dst == 443", "allow-related"),
        (
            2000,
            "ip4.src == 10.9.0.0/24 && ip4.dst == 10.8.0.0/24 && udp.dst >= 8000 && udp.dst <= 8080",
            "allow-related",
        ),
        (2000, "ip4.src == 172.16.0.0/12 && ip4.dst == 10.8.0.0/24", "allow-related"),
        (1000, "ip4.dst == 10.8.0.0/24", "drop"),
    ]
    policy = objects(placed("ovn_kubernetes", **mine), placed("ovn_kubernetes", **other))[
        "MultiNetworkPolicy default/protected"
    ]
    assert policy["metadata"]["annotations"] == {"k8s.v1.cni.cncf.io/policy-for": "default/protected"}
    assert policy["spec"]["ingress"] == [
        {
            "from": [{"ipBlock": {"cidr": "10.9.0.0/24"}}],
            "ports": [{"protocol": "TCP", "port": 443}, {"protocol": "UDP", "port": 8000, "endPort": 8080}],
        },
        {"from": [{"ipBlock": {"cidr": "172.16.0.0/12"}}]},
    ]
    alone = placed("kube_ovn", **mine)
    assert refused(alone) == ["connectivity[0].from.network"]


def attached(engine: str, given: dict[str, Any], **interface: Any) -> Attachment:
    one = placed(engine, **given)
    wanted = Interface(app="api", workload="api", network=one.name, **interface)
    return table.BY_NAME[engine].attach(wanted, one, site(one))


def test_interfaces_become_what_each_engine_reads() -> None:
    fixed = {"name": "net1", "ip": ("10.151.12.20",), "mac": "02:00:00:00:00:01", "default_gateway": True}
    kube = attached("kube_ovn", UPLINK, **fixed)
    assert kube.annotations == {
        "edge-uplink.lc-a.ovn.kubernetes.io/ip_address": "10.151.12.20",
        "edge-uplink.lc-a.ovn.kubernetes.io/mac_address": "02:00:00:00:00:01",
        "edge-uplink.lc-a.ovn.kubernetes.io/default_route": "true",
    }
    assert kube.elements == ({"name": "edge-uplink", "namespace": "lc-a", "interface": "net1"},)
    ovn = attached("ovn_kubernetes", UPLINK, **fixed)
    assert ovn.elements == (
        {
            "name": "edge-uplink",
            "interface": "net1",
            "ips": ["10.151.12.20/24"],
            "mac": "02:00:00:00:00:01",
            "default-route": ["10.151.12.1"],
        },
    )
    assert ovn.node_labels == ("feature.example.com/uplink=true",)
    nodus = attached("nodus", UPLINK, **fixed)
    assert nodus.nodus == (
        {
            "interface": "net1",
            "name": "edge-uplink",
            "defaultGateway": "true",
            "ipAddress": "10.151.12.20",
            "macAddress": "02:00:00:00:00:01",
        },
    )
    assert nodus.elements == ({"name": "ovn-networkobj", "namespace": "default"},)
    assert not nodus.node_labels


@pytest.mark.parametrize(
    ("kv", "wrapped"),
    [
        ({}, True),
        ({"CNI-Networking-Multi-CNI-Wrapper": "multus"}, True),
        ({"CNI-Networking-Multi-CNI-Wrapper": "none"}, False),
        ({"CNI-Networking-Nodus-CNI-For-all-interfaces": "true"}, False),
    ],
)
def test_nodus_needs_multus_unless_the_cluster_says_otherwise(kv: dict[str, str], wrapped: bool) -> None:
    one = placed("nodus", subnets=[S1])
    wanted = Interface(app="api", workload="api", network="protected")
    found = table.BY_NAME["nodus"].attach(wanted, one, site(one, **kv))
    assert bool(found.elements) is wrapped
