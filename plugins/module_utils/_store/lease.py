# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a lease on a name, renewed by a thread until it is given back."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

_LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Holder:
    """Who has a lease, and since when (seconds of the epoch)."""

    owner: str
    since: float


@dataclass(frozen=True)
class Hold:
    """What a back end gives for a lease that it has taken.

    ``renew`` returns False once the lease is somebody else's and raises EdgeError when the store cannot be asked;
    ``release`` gives it back if it is still ours.
    """

    renew: Callable[[], bool]
    release: Callable[[], object]


class Lease:
    """A held lease; a context manager that gives it back. ``check()`` before each step that must not be done twice."""

    def __init__(self, name: str, owner: str, hold: Hold, *, ttl: float, clock: Callable[[], float]) -> None:
        self.name = name
        self.owner = owner
        self._hold = hold
        self._ttl = ttl
        self._clock = clock
        self._renewed = clock()
        self._lost = threading.Event()
        self._done = threading.Event()
        self._beating = threading.Lock()
        self._heart = threading.Thread(target=self._beat_on, name=f"lease {name}", daemon=True)
        self._heart.start()

    @property
    def lost(self) -> bool:
        """Whether the lease is known to be no longer ours."""
        return self._lost.is_set()

    def check(self) -> None:
        """Raise EdgeError ``LeaseLost`` unless the lease is still ours; asks the store when renewal is overdue.

        Overdue is what a process finds that was stopped or slept: its thread has not yet run again.
        """
        if not self.lost and self._clock() - self._renewed >= self._ttl * 2 / 3:
            self._beat()
        if self.lost:
            raise EdgeError(
                "LeaseLost",
                f"The lease {self.name} could not be renewed within {self._ttl:g} s and is no longer ours; "
                "nothing more is done.",
                hint="The store did not answer, or this process stood still, and another run may have gone on: "
                "run again to finish what is left.",
                details={"lease": self.name, "owner": self.owner},
            )

    def release(self) -> None:
        """Give the lease back; harmless when it is lost or was given back."""
        if self._done.is_set():
            return
        self._done.set()
        self._heart.join()
        if not self.lost:
            try:
                self._hold.release()
            except EdgeError:
                # What the lease was for is done; a store that went away lets the lease expire by itself.
                self._lost.set()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _beat_on(self) -> None:
        while not self._done.wait(self._ttl / 3) and not self.lost:
            self._beat()

    def _beat(self) -> None:
        with self._beating:
            started = self._clock()
            try:
                ours = self._hold.renew()
            except EdgeError:
                # Nobody can have taken it before its time is over, so one failure is not the end.
                ours = self._clock() - self._renewed < self._ttl
            else:
                self._renewed = started
            if not ours:
                self._lost.set()


def take_lease(
    name: str,
    owner: str,
    attempt: Callable[[], Hold | Holder],
    *,
    ttl: float,
    wait: float,
    clock: Callable[[], float],
) -> Lease:
    """The lease, once ``attempt`` gets hold of it; else EdgeError ``Busy`` after ``wait`` seconds."""
    deadline = time.monotonic() + wait
    pause = 0.05
    while True:
        found = attempt()
        if isinstance(found, Hold):
            return Lease(name, owner, found, ttl=ttl, clock=clock)
        left = deadline - time.monotonic()
        if left <= 0:
            raise _busy(name, found, wait)
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)


def _busy(name: str, holder: Holder, waited: float) -> EdgeError:
    since = datetime.datetime.fromtimestamp(holder.since, datetime.timezone.utc).isoformat(timespec="seconds")
    patience = f", and did not finish within {waited:g} s" if waited else ""
    return EdgeError(
        "Busy",
        f"{name} is being worked on by {holder.owner} since {since}{patience}.",
        hint="Wait until that run has finished. If it was killed, its claim ends by itself within half a minute.",
        details={"lease": name, "owner": holder.owner, "since": since},
    )
