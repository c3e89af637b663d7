# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the store in a namespace of a hub cluster, for runs that leave nothing on their machine (AWX).

Each entry is a Secret of type ``emco.edge/v1``, named by the hash of its key, its value compressed as Helm does with
releases. The labels ``emco.edge/key-1`` to ``-4`` are the names of the key, for listing by prefix and for people. An
entry's version is its resourceVersion.
"""

from __future__ import annotations

import builtins
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.names import as_label_value
from ansible_collections.emco.edge.plugins.module_utils._store import encoding
from ansible_collections.emco.edge.plugins.module_utils._store.contract import GRACE, Entry, Key, conflict
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes_blobs import Packs
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes_documents import (
    MANAGED_BY,
    STORE_LABEL,
    Changed,
    Document,
    Documents,
)
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes_lease import Leases, ServerClock
from ansible_collections.emco.edge.plugins.module_utils._store.lease import Lease, take_lease

_List = builtins.list  # the class has a method of that name

FORMAT = 1
_FORMAT_NOTE = "emco.edge/format"
_FORMAT_NAME = "emco-edge-store"
_KEY_NOTE = "emco.edge/key"
_LEVELS = 4
_SINGLY = 4
_CONNECTIONS = 4


class KubernetesStore:
    """A store in one namespace; see contract.Store. ``clock``: the API server's unless a test says otherwise."""

    def __init__(self, client: ClusterClient, namespace: str, *, clock: Callable[[], float] | None = None) -> None:
        self._client = client
        self._namespace = namespace
        self._clock: Callable[[], float] = clock or ServerClock(client)
        self._documents = Documents(client, namespace, self.description)
        self._packs = Packs(self._documents, self._now, self.description)
        self._leases = Leases(client, namespace, self._documents, self._now)
        self._format_read = False
        self._format_kept = False

    def _now(self) -> float:
        return self._clock()

    @property
    def description(self) -> str:
        return f"kubernetes {self._client.name}, namespace {self._namespace}"

    def get(self, key: Key) -> Entry | None:
        self._check_format()
        found = self._documents.get(_name(key))
        return self._entry(found) if found else None

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Entry]:
        return {key: self._entry(document) for key, document in self._known(keys).items()}

    def _known(self, keys: Iterable[Key]) -> dict[Key, Document]:
        """The documents of those that exist: a few one by one, many with a list of what they share."""
        self._check_format()
        families: dict[Key, set[Key]] = {}
        for key in keys:
            families.setdefault(key[:-1], set()).add(key)
        found: dict[str, Document] = {}
        for parent, children in families.items():
            if len(children) <= _SINGLY:
                documents = [document for child in children if (document := self._documents.get(_name(child)))]
            else:
                documents = _List(self._documents.read_all({STORE_LABEL: "entry", **_levels(parent)}))
            found.update({document.name: document for document in documents})
        wanted = {key: _name(key) for children in families.values() for key in children}
        return {key: found[name] for key, name in wanted.items() if name in found}

    def list(self, prefix: Key) -> _List[Entry]:
        encoding.prefix_text(prefix)
        self._check_format()
        found = map(self._entry, self._documents.read_all({STORE_LABEL: "entry", **_levels(prefix)}))
        # Labels are short and of four levels: the key has the last word.
        return sorted((entry for entry in found if entry.key[: len(prefix)] == prefix), key=lambda entry: entry.key)

    def put(self, key: Key, value: Mapping[str, Any], *, expect: int | None = None) -> int:
        text = encoding.encode_value(value)
        self._keep_format()
        while True:
            found = self._documents.get(_name(key))
            version = found.version if found else 0
            if expect is not None and expect != version:
                raise conflict(key, expect, version, self.description)
            try:
                return self._write(key, text, found)
            except Changed:
                # With an expectation, the next round says what was found instead.
                continue

    def _write(self, key: Key, text: str, before: Document | None) -> int:
        if before is not None and encoding.encode_value(self._entry(before).value) == text:
            return before.version
        labels = {**MANAGED_BY, STORE_LABEL: "entry", **_levels(key)}
        notes, content = {_KEY_NOTE: json.dumps(key)}, gzip.compress(text.encode(), 6, mtime=0)
        if before is None:
            return self._documents.create(_name(key), labels, notes, content, now=self._now()).version
        return self._documents.replace(before, labels, notes, content, now=self._now()).version

    def put_many(self, items: Mapping[Key, Mapping[str, Any]]) -> None:
        if not items:
            return
        texts = {key: encoding.encode_value(value) for key, value in items.items()}
        self._keep_format()
        there = self._known(texts)

        def write(key: Key) -> None:
            try:
                self._write(key, texts[key], there.get(key))
            except Changed:
                self.put(key, items[key])

        *most, last = texts
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            for _done in pool.map(write, most):
                pass
        write(last)

    def delete(self, key: Key, *, expect: int | None = None) -> bool:
        self._check_format()
        while True:
            found = self._documents.get(_name(key))
            version = found.version if found else 0
            if expect is not None and expect != version:
                raise conflict(key, expect, version, self.description)
            if found is None:
                return False
            try:
                self._documents.delete(found)
            except Changed:
                continue
            return True

    def put_blobs(self, blobs: Mapping[str, bytes], *, replace: bool = False) -> int:
        if not blobs:
            return 0
        self._keep_format()
        return self._packs.put(blobs, replace=replace)

    def get_blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        self._check_format()
        return self._packs.get(digests)

    def has_blobs(self, digests: Iterable[str], *, claim: bool = False) -> set[str]:
        self._check_format()
        return self._packs.known(digests, claim=claim)

    def list_blobs(self) -> set[str]:
        self._check_format()
        return self._packs.all()

    def collect_garbage(self, keep: Iterable[str], *, grace: float = GRACE) -> int:
        self._check_format()
        return self._packs.collect_garbage(keep, grace=grace)

    def lease(self, name: str, owner: str, *, ttl: float = 30.0, wait: float = 0.0) -> Lease:
        self._check_format()
        return take_lease(
            name, owner, lambda: self._leases.attempt(name, owner, ttl), ttl=ttl, wait=wait, clock=self._now
        )

    def close(self) -> None:
        self._client.close()

    def _entry(self, document: Document) -> Entry:
        try:
            value = encoding.decode_value(gzip.decompress(document.content or b""))
            return Entry(tuple(json.loads(document.annotations[_KEY_NOTE])), value, document.version)
        except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
            raise EdgeError(
                "StoreCorrupt",
                f"The Secret {document.name} of the store ({self.description}) does not hold an entry.",
                hint="Somebody changed it: restore a backup.",
            ) from error

    def _check_format(self) -> None:
        """Refuse a store that a newer version has written; asked once."""
        if self._format_read:
            return
        found = self._documents.get(_FORMAT_NAME)
        written = int(found.annotations[_FORMAT_NOTE]) if found else FORMAT
        if written > FORMAT:
            raise EdgeError(
                "StoreTooNew",
                f"The store ({self.description}) has format {written}; this version of emco.edge knows up to {FORMAT}.",
                hint="Use the version of the collection that wrote it, or a newer one.",
                details={"found": written, "known": FORMAT},
            )
        self._format_read, self._format_kept = True, found is not None

    def _keep_format(self) -> None:
        """Note the format before the first write."""
        self._check_format()
        if self._format_kept:
            return
        labels, notes = {**MANAGED_BY, STORE_LABEL: "format"}, {_FORMAT_NOTE: str(FORMAT)}
        try:
            self._documents.create(_FORMAT_NAME, labels, notes, b"", now=self._now())
        except Changed:
            self._format_read = False
            self._check_format()
        self._format_kept = True


def _name(key: Key) -> str:
    return f"emco-edge-entry-{hashlib.sha256(encoding.key_text(key).encode()).hexdigest()[:40]}"


def _levels(key: Key) -> dict[str, str]:
    return {f"emco.edge/key-{level}": as_label_value(name) for level, name in enumerate(key[:_LEVELS], start=1)}
