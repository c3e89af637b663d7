# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: hardware requirements as demands of pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand
from ansible_collections.emco.edge.plugins.module_utils._hardware.device_needs import claim_of
from ansible_collections.emco.edge.plugins.module_utils._hardware.node_rules import NodeRules, PodToleration
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement


def demands_of(
    pods: Sequence[PodDemand], requirements: Iterable[HardwareRequirement], *, optional: bool = False
) -> tuple[PodDemand, ...]:
    """The demands with the mandatory requirements in them (``optional``: with the others as well).

    A requirement whose workload is among the pods changes that workload; where nothing is rendered it is a pod by
    itself, with ``replicas`` copies.
    """
    wanted = [one for one in requirements if one.mandatory or optional]
    if not wanted:
        return tuple(pods)
    if pods:
        return tuple(_changed(pod, [one for one in wanted if _means(one, pod)]) for pod in pods)
    by_workload: dict[tuple[str, str], list[HardwareRequirement]] = {}
    for one in wanted:
        by_workload.setdefault((one.kind or "Deployment", one.workload or one.app), []).append(one)
    return tuple(
        _changed(PodDemand(kind, name, {"pods": 1}, scalable=kind != "DaemonSet", per_node=kind == "DaemonSet"), these)
        for (kind, name), these in by_workload.items()
    )


def _means(requirement: HardwareRequirement, pod: PodDemand) -> bool:
    if requirement.kind is not None and requirement.kind != pod.kind:
        return False
    return requirement.workload is None or requirement.workload in (pod.name, pod.workload)


def _changed(pod: PodDemand, requirements: Sequence[HardwareRequirement]) -> PodDemand:
    if not requirements:
        return pod
    requests: dict[str, int] = dict(pod.requests)
    containers = {name: dict(asked) for name, asked in pod.containers}
    expressions = list(pod.rules.expressions)
    copies = pod.copies
    for one in requirements:
        asked = containers.setdefault(one.container or "", {})
        for name, value in one.amounts.items():
            requests[name] = max(0, requests.get(name, 0) - asked.get(name, 0)) + value
            asked[name] = value
        if one.node is not None:
            expressions.append(one.node)
        if one.replicas is not None and pod.scalable:
            copies = one.replicas
    tolerations = [PodToleration(name, "Exists") for one in requirements for name in one.amounts if "/" in name]
    rules = NodeRules(pod.rules.node_name, pod.rules.labels, pod.rules.terms, tuple(expressions))
    named: tuple[tuple[str, Mapping[str, int]], ...] = tuple(containers.items())
    return replace(
        pod,
        requests={name: value for name, value in requests.items() if value},
        containers=named,
        rules=rules,
        copies=copies,
        # Nodes with accelerators are tainted with the resource's name; the action controller writes the toleration.
        tolerations=(*pod.tolerations, *tolerations),
        claims=(*pod.claims, *(claim_of(one) for requirement in requirements for one in requirement.devices)),
    )
