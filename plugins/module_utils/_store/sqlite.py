# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the store in a sqlite file, for one control node.

One connection, used by one thread at a time: sqlite lets one writer in anyway, and its reads take microseconds. Several
processes share the file through sqlite's own locks; it must lie on a local disk.
"""

from __future__ import annotations

import builtins
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store import encoding
from ansible_collections.emco.edge.plugins.module_utils._store.contract import (
    GRACE,
    Entry,
    Key,
    conflict,
    missing_blobs,
)
from ansible_collections.emco.edge.plugins.module_utils._store.lease import Hold, Holder, Lease, take_lease
from ansible_collections.emco.edge.plugins.module_utils._store.owner_process import surely_dead, this_process
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite_file import (
    empty_store,
    in_our_words,
    open_for_reading,
    open_for_writing,
    transaction,
)

_List = builtins.list  # the class has a method of that name

# Older sqlite takes at most 999 values in one statement.
_BATCH = 500

# Connections of a parent process, never closed here: closing one would disturb the parent's locks.
_inherited: _List[object] = []


def default_path(environ: Mapping[str, str]) -> Path:
    """``$XDG_STATE_HOME/emco-edge/edge.db``, under ``~/.local/state`` where that is not set."""
    state = environ.get("XDG_STATE_HOME", "")
    home = Path(state) if state.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return home / "emco-edge" / "edge.db"


class SqliteStore:
    """A store in one file; see contract.Store. The file is made by the first write, reads find an empty store."""

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self.path = Path(path).absolute()
        self._clock = clock
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    @property
    def description(self) -> str:
        return f"sqlite {self.path}"

    def get(self, key: Key) -> Entry | None:
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Entry]:
        texts = [encoding.key_text(key) for key in keys]
        with self._reading() as connection:
            rows = _select(connection, "SELECT key, value, version FROM entries WHERE key", texts)
        return {entry.key: entry for entry in map(_entry, rows)}

    def list(self, prefix: Key) -> _List[Entry]:
        text = encoding.prefix_text(prefix)
        limits = (text, encoding.after_prefix(text)) if text else ()
        where = "WHERE key >= ? AND key < ?" if text else ""
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT key, value, version FROM entries {where} ORDER BY key", limits
            ).fetchall()
        return [_entry(row) for row in rows]

    def put(self, key: Key, value: Mapping[str, Any], *, expect: int | None = None) -> int:
        text, json = encoding.key_text(key), encoding.encode_value(value)
        with self._writing() as connection:
            found = _found(connection, text)
            version = found[1] if found else 0
            if expect is not None and expect != version:
                raise conflict(key, expect, version, self.description)
            return _put(connection, text, json, found)

    def put_many(self, items: Mapping[Key, Mapping[str, Any]]) -> None:
        if not items:
            return
        texts = {encoding.key_text(key): encoding.encode_value(value) for key, value in items.items()}
        with self._writing() as connection:
            for text, json in texts.items():
                _put(connection, text, json, _found(connection, text))

    def delete(self, key: Key, *, expect: int | None = None) -> bool:
        text = encoding.key_text(key)
        with self._writing() as connection:
            found = _found(connection, text)
            version = found[1] if found else 0
            if expect is not None and expect != version:
                raise conflict(key, expect, version, self.description)
            if found:
                connection.execute("DELETE FROM entries WHERE key = ?", (text,))
            return found is not None

    def put_blobs(self, blobs: Mapping[str, bytes], *, replace: bool = False) -> int:
        if not blobs:
            return 0
        now = self._clock()
        with self._writing() as connection:
            named = _named(connection, blobs)
            put = {digest: data for digest, data in blobs.items() if replace or digest not in named}
            connection.executemany(
                "INSERT OR REPLACE INTO blobs (digest, data, named) VALUES (?, ?, ?)",
                ((digest, encoding.pack_blob(data), now) for digest, data in put.items()),
            )
            _claim(connection, {digest: when for digest, when in named.items() if digest not in put}, now)
            return len(blobs.keys() - named.keys())

    def get_blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        wanted = set(digests)
        with self._reading() as connection:
            rows = _select(connection, "SELECT digest, data FROM blobs WHERE digest", wanted)
        found = {str(digest): encoding.unpack_blob(data) for digest, data in rows}
        if wanted - found.keys():
            raise missing_blobs(wanted - found.keys(), self.description)
        return found

    def has_blobs(self, digests: Iterable[str], *, claim: bool = False) -> set[str]:
        with self._writing() if claim else self._reading() as connection:
            named = _named(connection, set(digests))
            if claim:
                _claim(connection, named, self._clock())
        return set(named)

    def list_blobs(self) -> set[str]:
        with self._reading() as connection:
            return {str(row[0]) for row in connection.execute("SELECT digest FROM blobs")}

    def collect_garbage(self, keep: Iterable[str], *, grace: float = GRACE) -> int:
        kept, before = set(keep), self._clock() - grace
        with self._writing() as connection:
            old = {str(row[0]) for row in connection.execute("SELECT digest FROM blobs WHERE named <= ?", (before,))}
            connection.executemany("DELETE FROM blobs WHERE digest = ?", ((digest,) for digest in old - kept))
        if old - kept:
            with self._writing(atomic=False) as connection:
                connection.execute("PRAGMA incremental_vacuum").fetchall()
        return len(old - kept)

    def lease(self, name: str, owner: str, *, ttl: float = 30.0, wait: float = 0.0) -> Lease:
        return take_lease(name, owner, lambda: self._try_lease(name, owner, ttl), ttl=ttl, wait=wait, clock=self._clock)

    def _try_lease(self, name: str, owner: str, ttl: float) -> Hold | Holder:
        now, token = self._clock(), secrets.token_hex(8)
        with self._writing() as connection:
            row = connection.execute(
                "SELECT owner, process, since, expires FROM leases WHERE name = ?", (name,)
            ).fetchone()
            if row and row[3] > now and not surely_dead(row[1]):
                return Holder(str(row[0]), float(row[2]))
            connection.execute(
                "INSERT OR REPLACE INTO leases (name, owner, process, token, since, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (name, owner, this_process(), token, now, now + ttl),
            )

        def renew() -> bool:
            with self._writing() as connection:
                return (
                    connection.execute(
                        "UPDATE leases SET expires = ? WHERE name = ? AND token = ?", (self._clock() + ttl, name, token)
                    ).rowcount
                    == 1
                )

        def release() -> None:
            with self._writing() as connection:
                connection.execute("DELETE FROM leases WHERE name = ? AND token = ?", (name, token))

        return Hold(renew, release)

    def close(self) -> None:
        with self._lock:
            for connection in (self._writer, self._reader):
                if connection is not None and self._pid == os.getpid():
                    connection.close()
            self._writer = self._reader = None

    @contextmanager
    def _writing(self, *, atomic: bool = True) -> Iterator[sqlite3.Connection]:
        self._notice_fork()
        with self._lock, in_our_words(self.path):
            if self._writer is None:
                self._writer = open_for_writing(self.path)
            if not atomic:
                yield self._writer
                return
            with transaction(self._writer):
                yield self._writer

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self._notice_fork()
        with self._lock, in_our_words(self.path):
            yield self._writer or self._opened_to_read()

    def _opened_to_read(self) -> sqlite3.Connection:
        if not self.path.exists():
            # Not kept: another process may make the file at any moment.
            return empty_store()
        if self._reader is not None:
            return self._reader
        try:
            self._writer = open_for_writing(self.path)
            return self._writer
        except EdgeError as refused:
            if refused.reason != "StoreUnwritable":
                raise
        self._reader = open_for_reading(self.path)
        return self._reader

    def _notice_fork(self) -> None:
        if self._pid != os.getpid():
            _inherited.extend((self._lock, self._writer, self._reader))
            self._reset()


_Row = tuple[Any, ...]


def _select(connection: sqlite3.Connection, statement: str, wanted: Iterable[str]) -> _List[_Row]:
    """The rows of all wanted texts, asked for in batches."""
    texts = list(wanted)
    rows: _List[_Row] = []
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        rows += connection.execute(f"{statement} IN ({','.join('?' * len(batch))})", batch).fetchall()
    return rows


def _named(connection: sqlite3.Connection, digests: Iterable[str]) -> dict[str, float]:
    """When the blobs that are there were last named."""
    rows = _select(connection, "SELECT digest, named FROM blobs WHERE digest", digests)
    return {str(digest): float(when) for digest, when in rows}


def _claim(connection: sqlite3.Connection, named: Mapping[str, float], now: float) -> None:
    # Half of the grace is precise enough, and a run that changes nothing then writes nothing.
    stale = [(now, digest) for digest, when in named.items() if now - when > GRACE / 2]
    connection.executemany("UPDATE blobs SET named = ? WHERE digest = ?", stale)


def _entry(row: _Row) -> Entry:
    return Entry(encoding.key_of(row[0]), encoding.decode_value(encoding.grow_text(row[1])), int(row[2]))


def _found(connection: sqlite3.Connection, text: str) -> tuple[str, int] | None:
    row = connection.execute("SELECT value, version FROM entries WHERE key = ?", (text,)).fetchone()
    return (encoding.grow_text(row[0]), int(row[1])) if row else None


def _put(connection: sqlite3.Connection, text: str, json: str, found: tuple[str, int] | None) -> int:
    if found and found[0] == json:
        return found[1]
    version = _next_version(connection)
    connection.execute(
        "INSERT OR REPLACE INTO entries (key, value, version) VALUES (?, ?, ?)",
        (text, encoding.shrink_text(json), version),
    )
    return version


def _next_version(connection: sqlite3.Connection) -> int:
    connection.execute("UPDATE counter SET version = version + 1")
    return int(connection.execute("SELECT version FROM counter").fetchone()[0])
