# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test` can be believed: what did not run is never counted as passed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tools import check
from tests.tools.tally import Tally, of_exit_code, of_junit

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure>no</failure></testcase>
<testcase name="c"><skipped/></testcase><testcase name="d"><error>no</error></testcase><testcase name="e"/>
</testsuite></testsuites>"""


def test_cases_of_all_reports_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text(REPORT)
    (tmp_path / "two.xml").write_text("<testsuite><testcase/></testsuite>")
    assert of_junit(sorted(tmp_path.glob("*.xml")), 1) == Tally(passed=3, failed=2, skipped=1)


def test_run_that_died_before_any_case_failed_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text("<testsuite><testcase/></testsuite>")
    assert of_junit([tmp_path / "one.xml"], 2) == Tally(passed=1, failed=1)


def test_sanity_test_with_nothing_to_look_at_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "pslint.xml").write_text(
        "<testsuite><testcase><skipped>No tests applicable.</skipped></testcase></testsuite>"
    )
    (tmp_path / "pep8.xml").write_text("<testsuite><testcase/></testsuite>")
    assert of_junit(sorted(tmp_path.glob("*.xml")), 0) == Tally(passed=1)


def test_run_without_any_test_is_a_failure() -> None:
    assert of_junit([], 0) == Tally(failed=1)


def test_tool_is_counted_once_by_its_exit_code() -> None:
    assert of_exit_code(0) + of_exit_code(3) == Tally(passed=1, failed=1)


def test_total_reads_as_the_closing_line_must() -> None:
    assert str(Tally(3, 1, 2)) == "3 passed, 1 failed, 2 skipped"


def test_step_that_takes_too_long_is_stopped_and_fails() -> None:
    assert check.run_within([sys.executable, "-c", "import time; time.sleep(60)"], limit=1) == check.TIMED_OUT


def test_tool_that_is_not_there_fails() -> None:
    assert check.run_within(["no-such-tool-anywhere"], limit=5) != 0


def test_unknown_part_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match="no such part: lynt"):
        check.chosen(["lynt"])


def test_every_group_of_the_makefile_has_steps() -> None:
    groups = {step.group for step in check.chosen([])}
    assert groups == {"lint", "unit", "sanity", "integration", "molecule"}
