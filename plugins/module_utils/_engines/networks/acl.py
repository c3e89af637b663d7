# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: connectivity as OVN's matches, which OVN northbound and Kube-OVN share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.network import PortRange
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

ALLOW, DENY = 2000, 1000
"""Priorities: what is let in stands above the rest, which is dropped."""


@dataclass(frozen=True)
class Rule:
    """A rule for packets to the ports of a logical switch."""

    priority: int
    match: str
    action: str


def rules(placed: Placed, sources: Sequence[Sequence[str]]) -> Iterator[Rule]:
    """The rules of a network; ``sources`` are the networks that each of its flows comes from.

    A network without flows has none: everything on its wire is let through. What answers belongs to its connection.
    """
    for flow, networks in zip(placed.network.connectivity, sources, strict=True):
        for subnet in placed.cidrs:
            same = [cidr for cidr in networks if addresses.family(cidr) == addresses.family(subnet)]
            for source in same:
                there = f"{_ip(subnet)}.src == {source} && {_ip(subnet)}.dst == {subnet}"
                for one in flow.ports or (None,):
                    protocol = "" if one is None else f" && {_protocol(one, subnet)}"
                    yield Rule(ALLOW, f"{there}{protocol}", "allow-related")
    if placed.network.connectivity:
        for subnet in placed.cidrs:
            yield Rule(DENY, f"{_ip(subnet)}.dst == {subnet}", "drop")


def _ip(cidr: str) -> str:
    return f"ip{addresses.family(cidr)}"


def _protocol(one: PortRange, subnet: str) -> str:
    if one.protocol == "icmp":
        return "icmp4" if addresses.family(subnet) == 4 else "icmp6"
    if one.port is None:
        return one.protocol
    first, dash, last = one.port.partition("-")
    field = f"{one.protocol}.dst"
    return f"{field} >= {first} && {field} <= {last}" if dash else f"{field} == {first}"
