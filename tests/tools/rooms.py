# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that data flows only down through the rooms of plugins/module_utils.

A room may import the rooms above it and none below; the pure ones do not reach for the clock, chance, the environment
or the outside. A new room gets its place in FLOORS, by decision, or the check fails.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tools.checkout import ROOT

MODULE_UTILS = "ansible_collections.emco.edge.plugins.module_utils."

# From the top of the house down; rooms on one floor may not import each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("_model",),
    ("_hardware",),
    ("_placement",),
    ("_render",),
    ("_engines",),
    ("_controllers",),
    ("_plan",),
    ("_logical_clouds",),
    ("_emco",),
    ("_rollout",),
    ("_kube", "_ovn"),
    ("_sync",),
    ("_observe",),
    ("_store",),
    ("_verbs",),
)
PURE = (
    "_model", "_hardware", "_placement", "_render", "_engines", "_controllers", "_plan", "_logical_clouds", "_emco",
    "_rollout",
)  # fmt: skip

OUTSIDE = {
    "asyncio", "concurrent", "getpass", "http", "kubernetes", "multiprocessing", "os", "random", "requests", "secrets",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib3", "uuid",
}  # fmt: skip
# The renderer process, and the folders that charts and manifests are read from.
ALLOWED_OUTSIDE = {"_render": {"concurrent", "os", "shutil", "subprocess", "tempfile", "threading"}}
CLOCK_CALLS = {"now", "utcnow", "today"}


@dataclass(frozen=True)
class Violation:
    """Where and what; printed as one line."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def violations_in(room: str, path: str, source: str) -> Iterator[Violation]:
    """What one file of a room imports or calls against the rules."""
    tree = ast.parse(source, path)
    for node in ast.walk(tree):
        for name in _imported(node):
            what = _refusal(room, name)
            if what:
                yield Violation(path, getattr(node, "lineno", 0), what)
        if room in PURE and _reads_the_clock(node):
            yield Violation(path, getattr(node, "lineno", 0), f"{room} is pure: the time is a parameter")


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.level:
            return ["." * node.level + (node.module or "")]
        module = node.module or ""
        # `from ...module_utils import _kube` names the room only in the alias.
        if module + "." == MODULE_UTILS:
            return [f"{module}.{alias.name}" for alias in node.names]
        return [module]
    return []


def _refusal(room: str, imported: str) -> str | None:
    if imported.startswith("."):
        return "imports are absolute"
    if imported.startswith("ansible.") and not imported.startswith("ansible.module_utils."):
        return f"module_utils travel to other hosts: {imported} stays behind"
    if imported.startswith(MODULE_UTILS):
        other = imported.removeprefix(MODULE_UTILS).split(".")[0]
        if other != room and floor_of(other) >= floor_of(room):
            return f"{room} imports {other}, which is not above it"
        return None
    top = imported.split(".")[0]
    if room in PURE and top in OUTSIDE - ALLOWED_OUTSIDE.get(room, set()):
        return f"{room} is pure: no {top}"
    return None


def _reads_the_clock(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_CALLS
        and isinstance(node.func.value, ast.Name | ast.Attribute)
        and ast.unparse(node.func.value).rpartition(".")[2] in {"datetime", "date"}
    )


def floor_of(room: str) -> int:
    """Number of the room's floor, from the top; raises ValueError for a room that has none."""
    for number, rooms in enumerate(FLOORS):
        if room in rooms:
            return number
    raise ValueError(f"the room {room} has no floor: give it one in tests/tools/rooms.py")


def check(module_utils: Path) -> list[Violation]:
    """All violations under a module_utils folder."""
    found: list[Violation] = []
    for file in sorted(module_utils.rglob("*.py")):
        path = file.relative_to(module_utils)
        try:
            floor_of(path.parts[0])
            found.extend(violations_in(path.parts[0], str(path), file.read_text()))
        except ValueError as error:
            found.append(Violation(str(path), 1, str(error)))
    return found


def main() -> int:
    """Print the violations; exit code 1 when there are any."""
    found = check(ROOT / "plugins" / "module_utils")
    for violation in found:
        print(violation)
    print(f"rooms: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
