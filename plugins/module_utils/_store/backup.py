# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a whole store in one file, and back into any store.

A zip archive of mode 0600: ``manifest.json``, ``entries.jsonl`` (a key and a value a line) and ``blobs/<digest>``. What
is sealed stays sealed: the keys are not in it and must be kept as well. Leases are not in it, they are of the moment.
"""

from __future__ import annotations

import datetime
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store

FORMAT = 1
_BATCH = 200


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: ``written`` is UTC, ``store`` what it was taken from."""

    format: int
    written: str
    store: str
    entries: int
    blobs: int


def back_up(store: Store, path: Path, *, now: float) -> Manifest:
    """Write everything of the store into one file, which is there whole or not at all.

    EdgeError ``BackupFailed`` with the path and the system's words.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                manifest = _write(store, file, now)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            with suppress(FileNotFoundError):
                new.unlink()
    except OSError as error:
        raise EdgeError(
            "BackupFailed",
            f"The backup {path} cannot be written: {error.strerror}.",
            hint="Name a file in a folder that is writable and has room.",
            details={"path": str(path)},
        ) from error
    return manifest


def _write(store: Store, file: Any, now: float) -> Manifest:
    # Entries first: the blobs they name are there, and garbage collection leaves those alone.
    entries = store.list(())
    digests = sorted(store.list_blobs())
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        lines = "".join(json.dumps([entry.key, entry.value]) + "\n" for entry in entries)
        archive.writestr("entries.jsonl", lines)
        for start in range(0, len(digests), _BATCH):
            blobs = store.get_blobs(store.has_blobs(digests[start : start + _BATCH]))
            count += len(blobs)
            for digest, data in sorted(blobs.items()):
                archive.writestr(f"blobs/{digest}", data)
        written = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).isoformat(timespec="seconds")
        manifest = Manifest(FORMAT, written, store.description, len(entries), count)
        archive.writestr("manifest.json", json.dumps(asdict(manifest), indent=1) + "\n")
    return manifest


def read_manifest(path: Path) -> Manifest:
    """What a backup holds; errors as for restore."""
    with _opened(path) as archive:
        return _manifest(archive, path)


def read_entries(path: Path) -> dict[Key, dict[str, Any]]:
    """The entries of a backup; errors as for restore."""
    with _opened(path) as archive:
        _manifest(archive, path)
        return _entries(archive)


def restore(store: Store, path: Path, *, replace: bool = False) -> Manifest:
    """Put a backup into an empty store; with ``replace`` into any, which then holds what the backup holds.

    The whole backup is checked before anything is written; blobs come first, then all entries at once. Killed in the
    middle, it is finished by running it again. EdgeError ``StoreNotEmpty``, ``BackupUnreadable``, ``BackupTooNew``: the
    store is as it was.
    """
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        entries, digests = _entries(archive), _digests(archive)
        if archive.testzip() is not None or (len(entries), len(digests)) != (manifest.entries, manifest.blobs):
            raise _unreadable(path, "parts of it are missing or damaged")
        there = {entry.key for entry in store.list(())}
        if there and not replace:
            raise EdgeError(
                "StoreNotEmpty",
                f"The store ({store.description}) already holds {len(there)} entries; a backup would replace them.",
                hint="Restore into a new store, or say that this one is to be replaced.",
                details={"store": store.description, "entries": len(there)},
            )
        for start in range(0, len(digests), _BATCH):
            batch = digests[start : start + _BATCH]
            store.put_blobs({digest: archive.read(f"blobs/{digest}") for digest in batch}, replace=True)
        store.put_many(entries)
        for key in sorted(there - entries.keys()):
            store.delete(key)
    return manifest


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError) as error:
        raise _unreadable(path, "it is not a backup of emco.edge, or it is damaged") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    data: Mapping[str, Any] = json.loads(archive.read("manifest.json"))
    if int(data["format"]) > FORMAT:
        raise EdgeError(
            "BackupTooNew",
            f"The backup {path} has format {data['format']}; this version of emco.edge knows up to {FORMAT}.",
            hint="Restore it with the version of the collection that wrote it, or a newer one.",
            details={"path": str(path)},
        )
    return Manifest(
        int(data["format"]), str(data["written"]), str(data["store"]), int(data["entries"]), int(data["blobs"])
    )


def _entries(archive: zipfile.ZipFile) -> dict[Key, dict[str, Any]]:
    lines = archive.read("entries.jsonl").decode().splitlines()
    return {tuple(key): value for key, value in map(json.loads, lines)}


def _digests(archive: zipfile.ZipFile) -> list[str]:
    return sorted(name[len("blobs/") :] for name in archive.namelist() if name.startswith("blobs/"))


def _unreadable(path: Path, why: str) -> EdgeError:
    return EdgeError(
        "BackupUnreadable",
        f"The backup {path} cannot be restored: {why}.",
        hint="Nothing was changed. Name another backup.",
        details={"path": str(path)},
    )
