# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting what ran, from exit codes and from JUnit reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

NOT_APPLICABLE = "No tests applicable"


@dataclass(frozen=True)
class Tally:
    """How many checks passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_exit_code(code: int) -> Tally:
    """A tool that answers once for all it looked at counts as one."""
    return Tally(passed=1) if code == 0 else Tally(failed=1)


def of_junit(reports: list[Path], code: int) -> Tally:
    """Sum of the test cases in JUnit reports.

    A run that failed although no case did (a crash, a broken collection, no test at all) counts as one failure, so that
    it can never look green. What ansible-test calls not applicable had nothing to look at and is not counted: a skipped
    check is one that should have looked.
    """
    total = Tally()
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            total += _of_case(case)
    if code != 0 and total.failed == 0:
        total += Tally(failed=1)
    if total == Tally():
        total += Tally(failed=1)
    return total


def _of_case(case: ElementTree.Element) -> Tally:
    if case.find("failure") is not None or case.find("error") is not None:
        return Tally(failed=1)
    skipped = case.find("skipped")
    if skipped is not None:
        return Tally() if (skipped.text or "").startswith(NOT_APPLICABLE) else Tally(skipped=1)
    return Tally(passed=1)
