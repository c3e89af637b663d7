# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks the pure rooms on purpose, one small thing at a time, and counts how often their unit tests notice.

    make mutation ARGS="--room _placement --count 40"

It works on a copy of the collection. What survives is printed: each is a line that no test holds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tools.checkout import TOOLS, copy_as_collection
from tests.tools.mutants import Mutant, mutants, some
from tests.tools.rooms import PURE

LIMIT = 300


@dataclass
class Workplace:
    """A copy of the collection whose files may be broken."""

    collection: Path

    @classmethod
    def made(cls) -> Workplace:
        """A fresh copy; pytest finds the collection there where the checkout's own has its link."""
        above = TOOLS / "mutation"
        collection = copy_as_collection(above)
        (collection / ".tools").mkdir()
        (collection / ".tools" / "collections").symlink_to(above)
        return cls(collection)

    def files_of(self, room: str) -> list[Path]:
        return sorted((self.collection / "plugins" / "module_utils" / room).rglob("*.py"))

    def tests_notice(self, room: str) -> bool:
        """Whether the room's unit tests fail; running for too long is noticing, too."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"tests/unit/{room[1:]}"]
        # CI: the same examples for every mutant, so that the score is the same in every run.
        environment = {**os.environ, "CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            run = subprocess.run(
                command, cwd=self.collection, env=environment, capture_output=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            return True
        return run.returncode != 0


def chosen(workplace: Workplace, room: str, count: int) -> Iterator[tuple[Path, Mutant]]:
    """At most count mutants of a room, each file by its share."""
    by_file = {file: mutants(file.read_text()) for file in workplace.files_of(room)}
    total = sum(len(found) for found in by_file.values())
    for file, found in by_file.items():
        share = round(count * len(found) / total) if total > count else len(found)
        for mutant in some(found, file.name, share):
            yield file, mutant


def examine(workplace: Workplace, room: str, count: int) -> tuple[int, int]:
    """How many mutants of a room were noticed, of how many; survivors are printed."""
    noticed = tried = 0
    for file, mutant in chosen(workplace, room, count):
        original = file.read_text()
        file.write_text(mutant.source)
        try:
            seen = workplace.tests_notice(room)
        finally:
            file.write_text(original)
        tried += 1
        noticed += seen
        if not seen:
            print(f"survived: {file.relative_to(workplace.collection)}:{mutant.line}: {mutant.what}", flush=True)
    return noticed, tried


def main(words: list[str]) -> int:
    """Exit code 1 when a room's tests fail unbroken, or notice less than --least percent."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("--room", action="append", choices=PURE, help="may be repeated; default: all pure rooms")
    parser.add_argument("--count", type=int, default=20, help="mutants of each room (%(default)s)")
    parser.add_argument("--least", type=int, default=0, help="percent that must be noticed (%(default)s)")
    options = parser.parse_args(words)
    workplace, wrong = Workplace.made(), 0
    for room in options.room or PURE:
        if not workplace.files_of(room) or not (workplace.collection / "tests" / "unit" / room[1:]).is_dir():
            print(f"mutation: {room} has no files or no tests of its own", flush=True)
        elif workplace.tests_notice(room):
            print(f"mutation: {room}: its tests fail as it is", flush=True)
            wrong += 1
        else:
            noticed, tried = examine(workplace, room, options.count)
            print(f"mutation: {room} {noticed} of {tried} noticed, {100 * noticed // max(tried, 1)} %", flush=True)
            wrong += tried > 0 and 100 * noticed < options.least * tried
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
