# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a pod's device claims ask for (resource.k8s.io/v1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.node_rules import PodToleration
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import DeviceRequest
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import amount


@dataclass(frozen=True)
class DeviceNeed:
    """Devices of one request: ``count`` of a class (None: all that match on the node)."""

    name: str
    device_class: str
    count: int | None = 1
    selectors: tuple[str, ...] = ()
    capacity: tuple[tuple[str, int], ...] = ()
    tolerations: tuple[PodToleration, ...] = ()
    admin: bool = False
    """Access that takes nothing from anybody."""


@dataclass(frozen=True)
class Constraint:
    """All devices of some requests (none: of all) have the same (or all different) values of an attribute."""

    attribute: str
    requests: tuple[str, ...] = ()
    distinct: bool = False


@dataclass(frozen=True)
class DeviceClaim:
    """A claim of a pod. ``requests`` holds alternatives for each request, in order of preference.

    A shared claim (``shared`` is its namespace/name) is allocated once for all pods; ``known`` is false where the
    object that says what is asked for was not rendered with the app.
    """

    name: str
    requests: tuple[tuple[DeviceNeed, ...], ...] = ()
    constraints: tuple[Constraint, ...] = ()
    shared: str = ""
    known: bool = True


def claim_of(device: DeviceRequest) -> DeviceClaim:
    """The claim that a hardware requirement's device makes."""
    need = DeviceNeed(device.request_name, device.device_class, device.count, device.selectors)
    return DeviceClaim(device.request_name, ((need,),))


def claims_of(
    spec: Mapping[str, Any], namespace: str, rendered: Mapping[tuple[str, str, str], Mapping[str, Any]]
) -> tuple[DeviceClaim, ...]:
    """The claims of a pod spec; ``rendered`` are ResourceClaims and -Templates by kind, namespace and name."""
    found = []
    for one in spec.get("resourceClaims") or ():
        template, shared = one.get("resourceClaimTemplateName"), one.get("resourceClaimName")
        kind = "ResourceClaimTemplate" if template else "ResourceClaim"
        item = rendered.get((kind, namespace, str(template or shared)))
        name = str(one.get("name", ""))
        whole = f"{namespace}/{shared}" if shared else ""
        if item is None:
            found.append(DeviceClaim(name, shared=whole, known=False))
            continue
        claim = item.get("spec") or {}
        devices = (claim.get("spec") or {}).get("devices") if template else claim.get("devices")
        found.append(_claim(name, devices or {}, whole))
    return tuple(found)


def _claim(name: str, devices: Mapping[str, Any], shared: str) -> DeviceClaim:
    requests = []
    for request in devices.get("requests") or ():
        listed = request.get("firstAvailable") or [request.get("exactly") or request]
        requests.append(tuple(_need(str(request.get("name", "")), one) for one in listed))
    constraints = []
    for one in devices.get("constraints") or ():
        attribute = one.get("matchAttribute") or one.get("distinctAttribute") or ""
        names = tuple(str(request) for request in one.get("requests") or ())
        constraints.append(Constraint(str(attribute), names, "distinctAttribute" in one))
    return DeviceClaim(name, tuple(requests), tuple(constraints), shared)


def _need(name: str, raw: Mapping[str, Any]) -> DeviceNeed:
    takes_all = raw.get("allocationMode") == "All"
    capacity = (raw.get("capacity") or {}).get("requests") or {}
    return DeviceNeed(
        name,
        str(raw.get("deviceClassName", "")),
        None if takes_all else int(raw.get("count") or 1),
        tuple(str((one.get("cel") or {}).get("expression", "")) for one in raw.get("selectors") or ()),
        tuple((str(key), amount(str(key), str(value))) for key, value in capacity.items()),
        tuple(
            PodToleration(
                str(one.get("key") or ""),
                str(one.get("operator") or "Equal"),
                str(one.get("value") or ""),
                str(one.get("effect") or ""),
            )
            for one in raw.get("tolerations") or ()
        ),
        bool(raw.get("adminAccess")),
    )
