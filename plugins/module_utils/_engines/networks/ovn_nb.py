# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: networks as rows of an OVN northbound database, for bare metal and machines. Pure.

Every row of ours says so in its ``external_ids``: whose it is, which network it is for, and the key by which the next
run knows it again. Rows without that mark are never touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import acl
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import Site
from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.network import Port, Subnet
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import (
    Placed,
    gateway_of,
    placed_document,
    placed_of,
)

OWNER, KEY, NETWORK, INTENT = "emco-edge", "emco-edge:key", "emco-edge:network", "emco-edge:intent"
_LEASE = "3600"

Ident = tuple[str, str]
"""Table and key of a row of ours."""


@dataclass(frozen=True)
class Row:
    """A row as it should be. Optional columns and sets are tuples, maps are dictionaries, references are keys."""

    table: str
    key: str
    network: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    parent: tuple[str, str, str] | None = None
    """Table, key and column of the row that holds it; None: it stands alone."""
    references: Mapping[str, Ident] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    """More of its external_ids."""

    @property
    def ident(self) -> Ident:
        """Its table and key."""
        return self.table, self.key

    @property
    def title(self) -> str:
        """How people call it."""
        return str(self.columns.get("name") or self.key)

    @property
    def external_ids(self) -> dict[str, str]:
        """The marks that say that it is ours."""
        return {OWNER: "networks", KEY: self.key, NETWORK: self.network, **self.marks}


@dataclass(frozen=True)
class Found:
    """A row of ours as it is."""

    table: str
    key: str
    network: str
    columns: Mapping[str, Any]
    references: Mapping[str, Ident]
    external_ids: Mapping[str, str]
    title: str


@dataclass(frozen=True)
class Change:
    """What has to be done to one row: ``fields`` are its columns that differ, before and after."""

    action: str
    """create | update | delete"""
    table: str
    key: str
    network: str
    title: str
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def refusals(placed: Placed, _site: Site) -> Iterator[Problem]:
    """What a northbound database cannot say."""
    uplink = placed.network.uplink
    if uplink is not None and uplink.nodes.selector != "all":
        where = "vlan.nodes" if uplink.vlan is not None else "direct.nodes"
        text = "bridges of chassis are not the northbound's business"
        yield Problem(where, text, "set ovn-bridge-mappings on those chassis only")


def rows(networks: Iterable[Placed], site: Site) -> Iterator[Row]:
    """The rows of all networks of a northbound, parents before their children."""
    routers: dict[str, list[Placed]] = {}
    networks = list(networks)
    for one in networks:
        if (router := _router(one)) is not None:
            routers.setdefault(router, []).append(one)
    for router, of in sorted(routers.items()):
        yield Row("Logical_Router", router, of[0].name if len(of) == 1 else "", {"name": router})
    for one in networks:
        yield from _switch(one)
        yield from _uplink(one)
        yield from _routed(one)
        yield from _ports(one)
        sources = [site.sources(flow.source.network, flow.source.cidr) for flow in one.network.connectivity]
        yield from _acls(one, acl.rules(one, sources))


def _router(placed: Placed) -> str | None:
    """The router of a virtual network: a shared one, or one of its own where it has a gateway."""
    network = placed.network
    if network.uplink is not None:
        return None
    if network.router is not None:
        return network.router
    return f"{placed.name}-router" if any(one.gateway for one in network.subnets) else None


def _switch(placed: Placed) -> Iterator[Row]:
    v4, v6 = placed.network.subnet(4), placed.network.subnet(6)
    config: dict[str, str] = {}
    if v4 is not None:
        config["subnet"] = str(v4.cidr)
        kept = addresses.merged([*((gateway_of(v4),) if _has_gateway(placed, v4) else ()), *v4.exclude])
        if kept:
            config["exclude_ips"] = " ".join(kept)
    if v6 is not None:
        config["ipv6_prefix"] = str(v6.cidr).partition("/")[0]
    yield Row(
        "Logical_Switch",
        placed.name,
        placed.name,
        {"name": placed.name, "other_config": config},
        marks={INTENT: json.dumps(placed_document(placed), separators=(",", ":"), sort_keys=True)},
    )


def _has_gateway(placed: Placed, subnet: Subnet) -> bool:
    return subnet.gateway is not None or _router(placed) is not None


def _uplink(placed: Placed) -> Iterator[Row]:
    uplink = placed.network.uplink
    if uplink is None:
        return
    columns: dict[str, Any] = {
        "name": f"{placed.name}-localnet",
        "type": "localnet",
        "addresses": ("unknown",),
        "options": {"network_name": f"physnet-{uplink.interface}"},
        "tag": (uplink.vlan,) if uplink.vlan is not None else (),
    }
    yield _port_row(placed, "localnet", columns)


def _routed(placed: Placed) -> Iterator[Row]:
    router = _router(placed)
    if router is None:
        return
    name = f"{router}-{placed.name}"
    hosts = tuple(f"{gateway_of(one)}/{addresses.length(str(one.cidr))}" for one in placed.network.subnets)
    columns = {"name": name, "mac": mac_of(placed.name), "networks": tuple(sorted(hosts))}
    place = ("Logical_Router", router, "ports")
    # Another router is another row: rows do not move from one to the other.
    yield Row("Logical_Router_Port", f"{placed.name}/at/{router}", placed.name, columns, place)
    peer = {"name": f"{placed.name}-router-port", "type": "router", "addresses": ("router",)}
    yield _port_row(placed, "router", {**peer, "options": {"router-port": name}})
    for route in placed.network.routes:
        if route.via is not None:
            yield Row(
                "Logical_Router_Static_Route",
                f"{placed.name}/at/{router}/{route.to}",
                placed.name,
                {"ip_prefix": route.to, "nexthop": route.via},
                ("Logical_Router", router, "static_routes"),
            )


