# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: devices of Dynamic Resource Allocation (resource.k8s.io/v1) that are free on each node.

``Facts.devices`` is ``{slices: [spec], classes: [{name, ...spec}], claims: [{namespace, name, allocation}]}``. Only
the newest generation of a pool counts, and only when all its slices are there; devices that claims hold (but for
administrative access) and devices with taints that are not tolerated are not free; shared counters are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.cel import selects
from ansible_collections.emco.edge.plugins.module_utils._hardware.device_needs import (
    Constraint,
    DeviceClaim,
    DeviceNeed,
)
from ansible_collections.emco.edge.plugins.module_utils._hardware.node_rules import NodeTerm, requirements_of
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node, NodeTaint
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import amount

Identity = tuple[str, str, str]
Counter = tuple[str, str, str, str]
_TRIES = 4000


@dataclass(frozen=True)
class Device:
    """A device: who drives it, where it can be reached, and what it takes from counters that it shares."""

    identity: Identity
    raw: Mapping[str, Any]
    where: Mapping[str, Any]
    counters: tuple[tuple[Counter, int], ...] = ()
    taints: tuple[NodeTaint, ...] = ()
    shareable: bool = False

    def on(self, node: Node) -> bool:
        """Whether a pod on the node can use it."""
        if self.where.get("nodeName"):
            return bool(self.where["nodeName"] == node.name)
        if self.where.get("allNodes"):
            return True
        terms = (self.where.get("nodeSelector") or {}).get("nodeSelectorTerms") or ()
        return any(
            NodeTerm(requirements_of(one.get("matchExpressions")), requirements_of(one.get("matchFields"))).admits(node)
            for one in terms
        )


