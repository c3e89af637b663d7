# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a store's sqlite file: opening, permissions, versions, and sqlite's errors in our words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

# "emco" as sqlite's application_id, so that a path to some other program's database is refused.
_APPLICATION = 0x656D636F
_BUSY_TIMEOUT = 15.0  # seconds a statement waits for another process's transaction
_PAUSE = 0.02

# Step n brings a store from version n to n + 1. Never edit a step that was released; add one.
# No STRICT and no RETURNING: sqlite 3.26 to 3.34 is what enterprise Linux 8 and 9 carry.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE entries (key TEXT PRIMARY KEY, value NOT NULL, version INTEGER NOT NULL)",
        "CREATE TABLE counter (version INTEGER NOT NULL)",
        "INSERT INTO counter VALUES (0)",
        "CREATE TABLE blobs (digest TEXT PRIMARY KEY, data BLOB NOT NULL, named REAL NOT NULL)",
        "CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, process TEXT NOT NULL, token TEXT NOT NULL, "
        "since REAL NOT NULL, expires REAL NOT NULL)",
    ),
)


def open_for_writing(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """The store's file, made if it is not there, in its newest version.

    EdgeError ``StoreUnwritable``, ``StoreTooNew``, ``StoreCorrupt``, ``StoreBusy``.
    """
    _make_private_file(path)
    with in_our_words(path):
        connection = _connect(path, "mode=rw")
    with _closed_on_error(connection), in_our_words(path):
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            # sqlite opens such a file for reading without a word; this makes it say why.
            with transaction(connection):
                pass
        _check_version(connection, path, len(migrations))
        _write_ahead(connection)
        # Consistent after a crash of any kind; a power failure may lose the last moments, which the clusters know.
        connection.execute("PRAGMA synchronous=NORMAL")
        _migrate(connection, migrations)
    return connection


def open_for_reading(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """The store's file as it is, never written; an empty store where another process is just making it."""
    try:
        return _checked(path, "mode=ro", migrations)
    except EdgeError as refused:
        # A write-ahead log needs a writable folder even to be read, unless nobody left anything in it.
        log = path.with_name(path.name + "-wal")
        if refused.reason != "StoreUnwritable" or (log.exists() and log.stat().st_size):
            raise
    return _checked(path, "mode=ro&immutable=1", migrations)


def empty_store(migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """A store without a file, in its newest version."""
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    _migrate(connection, migrations)
    return connection


def _checked(path: Path, mode: str, migrations: Sequence[Sequence[str]]) -> sqlite3.Connection:
    with in_our_words(path):
        connection = _connect(path, mode)
    with _closed_on_error(connection), in_our_words(path):
        found = _check_version(connection, path, len(migrations))
        if not found:
            connection.close()
            return empty_store(migrations)
        if found < len(migrations):
            raise EdgeError(
                "StoreUnwritable",
                f"The store {path} has the older format {found} and cannot be brought up to {len(migrations)}, "
                "because it cannot be written.",
                hint="Make it writable for one run.",
            )
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing of what is written inside, and nobody else writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # After some errors (a full disk) sqlite has rolled back by itself.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def in_our_words(path: Path) -> Iterator[None]:
    """Turn sqlite's errors inside into EdgeError, with the path and what sqlite said."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error


# By message, not by code: sqlite3.Error has codes only since Python 3.11.
_CORRUPT = ("malformed", "not a database", "unsupported file format", "no such table", "no such column")
_BUSY = ("is locked",)


def _translated(error: sqlite3.Error, path: Path) -> EdgeError:
    said = str(error)
    details = {"path": str(path), "sqlite": said}
    if any(word in said for word in _CORRUPT):
        return EdgeError(
            "StoreCorrupt",
            f"{path} is not a sound store of emco.edge: sqlite says {said!r}.",
            hint="Restore a backup, or move the file away: a new store is rebuilt from the records in the clusters.",
            details=details,
        )
    if any(word in said for word in _BUSY):
        return EdgeError(
            "StoreBusy",
            f"The store {path} was being written by another process for {_BUSY_TIMEOUT:g} s: sqlite says {said!r}.",
            hint="Run again; if it stays so, some process hangs on the file, or it lies on a network file system.",
            details=details,
        )
    return EdgeError(
        "StoreUnwritable",
        f"The store {path} cannot be used: sqlite says {said!r}.",
        hint="Check the free space of its disk and the permissions of the file and its folder, "
        "or choose another place with the option store.",
        details=details,
    )


def _make_private_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # sqlite gives its log and its index the permissions of the file.
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise EdgeError(
            "StoreUnwritable",
            f"The store {path} cannot be made: {error.strerror}.",
            hint="Make its folder writable, or choose another place with the option store.",
            details={"path": str(path)},
        ) from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?{mode}",
        uri=True,
        timeout=_BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _check_version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """The version of the store; EdgeError for one from the future and for files that are not ours."""
    # In one transaction: read one after the other, a store that another process is just making looks like none of ours.
    connection.execute("BEGIN")
    try:
        found = _number(connection, "user_version")
        ours = _number(connection, "application_id") == _APPLICATION
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    finally:
        connection.execute("ROLLBACK")
    if not ours and not empty:
        raise EdgeError(
            "StoreCorrupt",
            f"{path} is a database of some other program, not a store of emco.edge.",
            hint="Choose another path with the option store.",
            details={"path": str(path)},
        )
    if found > newest:
        raise EdgeError(
            "StoreTooNew",
            f"The store {path} has format {found}; this version of emco.edge knows up to {newest}.",
            hint="Use the version of the collection that wrote it, or a newer one.",
            details={"path": str(path), "found": found, "known": newest},
        )
    return found


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log; the switch needs the file for itself, and sqlite does not wait for that."""
    deadline = time.monotonic() + _BUSY_TIMEOUT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not any(word in str(error) for word in _BUSY) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]]) -> None:
    if _number(connection, "user_version") == len(migrations):
        return
    if _number(connection, "user_version") == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    with transaction(connection):
        # Asked again inside: another process may have done it while this one waited.
        for step in migrations[_number(connection, "user_version") :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id={_APPLICATION}")
        connection.execute(f"PRAGMA user_version={len(migrations)}")
