# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a new key for a store, sealing anew what older keys sealed, and giving old keys up.

The rule of what is sealed where: a blob for its digest; a text under the name ``sealed`` in an entry for the entry's
key, joined with ``/``, or (credentials of a cluster) for the cluster's name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Entry, Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.key_file import save_keys
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys, is_sealed, sealed_by
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_keys

_SEALED = "sealed"
_BATCH = 200


@dataclass(frozen=True)
class Resealed:
    """How many entries and blobs were sealed anew, and the names of those that no known key opens."""

    entries: int
    blobs: int
    unreadable: tuple[str, ...]


def rotate_keys(store: Store, environ: Mapping[str, str]) -> tuple[Keys, Resealed]:
    """Put a new key in front and seal everything anew with it; the old keys stay, for records and other runs.

    Killed anywhere, ``reseal`` finishes it.
    """
    keys = open_keys(store, environ, writing=True).with_new_key()
    # Kept before it is used: nothing may ever be sealed with a key that only this process knows.
    save_keys(environ, keys)
    return keys, reseal(store, keys)


def reseal(store: Store, keys: Keys) -> Resealed:
    """Seal with the first key what other keys sealed; run again, it does nothing."""
    unreadable: list[str] = []
    entries = sum(_reseal_entry(store, keys, entry, unreadable) for entry in store.list(()))
    blobs = 0
    for sealed in _sealed_blobs(store):
        old = {digest: data for digest, data in sealed.items() if sealed_by(data) != keys.ids[0]}
        anew: dict[str, bytes] = {}
        for digest, data in old.items():
            try:
                anew[digest] = keys.seal(keys.unseal(data, digest.encode()), digest.encode())
            except EdgeError:
                unreadable.append(f"object {digest}")
        store.put_blobs(anew, replace=True)
        blobs += len(anew)
    return Resealed(entries, blobs, tuple(unreadable))


def keys_in_use(store: Store) -> set[str]:
    """The ids of the keys that something in the store is sealed with."""
    used = {sealed_by(data) for sealed in _sealed_blobs(store) for data in sealed.values()}
    for entry in store.list(()):
        used.update(sealed_by(_decoded(text)) for text in _sealed_texts(entry.value))
    return used


def retire_keys(store: Store, environ: Mapping[str, str], *, used_elsewhere: Collection[str] = ()) -> tuple[str, ...]:
    """Give up all keys but the first, and return their ids.

    EdgeError ``KeyInUse`` while something in the store, or in ``used_elsewhere`` (ids of the keys that the records in
    the clusters are signed with), still needs one.
    """
    keys = open_keys(store, environ, writing=True)
    old = keys.ids[1:]
    needed = sorted(set(old) & (keys_in_use(store) | set(used_elsewhere)))
    if needed:
        raise EdgeError(
            "KeyInUse",
            f"The keys {', '.join(needed)} cannot be given up: something is still sealed or signed with them.",
            hint="Rotate first, and let every deployment sync once, which signs the records in its clusters anew.",
            details={"keys": needed},
        )
    if old:
        save_keys(environ, keys.with_first_key_only())
    return old


def _sealed_blobs(store: Store) -> Iterable[dict[str, bytes]]:
    digests = sorted(store.list_blobs())
    for start in range(0, len(digests), _BATCH):
        # Asked again: what was collected as garbage since the list was made is not missing.
        there = store.has_blobs(digests[start : start + _BATCH])
        yield {digest: data for digest, data in store.get_blobs(there).items() if is_sealed(data)}


def _reseal_entry(store: Store, keys: Keys, entry: Entry, unreadable: list[str]) -> bool:
    while any(sealed_by(_decoded(text)) != keys.ids[0] for text in _sealed_texts(entry.value)):
        try:
            value = _resealed(entry.value, entry.key, keys)
        except EdgeError:
            unreadable.append("/".join(entry.key))
            return False
        try:
            store.put(entry.key, value, expect=entry.version)
        except EdgeError as error:
            if error.reason != "StoreConflict":
                raise
        else:
            return True
        # Somebody was faster: their value may still be sealed with an old key.
        found = store.get(entry.key)
        if found is None:
            return False
        entry = found
    return False


def _sealed_texts(value: Any, name: str = "") -> Iterable[str]:
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _sealed_texts(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _sealed_texts(item)
    elif _is_sealed_text(value, name):
        yield value


def _resealed(value: Any, key: Key, keys: Keys, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {inner: _resealed(item, key, keys, inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [_resealed(item, key, keys) for item in value]
    return _resealed_text(value, key, keys) if _is_sealed_text(value, name) else value


def _resealed_text(text: str, key: Key, keys: Keys) -> str:
    for context in ("/".join(key).encode(), "+".join(key[1:]).encode()):
        try:
            return base64.b64encode(keys.seal(keys.unseal(_decoded(text), context), context)).decode()
        except EdgeError as error:
            broken = error
    raise broken


def _is_sealed_text(value: Any, name: str) -> bool:
    return name == _SEALED and isinstance(value, str) and is_sealed(_decoded(value))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
