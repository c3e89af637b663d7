# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the hardware action controller. It writes into an app's objects what placement promised:
replicas, requests and limits of the named container, rules for the node, tolerations and device claims."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as with_changes
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers import node_needs
from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import (
    Controller,
    Intents,
    Objects,
    Subject,
)
from ansible_collections.emco.edge.plugins.module_utils._hardware.pod_template import SCALABLE, pod_template_path
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem, near
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement
from ansible_collections.emco.edge.plugins.module_utils._model.options import join


def with_hardware(
    objects: Objects,
    requirements: Sequence[HardwareRequirement],
    *,
    replicas: int | None = None,
    workloads: Sequence[str] = (),
    nodes: Sequence[Node] = (),
    path: str = "hardware",
) -> tuple[dict[str, Any], ...]:
    """The objects of one app on one cluster with its hardware in them; the input is not changed.

    ``replicas`` is what the decision gives this cluster; it goes to ``workloads`` (names; by default all that have
    replicas). ``nodes`` are the cluster's, whose labels answer conditions that a node affinity cannot express.
    Optional requirements are written only as far as they cannot keep a pod from starting: not at all.
    InvalidInput when a workload or a container is not there, all of them at once.
    """
    problems = list(hardware_problems(objects, requirements, path))
    if problems:
        raise InvalidInput(problems, of="the hardware of the app")
    changed = [copy.deepcopy(dict(item)) for item in objects]
    added: list[dict[str, Any]] = []
    for requirement in requirements:
        if requirement.mandatory:
            for item in changed:
                if _meant(requirement, item):
                    added += _write(requirement, item, nodes)
    if replicas is not None:
        for item in changed:
            if _has_replicas(item) and (not workloads or _name(item) in workloads):
                item["spec"]["replicas"] = replicas
    return (*added, *changed)


def hardware_problems(objects: Objects, requirements: Sequence[HardwareRequirement], path: str) -> Iterable[Problem]:
    """Workloads and containers that requirements name and the app does not have, with near names."""
    workloads = [item for item in objects if pod_template_path(item) is not None]
    for index, requirement in enumerate(requirements):
        where = f"{path}[{index}]"
        if requirement.workload is None:
            continue
        meant = [item for item in workloads if _meant(requirement, item)]
        if not meant:
            known = [_name(item) for item in workloads]
            hint = near(requirement.workload, known) or f"it has {', '.join(known) or 'no workload'}"
            text = f"app {requirement.app!r} renders no workload {requirement.workload!r}"
            yield Problem(join(where, "workload"), text, hint)
            continue
        for item in meant:
            containers = [str(one.get("name")) for one in _containers(item)]
            if requirement.container is not None and requirement.container not in containers:
                text = f"{item['kind']} {_name(item)} has no container {requirement.container!r}"
                hint = near(requirement.container, containers) or f"it has {', '.join(containers)}"
                yield Problem(join(where, "container"), text, hint)


