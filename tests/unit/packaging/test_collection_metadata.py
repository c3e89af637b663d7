# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What galaxy.yml, meta/ and the requirement files promise to Galaxy, Automation Hub and ansible-builder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.checkout import files_of_the_project

ROOT = Path(__file__).resolve().parents[3]
GALAXY_TAGS = {
    "ai", "application", "cloud", "database", "eda", "infrastructure", "linux", "monitoring", "networking", "security",
    "storage", "tools", "windows",
}  # fmt: skip


def parsed(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def requirement_lines(name: str) -> list[str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return sorted(line for line in lines if line)


def test_action_group_all_names_exactly_the_modules() -> None:
    modules = sorted(file.stem for file in (ROOT / "plugins" / "modules").glob("*.py"))
    assert parsed("meta/runtime.yml")["action_groups"]["all"] == modules


def test_every_action_plugin_has_its_module() -> None:
    modules = {file.stem for file in (ROOT / "plugins" / "modules").glob("*.py")}
    actions = {file.stem for file in (ROOT / "plugins" / "action").glob("*.py")}
    assert actions <= modules


def test_requires_the_oldest_core_that_is_tested() -> None:
    assert parsed("meta/runtime.yml")["requires_ansible"] == ">=2.16.0"


def test_tags_are_what_galaxy_accepts() -> None:
    tags = parsed("galaxy.yml")["tags"]
    assert len(tags) <= 20
    assert all(re.fullmatch(r"[a-z][0-9a-z_]*", tag) for tag in tags)
    assert GALAXY_TAGS.intersection(tags)


def test_changelog_has_an_entry_for_the_version() -> None:
    assert parsed("galaxy.yml")["version"] in parsed("changelogs/changelog.yaml")["releases"]


# What only some users need, and is imported only when they do.
OPTIONAL = {"ovsdbapp>=2.0"}


def test_execution_environment_gets_what_the_collection_imports() -> None:
    environment = parsed("meta/execution-environment.yml")["dependencies"]
    assert set(requirement_lines(environment["python"])) == {*requirement_lines("requirements.txt"), *OPTIONAL}
    assert (ROOT / environment["system"]).is_file()


def test_runtime_requirements_set_lower_bounds_only_and_never_ansible() -> None:
    lines = requirement_lines("requirements.txt")
    assert all(re.fullmatch(r"[A-Za-z]+>=[0-9.]+", line) for line in lines)
    assert not [line for line in lines if line.startswith("ansible")]


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-ansible.txt"])
def test_lock_pins_every_version_and_names_no_index(name: str) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+-]+", line) for line in requirement_lines(name))


def test_lock_has_every_tool_that_was_asked_for() -> None:
    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[=<>]", line)[0].lower().replace("_", "-") for line in lines if not line.startswith("-")}

    wanted = names(requirement_lines("requirements-dev.in")) | names(requirement_lines("requirements.txt"))
    assert wanted <= names(requirement_lines("requirements-dev.txt"))


def test_python_files_say_their_licence_where_ansible_expects_it() -> None:
    wrong = []
    for path in files_of_the_project():
        if path.suffix != ".py" or not (ROOT / path).stat().st_size:
            continue
        head = (ROOT / path).read_text()[:600]
        licence = "BSD-2-Clause" if path.parts[:2] == ("plugins", "module_utils") else "GPL-3.0-or-later"
        if f"SPDX-License-Identifier: {licence}" not in head:
            wrong.append(f"{path}: not {licence}")
    assert not wrong


def test_no_binary_and_no_big_file_is_part_of_the_project() -> None:
    big = [str(path) for path in files_of_the_project() if (ROOT / path).stat().st_size > 500_000]
    binary = [str(path) for path in files_of_the_project() if b"\0" in (ROOT / path).read_bytes()[:8192]]
    assert not big
    assert not binary
