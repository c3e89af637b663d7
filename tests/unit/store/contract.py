# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store must do. A back end's tests inherit StoreContract and say how one of its stores is opened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store

OpenStore = Callable[[], Store]

ALICE = "alice@bastion (process 7)"
BOB = "bob@awx (job 42)"


class FakeClock:
    """A labelled fake: the epoch as the test says, because no test waits for half a minute."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def digest(number: int) -> str:
    """A digest as the caller would have made it."""
    return f"{number:032x}"


def reason_of(action: Callable[[], Any]) -> str:
    with pytest.raises(EdgeError) as caught:
        action()
    return caught.value.reason


class StoreContract:
    """Inherit, and give the fixture ``open_store``: each call opens the same store once more, as another run would."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def open_store(self, clock: FakeClock) -> OpenStore:
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[Store]:
        opened = open_store()
        yield opened
        opened.close()

    @pytest.fixture
    def other(self, open_store: OpenStore) -> Iterator[Store]:
        opened = open_store()
        yield opened
        opened.close()

    # entries

    def test_a_stored_value_is_read_back_by_another_run(self, store: Store, other: Store) -> None:
        value = {"labels": {"region": "north", "leer": ""}, "nodes": [1, 2.5, None, True], "name": "Zürich 🏔"}
        version = store.put(("clusters", "lab", "edge-1"), value)
        found = other.get(("clusters", "lab", "edge-1"))
        assert found is not None
        assert (found.key, found.value, found.version) == (("clusters", "lab", "edge-1"), value, version)

    def test_what_was_never_stored_is_none(self, store: Store) -> None:
        assert store.get(("clusters", "lab", "edge-1")) is None
        assert store.list(("clusters",)) == []
        assert store.has_blobs([digest(1)]) == set()

    def test_list_gives_whole_names_only_and_in_the_order_of_keys(self, store: Store) -> None:
        keys: list[Key] = [
            ("deployments", "demo", "b"),
            ("deployments", "demo", "a"),
            ("deployments", "demo", "a", "deeper"),
            ("deployments", "demo", "a-b"),
            ("deployments", "demo", "a b"),
            ("deployments", "demo", "é"),
            ("deployments", "demo2", "a"),
            ("deployments", "demo"),
            ("deploymentsx", "demo", "a"),
        ]
        store.put_many({key: {"key": list(key)} for key in keys})
        wanted = sorted(key for key in keys if key[:2] == ("deployments", "demo"))
        assert [entry.key for entry in store.list(("deployments", "demo"))] == wanted
        assert [entry.value["key"] for entry in store.list(("deployments", "demo"))] == [list(key) for key in wanted]
        assert [entry.key for entry in store.list(())] == sorted(keys)

    def test_prefixes_of_any_length_are_told_apart(self, store: Store) -> None:
        keys: list[Key] = [("a", "b", "c", "d", *rest) for rest in ((), ("e",), ("e", "f"), ("e", "g"), ("x", "f"))]
        store.put_many({key: {"key": list(key)} for key in keys})
        for prefix in {key[:length] for key in keys for length in range(7)}:
            wanted = sorted(key for key in keys if key[: len(prefix)] == prefix)
            assert [entry.key for entry in store.list(prefix)] == wanted

    def test_get_many_gives_those_that_exist(self, store: Store) -> None:
        keys: list[Key] = [("clusters", "lab", f"edge-{number}") for number in range(40)]
        store.put_many({key: {"n": number} for number, key in enumerate(keys)})
        found = store.get_many([*keys[10:20], ("clusters", "lab", "none")])
        assert {key: entry.value["n"] for key, entry in found.items()} == {keys[n]: n for n in range(10, 20)}

    def test_the_same_value_again_writes_nothing(self, store: Store) -> None:
        first = store.put(("a", "b"), {"x": 1, "y": [2]})
        assert store.put(("a", "b"), {"y": [2], "x": 1}) == first
        store.put_many({("a", "b"): {"x": 1, "y": [2]}})
        found = store.get(("a", "b"))
        assert found is not None
        assert found.version == first

    def test_nothing_to_store_is_no_reason_to_write(self, store: Store, other: Store) -> None:
        store.put_many({})
        assert store.put_blobs({}) == 0
        assert self.nothing_was_written(other)

    def nothing_was_written(self, store: Store) -> bool:
        raise NotImplementedError

    def test_compare_and_swap_refuses_what_changed_meanwhile(self, store: Store, other: Store) -> None:
        first = store.put(("a",), {"n": 1})
        second = other.put(("a",), {"n": 2}, expect=first)
        assert second > first
        assert reason_of(lambda: store.put(("a",), {"n": 3}, expect=first)) == "StoreConflict"
        found = store.get(("a",))
        assert found is not None
        assert (found.value, found.version) == ({"n": 2}, second)

    def test_expecting_nothing_refuses_what_exists(self, store: Store) -> None:
        store.put(("a",), {"n": 1}, expect=0)
        assert reason_of(lambda: store.put(("a",), {"n": 1}, expect=0)) == "StoreConflict"
        assert reason_of(lambda: store.put(("b",), {"n": 1}, expect=7)) == "StoreConflict"
        assert store.get(("b",)) is None

    def test_a_conflict_names_the_key(self, store: Store) -> None:
        store.put(("revisions", "demo", "vision"), {"n": 1})
        with pytest.raises(EdgeError, match="revisions/demo/vision") as caught:
            store.put(("revisions", "demo", "vision"), {"n": 2}, expect=0)
        assert caught.value.details["key"] == ["revisions", "demo", "vision"]

    def test_a_deleted_and_remade_entry_is_not_mistaken_for_the_old_one(self, store: Store) -> None:
        old = store.put(("a",), {"n": 1})
        assert store.delete(("a",))
        assert store.put(("a",), {"n": 1}) > old
        assert reason_of(lambda: store.put(("a",), {"n": 2}, expect=old)) == "StoreConflict"
        assert reason_of(lambda: store.delete(("a",), expect=old)) == "StoreConflict"

    def test_delete_says_whether_something_was_there(self, store: Store) -> None:
        version = store.put(("a", "b"), {"n": 1})
        store.put(("a", "c"), {"n": 1})
        assert store.delete(("a", "b"), expect=version) is True
        assert store.delete(("a", "b")) is False
        assert reason_of(lambda: store.delete(("a", "b"), expect=version)) == "StoreConflict"
        assert [entry.key for entry in store.list(("a",))] == [("a", "c")]

    @pytest.mark.parametrize("key", [(), ("",), ("a", ""), ("a\x1fb",), ("a\x00",), ("a\n",), ("\udc80",)])
    def test_names_that_cannot_be_kept_apart_are_refused(self, store: Store, key: Key) -> None:
        assert reason_of(lambda: store.put(key, {"n": 1})) == "InvalidInput"
        assert store.list(()) == []

    def test_long_names_and_large_values_are_kept(self, store: Store) -> None:
        key = ("clusters", "p" * 128, "c" * 253)
        # Random enough that no compression makes it small: more than an etcd object may hold.
        value = {"text": "".join(f"{(number * 2654435761) % 2**32:08x}" for number in range(400_000))}
        store.put(key, value)
        assert [entry.key for entry in store.list(("clusters",))] == [key]
        assert store.list(("clusters",))[0].value == value
        store.put(key, {"text": "short"})
        found = store.get(key)
        assert found is not None
        assert found.value == {"text": "short"}

    def test_threads_that_count_lose_no_count(self, store: Store) -> None:
        store.put(("counter",), {"n": 0})

        def count() -> None:
            done = 0
            while done < 5:
                found = store.get(("counter",))
                assert found is not None
                try:
                    store.put(("counter",), {"n": found.value["n"] + 1}, expect=found.version)
                    done += 1
                except EdgeError as error:
                    assert error.reason == "StoreConflict"

        threads = [threading.Thread(target=count) for _unused in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = store.get(("counter",))
        assert found is not None
        assert found.value == {"n": 20}

    # blobs

    def test_blobs_are_stored_once_and_read_back_exactly(self, store: Store, other: Store) -> None:
        blobs = {digest(n): bytes([n]) * n * 100 for n in range(5)} | {digest(9): bytes(range(256))}
        assert store.put_blobs(blobs) == 6
        assert other.put_blobs(blobs | {digest(7): b"new"}) == 1
        assert other.get_blobs(blobs) == blobs
        assert other.has_blobs([digest(1), digest(7), digest(8)]) == {digest(1), digest(7)}
        assert other.list_blobs() == {*blobs, digest(7)}

    def test_a_blob_that_is_there_is_not_overwritten_unless_told(self, store: Store) -> None:
        store.put_blobs({digest(1): b"first"})
        assert store.put_blobs({digest(1): b"second"}) == 0
        assert store.get_blobs([digest(1)]) == {digest(1): b"first"}
        assert store.put_blobs({digest(1): b"sealed anew"}, replace=True) == 0
        assert store.get_blobs([digest(1)]) == {digest(1): b"sealed anew"}

    def test_missing_blobs_are_named(self, store: Store) -> None:
        store.put_blobs({digest(1): b"x"})
        with pytest.raises(EdgeError, match=digest(2)) as caught:
            store.get_blobs([digest(1), digest(2)])
        assert caught.value.reason == "BlobMissing"
        assert caught.value.details["digests"] == [digest(2)]

    def test_more_blobs_than_fit_into_one_statement_or_object(self, store: Store) -> None:
        blobs = {digest(n): (f"{n}:" * 200).encode() for n in range(1200)}
        blobs[digest(5000)] = b"".join((n * 2654435761 % 2**32).to_bytes(4, "big") for n in range(500_000))
        assert store.put_blobs(blobs) == 1201
        assert store.has_blobs(blobs) == set(blobs)
        assert store.get_blobs(blobs) == blobs

    def test_garbage_is_what_nobody_keeps_and_nobody_named_lately(self, store: Store, clock: FakeClock) -> None:
        store.put_blobs({digest(n): b"%d" % n for n in range(6)})
        assert store.collect_garbage([digest(1)]) == 0, "somebody may be about to name them"
        clock.now += 3000
        store.put_blobs({digest(2): b"2", digest(10): b"10"})
        assert store.has_blobs([digest(3), digest(11)], claim=True) == {digest(3)}
        assert store.has_blobs([digest(4)]) == {digest(4)}, "asking alone protects nothing"
        clock.now += 1000
        assert store.collect_garbage([digest(1)]) == 3
        kept = {digest(number): b"%d" % number for number in (1, 2, 3, 10)}
        assert store.list_blobs() == set(kept)
        assert store.get_blobs(kept) == kept
        assert store.collect_garbage([digest(1)], grace=0) == 3
        assert store.list_blobs() == {digest(1)}

    # leases

    def test_a_held_lease_is_refused_with_its_owners_name(self, store: Store, other: Store) -> None:
        with store.lease("deployment demo/vision", ALICE), pytest.raises(EdgeError) as caught:
            other.lease("deployment demo/vision", BOB)
        assert caught.value.reason == "Busy"
        assert ALICE in caught.value.message
        assert caught.value.details["owner"] == ALICE
        assert caught.value.details["since"]

    def test_a_released_lease_is_free_at_once_and_others_are_free_meanwhile(self, store: Store, other: Store) -> None:
        with store.lease("one", ALICE) as lease:
            lease.check()
            other.lease("two", BOB).release()
        with other.lease("one", BOB) as lease:
            lease.check()
            assert not lease.lost

    def test_one_owner_does_not_hold_a_lease_twice(self, store: Store) -> None:
        with store.lease("one", ALICE):
            assert reason_of(lambda: store.lease("one", ALICE)) == "Busy"

    def test_waiting_gets_the_lease_when_it_is_given_back(self, store: Store, other: Store) -> None:
        held = store.lease("one", ALICE)
        threading.Timer(0.3, held.release).start()
        started = time.monotonic()
        with other.lease("one", BOB, wait=20) as lease:
            assert lease.owner == BOB
        assert 0.2 < time.monotonic() - started < 10

    def test_a_living_owner_keeps_its_lease_past_the_ttl(self, open_store: OpenStore) -> None:
        # Real time here: what is tested is the thread that renews.
        store, other = self.with_real_time(open_store), self.with_real_time(open_store)
        with store.lease("one", ALICE, ttl=1.5) as lease:
            time.sleep(2.5)
            assert reason_of(lambda: other.lease("one", BOB)) == "Busy"
            lease.check()
        store.close()
        other.close()

    def with_real_time(self, open_store: OpenStore) -> Store:
        opened = open_store()
        opened._clock = time.time  # type: ignore[attr-defined]
        return opened

    def test_the_lease_of_a_dead_owner_is_taken_over_after_its_ttl(
        self, store: Store, other: Store, clock: FakeClock
    ) -> None:
        dead = store.lease("one", ALICE, ttl=30)
        clock.now += 29
        assert reason_of(lambda: other.lease("one", BOB)) == "Busy"
        clock.now += 2
        with other.lease("one", BOB) as lease:
            lease.check()
            assert reason_of(dead.check) == "LeaseLost"
            assert dead.lost
            dead.release()
            lease.check()
            assert reason_of(lambda: store.lease("one", ALICE)) == "Busy", "a lost lease gives nothing back"

    def test_a_lease_that_nobody_took_meanwhile_is_still_ours(self, store: Store, clock: FakeClock) -> None:
        with store.lease("one", ALICE, ttl=30) as lease:
            clock.now += 300
            lease.check()
            assert not lease.lost
