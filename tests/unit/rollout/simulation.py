# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the machine of a rollout through simulated time, with clusters that behave as told and runs that die."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._rollout.machine import Steps, advance
from ansible_collections.emco.edge.plugins.module_utils._rollout.news import Happened, News, noted
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    Progress,
    begun,
    progress_document,
    progress_of,
    resumed,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy


@dataclass(frozen=True)
class Behaviour:
    """How a cluster takes what is done to it. ``silent_until``: when it begins to answer."""

    work: Literal["ready", "failed", "pending", "silent"] = "ready"
    takes: float = 1.0
    silent_until: float = 0.0
    proof: Literal["ready", "failed"] = "ready"
    back: Literal["ready", "failed"] = "ready"


@dataclass
class Simulation:
    """One rollout. ``watch`` sees every persisted tick: time, steps before, progress after."""

    strategy: Strategy
    behaviour: dict[ClusterRef, Behaviour]
    room: int = 100
    crashes: frozenset[int] = frozenset()
    """The ticks after which the run is killed; it is taken up again a little later."""
    watch: Callable[[float, Steps], None] = lambda now, steps: None
    now: float = 1000.0
    ticks: int = 0
    begins: dict[ClusterRef, int] = field(default_factory=dict)
    _coming: list[tuple[float, int, News]] = field(default_factory=list)
    _serial: int = 0
    _jobs: dict[ClusterRef, int] = field(default_factory=dict)
    """The serial number of the last thing that was begun on each cluster."""

    def run(self, progress: Progress | None = None) -> Progress:
        """To the end of the rollout; AssertionError when it does not come to one."""
        progress = progress or begun(self.strategy, self.now)
        for _unused in range(500):
            progress = noted(self.strategy, progress, self._happened(), self.now)
            steps = advance(self.strategy, progress, self.now, room=self.room)
            self.ticks += 1
            self.watch(self.now, steps)
            stored = json.loads(json.dumps(progress_document(steps.progress)))
            if self.ticks in self.crashes:
                self._coming.clear()
                self.now += 0.25
                progress = resumed(self.strategy, progress_of(stored), self.now)
                continue
            progress = steps.progress
            if progress.ending is not None:
                return progress
            self._do(steps)
            self._sleep(steps.wake)
        raise AssertionError("the rollout never ends")

    def _happened(self) -> list[News]:
        found = []
        while self._coming and self._coming[0][0] <= self.now:
            _unused, serial, news = heapq.heappop(self._coming)
            # Of a cluster that is worked on again, what was given up there before says nothing any more.
            if self._jobs.get(news.ref, serial) <= serial:
                found.append(news)
        return found

    def _sleep(self, wake: float | None) -> None:
        times = [at for at, _unused, _unused in self._coming[:1]] + ([] if wake is None else [wake])
        assert times, "nothing is under way and nobody is to be woken"
        assert min(times) >= self.now, "woken in the past"
        self.now = max(self.now, min(times))

    def _do(self, steps: Steps) -> None:
        for ref in steps.probe:
            answers = self.now >= self.behaviour[ref].silent_until
            self._later(0.05 if answers else 3.0, News(ref, Happened.ANSWERED if answers else Happened.SILENT))
        for ref in steps.start:
            self.begins[ref] = self.begins.get(ref, 0) + 1
            self._jobs[ref] = self._serial + 1
            self._later(self.behaviour[ref].takes, News(ref, Happened(self.behaviour[ref].work)))
        for ref in steps.prove:
            self._later(0.1, News(ref, Happened(self.behaviour[ref].proof)))
        for ref in steps.roll_back:
            self._jobs[ref] = self._serial + 1
            self._later(self.behaviour[ref].takes, News(ref, Happened(self.behaviour[ref].back)))

    def _later(self, seconds: float, news: News) -> None:
        self._serial += 1
        heapq.heappush(self._coming, (self.now + seconds, self._serial, news))
