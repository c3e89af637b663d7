# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as rows of an OVN northbound, and what makes the rows that are there equal to them."""

from __future__ import annotations

from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import ovn_nb
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import Site
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network, ProviderNetwork
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse

PROTECTED: dict[str, Any] = {
    "name": "protected",
    "subnets": [
        {"cidr": "10.20.0.0/24", "gateway": "10.20.0.1", "exclude": ["10.20.0.2..10.20.0.9", "10.20.0.20"]},
        {"cidr": "fd00:20::/64"},
    ],
    "ports": [
        {"name": "a"},
        {"name": "b", "ip": "10.20.0.30"},
        {"name": "c", "mac": "02:00:00:00:00:01"},
        {"name": "d", "ip": "10.20.0.31", "mac": "02:00:00:00:00:02"},
    ],
    "routes": [{"to": "172.16.0.0/12", "via": "10.20.0.5"}],
    "dns": {"nameservers": ["10.0.0.53", "10.0.0.54"], "domain": "edge.example.com"},
    "mtu": 1400,
}


def placed(**given: Any) -> Placed:
    problems = Problems()
    network = parse(ProviderNetwork if "type" in given else Network, given, "", problems)
    assert network is not None, list(problems)
    return Placed(network, "ovn_nb")


def rows(*networks: Placed) -> list[ovn_nb.Row]:
    return list(ovn_nb.rows(networks, Site("lab+rack", networks={one.name: one for one in networks})))


def by_title(found: list[ovn_nb.Row]) -> dict[str, ovn_nb.Row]:
    return {f"{row.table} {row.title}": row for row in found}


def there(wanted: list[ovn_nb.Row]) -> dict[ovn_nb.Ident, ovn_nb.Found]:
    return {
        row.ident: ovn_nb.Found(
            row.table, row.key, row.network, row.columns, row.references, row.external_ids, row.title
        )
        for row in wanted
    }


def test_a_virtual_network_is_a_switch_with_router_dhcp_and_ports() -> None:
    found = by_title(rows(placed(**PROTECTED)))
    switch = found["Logical_Switch protected"]
    assert switch.columns["other_config"] == {
        "subnet": "10.20.0.0/24",
        "exclude_ips": "10.20.0.1..10.20.0.9 10.20.0.20",
        "ipv6_prefix": "fd00:20::",
    }
    gateway = found["Logical_Router_Port protected-router-protected"]
    assert gateway.columns["networks"] == ("10.20.0.1/24", "fd00:20::1/64")
    assert gateway.parent == ("Logical_Router", "protected-router", "ports")
    assert found["Logical_Switch_Port protected-router-port"].columns["options"] == {
        "router-port": "protected-router-protected"
    }
    assert {title[-1]: row.columns["addresses"] for title, row in found.items() if title[-2] == " "} == {
        "a": ("dynamic",),
        "b": ("dynamic 10.20.0.30",),
        "c": ("02:00:00:00:00:01 dynamic",),
        "d": ("02:00:00:00:00:02 10.20.0.31",),
    }
    port = found["Logical_Switch_Port a"]
    assert port.references == {
        "dhcpv4_options": ("DHCP_Options", "protected/dhcp/4"),
        "dhcpv6_options": ("DHCP_Options", "protected/dhcp/6"),
    }
    options = found["DHCP_Options protected/dhcp/4"].columns["options"]
    assert options["router"] == options["server_id"] == "10.20.0.1"
    assert options["server_mac"] == gateway.columns["mac"]
    assert (options["mtu"], options["dns_server"]) == ("1400", "{10.0.0.53, 10.0.0.54}")
    assert options["domain_name"] == '"edge.example.com"'
    # A client that gets routes leaves the router aside, so the default route is among them.
    assert options["classless_static_route"] == "{172.16.0.0/12,10.20.0.5, 0.0.0.0/0,10.20.0.1}"


