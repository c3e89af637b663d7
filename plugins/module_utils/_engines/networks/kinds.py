# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the kinds of network engines as API servers serve them, which then need not be asked."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource

RESOURCES = (
    Resource("kubeovn.io/v1", "Vpc", "vpcs", False),
    Resource("kubeovn.io/v1", "Subnet", "subnets", False),
    Resource("kubeovn.io/v1", "Vlan", "vlans", False),
    Resource("kubeovn.io/v1", "ProviderNetwork", "provider-networks", False),
    Resource("k8s.ovn.org/v1", "ClusterUserDefinedNetwork", "clusteruserdefinednetworks", False),
    Resource("nmstate.io/v1", "NodeNetworkConfigurationPolicy", "nodenetworkconfigurationpolicies", False),
    Resource("k8s.plugin.opnfv.org/v1alpha1", "Network", "networks", True),
    Resource("k8s.plugin.opnfv.org/v1alpha1", "ProviderNetwork", "providernetworks", True),
    Resource("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "network-attachment-definitions", True),
    Resource("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "multi-networkpolicies", True),
)


def served(apis: Collection[str]) -> tuple[Resource, ...]:
    """Those that a cluster serves, by what its facts say."""
    return tuple(one for one in RESOURCES if f"{one.api_version}/{one.kind}" in apis)
