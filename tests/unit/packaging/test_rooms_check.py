# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check that keeps data flowing down through the house finds what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.rooms import FLOORS, PURE, check, violations_in

INSIDE = "ansible_collections.emco.edge.plugins.module_utils"


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("_model", f"from {INSIDE}._plan.revision import Revision"),
        ("_placement", f"from {INSIDE}._kube.transport import Transport"),
        ("_plan", f"from {INSIDE} import _store"),
        ("_sync", f"import {INSIDE}._observe.status"),
        ("_sync", f"from {INSIDE}._verbs.deployment import run"),
        ("_placement", "import time"),
        ("_rollout", "from threading import Lock"),
        ("_plan", "import random"),
        ("_model", "import os.path"),
        ("_plan", "from datetime import datetime\nstamp = datetime.now()"),
        ("_plan", "import datetime\nstamp = datetime.datetime.utcnow()"),
        ("_kube", "from ansible.errors import AnsibleError"),
        ("_model", "from .errors import EdgeError"),
        ("_model", "def late():\n    import socket"),
    ],
)
def test_import_against_the_flow_is_found(room: str, line: str) -> None:
    assert len(list(violations_in(room, "file.py", line))) == 1


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("_placement", f"from {INSIDE}._model.cluster import Cluster"),
        ("_sync", f"from {INSIDE}._kube.transport import Transport"),
        ("_sync", "import time"),
        ("_render", "import subprocess"),
        ("_kube", "from ansible.module_utils.common.text.converters import to_text"),
        ("_plan", "from datetime import datetime, timezone"),
    ],
)
def test_import_with_the_flow_is_left_alone(room: str, line: str) -> None:
    assert not list(violations_in(room, "file.py", line))


def test_room_without_a_floor_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_attic").mkdir()
    (tmp_path / "_attic" / "boxes.py").write_text("")
    (violation,) = check(tmp_path)
    assert "_attic has no floor" in str(violation)


def test_pure_rooms_are_rooms() -> None:
    assert set(PURE) <= {room for floor in FLOORS for room in floor}
