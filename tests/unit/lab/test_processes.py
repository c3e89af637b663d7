# SPDX-License-Identifier: GPL-3.0-or-later
"""A process is ours when its whole command line is the recorded one."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from emco_lab.processes import Processes, Program
from emco_lab.report import LabError


def sleeper(tmp_path: Path, seconds: int = 60) -> Program:
    # The comment makes the command line unique, as the lab's own paths do.
    return Program("sleeper", ("/bin/sh", "-c", f"sleep {seconds}; true # {tmp_path}"))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    ours = Processes(tmp_path / "run", tmp_path / "logs")
    yield ours
    ours.kill(ours.names())


def record(tmp_path: Path) -> Path:
    return tmp_path / "run" / "sleeper.json"


def test_running_program_is_not_started_again(tmp_path: Path, processes: Processes) -> None:
    assert processes.start(sleeper(tmp_path)) is True
    pid = processes.pid("sleeper")
    assert processes.start(sleeper(tmp_path)) is False
    assert processes.pid("sleeper") == pid
    assert processes.runs(sleeper(tmp_path))


def test_program_with_another_command_replaces_the_running_one(tmp_path: Path, processes: Processes) -> None:
    processes.start(sleeper(tmp_path, 60))
    before = processes.pid("sleeper")
    assert not processes.runs(sleeper(tmp_path, 61))
    assert processes.start(sleeper(tmp_path, 61)) is True
    assert processes.pid("sleeper") != before
    assert before is not None
    assert not Path(f"/proc/{before}/cmdline").exists() or Path(f"/proc/{before}/cmdline").read_bytes() == b""


def test_reused_pid_is_not_taken_for_ours(tmp_path: Path, processes: Processes) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        record(tmp_path).parent.mkdir()
        record(tmp_path).write_text(json.dumps({"command": ["/bin/other"], "environment": {}, "pid": stranger.pid}))
        assert processes.pid("sleeper") is None
        assert processes.stop(["sleeper"]) == []
        assert stranger.poll() is None
        stranger.kill()


def test_process_whose_start_was_interrupted_is_found(tmp_path: Path, processes: Processes) -> None:
    processes.start(sleeper(tmp_path))
    pid = processes.pid("sleeper")
    record(tmp_path).write_text(json.dumps({**json.loads(record(tmp_path).read_text()), "pid": None}))
    assert processes.pid("sleeper") == pid
    assert processes.kill(["sleeper"]) == ["sleeper"]
    assert processes.pid("sleeper") is None


def test_stop_does_not_wait_for_a_process_that_ignores_it(tmp_path: Path, processes: Processes) -> None:
    deaf = Program("deaf", ("/bin/sh", "-c", f"trap '' TERM; echo ready; while :; do sleep 0.1; done # {tmp_path}"))
    processes.start(deaf)
    while "ready" not in processes.log("deaf").read_text():
        time.sleep(0.01)
    started = time.monotonic()
    assert processes.stop(["deaf"], grace=0.2) == ["deaf"]
    assert 0.2 <= time.monotonic() - started < 3
    assert processes.names() == []


def test_early_end_is_reported_with_the_end_of_the_log(tmp_path: Path, processes: Processes) -> None:
    processes.start(Program("brief", ("/bin/sh", "-c", f"echo wrong flag >&2; exit 2 # {tmp_path}")))
    deadline = time.monotonic() + 5
    while processes.pid("brief") is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(LabError, match="wrong flag"):
        processes.must_live("brief")


def test_only_chosen_variables_reach_a_process(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    processes.start(Program("sleeper", sleeper(tmp_path).command, {"GOGC": "50"}))
    environment = Path(f"/proc/{processes.pid('sleeper')}/environ").read_text().split("\0")
    assert "GOGC=50" in environment
    assert not [entry for entry in environment if "PROXY" in entry]


def test_nice_program_yields_to_others(tmp_path: Path, processes: Processes) -> None:
    processes.start(Program("sleeper", sleeper(tmp_path).command, nice=7))
    pid = processes.pid("sleeper")
    assert pid is not None
    assert os.getpriority(os.PRIO_PROCESS, pid) == 7
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():
        # The kernel counts as nice(1) does, and names the session before.
        assert group.read_text().strip().endswith("nice 7")
    else:
        print("this kernel has no groups of sessions")


def test_record_is_for_the_owner_only(tmp_path: Path, processes: Processes) -> None:
    processes.start(sleeper(tmp_path))
    assert record(tmp_path).stat().st_mode & 0o077 == 0
