# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a network engine of Kubernetes is: pure functions from intents and facts to objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

NAD_API = "k8s.cni.cncf.io/v1"
NAD = f"{NAD_API}/NetworkAttachmentDefinition"
SHARED = "uplinks"
"""The app of objects that several networks share."""

Object = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """What engines know of a cluster, and all of its networks, those of other engines, too."""

    cluster: str
    apis: frozenset[str] = frozenset()
    kv: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    networks: Mapping[str, Placed] = field(default_factory=dict)

    def serves(self, kind: str) -> bool:
        """Whether the cluster serves a kind, written ``group/version/Kind``."""
        return kind in self.apis

    def value(self, key: str) -> str:
        """What any of the cluster's sets of key-value pairs says, as EMCO looks for it; empty when none does."""
        return next((str(values[key]) for values in self.kv.values() if key in values), "")

    def sources(self, network: str | None, cidr: str | None) -> tuple[str, ...]:
        """The networks that a peer of a flow stands for."""
        if cidr is not None:
            return (cidr,)
        return self.networks[str(network)].cidrs if network in self.networks else ()


def site_of(cluster: Cluster, networks: Iterable[Placed]) -> Site:
    """What engines know of a cluster."""
    apis = frozenset(cluster.facts.apis) if cluster.facts is not None else frozenset()
    return Site(str(cluster.ref), apis, cluster.kv, {one.name: one for one in networks})


@dataclass(frozen=True)
class Attachment:
    """What an interface makes of a pod template: annotations to set, entries to add to those that are lists."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    elements: tuple[Mapping[str, Any], ...] = ()
    """Network selection elements, for Multus."""
    nodus: tuple[Mapping[str, str], ...] = ()
    """Interfaces, for Nodus."""
    node_labels: tuple[str, ...] = ()
    """Nodes that the pods must be on, where the engine does not see to it."""


@dataclass(frozen=True)
class Engine:
    """A network engine."""

    name: str
    needs: tuple[str, ...]
    """The kinds, ``group/version/Kind``, that a cluster with the engine serves."""
    refusals: Callable[[Placed, Site], Iterable[Problem]]
    """What it cannot express, with the way round."""
    render: Callable[[Sequence[Placed], Site], Iterator[tuple[str, Object]]]
    """Objects, each with the network that it is for or ``SHARED``."""
    attach: Callable[[Interface, Placed, Site], Attachment]
    immutable: Mapping[str, tuple[str, ...]]
    """Kind: the fields, as dotted paths, that only a new object can have otherwise."""
    local: bool = False
    """Pods attach by a definition in their own namespace, which must therefore be one of the network's."""


def metadata(name: str, namespace: str = "", **more: Any) -> Object:
    """The metadata of an object."""
    return {"name": name, **({"namespace": namespace} if namespace else {}), **more}


def without_nothing(**fields: Any) -> Object:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {}, ())}


def ports_refused(placed: Placed) -> Iterator[Problem]:
    """On Kubernetes ports belong to pods."""
    if placed.network.ports:
        yield Problem("ports", "are for machines at an OVN northbound", "pods attach with interfaces: of a deployment")


def dns_refused(placed: Placed, engine: str) -> Iterator[Problem]:
    """Most engines leave the name servers of pods alone."""
    if placed.network.dns is not None:
        text = f"{engine} sets no name servers on secondary interfaces"
        yield Problem("dns", text, "give the pods spec.dnsConfig")


def label_selector(labels: Sequence[str]) -> Object:
    """A LabelSelector for nodes that have all of the labels, ``key=value`` or a bare key."""
    pairs = [label.partition("=") for label in labels]
    return without_nothing(
        matchLabels={key: value for key, equals, value in pairs if equals},
        matchExpressions=[{"key": key, "operator": "Exists"} for key, equals, _value in pairs if not equals],
    )
