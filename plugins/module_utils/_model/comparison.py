# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: comparing two values of labels, kv or facts as people mean it: as versions or as numbers.

Which of the two is decided by what is compared, not by what is found: a key whose last part contains ``version``, a
leading ``v`` and a value with two dots or more say "version" (1.9 < 1.30); everything else is a Kubernetes quantity
(1.9 > 1.30, 16Gi > 900Mi).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import quantities

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_CLEARLY_A_VERSION = re.compile(r"v\d|\d+\.\d+\.\d")
# Distributions append "-gke.100" or "-eks-1a2b3c" to a release that is no less than the plain one; only these words
# mean "not released yet".
_PRE_RELEASE = re.compile(r"(alpha|beta|rc|pre|preview|dev|snapshot)", re.IGNORECASE)

Version = tuple[tuple[int, ...], tuple[tuple[int, int, str], ...]]
_RELEASED: tuple[tuple[int, int, str], ...] = ((2, 0, ""),)


def text(value: Any) -> str:
    """A value of a label, kv or fact as users write it: booleans are ``true`` and ``false``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=16384)
def version(written: str) -> Version | None:
    """A key that sorts versions by Semantic Versioning 2.0.0 (missing parts are zero), None when it is no version."""
    match = _VERSION.fullmatch(written.strip())
    if match is None:
        return None
    numbers = [int(part) for part in match.group(1).split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    suffix = match.group(2)
    if not suffix or not _PRE_RELEASE.match(suffix):
        return tuple(numbers), _RELEASED
    parts = suffix.split(".")
    return tuple(numbers), tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def means_version(key: str, written: str) -> bool:
    """Whether ``key <op> written`` compares versions."""
    return "version" in key.rpartition(".")[2].lower() or bool(_CLEARLY_A_VERSION.match(written))


def compare(left: Any, right: str, *, as_version: bool) -> int | None:
    """-1, 0 or 1 as ``left`` is below, equal to or above ``right``; None when they cannot be compared."""
    found = text(left)
    if as_version or _CLEARLY_A_VERSION.match(found):
        mine, theirs = version(found), version(right)
        if mine is None or theirs is None:
            return None
        return (mine > theirs) - (mine < theirs)
    try:
        amount = left if isinstance(left, Fraction) else quantities.exact(found)
        other = quantities.exact(right)
    except ValueError:
        return None
    return (amount > other) - (amount < other)


def number(value: Any) -> float | None:
    """A value as a number to rank by: quantities by their amount, versions in their order, None for anything else."""
    if isinstance(value, (bool, int, float, Fraction)):
        return float(value)
    written = text(value)
    try:
        return float(written)
    except ValueError:
        pass
    try:
        return float(quantities.exact(written))
    except ValueError:
        parts = version(written)
    if parts is None:
        return None
    found = 0.0
    for part in (*parts[0], 0, 0, 0)[:3]:
        found = found * 1000 + part
    return found
