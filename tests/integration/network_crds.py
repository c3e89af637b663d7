# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of network engines on test clusters: published ones, and of two engines what we use of theirs.

OVN-Kubernetes and Nodus publish no module with their definitions. Those here are our own and smaller, but as strict
about every field and rule that we use; server-side apply refuses a field that they do not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tests.tools.go_modules import fetched

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
CIDRS = "^[0-9a-f:.]+/[0-9]+$"


KUBE_OVN = "github.com/kubeovn/kube-ovn@v1.16.2"
MULTUS = "github.com/k8snetworkplumbingwg/network-attachment-definition-client@v1.7.7"
POLICIES = "github.com/k8snetworkplumbingwg/multi-networkpolicy@v1.0.1"


def definitions(module: str, file: str) -> Iterator[dict[str, Any]]:
    """The CustomResourceDefinitions in a YAML file of a published module."""
    for document in yaml.safe_load_all((fetched(module) / file).read_text(encoding="utf-8")):
        if document and document.get("kind") == "CustomResourceDefinition":
            yield document


def multus() -> list[dict[str, Any]]:
    return list(definitions(MULTUS, "artifacts/networks-crd.yaml"))


def policies() -> list[dict[str, Any]]:
    return list(definitions(POLICIES, "scheme.yml"))


def kube_ovn() -> list[dict[str, Any]]:
    wanted = {f"{plural}.kubeovn.io" for plural in ("provider-networks", "vlans", "subnets", "vpcs")}
    found = definitions(KUBE_OVN, "charts/kube-ovn-v2/crds/kube-ovn-crd.yaml")
    return [one for one in found if one["metadata"]["name"] in wanted]


def _object(required: list[str], rules: list[tuple[str, str]] | None = None, **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "required": required}
    if rules:
        schema["x-kubernetes-validations"] = [{"rule": rule, "message": message} for rule, message in rules]
    return schema


def _list(items: Schema, most: int | None = None, least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": least, **({"maxItems": most} if most else {})}


def _definition(group: str, version: str, kind: str, plural: str, scope: str, spec: Schema, status: Schema) -> Schema:
    schema = {"type": "object", "properties": {"spec": spec, "status": status}, "required": ["spec"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def whereabouts() -> dict[str, Any]:
    """What tells that addresses are the cluster's and not each node's."""
    spec: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return _definition("whereabouts.cni.cncf.io", "v1alpha1", "IPPool", "ippools", "Namespaced", spec, dict(spec))


def ovn_kubernetes() -> list[dict[str, Any]]:
    cidr = {"type": "string", "pattern": CIDRS, "maxLength": 43}
    subnets = _list(cidr, most=2, least=1)
    mtu = {"type": "integer", "minimum": 576, "maximum": 65536}
    same = ("self == oldSelf", "is immutable")
    two = ("!has(self.subnets) || size(self.subnets) != 2 || isCIDR(self.subnets[0])", "subnets are CIDRs")
    ipam = _object([], mode={"type": "string", "enum": ["Enabled", "Disabled"]}, lifecycle=TEXT)
    role = {"type": "string", "enum": ["Primary", "Secondary"]}
    layer2 = _object(["role"], [same, two], role=role, subnets=subnets, mtu=mtu, ipam=ipam)
    access = _object(["id"], id={"type": "integer", "minimum": 1, "maximum": 4094})
    localnet = _object(
        ["role", "physicalNetworkName"],
        [
            same,
            ("has(self.subnets) || (has(self.ipam) && self.ipam.mode == 'Disabled')", "subnets are required"),
            ("!has(self.excludeSubnets) || has(self.subnets)", "excludeSubnets needs subnets"),
        ],
        role={"type": "string", "enum": ["Secondary"]},
        physicalNetworkName={"type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[^,:]+$"},
        subnets=subnets,
        excludeSubnets=_list(cidr, most=25, least=1),
        mtu=mtu,
        ipam=ipam,
        vlan=_object(["mode"], mode={"type": "string", "enum": ["Access"]}, access=access),
    )
    network = _object(
        ["topology"],
        [
            ("self.topology == 'Layer2' ? has(self.layer2) : !has(self.layer2)", "layer2 goes with Layer2"),
            ("self.topology == 'Localnet' ? has(self.localnet) : !has(self.localnet)", "localnet goes with Localnet"),
            ("self.topology == oldSelf.topology", "topology is immutable"),
        ],
        topology={"type": "string", "enum": ["Layer2", "Layer3", "Localnet"]},
        layer2=layer2,
        localnet=localnet,
    )
    expression = _object(["key", "operator"], key=TEXT, operator=TEXT, values=_list(TEXT, most=64))
    labels: Schema = {"type": "object", "additionalProperties": TEXT}
    selector = _object([], matchLabels=labels, matchExpressions=_list(expression, most=16))
    spec = _object(["namespaceSelector", "network"], namespaceSelector=selector, network=network)
    condition = _object(["type", "status"], type=TEXT, status=TEXT, reason=TEXT, message=TEXT, lastTransitionTime=TEXT)
    status = _object([], conditions=_list(condition))
    kind, plural = "ClusterUserDefinedNetwork", "clusteruserdefinednetworks"
    return [_definition("k8s.ovn.org", "v1", kind, plural, "Cluster", spec, status)]


def nodus() -> list[dict[str, Any]]:
    subnet = _object(["name", "subnet"], name=TEXT, subnet=TEXT, gateway=TEXT, excludeIps=TEXT)
    dns = _object([], nameservers=_list(TEXT), domain=TEXT, search=_list(TEXT), options=_list(TEXT))
    base: dict[str, Schema] = {
        "cniType": TEXT,
        "ipv4Subnets": _list(subnet),
        "ipv6Subnets": _list(subnet),
        "dns": dns,
        "routes": _list(_object(["dst"], dst=TEXT, gw=TEXT)),
    }
    vlan = _object(
        ["vlanId", "providerInterfaceName", "vlanNodeSelector"],
        vlanId=TEXT,
        providerInterfaceName=TEXT,
        vlanNodeSelector=TEXT,
        logicalInterfaceName=TEXT,
        nodeLabelList=_list(TEXT),
    )
    direct = _object(
        ["providerInterfaceName", "directNodeSelector"],
        providerInterfaceName=TEXT,
        directNodeSelector=TEXT,
        nodeLabelList=_list(TEXT),
    )
    # The rules of its code, which its own definitions leave out.
    crash = ("self.ipv4Subnets.all(one, has(one.gateway))", "a subnet without gateway crashes the operator")
    network = _object(["cniType", "ipv4Subnets"], **base)
    provider = _object(
        ["cniType", "ipv4Subnets", "providerNetType"], **base, providerNetType=TEXT, vlan=vlan, direct=direct
    )
    for one in (network, provider):
        one["x-kubernetes-validations"] = [{"rule": crash[0], "message": crash[1]}]
        one["properties"]["ipv4Subnets"]["maxItems"] = 16
    status = _object([], state=TEXT)
    group = "k8s.plugin.opnfv.org"
    return [
        _definition(group, "v1alpha1", "Network", "networks", "Namespaced", network, status),
        _definition(group, "v1alpha1", "ProviderNetwork", "providernetworks", "Namespaced", provider, status),
    ]
