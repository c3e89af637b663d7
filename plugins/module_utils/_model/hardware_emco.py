# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's hpa-intents, consumers and resource requirements as hardware requirements.

The rules are those of EMCO 22.09 (hpa-plc). Memory given as a bare number is in megabytes of 1,000,000 bytes there and
stays so; a requirement that does not say ``mandatory`` is mandatory, as EMCO treats all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import HardwareRequirement
from ansible_collections.emco.edge.plugins.module_utils._model.options import join
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse as parsed


def requirement_of(
    app: str, consumer: Mapping[str, Any], requirement: Mapping[str, Any], path: str, problems: Problems
) -> HardwareRequirement | None:
    """The requirement of a consumer's ``spec`` and a requirement's ``spec``; None when there are problems."""
    raw = native_requirement(app, consumer, requirement, path, problems)
    return parsed(HardwareRequirement, raw, path, problems) if raw is not None else None


def native_requirement(
    app: str, consumer: Mapping[str, Any], requirement: Mapping[str, Any], path: str, problems: Problems
) -> dict[str, Any] | None:
    """The same as an entry of the option ``hardware``."""
    before = len(problems)
    resource = requirement.get("resource")
    resource = resource if isinstance(resource, Mapping) else {}
    allocatable = requirement.get("allocatable")
    if not isinstance(allocatable, bool):
        problems.add(join(path, "allocatable"), "is required and is true or false")
    if not consumer.get("name"):
        problems.add(join(path, "consumer.name"), "the consumer has no name")
    where = join(path, "resource")
    raw = _counted(resource, where, problems) if allocatable else _labelled(resource, where, problems)
    if allocatable and not consumer.get("container"):
        problems.add(join(path, "consumer.container"), "is required for an allocatable resource")
    if len(problems) > before:
        return None
    for key, name in (("name", "workload"), ("kind", "kind"), ("replicas", "replicas"), ("container", "container")):
        if consumer.get(key):
            raw[name] = consumer[key]
    raw.update(app=app, mandatory=requirement.get("mandatory", True), weight=requirement.get("weight") or 1)
    return raw


def consumer_problems(spec: Mapping[str, Any], path: str, problems: Problems) -> None:
    """What is wrong with a consumer by itself: it needs a name, and replicas are at least 1."""
    if not spec.get("name"):
        problems.add(join(path, "name"), "the consumer has no name")
    replicas = spec.get("replicas")
    if replicas is not None and (isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 1):
        problems.add(join(path, "replicas"), f"{replicas!r} is not a whole number from 1")


def _counted(resource: Mapping[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    if "key" in resource or "value" in resource:
        problems.add(path, "an allocatable resource has name and requests, not key and value")
    name = resource.get("name")
    if not name:
        problems.add(join(path, "name"), "is required for an allocatable resource")
        return {}
    requests = _whole(resource, "requests", path, problems)
    limits = _whole(resource, "limits", path, problems)
    if requests is None and limits is None:
        problems.add(join(path, "requests"), "is required for an allocatable resource")
        return {}
    if requests is not None and limits is not None and requests > limits:
        problems.add(join(path, "requests"), f"{requests} is above the limit {limits}")
    unit = "M" if name == "memory" else ""
    asked = requests or limits
    found: dict[str, Any] = {"requests": {name: f"{asked}{unit}"}}
    found["limits"] = {name: f"{limits or asked}{unit}"}
    return found


def _labelled(resource: Mapping[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    if any(key in resource for key in ("name", "requests", "limits")):
        problems.add(path, "a resource that is not allocatable has key and value, not name and requests")
    key, value = resource.get("key"), resource.get("value")
    for field, given in (("key", key), ("value", value)):
        if not given and given is not False:
            problems.add(join(path, field), "is required for a resource that is not allocatable")
    return {"node": [{"key": key, "operator": "In", "values": [value]}]}


def _whole(resource: Mapping[str, Any], key: str, path: str, problems: Problems) -> int | None:
    value = resource.get(key)
    if value is None:
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if number < 0:
        problems.add(join(path, key), f"{value!r} is not a whole number")
        return None
    return number
