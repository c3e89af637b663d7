# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the versions of Kubernetes that a chart accepts.

Most charts read nothing of a cluster's version but compare it with the ``kubeVersion`` of their Chart.yaml. All
versions that are accepted then render alike, and a fleet of thirty patch versions needs one rendering, not thirty.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

Version = tuple[int, int, int]

_RELEASE = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:\+.*)?")
_TERM = re.compile(r"(>=|<=|>|<|=)\s*v?(\d+)\.(\d+)\.(\d+)(-0)?")
# Between two terms, not between a comparison and its version.
_JOINT = re.compile(r"(?<=[\d])\s*,\s*|(?<=[\d])\s+")
_COMPARE: dict[str, Callable[[Version, Version], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
# A release comes after all its pre-releases, and -0 is the first of them.
_BEFORE_RELEASE = {">": ">=", "<=": "<"}


def accepts(constraint: str, version: str) -> bool | None:
    """Whether ``version`` meets a chart's ``kubeVersion``; None when that is better left to helm to say.

    Understands what nearly all charts write: comparisons with whole versions, a release or its ``-0``, joined by
    space or comma. Pre-releases of a cluster, ranges with ``~``, ``^``, ``x``, ``||`` and the like are left to helm.
    """
    release = _RELEASE.fullmatch(version)
    terms = _terms(constraint)
    if release is None or not terms:
        return None
    have: Version = (int(release[1]), int(release[2]), int(release[3] or 0))
    return all(_COMPARE[compare](have, wanted) for compare, wanted in terms)


def _terms(constraint: str) -> list[tuple[str, Version]] | None:
    found: list[tuple[str, Version]] = []
    for part in _JOINT.split(constraint.strip()):
        term = _TERM.fullmatch(part)
        if term is None:
            return None
        compare, major, minor, patch, before_release = term.groups()
        if before_release and compare == "=":
            return None
        compare = _BEFORE_RELEASE.get(compare, compare) if before_release else compare
        found.append((compare, (int(major), int(minor), int(patch))))
    return found
