# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a verb has at hand besides its options. Opened when first asked for, closed at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import ENDLESS, Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.hub import (
    connection_in,
    hub_connection,
    reference_of,
    refers_to_hub,
)
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_keys, open_store
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Helpers

# Whoever reads credentials from a hub waits for nothing else, so a hub that does not answer is said soon.
_HUB_PATIENCE = Patience(connect=5.0, read=10.0, retries=2)

Template = Callable[[str, Mapping[str, Any]], str]
"""Renders a text of the project with variables whose values are never executed."""


@dataclass(frozen=True)
class Host:
    """The inventory host that a task runs for."""

    name: str
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass
class Context:
    """One call of a verb. ``base_dir`` is where relative paths start, ``owner`` how a lease names this run."""

    host: Host
    owner: str
    base_dir: str
    environ: Mapping[str, str] = field(repr=False)
    check: bool = False
    diff: bool = False
    verbosity: int = 0
    store_choice: Any = None
    """From the option ``store`` or the variable ``emco_edge_store``."""
    clock: Callable[[], float] = time.time
    say: Callable[[str], None] = field(default=lambda _: None, repr=False)
    """One line for the person at the screen, at once."""
    template: Template | None = None
    variables_of: Callable[[str], Mapping[str, Any]] = field(default=lambda _: {}, repr=False)
    """The variables of another inventory host; empty for one that the inventory does not have."""
    load_control: Callable[[str], Callable[[dict[str, Any]], Any]] | None = field(default=None, repr=False)
    """Imports the action controller of another collection by its name; None where only what was shipped is there."""
    on_control_node: bool = True
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The options as the user wrote them; set by ``perform``."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set by Ctrl-C or SIGTERM: begin nothing new, keep what is done, return soon."""
    helpers: Helpers = field(default_factory=lambda: Helpers([]), repr=False)
    """More processes, where the verb has work for them; made by ``perform``."""
    signs_of_life: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Clusters that this run has asked something already: when (``clock``), and why they did not answer, if so."""
    _store: Store | None = None
    _keys: Keys | None = None
    _clients: set[ClusterClient] = field(default_factory=set)
    _hubs: dict[str, ClusterClient] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def store(self, choice: Any = None) -> Store:
        """The store of this run; the first who asks decides which."""
        if self._store is None:
            given = choice if choice is not None else self.store_choice
            self._store = open_store(given, self.environ, base_dir=self.base_dir)
            if self.verbosity:
                self.say(f"store: {self._store.description}")
        return self._store

    def keys(self) -> Keys:
        """The keys that digests, records and stored secrets are made with."""
        if self._keys is None:
            self._keys = open_keys(self.store(), self.environ, writing=not self.check)
        return self._keys

    def connect(
        self,
        name: str,
        connection: Connection,
        *,
        base_dir: str | None = None,
        budget: Budget = ENDLESS,
        patience: Patience | None = None,
    ) -> ClusterClient:
        """A client for a cluster; nothing is sent yet. Relative paths start at ``base_dir``, default the run's."""
        folder = self.base_dir if base_dir is None else base_dir
        end = endpoint(self.resolved(connection, folder), base_dir=folder)
        client = ClusterClient(Transport(end, name, budget=budget, patience=patience))
        self._clients.add(client)
        return client

    def resolved(self, connection: Connection, base_dir: str) -> Connection:
        """The connection with its credentials, where those are in a hub cluster: one request to it."""
        if not refers_to_hub(connection):
            return connection
        reference = reference_of(connection)
        with self._lock:
            # By its text: a kubeconfig given as content cannot be a key.
            name = repr(reference.hub)
            if name not in self._hubs:
                hub = hub_connection(reference.hub, self.environ)
                client = ClusterClient(Transport(endpoint(hub, base_dir=base_dir), "the hub", patience=_HUB_PATIENCE))
                self._clients.add(client)
                self._hubs[name] = client
        return connection_in(self._hubs[name], reference.secret, connection)

    def close(self) -> None:
        """Let go of helpers, of connections and of the store."""
        self.helpers.close()
        self._hubs.clear()
        for client in self._clients:
            client.close()
        self._clients.clear()
        if self._store is not None:
            self._store.close()
            self._store = None
