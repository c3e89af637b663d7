# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: connectivity as MultiNetworkPolicy, for engines that serve it on secondary interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import (
    Object,
    Site,
    metadata,
    without_nothing,
)
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.network import Flow
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

API = "k8s.cni.cncf.io/v1beta1"


def refusals(placed: Placed, site: Site) -> Iterator[Problem]:
    """What policies cannot express on this cluster."""
    if placed.network.connectivity and not site.serves(f"{API}/MultiNetworkPolicy"):
        text = "needs MultiNetworkPolicy, which the cluster does not serve"
        yield Problem("connectivity", text, "install multi-networkpolicy, or choose engine: kube_ovn")
    for index, flow in enumerate(placed.network.connectivity):
        for place, one in enumerate(flow.ports):
            if one.protocol == "icmp":
                text = "a MultiNetworkPolicy knows tcp, udp and sctp"
                yield Problem(f"connectivity[{index}].ports[{place}].protocol", text)


def policies(placed: Placed, site: Site, namespaces: Sequence[str]) -> Iterator[Object]:
    """One policy in each namespace: only what the flows say may come in."""
    if not placed.network.connectivity:
        return
    for namespace in namespaces:
        yield {
            "apiVersion": API,
            "kind": "MultiNetworkPolicy",
            "metadata": metadata(
                placed.name,
                namespace,
                annotations={"k8s.v1.cni.cncf.io/policy-for": f"{namespace}/{placed.name}"},
            ),
            "spec": {
                "podSelector": {},
                "policyTypes": ["Ingress"],
                "ingress": [_rule(flow, site) for flow in placed.network.connectivity],
            },
        }


def _rule(flow: Flow, site: Site) -> Object:
    sources = site.sources(flow.source.network, flow.source.cidr)
    ports = []
    for one in flow.ports:
        first, dash, last = (one.port or "").partition("-")
        ports.append(
            without_nothing(
                protocol=one.protocol.upper(),
                port=int(first) if first else None,
                endPort=int(last) if dash else None,
            )
        )
    return without_nothing(**{"from": [{"ipBlock": {"cidr": cidr}} for cidr in sources]}, ports=ports)
