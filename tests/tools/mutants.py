# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small ways to break a Python file, each of which a good test notices."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """A file with one thing changed. line: where; what: old and new as code."""

    line: int
    what: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """All mutants of a source, in the order of the code."""
    total = _Counter()
    total.visit(ast.parse(source))
    return [_mutant(source, number) for number in range(total.seen)]


def some(found: list[Mutant], name: str, count: int) -> list[Mutant]:
    """At most count of them, spread over the file and the same in every run as long as the code is the same."""

    def rank(mutant: Mutant) -> str:
        return hashlib.sha256(f"{name}:{mutant.line}:{mutant.what}".encode()).hexdigest()

    return sorted(sorted(found, key=rank)[:count], key=lambda mutant: mutant.line)


def _mutant(source: str, number: int) -> Mutant:
    tree = ast.parse(source)
    breaker = _Breaker(number)
    changed = ast.fix_missing_locations(breaker.visit(tree))
    return Mutant(breaker.line, breaker.what, ast.unparse(changed) + "\n")


class _Sites(ast.NodeTransformer):
    """Walks the places that can be broken; _site decides about each."""

    def _site(self, node: ast.AST, broken: Callable[[], ast.AST]) -> ast.AST:
        raise NotImplementedError

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        swapped = SWAPPED.get(type(node.ops[0]))
        if swapped is None:
            return node
        ops = [swapped(), *node.ops[1:]]
        return self._site(node, lambda: ast.Compare(node.left, ops, node.comparators))  # type: ignore[arg-type]

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        return self._site(node, lambda: ast.BoolOp(SWAPPED[type(node.op)](), node.values))  # type: ignore[arg-type]

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        swapped = SWAPPED.get(type(node.op))
        if swapped is None:
            return node
        return self._site(node, lambda: ast.BinOp(node.left, swapped(), node.right))  # type: ignore[arg-type]

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return self._site(node, lambda: node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool):
            return self._site(node, lambda: ast.Constant(not node.value))
        if isinstance(node.value, int):
            value = node.value
            return self._site(node, lambda: ast.Constant(value + 1))
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        # What asks for the truth of it cannot tell False from None, so that is no change.
        empty = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value in (None, False))
        return node if empty else self._site(node, lambda: ast.Return(ast.Constant(None)))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Annotations are not run: only the value can be broken."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.args = self.visit(node.args)
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """What a decorator is told (frozen, kw_only) is no behaviour that a test of the room can see."""
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Docstrings stay."""
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)


class _Counter(_Sites):
    def __init__(self) -> None:
        self.seen = 0

    def _site(self, node: ast.AST, broken: Callable[[], ast.AST]) -> ast.AST:
        self.seen += 1
        return node


class _Breaker(_Sites):
    def __init__(self, number: int) -> None:
        self.left = number
        self.line = 0
        self.what = ""

    def _site(self, node: ast.AST, broken: Callable[[], ast.AST]) -> ast.AST:
        self.left -= 1
        if self.left != -1:
            return node
        made = broken()
        self.line = getattr(node, "lineno", 0)
        self.what = f"{_short(node)} -> {_short(made)}"
        return ast.copy_location(made, node)


def _short(node: ast.AST) -> str:
    text = ast.unparse(node).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
