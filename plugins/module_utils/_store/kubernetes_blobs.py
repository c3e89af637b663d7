# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: many small blobs in few Secrets.

A pack is a document with up to 2,000 blobs; its annotations say which, and which of them were claimed when, so that
asking what is there reads no content. Two runs may pack the same blob: then it is there twice, which harms nobody.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store import encoding
from ansible_collections.emco.edge.plugins.module_utils._store.contract import GRACE, missing_blobs
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes_documents import (
    MANAGED_BY,
    PART_BYTES,
    STORE_LABEL,
    Changed,
    Document,
    Documents,
)

_LABELS = {**MANAGED_BY, STORE_LABEL: "blobs"}
_SELECTED = {STORE_LABEL: "blobs"}
_DIGESTS = "emco.edge/digests"
_PACKED = "emco.edge/packed"
_CLAIMED = "emco.edge/claimed"

# Digests and claims are annotations, which may take 256 KiB in all.
_MOST = 2000
_READERS = 4


class Packs:
    """The blobs of a store in a namespace; the methods are those of contract.Store."""

    def __init__(self, documents: Documents, clock: Callable[[], float], where: str) -> None:
        self._documents = documents
        self._clock = clock
        self._where = where

    def put(self, blobs: Mapping[str, bytes], *, replace: bool) -> int:
        there = self._claimed(blobs.keys())
        if replace:
            self._replace({digest: data for digest, data in blobs.items() if digest in there})
        fresh = {digest: encoding.pack_blob(data) for digest, data in blobs.items() if digest not in there}
        for group in _groups(fresh):
            name = f"emco-edge-blobs-{secrets.token_hex(10)}"
            notes = _notes(group, self._clock(), {})
            self._documents.create(name, _LABELS, notes, _joined(group), now=self._clock())
        return len(fresh)

    def get(self, digests: Iterable[str]) -> dict[str, bytes]:
        wanted = set(digests)
        found: dict[str, bytes] = {}
        for _try in range(3):
            # Again for what was packed anew while this was reading.
            found.update(self._read(wanted - found.keys()))
            if not wanted - found.keys():
                return found
        raise missing_blobs(wanted - found.keys(), self._where)

    def _read(self, wanted: set[str]) -> dict[str, bytes]:
        if not wanted:
            return {}
        names, missing = [], set(wanted)
        for pack in self._documents.heads(_SELECTED):
            if missing & set(_digests(pack)):
                missing -= set(_digests(pack))
                names.append(pack.name)
        with ThreadPoolExecutor(_READERS) as pool:
            packs = [pack for pack in pool.map(self._documents.get, names) if pack is not None]
        return {
            digest: encoding.unpack_blob(data)
            for pack in packs
            for digest, data in self._split(pack).items()
            if digest in wanted
        }

    def known(self, digests: Iterable[str], *, claim: bool) -> set[str]:
        wanted = set(digests)
        return self._claimed(wanted) if claim else wanted & self.all()

    def all(self) -> set[str]:
        return {digest for pack in self._documents.heads(_SELECTED) for digest in _digests(pack)}

    def collect_garbage(self, keep: Iterable[str], *, grace: float) -> int:
        kept, before = set(keep), self._clock() - grace
        removed: set[str] = set()
        for pack in self._documents.heads(_SELECTED):
            claimed = _claims(pack)
            old = {digest for digest in _digests(pack) if claimed[digest] <= before} - kept
            if old and self._removed(pack, old):
                removed |= old
        self._documents.remove_orphans(before)
        return len(removed)

    def _removed(self, pack: Document, old: set[str]) -> bool:
        """Take these out of the pack, unless somebody changed it meanwhile: perhaps to claim them."""
        try:
            if old >= set(_digests(pack)):
                self._documents.delete(pack)
                return True
            whole = self._documents.get(pack.name)
            if whole is None or whole.version != pack.version:
                return False
            left = {digest: data for digest, data in self._split(whole).items() if digest not in old}
            claims = {digest: when for digest, when in _claims(whole).items() if digest in left}
            notes = _notes(left, _packed(whole), claims)
            self._documents.replace(whole, _LABELS, notes, _joined(left), now=self._clock())
        except Changed:
            return False
        return True

    def _claimed(self, wanted: Iterable[str]) -> set[str]:
        """Those of the wanted that are there, now safe from the garbage collection of another run."""
        wanted, found = set(wanted), set()
        for pack in self._documents.heads(_SELECTED):
            here: Document | None = pack
            while here is not None:
                try:
                    found |= self._claim(here, wanted)
                    break
                except Changed:
                    here = self._documents.get(pack.name)
        return found

    def _claim(self, pack: Document, wanted: set[str]) -> set[str]:
        now, claims = self._clock(), _claims(pack)
        here = wanted & claims.keys()
        # Half of the grace is precise enough, and a run that changes nothing then writes nothing.
        if any(now - claims[digest] > GRACE / 2 for digest in here):
            claims.update(dict.fromkeys(here, now))
            self._documents.annotate(pack, _notes(claims, _packed(pack), claims))
        return here

    def _replace(self, blobs: Mapping[str, bytes]) -> None:
        for pack in self._documents.heads(_SELECTED):
            whole: Document | None = pack
            while whole is not None and blobs.keys() & set(_digests(whole)):
                whole = self._documents.get(pack.name)
                if whole is None:
                    break
                inside = self._split(whole)
                inside.update({name: encoding.pack_blob(blobs[name]) for name in inside.keys() & blobs.keys()})
                try:
                    self._documents.replace(whole, _LABELS, _kept_notes(whole), _joined(inside), now=self._clock())
                    break
                except Changed:
                    continue

    def _split(self, pack: Document) -> dict[str, bytes]:
        """The blobs of a pack, still packed."""
        lengths, _newline, data = (pack.content or b"").partition(b"\n")
        blobs, start, digests = {}, 0, _digests(pack)
        try:
            sizes: list[int] = json.loads(lengths)
            if len(sizes) != len(digests) or sum(sizes) != len(data):
                raise ValueError
        except (ValueError, TypeError):
            raise EdgeError(
                "StoreCorrupt",
                f"The Secret {pack.name} of the store ({self._where}) does not hold what it says.",
                hint="Somebody changed it: restore a backup.",
            ) from None
        for digest, size in zip(digests, sizes, strict=True):
            blobs[digest] = data[start : start + size]
            start += size
        return blobs