@dataclass
class DevicePool:
    """The devices of a cluster and what is left of them."""

    devices: tuple[Device, ...] = ()
    classes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    taken: set[Identity] = field(default_factory=set)
    left: dict[Counter, int] = field(default_factory=dict)
    allocated: dict[str, tuple[Device, ...]] = field(default_factory=dict)
    """The devices of the shared claims that have theirs already, by namespace/name."""
    hopeful: bool = False
    """Whether a selector that cannot be judged counts as satisfied."""
    unknown: bool = False
    """Whether one was met."""

    def copy(self) -> DevicePool:
        """A pool to try things on."""
        return DevicePool(
            self.devices,
            self.classes,
            set(self.taken),
            dict(self.left),
            dict(self.allocated),
            self.hopeful,
            self.unknown,
        )

    def class_for(self, resource: str) -> str | None:
        """The device class that serves an extended resource."""
        prefix = "deviceclass.resource.kubernetes.io/"
        if resource.startswith(prefix) and resource[len(prefix) :] in self.classes:
            return resource[len(prefix) :]
        return next(
            (name for name, one in sorted(self.classes.items()) if one.get("extendedResourceName") == resource), None
        )

    def pods(self, node: Node, claims: Sequence[DeviceClaim], most: int) -> int:
        """How many pods with these claims find their devices on a node, up to ``most``."""
        trial = self.copy()
        found = 0
        while found < most and trial.allocate(node, claims):
            found += 1
        self.unknown = self.unknown or trial.unknown
        return found

    def allocate(self, node: Node, claims: Sequence[DeviceClaim]) -> bool:
        """Take the devices of one pod's claims; False (and nothing taken) when some are not free."""
        before = (set(self.taken), dict(self.left), dict(self.allocated))
        for claim in claims:
            if not self._allocate_one(node, claim):
                self.taken, self.left, self.allocated = before
                return False
        return True

    def _allocate_one(self, node: Node, claim: DeviceClaim) -> bool:
        if claim.shared and claim.shared in self.allocated:
            # Its pods go where its devices are.
            return all(device.on(node) for device in self.allocated[claim.shared])
        if not claim.known:
            self.unknown = True
            return self.hopeful
        chosen = self._choice(node, claim)
        for device, need in chosen or ():
            self._take(device, need)
        if chosen is not None and claim.shared:
            self.allocated[claim.shared] = tuple(device for device, _need in chosen)
        return chosen is not None

    def _take(self, device: Device, need: DeviceNeed) -> None:
        if need.admin:
            return
        if not device.shareable:
            self.taken.add(device.identity)
        for counter, value in device.counters:
            self.left[counter] = self.left.get(counter, 0) - value
        if device.shareable:
            for name, value in need.capacity:
                key = (*device.identity, name)
                self.left[key] = self.left.get(key, _capacity(device, name)) - value

    def _choice(self, node: Node, claim: DeviceClaim) -> list[tuple[Device, DeviceNeed]] | None:
        """Devices for every request of a claim, by trying; alternatives in their order."""
        here = [device for device in self.devices if device.on(node)]
        return self._filled(here, claim.requests, claim.constraints, [], [_TRIES])

    def _filled(
        self,
        here: Sequence[Device],
        requests: Sequence[Sequence[DeviceNeed]],
        constraints: Sequence[Constraint],
        chosen: list[tuple[Device, DeviceNeed]],
        tries: list[int],
    ) -> list[tuple[Device, DeviceNeed]] | None:
        if not requests:
            return chosen
        for need in requests[0]:
            matching = [device for device in here if self._matches(device, need)]
            count = len(matching) if need.count is None else need.count
            if not count or (need.count is None and any(not self._is_free(one, need, chosen) for one in matching)):
                continue
            for picked in self._picks(matching, need, count, constraints, chosen, tries):
                found = self._filled(here, requests[1:], constraints, picked, tries)
                if found is not None:
                    return found
        return None

    def _picks(
        self,
        matching: Sequence[Device],
        need: DeviceNeed,
        count: int,
        constraints: Sequence[Constraint],
        chosen: list[tuple[Device, DeviceNeed]],
        tries: list[int],
    ) -> Iterable[list[tuple[Device, DeviceNeed]]]:
        """Ways to choose ``count`` devices for a request besides those chosen, none twice."""
        if not count:
            yield chosen
            return
        for index, device in enumerate(matching):
            tries[0] -= 1
            if tries[0] < 0:
                self.unknown = True
                return
            if not self._is_free(device, need, chosen):
                continue
            more = [*chosen, (device, need)]
            if not all(_agree(more, constraint) for constraint in constraints):
                continue
            # The same device serves a request only once, so later picks come after it in the list.
            yield from islice(self._picks(matching[index + 1 :], need, count - 1, constraints, more, tries), _TRIES)

    def _is_free(self, device: Device, need: DeviceNeed, chosen: Sequence[tuple[Device, DeviceNeed]]) -> bool:
        if need.admin:
            return True
        if device.identity in self.taken:
            return False
        own = [one for one in chosen if one[0] is device and not one[1].admin]
        if own and not device.shareable:
            return False
        for counter, value in device.counters:
            used = sum(amount for one, _need in chosen for key, amount in one.counters if key == counter)
            if self.left.get(counter, 0) - used < value:
                return False
        for name, value in need.capacity:
            used = sum(dict(one.capacity).get(name, 0) for _device, one in own)
            left = self.left.get((*device.identity, name), _capacity(device, name))
            if left - used < value:
                return False
        return True

    def _matches(self, device: Device, need: DeviceNeed) -> bool:
        wanted = self.classes.get(need.device_class)
        if wanted is None:
            return False
        if any(
            taint.effect in ("NoSchedule", "NoExecute") and not any(one.tolerates(taint) for one in need.tolerations)
            for taint in device.taints
        ):
            return False
        expressions = [str((one.get("cel") or {}).get("expression", "")) for one in wanted.get("selectors") or ()]
        for expression in (*expressions, *need.selectors):
            answer = selects(expression, device.identity[0], device.raw)
            if answer is None:
                self.unknown = True
            if not (self.hopeful if answer is None else answer):
                return False
        return True


