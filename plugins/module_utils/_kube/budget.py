# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how long one cluster may take, all its requests and waits together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Budget:
    """A point in time (of ``clock``, seconds) after which no request of a cluster starts."""

    deadline: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    @classmethod
    def of(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Budget:
        """A budget that ends ``seconds`` from now."""
        return cls(clock() + seconds, clock)

    def left(self) -> float:
        """Seconds that are left, zero when it is over."""
        return max(0.0, self.deadline - self.clock())

    def spent(self) -> bool:
        """Whether the time is over."""
        return self.left() == 0.0


ENDLESS = Budget(float("inf"))
