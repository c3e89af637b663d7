# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every object and field of EMCO's API is known, or stands here with the reason why not.

The objects are those of EMCO's database schema and of the tables of its services (22.09), written down once more,
apart from the table that the collection works with.
"""

from __future__ import annotations

import pytest

from ansible_collections.emco.edge.plugins.module_utils._emco import table
from ansible_collections.emco.edge.plugins.module_utils._emco.fields import Field

D = "projects/p/composite-apps/ca/v1/deployment-intent-groups/g"
C = "cluster-providers/p/clusters/c"
L = "projects/p/logical-clouds/l"
_GIT = ("gitOps.gitOpsType", "gitOps.gitOpsReferenceObject", "gitOps.gitOpsResourceObject")
_SUBNETS = ("cniType", "ipv4Subnets.name", "ipv4Subnets.subnet", "ipv4Subnets.gateway", "ipv4Subnets.excludeIps")
_SUBNETS6 = ("ipv6Subnets.name", "ipv6Subnets.subnet", "ipv6Subnets.gateway", "ipv6Subnets.excludeIps")
_VLAN = ("vlanID", "providerInterfaceName", "logicalInterfaceName", "vlanNodeSelector", "nodeLabelList")
_LEAF = ("clusterProvider", "cluster", "clusterLabel")
_CERTS = ("serviceCertificate", "servicePrivateKey", "caCertificate")
_TEMPORAL = (
    "workflowClient.clientEndpointName",
    "workflowClient.clientEndpointPort",
    "temporal.workflowClientName",
    *(
        f"temporal.workflowStartOptions.{name}"
        for name in (
            "ID",
            "TaskQueue",
            "WorkflowExecutionTimeout",
            "WorkflowRunTimeout",
            "WorkflowTaskTimeout",
            "WorkflowIDReusePolicy",
            "RetryPolicy",
        )
    ),
    "temporal.workflowParams.activityOptions",
    "temporal.workflowParams.activityParams",
)
_CA = (
    "isCA",
    *(f"issuerRef.{name}" for name in ("name", "kind", "group", "version")),
    "duration",
    "issuingCluster.cluster",
    "issuingCluster.clusterProvider",
    *(f"csrInfo.{name}" for name in ("keySize", "version", "dnsNames", "emailAddresses", "keyUsages")),
    "csrInfo.algorithm.publicKeyAlgorithm",
    "csrInfo.algorithm.signatureAlgorithm",
    *(f"csrInfo.subject.locale.{name}" for name in ("country", "locality", "postalCode", "province", "streetAddress")),
    "csrInfo.subject.names.commonNamePrefix",
    "csrInfo.subject.organization.names",
    "csrInfo.subject.organization.units",
    "certificate.commonName",
)
_CLUSTERS = ("scope", "label", "cluster", "clusterProvider")
_DATA_KEYS = ("fileName", "keyName", "mergePatch")

OBJECTS: dict[str, tuple[str, ...]] = {
    "cluster-providers": (),
    "cluster-providers/p/clusters": _GIT,
    f"{C}/labels": (),
    f"{C}/kv-pairs": ("kv",),
    "cluster-providers/p/cluster-sync-objects": ("kv",),
    "clm-controllers": ("host", "port", "priority"),
    f"{C}/networks": (*_SUBNETS, *_SUBNETS6),
    f"{C}/provider-networks": (*_SUBNETS, *_SUBNETS6, "providerNetType", *(f"vlan.{name}" for name in _VLAN)),
    "projects": (),
    "projects/p/logical-clouds": ("level", "namespace", "labels", "user.userName", "user.type"),
    f"{L}/cluster-references": ("clusterProvider", "cluster", "loadBalancerIP", "certificate"),
    f"{L}/user-permissions": ("namespace", "apiGroups", "resources", "verbs"),
    f"{L}/cluster-quotas": ("limits.cpu", "requests.memory", "pods", "count/deployments.apps"),
    f"{L}/kv-pairs": ("kv",),
    "projects/p/composite-apps": ("compositeAppVersion",),
    "projects/p/composite-apps/ca/v1/apps": (),
    "projects/p/composite-apps/ca/v1/apps/a/dependency": ("app", "opStatus", "wait"),
    "projects/p/composite-apps/ca/v1/composite-profiles": (),
    "projects/p/composite-apps/ca/v1/composite-profiles/cp/profiles": ("app",),
    "projects/p/composite-apps/ca/v1/deployment-intent-groups": (
        "compositeProfile",
        "version",
        "logicalCloud",
        "overrideValues.app",
        "overrideValues.values",
    ),
    f"{D}/generic-placement-intents": (),
    f"{D}/generic-placement-intents/i/app-intents": (
        "app",
        *(f"intent.allOf.{name}" for name in _LEAF),
        *(f"intent.allOf.anyOf.{name}" for name in _LEAF),
        *(f"intent.anyOf.{name}" for name in _LEAF),
    ),
    f"{D}/intents": ("intent",),
    "controllers": ("host", "port", "type", "priority"),
    f"{D}/hpa-intents": ("app",),
    f"{D}/hpa-intents/h/hpa-resource-consumers": ("apiVersion", "kind", "replicas", "name", "container"),
    f"{D}/hpa-intents/h/hpa-resource-consumers/c/resource-requirements": (
        "allocatable",
        "mandatory",
        "weight",
        *(f"resource.{name}" for name in ("name", "requests", "limits", "units", "key", "value")),
    ),
    f"{D}/network-controller-intent": (),
    f"{D}/network-controller-intent/n/workload-intents": ("app", "workloadResource", "type"),
    f"{D}/network-controller-intent/n/workload-intents/w/interfaces": (
        "interface",
        "name",
        "defaultGateway",
        "ipAddress",
        "macAddress",
    ),
    f"{D}/traffic-group-intents": (),
    f"{D}/traffic-group-intents/t/inbound-intents": (
        *("app", "appLabel", "serviceName", "externalName", "port", "protocol", "externalSupport", "serviceMesh"),
        "management.sidecarProxy",
        "management.tlsType",
        *(f"external.externalCerts.{name}" for name in _CERTS),
        "edgeCNF",
    ),
    f"{D}/traffic-group-intents/t/inbound-intents/i/clients": ("app", "appLabel", "serviceName", "namespaces", "cidrs"),
    f"{D}/traffic-group-intents/t/inbound-intents/i/clients/c/access-points": ("action", "url", "access"),
    "dtc-controllers": ("host", "port", "type", "priority"),
    f"{D}/network-chains": ("chainType", "namespace"),
    f"{D}/network-chains/s/links": ("leftNet", "rightNet", "linkLabel", "app", "workloadResource", "resourceType"),
    f"{D}/network-chains/s/client-selectors": (
        "chainEnd",
        "podSelector.matchLabels",
        "namespaceSelector.matchLabels",
    ),
    f"{D}/network-chains/s/provider-networks": ("chainEnd", "providerNetwork", "gatewayIp", "subnet"),
    f"{D}/sfc-clients": (
        *("chainEnd", "sfcIntent", "compositeApp", "compositeAppVersion", "deploymentIntentGroup"),
        *("app", "workloadResource", "resourceType"),
    ),
    f"{D}/generic-k8s-intents": (),
    f"{D}/generic-k8s-intents/k/resources": (
        "app",
        "newObject",
        *(f"resourceGVK.{name}" for name in ("apiVersion", "kind", "name")),
    ),
    f"{D}/generic-k8s-intents/k/resources/r/customizations": (
        "clusterSpecific",
        *(f"clusterInfo.{name}" for name in ("scope", "clusterProvider", "cluster", "clusterLabel", "mode")),
        "patchType",
        *(f"patchJson.{name}" for name in ("op", "path", "value")),
        *(f"configMapOptions.dataKeyOptions.{name}" for name in _DATA_KEYS),
        *(f"secretOptions.dataKeyOptions.{name}" for name in _DATA_KEYS),
    ),
    "cluster-providers/p/ca-certs": _CA,
    "cluster-providers/p/ca-certs/x/clusters": _CLUSTERS,
    "projects/p/ca-certs": _CA,
    "projects/p/ca-certs/x/logical-clouds": ("logicalCloud",),
    "projects/p/ca-certs/x/logical-clouds/l/clusters": _CLUSTERS,
    f"{D}/temporal-action-controller": ("hookType", *_TEMPORAL),
    f"{D}/temporal-action-controller/t/workers": (
        *("startToCloseTimeout", "deploymentIntentGroup", "compositeApp", "compositeAppVersion"),
    ),
    f"{D}/temporal-workflow-intents": _TEMPORAL,
    f"{D}/policy-intents": (
        *("policy.engineUrl", "policy.policyName", "policy.namespace", "actor"),
        *("actorArg.workFlowMgr", "actorArg.workFlowName", "event.id", "event.agent", "supportingEvent"),
    ),
    "policy/agents": ("id", "addr"),
}
OPERATIONS: tuple[str, ...] = (
    *(f"{C}/{name}" for name in ("apply", "terminate", "stop", "status")),
    *(f"{L}/{name}" for name in ("instantiate", "terminate", "update", "stop", "status")),
    *(
        f"{D}/{name}"
        for name in (
            *("approve", "instantiate", "update", "rollback", "migrate", "terminate", "stop", "status"),
            *("temporal-workflow-intents/w/start", "temporal-workflow-intents/w/cancel"),
            *("temporal-workflow-intents/w/status", "temporal-action-controller/t/cancel"),
            "temporal-action-controller/t/status",
        )
    ),
    *(
        f"{scope}/ca-certs/x/{stage}/{name}"
        for scope in ("cluster-providers/p", "projects/p")
        for stage in ("enrollment", "distribution")
        for name in ("instantiate", "status", "update", "terminate")
    ),
)
NOT_TAKEN: dict[str, str] = {
    f"{L}/cluster-references/r/kubeconfig": "emcoctl has no document for it; logical_cloud_info writes kubeconfigs",
}


@pytest.mark.parametrize(("anchor", "fields"), OBJECTS.items())
def test_every_object_and_field_of_emco_is_known(anchor: str, fields: tuple[str, ...]) -> None:
    found = table.find(anchor)

    assert found is not None
    assert found.operation is None
    assert not found.own
    spec = found.resource.spec
    unknown = [field for field in fields if spec is None or not _has(spec, field)]
    assert unknown == []


@pytest.mark.parametrize("anchor", OPERATIONS)
def test_every_operation_of_emco_is_known(anchor: str) -> None:
    found = table.find(anchor)

    assert found is not None
    assert found.operation is not None


def test_what_is_not_taken_is_little_and_has_reasons() -> None:
    assert len(NOT_TAKEN) <= 15
    for anchor, reason in NOT_TAKEN.items():
        assert table.find(anchor) is None, "it is taken now"
        assert reason


def test_the_table_has_nothing_that_is_not_written_down_here() -> None:
    known = {table.find(anchor).resource.kind for anchor in OBJECTS}  # type: ignore[union-attr]

    assert {one.kind for one in table.RESOURCES} == known


def _has(field: Field, path: str) -> bool:
    if field.kind == "map":
        return True
    name, _dot, rest = path.partition(".")
    inner = field.fields.get(name)
    if inner is None:
        return False
    while inner.kind == "list" and inner.of is not None:
        inner = inner.of
    return _has(inner, rest) if rest else True
