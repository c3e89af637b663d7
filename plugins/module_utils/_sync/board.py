# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: where the syncs of all clusters tell each other how far their apps are.

An app starts on a cluster when the apps it depends on are deployed, or ready, on every cluster that runs them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import Enum

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency

# Looked again at least this often: the wish to stop and the passing of time notify nobody. Seconds.
_LOOK_AGAIN = 0.5


class Progress(str, Enum):
    """How far an app is on a cluster."""

    DEPLOYED = "deployed"
    READY = "ready"
    FAILED = "failed"


class DependencyBoard:
    """Shared by the syncs of one run. Threads may share it.

    ``running``: the clusters that run each app. ``within``: the clusters that this run syncs; what runs elsewhere
    must already stand in ``known``, else its dependants are Pending. ``needed``: the apps that others need to be
    ready, so that their clusters wait for them whatever ``wait`` says; None: any may be. ``slot``: entered while a
    sync only waits, so that the caller can give its working slot to another cluster (with fewer slots than clusters
    they would otherwise wait for each other).
    """

    def __init__(
        self,
        running: Mapping[str, Iterable[str]],
        *,
        within: Iterable[str] | None = None,
        known: Mapping[tuple[str, str], Progress] | None = None,
        needed: Iterable[str] | None = None,
        slot: Callable[[], AbstractContextManager[object]] = nullcontext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = {app: frozenset(clusters) for app, clusters in running.items()}
        self._within = None if within is None else frozenset(within)
        self._needed = None if needed is None else frozenset(needed)
        self._clock = clock
        self._slot = slot
        self._news = threading.Condition()
        self._seen: dict[tuple[str, str], tuple[Progress, float]] = {
            key: (progress, float("-inf")) for key, progress in (known or {}).items()
        }

    def needs_ready(self, apps: Iterable[str]) -> bool:
        """Whether any of the apps must be known to be ready, for the sake of others."""
        return self._needed is None or not self._needed.isdisjoint(apps)

    def elsewhere(self, cluster: str, dependency: AppDependency) -> bool:
        """Whether other clusters than this one have to be waited for."""
        running = self._running.get(dependency.on, frozenset())
        if dependency.scope == "cluster" and cluster in running:
            return False
        return bool(running - {cluster})

    def tell(self, app: str, cluster: str, progress: Progress, *, long_ago: bool = False) -> None:
        """An app is deployed or ready on a cluster, or will not be in this run.

        ``long_ago``: it was so before this run, and nobody has to rest for its sake.
        """
        with self._news:
            before = self._seen.get((app, cluster))
            if before is None or before[0] != progress:
                self._seen[app, cluster] = (progress, float("-inf") if long_ago else self._clock())
                self._news.notify_all()

    def wait_for(
        self,
        app: str,
        cluster: str,
        dependency: AppDependency,
        seconds: float,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Return when ``app`` may start on ``cluster``.

        EdgeError ``DependencyTimeout`` after ``seconds``, ``DependencyFailed``, ``DependencyOutsideLimit``, each naming
        the app and the clusters that are waited for; ``Stopped`` when ``stopped()`` is true. Of this cluster itself
        the sync has told how far the dependency is; what is left to wait for there is the rest after it.
        """
        running = self._running.get(dependency.on, frozenset())
        if dependency.scope == "cluster" and cluster in running:
            running = frozenset({cluster})
        deadline = self._clock() + seconds
        with self._news:
            if self._fulfilled(app, dependency, running):
                return
        with self._slot(), self._news:
            while not self._fulfilled(app, dependency, running):
                if stopped():
                    raise EdgeError("Stopped", f"{app} on {cluster} was not started: the run was stopped.")
                left = deadline - self._clock()
                if left <= 0:
                    raise _late(app, cluster, dependency, self._missing(dependency, running))
                self._news.wait(min(left, _LOOK_AGAIN))

    def _fulfilled(self, app: str, dependency: AppDependency, running: Iterable[str]) -> bool:
        missing = self._missing(dependency, running)
        failed = [one for one in missing if self._progress(dependency.on, one) == Progress.FAILED]
        if failed:
            raise EdgeError(
                "DependencyFailed",
                f"{app} waits for {dependency.on}, which failed on {_some(failed)}.",
                details={"dependency": dependency.on, "clusters": failed},
            )
        outside = [] if self._within is None else [one for one in missing if one not in self._within]
        if outside:
            raise EdgeError(
                "DependencyOutsideLimit",
                f"{app} waits for {dependency.on} on {_some(outside)}, which this run does not sync.",
                hint="Sync these clusters first, or widen the limit.",
                details={"dependency": dependency.on, "clusters": outside},
            )
        return not missing and self._rested(dependency, running)

    def _missing(self, dependency: AppDependency, running: Iterable[str]) -> list[str]:
        enough = (Progress.READY,) if dependency.status == "ready" else (Progress.READY, Progress.DEPLOYED)
        return sorted(one for one in running if self._progress(dependency.on, one) not in enough)

    def _rested(self, dependency: AppDependency, running: Iterable[str]) -> bool:
        """Whether ``dependency.wait`` seconds have gone by since the last cluster had it."""
        last = max((self._seen[dependency.on, one][1] for one in running), default=float("-inf"))
        return self._clock() >= last + dependency.wait

    def _progress(self, app: str, cluster: str) -> Progress | None:
        found = self._seen.get((app, cluster))
        return found[0] if found else None


def _late(app: str, cluster: str, dependency: AppDependency, missing: list[str]) -> EdgeError:
    return EdgeError(
        "DependencyTimeout",
        f"{app} on {cluster} waited in vain for {dependency.on} to be {dependency.status} on {_some(missing)}.",
        hint=f"Look at {dependency.on} there; wait_timeout bounds the wait.",
        details={"dependency": dependency.on, "clusters": missing},
    )


def _some(names: list[str], shown: int = 5) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
