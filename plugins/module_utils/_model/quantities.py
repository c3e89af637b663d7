# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: quantities, durations and percentages as Kubernetes users write them.

Amounts of a resource are whole numbers in the unit that the Kubernetes scheduler counts in: thousandths of a core for
``cpu``, bytes or pieces for everything else, always rounded up (k8s.io/apimachinery Quantity, MilliValue and Value).
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache

_SUFFIX: dict[str, Fraction] = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "k": Fraction(1000),
    "M": Fraction(1000**2),
    "G": Fraction(1000**3),
    "T": Fraction(1000**4),
    "P": Fraction(1000**5),
    "E": Fraction(1000**6),
    "Ki": Fraction(1024),
    "Mi": Fraction(1024**2),
    "Gi": Fraction(1024**3),
    "Ti": Fraction(1024**4),
    "Pi": Fraction(1024**5),
    "Ei": Fraction(1024**6),
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@lru_cache(maxsize=65536)
def exact(text: str) -> Fraction:
    """The exact value of a Kubernetes quantity such as ``250m``, ``2Gi`` or ``1e3``; ValueError when it is none."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a quantity; write it as Kubernetes does, such as 2, 250m, 2Gi")
    number, exponent, suffix = match.groups()
    return Fraction(number) * (Fraction(10) ** int(exponent[1:]) if exponent else _SUFFIX[suffix or ""])


@lru_cache(maxsize=65536)
def _amount(is_cpu: bool, text: str) -> int:
    value = exact(text)
    return math.ceil(value * 1000 if is_cpu else value)


def amount(resource: str, quantity: str | int | float) -> int:
    """How much of ``resource`` a quantity is: millicores for ``cpu``, bytes or pieces for all others, rounded up."""
    return _amount(resource == "cpu", str(quantity))


def written(resource: str, value: int) -> str:
    """``value`` of ``resource`` (units as ``amount`` gives them) as people write it."""
    if resource == "cpu":
        return str(value // 1000) if value % 1000 == 0 else f"{value}m"
    if resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-"):
        for suffix in ("Ti", "Gi", "Mi", "Ki"):
            unit = int(_SUFFIX[suffix])
            if value and value % unit == 0:
                return f"{value // unit}{suffix}"
    return str(value)


def seconds(text: str | int | float) -> float:
    """A duration in seconds from ``90s``, ``10m``, ``1h30m``, ``250ms`` or a plain number of seconds."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if text < 0:
            raise ValueError(f"{text!r} is negative")
        return float(text)
    stripped = str(text).strip()
    if re.fullmatch(r"\d+(\.\d+)?", stripped):
        return float(stripped)
    if not stripped or _DURATION_PART.sub("", stripped):
        raise ValueError(f"{text!r} is not a duration; write it as 90s, 10m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(stripped))


def percentage(text: str | int) -> Fraction | int:
    """``25%`` as a Fraction of one, ``3`` as the count 3; ValueError for anything else or below zero."""
    stripped = str(text).strip()
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", stripped)
    if match is None:
        raise ValueError(f"{text!r} is neither a number nor a percentage such as 25%")
    number, percent = match.groups()
    if percent:
        return Fraction(number) / 100
    if "." in number:
        raise ValueError(f"{text!r} must be a whole number or a percentage")
    return int(number)
