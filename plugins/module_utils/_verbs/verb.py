# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a verb is. It is written once and called by two doors, action plugin and module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import argument_spec, parse
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context

W = TypeVar("W")
Result = dict[str, Any]
"""Plain data for Ansible: ``changed``, perhaps ``failed`` with ``msg`` and ``reason``, and what the verb returns."""


@dataclass(frozen=True)
class Spec(Generic[W]):
    """What a verb takes: ``wanted`` is its options dataclass, from which both doors are built."""

    name: str
    wanted: type[W]
    fleet: bool
    """Acts on the fleet once (run_once), not on the host that the task runs for."""
    control_node_only: tuple[str, ...] = ()
    """Options that need the control node: refused by name where the module runs elsewhere."""

    def argument_spec(self) -> dict[str, Any]:
        """The argument spec for AnsibleModule and its documentation checks."""
        return argument_spec(self.wanted)

    def read(self, arguments: Mapping[str, Any]) -> W:
        """The typed options; InvalidInput with all problems and their paths."""
        problems = Problems()
        wanted = parse(self.wanted, arguments, "", problems)
        problems.raise_if_any(f"the options of emco.edge.{self.name}")
        assert wanted is not None  # parse gives None only together with problems
        return wanted


Verb = Callable[[W, Context], Result]


def perform(spec: Spec[W], verb: Verb[W], arguments: Mapping[str, Any], context: Context) -> Result:
    """Run a verb for a door: an EdgeError becomes a failed result, everything opened is closed again."""
    try:
        return verb(spec.read(arguments), context)
    except EdgeError as error:
        return failed(error)
    finally:
        context.close()


def failed(error: EdgeError) -> Result:
    """The result of a verb that ended in an error."""
    result: Result = {"changed": False, **error.details, "failed": True, "msg": str(error), "reason": error.reason}
    if error.hint:
        result["hint"] = error.hint
    return result
