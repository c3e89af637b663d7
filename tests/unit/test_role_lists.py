# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role's list may hold is what its task passes on: a key that nobody would read is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).resolve().parents[2] / "roles"


@pytest.mark.parametrize(
    ("role", "wanted", "module"),
    [
        ("deploy", "deploy_composite_apps", "composite_app"),
        ("deploy", "deploy_deployments", "deployment"),
        ("logical_clouds", "logical_clouds_wanted", "logical_cloud"),
        ("networks", "networks_virtual", "network"),
        ("networks", "networks_provider", "provider_network"),
    ],
)
def test_a_list_may_hold_exactly_what_its_task_passes_on(role: str, wanted: str, module: str) -> None:
    tasks = yaml.safe_load((ROLES / role / "tasks" / "main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = next(task[f"emco.edge.{module}"] for task in tasks if f"emco.edge.{module}" in task)
    passed = {name for name, value in options.items() if re.search(rf"\bitem\.{name}\b", str(value))}
    for_other_roles = {"revision"} if wanted == "deploy_deployments" else set()
    assert set(specs["argument_specs"]["main"]["options"][wanted]["options"]) == passed | for_other_roles
