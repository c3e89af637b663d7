# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program and says what it took: wall clock, processor time, and the memory of it and all its children."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PLUGINS = Path(__file__).resolve().parent / "callback_plugins"
_EVERY = 0.1


@dataclass(frozen=True)
class Taken:
    """What a program took.

    ``memory``: peak MB of private memory and the process's share of what is shared (PSS), 0 where nobody looked.
    """

    code: int
    seconds: float
    cpu: float
    memory: float
    output: str
    tasks: Mapping[str, float] = field(default_factory=dict)


def taken(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    memory: bool = True,
) -> Taken:
    """Run a program to its end; RuntimeError with its output when it fails.

    ``memory``: look at it ten times a second, which costs a program of a second or two a tenth of its time.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        env={**_everyday(), **(environment or {})},
        cwd=folder,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    watch = _Memory(process.pid) if memory else None
    output, _unused = process.communicate()
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{output[-4000:]}")
    return Taken(process.returncode, seconds, cpu, watch.peak() if watch else 0.0, output)


def _everyday() -> dict[str, str]:
    """Our environment without what makes Python compile everything anew each time: people's machines do not say so."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def playbook_taken(
    program: Path, *arguments: str, environment: Mapping[str, str], folder: Path, memory: bool = True
) -> Taken:
    """Run ansible-playbook; ``tasks`` has the seconds of each task over all hosts."""
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8") as file:
        found = taken(
            [str(program), *arguments],
            environment={
                "ANSIBLE_CALLBACK_PLUGINS": str(_PLUGINS),
                "ANSIBLE_CALLBACKS_ENABLED": "task_seconds",
                "BENCH_TASKS_FILE": file.name,
                **environment,
            },
            folder=folder,
            memory=memory,
        )
        lines = [json.loads(line) for line in file]
    tasks = {str(line["task"]): float(line["seconds"]) for line in lines}
    return Taken(found.code, found.seconds, found.cpu, found.memory, found.output, tasks)


def quiet(share: float = 0.9, patience: float = 45.0) -> None:
    """Wait until so much of the processors is idle for three seconds, or nobody has more patience."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before = _processor_times()
        time.sleep(3)
        idle, everything = (after - at for after, at in zip(_processor_times(), before, strict=True))
        if idle >= share * everything:
            return


def processor_seconds() -> dict[str, float]:
    """What every running program has had of the processors since it was started, by name."""
    found: dict[str, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _unused, rest = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        user, system = rest.split()[11:13]
        name = head.partition("(")[2]
        found[name] = found.get(name, 0.0) + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return found


def _processor_times() -> tuple[int, int]:
    """Idle and all ticks since the machine was started."""
    ticks = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]]
    return ticks[3] + ticks[4], sum(ticks[:8])


class _Memory:
    """Looks at a process and its descendants again and again."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def peak(self) -> float:
        """MB, once the process has ended."""
        self._thread.join(timeout=2)
        return self._peak / 1024

    def _watch(self) -> None:
        while Path(f"/proc/{self._pid}/smaps_rollup").exists():
            found = sum(_pss(pid) for pid in _family(self._pid))
            if not found:
                return
            self._peak = max(self._peak, found)
            time.sleep(_EVERY)


def _family(pid: int) -> list[int]:
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                left += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _pss(pid: int) -> int:
    """kB; nothing for a process that has ended meanwhile."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0
