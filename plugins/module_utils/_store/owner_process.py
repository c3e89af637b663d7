# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether the process that took a lease on this machine is surely dead.

So that a run that was killed can be started again at once, instead of waiting for its lease to expire.
"""

from __future__ import annotations

import os
from pathlib import Path


def this_process() -> str:
    """What identifies this process on its machine, or the empty string where that cannot be told."""
    return _identity(os.getpid())


def surely_dead(identity: str) -> bool:
    """Whether the process that this_process() identified ran here and is gone; False on any doubt.

    The machine's boot and the process namespace must be ours: another machine or container has other process numbers.
    """
    here, _separator, _started = this_process().rpartition(":")
    machine, _separator, _pid = here.rpartition(":")
    if not machine or not identity.startswith(machine + ":"):
        return False
    pid, _separator, _started = identity[len(machine) + 1 :].partition(":")
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    now = _identity(int(pid))
    return bool(now) and now != identity


def _identity(pid: int) -> str:
    """``boot:namespace:pid:start``; a zombie's start is 0, it holds nothing any more."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink().name
        # The second field is the program's name in parentheses and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    state, started = fields[0], fields[19]
    return f"{boot}:{namespace}:{pid}:{0 if state in 'ZX' else started}"
