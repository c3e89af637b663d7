# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the network engines, in the order in which ``engine: auto`` looks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.emco.edge.plugins.module_utils._engines.networks import (
    kube_ovn,
    multus,
    nodus,
    ovn_kubernetes,
    ovn_nb,
)
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import Engine, Object, Site
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

# Engines with networks of their own before plain plugins, living ones before the one that is not.
ENGINES: tuple[Engine, ...] = (kube_ovn.ENGINE, ovn_kubernetes.ENGINE, nodus.ENGINE, multus.ENGINE)
BY_NAME = {engine.name: engine for engine in ENGINES}
OVN_NB = "ovn_nb"
"""The engine of clusters of kind ``ovn``, which has rows in place of objects."""


def chosen(network: Network, site: Site, *, ovn: bool = False) -> str | Problem:
    """The engine of a network on a cluster, or why there is none. ``ovn``: the cluster is an OVN northbound."""
    if ovn or network.engine == OVN_NB:
        if ovn and network.engine in ("auto", OVN_NB):
            return OVN_NB
        text = f"is an OVN northbound and knows no {network.engine}" if ovn else "is no OVN northbound"
        return Problem("engine", text)
    if network.engine == "auto":
        found = next((engine.name for engine in ENGINES if _served(engine, site)), None)
        names = ", ".join(engine.name for engine in ENGINES)
        missing = f"the cluster serves the kinds of none of {names}"
        return found or Problem("engine", missing, "install one; cluster_facts sees what has been installed since")
    engine = BY_NAME[network.engine]
    missing_kinds = [kind for kind in engine.needs if not site.serves(kind)]
    if missing_kinds:
        text = f"{engine.name} needs {', '.join(missing_kinds)}, which the cluster does not serve"
        return Problem("engine", text, "cluster_facts sees what has been installed since")
    return engine.name


def _served(engine: Engine, site: Site) -> bool:
    return all(site.serves(kind) for kind in engine.needs)


def refusals(placed: Placed, site: Site) -> Iterator[Problem]:
    """What the engine of a network cannot express of it."""
    engine = BY_NAME.get(placed.engine)
    yield from engine.refusals(placed, site) if engine is not None else ovn_nb.refusals(placed, site)
    for index, flow in enumerate(placed.network.connectivity):
        if flow.source.network is not None and flow.source.network not in site.networks:
            text = f"there is no network {flow.source.network!r} on {site.cluster}"
            yield Problem(f"connectivity[{index}].from.network", text)


def objects(site: Site) -> Iterator[tuple[str, Object]]:
    """The objects of all networks of a cluster, each with its network or ``SHARED``."""
    for engine in ENGINES:
        mine: Sequence[Placed] = [one for one in site.networks.values() if one.engine == engine.name]
        yield from engine.render(mine, site)


def immutable(kind: str, placed_engines: frozenset[str]) -> tuple[str, ...]:
    """The fields of a kind that no engine of a cluster changes in place."""
    return tuple(path for engine in ENGINES if engine.name in placed_engines for path in engine.immutable.get(kind, ()))
