# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: virtual and provider networks, as people want them whatever engine makes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model import addresses, names
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option

_INTERFACE = re.compile(r"[^/\s:,]{1,15}")  # Linux: IFNAMSIZ is 16 with its end
_RESOURCE = re.compile(r"[a-z0-9.-]+/[A-Za-z0-9._-]+")

Engine = Literal["auto", "kube_ovn", "ovn_kubernetes", "nodus", "multus", "ovn_nb"]


def interface_name(raw: Any) -> str:
    """The name of a network interface on Linux; ValueError when it is none."""
    text = str(raw).strip()
    if not _INTERFACE.fullmatch(text) or text in (".", ".."):
        raise ValueError(f"{text!r} is no interface's name: 1 to 15 characters, none of them '/', ':', ',' or space")
    return text


def vlan_id(raw: Any) -> int:
    """A VLAN tag; EMCO writes it as text."""
    try:
        value = int(str(raw))
    except ValueError:
        raise ValueError(f"{raw!r} is not a VLAN id") from None
    if not 1 <= value <= 4094:
        raise ValueError(f"{value} is not a VLAN id: 1 to 4094 (0 and 4095 are reserved; untagged is type: direct)")
    return value


def _gateway(raw: Any) -> str:
    # EMCO and Nodus write it with a length.
    return addresses.address(str(raw).partition("/")[0])


def _resource(raw: Any) -> str:
    if not _RESOURCE.fullmatch(str(raw)):
        raise ValueError(f"{raw!r} is not a resource of a device plugin; write vendor.example.com/pool")
    return str(raw)


@dataclass(frozen=True)
class Subnet:
    """A subnet: ``cidr``, or a ``pool`` of which each cluster gets a block of its own with ``prefix`` bits."""

    name: str | None = option(parse=names.dns_label, type="str")
    cidr: str | None = option(parse=addresses.network, type="str", aliases=("subnet",))
    pool: str | None = option(parse=addresses.network, type="str", written="from")
    prefix: int | None = option()
    gateway: str | None = option(parse=_gateway, type="str")
    exclude: tuple[str, ...] = option(default=(), parse=addresses.exclusions, type="raw")
    """Addresses and ranges ``a..b`` that are never given to a workload."""

    @property
    def family(self) -> int:
        """4 or 6."""
        return addresses.family(str(self.cidr or self.pool))

    def problems(self, path: str) -> Iterator[Problem]:
        """A subnet is one network or a pool of them; what is said about its addresses lies in it."""
        if (self.cidr is None) == (self.pool is None):
            yield Problem(path, "needs cidr, or from and prefix")
            return
        if self.pool is not None:
            yield from self._pool_problems(path)
            return
        if self.prefix is not None:
            yield Problem(join(path, "prefix"), "goes with from, which says what is divided")
        yield from address_problems(self, path)

    def _pool_problems(self, path: str) -> Iterator[Problem]:
        longest = 30 if self.family == 4 else 126
        shortest = addresses.length(str(self.pool))
        if self.prefix is None:
            yield Problem(join(path, "prefix"), "is required with from: how long the block of each cluster is")
        elif not shortest <= self.prefix <= longest:
            yield Problem(join(path, "prefix"), f"must be {shortest} to {longest} for blocks of {self.pool}")
        if self.gateway is not None:
            yield Problem(join(path, "gateway"), "goes with cidr; in a block it is the first address")
        for index, item in enumerate(self.exclude):
            if not addresses.contains(str(self.pool), item):
                yield Problem(join(path, f"exclude[{index}]"), f"{item} is not in {self.pool}")


def address_problems(subnet: Subnet, path: str) -> Iterator[Problem]:
    """What is wrong with the gateway and the exclusions of a subnet whose network is known."""
    cidr = str(subnet.cidr)
    if subnet.gateway is not None and not addresses.is_host(cidr, subnet.gateway):
        yield Problem(join(path, "gateway"), f"{subnet.gateway} is no host's address in {cidr}")
    outside = [index for index, item in enumerate(subnet.exclude) if not addresses.contains(cidr, item)]
    for index in outside:
        yield Problem(join(path, f"exclude[{index}]"), f"{subnet.exclude[index]} is not in {cidr}")
    if not outside and subnet.exclude and addresses.free_hosts(cidr, subnet.exclude) < 1:
        yield Problem(join(path, "exclude"), f"leaves no address of {cidr}")


@dataclass(frozen=True)
class Dns:
    """What workloads are told about names."""

    nameservers: tuple[str, ...] = option(default=())
    domain: str | None = option(parse=names.dns_subdomain, type="str")
    search: tuple[str, ...] = option(default=())
    options: tuple[str, ...] = option(default=())

    def problems(self, path: str) -> Iterator[Problem]:
        """Name servers are addresses."""
        yield from _each(addresses.address, self.nameservers, join(path, "nameservers"))
        yield from _each(names.dns_subdomain, self.search, join(path, "search"))


