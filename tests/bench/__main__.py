# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the measures: ``python -m tests.bench [group ...]``, all groups by default.

A group is a file beside this one. It is run as a program, prints tables for people and one line ``bench: GROUP.NAME
VALUE UNIT`` for each figure, and what it prints becomes its section of docs/benchmarks.md.
"""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from tests.tools.checkout import ROOT

GROUPS = ("apply", "register", "plan", "fleet", "logical_clouds", "networks", "documents")
BY_NAME_ONLY = ("scheduler",)
PAGE = ROOT / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `make bench`; each section is what the command above it printed on the machine it names.
"""


def main(wanted: list[str]) -> int:
    """Run groups one after the other; the exit code says whether one of them failed."""
    unknown = sorted(set(wanted) - {*GROUPS, *BY_NAME_ONLY})
    if unknown:
        print(f"no group {', '.join(unknown)}; there are {', '.join((*_existing(), *BY_NAME_ONLY))}", file=sys.stderr)
        return 2
    failed = []
    for group in wanted or _existing():
        print(f"== {group}", flush=True)
        code, printed = _run(group)
        if code == 0:
            write_section(PAGE, group, printed)
        else:
            failed.append(group)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _existing() -> list[str]:
    return [group for group in GROUPS if (Path(__file__).parent / f"{group}.py").is_file()]


def _run(group: str) -> tuple[int, str]:
    """Exit code and output of a group, which is shown as it comes."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", f"tests.bench.{group}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / '.tools' / 'collections'}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    assert process.stdout is not None  # it is a pipe
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    return process.wait(), "".join(lines)


def write_section(page: Path, group: str, printed: str) -> None:
    """Put what a group printed into its section, and leave the other sections as they are."""
    text = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    section = (
        f"<!-- begin {group} -->\n## {group}\n\n`make bench ONLY={group}`, {today}, {_machine()}\n\n"
        f"```text\n{printed.rstrip()}\n```\n<!-- end {group} -->\n"
    )
    old = re.compile(rf"<!-- begin {group} -->\n.*?<!-- end {group} -->\n", re.DOTALL)
    changed = old.sub(lambda _: section, text) if old.search(text) else text.rstrip() + "\n\n" + section
    page.parent.mkdir(exist_ok=True)
    page.write_text(changed, encoding="utf-8")


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
