# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation testing of the pure rooms: how many small changes to the code do their tests notice?

    python -m tests.mutation.run _placement _hardware --sample 200 --seed 1

Each mutant is one changed operator, constant, condition or statement of one file, in a copy of the collection of its
own (the working tree is never written). It is killed when the room's tests fail or take far too long. Prints the
survivors and, for each room, ``mutation: ROOM SCORE % (KILLED of TRIED)``; the exit status is 1 below ``--least``.
"""

from __future__ import annotations

import argparse
import ast
import copy
import functools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "_placement": ("tests/unit/placement",),
    "_hardware": ("tests/unit/hardware", "tests/unit/controllers"),
}
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Mutant:
    """One change: the file, the line, what was and what is, and the source with it."""

    file: Path
    line: int
    was: str
    now: str
    source: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: {self.was}  ->  {self.now}"


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its syntax tree."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    count = sum(1 for node in ast.walk(tree) for _ in _changes(node))
    for number in range(count):
        changed = copy.deepcopy(tree)
        at = 0
        for node in list(ast.walk(changed)):
            for change in _changes(node):
                if at == number:
                    was = ast.unparse(node)
                    change()
                    now = ast.unparse(node)
                    if was != now:
                        line = getattr(node, "lineno", 0)
                        yield Mutant(file, line, was[:90], now[:90], ast.unparse(ast.fix_missing_locations(changed)))
                at += 1


def _changes(node: ast.AST):  # type: ignore[no-untyped-def]
    """Ways to change one node in place; texts and annotations are left alone."""
    if isinstance(node, ast.Compare):
        for index, operation in enumerate(node.ops):
            if type(operation) in _SWAPS:
                yield functools.partial(_swap, node.ops, index)
    elif isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in _SWAPS:
        if not (isinstance(node, ast.BinOp) and _is_type(node)):
            yield lambda: setattr(node, "op", _SWAPS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield lambda: setattr(node, "value", not node.value)
        elif isinstance(node.value, int):
            yield lambda: setattr(node, "value", node.value + 1)
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield lambda: setattr(node, "test", ast.Constant(True))
        yield lambda: setattr(node, "test", ast.Constant(False))
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield lambda: setattr(node, "value", ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield lambda: setattr(node, "__class__", ast.Break)
    elif isinstance(node, ast.Break):
        yield lambda: setattr(node, "__class__", ast.Continue)


def _swap(operations: list[ast.cmpop], index: int) -> None:
    swapped = _SWAPS[type(operations[index])]()
    assert isinstance(swapped, ast.cmpop)
    operations[index] = swapped


def _is_type(node: ast.BinOp) -> bool:
    """``X | None`` in an annotation is no computation."""
    return isinstance(node.op, ast.BitOr) and any(
        isinstance(side, ast.Constant) and side.value is None for side in (node.left, node.right)
    )


def collection_copy(folder: Path) -> Path:
    """A copy of the collection under ``folder``, which is what a test run imports; the path of its module_utils."""
    there = folder / "ansible_collections" / "emco" / "edge"
    shutil.copytree(ROOT / "plugins", there / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    return there / "plugins" / "module_utils"


def killed(mutant: Mutant, tests: tuple[str, ...], folder: Path, module_utils: Path, limit: float) -> bool:
    """Whether the tests notice the mutant."""
    target = module_utils / mutant.file.relative_to(ROOT / "plugins" / "module_utils")
    before = target.read_text(encoding="utf-8")
    target.write_text(mutant.source, encoding="utf-8")
    try:
        return run(tests, folder, limit) != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(before, encoding="utf-8")


def run(tests: tuple[str, ...], folder: Path, limit: float) -> int:
    """The exit status of the tests against the collection in ``folder``."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "h")}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header"]
    command += ["-c", str(folder / "pyproject.toml"), "--rootdir", str(folder)]
    command += ["-o", f"pythonpath={folder} {ROOT}", *tests]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=limit, check=False)
    return done.returncode


def score(room: str, sample: int, seed: int) -> float:
    """The share of mutants of a room that its tests kill, in percent."""
    files = sorted((ROOT / "plugins" / "module_utils" / room).glob("*.py"))
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    chosen = mutants
    if 0 < sample < len(mutants):
        chosen = random.Random(seed).sample(mutants, sample)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        module_utils = collection_copy(folder)
        started = time.monotonic()
        if run(ROOMS[room], folder, 1200):
            raise SystemExit(f"the tests of {room} fail without any mutant")
        limit = 30 + 4 * (time.monotonic() - started)
        survivors = []
        for number, mutant in enumerate(chosen, start=1):
            if not killed(mutant, ROOMS[room], folder, module_utils, limit):
                survivors.append(mutant)
                print(f"survived  {mutant}", flush=True)
            if number % 20 == 0:
                print(f"{room}: {number} of {len(chosen)}, {len(survivors)} survived", flush=True)
    percent = 100 * (1 - len(survivors) / len(chosen))
    print(f"mutation: {room} {percent:.1f} % ({len(chosen) - len(survivors)} of {len(chosen)})", flush=True)
    return percent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", default=list(ROOMS), help="default: all of them")
    parser.add_argument("--sample", type=int, default=150, help="mutants a room, 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=80.0, help="percent below which the run fails")
    given = parser.parse_args()
    scores = [score(room, given.sample, given.seed) for room in given.rooms]
    raise SystemExit(any(percent < given.least for percent in scores))


if __name__ == "__main__":
    main()
