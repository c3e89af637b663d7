# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs over more clusters than this machine holds, so on a fake fleet: helper processes, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import cores
from tests.bench.fakes import FakeFleet
from tests.bench.fleet import Control, check_bodies
from tests.bench.processes import Taken
from tests.tools.checkout import TOOLS

pytestmark = pytest.mark.integration

COUNT = 60
MANY = {"rollout": {"waves": [{"count": "50%", "repeat": True}]}}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    folder = tmp_path / "kubeconfigs"
    folder.mkdir()
    with FakeFleet(COUNT, latency_ms=50, folder=folder) as started:
        yield started


@pytest.fixture
def control(fleet: FakeFleet, tmp_path: Path) -> Control:
    made = Control(tmp_path / "control")
    made.register({f"edge-{index:05d}": fleet.kubeconfig(index) for index in range(COUNT)})
    return made


def _family(pid: int) -> set[int]:
    found, left = set(), [pid]
    while left:
        one = left.pop()
        found.add(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            left += [int(child) for child in task.read_text().split()]
    return found


def _begun(control: Control) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(TOOLS / "venv" / "bin" / "ansible-playbook"), "--inventory", "localhost,", "play.yml"],
        cwd=control.folder,
        env={**os.environ, **control.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_in_several_processes_that_is_ended_is_finished_by_the_next(
    fleet: FakeFleet, control: Control, number: signal.Signals
) -> None:
    control.write_play(*control.deploying(**MANY))
    fleet.reset()
    running = _begun(control)
    while fleet.counts().writes < 5 * COUNT:
        assert running.poll() is None
        time.sleep(0.02)
    family = _family(running.pid)
    # The playbook, the task's worker, and its helpers.
    assert len(family) >= 2 + (min(cores(), 4) if cores() > 1 else 0)
    began = time.monotonic()
    os.killpg(running.pid, number)
    running.communicate(timeout=30)
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family):
        assert time.monotonic() - began < 20, "a process of the run is left"
        time.sleep(0.05)
    assert running.returncode != 0
    fleet.reset()
    finished: Taken = control.deploy(**MANY)
    assert "failed=0" in finished.output
    check_bodies(fleet)