def _agree(chosen: Sequence[tuple[Device, DeviceNeed]], constraint: Constraint) -> bool:
    values = [
        _attribute(device, constraint.attribute)
        for device, need in chosen
        if not constraint.requests or need.name in constraint.requests
    ]
    if None in values:
        return False
    return len(set(values)) == len(values) if constraint.distinct else len(set(values)) <= 1


def _attribute(device: Device, name: str) -> str | None:
    attributes = device.raw.get("attributes") or {}
    domain, _slash, short = name.rpartition("/")
    found = attributes.get(name)
    if found is None and domain == device.identity[0]:
        found = attributes.get(short)
    return None if found is None else repr(sorted(found.items()) if isinstance(found, Mapping) else found)


def _capacity(device: Device, name: str) -> int:
    raw = (device.raw.get("capacity") or {}).get(name)
    if raw is None:
        return 0
    return amount(name, str(raw.get("value", "0") if isinstance(raw, Mapping) else raw))


def device_pool(facts: Mapping[str, Any]) -> DevicePool | None:
    """The devices that ``Facts.devices`` lists, None where it lists none."""
    slices = _current(facts.get("slices") or ())
    if not slices:
        return None
    pool = DevicePool(
        tuple(_devices(slices)),
        {str(one["name"]): one for one in facts.get("classes") or ()},
        left=_counters(slices),
    )
    by_identity = {device.identity: device for device in pool.devices}
    for claim in facts.get("claims") or ():
        held_by_claim: list[Device] = []
        results = ((claim.get("allocation") or {}).get("devices") or {}).get("results") or ()
        for result in results:
            identity = (str(result.get("driver")), str(result.get("pool")), str(result.get("device")))
            device = by_identity.get(identity)
            if device is not None:
                held_by_claim.append(device)
            if device is not None and not result.get("adminAccess"):
                consumed = result.get("consumedCapacity") or {}
                held = tuple((str(name), amount(str(name), str(value))) for name, value in consumed.items())
                pool._take(device, DeviceNeed("", "", capacity=held))
        pool.allocated[f"{claim.get('namespace')}/{claim.get('name')}"] = tuple(held_by_claim)
    return pool


def _counted(name: str, raw: Mapping[str, Any]) -> int:
    return amount(name, str(raw.get("value", "0")))


def _current(slices: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The slices of the newest generation of each pool, where all of them are there."""
    pools: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in slices:
        pool = one.get("pool") or {}
        pools.setdefault((str(one.get("driver")), str(pool.get("name"))), []).append(one)
    found: list[Mapping[str, Any]] = []
    for _key, listed in sorted(pools.items()):
        newest = max(int(one["pool"].get("generation") or 0) for one in listed)
        current = [one for one in listed if int(one["pool"].get("generation") or 0) == newest]
        if len(current) >= int(current[0]["pool"].get("resourceSliceCount") or 1):
            found.extend(current)
    return found


def _counters(slices: Iterable[Mapping[str, Any]]) -> dict[Counter, int]:
    return {
        (str(one.get("driver")), str(one["pool"].get("name")), str(shared.get("name")), str(name)): amount(
            str(name), str(value.get("value", "0"))
        )
        for one in slices
        for shared in one.get("sharedCounters") or ()
        for name, value in (shared.get("counters") or {}).items()
    }


def _devices(slices: Iterable[Mapping[str, Any]]) -> Iterable[Device]:
    for one in slices:
        driver, pool = str(one.get("driver")), str(one["pool"].get("name"))
        for raw in one.get("devices") or ():
            counters = tuple(
                ((driver, pool, str(used.get("counterSet")), str(name)), _counted(str(name), value))
                for used in raw.get("consumesCounters") or ()
                for name, value in (used.get("counters") or {}).items()
            )
            taints = tuple(
                NodeTaint(str(taint.get("key")), str(taint.get("value") or ""), str(taint.get("effect")))
                for taint in raw.get("taints") or ()
            )
            where = raw if one.get("perDeviceNodeSelection") else one
            identity = (driver, pool, str(raw.get("name")))
            yield Device(identity, raw, where, counters, taints, bool(raw.get("allowMultipleAllocations")))
