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


class Progress(str, Enum):
    """How far an app is on a cluster."""

    DEPLOYED = "deployed"
    READY = "ready"
    FAILED = "failed"


class DependencyBoard:
    """Shared by the syncs of one run. Threads may share it.

    ``running``: the clusters that run each app. ``within``: the clusters that this run syncs; what runs elsewhere
    must already stand in ``known``, else its dependants are Pending. ``slot``: entered while a sync only waits, so that
    the caller can give its working slot to another cluster (with fewer slots than clusters they would otherwise wait
    for each other).
    """

    def __init__(
        self,
        running: Mapping[str, Iterable[str]],
        *,
        within: Iterable[str] | None = None,
        known: Mapping[tuple[str, str], Progress] | None = None,
        slot: Callable[[], AbstractContextManager[object]] = nullcontext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = {app: frozenset(clusters) for app, clusters in running.items()}
        self._within = None if within is None else frozenset(within)
        self._clock = clock
        self._slot = slot
        self._news = threading.Condition()
        self._seen: dict[tuple[str, str], tuple[Progress, float]] = {
            key: (progress, float("-inf")) for key, progress in (known or {}).items()
        }

    def tell(self, app: str, cluster: str, progress: Progress) -> None:
        """An app is deployed or ready on a cluster, or will not be in this run."""
        raise NotImplementedError

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
        the app and the clusters that are waited for; ``Stopped`` when ``stopped()`` is true.
        """
        raise EdgeError("DependencyTimeout", "")