def _groups(blobs: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    """The blobs in portions that fit into one Secret; a blob that is larger alone is its own portion."""
    group: dict[str, bytes] = {}
    size = 0
    for digest, data in blobs.items():
        # Some ten bytes for its length in the first line.
        if group and (size + len(data) + 10 > PART_BYTES or len(group) == _MOST):
            yield group
            group, size = {}, 0
        group[digest] = data
        size += len(data) + 10
    if group:
        yield group


def _joined(blobs: Mapping[str, bytes]) -> bytes:
    lengths = json.dumps([len(data) for data in blobs.values()])
    return lengths.encode() + b"\n" + b"".join(blobs.values())


def _digests(pack: Document) -> Sequence[str]:
    return pack.annotations.get(_DIGESTS, "").split()


def _packed(pack: Document) -> float:
    return float(pack.annotations.get(_PACKED, "0"))


def _claims(pack: Document) -> dict[str, float]:
    """When each blob was last named: when it was packed, or claimed since."""
    packed = _packed(pack)
    claimed: dict[str, Any] = json.loads(pack.annotations.get(_CLAIMED, "{}"))
    return {digest: float(claimed.get(digest, packed)) for digest in _digests(pack)}


def _notes(digests: Iterable[str], packed: float, claims: Mapping[str, float]) -> dict[str, str]:
    later = {digest: round(when) for digest, when in claims.items() if when > packed}
    return {_DIGESTS: " ".join(digests), _PACKED: repr(packed), _CLAIMED: json.dumps(later, separators=(",", ":"))}


def _kept_notes(pack: Document) -> dict[str, str]:
    return {name: pack.annotations[name] for name in (_DIGESTS, _PACKED, _CLAIMED) if name in pack.annotations}
