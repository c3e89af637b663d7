# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the few requests that one cluster gets at the same time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar, cast

from ansible_collections.emco.edge.plugins.module_utils._kube.transport import CONNECTIONS
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

Item = TypeVar("Item")
Result = TypeVar("Result")


_PER_LANE = 3
"""Requests for which another connection pays: opening one costs both sides as much as three requests."""


class Lanes:
    """Threads for all connections but the one of the caller, made when they are needed, gone when the work is done."""

    def __init__(self, width: int = CONNECTIONS) -> None:
        self._width = width
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def each(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results of all items in their order; the first EdgeError by that order is raised when all are done."""
        found = self.attempts(work, items)
        for one in found:
            if isinstance(one, EdgeError):
                raise one
        return [one for one in found if not isinstance(one, EdgeError)]

    def attempts(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result | EdgeError]:
        """For each item its result, or the EdgeError that came instead."""

        def attempt(item: Item) -> Result | EdgeError:
            try:
                return work(item)
            except EdgeError as error:
                return error

        found: list[Result | EdgeError | None] = [None] * len(items)
        left = deque(enumerate(items))

        def walk() -> None:
            while left:
                try:
                    number, item = left.popleft()
                except IndexError:
                    return
                found[number] = attempt(item)

        others = min(self._width, math.ceil(len(items) / _PER_LANE)) - 1
        if others > 0 and self._pool is None:
            self._pool = ThreadPoolExecutor(self._width - 1, thread_name_prefix="emco-edge-sync")
        walking = [self._pool.submit(walk) for _unused in range(others)] if self._pool else []
        walk()
        for one in walking:
            one.result()
        return cast("list[Result | EdgeError]", found)