def _ports(placed: Placed) -> Iterator[Row]:
    if not placed.network.ports:
        return
    references: dict[str, Ident] = {}
    for subnet in placed.network.subnets:
        key = f"{placed.name}/dhcp/{subnet.family}"
        columns = {"cidr": str(subnet.cidr), "options": _dhcp(placed, subnet)}
        yield Row("DHCP_Options", key, placed.name, columns)
        references[f"dhcpv{subnet.family}_options"] = ("DHCP_Options", key)
    for port in placed.network.ports:
        columns = {"name": port.name, "type": "", "addresses": (_addresses(port),)}
        yield _port_row(placed, f"port/{port.name}", columns, references)


def _port_row(
    placed: Placed, key: str, columns: Mapping[str, Any], references: Mapping[str, Ident] | None = None
) -> Row:
    parent = ("Logical_Switch", placed.name, "ports")
    where = f"{placed.name}/{key}"
    return Row("Logical_Switch_Port", where, placed.name, columns, parent, references or {})


def _addresses(port: Port) -> str:
    if port.mac and port.ip:
        return f"{port.mac} {port.ip}"
    if port.mac:
        return f"{port.mac} dynamic"
    return f"dynamic {port.ip}" if port.ip else "dynamic"


def _dhcp(placed: Placed, subnet: Subnet) -> dict[str, str]:
    network, gateway = placed.network, gateway_of(subnet)
    mac = mac_of(placed.name)
    servers = [one for one in network.dns.nameservers if addresses.family(one) == subnet.family] if network.dns else []
    if subnet.family == 6:
        return {"server_id": mac, **({"dns_server": _set(servers)} if servers else {})}
    options = {"server_id": gateway, "server_mac": mac, "lease_time": _LEASE}
    if _has_gateway(placed, subnet):
        options["router"] = gateway
    if network.mtu is not None:
        options["mtu"] = str(network.mtu)
    if servers:
        options["dns_server"] = _set(servers)
    if network.dns is not None and network.dns.domain:
        options["domain_name"] = f'"{network.dns.domain}"'
    routes = [one for one in network.routes if addresses.family(one.to) == 4]
    if routes:
        # A client that gets routes so leaves the router aside (RFC 3442): it is among them.
        hops = [(route.to, route.via or gateway) for route in routes]
        hops += [("0.0.0.0/0", gateway)] if "router" in options else []
        options["classless_static_route"] = "{" + ", ".join(f"{to},{via}" for to, via in hops) + "}"
    return options


def _set(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else "{" + ", ".join(items) + "}"


def _acls(placed: Placed, rules: Iterable[acl.Rule]) -> Iterator[Row]:
    for rule in rules:
        digest = hashlib.sha256(f"{rule.priority} {rule.match}".encode()).hexdigest()[:12]
        columns = {
            "direction": "to-lport",
            "priority": rule.priority,
            "match": rule.match,
            "action": rule.action,
        }
        parent = ("Logical_Switch", placed.name, "acls")
        yield Row("ACL", f"{placed.name}/acl/{digest}", placed.name, columns, parent)


def mac_of(network: str) -> str:
    """The MAC address of a network's gateway: the same on every router, since machines remember it."""
    digest = hashlib.sha256(network.encode()).hexdigest()
    return ":".join(("0a", *(digest[index : index + 2] for index in range(0, 10, 2))))


def changes(wanted: Sequence[Row], found: Mapping[Ident, Found]) -> tuple[Change, ...]:
    """What makes the rows of ours equal to the wanted ones: creations, updates, deletions."""
    made = [Change("create", row.table, row.key, row.network, row.title) for row in wanted if row.ident not in found]
    updated = []
    for row in wanted:
        if row.ident in found:
            fields = _differing(row, found[row.ident])
            if fields:
                updated.append(Change("update", row.table, row.key, row.network, row.title, fields))
    kept = {row.ident for row in wanted}
    gone = [
        Change("delete", one.table, one.key, one.network, one.title)
        for ident, one in sorted(found.items())
        if ident not in kept
    ]
    return (*made, *updated, *gone)


def _differing(row: Row, there: Found) -> dict[str, tuple[Any, Any]]:
    fields = {
        name: (there.columns.get(name), value)
        for name, value in row.columns.items()
        if there.columns.get(name) != value
    }
    for name, ident in row.references.items():
        if there.references.get(name) != ident:
            fields[name] = (there.references.get(name), ident)
    marks = {name: there.external_ids.get(name) for name in row.external_ids}
    if marks != row.external_ids:
        fields["external_ids"] = (marks, row.external_ids)
    return fields


def networks_in(found: Iterable[Found]) -> dict[str, Placed]:
    """The networks that the rows of a northbound tell of, for a store that was lost."""
    return {
        one.network: placed_of(json.loads(one.external_ids[INTENT]))
        for one in found
        if one.table == "Logical_Switch" and INTENT in one.external_ids
    }
