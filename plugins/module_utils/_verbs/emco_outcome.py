# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what comes of a step, how steps go about it, and calling another verb for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec, Verb

W = TypeVar("W")
State = Literal["created", "updated", "unchanged", "deleted", "done"]


@dataclass(frozen=True)
class Outcome:
    """What came of a step."""

    state: State
    changed: bool
    message: str = ""


@dataclass(frozen=True)
class Manner:
    """How documents are carried out, for all of them; options of the verbs that do it. ``wait_timeout``: seconds."""

    keep_credentials: str = "reference"
    unsupported: str = "fail"
    wait: bool = True
    wait_timeout: float = 600.0
    parallel: int = 50
    conflicts: str = "fail"
    adopt: bool = False
    external_values: bool = False


def call(spec: Spec[W], verb: Verb[W], options: Mapping[str, Any], context: Context, *, check: bool = False) -> Result:
    """Call another verb as a task would. EdgeError when it fails, with what it said.

    ``check``: it touches clusters, so that check mode matters; other verbs write to a store that forgets.
    """
    given = {name: value for name, value in options.items() if value is not None}
    own = replace(context, arguments=given, check=context.check and check, diff=False)
    result = verb(spec.read(given), own)
    if result.get("failed"):
        details = {key: value for key, value in result.items() if key not in ("failed", "msg", "reason", "hint")}
        raise EdgeError(
            str(result.get("reason") or "ClustersFailed"),
            str(result.get("msg")),
            hint=str(result.get("hint") or ""),
            details=details,
        )
    return result
