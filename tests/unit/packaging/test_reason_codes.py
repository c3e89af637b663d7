# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every reason code that a user can meet stands in the reference, and nothing else does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tests.tools.checkout import ROOT

CODE = re.compile(r"[A-Z][a-z]+([A-Z]+[a-z]+)*([A-Z]+)?")
# Calls that take a reason code among their arguments, by position or as `reason`.
TAKING = {
    "EdgeError",
    "ClusterError",
    "__init__",
    "Judgement",
    "NotReady",
    "Outcome",
    "ObjectResult",
    "_not",
    "_failure",
    "_unreachable",
    "in_vain",
    "WaitInVain",
    "result",
    "append",
}
# Tables and functions that turn what a server says into a code.
TRANSLATING = {"_REASONS", "_TRANSLATED", "_WHY_NOT_BEGUN", "_reason"}
REFERENCE = ROOT / "docs" / "reference-results.md"


def codes_of(source: Path) -> Iterator[str]:
    """The reason codes that a file of ours makes."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in tree.body:
        # The rollout's codes have names, because its rooms compare them.
        if "_rollout" in source.parts and isinstance(node, ast.Assign) and _target(node).isupper():
            yield from _texts(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in TAKING:
            for argument in node.args:
                yield from _texts(argument)
        if isinstance(node, ast.keyword) and node.arg == "reason":
            yield from _texts(node.value)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and _target(node) in TRANSLATING and node.value is not None:
            yield from _values(node.value)
        if isinstance(node, ast.FunctionDef) and node.name in TRANSLATING:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    yield from _texts(inner.value)
        if isinstance(node, ast.FunctionDef):
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            names = [one.arg for one in (*node.args.args, *node.args.kwonlyargs)]
            for name, default in zip(reversed(names), reversed(defaults), strict=False):
                if name == "reason" and default is not None:
                    yield from _texts(default)
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "reason":
                    yield from _texts(value)
        if isinstance(node, ast.ClassDef) and node.name == "Reason":
            for member in node.body:
                if isinstance(member, ast.Assign):
                    yield from _texts(member.value)


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return getattr(target, "id", "")


def _texts(value: ast.expr) -> Iterator[str]:
    """Codes among the plain texts of an expression, in each branch of a condition."""
    if isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for one in value.values:
            yield from _texts(one)
    elif isinstance(value, ast.Call) and _name(value.func) in ("get", "str"):
        for one in value.args[-1:]:
            yield from _texts(one)
    elif isinstance(value, ast.Tuple):
        for one in value.elts:
            yield from _texts(one)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
        yield value.value


def _values(table: ast.expr) -> Iterator[str]:
    for value in table.values if isinstance(table, ast.Dict) else ():
        yield from _texts(value.elts[0] if isinstance(value, ast.Tuple) else value)


@lru_cache
def codes_in_the_code() -> set[str]:
    return {code for source in (ROOT / "plugins").rglob("*.py") for code in codes_of(source)}


def codes_in_the_reference() -> list[str]:
    return re.findall(r"^\| `([A-Za-z]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_reason_code_stands_in_the_reference() -> None:
    missing = codes_in_the_code() - set(codes_in_the_reference())
    assert not missing, f"docs/reference-results.md does not explain {sorted(missing)}"


def test_the_reference_has_no_code_that_is_never_given() -> None:
    unknown = set(codes_in_the_reference()) - codes_in_the_code()
    assert not unknown, f"no file makes {sorted(unknown)}"


def test_well_known_codes_are_found_in_the_code() -> None:
    assert {"InvalidInput", "NotOurs", "FieldConflict", "LabelMismatch", "Busy", "KeyMissing"} <= codes_in_the_code()
