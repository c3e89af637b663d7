# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which action controllers of other collections a deployment wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import options
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import option

_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*){2}")


def _controller_name(raw: Any) -> str:
    if not isinstance(raw, str) or not _NAME.fullmatch(raw):
        raise ValueError(f"{raw!r} is not <namespace>.<collection>.<file>")
    return raw


@dataclass(frozen=True)
class ControllerUse:
    """A controller with the options that it is given, which are its own business."""

    name: str = option(required=True, parse=_controller_name, type="str")
    options: Mapping[str, Any] = option(default={})


def parse_controllers(raw: Any, path: str, problems: Problems) -> tuple[ControllerUse, ...]:
    """The entries of ``controllers:``, each a name or ``{name, options}``, none of them twice."""
    found: list[ControllerUse] = []
    for index, item in enumerate(raw or ()):
        where = f"{path}[{index}]"
        given = {"name": item} if isinstance(item, str) else item
        use = options.parse(ControllerUse, given, where, problems)
        if use is None:
            continue
        if use.name in {one.name for one in found}:
            problems.add(where, f"{use.name} is listed twice")
        found.append(use)
    return tuple(found)