@dataclass(frozen=True)
class Route:
    """A route that workloads get: packets ``to`` a network go ``via`` an address."""

    to: str = option(required=True, parse=addresses.network, type="str", aliases=("dst",))
    via: str | None = option(parse=addresses.address, type="str", aliases=("gw",))

    def problems(self, path: str) -> Iterator[Problem]:
        """Both ends are of one family."""
        if self.via is not None and addresses.family(self.to) != addresses.family(self.via):
            yield Problem(path, f"{self.to} and {self.via} are not of one family")


@dataclass(frozen=True)
class Nodes:
    """The nodes that a provider network reaches. ``any`` is one of them, ``labels`` must all be there."""

    selector: Literal["any", "all", "specific"] = option(default="all")
    labels: tuple[str, ...] = option(default=())

    def problems(self, path: str) -> Iterator[Problem]:
        """Labels go with ``specific`` and are labels of nodes."""
        if (self.selector == "specific") != bool(self.labels):
            words = "is required with" if self.selector == "specific" else "goes with"
            yield Problem(join(path, "labels"), f"{words} selector: specific")
        yield from _each(_node_label, self.labels, join(path, "labels"))


def _node_label(text: str) -> None:
    key, _equals, value = text.partition("=")
    names.label_key(key)
    names.label_value(value)


@dataclass(frozen=True)
class Vlan:
    """A tagged network on an interface of the nodes."""

    id: int = option(required=True, parse=vlan_id, type="int")
    interface: str = option(required=True, parse=interface_name, type="str")
    logical_interface: str | None = option(parse=interface_name, type="str")
    nodes: Nodes = option(default=Nodes(), spec_default=None)

    def problems(self, path: str) -> Iterator[Problem]:
        """The interface of the tag has a name that Linux takes."""
        if self.logical_interface is None and len(f"{self.interface}.{self.id}") > 15:
            text = f"is required: {self.interface}.{self.id} is longer than the 15 characters that Linux allows"
            yield Problem(join(path, "logical_interface"), text)


@dataclass(frozen=True)
class Direct:
    """An interface of the nodes as it is, untagged."""

    interface: str = option(required=True, parse=interface_name, type="str")
    nodes: Nodes = option(default=Nodes(), spec_default=None)


@dataclass(frozen=True)
class Uplink:
    """Where a provider network leaves its nodes. ``vlan``: None is untagged."""

    interface: str
    vlan: int | None
    logical_interface: str
    nodes: Nodes


@dataclass(frozen=True)
class MultusOptions:
    """What only plain Multus networks need to be told."""

    type: Literal["bridge", "macvlan", "ipvlan", "sriov"] | None = option()
    interface: str | None = option(parse=interface_name, type="str")
    """The interface of the nodes under a virtual network of macvlan or ipvlan."""
    resource: str | None = option(parse=_resource, type="str")
    """The resource of the device plugin that hands out the functions of sriov."""

    def problems(self, path: str) -> Iterator[Problem]:
        """SR-IOV needs its resource."""
        if (self.type == "sriov") != (self.resource is not None):
            yield Problem(join(path, "resource"), "and type: sriov go together")


@dataclass(frozen=True)
class Port:
    """A port of a machine that no orchestrator runs: its interface is bound with ``iface-id=<name>``."""

    name: str = option(required=True, parse=names.dns_subdomain, type="str")
    ip: str | None = option(parse=addresses.address, type="str")
    mac: str | None = option(parse=addresses.mac, type="str")


@dataclass(frozen=True)
class PortRange:
    """What is let through: a protocol, and ports of it (``443``, ``8000-8080``); none: all of them."""

    protocol: Literal["tcp", "udp", "sctp", "icmp"] = option(default="tcp")
    port: str | None = option()

    def problems(self, path: str) -> Iterator[Problem]:
        """Ports are 1 to 65535, the first not above the last."""
        if self.port is None:
            return
        first, dash, last = self.port.partition("-")
        ends = (first, last if dash else first)
        if self.protocol == "icmp":
            yield Problem(join(path, "port"), "icmp has no ports")
        elif not all(end.isdigit() and 1 <= int(end) <= 65535 for end in ends) or int(ends[0]) > int(ends[1]):
            yield Problem(join(path, "port"), f"{self.port!r} is no port from 1 to 65535 and no range of them")


@dataclass(frozen=True)
class Peer:
    """Who may talk to the workloads of a network: another network of the cluster, or addresses."""

    network: str | None = option(parse=names.dns_label, type="str")
    cidr: str | None = option(parse=addresses.network, type="str")

    def problems(self, path: str) -> Iterator[Problem]:
        """One of the two."""
        if (self.network is None) == (self.cidr is None):
            yield Problem(path, "needs network or cidr, and not both")


@dataclass(frozen=True)
class Flow:
    """Connections that are let in; the rest is not as soon as there is one."""

    source: Peer = option(required=True, written="from")
    ports: tuple[PortRange, ...] = option(default=())
    """None: everything."""


