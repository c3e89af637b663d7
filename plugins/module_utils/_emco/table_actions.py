# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the intents of EMCO's action controllers: networks, generic objects, traffic, chains."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.emco.edge.plugins.module_utils._emco import values
from ansible_collections.emco.edge.plugins.module_utils._emco.fields import (
    anything,
    flag,
    flag_text,
    group,
    listed,
    pairs,
    text,
    whole,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Body, Reference, Resource, at
from ansible_collections.emco.edge.plugins.module_utils._emco.table_apps import DIG, OF_AN_APP
from ansible_collections.emco.edge.plugins.module_utils._emco.table_clusters import ANY_CLUSTER, CONTROLLER
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems

_CLUSTER_INFO = group(
    True,
    scope=text(True, choices=("label", "name"), any_case=True),
    clusterProvider=text(True),
    cluster=text(),
    clusterLabel=text(),
    mode=text(True, choices=("allow", "deny"), any_case=True),
)
_DATA_KEYS = group(dataKeyOptions=listed(group(fileName=text(True), keyName=text(), mergePatch=flag_text())))
_MATCH_LABELS = group(True, matchLabels=pairs(required=True))
_CHAIN_END = text(True, choices=("left", "right"), any_case=True)
_DIG_ELSEWHERE = "projects/{project}/composite-apps/{0}/{1}/deployment-intent-groups/{2}"


def _chosen_cluster(body: Body) -> Iterable[tuple[str, ...]]:
    info = at(body, "spec.clusterInfo") or {}
    if at(body, "spec.clusterSpecific") == "true" and info.get("scope") == "name":
        yield (str(info.get("clusterProvider") or ""), str(info.get("cluster") or ""))


def _customization(body: Body, problems: Problems) -> None:
    info = at(body, "spec.clusterInfo") or {}
    wanted = {"name": "cluster", "label": "clusterLabel"}.get(str(info.get("scope")))
    if at(body, "spec.clusterSpecific") == "true" and wanted and not info.get(wanted):
        problems.add(f"spec.clusterInfo.{wanted}", f"is required with scope {info['scope']}")
    kind = at(body, "spec.patchType")
    if kind == "json" and not at(body, "spec.patchJson"):
        problems.add("spec.patchJson", "is required with patchType json")
    if kind == "merge" and not body.get("files"):
        problems.add("files", "are required with patchType merge")


def _new_object(body: Body, problems: Problems) -> None:
    kind = at(body, "spec.resourceGVK.kind")
    if at(body, "spec.newObject") == "true" and kind not in ("ConfigMap", "Secret") and not body.get("file"):
        problems.add("file", f"is required: the template of a new {kind}")


def _left_and_right(body: Body) -> Iterable[tuple[str, ...]]:
    yield (
        str(at(body, "spec.compositeApp")),
        str(at(body, "spec.compositeAppVersion")),
        str(at(body, "spec.deploymentIntentGroup")),
        str(at(body, "spec.sfcIntent")),
    )


RESOURCES = (
    Resource("NetControllerIntent", f"{DIG}/network-controller-intent"),
    Resource(
        "WorkloadIntent",
        f"{DIG}/network-controller-intent/{{netControllerIntent}}/workload-intents",
        group(True, app=text(True), workloadResource=text(True), type=text(True)),
        references=(OF_AN_APP,),
    ),
    Resource(
        "InterfaceIntent",
        f"{DIG}/network-controller-intent/{{netControllerIntent}}/workload-intents/{{workloadIntent}}/interfaces",
        group(
            True,
            interface=text(True),
            name=text(True),
            defaultGateway=flag_text(),
            ipAddress=text(check=values.ip_address),
            macAddress=text(check=values.mac),
        ),
    ),
    Resource("GenericK8sIntent", f"{DIG}/generic-k8s-intents"),
    Resource(
        "GenericResource",
        f"{DIG}/generic-k8s-intents/{{genericK8sIntent}}/resources",
        group(
            True,
            app=text(True),
            newObject=flag_text(True),
            resourceGVK=group(True, apiVersion=text(True), kind=text(True), name=text(True)),
        ),
        check=_new_object,
        references=(OF_AN_APP,),
        file="optional",
    ),
    Resource(
        "Customization",
        f"{DIG}/generic-k8s-intents/{{genericK8sIntent}}/resources/{{genericResource}}/customizations",
        group(
            True,
            clusterSpecific=flag_text(True),
            clusterInfo=_CLUSTER_INFO,
            patchType=text(choices=("json", "merge", ""), any_case=True),
            patchJson=listed(group(op=text(True), path=text(True), value=anything(), **{"from": text()})),
            configMapOptions=_DATA_KEYS,
            secretOptions=_DATA_KEYS,
        ),
        check=_customization,
        references=(Reference(ANY_CLUSTER, _chosen_cluster),),
        files=True,
    ),
    Resource("TrafficGroupIntent", f"{DIG}/traffic-group-intents"),
    Resource(
        "InboundServerIntent",
        f"{DIG}/traffic-group-intents/{{trafficGroupIntent}}/inbound-intents",
        group(
            True,
            app=text(True),
            appLabel=text(True, check=values.key_value_label),
            serviceName=text(True),
            externalName=text(),
            port=whole(1, 65535, required=True),
            protocol=text(True, longest=5),
            externalSupport=flag(),
            serviceMesh=text(choices=("istio", "none")),
            management=group(
                sidecarProxy=text(choices=("yes", "no"), any_case=True),
                tlsType=text(choices=("MUTUAL", "SIMPLE", "NONE"), any_case=True),
            ),
            external=group(
                externalCerts=group(
                    serviceCertificate=text(check=values.base64_text),
                    servicePrivateKey=text(check=values.base64_text),
                    caCertificate=text(check=values.base64_text),
                )
            ),
            # Where EMCO's own schema documents them.
            externalCerts=group(
                serviceCertificate=text(check=values.base64_text),
                servicePrivateKey=text(check=values.base64_text),
                caCertificate=text(check=values.base64_text),
            ),
            edgeCNF=text(choices=("sdewan", "none")),
        ),
        references=(OF_AN_APP,),
    ),
    Resource(
        "InboundClientsIntent",
        f"{DIG}/traffic-group-intents/{{trafficGroupIntent}}/inbound-intents/{{inboundServerIntent}}/clients",
        group(
            True,
            app=text(True),
            appLabel=text(True, check=values.key_value_label),
            serviceName=text(True),
            namespaces=listed(text(), True),
            cidrs=listed(text(), True),
        ),
        references=(OF_AN_APP,),
    ),
    Resource(
        "InboundClientsAccessIntent",
        f"{DIG}/traffic-group-intents/{{trafficGroupIntent}}/inbound-intents/{{inboundServerIntent}}"
        "/clients/{inboundClientsIntent}/access-points",
        group(
            True,
            action=text(True, choices=("ALLOW",)),
            url=listed(text(), True),
            access=listed(text(choices=("GET", "PUT", "POST", "DELETE")), True),
        ),
    ),
    Resource("DtcController", "dtc-controllers", group(True, **CONTROLLER, type=text(choices=("action",)))),
    Resource(
        "SfcIntent",
        f"{DIG}/network-chains",
        group(
            chainType=text(choices=("Routing",), default="Routing"),
            namespace=text(check=values.namespace, default="default"),
        ),
    ),
    Resource(
        "SfcLink",
        f"{DIG}/network-chains/{{sfcIntent}}/links",
        group(
            True,
            leftNet=text(),
            rightNet=text(),
            linkLabel=text(check=lambda given: given and values.key_value_label(given)),
            app=text(),
            workloadResource=text(),
            resourceType=text(),
        ),
        references=(OF_AN_APP,),
    ),
    Resource(
        "SfcClientSelector",
        f"{DIG}/network-chains/{{sfcIntent}}/client-selectors",
        group(True, chainEnd=_CHAIN_END, podSelector=_MATCH_LABELS, namespaceSelector=_MATCH_LABELS),
    ),
    Resource(
        "SfcProviderNetwork",
        f"{DIG}/network-chains/{{sfcIntent}}/provider-networks",
        group(
            True,
            chainEnd=_CHAIN_END,
            providerNetwork=text(True),
            gatewayIp=text(True, check=values.ipv4),
            subnet=text(check=values.ipv4_address_or_cidr),
        ),
    ),
    Resource(
        "SfcClientIntent",
        f"{DIG}/sfc-clients",
        group(
            True,
            chainEnd=_CHAIN_END,
            sfcIntent=text(True),
            compositeApp=text(True),
            compositeAppVersion=text(True),
            deploymentIntentGroup=text(True),
            app=text(True),
            workloadResource=text(True),
            resourceType=text(True),
        ),
        references=(OF_AN_APP, Reference(f"{_DIG_ELSEWHERE}/network-chains/{{3}}", _left_and_right)),
    ),
)
