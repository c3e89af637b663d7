# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that outlive this program: started once, found again, stopped for sure.

A pid alone proves nothing, since pids are reused within minutes on a busy machine: a process is ours
when its whole command line is the recorded one. The command line is recorded before the start, so that
a process whose start was interrupted is found too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emco_lab.layout import write_private
from emco_lab.report import LabError

PROC = Path("/proc")


@dataclass(frozen=True)
class Program:
    """What shall run; with ``nice`` (0 to 19, as nice(1) counts) others have the processors first."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    nice: int = 0


class Processes:
    """The processes of one lab."""

    def __init__(self, run: Path, logs: Path) -> None:
        self._run = run
        self._logs = logs

    def names(self) -> list[str]:
        """Every process on record, running or not."""
        return sorted(path.stem for path in self._run.glob("*.json"))

    def pid(self, name: str) -> int | None:
        """The pid of the running process of that name."""
        record = self._record(name)
        return _find(record["pid"], record["command"]) if record else None

    def frozen(self, name: str) -> bool:
        """Whether the process exists but was stopped by a signal."""
        pid = self.pid(name)
        return pid is not None and _state(pid) == "T"

    def runs(self, program: Program) -> bool:
        """Whether the program runs with exactly this command, and is not frozen."""
        return self._matches(program) and not self.frozen(program.name)

    def start(self, program: Program) -> bool:
        """Make the program run with exactly this command; true when something had to be done."""
        if self._matches(program):
            return self.signal(program.name, signal.SIGCONT) if self.frozen(program.name) else False
        if self.pid(program.name) is not None:
            self.stop([program.name])
        wanted = _wanted(program)
        self._write(program.name, {**wanted, "pid": None})
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Only what is listed is passed on: proxies and Go settings of the caller must not change a lab.
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
        with self.log(program.name).open("ab") as log:
            process = subprocess.Popen(
                (*(("nice", "-n", str(program.nice)) if program.nice else ()), *program.command),
                cwd=self._run.parent,
                env={**environment, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._write(program.name, {**wanted, "pid": process.pid})
        if program.nice:
            _yield_as_group(process.pid, program.nice)
        # Popen returns a moment before the kernel shows the new command line.
        deadline = time.monotonic() + 5
        while process.poll() is None and _command(process.pid) != wanted["command"] and time.monotonic() < deadline:
            time.sleep(0.001)
        process.returncode = 0  # it is meant to outlive this program; no warning about that
        return True

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal; false when the process does not run."""
        pid = self.pid(name)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def stop(self, names: Iterable[str], grace: float = 3.0) -> list[str]:
        """Stop processes one after the other (SIGTERM, then SIGKILL) and forget them; returns those that ran."""
        stopped = []
        for name in names:
            if self.pid(name) is not None and not self.frozen(name) and grace:
                self.signal(name, signal.SIGTERM)
                stopped.append(name)
                self._wait_gone(name, grace)
            stopped += self.kill([name])
            self.forget(name)
        return list(dict.fromkeys(stopped))

    def kill(self, names: Iterable[str]) -> list[str]:
        """SIGKILL all, then wait until they are gone; the records stay."""
        killed = [name for name in names if self.signal(name, signal.SIGKILL)]
        for name in killed:
            if not self._wait_gone(name, 10):
                raise LabError(f"{name} (pid {self.pid(name)}) does not die of SIGKILL")
        return killed

    def forget(self, name: str) -> None:
        """Drop the record of a process that is gone."""
        (self._run / f"{name}.json").unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """Where the process writes."""
        return self._logs / f"{name}.log"

    def must_live(self, name: str) -> None:
        """Raise LabError with the end of its log when the process is gone."""
        if self.pid(name) is None:
            log = self.log(name)
            lines = log.read_text(errors="replace").strip().splitlines()[-8:] if log.exists() else []
            raise LabError(f"{name} ended early; the end of {log}:\n  " + "\n  ".join(lines))

    def _matches(self, program: Program) -> bool:
        record = self._record(program.name)
        if not record or self.pid(program.name) is None:
            return False
        return {key: value for key, value in record.items() if key != "pid"} == _wanted(program)

    def _wait_gone(self, name: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid(name) is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _record(self, name: str) -> dict[str, object] | None:
        try:
            record = json.loads((self._run / f"{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return record if isinstance(record, dict) else None

    def _write(self, name: str, record: Mapping[str, object]) -> None:
        write_private(self._run / f"{name}.json", json.dumps(record, indent=2) + "\n")


def _wanted(program: Program) -> dict[str, object]:
    return {"command": list(program.command), "environment": dict(program.environment), "nice": program.nice}


def _yield_as_group(pid: int, nice: int) -> None:
    """A kernel that shares the processors out among sessions looks only at what their group has."""
    for _unused in range(20):
        try:
            (PROC / str(pid) / "autogroup").write_text(str(nice), encoding="ascii")
        except BlockingIOError:
            time.sleep(0.1)  # only root may do so more often
        except OSError:
            return  # it shares them out in another way, or the process has ended
        else:
            return


def _find(pid: object, command: object) -> int | None:
    if isinstance(pid, int):
        return pid if _command(pid) == command else None
    # Interrupted between start and record: the command line names the lab's own files, so it is unique.
    return next((n for n in _pids() if _command(n) == command), None)


def _pids() -> list[int]:
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]


def _command(pid: int) -> list[str] | None:
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return raw.decode(errors="surrogateescape").split("\0")[:-1] if raw else None


def _state(pid: int) -> str:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
