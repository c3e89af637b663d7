# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the working slots of a run; a cluster that only waits for another lends its own meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """At most ``parallel`` clusters are worked on at once. Threads share it."""

    def __init__(self, parallel: int) -> None:
        if parallel < 1:
            raise ValueError("parallel must be at least 1")
        self.parallel = parallel
        self._used = 0
        self._lent = 0
        self._change = threading.Condition()

    @property
    def lent(self) -> int:
        """How many clusters wait without a slot, in the midst of their work."""
        return self._lent

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A slot for one cluster, waited for."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """Inside ``taken``: the slot is somebody else's until this ends."""
        self._give()
        with self._change:
            self._lent += 1
        try:
            yield
        finally:
            with self._change:
                self._lent -= 1
            self._take()

    def _take(self) -> None:
        with self._change:
            while self._used >= self.parallel:
                self._change.wait()
            self._used += 1

    def _give(self) -> None:
        with self._change:
            self._used -= 1
            self._change.notify()
