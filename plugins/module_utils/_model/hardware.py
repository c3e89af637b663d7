# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what an app needs of hardware, from the surface's ``hardware:`` and EMCO's hpa-intents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import options
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import amount
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector


def _quantities(raw: Any) -> dict[str, str]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{raw!r} is not a dictionary of resource and quantity")
    found = {str(name): str(quantity) for name, quantity in raw.items()}
    for name, quantity in found.items():
        if amount(name, quantity) < 0:
            raise ValueError(f"{name}: {quantity} is negative")
    return found


def _expressions(raw: Any) -> Selector:
    """A selector over labels of nodes, as text or as Kubernetes' ``[{key, operator, values}]``."""
    if isinstance(raw, str):
        return Selector.parse(raw)
    items = raw if isinstance(raw, (list, tuple)) else [raw]
    return Selector.parse(", ".join(_expression(item) for item in items))


def _expression(item: Any) -> str:
    if isinstance(item, str):
        return item
    if not isinstance(item, Mapping) or not item.get("key"):
        raise ValueError(f"{item!r} is not an expression; write text or {{key, operator, values}}")
    key, operator = f"{item['key']}", str(item.get("operator") or "In")
    raw_values = item.get("values") if item.get("values") is not None else item.get("value")
    listed = raw_values if isinstance(raw_values, (list, tuple)) else [] if raw_values is None else [raw_values]
    values = [str(value).lower() if isinstance(value, bool) else str(value) for value in listed]
    if operator == "Exists":
        return key
    if operator == "DoesNotExist":
        return f"!{key}"
    if not values:
        raise ValueError(f"{key}: {operator} needs values")
    quoted = [f'"{value}"' for value in values]
    if operator in ("In", "NotIn"):
        return f"{key} {operator.lower()} ({', '.join(quoted)})"
    sign = {"Gt": ">", "Ge": ">=", "Lt": "<", "Le": "<="}.get(operator)
    if sign is None:
        raise ValueError(f"{key}: {operator} is no operator; use In, NotIn, Exists, DoesNotExist, Gt, Ge, Lt or Le")
    return f"{key} {sign} {quoted[0]}"


def _at_least_one(raw: Any) -> int:
    try:
        value = int(str(raw))
    except ValueError:
        raise ValueError(f"{raw!r} is not a whole number") from None
    if value < 1:
        raise ValueError(f"{value} is below 1")
    return value


@dataclass(frozen=True)
class DeviceRequest:
    """Devices by Dynamic Resource Allocation: ``count`` of a class, narrowed by CEL ``selectors``."""

    device_class: str = option(required=True, aliases=("class",))
    name: str | None = option()
    count: int = option(default=1, parse=_at_least_one, type="int")
    selectors: tuple[str, ...] = option(default=())

    @property
    def request_name(self) -> str:
        """How the request and the claim are called in the pod."""
        return self.name or self.device_class.partition(".")[0]


@dataclass(frozen=True)
class HardwareRequirement:
    """What a container or the node of a workload must have; ``requests`` and ``limits`` are Kubernetes quantities."""

    app: str = option(required=True)
    workload: str | None = option()
    kind: str | None = option()
    container: str | None = option()
    replicas: int | None = option(parse=_at_least_one, type="int")
    requests: Mapping[str, str] = option(default=None, parse=_quantities, type="dict")
    limits: Mapping[str, str] = option(default=None, parse=_quantities, type="dict")
    node: Selector | None = option(parse=_expressions, type="raw")
    devices: tuple[DeviceRequest, ...] = option(default=())
    mandatory: bool = option(default=True)
    weight: int = option(default=1, parse=_at_least_one, type="int")

    def problems(self, path: str) -> Iterable[Problem]:
        """A requirement asks for something, of somebody, and not for more than it limits."""
        if not (self.requests or self.limits or self.node is not None or self.devices or self.replicas):
            yield Problem(path, "asks for nothing; give requests, limits, node, devices or replicas")
        if (self.requests or self.limits or self.devices) and not (self.workload and self.container):
            missing = "workload" if not self.workload else "container"
            yield Problem(join(path, missing), "is required with requests, limits and devices")
        for name, quantity in (self.requests or {}).items():
            limit = (self.limits or {}).get(name)
            if limit is not None and amount(name, quantity) > amount(name, limit):
                yield Problem(join(path, f"requests.{name}"), f"{quantity} is above the limit {limit}")

    @property
    def amounts(self) -> dict[str, int]:
        """What the container asks for; a limit without a request is one."""
        found = {name: amount(name, quantity) for name, quantity in (self.limits or {}).items()}
        found.update({name: amount(name, quantity) for name, quantity in (self.requests or {}).items()})
        return found

    def __str__(self) -> str:
        parts = [f"{quantity} {name}" for name, quantity in {**(self.limits or {}), **(self.requests or {})}.items()]
        parts += [str(self.node)] if self.node is not None else []
        parts += [f"{device.count} {device.device_class}" for device in self.devices]
        return ", ".join(parts) or f"{self.replicas} replicas"


def parse_hardware(
    raw: Sequence[Any] | None, apps: Iterable[str] | None, path: str, problems: Problems
) -> tuple[HardwareRequirement, ...]:
    """The requirements of a ``hardware:`` option; apps that do not exist are problems (None: not checked)."""
    found = []
    known = None if apps is None else set(apps)
    for index, item in enumerate(raw or ()):
        where = f"{path}[{index}]"
        requirement = options.parse(HardwareRequirement, item, where, problems)
        if requirement is None:
            continue
        if known is not None and requirement.app not in known:
            problems.add(join(where, "app"), f"there is no app {requirement.app!r}")
        found.append(requirement)
    return tuple(found)
