# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random operations on a store, and the dictionaries that say what they must lead to."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from tests.unit.store.contract import digest, reason_of

_names = st.sampled_from(["a", "b", "a-b", "a.b", "ä", "A b"])
_keys = st.lists(_names, min_size=1, max_size=3).map(tuple)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_values = st.dictionaries(st.text(max_size=5), _json, max_size=3)
_digests = st.integers(0, 8).map(digest)

# What a run may ask of a store: the method's name and its arguments; "right" and "wrong" stand for versions.
operations = st.lists(
    st.one_of(
        st.tuples(st.just("put"), _keys, _values, st.sampled_from([None, "right", "wrong", 0])),
        st.tuples(st.just("put_many"), st.dictionaries(_keys, _values, max_size=4)),
        st.tuples(st.just("delete"), _keys, st.sampled_from([None, "right", "wrong"])),
        st.tuples(st.just("list"), st.lists(_names, max_size=2).map(tuple)),
        st.tuples(st.just("put_blobs"), st.dictionaries(_digests, st.binary(max_size=300), max_size=5), st.booleans()),
        st.tuples(st.just("collect_garbage"), st.sets(_digests)),
    ),
    max_size=25,
)


class Dictionaries:
    """The same store as plain dictionaries: what each operation must lead to."""

    def __init__(self) -> None:
        self.entries: dict[Key, tuple[dict[str, Any], int]] = {}
        self.blobs: dict[str, bytes] = {}

    def do(self, store: Store, name: str, *arguments: Any) -> None:
        """Do the operation on the store and here, and compare what it answers."""
        getattr(self, name)(store, *arguments)

    def same_as(self, store: Store) -> None:
        """Compare everything."""
        assert {entry.key: (entry.value, entry.version) for entry in store.list(())} == self.entries
        assert store.list_blobs() == set(self.blobs)
        assert store.get_blobs(self.blobs) == self.blobs

    def version(self, key: Key, which: str | int | None) -> int | None:
        now = self.entries[key][1] if key in self.entries else 0
        return {"right": now, "wrong": now + 1}.get(which, which) if which else which  # type: ignore[return-value,arg-type]

    def put(self, store: Store, key: Key, value: dict[str, Any], which: str | int | None) -> None:
        expect, now = self.version(key, which), self.entries.get(key, ({}, 0))[1]
        if expect is not None and expect != now:
            assert reason_of(lambda: store.put(key, value, expect=expect)) == "StoreConflict"
            return
        version = store.put(key, value, expect=expect)
        if key in self.entries and self.entries[key][0] == value:
            # A float and an integer are equal in Python, but not in JSON: 1.0 may replace 1.
            assert version >= now
        else:
            assert version > max([0, *(found[1] for found in self.entries.values())])
        self.entries[key] = (value, version)

    def put_many(self, store: Store, items: dict[Key, dict[str, Any]]) -> None:
        store.put_many(items)
        found = store.get_many(items)
        assert found.keys() == items.keys()
        self.entries |= {key: (items[key], found[key].version) for key in items}

    def delete(self, store: Store, key: Key, which: str | int | None) -> None:
        expect = self.version(key, which)
        if expect is not None and expect != self.version(key, "right"):
            assert reason_of(lambda: store.delete(key, expect=expect)) == "StoreConflict"
            return
        assert store.delete(key, expect=expect) is (self.entries.pop(key, None) is not None)

    def list(self, store: Store, prefix: Key) -> None:
        wanted = sorted(key for key in self.entries if key[: len(prefix)] == prefix)
        assert [entry.key for entry in store.list(prefix)] == wanted
        assert [store.get(key) for key in wanted] == store.list(prefix)

    def put_blobs(self, store: Store, blobs: dict[str, bytes], replace: bool) -> None:
        assert store.put_blobs(blobs, replace=replace) == len(blobs.keys() - self.blobs.keys())
        self.blobs = {**self.blobs, **blobs} if replace else {**blobs, **self.blobs}

    def collect_garbage(self, store: Store, keep: set[str]) -> None:
        assert store.collect_garbage(keep, grace=0) == len(self.blobs.keys() - keep)
        self.blobs = {name: data for name, data in self.blobs.items() if name in keep}
