# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a verb is. It is written once and called by two doors, action plugin and module."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import argument_spec, parse
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Helpers

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
    spreads: bool = False
    """Works on many clusters at once, so that more than one process may be of use."""
    control_node_only: tuple[str, ...] = ()
    """Options that need the control node: refused by name where the module runs elsewhere."""
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Option: the host variables that say it where the task does not, the first that is there."""

    def argument_spec(self) -> dict[str, Any]:
        """The argument spec for AnsibleModule and its documentation checks."""
        return argument_spec(self.wanted)

    def filled(self, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments, and what the host's variables say about those that are not given."""
        said = self._said(arguments, variables)
        return {**arguments, **{name: variables[variable] for name, variable in said.items()}}

    def _said(self, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, candidates in self.variables.items():
            if arguments.get(name) is None:
                there = (one for one in candidates if one in variables and variables[one] not in (None, ""))
                variable = next(there, None)
                if variable is not None:
                    found[name] = variable
        return found

    def read(self, arguments: Mapping[str, Any], variables: Mapping[str, Any] | None = None) -> W:
        """The typed options; InvalidInput with all problems and their paths, in a host's variable where it said it."""
        problems = Problems()
        given = variables or {}
        wanted = parse(self.wanted, self.filled(arguments, given), "", problems)
        said = self._said(arguments, given)
        placed = Problems()
        placed.extend(replace(problem, path=_path_of(problem, said)) for problem in problems)
        placed.raise_if_any(f"the options of emco.edge.{self.name}")
        return cast(W, wanted)


def _path_of(problem: Problem, said: Mapping[str, str]) -> str:
    name = re.split(r"[.\[]", problem.path, maxsplit=1)[0]
    return said[name] + problem.path[len(name) :] if name in said else problem.path


Verb = Callable[[W, Context], Result]


def perform(spec: Spec[W], verb: Verb[W], arguments: Mapping[str, Any], context: Context) -> Result:
    """Run a verb for a door: an EdgeError becomes a failed result, everything opened is closed again."""
    try:
        context.arguments = arguments
        wanted = spec.read(arguments, context.host.variables)
        if spec.spreads:
            context.helpers = Helpers.forked()
        return verb(wanted, context)
    except EdgeError as error:
        return failed(error)
    except Exception as bug:  # a traceback is for whoever mends this collection, not for its user
        words = f"emco.edge.{spec.name} met something nobody expected: {type(bug).__name__}: {bug}"
        hint = "This is a defect of the collection; -vvv shows where. What was stored and applied stays true."
        return {**failed(EdgeError("Bug", words, hint=hint)), "exception": traceback.format_exc()}
    finally:
        context.close()


def failed(error: EdgeError) -> Result:
    """The result of a verb that ended in an error."""
    result: Result = {"changed": False, **error.details, "failed": True, "msg": str(error), "reason": error.reason}
    if error.hint:
        result["hint"] = error.hint
    return result
