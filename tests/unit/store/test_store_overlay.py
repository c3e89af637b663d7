# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store that check mode writes to: it reads through, and the store below never sees what is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.emco.edge.plugins.module_utils._store.overlay import OverlayStore
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore
from tests.unit.store.contract import digest, reason_of


@pytest.fixture
def below(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "edge.db")
    store.put(("apps", "a"), {"n": 1})
    store.put(("apps", "b"), {"n": 2})
    store.put_blobs({digest(1): b"one"})
    yield store
    store.close()


def test_what_is_below_is_read_and_what_is_written_stays_above(below: SqliteStore) -> None:
    store = OverlayStore(below)
    store.put(("apps", "a"), {"n": 10})
    store.put_many({("apps", "c"): {"n": 3}, ("other", "d"): {}})
    store.delete(("apps", "b"))

    assert {entry.key[1]: entry.value["n"] for entry in store.list(("apps",))} == {"a": 10, "c": 3}
    assert store.get(("apps", "b")) is None
    assert set(store.get_many([("apps", "a"), ("apps", "b")])) == {("apps", "a")}
    assert {entry.key[1]: entry.value["n"] for entry in below.list(("apps",))} == {"a": 1, "b": 2}


def test_versions_grow_over_those_below_and_conflicts_are_told(below: SqliteStore) -> None:
    store = OverlayStore(below)
    there = below.get(("apps", "a"))
    assert there is not None

    first = store.put(("apps", "a"), {"n": 5}, expect=there.version)

    assert first > there.version
    assert store.put(("apps", "a"), {"n": 5}) == first
    assert reason_of(lambda: store.put(("apps", "a"), {"n": 6}, expect=there.version)) == "StoreConflict"
    assert reason_of(lambda: store.put(("apps", "b"), {}, expect=0)) == "StoreConflict"
    assert reason_of(lambda: store.delete(("apps", "b"), expect=first)) == "StoreConflict"
    assert not store.delete(("apps", "gone"))


def test_blobs_of_both_are_read_and_missing_ones_are_named(below: SqliteStore) -> None:
    store = OverlayStore(below)

    assert store.put_blobs({digest(1): b"other", digest(2): b"two"}) == 1
    assert store.get_blobs([digest(1), digest(2)]) == {digest(1): b"one", digest(2): b"two"}
    assert store.has_blobs([digest(2), digest(3)], claim=True) == {digest(2)}
    assert store.list_blobs() == {digest(1), digest(2)}
    assert below.list_blobs() == {digest(1)}
    assert reason_of(lambda: store.get_blobs([digest(3)])) == "BlobMissing"


KEYS = some.tuples(some.sampled_from("ab"), some.sampled_from("xyz"))


@given(some.lists(some.tuples(some.sampled_from(["put", "delete"]), KEYS, some.integers(0, 3))))
def test_any_sequence_of_operations_does_what_a_dictionary_would_do(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, tuple[str, str], int]]
) -> None:
    below = SqliteStore(tmp_path_factory.mktemp("below") / "edge.db")
    below.put_many({("a", "x"): {"n": 9}, ("b", "y"): {"n": 8}})
    store, model = OverlayStore(below), {("a", "x"): 9, ("b", "y"): 8}
    for what, key, number in steps:
        if what == "put":
            store.put(key, {"n": number})
            model[key] = number
        else:
            assert store.delete(key) is (model.pop(key, None) is not None)
    below.close()

    assert [(entry.key, entry.value["n"]) for entry in OverlayStore(below).list(("a",))] == [(("a", "x"), 9)]
    for prefix in ("a", "b"):
        found = [(entry.key, entry.value["n"]) for entry in store.list((prefix,))]
        assert found == sorted((key, number) for key, number in model.items() if key[0] == prefix)
