# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a change of networks means for each cluster. Pure: clusters and store as values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import table
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import SHARED, Object, site_of
from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import (
    Placed,
    clashes,
    picked_node,
    pools,
    with_blocks,
)
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import bundle, identity_of, planned
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Digest, Identity
from ansible_collections.emco.edge.plugins.module_utils._render.install_order import in_install_order
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_store import NAMING, documents_of

Networks = Mapping[str, Placed]


@dataclass(frozen=True)
class ClusterPlan:
    """One cluster: its networks before and after, and what of them can only be made anew."""

    cluster: Cluster
    before: Networks
    after: Networks
    replaced: Mapping[str, tuple[str, ...]]
    """Network: the fields that no engine changes in place, ``Vlan uplink spec.id: 102 -> 103``."""

    @property
    def removed(self) -> tuple[str, ...]:
        """The networks that go."""
        return tuple(sorted(self.before.keys() - self.after.keys()))

    @property
    def leaving(self) -> dict[str, Placed]:
        """The networks, as they are now, that nobody may use any more when work begins."""
        return {name: self.before[name] for name in (*self.removed, *self.replaced)}

    @property
    def staying(self) -> dict[str, Placed]:
        """The networks after, without those that are made anew."""
        return {name: one for name, one in self.after.items() if name not in self.replaced}


def plan_present(
    wanted: Network, targets: Sequence[Cluster], known: Mapping[ClusterRef, Networks]
) -> dict[ClusterRef, ClusterPlan]:
    """The plans that give a network to clusters; InvalidInput with everything in the way, on whichever cluster.

    ``known``: the networks of every cluster, whose blocks are nobody else's.
    """
    found: dict[ClusterRef, ClusterPlan] = {}
    problems: dict[Problem, list[str]] = {}
    planner = _Blocks(wanted, known)
    for cluster in targets:
        before = known.get(cluster.ref, {})
        others = {name: one for name, one in before.items() if name != wanted.name}
        placed = _placed(wanted, cluster, before.get(wanted.name), planner)
        if isinstance(placed, Problem):
            problems.setdefault(placed, []).append(str(cluster.ref))
            continue
        after = {**others, wanted.name: placed}
        for problem in _problems(placed, cluster, after):
            problems.setdefault(problem, []).append(str(cluster.ref))
        found[cluster.ref] = ClusterPlan(cluster, before, after, _replaced(cluster, before, after))
    if problems:
        raise InvalidInput(
            [replace(one, message=f"{one.message}, on {_listed(refs)}") for one, refs in problems.items()],
            of=f"network {wanted.name}",
        )
    return found


def plan_absent(
    name: str, targets: Sequence[Cluster], known: Mapping[ClusterRef, Networks]
) -> dict[ClusterRef, ClusterPlan]:
    """The plans that take a network off clusters that have it; InvalidInput when another network leans on it."""
    found, leaning = {}, []
    for cluster in targets:
        before = known.get(cluster.ref, {})
        if name not in before:
            continue
        after = {other: one for other, one in before.items() if other != name}
        leaning += [
            Problem("name", f"network {other} on {cluster.ref} lets in connections from {name}")
            for other, one in after.items()
            if any(flow.source.network == name for flow in one.network.connectivity)
        ]
        found[cluster.ref] = ClusterPlan(cluster, before, after, {})
    if leaning:
        raise InvalidInput(leaning, of=f"the removal of network {name}")
    return found


def bundle_for(cluster: Cluster, networks: Networks, digest: Digest) -> Bundle:
    """The bundle of all networks of a cluster."""
    rendered = list(_objects(cluster, networks).values())
    ordered = in_install_order(rendered, lambda pair: str(pair[1]["kind"]))
    apps = dict.fromkeys(app for app, _one in ordered)
    return bundle(
        NAMING,
        [planned(one, app, None, NAMING, digest) for app, one in ordered],
        apps,
        {},
        None,
        digest,
        decision={"networks": documents_of(networks)},
    )


def _objects(cluster: Cluster, networks: Networks) -> dict[Identity, tuple[str, Object]]:
    # By name: the order in which networks came must not make another bundle of the same ones.
    site = site_of(cluster, [one for _name, one in sorted(networks.items())])
    return {identity_of(one): (app, one) for app, one in table.objects(site)}


