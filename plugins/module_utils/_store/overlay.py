# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a store over another one. It reads through, and what is written stays in memory.

For check mode over many steps: each sees what those before it would have stored.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ansible_collections.emco.edge.plugins.module_utils._store.contract import (
    Entry,
    Key,
    Store,
    conflict,
    missing_blobs,
)
from ansible_collections.emco.edge.plugins.module_utils._store.lease import Hold, Lease

_List: TypeAlias = "list"


class OverlayStore:
    """Keeps its own entries and blobs in memory, and has those of ``below`` where it has none itself."""

    def __init__(self, below: Store) -> None:
        self._below = below
        self._entries: dict[Key, Entry | None] = {}
        self._blobs: dict[str, bytes] = {}
        self._version = 0
        self._lock = threading.RLock()

    @property
    def description(self) -> str:
        return f"{self._below.description}, written to in memory only"

    def get(self, key: Key) -> Entry | None:
        with self._lock:
            return self._entries[key] if key in self._entries else self._below.get(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Entry]:
        found = {key: self.get(key) for key in keys}
        return {key: entry for key, entry in found.items() if entry is not None}

    def list(self, prefix: Key) -> _List[Entry]:
        with self._lock:
            found: dict[Key, Entry | None] = {entry.key: entry for entry in self._below.list(prefix)}
            found.update({key: entry for key, entry in self._entries.items() if key[: len(prefix)] == prefix})
            return [entry for _unused, entry in sorted(found.items()) if entry is not None]

    def put(self, key: Key, value: Mapping[str, Any], *, expect: int | None = None) -> int:
        with self._lock:
            before = self.get(key)
            there = before.version if before is not None else 0
            if expect is not None and expect != there:
                raise conflict(key, expect, there, self.description)
            plain: dict[str, Any] = json.loads(json.dumps(value))
            if before is not None and before.value == plain:
                return before.version
            # Above all versions of the store below, as if written after everything.
            self._version = max(self._version, there, 2**60) + 1
            self._entries[key] = Entry(key, plain, self._version)
            return self._version

    def put_many(self, items: Mapping[Key, Mapping[str, Any]]) -> None:
        for key, value in items.items():
            self.put(key, value)

    def delete(self, key: Key, *, expect: int | None = None) -> bool:
        with self._lock:
            before = self.get(key)
            there = before.version if before is not None else 0
            if expect is not None and expect != there:
                raise conflict(key, expect, there, self.description)
            self._entries[key] = None
            return before is not None

    def put_blobs(self, blobs: Mapping[str, bytes], *, replace: bool = False) -> int:
        with self._lock:
            fresh = set(blobs) - self.has_blobs(blobs)
            self._blobs.update({digest: blob for digest, blob in blobs.items() if replace or digest in fresh})
            return len(fresh)

    def get_blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        wanted = set(digests)
        own = {digest: self._blobs[digest] for digest in wanted if digest in self._blobs}
        below = wanted - own.keys()
        missing = below - self._below.has_blobs(below)
        if missing:
            raise missing_blobs(missing, self.description)
        return {**self._below.get_blobs(below), **own}

    def has_blobs(self, digests: Iterable[str], *, claim: bool = False) -> set[str]:
        del claim  # nothing is collected in memory
        wanted = set(digests)
        return (wanted & self._blobs.keys()) | self._below.has_blobs(wanted)

    def list_blobs(self) -> set[str]:
        return self._below.list_blobs() | self._blobs.keys()

    def collect_garbage(self, keep: Iterable[str], *, grace: float = 0.0) -> int:
        del keep, grace
        return 0

    def lease(self, name: str, owner: str, *, ttl: float = 30.0, wait: float = 0.0) -> Lease:
        del wait  # in memory nobody else can have it
        return Lease(name, owner, Hold(renew=lambda: True, release=lambda: None), ttl=ttl, clock=time.time)

    def close(self) -> None:
        self._below.close()
