# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the objects of EMCO's clm, ncm and dcm: clusters, their networks, and logical clouds."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.emco.edge.plugins.module_utils._emco import values
from ansible_collections.emco.edge.plugins.module_utils._emco.fields import (
    Field,
    also,
    group,
    listed,
    name,
    pairs,
    text,
    whole,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import (
    Body,
    Operation,
    Reference,
    Resource,
    at,
    several,
)
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.names import emco_name

PROVIDER = "cluster-providers/{clusterProvider}"
CLUSTER = PROVIDER + "/clusters/{cluster}"
PROJECT = "projects/{project}"
LOGICAL_CLOUD = PROJECT + "/logical-clouds/{logicalCloud}"
ANY_CLUSTER = "cluster-providers/{0}/clusters/{1}"

KV = listed(pairs(text(longest=128)))
CONTROLLER = {"host": text(), "port": whole(0, 50000), "priority": whole(0, 100)}
_LABEL_METADATA = group(
    name=name(False), description=text(longest=1024), userData1=text(longest=512), userData2=text(longest=512)
)
_GIT_OPS = ("gitOpsType", "gitOpsReferenceObject", "gitOpsResourceObject")


def _subnet(network: Field, gateway: Field) -> Field:
    return group(name=name(), subnet=network, gateway=gateway, excludeIps=text(check=values.excluded))


_NETWORK = group(
    True,
    cniType=text(True, choices=("ovn4nfv",)),
    ipv4Subnets=listed(_subnet(text(True, check=values.ipv4_cidr), text(check=values.ipv4_address_or_cidr))),
    ipv6Subnets=listed(_subnet(text(True, check=values.ipv6_cidr), text(check=values.ipv6_address_or_cidr))),
)


def _has_subnets(body: Body, problems: Problems) -> None:
    if not at(body, "spec.ipv4Subnets") and not at(body, "spec.ipv6Subnets"):
        problems.add("spec", "needs ipv4Subnets or ipv6Subnets")


def _provider_network(body: Body, problems: Problems) -> None:
    _has_subnets(body, problems)
    vlan = at(body, "spec.vlan") or {}
    if at(body, "spec.providerNetType") == "VLAN":
        for key in ("vlanID", "providerInterfaceName", "logicalInterfaceName"):
            if not vlan.get(key):
                problems.add(f"spec.vlan.{key}", "is required")
    number = str(vlan.get("vlanID") or "0")
    if not number.isdecimal() or int(number) > 4095:
        problems.add("spec.vlan.vlanID", f"{number!r} is not within 0 to 4095")
    if vlan.get("vlanNodeSelector") == "specific" and not vlan.get("nodeLabelList"):
        problems.add("spec.vlan.nodeLabelList", "must not be empty when vlanNodeSelector is specific")


def _cluster(body: Body, problems: Problems) -> None:
    git_ops = at(body, "spec.gitOps") or {}
    given = [key for key in _GIT_OPS if git_ops.get(key)]
    if given and len(given) < len(_GIT_OPS):
        problems.add("spec.gitOps", f"{', '.join(_GIT_OPS)} belong together, and only {', '.join(given)} is given")
    if not given and not body.get("file"):
        problems.add("file", "is required: a kubeconfig, unless spec.gitOps says how the cluster is reached")


def _sync_objects(body: Body) -> Iterable[tuple[str, ...]]:
    for key in ("gitOpsReferenceObject", "gitOpsResourceObject"):
        yield (str(at(body, f"spec.gitOps.{key}")),)


def _logical_cloud(body: Body, problems: Problems) -> None:
    if at(body, "spec.level") != "0":
        for key in ("namespace", "user.userName"):
            if not at(body, f"spec.{key}"):
                problems.add(f"spec.{key}", "is required for a logical cloud of level 1")


def _not_for_level_0(_body: Body, logical_cloud: Body, problems: Problems) -> None:
    if at(logical_cloud, "spec.level") == "0":
        problems.add("spec", "a logical cloud of level 0 has no quotas")


RESOURCES = (
    Resource("ClusterProvider", "cluster-providers"),
    Resource(
        "Cluster",
        f"{PROVIDER}/clusters",
        group(
            gitOps=group(
                gitOpsType=text(choices=("fluxcd", "azureArcV2", "anthos", "k8sExp", "azureArc", "fluxv2")),
                gitOpsReferenceObject=text(),
                gitOpsResourceObject=text(),
            )
        ),
        references=(Reference(f"{PROVIDER}/cluster-sync-objects/{{0}}", _sync_objects),),
        check=_cluster,
        file="optional",
    ),
    Resource(
        "ClusterLabel",
        f"{CLUSTER}/labels",
        beside={"clusterLabel": text(True, check=emco_name)},
        metadata=_LABEL_METADATA,
        named_by=("clusterLabel",),
    ),
    Resource("ClusterKvPairs", f"{CLUSTER}/kv-pairs", group(True, kv=KV)),
    Resource("ClusterSyncObject", f"{PROVIDER}/cluster-sync-objects", group(True, kv=KV)),
    Resource("ClmController", "clm-controllers", group(True, **CONTROLLER)),
    Resource(
        "Controller",
        "controllers",
        group(True, **CONTROLLER, type=text(choices=("action", "placement"), any_case=True)),
    ),
    Resource("Network", f"{CLUSTER}/networks", _NETWORK, check=_has_subnets),
    Resource(
        "ProviderNetwork",
        f"{CLUSTER}/provider-networks",
        also(
            _NETWORK,
            providerNetType=text(True, choices=("VLAN", "DIRECT"), any_case=True),
            vlan=group(
                # EMCO's API writes vlanID, its tests and examples vlanId.
                vlanID=text(),
                providerInterfaceName=text(),
                logicalInterfaceName=text(),
                vlanNodeSelector=text(choices=("any", "specific"), any_case=True),
                nodeLabelList=listed(text(check=values.valid_label)),
            ),
        ),
        check=_provider_network,
    ),
    Resource("Project", "projects"),
    Resource(
        "LogicalCloud",
        f"{PROJECT}/logical-clouds",
        group(
            level=text(choices=("0", "1"), default="1"),
            namespace=text(longest=128),
            labels=pairs(),
            user=group(userName=text(longest=20), type=text(choices=("certificate",))),
        ),
        check=_logical_cloud,
    ),
    Resource(
        "ClusterReference",
        f"{LOGICAL_CLOUD}/cluster-references",
        group(
            True,
            clusterProvider=name(),
            cluster=name(),
            loadBalancerIP=text(longest=16),
            certificate=text(),
        ),
        references=(Reference(ANY_CLUSTER, several("spec.clusterProvider", "spec.cluster")),),
    ),
    Resource(
        "UserPermission",
        f"{LOGICAL_CLOUD}/user-permissions",
        group(True, namespace=text(), apiGroups=listed(text()), resources=listed(text()), verbs=listed(text())),
    ),
    Resource("ClusterQuota", f"{LOGICAL_CLOUD}/cluster-quotas", pairs(), under=_not_for_level_0),
    Resource("LogicalCloudKv", f"{LOGICAL_CLOUD}/kv-pairs", group(True, kv=KV)),
)

OPERATIONS = (
    *(Operation(verb, f"{CLUSTER}/{verb}", "Cluster") for verb in ("apply", "terminate", "stop", "status")),
    *(
        Operation(verb, f"{LOGICAL_CLOUD}/{verb}", "LogicalCloud")
        for verb in ("instantiate", "update", "terminate", "stop", "status")
    ),
)