class _Blocks:
    """Hands out blocks: the one that a cluster has, else the first that is free in the whole fleet."""

    def __init__(self, wanted: Network, known: Mapping[ClusterRef, Networks]) -> None:
        taken = [cidr for networks in known.values() for one in networks.values() for cidr in one.cidrs]
        self._free: dict[int, Iterator[str]] = {}
        for index in pools(wanted):
            subnet = wanted.subnets[index]
            self._free[index] = addresses.blocks(str(subnet.pool), int(subnet.prefix or 0), taken)
        self._left: dict[int, list[str]] = {index: [] for index in self._free}

    def block(self, index: int, ranges: Sequence[str]) -> str | None:
        """The next block that shares nothing with the cluster's own ranges."""
        for position, block in enumerate(self._left[index]):
            if not any(addresses.overlap(block, one) for one in ranges):
                return self._left[index].pop(position)
        for block in self._free[index]:
            if not any(addresses.overlap(block, one) for one in ranges):
                return block
            self._left[index].append(block)
        return None


def _placed(wanted: Network, cluster: Cluster, before: Placed | None, planner: _Blocks) -> Placed | Problem:
    site = site_of(cluster, ())
    engine = table.chosen(wanted, site, ovn=cluster.kind == "ovn")
    if wanted.engine == "auto" and before is not None:
        # What runs stays on its engine, though a better one has come to the cluster.
        stays = table.chosen(replace(wanted, engine=before.engine), site, ovn=cluster.kind == "ovn")  # type: ignore[arg-type]
        engine = stays if isinstance(stays, str) else engine
    if isinstance(engine, Problem):
        return engine
    had = dict(before.blocks) if before is not None else {}
    blocks: dict[int, str] = {}
    marks: list[tuple[int, str]] = []
    for index in pools(wanted):
        subnet = wanted.subnets[index]
        mark = f"{subnet.pool} {subnet.prefix}"
        marks.append((index, mark))
        if before is not None and had.get(index) == mark and index < len(before.network.subnets):
            blocks[index] = str(before.network.subnets[index].cidr)
            continue
        ranges = [each for some in _ranges(cluster).values() for each in some]
        block = planner.block(index, ranges)
        if block is None:
            return Problem(f"subnets[{index}].from", f"{subnet.pool} has no free block of /{subnet.prefix} left")
        blocks[index] = block
    node = picked_node(wanted, cluster, before.node if before is not None else None)
    return Placed(with_blocks(wanted, blocks), engine, node, tuple(marks))


def _problems(placed: Placed, cluster: Cluster, after: Networks) -> Iterator[Problem]:
    others = [one for name, one in after.items() if name != placed.name]
    yield from clashes(placed, others, _ranges(cluster))
    yield from table.refusals(placed, site_of(cluster, after.values()))


def _ranges(cluster: Cluster) -> Mapping[str, tuple[str, ...]]:
    return cluster.facts.ranges if cluster.facts is not None else {}


def _replaced(cluster: Cluster, before: Networks, after: Networks) -> dict[str, tuple[str, ...]]:
    """The networks that stay and of which something can only be made anew, with what that is."""
    if before == after or cluster.kind == "ovn":
        return {}
    old, new = _objects(cluster, before), _objects(cluster, after)
    engines = frozenset(one.engine for one in (*before.values(), *after.values()))
    found: dict[str, list[str]] = {}
    for identity, (app, was) in old.items():
        if app not in after or app == SHARED or identity.kind == "MultiNetworkPolicy":
            continue
        if identity not in new:
            found.setdefault(app, []).append(f"{identity} goes")
            continue
        for path in table.immutable(identity.kind, engines):
            left, right = _at(was, path), _at(new[identity][1], path)
            if left != right:
                found.setdefault(app, []).append(f"{identity} {path}: {left} -> {right}")
    return {name: tuple(texts) for name, texts in found.items()}


def _at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _listed(refs: Collection[str]) -> str:
    shown = sorted(refs)
    return shown[0] + (f" and {len(shown) - 1} more" if len(shown) > 1 else "")