def _write(requirement: HardwareRequirement, item: dict[str, Any], nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Write one requirement into one object; objects that must come before it are returned."""
    template = _template(item)
    spec: dict[str, Any] = template.setdefault("spec", {})
    container = next((one for one in _containers(item) if one.get("name") == requirement.container), None)
    if container is not None:
        _write_resources(requirement, container)
    if requirement.node is not None:
        node_needs.write(spec, requirement.node, nodes)
    _write_tolerations(requirement, spec)
    if requirement.replicas is not None and _has_replicas(item):
        item["spec"]["replicas"] = requirement.replicas
    return _write_claims(requirement, item, spec, container)


def _write_resources(requirement: HardwareRequirement, container: dict[str, Any]) -> None:
    requests, limits = dict(requirement.requests or {}), dict(requirement.limits or {})
    for name, quantity in limits.items():
        requests.setdefault(name, quantity)
    for name, quantity in requests.items():
        # Extended resources and huge pages cannot be overcommitted: the limit is what is asked for. EMCO sets the
        # limit of everything so; it is left alone here for what can be shared, unless it is below the request.
        if "/" in name or name.startswith("hugepages-"):
            limits.setdefault(name, quantity)
    resources = container.setdefault("resources", {})
    resources.setdefault("requests", {}).update(requests)
    if limits:
        resources.setdefault("limits", {}).update(limits)
    node_needs.lift_limits(resources)
    if not resources["requests"]:
        del resources["requests"]


def _write_tolerations(requirement: HardwareRequirement, spec: dict[str, Any]) -> None:
    """Nodes with accelerators are tainted with the name of the resource (ExtendedResourceToleration)."""
    for name in {**(requirement.limits or {}), **(requirement.requests or {})}:
        wanted = {"key": name, "operator": "Exists"}
        if node_needs.is_extended(name) and wanted not in spec.get("tolerations", ()):
            spec.setdefault("tolerations", []).append(wanted)


def _write_claims(
    requirement: HardwareRequirement, item: dict[str, Any], spec: dict[str, Any], container: dict[str, Any] | None
) -> list[dict[str, Any]]:
    templates = []
    for device in requirement.devices:
        name = f"{_name(item)}-{requirement.container}-{device.request_name}"
        exactly: dict[str, Any] = {"deviceClassName": device.device_class}
        if device.count != 1:
            exactly.update(allocationMode="ExactCount", count=device.count)
        if device.selectors:
            exactly["selectors"] = [{"cel": {"expression": expression}} for expression in device.selectors]
        metadata: dict[str, Any] = {"name": name}
        if item.get("metadata", {}).get("namespace"):
            metadata["namespace"] = item["metadata"]["namespace"]
        templates.append(
            {
                "apiVersion": "resource.k8s.io/v1",
                "kind": "ResourceClaimTemplate",
                "metadata": metadata,
                "spec": {"spec": {"devices": {"requests": [{"name": device.request_name, "exactly": exactly}]}}},
            }
        )
        _put(spec.setdefault("resourceClaims", []), {"name": name, "resourceClaimTemplateName": name})
        if container is not None:
            _put(container.setdefault("resources", {}).setdefault("claims", []), {"name": name})
    return templates


def _put(items: list[dict[str, Any]], wanted: dict[str, Any]) -> None:
    items[:] = [item for item in items if item.get("name") != wanted["name"]] + [wanted]


def _meant(requirement: HardwareRequirement, item: Mapping[str, Any]) -> bool:
    if pod_template_path(item) is None or requirement.kind not in (None, item.get("kind")):
        return False
    names = (_name(item), f"{item.get('kind')}/{_name(item)}")
    return requirement.workload is None or requirement.workload in names


def _name(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata") or {}
    return str(metadata.get("name") or metadata.get("generateName") or "")


def _template(item: dict[str, Any]) -> dict[str, Any]:
    found: Any = item
    for key in pod_template_path(item) or ():
        found = found[key]
    if not isinstance(found, dict):
        raise RuntimeError("what kind it is was asked before")
    return found


def _containers(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: Any = item
    for key in (*(pod_template_path(item) or ()), "spec"):
        found = found[key]
    return [one for key in ("containers", "initContainers") for one in found.get(key) or ()]


def _has_replicas(item: Mapping[str, Any]) -> bool:
    if item.get("kind") in SCALABLE:
        return True
    return pod_template_path(item) == ("spec", "template") and "replicas" in (item.get("spec") or {})


def _mine(subject: Subject) -> tuple[HardwareRequirement, ...]:
    return tuple(one for one in subject.intents.hardware if one.app == subject.app)


def _edit(objects: Objects, subject: Subject) -> Objects:
    facts = subject.cluster.facts
    return with_hardware(
        objects,
        _mine(subject),
        replicas=subject.replicas,
        workloads=subject.intents.scaled.get(subject.app, ()),
        nodes=facts.nodes if facts is not None else (),
    )


def _concerns(subject: Subject) -> Hashable:
    mine = _mine(subject)
    if not mine and subject.replicas is None:
        return None
    # Labels of nodes decide what is written where a condition on the node is no node affinity.
    own = subject.cluster.ref if any(one.node is not None for one in mine) else None
    return (subject.replicas, own)


def _problems(intents: Intents, samples: Mapping[str, Objects]) -> Iterator[Problem]:
    for index, one in enumerate(intents.hardware):
        for problem in hardware_problems(samples[one.app], [one], "hardware") if one.app in samples else ():
            yield with_changes(problem, path=problem.path.replace("hardware[0]", f"hardware[{index}]", 1))


CONTROLLER = Controller("hardware", _edit, _concerns, _problems)
