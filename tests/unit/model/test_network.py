# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as they are wanted: what is refused, where, and how they are kept as plain data."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Node
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import parse_interfaces
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network, ProviderNetwork
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import (
    Placed,
    clashes,
    network_document,
    network_of,
    picked_node,
    pools,
    with_blocks,
)
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse

S1 = {"name": "s1", "cidr": "192.168.20.0/24", "gateway": "192.168.20.100"}
VLAN = {
    "id": "102",
    "interface": "eth1",
    "logical_interface": "eth1.102",
    "nodes": {"selector": "specific", "labels": ["kubernetes.io/hostname=localhost"]},
}


def read(**given: Any) -> tuple[Network | None, list[str]]:
    problems = Problems()
    model = ProviderNetwork if "type" in given else Network
    found = parse(model, {"name": "protected", **given}, "", problems)
    return found, [f"{one.path}: {one.message}" for one in problems]


@pytest.mark.parametrize("more", [{}, {"type": "vlan", "vlan": VLAN}])
def test_a_network_has_a_subnet_of_one_family_or_of_both(more: dict[str, Any]) -> None:
    v6 = {"cidr": "2001:db8:42::/56"}
    assert not read(subnets=[S1], **more)[1]
    assert not read(subnets=[v6], **more)[1]
    assert not read(subnets=[S1, v6], **more)[1]
    assert read(**more)[1] == ["subnets: is required: at least one subnet, IPv4 or IPv6"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"subnets": [{}]}, "subnets[0]"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "from": "10.0.0.0/8", "prefix": 24}]}, "subnets[0]"),
        ({"subnets": [{"cidr": "10.0.0.7/24"}]}, "subnets[0].cidr"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "prefix": 24}]}, "subnets[0].prefix"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "gateway": "10.0.1.1"}]}, "subnets[0].gateway"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "gateway": "10.0.0.0"}]}, "subnets[0].gateway"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "gateway": "10.0.0.255"}]}, "subnets[0].gateway"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "gateway": "fd00::1"}]}, "subnets[0].gateway"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "exclude": ["10.0.0.9", "10.0.1.1"]}]}, "subnets[0].exclude[1]"),
        ({"subnets": [{"cidr": "10.0.0.0/24", "exclude": ["10.0.0.1..10.0.0.254"]}]}, "subnets[0].exclude"),
        ({"subnets": [{"cidr": "10.0.0.0/24"}, {"cidr": "10.0.1.0/24"}]}, "subnets[1]"),
        ({"subnets": [{"from": "10.0.0.0/8"}]}, "subnets[0].prefix"),
        ({"subnets": [{"from": "10.0.0.0/8", "prefix": 7}]}, "subnets[0].prefix"),
        ({"subnets": [{"from": "10.0.0.0/8", "prefix": 24, "gateway": "10.0.0.1"}]}, "subnets[0].gateway"),
        ({"subnets": [S1], "routes": [{"to": "10.0.0.0/8", "via": "192.168.21.1"}]}, "routes[0].via"),
        ({"subnets": [S1], "routes": [{"to": "fd00::/8", "via": "192.168.20.1"}]}, "routes[0]"),
        ({"subnets": [S1], "routes": [{"to": "fd00::/8"}]}, "routes[0]"),
        ({"subnets": [S1], "mtu": 500}, "mtu"),
        ({"subnets": [{"cidr": "fd00::/64"}], "mtu": 1000}, "mtu"),
        ({"subnets": [S1], "dns": {"nameservers": ["one"]}}, "dns.nameservers[0]"),
        ({"subnets": [S1], "namespaces": []}, "namespaces"),
        ({"subnets": [S1], "name": "Protected"}, "name"),
        ({"subnets": [S1], "type": "vlan"}, "vlan"),
        ({"subnets": [S1], "type": "vlan", "vlan": VLAN, "direct": {"interface": "eth1"}}, "direct"),
        ({"subnets": [S1], "type": "vlan", "vlan": {**VLAN, "id": 4095}}, "vlan.id"),
        ({"subnets": [S1], "type": "vlan", "vlan": {**VLAN, "id": 0}}, "vlan.id"),
        ({"subnets": [S1], "type": "vlan", "vlan": {**VLAN, "interface": "a" * 16}}, "vlan.interface"),
        ({"subnets": [S1], "type": "vlan", "vlan": {"id": 4000, "interface": "enp101s0f0"}}, ""),
        (
            {"subnets": [S1], "type": "vlan", "vlan": {"id": 4000, "interface": "enp101s0f0np"}},
            "vlan.logical_interface",
        ),
        (
            {"subnets": [S1], "type": "direct", "direct": {"interface": "e", "nodes": {"selector": "specific"}}},
            "labels",
        ),
        ({"subnets": [S1], "type": "direct", "direct": {"interface": "e", "nodes": {"labels": ["a=b"]}}}, "labels"),
        ({"subnets": [S1], "type": "direct", "direct": {"interface": "e"}, "router": "r"}, "router"),
        ({"subnets": [S1], "ports": [{"name": "a", "ip": "10.0.0.1"}]}, "ports[0].ip"),
        ({"subnets": [S1], "ports": [{"name": "a"}, {"name": "a"}]}, "ports[1].name"),
        ({"subnets": [S1], "connectivity": [{"from": {}}]}, "connectivity[0].from"),
        ({"subnets": [S1], "connectivity": [{"from": {"cidr": "10.0.0.0/8"}, "ports": [{"port": "0"}]}]}, "port"),
        ({"subnets": [S1], "multus": {"type": "sriov"}}, "multus.resource"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(given: dict[str, Any], path: str) -> None:
    _found, problems = read(**given)
    assert [one.split(":")[0] for one in problems if one.split(":")[0].endswith(path)] == [
        one.split(":")[0] for one in problems
    ]
    assert bool(problems) is bool(path)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    _found, problems = read(subnets=[{"cidr": "10.0.0.0/24", "gateway": "10.1.0.1", "exclude": ["10.2.0.1"]}], mtu=1)
    assert len(problems) >= 2


def test_emcos_spellings_are_read() -> None:
    subnet = {"name": "s1", "subnet": "10.9.0.0/24", "gateway": "10.9.0.1/24", "exclude": "10.9.0.2 10.9.0.5..10.9.0.9"}
    found, problems = read(type="VLAN", vlan=VLAN, subnets=[subnet], routes=[{"dst": "10.8.0.0/24", "gw": "10.9.0.1"}])
    assert not problems and found is not None and found.uplink is not None
    assert found.subnets[0].gateway == "10.9.0.1"
    assert found.subnets[0].exclude == ("10.9.0.2", "10.9.0.5..10.9.0.9")
    assert (found.uplink.vlan, found.uplink.logical_interface) == (102, "eth1.102")


def test_a_network_survives_being_stored() -> None:
    flow = {"from": {"network": "other"}, "ports": [{"port": "80"}]}
    for given in (
        {"subnets": [{"from": "10.0.0.0/8", "prefix": 24}], "connectivity": [flow], "router": "r"},
        {"subnets": [S1, {"cidr": "fd00::/64"}], "type": "vlan", "vlan": VLAN, "mtu": 1400},
        {"subnets": [S1], "type": "direct", "direct": {"interface": "eth1"}, "dns": {"domain": "example.com"}},
    ):
        found, _problems = read(**given)
        assert found is not None
        assert network_of(network_document(found)) == found


def test_blocks_take_the_place_of_pools() -> None:
    found, _problems = read(subnets=[{"from": "10.0.0.0/8", "prefix": 24, "exclude": ["10.1.2.9", "10.7.0.1"]}])
    assert found is not None and pools(found) == (0,)
    placed = with_blocks(found, {0: "10.1.2.0/24"})
    assert (placed.subnets[0].cidr, placed.subnets[0].exclude, pools(placed)) == ("10.1.2.0/24", ("10.1.2.9",), ())


def placed(name: str, cidr: str, **more: Any) -> Placed:
    found, problems = read(name=name, subnets=[{"cidr": cidr}], **more)
    assert found is not None, problems
    return Placed(found, "kube_ovn")


def test_networks_of_a_cluster_share_neither_addresses_nor_tags() -> None:
    vlan = {"type": "vlan", "vlan": {"id": 102, "interface": "eth1"}}
    there = [placed("up", "10.1.0.0/24", **vlan), placed("inside", "10.2.0.0/16")]
    ranges = {"pods": ["10.244.0.0/16"], "services": ["10.96.0.0/12"]}
    wanted = placed("new", "10.2.9.0/24", **vlan)
    assert [str(one) for one in clashes(wanted, there, ranges)] == [
        "subnets[0].cidr: 10.2.9.0/24 overlaps 10.2.0.0/16 of network inside",
        "vlan.id: network up has eth1 VLAN 102 already",
    ]
    assert [one.message for one in clashes(placed("x", "10.96.4.0/24"), there, ranges)] == [
        "10.96.4.0/24 overlaps 10.96.0.0/12 of the cluster's services"
    ]
    elsewhere = {
        "type": "vlan",
        "vlan": {"id": 103, "interface": "eth1", "nodes": {"selector": "specific", "labels": ["a=b"]}},
    }
    assert [one.path for one in clashes(placed("x", "10.5.0.0/24", **elsewhere), there, ranges)] == ["vlan.nodes"]
    assert not list(clashes(placed("x", "10.5.0.0/24"), there, ranges))


def test_any_node_is_one_and_stays_the_same() -> None:
    found, _problems = read(subnets=[S1], type="direct", direct={"interface": "e", "nodes": {"selector": "any"}})
    nodes = (Node("a", {}, ready=False), Node("b", {}), Node("c", {}))
    cluster = Cluster(ClusterRef("lab", "one"), facts=Facts(0.0, "v1.36", nodes=nodes))
    assert found is not None
    assert picked_node(found, cluster, None) == "b"
    assert picked_node(found, cluster, "c") == "c"
    assert picked_node(found, cluster, "gone") == "b"
    assert Placed(found, "kube_ovn", "b").node_labels == ("kubernetes.io/hostname=b",)


def test_interfaces_ask_for_each_name_and_address_once() -> None:
    problems = Problems()
    api = {"app": "api", "workload": "api", "network": "protected", "name": "net1", "ip": "10.0.0.5"}
    parse_interfaces([api, {**api, "ip": "10.0.0.6"}, {**api, "workload": "w", "name": "net2"}], ["api"], "i", problems)
    assert [one.path for one in problems] == ["i[1].name", "i[2].ip"]
    problems = Problems()
    wrong = [
        {**api, "app": "apj"},
        {**api, "name": "eth0"},
        {**api, "ip": ["10.0.0.1", "10.0.0.2"]},
        {**api, "mac": "x"},
    ]
    parse_interfaces(wrong, ["api"], "i", problems)
    assert [one.path for one in problems] == ["i[0].app", "i[1].name", "i[2].ip", "i[3].mac"]
