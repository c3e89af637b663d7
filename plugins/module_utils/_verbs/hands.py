# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a shipment does to one cluster at a time, here or in a helper process.

Nothing in this room knows the store or the rollout: it is given a connection, a bundle and how to go about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import ENDLESS, Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.probe import silence
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency, Bundle
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard, Progress
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._sync.removal import remove_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Stopped
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, connection_of


@dataclass(frozen=True)
class Reach:
    """How a cluster is reached: resolved, so that nothing but its own API server is needed. Holds secrets."""

    name: str
    connection: Connection
    base_dir: str
    acting: Connection | None = None
    """Who writes, where that is somebody else than who reads: a tenant."""


def reach_of(one: Registered, context: Context) -> Reach:
    """How a registered cluster is reached from here; EdgeError when nobody says."""
    connection, base_dir = connection_of(one, context)
    return Reach(str(one.ref), context.resolved(connection, base_dir), base_dir)


def client_of(reach: Reach, budget: Budget, patience: Patience | None = None) -> ClusterClient:
    """A client for a cluster, to be closed by whoever asks for it; nothing is sent yet."""
    transports = [
        Transport(endpoint(one, base_dir=reach.base_dir), reach.name, budget=budget, patience=patience)
        for one in (reach.connection, reach.acting)
        if one is not None
    ]
    return ClusterClient(*transports)


@dataclass(frozen=True)
class Dependencies:
    """What a ``DependencyBoard`` is made of."""

    running: Mapping[str, Sequence[str]]
    within: tuple[str, ...]
    known: Mapping[tuple[str, str], Progress]
    needed: frozenset[str]
    dependents: Mapping[str, Sequence[AppDependency]]
    """In a removal, what goes before each app."""
    removing: bool


class Hands:
    """Works on clusters, each call in a thread of its caller; keeps a connection from a sign of life to the work.

    ``seconds``: for all requests and waits of one cluster, from when work on it begins. A pickled copy begins without
    connections, and with a board of its own.
    """

    def __init__(
        self,
        keys: Keys,
        seconds: float,
        dependencies: Dependencies,
        slot: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._keys = keys
        self._seconds = seconds
        self._dependencies = dependencies
        self._slot = slot
        self._clients: dict[str, ClusterClient] = {}

    def __reduce__(self) -> tuple[type[Hands], tuple[Keys, float, Dependencies]]:
        return Hands, (self._keys, self._seconds, self._dependencies)

    @cached_property
    def board(self) -> DependencyBoard:
        """Where clusters that are worked on in this process tell each other how far they are."""
        told = self._dependencies
        return DependencyBoard(told.running, within=told.within, known=told.known, needed=told.needed, slot=self._slot)

    def probe(self, reach: Reach, _unused: Stopped) -> str:
        """Why the cluster gives no sign of life, empty when it does; EdgeError when it cannot even be asked."""
        return silence(self._client(reach, ENDLESS).transport)

    def sync(self, reach: Reach, bundle: Bundle, options: SyncOptions, stopped: Stopped) -> Outcome:
        """Make the cluster equal to its bundle."""

        def work(client: ClusterClient) -> Outcome:
            around = Surroundings(stopped=stopped)
            return sync_cluster(client, bundle, options, self._keys, board=self.board, around=around)

        return self._done(reach, work)

    def clear(self, reach: Reach, bundle: Bundle, options: SyncOptions, stopped: Stopped) -> Outcome:
        """Take away what is there."""

        def work(client: ClusterClient) -> Outcome:
            told = self._dependencies
            board = self.board if told.removing else None
            around = Surroundings(stopped=stopped)
            return remove_cluster(
                client, bundle, options, self._keys, board=board, dependents=told.dependents, around=around
            )

        return self._done(reach, work)

    def _done(self, reach: Reach, work: Callable[[ClusterClient], Outcome]) -> Outcome:
        try:
            client = self._client(reach, Budget.of(self._seconds))
        except EdgeError as error:
            return Outcome(reach.name, State.FAILED, error.reason, error.message, error.hint)
        try:
            # What the record says is in the cluster; nobody asks for it here, and it is long.
            return replace(work(client), record=None)
        finally:
            # Of a thousand clusters only those that are worked on have connections.
            self._let_go(reach.name)

    def _client(self, reach: Reach, budget: Budget) -> ClusterClient:
        client = self._clients.get(reach.name)
        if client is None:
            client = self._clients[reach.name] = client_of(reach, budget)
        client.within(budget)
        return client

    def _let_go(self, name: str) -> None:
        client = self._clients.pop(name, None)
        if client is not None:
            client.close()

    def close(self) -> None:
        """Let all connections go."""
        for name in list(self._clients):
            self._let_go(name)