def test_a_network_without_gateway_has_no_router_and_parents_come_first() -> None:
    alone = rows(placed(name="alone", subnets=[{"cidr": "10.1.0.0/24"}]))
    assert [row.table for row in alone] == ["Logical_Switch"]
    every = rows(placed(**PROTECTED), placed(name="alone", router="core", subnets=[{"cidr": "10.1.0.0/24"}]))
    seen: set[tuple[str, str]] = set()
    for row in every:
        assert row.parent is None or row.parent[:2] in seen
        assert all(ident in seen for ident in row.references.values())
        seen.add(row.ident)
    assert len(seen) == len(every)


def test_a_provider_network_is_a_localnet_port_with_its_tag() -> None:
    tagged = {
        "name": "up",
        "type": "vlan",
        "vlan": {"id": 100, "interface": "ens5"},
        "subnets": [{"cidr": "10.4.0.0/24"}],
    }
    port = by_title(rows(placed(**tagged)))["Logical_Switch_Port up-localnet"]
    assert port.columns["tag"] == (100,) and port.columns["options"] == {"network_name": "physnet-ens5"}
    raw = {"name": "raw", "type": "direct", "direct": {"interface": "ens5"}, "subnets": [{"cidr": "10.4.0.0/24"}]}
    assert by_title(rows(placed(**raw)))["Logical_Switch_Port raw-localnet"].columns["tag"] == ()
    any_node = {**raw, "direct": {"interface": "ens5", "nodes": {"selector": "any"}}}
    (problem,) = ovn_nb.refusals(placed(**any_node), Site("lab+rack"))
    assert "ovn-bridge-mappings" in problem.hint


def test_nothing_is_done_when_all_is_as_wanted() -> None:
    wanted = rows(placed(**PROTECTED))
    assert ovn_nb.changes(wanted, there(wanted)) == ()
    assert {one.action for one in ovn_nb.changes(wanted, {})} == {"create"}
    assert {one.action for one in ovn_nb.changes([], there(wanted))} == {"delete"}


def test_what_differs_is_named_with_before_and_after() -> None:
    before = rows(placed(**PROTECTED))
    wanted = rows(placed(**{**PROTECTED, "mtu": 1300, "ports": PROTECTED["ports"][:1]}))
    found = ovn_nb.changes(wanted, there(before))
    assert {(one.action, one.table) for one in found} == {
        ("update", "Logical_Switch"),  # the intent that it carries
        ("update", "DHCP_Options"),
        ("delete", "Logical_Switch_Port"),
    }
    (dhcp,) = [one for one in found if one.table == "DHCP_Options"]
    assert dhcp.fields["options"][0]["mtu"] == "1400" and dhcp.fields["options"][1]["mtu"] == "1300"


def test_networks_are_found_again_in_their_rows() -> None:
    one = placed(**PROTECTED)
    assert ovn_nb.networks_in(there(rows(one)).values()) == {"protected": one}


def test_rules_let_in_what_is_meant_and_the_gateway_keeps_its_address() -> None:
    flows = [{"from": {"network": "other"}, "ports": [{"port": "443"}]}]
    other = placed(name="other", subnets=[{"cidr": "10.30.0.0/24"}])
    found = rows(placed(**{**PROTECTED, "connectivity": flows}), other)
    acls = [(row.columns["priority"], row.columns["match"]) for row in found if row.table == "ACL"]
    assert acls == [
        (2000, "ip4.src == 10.30.0.0/24 && ip4.dst == 10.20.0.0/24 && tcp.dst == 443"),
        (1000, "ip4.dst == 10.20.0.0/24"),
        (1000, "ip6.dst == fd00:20::/64"),
    ]
    # Machines remember the gateway's MAC address, so another router has the same.
    moved = by_title(rows(placed(**{**PROTECTED, "router": "core"})))["Logical_Router_Port core-protected"]
    assert moved.columns["mac"] == by_title(found)["Logical_Router_Port protected-router-protected"].columns["mac"]
