# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the forms of CEL that device selectors are judged by here; anything else is unknown.

Any of these, joined by ``&&``::

    device.driver == "gpu.example.com"
    device.attributes["gpu.example.com"].model == "a100"       (== != with texts, numbers, true, false; < <= > >=)
    device.attributes["gpu.example.com"].healthy
    "gpu.example.com" in device.attributes                      (some attribute of that domain)
    device.attributes["gpu.example.com"].version.compareTo(semver("1.2.3")) >= 0
    device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0
    ... .isGreaterThan(semver("1.2.3") | quantity("40Gi")), .isLessThan( ... )
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import comparison
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import exact

_FIELD = r"""device\.(?P<kind>attributes|capacity)\[\s*["'](?P<domain>[^"']+)["']\s*\]\.(?P<name>\w+)"""
_SIGN = r"(?P<sign>==|!=|<=|>=|<|>)"
_LITERAL = r"""(?P<literal>"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)"""
_MADE = r"""(?P<made>semver|quantity)\(\s*["'](?P<limit>[^"']+)["']\s*\)"""
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"device\.(?P<driver>driver)\s*{_SIGN}\s*{_LITERAL}",
        rf"{_FIELD}\s*{_SIGN}\s*{_LITERAL}",
        rf"{_FIELD}",
        r"""["'](?P<member>[^"']+)["']\s+in\s+device\.attributes""",
        rf"{_FIELD}\.compareTo\(\s*{_MADE}\s*\)\s*{_SIGN}\s*(?P<literal>0)",
        rf"{_FIELD}\.(?P<sign>isGreaterThan|isLessThan)\(\s*{_MADE}\s*\)",
    )
)
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "isGreaterThan": operator.gt,
    "isLessThan": operator.lt,
}
_TRUE = {"true": True, "false": False}


def selects(expression: str, driver: str, device: Mapping[str, Any]) -> bool | None:
    """Whether a device (a ``ResourceSlice`` entry) is selected; None where the expression is of no form known here.

    A field that the device does not have makes CEL fail, which selects nothing.
    """
    conditions = _conditions(expression)
    if conditions is None:
        return None
    answers = [_holds(condition, driver, device) for condition in conditions]
    if False in answers:
        return False
    return None if None in answers else True


@lru_cache(maxsize=1024)
def _conditions(expression: str) -> tuple[re.Match[str], ...] | None:
    found = []
    for part in expression.split("&&"):
        stripped = part.strip()
        while stripped.startswith("(") and stripped.endswith(")"):
            stripped = stripped[1:-1].strip()
        match = next((one for form in _FORMS if (one := form.fullmatch(stripped))), None)
        if match is None:
            return None
        found.append(match)
    return tuple(found)


def _holds(condition: re.Match[str], driver: str, device: Mapping[str, Any]) -> bool | None:
    said = condition.groupdict()
    if said.get("driver"):
        return _compared(driver, said["sign"], said["literal"])
    if said.get("member"):
        domain = said["member"]
        attributes = device.get("attributes") or {}
        return domain == driver or any(str(name).startswith(f"{domain}/") for name in attributes)
    value = _field(driver, device, said["kind"], said["domain"], said["name"])
    if value is None:
        return False
    if said.get("made"):
        return _made(value, said["made"], said["limit"], said["sign"])
    if said.get("literal") is None:
        return value if isinstance(value, bool) else None
    return _compared(value, said["sign"], said["literal"])


def _field(driver: str, device: Mapping[str, Any], kind: str, domain: str, name: str) -> Any:
    fields = device.get(kind) or {}
    found = fields.get(f"{domain}/{name}")
    if found is None and domain == driver:
        # An attribute without a domain belongs to the driver's.
        found = fields.get(name)
    if found is None:
        return None
    if kind == "capacity":
        return str(found.get("value", "")) if isinstance(found, Mapping) else str(found)
    for typed in ("bool", "int", "string", "version"):
        if isinstance(found, Mapping) and typed in found:
            return found[typed]
    return None if isinstance(found, Mapping) else found


def _compared(value: Any, sign: str, literal: str) -> bool | None:
    if literal[0] in "\"'":
        wanted: Any = literal[1:-1]
    else:
        wanted = _TRUE[literal] if literal in _TRUE else float(literal)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number != isinstance(wanted, float) or isinstance(value, bool) != isinstance(wanted, bool):
        return None
    if sign not in ("==", "!=") and isinstance(wanted, bool):
        return None
    return _SIGNS[sign](value, wanted)


def _made(value: Any, made: str, limit: str, sign: str) -> bool | None:
    if made == "semver":
        left, right = comparison.version(str(value)), comparison.version(limit)
        return None if left is None or right is None else _SIGNS[sign](left, right)
    try:
        return _SIGNS[sign](exact(str(value)), exact(limit))
    except ValueError:
        return None
