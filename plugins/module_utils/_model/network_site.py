# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: networks as they are on one cluster: every address known, an engine chosen, no clash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.network import (
    Network,
    ProviderNetwork,
    Subnet,
    address_problems,
)
from ansible_collections.emco.edge.plugins.module_utils._model.options import parsed

# As users write what Python has reserved, or what another word says better inside.
_WRITTEN = {"pool": "from", "source": "from"}


@dataclass(frozen=True)
class Placed:
    """A network on one cluster. ``node`` is the one that was picked where the intent says any."""

    network: Network
    engine: str
    node: str | None = None
    blocks: tuple[tuple[int, str], ...] = ()
    """Subnets, by index, that are a block of a pool, and which pool and length that was: ``10.0.0.0/8 24``."""

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.network.name

    @property
    def cidrs(self) -> tuple[str, ...]:
        """The networks of its subnets."""
        return tuple(str(one.cidr) for one in self.network.subnets)

    @property
    def node_labels(self) -> tuple[str, ...]:
        """The labels, ``key=value`` or a bare key, of the nodes that it reaches; none: all nodes."""
        uplink = self.network.uplink
        if uplink is None or uplink.nodes.selector == "all":
            return ()
        if uplink.nodes.selector == "any":
            return (f"kubernetes.io/hostname={self.node}",) if self.node else ()
        return uplink.nodes.labels


def gateway_of(subnet: Subnet) -> str:
    """The gateway of a subnet: the first address that a host may have, where nobody named one."""
    return subnet.gateway or addresses.first_host(str(subnet.cidr))


def pools(network: Network) -> tuple[int, ...]:
    """The subnets, by index, that are a block of their own on each cluster."""
    return tuple(index for index, one in enumerate(network.subnets) if one.pool is not None)


def with_blocks(network: Network, blocks: Mapping[int, str]) -> Network:
    """The network with the block that a cluster has for each pool; what is excluded of a pool lies in few blocks."""
    subnets = tuple(
        replace(
            one,
            cidr=blocks[index],
            pool=None,
            prefix=None,
            exclude=tuple(each for each in one.exclude if addresses.contains(blocks[index], each)),
        )
        if index in blocks
        else one
        for index, one in enumerate(network.subnets)
    )
    return replace(network, subnets=subnets)


def picked_node(network: Network, cluster: Cluster, before: str | None) -> str | None:
    """The node of ``nodes: any``: the one from before while it is there, else the first by name that is ready."""
    uplink = network.uplink
    if uplink is None or uplink.nodes.selector != "any":
        return None
    nodes = cluster.facts.nodes if cluster.facts is not None else ()
    if before is not None and (not nodes or before in {one.name for one in nodes}):
        return before
    able = sorted(one.name for one in nodes if one.ready and not one.unschedulable)
    return able[0] if able else None


def clashes(wanted: Placed, others: Iterable[Placed], ranges: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """What keeps a network from its cluster: addresses or a VLAN that something else there has.

    ``ranges``: what the cluster's own pods and services have, by what they are.
    """
    taken = [(cidr, f"network {one.name}") for one in others for cidr in one.cidrs]
    taken += [(cidr, f"the cluster's {what}") for what, cidrs in ranges.items() for cidr in cidrs]
    for index, subnet in enumerate(wanted.network.subnets):
        for cidr, owner in taken:
            if addresses.overlap(str(subnet.cidr), cidr):
                yield Problem(f"subnets[{index}].cidr", f"{subnet.cidr} overlaps {cidr} of {owner}")
        yield from address_problems(subnet, f"subnets[{index}]")
    uplink = wanted.network.uplink
    for one in others:
        other = one.network.uplink
        if uplink is None or other is None or uplink.interface != other.interface:
            continue
        if uplink.vlan == other.vlan:
            tag = f"VLAN {uplink.vlan}" if uplink.vlan is not None else "untagged"
            where = "vlan.id" if uplink.vlan is not None else "direct.interface"
            yield Problem(where, f"network {one.name} has {uplink.interface} {tag} already")
        elif wanted.node_labels != one.node_labels:
            where = "vlan.nodes" if uplink.vlan is not None else "direct.nodes"
            text = f"are not those of network {one.name}, which has the same interface {uplink.interface}"
            yield Problem(where, text, "an interface leads to the same place for all of its networks")


@lru_cache(maxsize=16384)
def network_document(network: Network) -> dict[str, Any]:
    """A network as plain data, which ``network_of`` reads again; what is not said is left out. Not to be changed."""
    found: dict[str, Any] = _plain(asdict(network))
    return found


def network_of(document: Mapping[str, Any]) -> Network:
    """The network that ``network_document`` wrote."""
    model = ProviderNetwork if "type" in document else Network
    return parsed(model, document, f"the stored network {document.get('name')}")


def placed_document(one: Placed) -> dict[str, Any]:
    """A placed network as plain data, which ``placed_of`` reads again."""
    found: dict[str, Any] = {"network": network_document(one.network), "engine": one.engine}
    if one.node is not None:
        found["node"] = one.node
    if one.blocks:
        found["blocks"] = {str(index): mark for index, mark in one.blocks}
    return found


def placed_of(document: Mapping[str, Any]) -> Placed:
    """The placed network that ``placed_document`` wrote."""
    blocks = tuple((int(index), str(mark)) for index, mark in (document.get("blocks") or {}).items())
    return Placed(network_of(document["network"]), str(document["engine"]), document.get("node"), blocks)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        found = {_WRITTEN.get(name, name): _plain(inner) for name, inner in value.items()}
        return {name: inner for name, inner in found.items() if inner not in (None, [], {})}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
