# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: keeping the pods of other namespaces out, by the policy API that a cluster serves. Pure.

The policies of the cluster's administrator come first: a tenant cannot take them away, and they leave traffic from and
to the outside alone. A NetworkPolicy is what remains where there are none: it lives in the tenant's own namespace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

GROUP = "policy.networking.k8s.io"
_NAME = "kubernetes.io/metadata.name"
# Among policies for other namespaces no order matters; there is room on both sides for people's own.
_PRIORITY = 500
_DNS = 53


@dataclass(frozen=True)
class PolicyApi:
    """A kind of policy in a version; ``summary`` says what it does to a namespace."""

    api_version: str
    kind: str
    summary: str

    @property
    def readable(self) -> str:
        """``policy.networking.k8s.io/v1beta1 ClusterNetworkPolicy``."""
        return f"{self.api_version} {self.kind}"


_BOTH_WAYS = "no traffic from or to other namespaces, but for DNS; the outside is not touched"
CLUSTER_WIDE = (
    PolicyApi(f"{GROUP}/v1beta1", "ClusterNetworkPolicy", _BOTH_WAYS),
    PolicyApi(f"{GROUP}/v1alpha2", "ClusterNetworkPolicy", _BOTH_WAYS),
    PolicyApi(f"{GROUP}/v1alpha1", "AdminNetworkPolicy", _BOTH_WAYS),
)
"""Those of administrators, best first."""
NAMESPACED = PolicyApi(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "incoming traffic from its own pods only; the tenant may add policies that let more in",
)


def isolation_of(api: PolicyApi, namespace: str, others: Sequence[str]) -> dict[str, Any]:
    """The policy that shuts a namespace, but for ``others``."""
    inside = sorted({namespace, *others})
    if api == NAMESPACED:
        peers = [{"namespaceSelector": {"matchExpressions": [_expression("In", inside)]}}]
        return {
            "apiVersion": api.api_version,
            "kind": api.kind,
            "metadata": {"name": "emco-edge-isolation", "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]},
        }
    outside = {"namespaces": {"matchExpressions": [_expression("NotIn", inside)]}}
    names = {"namespaces": {"matchLabels": {_NAME: "kube-system"}}}
    spec: dict[str, Any] = {
        "priority": _PRIORITY,
        "subject": {"namespaces": {"matchLabels": {_NAME: namespace}}},
        "ingress": [{"name": "from-other-namespaces", "action": "Deny", "from": [outside]}],
        "egress": [
            {"name": "dns", "to": [names], **_allowing_dns(api)},
            {"name": "to-other-namespaces", "action": "Deny", "to": [outside]},
        ],
    }
    if api.kind == "ClusterNetworkPolicy":
        spec["tier"] = "Admin"
    return {
        "apiVersion": api.api_version,
        "kind": api.kind,
        "metadata": {"name": f"emco-edge-isolation-{namespace}"},
        "spec": spec,
    }


def _expression(operator: str, names: Sequence[str]) -> dict[str, Any]:
    return {"key": _NAME, "operator": operator, "values": list(names)}


def _allowing_dns(api: PolicyApi) -> dict[str, Any]:
    if api.kind == "AdminNetworkPolicy":
        ports = [{"portNumber": {"protocol": protocol, "port": _DNS}} for protocol in ("UDP", "TCP")]
        return {"action": "Allow", "ports": ports}
    port = {"destinationPort": {"number": _DNS}}
    return {"action": "Accept", "protocols": [{"udp": port}, {"tcp": port}]}