@dataclass(frozen=True)
class Network:
    """A network as it is wanted. A virtual one lives inside its cluster, one with ``uplink`` reaches beyond it."""

    name: str = option(required=True, parse=names.dns_label, type="str")
    engine: Engine = option(default="auto")
    subnets: tuple[Subnet, ...] = option(default=())
    dns: Dns | None = option()
    routes: tuple[Route, ...] = option(default=())
    mtu: int | None = option()
    namespaces: tuple[str, ...] = option(default=("default",))
    """Where workloads may attach to it; what engines keep in a namespace is in the first."""
    router: str | None = option(parse=names.dns_label, type="str")
    """Networks with the same router reach each other; without one a network is alone."""
    connectivity: tuple[Flow, ...] = option(default=())
    ports: tuple[Port, ...] = option(default=())
    multus: MultusOptions = option(default=MultusOptions(), spec_default=None)

    @property
    def uplink(self) -> Uplink | None:
        """Where it leaves the nodes; None for a virtual network."""
        return None

    @property
    def home(self) -> str:
        """The namespace of what an engine keeps once."""
        return self.namespaces[0]

    def subnet(self, family: int) -> Subnet | None:
        """Its subnet of a family."""
        return next((one for one in self.subnets if one.family == family), None)

    def problems(self, path: str) -> Iterator[Problem]:
        """Rules over several options."""
        if not self.subnets:
            yield Problem(join(path, "subnets"), "is required: at least one subnet, IPv4 or IPv6")
        for family in (4, 6):
            where = [index for index, one in enumerate(self.subnets) if one.family == family]
            for index in where[1:]:
                text = f"is a second IPv{family} subnet; no engine uses more than one of a family"
                yield Problem(join(path, f"subnets[{index}]"), text, "make it a network of its own")
        if self.mtu is not None:
            least = 1280 if any(one.family == 6 for one in self.subnets) else 576
            if not least <= self.mtu <= 65535:
                yield Problem(join(path, "mtu"), f"must be {least} to 65535")
        yield from self._address_problems(path)
        if not self.namespaces:
            yield Problem(join(path, "namespaces"), "is empty; a network that nobody may use is none")
        yield from _each(names.dns_label, self.namespaces, join(path, "namespaces"))
        if self.uplink is not None and self.router is not None:
            yield Problem(join(path, "router"), "is for virtual networks; the router of a provider network is outside")

    def _address_problems(self, path: str) -> Iterator[Problem]:
        known = [str(one.cidr) for one in self.subnets if one.cidr]
        planned = {one.family for one in self.subnets if one.pool}
        for index, route in enumerate(self.routes):
            where = join(path, f"routes[{index}]")
            if route.via is None:
                if addresses.family(route.to) not in {one.family for one in self.subnets}:
                    yield Problem(where, f"{route.to} needs via, as the network has no subnet of its family")
            elif addresses.family(route.via) in planned:
                continue
            elif not any(addresses.contains(cidr, route.via) for cidr in known):
                yield Problem(join(where, "via"), f"{route.via} is in no subnet of the network")
        seen: dict[str, int] = {}
        for index, port in enumerate(self.ports):
            where = join(path, f"ports[{index}]")
            if port.ip is not None and known and not any(addresses.is_host(cidr, port.ip) for cidr in known):
                yield Problem(join(where, "ip"), f"{port.ip} is in no subnet of the network")
            for label, text in (("name", port.name), ("ip", port.ip), ("mac", port.mac)):
                if text is not None and seen.setdefault(text, index) != index:
                    yield Problem(join(where, label), f"{text} is the {label} of ports[{seen[text]}], too")


@dataclass(frozen=True)
class ProviderNetwork(Network):
    """A network on an interface of the nodes, tagged (``vlan``) or as it is (``direct``)."""

    type: Literal["vlan", "direct"] = option(required=True, parse=lambda raw: str(raw).lower(), type="str")
    vlan: Vlan | None = option()
    direct: Direct | None = option()

    @property
    def uplink(self) -> Uplink | None:
        """Where it leaves the nodes."""
        if self.vlan is not None:
            logical = self.vlan.logical_interface or f"{self.vlan.interface}.{self.vlan.id}"
            return Uplink(self.vlan.interface, self.vlan.id, logical, self.vlan.nodes)
        if self.direct is not None:
            return Uplink(self.direct.interface, None, self.direct.interface, self.direct.nodes)
        return None

    def problems(self, path: str) -> Iterator[Problem]:
        """Exactly the half that the type says."""
        if self.type not in ("vlan", "direct"):
            yield Problem(join(path, "type"), f"{self.type!r} is neither vlan nor direct")
            return
        other = "direct" if self.type == "vlan" else "vlan"
        if getattr(self, self.type) is None:
            yield Problem(join(path, self.type), f"is required with type: {self.type}")
        if getattr(self, other) is not None:
            yield Problem(join(path, other), f"has no meaning with type: {self.type}")
        yield from super().problems(path)


def _each(rule: Any, texts: Iterable[str], path: str) -> Iterator[Problem]:
    for index, text in enumerate(texts):
        try:
            rule(text)
        except ValueError as wrong:
            yield Problem(f"{path}[{index}]", str(wrong))
