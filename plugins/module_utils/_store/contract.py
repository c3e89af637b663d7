# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what every store does, whatever it is made of.

Entries are small JSON values under a key of names; blobs are bytes under a digest, stored once each; leases keep two
runs off the same thing. Each back end passes the same tests. All methods raise EdgeError and may be called from
several threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.lease import Lease

Key = tuple[str, ...]

# Blobs younger than this are never collected: a plan stores its blobs first and only then the revision naming them.
GRACE = 3600.0


@dataclass(frozen=True)
class Entry:
    """A stored value. ``version`` grows with every change, in the whole store: a key made anew has a higher one."""

    key: Key
    value: dict[str, Any]
    version: int


class Store(Protocol):
    """The registry, the intents, revisions, blobs, progress and leases of one orchestrator."""

    @property
    def description(self) -> str:
        """Where it is, as shown by ``-v``: ``sqlite /home/ops/.local/state/emco-edge/edge.db``."""

    def get(self, key: Key) -> Entry | None:
        """The entry, or None."""

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Entry]:
        """Those of the entries that exist."""

    def list(self, prefix: Key) -> list[Entry]:
        """All entries whose key starts with these names, by key; the empty prefix lists everything."""

    def put(self, key: Key, value: Mapping[str, Any], *, expect: int | None = None) -> int:
        """Store the value and return its version; the same value again writes nothing and keeps the version.

        ``expect``: None replaces whatever is there, 0 demands that nothing is, any other number that the entry has
        this version; else EdgeError ``StoreConflict``.
        """

    def put_many(self, items: Mapping[Key, Mapping[str, Any]]) -> None:
        """Store all of them, replacing what is there.

        sqlite: all or none. kubernetes has no transactions: the last one goes when all others are there, so that it may
        name them.
        """

    def delete(self, key: Key, *, expect: int | None = None) -> bool:
        """Remove the entry; False when there was none. ``expect`` as for put."""

    def put_blobs(self, blobs: Mapping[str, bytes], *, replace: bool = False) -> int:
        """Store the blobs whose digest is not there yet and return how many that were.

        The digest is the caller's and must stand for the content; ``replace`` is for sealing the same content anew.
        Blobs named here are safe from collect_garbage for GRACE seconds, whether they were new or not.
        """

    def get_blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The blobs; EdgeError ``BlobMissing`` when one is not there."""

    def has_blobs(self, digests: Iterable[str], *, claim: bool = False) -> set[str]:
        """Those of the digests whose blob is there.

        ``claim`` keeps them safe from collect_garbage as put_blobs does, for who is about to name them in a revision.
        """

    def list_blobs(self) -> set[str]:
        """The digests of all blobs."""

    def collect_garbage(self, keep: Iterable[str], *, grace: float = GRACE) -> int:
        """Remove the blobs that are not in ``keep`` and have been there ``grace`` seconds; return how many."""

    def lease(self, name: str, owner: str, *, ttl: float = 30.0, wait: float = 0.0) -> Lease:
        """Take the lease for ``owner`` (who, where, shown to others) and renew it until it is released.

        Someone else's lease is waited for up to ``wait`` seconds, then EdgeError ``Busy`` names them. A lease that is
        not renewed for ``ttl`` seconds is free: its owner is dead.
        """

    def close(self) -> None:
        """Give back files and connections; leases still held are left to expire."""


def conflict(key: Key, expected: int, found: int, where: str) -> EdgeError:
    """The error of a compare-and-swap that came too late; versions are 0 where there is no entry."""
    name = "/".join(key)
    if expected == 0:
        said = f"{name} already exists in the store"
    elif found == 0:
        said = f"{name} is no longer in the store"
    else:
        said = f"{name} was changed by somebody else in the meantime"
    return EdgeError(
        "StoreConflict",
        f"{said} ({where}).",
        hint="Another run works on the same thing: run again to go on from what it left.",
        details={"key": list(key), "expected": expected, "found": found},
    )


def missing_blobs(missing: Iterable[str], where: str) -> EdgeError:
    """The error of blobs that are not there."""
    digests = sorted(missing)
    return EdgeError(
        "BlobMissing",
        f"{len(digests)} stored objects are missing from {where}, the first is {digests[0]}.",
        hint="The store lost content it should have: restore a backup, or plan again to store the objects anew.",
        details={"digests": digests[:20], "count": len(digests)},
    )
