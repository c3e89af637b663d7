# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants are code that runs, differs from the original in one place, and are the same in every run."""

from __future__ import annotations

import ast

import pytest

from tests.tools.mutants import mutants, some


@pytest.mark.parametrize(
    ("source", "broken"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = not a", ["x = a"]),
        ("x = a + 1", ["x = a + 2", "x = a - 1"]),
        ("x = True", ["x = False"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("x: Literal[1] = 1", ["x: Literal[1] = 2"]),
        ("def f(a: int | None = None) -> A | B:\n    '''Doc.'''\n    return None", []),
        ("x = a in b", ["x = a not in b"]),
    ],
)
def test_each_place_is_broken_once(source: str, broken: list[str]) -> None:
    assert sorted(mutant.source for mutant in mutants(source)) == sorted(
        ast.unparse(ast.parse(text)) + "\n" for text in broken
    )


def test_the_same_few_are_chosen_again() -> None:
    found = mutants("\n".join(f"x{number} = a < {number}" for number in range(30)))
    chosen = some(found, "file.py", 5)
    assert chosen == some(list(reversed(found)), "file.py", 5)
    assert len(chosen) == 5
