# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs everything that CI runs, or the parts that are named, streams what they say and counts.

    python -m tests.tools.check [PART...] [-- ARGUMENT...]

A PART is a group (lint, unit, sanity, integration, molecule) or one step of it (ruff, mypy ...); ARGUMENTs are given to
the last command of each part, such as `-k name` to pytest. The last line is `N passed, N failed, N skipped`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.tools.checkout import REPORTS, ROOT, files_of_the_project
from tests.tools.tally import Tally, of_exit_code, of_junit

MINUTE = 60
TIMED_OUT = 124


@dataclass(frozen=True)
class Step:
    """One command and how to count it. limit: seconds after which it is stopped and has failed."""

    group: str
    name: str
    command: Sequence[str]
    count: Callable[[int], Tally] = of_exit_code
    limit: int = 10 * MINUTE
    takes_arguments: bool = False


def steps() -> list[Step]:
    """All steps in the order in which they run: what answers fast comes first."""
    python = sys.executable
    return [
        Step("lint", "ruff", ["ruff", "check", "."]),
        Step("lint", "format", ["ruff", "format", "--check", "."]),
        Step("lint", "mypy", ["mypy", "-p", "ansible_collections.emco.edge.plugins"]),
        Step("lint", "mypy-tools", ["mypy", "tests/tools", "scripts"]),
        Step("lint", "rooms", [python, "-m", "tests.tools.rooms"]),
        Step("lint", "yamllint", ["yamllint", "--strict", "."]),
        Step("lint", "shellcheck", ["shellcheck", *shell_scripts()]),
        Step("lint", "ansible-lint", ["ansible-lint", "--profile", "production", "--strict"], limit=20 * MINUTE),
        pytest("unit", "not integration"),
        Step(
            "sanity",
            "sanity",
            [python, "-m", "tests.tools.sanity"],
            count=lambda code: of_junit(sorted((REPORTS / "sanity").glob("*.xml")), code),
            limit=30 * MINUTE,
            takes_arguments=True,
        ),
        Step("integration", "lab", ["ansible-playbook", "emco.edge.lab"], limit=30 * MINUTE),
        Step("integration", "charts", [python, "-m", "tests.tools.charts"]),
        pytest("integration", "integration"),
        Step("molecule", "molecule", [python, "-m", "tests.tools.molecule"], limit=15 * MINUTE, takes_arguments=True),
    ]


def pytest(group: str, marker: str) -> Step:
    """Tests by marker over all folders, so that a test in an unexpected folder is still run by one of the groups."""
    report = REPORTS / f"{group}.xml"
    return Step(
        group,
        f"pytest-{group}",
        # A file is one worker's: its tests share a lab. Two workers, because much of the time is spent waiting.
        [
            *(sys.executable, "-m", "pytest", "-m", marker, f"--junit-xml={report}", "--durations=5"),
            *("-n", "2", "--dist", "loadfile"),
        ],
        count=lambda code: of_junit([report] if report.exists() else [], code),
        limit=40 * MINUTE,
        takes_arguments=True,
    )


def shell_scripts() -> list[str]:
    """Files of the project whose first line names a shell."""
    scripts = []
    for path in files_of_the_project():
        with (ROOT / path).open("rb") as file:
            first = file.readline(64)
        if first.startswith(b"#!") and first.rstrip().endswith((b"bash", b"/sh")):
            scripts.append(str(path))
    return scripts


@dataclass(frozen=True)
class Outcome:
    """What one step came to. seconds: elapsed."""

    step: Step
    tally: Tally
    seconds: float


def run(step: Step, arguments: Sequence[str]) -> Outcome:
    """Run one step with its output going where ours goes."""
    command = [*step.command, *(arguments if step.takes_arguments else ())]
    print(f"\n== {step.group}: {step.name}: {' '.join(str(word) for word in command[:12])}", flush=True)
    forget_old_reports(step)
    began = time.monotonic()
    code = run_within(command, step.limit)
    seconds = time.monotonic() - began
    tally = step.count(code)
    print(f"-- {step.name}: {tally}, {seconds:.1f} s", flush=True)
    return Outcome(step, tally, seconds)


def forget_old_reports(step: Step) -> None:
    """A report of an earlier run must not be counted when this one dies before it writes its own."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    for report in [*REPORTS.glob(f"{step.group}.xml"), *REPORTS.glob(f"{step.group}/*.xml")]:
        report.unlink()


def run_within(command: Sequence[str], limit: int) -> int:
    """Exit code of the command; its whole process group is ended when it takes longer than limit (seconds)."""
    environment = dict(os.environ) if sys.stdout.isatty() else {**os.environ, "NO_COLOR": "1"}
    try:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        print(f"cannot run: {error}", flush=True)
        return 127
    try:
        return process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        print(f"stopped: not finished after {limit} s", flush=True)
        end_group(process)
        return TIMED_OUT
    except BaseException:
        end_group(process)
        raise


def end_group(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the step's processes, SIGKILL to those that do not listen."""
    for name in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, name)
            process.wait(timeout=10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
        return


def chosen(parts: Sequence[str]) -> list[Step]:
    """The steps that the parts name; all without parts. Raises SystemExit for a part that is none."""
    everything = steps()
    known = {name for step in everything for name in (step.group, step.name)}
    unknown = [part for part in parts if part not in known]
    if unknown:
        raise SystemExit(f"no such part: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [step for step in everything if not parts or step.group in parts or step.name in parts]


def main(words: list[str]) -> int:
    """Run, sum up, and fail when anything failed."""
    cut = words.index("--") if "--" in words else len(words)
    outcomes = [run(step, words[cut + 1 :]) for step in chosen(words[:cut])]
    total = sum((outcome.tally for outcome in outcomes), Tally())
    print("\n== summary")
    for outcome in outcomes:
        print(f"{outcome.step.group:12} {outcome.step.name:20} {outcome.seconds:7.1f} s   {outcome.tally}")
    print(f"{'all':12} {'':20} {sum(outcome.seconds for outcome in outcomes):7.1f} s\n")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
