# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the objects of EMCO's ca-certs, tac, workflowmgr and policy."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._emco import values
from ansible_collections.emco.edge.plugins.module_utils._emco.fields import (
    anything,
    flag,
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
    one,
    several,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.table_apps import DIG
from ansible_collections.emco.edge.plugins.module_utils._emco.table_clusters import ANY_CLUSTER, PROJECT, PROVIDER
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems

_CA_CERT = group(
    True,
    isCA=flag(),
    issuerRef=group(
        True, name=text(True), kind=text(True, choices=("ClusterIssuer", "Issuer")), group=text(True), version=text()
    ),
    duration=text(check=values.duration),
    issuingCluster=group(True, cluster=text(True), clusterProvider=text(True)),
    csrInfo=group(
        keySize=whole(1),
        version=whole(0),
        dnsNames=listed(text()),
        emailAddresses=listed(text()),
        keyUsages=listed(text()),
        algorithm=group(
            publicKeyAlgorithm=text(choices=("RSA", "DSA", "ECDSA", "Ed25519"), any_case=True),
            signatureAlgorithm=text(),
        ),
        subject=group(
            locale=group(
                country=listed(text()),
                locality=listed(text()),
                postalCode=listed(text()),
                province=listed(text()),
                streetAddress=listed(text()),
            ),
            names=group(commonNamePrefix=text()),
            organization=group(names=listed(text()), units=listed(text())),
        ),
    ),
    certificate=group(commonName=text()),
)
_CLUSTER_GROUP = group(
    True,
    scope=text(True, choices=("label", "name"), any_case=True),
    label=text(),
    cluster=text(),
    clusterProvider=text(True),
)
_CERT = {PROVIDER: f"{PROVIDER}/ca-certs/{{caCert}}", PROJECT: f"{PROJECT}/ca-certs/{{caCert}}"}
_WORKFLOW = {
    "workflowClient": group(True, clientEndpointName=text(True), clientEndpointPort=whole(1, 65535, required=True)),
    "temporal": group(
        True,
        workflowClientName=text(True),
        workflowStartOptions=group(
            True,
            ID=text(),
            TaskQueue=text(True),
            WorkflowExecutionTimeout=anything(),
            WorkflowRunTimeout=anything(),
            WorkflowTaskTimeout=anything(),
            WorkflowIDReusePolicy=anything(),
            WorkflowExecutionErrorWhenAlreadyStarted=flag(),
            RetryPolicy=anything(),
            CronSchedule=text(),
            Memo=anything(),
            SearchAttributes=anything(),
        ),
        workflowParams=group(activityOptions=pairs(pairs(anything())), activityParams=pairs(anything())),
    ),
}
_HOOKS = ("pre-install", "post-install", "pre-update", "post-update", "pre-termination", "post-termination")
_CANCEL = group(
    True,
    temporalServer=text(True),
    workflowID=text(),
    runID=text(),
    terminate=flag(),
    reason=text(),
    details=listed(anything()),
)


def _group(body: Body, problems: Problems) -> None:
    wanted = "label" if at(body, "spec.scope") == "label" else "cluster"
    if not at(body, f"spec.{wanted}"):
        problems.add(f"spec.{wanted}", f"is required with scope {at(body, 'spec.scope')}")


def _activities(body: Body, problems: Problems) -> None:
    options = at(body, "spec.temporal.workflowParams.activityOptions") or {}
    for activity, given in options.items():
        path = f"spec.temporal.workflowParams.activityOptions.{activity}"
        if not given.get("HeartbeatTimeout"):
            problems.add(f"{path}.HeartbeatTimeout", "is required")
        if not given.get("ScheduleToCloseTimeout") and not given.get("StartToCloseTimeout"):
            problems.add(path, "needs ScheduleToCloseTimeout or StartToCloseTimeout")


RESOURCES = (
    *(
        Resource(
            kind,
            f"{scope}/ca-certs",
            _CA_CERT,
            references=(
                Reference(ANY_CLUSTER, several("spec.issuingCluster.clusterProvider", "spec.issuingCluster.cluster")),
            ),
        )
        for kind, scope in (("CaCertOfProvider", PROVIDER), ("CaCertOfProject", PROJECT))
    ),
    Resource("ClusterGroupOfProvider", f"{_CERT[PROVIDER]}/clusters", _CLUSTER_GROUP, check=_group),
    Resource(
        "CaCertLogicalCloud",
        f"{_CERT[PROJECT]}/logical-clouds",
        group(True, logicalCloud=text(True)),
        references=(Reference(f"{PROJECT}/logical-clouds/{{0}}", one("spec.logicalCloud")),),
    ),
    Resource(
        "ClusterGroupOfProject",
        f"{_CERT[PROJECT]}/logical-clouds/{{caCertLogicalCloud}}/clusters",
        _CLUSTER_GROUP,
        check=_group,
    ),
    Resource(
        "WorkflowHookIntent",
        f"{DIG}/temporal-action-controller",
        # hookBlocking stands in EMCO's examples and does nothing.
        group(True, hookType=text(True, choices=_HOOKS), hookBlocking=flag(), **_WORKFLOW),
        check=_activities,
    ),
    Resource(
        "WorkerIntent",
        f"{DIG}/temporal-action-controller/{{workflowHookIntent}}/workers",
        group(
            True,
            startToCloseTimeout=whole(0, required=True),
            deploymentIntentGroup=text(True),
            compositeApp=text(True),
            compositeAppVersion=text(True),
        ),
    ),
    Resource("WorkflowIntent", f"{DIG}/temporal-workflow-intents", group(True, **_WORKFLOW), check=_activities),
    Resource(
        "PolicyIntent",
        f"{DIG}/policy-intents",
        group(
            True,
            policy=group(True, engineUrl=text(True), policyName=text(True), namespace=text()),
            actor=text(),
            actorArg=group(workFlowMgr=text(), workFlowName=text()),
            event=group(True, id=text(True), agent=text()),
            supportingEvent=listed(anything()),
        ),
    ),
    Resource("PolicyAgent", "policy/agents", group(True, id=name(False), addr=text(True))),
)

OPERATIONS = (
    *(
        Operation(f"{stage} {verb}", f"{_CERT[scope]}/{stage}/{verb}", kind)
        for kind, scope in (("CaCertOfProvider", PROVIDER), ("CaCertOfProject", PROJECT))
        for stage in ("enrollment", "distribution")
        for verb in ("instantiate", "update", "terminate", "status")
    ),
    *(
        Operation(verb, f"{DIG}/temporal-action-controller/{{workflowHookIntent}}/{verb}", "WorkflowHookIntent", spec)
        for verb, spec in (("cancel", _CANCEL), ("status", None))
    ),
    *(
        Operation(verb, f"{DIG}/temporal-workflow-intents/{{workflowIntent}}/{verb}", "WorkflowIntent", spec)
        for verb, spec in (("start", None), ("cancel", _CANCEL), ("status", None))
    ),
)
