# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: helper processes, for work on so many clusters that one core is the limit.

They are forked before anything else is done, so before there is a thread, a lock or a sqlite handle that a child must
not have. Each is given calls over a socket, serves each call in a thread, and ends when the socket does: with the
process that it helps, however that ends. What is called is a function of a module; arguments and results are pickled.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

GRACE = 4.5
"""Seconds that a helper takes to end what it is doing."""
_MOST = 4
_LOOK = 0.25
_ENDED = "a helper process ended before it was done"

Stopped = Callable[[], bool]


class Kept:
    """An argument of many calls: it travels once to each helper and stays there, with whatever it remembers."""

    _numbers = itertools.count(1)

    def __init__(self, value: object) -> None:
        self.value = value
        self.number = next(self._numbers)


@dataclass(frozen=True)
class _Reference:
    number: int


@dataclass(eq=False)
class _Call:
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Exception | None = None


def cores() -> int:
    """How many processes can work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Helpers:
    """Some helper processes; none where they would not help or cannot be made. Threads may share it."""

    def __init__(self, helpers: list[_Helper]) -> None:
        self._helpers = helpers
        self._turns: dict[object, _Helper] = {}
        self._lock = threading.Lock()

    @classmethod
    def forked(cls, count: int | None = None) -> Helpers:
        """``count`` of them, by default one a core; none on a single core, or where there are threads already."""
        wanted = min(cores(), _MOST) if count is None else count
        if wanted < 2 or threading.active_count() > 1:
            return cls([])
        found: list[_Helper] = []
        for _unused in range(wanted):
            found.append(_forked([one.plug for one in found]))
        return cls(found)

    def __len__(self) -> int:
        return len(self._helpers)

    def call(self, key: object, function: Callable[..., Any], *arguments: Any, stopped: Stopped | None = None) -> Any:
        """What ``function(*arguments, stopped)`` returns in a helper, always the same one for a ``key``.

        ``stopped``: looked at again and again while it works. EdgeError as it was raised; RuntimeError for anything
        else that went wrong, also a helper that has died.
        """
        with self._lock:
            helper = self._turns.get(key)
            if helper is None:
                helper = self._turns[key] = self._helpers[len(self._turns) % len(self._helpers)]
        return helper.call(function, arguments, stopped or (lambda: False))

    def close(self) -> None:
        """End them; returns within a little more than ``GRACE``."""
        for helper in self._helpers:
            helper.hang_up()
        deadline = time.monotonic() + GRACE + 0.5
        for helper in self._helpers:
            helper.reap(deadline)
        self._helpers = []


class _Helper:
    """A helper process, seen from the one that it helps."""

    def __init__(self, pid: int, plug: Connection) -> None:
        self.pid = pid
        self.plug = plug
        self._numbers = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._kept: set[int] = set()
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._gone = False

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...], stopped: Stopped) -> Any:
        call, number = _Call(), next(self._numbers)
        with self._lock:
            if self._gone:
                raise RuntimeError(_ENDED)
            self._calls[number] = call
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, name=f"helper {self.pid}", daemon=True)
                self._reader.start()
        self._send_kept(arguments)
        plain = tuple(_Reference(one.number) if isinstance(one, Kept) else one for one in arguments)
        self._send("call", number, (function, plain))
        told = False
        while not call.done.wait(_LOOK):
            if not told and stopped():
                told = True
                self._send("stop", number, None)
        if call.error is not None:
            raise call.error
        return call.result

    def _send_kept(self, arguments: tuple[Any, ...]) -> None:
        for one in arguments:
            if isinstance(one, Kept):
                with self._lock:
                    fresh = one.number not in self._kept
                    self._kept.add(one.number)
                    if fresh:
                        self._sent(("keep", one.number, one.value))

    def _send(self, what: str, number: int, body: Any) -> None:
        with self._lock:
            self._sent((what, number, body))

    def _sent(self, message: tuple[str, int, Any]) -> None:
        try:
            self.plug.send(message)
        except OSError:
            # It is gone; the reader says so to everybody who waits.
            return

    def _read(self) -> None:
        try:
            while True:
                number, result, error = self.plug.recv()
                with self._lock:
                    call = self._calls.pop(number)
                call.result, call.error = result, error
                call.done.set()
        except (EOFError, OSError):
            pass
        finally:
            with self._lock:
                self._gone = True
                left = list(self._calls.values())
                self._calls.clear()
            for call in left:
                call.error = RuntimeError(_ENDED)
                call.done.set()

    def hang_up(self) -> None:
        """Let it end, and let those who wait for it know."""
        # Its own end closes the socket, which ends the reader; closing ours first would not wake that.
        self._send("end", 0, None)

    def reap(self, deadline: float) -> None:
        """Wait for its end, or make one."""
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
            time.sleep(0.002)
        if self._reader is not None:
            self._reader.join(timeout=1)
        self.plug.close()


def _forked(others: list[Connection]) -> _Helper:
    ours, theirs = Pipe()
    pid = os.fork()
    if pid == 0:
        for one in (*others, ours):
            one.close()
        _help(theirs)
    theirs.close()
    return _Helper(pid, ours)


def _help(plug: Connection) -> NoReturn:
    """What a helper does, to its end."""
    try:
        # Ctrl-C and AWX reach whoever is helped, who says what is to stop.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _Service(plug).run()
    finally:
        # Nothing of the process that this is a copy of is to be cleaned up here.
        os._exit(0)


class _Service:
    """A helper process, seen from within."""

    def __init__(self, plug: Connection) -> None:
        self._plug = plug
        self._kept: dict[int, Any] = {}
        self._stops: dict[int, threading.Event] = {}
        self._ends = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        try:
            while True:
                what, number, body = self._plug.recv()
                if what == "end":
                    break
                if what == "keep":
                    self._kept[number] = body
                elif what == "stop" and number in self._stops:
                    self._stops[number].set()
                elif what == "call":
                    self._begin(number, *body)
        except (EOFError, OSError):
            pass
        self._ends.set()
        deadline = time.monotonic() + GRACE
        while self._stops and time.monotonic() < deadline:
            time.sleep(0.01)

    def _begin(self, number: int, function: Callable[..., Any], plain: tuple[Any, ...]) -> None:
        arguments = [self._kept[one.number] if isinstance(one, _Reference) else one for one in plain]
        stop = self._stops[number] = threading.Event()

        def serve() -> None:
            result: Any = None
            error: Exception | None = None
            try:
                result = function(*arguments, lambda: stop.is_set() or self._ends.is_set())
            except EdgeError as wrong:
                error = wrong
            except Exception as wrong:
                error = _described(wrong)
            self._answer(number, result, error)
            del self._stops[number]

        threading.Thread(target=serve, daemon=True).start()

    def _answer(self, number: int, result: Any, error: Exception | None) -> None:
        with self._lock:
            try:
                self._plug.send((number, result, error))
            except OSError:
                return
            except Exception as wrong:
                self._plug.send((number, None, _described(wrong)))


def _described(error: Exception) -> RuntimeError:
    return RuntimeError(f"{type(error).__name__}: {error}")
