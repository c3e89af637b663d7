# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sqlite store: the contract, and what only a file does."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore
from tests.unit.store.contract import ALICE, BOB, FakeClock, OpenStore, StoreContract, digest, reason_of
from tests.unit.store.dictionaries import Dictionaries, operations
from tests.unit.store.whole_store import WholeStoreContract


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "edge.db"


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def open_store(self, clock: FakeClock, path: Path) -> OpenStore:
        return lambda: SqliteStore(path, clock=clock)

    def nothing_was_written(self, store: Store) -> bool:
        assert isinstance(store, SqliteStore)
        return not store.path.exists()


class TestWholeSqliteStore(WholeStoreContract):
    @pytest.fixture
    def open_store(self, path: Path) -> OpenStore:
        return lambda: SqliteStore(path)

    @pytest.fixture
    def open_another(self, path: Path) -> OpenStore:
        return lambda: SqliteStore(path.parent / "another.db")


@given(operations)
def test_any_sequence_of_operations_does_what_dictionaries_would_do(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, model = SqliteStore(Path(folder) / "edge.db"), Dictionaries()
        for name, *arguments in steps:
            model.do(store, name, *arguments)
        model.same_as(store)
        store.close()
        again = SqliteStore(Path(folder) / "edge.db")
        model.same_as(again)
        again.close()


def python(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Another process, with the collection and this file's imports at hand."""
    lead = (
        "import os, sys, time\n"
        "from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError\n"
        "from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore\n"
        "store = SqliteStore(sys.argv[1])\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    return subprocess.Popen(
        [sys.executable, "-c", lead + code, *map(str, arguments)], env=environ, stdout=subprocess.PIPE
    )


# processes


def test_two_processes_make_the_store_at_the_same_moment(path: Path) -> None:
    code = "store.put(('made', sys.argv[2]), {'n': 1})\n"
    for process in [python(code, path, number) for number in range(4)]:
        assert process.wait(60) == 0
    assert len(SqliteStore(path).list(("made",))) == 4


def test_two_processes_that_count_lose_no_count(path: Path) -> None:
    SqliteStore(path).put(("counter",), {"n": 0})
    code = """
done = 0
while done < 100:
    found = store.get(("counter",))
    try:
        store.put(("counter",), {"n": found.value["n"] + 1}, expect=found.version)
        done += 1
    except EdgeError as error:
        assert error.reason == "StoreConflict", error
"""
    for process in [python(code, path) for _unused in range(2)]:
        assert process.wait(120) == 0
    found = SqliteStore(path).get(("counter",))
    assert found is not None
    assert found.value == {"n": 200}


def test_a_writer_killed_anywhere_leaves_all_or_nothing_of_each_write(path: Path) -> None:
    code = """
number = 0
while True:
    number += 1
    store.put_blobs({f"{number:032x}": os.urandom(3000)})
    store.put_many({("pair", side): {"n": number, "text": "x" * 3000} for side in "abc"})
    if number == 1:
        print("going", flush=True)
"""
    for turn in range(6):
        process = python(code, path)
        assert process.stdout is not None
        assert process.stdout.readline() == b"going\n"
        time.sleep(0.013 * (turn + 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        store = SqliteStore(path)
        entries = store.list(("pair",))
        assert [entry.key[1] for entry in entries] == ["a", "b", "c"]
        assert len({entry.value["n"] for entry in entries}) == 1, "half of a transaction was kept"
        assert store.has_blobs([f"{entries[0].value['n']:032x}"]), "an entry survived the blob stored before it"
        store.put(("after", str(turn)), {"n": turn})
        store.close()


def test_the_lease_of_a_killed_process_is_free_at_once(path: Path) -> None:
    owner = python("lease = store.lease('one', 'gone')\nprint('held', flush=True)\ntime.sleep(60)\n", path)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"held\n"
    store = SqliteStore(path)
    assert reason_of(lambda: store.lease("one", BOB)) == "Busy"
    owner.kill()
    owner.wait()
    store.lease("one", BOB).release()


def test_a_lease_of_another_machine_is_respected_until_it_expires(path: Path, clock: Callable[[], float]) -> None:
    store = SqliteStore(path, clock=clock)
    held = store.lease("one", ALICE)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE leases SET process = 'another-boot:pid:[1]:999999999:1'")
    connection.close()
    assert reason_of(lambda: store.lease("one", BOB)) == "Busy"
    held.release()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_store_that_vanishes_under_a_lease_loses_it_after_its_ttl(path: Path, clock: FakeClock) -> None:
    store = SqliteStore(path, clock=clock)
    lease = store.lease("one", ALICE, ttl=30)
    store.close()
    for file in path.parent.iterdir():
        file.unlink()
    path.mkdir()  # whatever is opened now fails
    clock.now += 25
    lease.check()
    clock.now += 10
    assert reason_of(lease.check) == "LeaseLost"
    lease.release()


def test_no_thread_stays_behind_a_released_lease(path: Path) -> None:
    store = SqliteStore(path)
    before = threading.active_count()
    with store.lease("one", ALICE):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    store.close()


def test_a_forked_child_does_not_disturb_its_parent(path: Path) -> None:
    store = SqliteStore(path)
    store.put(("a",), {"n": 1})
    child = os.fork()
    if not child:
        try:
            store.put(("child",), {"n": 1})
            store.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.put(("a",), {"n": 2})
    assert [entry.key for entry in store.list(())] == [("a",), ("child",)]
    store.close()


# speed


def test_a_fleet_is_listed_and_a_large_plan_stored_without_a_thought(path: Path) -> None:
    store: Store = SqliteStore(path)
    facts = {"version": "1.30.2", "nodes": [{"name": f"node-{n}", "allocatable": {"cpu": "8"}} for n in range(5)]}
    store.put_many(
        {("clusters", "lab", f"edge-{n}"): {"labels": {"region": "north"}, "facts": facts} for n in range(5000)}
    )
    blobs = {digest(n): (f"kind: ConfigMap # {n}\n" * 60).encode() for n in range(5000)}
    # Processor time, and far more than it takes: what is to be noticed is one query an entry.
    started = time.process_time()
    store.put_blobs(blobs)
    assert time.process_time() - started < 5
    started = time.process_time()
    assert len(store.list(("clusters",))) == 5000
    assert time.process_time() - started < 5
    store.close()
