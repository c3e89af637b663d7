# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the objects of EMCO's orchestrator and of placement by hardware (hpa-plc)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
)
from ansible_collections.emco.edge.plugins.module_utils._emco.table_clusters import ANY_CLUSTER, PROJECT
from ansible_collections.emco.edge.plugins.module_utils._model.emco_placement import app_intent
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware_emco import consumer_problems, requirement_of

COMPOSITE_APP = PROJECT + "/composite-apps/{compositeApp}/{compositeAppVersion}"
APP = COMPOSITE_APP + "/apps/{0}"
PROFILE = COMPOSITE_APP + "/composite-profiles/{compositeProfile}"
DIG = COMPOSITE_APP + "/deployment-intent-groups/{deploymentIntentGroup}"
OF_AN_APP = Reference(APP, one("spec.app"))
GENERIC_PLACEMENT = "genericPlacementIntent"


def _leaves(intent: Any) -> Iterable[tuple[str, ...]]:
    """The clusters that an intent names, wherever in the tree."""
    if isinstance(intent, (list, tuple)):
        for inner in intent:
            yield from _leaves(inner)
    elif isinstance(intent, dict):
        if intent.get("cluster"):
            yield (str(intent.get("clusterProvider") or ""), str(intent["cluster"]))
        for inner in intent.values():
            yield from _leaves(inner)


def _clusters(body: Body) -> Iterable[tuple[str, ...]]:
    return _leaves(at(body, "spec.intent"))


def _controllers(body: Body) -> Iterable[tuple[str, ...]]:
    return ((controller,) for controller in at(body, "spec.intent") or {} if controller != GENERIC_PLACEMENT)


def _names_a_placement(body: Body, problems: Problems) -> None:
    if not (at(body, "spec.intent") or {}).get(GENERIC_PLACEMENT):
        problems.add(f"spec.intent.{GENERIC_PLACEMENT}", "is required")


def _app_intent(raw: Any, problems: Problems) -> None:
    # EMCO has an error for an intent of nothing only when it is instantiated.
    body = raw if (isinstance(raw, dict) and raw.get("metadata") is not None) or (raw or {}).get("spec") else {}
    app_intent(body, "", problems)


def _consumer(body: Body, problems: Problems) -> None:
    consumer_problems(at(body, "spec") or {}, "spec", problems)


def _requirement(body: Body, consumer: Body, problems: Problems) -> None:
    requirement_of("app", at(consumer, "spec") or {}, at(body, "spec") or {}, "spec", problems)


_LEAF = {"clusterProvider": text(), "cluster": text(), "clusterLabel": text()}

RESOURCES = (
    Resource(
        "CompositeApp",
        f"{PROJECT}/composite-apps",
        group(True, compositeAppVersion=name()),
        named_by=("metadata.name", "spec.compositeAppVersion"),
    ),
    Resource("App", f"{COMPOSITE_APP}/apps", file="required"),
    Resource(
        "AppDependency",
        f"{COMPOSITE_APP}/apps/{{app}}/dependency",
        group(
            True,
            app=text(True),
            opStatus=text(True, choices=("Ready", "Deployed"), any_case=True),
            wait=whole(0, 4096),
        ),
    ),
    Resource("CompositeProfile", f"{COMPOSITE_APP}/composite-profiles"),
    Resource(
        "AppProfile", f"{PROFILE}/profiles", group(True, app=text(True)), file="required", references=(OF_AN_APP,)
    ),
    Resource(
        "DeploymentIntentGroup",
        f"{COMPOSITE_APP}/deployment-intent-groups",
        group(
            True,
            compositeProfile=text(True),
            version=text(True),
            logicalCloud=text(True),
            overrideValues=listed(group(app=text(True), values=pairs(text(longest=128), True))),
        ),
        references=(
            Reference(f"{PROJECT}/logical-clouds/{{0}}", one("spec.logicalCloud")),
            Reference(f"{COMPOSITE_APP}/composite-profiles/{{0}}", one("spec.compositeProfile")),
        ),
    ),
    Resource(
        "GroupIntent",
        f"{DIG}/intents",
        group(True, intent=pairs(text(), True)),
        check=_names_a_placement,
        references=(
            Reference("controllers/{0}", _controllers),
            Reference(f"{DIG}/generic-placement-intents/{{0}}", one(f"spec.intent.{GENERIC_PLACEMENT}")),
        ),
    ),
    Resource("GenericPlacementIntent", f"{DIG}/generic-placement-intents"),
    Resource(
        "AppIntent",
        f"{DIG}/generic-placement-intents/{{genericPlacementIntent}}/app-intents",
        group(
            True,
            app=text(True),
            intent=group(
                allOf=listed(group(**_LEAF, anyOf=listed(group(**_LEAF)))),
                anyOf=listed(group(**_LEAF)),
            ),
        ),
        in_words_of_emco=_app_intent,
        references=(OF_AN_APP, Reference(ANY_CLUSTER, _clusters)),
    ),
    Resource("HpaIntent", f"{DIG}/hpa-intents", group(True, app=text(True)), references=(OF_AN_APP,)),
    Resource(
        "HpaConsumer",
        f"{DIG}/hpa-intents/{{hpaIntent}}/hpa-resource-consumers",
        group(
            True,
            apiVersion=text(),
            kind=text(),
            replicas=whole(),
            name=text(),
            container=text(aliases=("containerName",)),
        ),
        check=_consumer,
    ),
    Resource(
        "HpaResource",
        f"{DIG}/hpa-intents/{{hpaIntent}}/hpa-resource-consumers/{{hpaConsumer}}/resource-requirements",
        group(
            True,
            allocatable=flag(),
            mandatory=flag(),
            weight=whole(1),
            resource=group(
                True,
                name=text(),
                requests=anything(),
                limits=anything(),
                units=text(),
                key=text(),
                value=text(),
            ),
        ),
        under=_requirement,
    ),
)

OPERATIONS = (
    *(
        Operation(verb, f"{DIG}/{verb}", "DeploymentIntentGroup")
        for verb in ("approve", "instantiate", "update", "terminate", "stop", "status")
    ),
    Operation("rollback", f"{DIG}/rollback", "DeploymentIntentGroup", group(True, revision=text(True))),
    Operation(
        "migrate",
        f"{DIG}/migrate",
        "DeploymentIntentGroup",
        group(True, targetCompositeAppVersion=text(True), targetDeploymentIntentGroup=text(True)),
    ),
)
