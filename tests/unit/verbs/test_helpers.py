# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helper processes: that they work elsewhere, and end with whom they help, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Helpers, Kept

Stopped = Callable[[], bool]


def pid_of(stopped: Stopped) -> int:
    return os.getpid()


def refuse(name: str, stopped: Stopped) -> None:
    raise EdgeError("NotToday", f"{name} is refused.", hint="Come again.", details={"name": name})


def stumble(stopped: Stopped) -> None:
    raise KeyError("here")


def wait_for_stop(stopped: Stopped) -> str:
    while not stopped():
        time.sleep(0.01)
    return "stopped"


def end_at_once(stopped: Stopped) -> None:
    os._exit(3)


class Tally:
    def __init__(self) -> None:
        self.count = 0

    def __setstate__(self, state: dict[str, int]) -> None:
        self.__dict__.update(state, count=100)

    def add(self, stopped: Stopped) -> int:
        self.count += 1
        return self.count


def unsendable(stopped: Stopped) -> object:
    return threading.Lock()


@pytest.fixture
def helpers() -> Iterator[Helpers]:
    made = forked(2)
    yield made
    made.close()


def forked(count: int) -> Helpers:
    """Helpers also where a test runner has threads of its own, which no verb has when it begins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "active_count", lambda: 1)
        return Helpers.forked(count)


def test_work_is_spread_and_a_key_stays_with_its_helper(helpers: Helpers) -> None:
    first = [helpers.call(key, pid_of) for key in "abcd"]
    again = [helpers.call(key, pid_of) for key in "abcd"]
    assert first == again
    assert len(set(first)) == 2 and os.getpid() not in first


def test_many_threads_call_at_once(helpers: Helpers) -> None:
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda key: helpers.call(key, pid_of), range(200)))
    assert len(found) == 200 and len(set(found)) == 2


def test_errors_come_back_as_they_were(helpers: Helpers) -> None:
    with pytest.raises(EdgeError, match="a is refused") as raised:
        helpers.call("a", refuse, "a")
    assert (raised.value.reason, raised.value.hint, raised.value.details) == ("NotToday", "Come again.", {"name": "a"})
    with pytest.raises(RuntimeError, match="KeyError: 'here'"):
        helpers.call("a", stumble)
    with pytest.raises(RuntimeError, match="pickle"):
        helpers.call("a", unsendable)
    assert helpers.call("a", pid_of)


def test_what_is_kept_travels_once_and_remembers(helpers: Helpers) -> None:
    tally = Kept(Tally())
    assert [helpers.call("a", Tally.add, tally) for _unused in range(3)] == [101, 102, 103]
    assert helpers.call("b", Tally.add, tally) == 101


def test_the_wish_to_stop_reaches_the_call_that_it_is_for(helpers: Helpers) -> None:
    wish = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        stops = pool.submit(helpers.call, "a", wait_for_stop, stopped=wish.is_set)
        goes_on = pool.submit(helpers.call, "a", wait_for_stop)
        wish.set()
        assert stops.result(timeout=5) == "stopped"
        assert not goes_on.done()
        helpers.close()
        assert goes_on.result(timeout=5) == "stopped"


def test_a_helper_that_dies_fails_its_calls_and_no_others(helpers: Helpers) -> None:
    with pytest.raises(RuntimeError, match="ended before"):
        helpers.call("a", end_at_once)
    with pytest.raises(RuntimeError, match="ended before"):
        helpers.call("a", pid_of)
    assert helpers.call("b", pid_of)


def test_closing_leaves_no_process(helpers: Helpers) -> None:
    pids = {helpers.call(key, pid_of) for key in "ab"}
    helpers.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_there_are_none_beside_threads_and_none_for_one_core() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    assert len(Helpers.forked(2)) == 0
    ended.set()
    thread.join()
    assert len(forked(1)) == 0


_KILLED = """
import os, signal, sys
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Helpers
from tests.unit.verbs.test_helpers import pid_of
helpers = Helpers.forked(2)
print(helpers.call("a", pid_of), helpers.call("b", pid_of), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_helpers_end_when_whom_they_help_is_killed() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", _KILLED], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    deadline = time.monotonic() + 10
    for pid in map(int, run.stdout.split()):
        while _lives(pid):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Nobody may be there to take note of its end.
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
