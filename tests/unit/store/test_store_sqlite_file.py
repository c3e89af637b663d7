# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sqlite store's file: permissions, versions, damage, and disks that are full or cannot be written."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore, default_path
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite_file import (
    MIGRATIONS,
    open_for_reading,
    open_for_writing,
)
from tests.unit.store.contract import ALICE, digest, reason_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "edge.db"


# the file


def test_the_file_its_log_and_its_folder_are_private(path: Path) -> None:
    before = os.umask(0)
    try:
        store = SqliteStore(path)
        store.put(("a",), {"n": 1})
        names = sorted(file.name for file in path.parent.iterdir())
        assert names == ["edge.db", "edge.db-shm", "edge.db-wal"]
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
        assert path.parent.stat().st_mode & 0o777 == 0o700
        store.close()
    finally:
        os.umask(before)


def test_reading_makes_no_file(path: Path) -> None:
    store = SqliteStore(path)
    assert store.list(()) == []
    assert store.get(("a",)) is None
    assert not path.parent.exists()
    SqliteStore(path).put(("a",), {"n": 1})
    assert store.get(("a",)) is not None, "and what another run makes later is seen"


def test_the_default_path_follows_the_environment() -> None:
    assert default_path({"XDG_STATE_HOME": "/state", "HOME": "/home/ops"}) == Path("/state/emco-edge/edge.db")
    assert default_path({"HOME": "/home/ops"}) == Path("/home/ops/.local/state/emco-edge/edge.db")
    assert default_path({"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/state/emco-edge/edge.db")


def test_the_description_says_where(path: Path) -> None:
    assert SqliteStore(path).description == f"sqlite {path}"


def test_paths_that_mean_something_in_a_uri_are_only_paths(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "what?mode=memory#x%20y.db")
    store.put(("a",), {"n": 1})
    store.close()
    assert (tmp_path / "what?mode=memory#x%20y.db").stat().st_size > 0


# versions


def test_a_newer_store_is_refused_and_left_alone(path: Path) -> None:
    SqliteStore(path).put(("a",), {"n": 1})
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    connection.close()
    store = SqliteStore(path)
    assert reason_of(lambda: store.get(("a",))) == "StoreTooNew"
    assert reason_of(lambda: store.put(("a",), {"n": 2})) == "StoreTooNew"


def test_an_older_store_is_migrated_with_its_content(path: Path) -> None:
    open_for_writing(path, MIGRATIONS[:1]).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO entries VALUES ('a' || char(31), '{\"n\":1}', 5)")
    connection.close()
    newer = (*MIGRATIONS, ("CREATE TABLE later (x TEXT)", "INSERT INTO later SELECT key FROM entries"))
    migrated = open_for_writing(path, newer)
    assert migrated.execute("PRAGMA user_version").fetchone()[0] == len(newer)
    assert migrated.execute("SELECT x FROM later").fetchall() == [("a\x1f",)]
    migrated.close()
    assert open_for_writing(path, newer).execute("SELECT count(*) FROM later").fetchone() == (1,)


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    open_for_writing(path).close()
    broken = (*MIGRATIONS, ("CREATE TABLE later (x TEXT)", "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(EdgeError):
        open_for_writing(path, broken)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
    connection.close()


def test_another_programs_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    assert reason_of(lambda: SqliteStore(path).put(("a",), {"n": 1})) == "StoreCorrupt"
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    connection.close()


@pytest.mark.parametrize("keep", [0, 200, 5000])
def test_a_corrupt_file_is_named_and_not_written(path: Path, keep: int) -> None:
    store = SqliteStore(path)
    store.put_many({("a", str(number)): {"text": "x" * 500} for number in range(100)})
    store.close()
    broken = path.read_bytes()[:keep] + b"garbage!" * 8000
    path.write_bytes(broken)
    with pytest.raises(EdgeError, match=str(path)) as caught:
        SqliteStore(path).list(())
    assert caught.value.reason == "StoreCorrupt"
    assert "sqlite says" in caught.value.message
    assert path.read_bytes() == broken


# full and read-only disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


def test_a_full_disk_is_told_and_what_was_stored_stays(small_disk: Path) -> None:
    path = small_disk / "edge.db"
    store = SqliteStore(path)
    store.put(("a",), {"n": 1})
    noise = {digest(number): os.urandom(20_000) for number in range(100)}
    with pytest.raises(EdgeError, match=str(path)) as caught:
        store.put_blobs(noise)
    assert caught.value.reason == "StoreUnwritable"
    assert "database or disk is full" in caught.value.message
    assert store.get(("a",)) is not None
    assert store.list_blobs() == set()
    shutil.copy(path, small_disk.parent / "copy.db")
    store.close()
    again = SqliteStore(path)
    assert [entry.value for entry in again.list(())] == [{"n": 1}]
    again.close()


def test_a_disk_that_was_full_from_the_start_is_told(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(1_048_576))
    assert reason_of(lambda: SqliteStore(small_disk / "edge.db").put(("a",), {"n": 1})) == "StoreUnwritable"
    assert SqliteStore(small_disk / "new" / "edge.db").list(()) == []


@pytest.mark.parametrize("left_open", [False, True], ids=["closed", "killed"])
def test_a_read_only_store_is_read_but_not_written(small_disk: Path, left_open: bool) -> None:
    path = small_disk / "edge.db"
    store = SqliteStore(path)
    store.put(("a",), {"n": 1})
    if left_open:
        for file in list(small_disk.iterdir()):
            shutil.copy(file, file.with_name(file.name.replace("edge", "left")))
        path = small_disk / "left.db"
    store.close()
    remount(small_disk, "ro")
    try:
        reader = SqliteStore(path)
        assert [entry.value for entry in reader.list(())] == [{"n": 1}]
        with pytest.raises(EdgeError, match=str(path)) as caught:
            reader.put(("a",), {"n": 2})
        assert caught.value.reason == "StoreUnwritable"
        assert reason_of(lambda: reader.lease("one", ALICE)) == "StoreUnwritable"
        assert reader.get(("a",)) is not None
        reader.close()
        assert reason_of(lambda: SqliteStore(small_disk / "none" / "edge.db").put(("a",), {})) == "StoreUnwritable"
    finally:
        remount(small_disk, "rw")


def test_a_read_only_store_whose_log_cannot_be_read_is_refused_rather_than_read_without_it(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "edge.db")
    store.put(("a",), {"n": 1})
    for name in ("edge.db", "edge.db-wal"):
        shutil.copy(small_disk / name, small_disk / name.replace("edge", "left"))
    store.close()
    remount(small_disk, "ro")
    try:
        assert reason_of(lambda: SqliteStore(small_disk / "left.db").list(())) == "StoreUnwritable"
    finally:
        remount(small_disk, "rw")
    assert [entry.value for entry in SqliteStore(small_disk / "left.db").list(())] == [{"n": 1}]


def test_a_user_who_may_only_read_reads(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("becoming another user needs root")
    path = tmp_path / "edge.db"
    store = SqliteStore(path)
    store.put(("a",), {"n": 1})
    store.close()
    path.chmod(0o644)
    # pytest makes its own folders for its user only; with workers there is one more of them.
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    child = os.fork()
    if not child:
        try:
            os.setuid(65534)
            reader = SqliteStore(path)
            read = [entry.value for entry in reader.list(())] == [{"n": 1}]
            try:
                reader.put(("a",), {"n": 2})
                os._exit(3)
            except EdgeError as error:
                os._exit(0 if read and error.reason == "StoreUnwritable" else 4)
        finally:
            os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_file_that_another_process_is_just_making_is_read_as_an_empty_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o600)
    reader = open_for_reading(path)
    assert reader.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    reader.close()
    assert path.stat().st_size == 0


def test_a_store_that_many_make_at_the_same_moment_is_one_store(tmp_path: Path) -> None:
    # All hosts of a first play do this. Several rounds, since it is a matter of microseconds.
    processes = multiprocessing.get_context("fork")
    for number in range(40):
        path, go, told = tmp_path / f"{number}.db", processes.Barrier(4), processes.SimpleQueue()
        makers = [processes.Process(target=make_at_once, args=(path, who, go, told)) for who in range(4)]
        for maker in makers:
            maker.start()
        assert [told.get() for _unused in makers] == [""] * 4
        for maker in makers:
            maker.join()
        assert len(SqliteStore(path).list(("made",))) == 4


def make_at_once(path: Path, who: int, go: Barrier, told: multiprocessing.SimpleQueue[str]) -> None:
    go.wait()
    # Those that come a moment later find the file and nothing in it yet.
    time.sleep(who * 0.0005)
    store = SqliteStore(path)
    try:
        store.get(("made", str(who)))
        store.put(("made", str(who)), {})
        told.put("")
    except EdgeError as error:
        told.put(str(error))
