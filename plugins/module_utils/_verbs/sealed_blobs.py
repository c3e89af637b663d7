# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: content in the store that may hold secrets: compressed and sealed, under its keyed digest.

All objects are sealed, not only Secrets: people put passwords into ConfigMaps, arguments and values.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys


class SealedBlobs:
    """The blobs of a store, sealed with the run's keys."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    def keep(self, contents: Mapping[str, bytes]) -> None:
        """Store what is not there yet; ``contents`` by the keyed digest of each."""
        there = self._store.has_blobs(contents, claim=True)
        fresh = {
            digest: self._keys.seal(zlib.compress(content, 3), digest.encode())
            for digest, content in contents.items()
            if digest not in there
        }
        if fresh:
            self._store.put_blobs(fresh)

    def get(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The contents; ``BlobMissing`` when one is not there."""
        found = self._store.get_blobs(set(digests))
        return {digest: zlib.decompress(self._keys.unseal(sealed, digest.encode())) for digest, sealed in found.items()}

    def get_known(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The contents of those that are there."""
        return self.get(self._store.has_blobs(digests))


def sealed_document(document: Mapping[str, Any], key: Key, keys: Keys) -> str:
    """JSON data as text that only the keys open; bound to its place in the store."""
    content = zlib.compress(json.dumps(document, sort_keys=True).encode())
    return base64.b64encode(keys.seal(content, "/".join(key).encode())).decode()


def opened_document(sealed: str, key: Key, keys: Keys) -> dict[str, Any]:
    """The JSON data that ``sealed_document`` sealed."""
    content = keys.unseal(base64.b64decode(sealed), "/".join(key).encode())
    document: dict[str, Any] = json.loads(zlib.decompress(content))
    return document
