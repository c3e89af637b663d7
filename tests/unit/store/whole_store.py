# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup, restore and key rotation, which every back end goes through by the contract alone."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store import rotation
from ansible_collections.emco.edge.plugins.module_utils._store.backup import back_up, read_manifest, restore
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.key_file import key_file_path, known_keys, save_keys
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys, sealed_by
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_keys
from ansible_collections.emco.edge.plugins.module_utils._store.rotation import (
    keys_in_use,
    reseal,
    retire_keys,
    rotate_keys,
)
from tests.unit.store.contract import OpenStore, reason_of

NOW = 1_800_000_000.0
CANARY = b"canary-51c2-do-not-show"
INTENT: Key = ("composite_apps", "demo", "vision", "v1")
CLUSTER: Key = ("clusters", "lab", "edge-1")


def sealed_text(keys: Keys, context: str) -> str:
    return base64.b64encode(keys.seal(CANARY, context.encode())).decode()


def fill(store: Store, keys: Keys) -> None:
    """What runs leave behind: sealed intents and credentials, plain progress, sealed and plain blobs."""
    credentials = {"keep": "encrypted", "sealed": sealed_text(keys, "lab+edge-1")}
    store.put_many(
        {
            INTENT: {"digest": "d", "sealed": sealed_text(keys, "/".join(INTENT))},
            CLUSTER: {"name": "Zürich", "credentials": credentials, "parts": [{"sealed": None}, {"sealed": "not so"}]},
            ("progress", "demo"): {"done": 3},
        }
    )
    blobs = {keys.digest(b"%d" % n): b"%d" % n for n in range(400)}
    store.put_blobs({digest: keys.seal(data, digest.encode()) for digest, data in blobs.items()})
    store.put_blobs({keys.digest(b"plain"): b"plain"})


def content(store: Store) -> tuple[dict[Key, dict[str, Any]], dict[str, bytes]]:
    return {entry.key: entry.value for entry in store.list(())}, store.get_blobs(store.list_blobs())


class WholeStoreContract:
    """Inherit, and give the fixtures ``open_store`` and ``open_another``: two different stores, empty at first."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        raise NotImplementedError

    @pytest.fixture
    def open_another(self) -> OpenStore:
        raise NotImplementedError

    @pytest.fixture
    def environ(self, tmp_path: Path) -> dict[str, str]:
        return {"XDG_CONFIG_HOME": str(tmp_path / "config")}

    @pytest.fixture
    def keys(self, store: Store, environ: dict[str, str]) -> Keys:
        return open_keys(store, environ, writing=True)

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[Store]:
        opened = open_store()
        yield opened
        opened.close()

    @pytest.fixture
    def another(self, open_another: OpenStore) -> Iterator[Store]:
        opened = open_another()
        yield opened
        opened.close()

    # backup

    def test_a_backup_is_private_has_everything_and_no_secret(
        self, store: Store, keys: Keys, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        fill(store, keys)
        path = tmp_path / "backups" / "edge.zip"
        manifest = back_up(store, path, now=NOW)
        assert (manifest.entries, manifest.blobs) == (4, 401)
        assert manifest.written == "2027-01-15T08:00:00+00:00"
        assert read_manifest(path) == manifest
        assert path.stat().st_mode & 0o777 == 0o600
        assert [file.name for file in path.parent.iterdir()] == ["edge.zip"]
        secrets = [line.split()[-1].encode() for line in key_file_path(environ).read_text().splitlines()[2:]]
        with zipfile.ZipFile(path) as archive:
            held = b"".join(archive.read(name) for name in archive.namelist())
        for secret in (CANARY, base64.b64encode(CANARY)[:-4], *secrets):
            assert secret not in held

    def test_a_restored_store_is_the_same_and_demands_its_keys(
        self, store: Store, another: Store, keys: Keys, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        fill(store, keys)
        back_up(store, tmp_path / "edge.zip", now=NOW)
        restore(another, tmp_path / "edge.zip")
        assert content(another) == content(store)
        assert (
            open_keys(another, environ, writing=False).unseal(
                base64.b64decode(another.list(INTENT)[0].value["sealed"]), "/".join(INTENT).encode()
            )
            == CANARY
        )
        nobody = {"XDG_CONFIG_HOME": str(tmp_path / "nobody")}
        assert reason_of(lambda: open_keys(another, nobody, writing=True)) == "KeyMissing"

    def test_a_filled_store_is_replaced_only_when_told(
        self, store: Store, another: Store, keys: Keys, tmp_path: Path
    ) -> None:
        fill(store, keys)
        back_up(store, tmp_path / "edge.zip", now=NOW)
        another.put_many({("other",): {"n": 1}, ("progress", "demo"): {"done": 9}})
        before = content(another)
        assert reason_of(lambda: restore(another, tmp_path / "edge.zip")) == "StoreNotEmpty"
        assert content(another) == before
        restore(another, tmp_path / "edge.zip", replace=True)
        assert content(another) == content(store)
        restore(another, tmp_path / "edge.zip", replace=True)
        assert content(another) == content(store)

    @pytest.mark.parametrize("damage", ["no file", "empty", "cut", "flipped", "no zip", "no manifest", "lost blob"])
    def test_a_damaged_backup_changes_nothing(
        self, store: Store, another: Store, keys: Keys, tmp_path: Path, damage: str
    ) -> None:
        fill(store, keys)
        path = tmp_path / "edge.zip"
        back_up(store, path, now=NOW)
        spoil(path, damage)
        another.put(("mine",), {"n": 1})
        with pytest.raises(EdgeError, match=str(path)) as caught:
            restore(another, path, replace=True)
        assert caught.value.reason == "BackupUnreadable"
        assert content(another) == ({("mine",): {"n": 1}}, {})

    def test_a_backup_of_a_newer_version_is_refused(self, store: Store, another: Store, tmp_path: Path) -> None:
        path = tmp_path / "edge.zip"
        back_up(store, path, now=NOW)
        rewrite(path, {"manifest.json": json.dumps({"format": 2, "from": "the future"}).encode()})
        assert reason_of(lambda: restore(another, path)) == "BackupTooNew"

    def test_a_backup_that_cannot_be_written_leaves_nothing(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert reason_of(lambda: back_up(store, tmp_path / "file" / "edge.zip", now=NOW)) == "BackupFailed"
        (tmp_path / "folder").mkdir()
        assert reason_of(lambda: back_up(store, tmp_path / "folder", now=NOW)) == "BackupFailed"
        assert sorted(path.name for path in tmp_path.iterdir() if path.name != "state") == ["file", "folder"]

    # rotation

    def test_rotation_seals_everything_with_the_new_key(
        self, store: Store, keys: Keys, environ: dict[str, str]
    ) -> None:
        fill(store, keys)
        rotated, done = rotate_keys(store, environ)
        assert (done.entries, done.blobs, done.unreadable) == (2, 400, ())
        assert rotated.ids[1:] == keys.ids
        assert keys_in_use(store) == {rotated.ids[0]}
        assert retire_keys(store, environ) == keys.ids
        alone = known_keys(environ)
        assert alone is not None
        assert alone.ids == rotated.ids[:1]
        entries, blobs = content(store)
        for text, context in (
            (entries[INTENT]["sealed"], "/".join(INTENT)),
            (entries[CLUSTER]["credentials"]["sealed"], "lab+edge-1"),
        ):
            assert alone.unseal(base64.b64decode(text), context.encode()) == CANARY
        assert blobs.pop(keys.digest(b"plain")) == b"plain"
        assert {alone.digest(alone.unseal(data, name.encode())) for name, data in blobs.items()} == set(blobs)
        assert entries[CLUSTER]["parts"] == [{"sealed": None}, {"sealed": "not so"}]

    def test_sealing_anew_twice_writes_nothing(self, store: Store, keys: Keys, environ: dict[str, str]) -> None:
        fill(store, keys)
        rotated, _done = rotate_keys(store, environ)
        before = store.list(())
        done = reseal(store, rotated)
        assert (done.entries, done.blobs) == (0, 0)
        assert store.list(()) == before

    def test_a_rotation_killed_in_between_is_finished_by_sealing_anew(
        self, store: Store, keys: Keys, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(store, keys)
        with monkeypatch.context() as patched:
            patched.setattr(rotation, "_sealed_blobs", None)  # a fault: it dies after the entries, before the blobs
            with pytest.raises(TypeError):
                rotate_keys(store, environ)
        between = open_keys(store, environ, writing=True)
        assert keys_in_use(store) == set(between.ids)
        assert reason_of(lambda: retire_keys(store, environ)) == "KeyInUse"
        assert reseal(store, between).blobs == 400
        assert keys_in_use(store) == {between.ids[0]}

    def test_keys_that_records_still_need_are_not_given_up(
        self, store: Store, keys: Keys, environ: dict[str, str]
    ) -> None:
        rotate_keys(store, environ)
        with pytest.raises(EdgeError, match=keys.ids[0]) as caught:
            retire_keys(store, environ, used_elsewhere={keys.ids[0]})
        assert caught.value.reason == "KeyInUse"
        still = known_keys(environ)
        assert still is not None
        assert keys.ids[0] in still.ids

    def test_what_no_key_opens_is_named_and_left_as_it_is(
        self, store: Store, keys: Keys, environ: dict[str, str]
    ) -> None:
        fill(store, keys)
        # The file lost its key line; the digest line survived.
        save_keys(environ, keys.with_new_key().with_first_key_only())
        before = content(store)
        found = known_keys(environ)
        assert found is not None
        done = reseal(store, found)
        assert (done.entries, done.blobs) == (0, 0)
        assert {"/".join(INTENT), "/".join(CLUSTER)} < set(done.unreadable)
        assert len(done.unreadable) == 402
        assert content(store) == before
        assert {sealed_by(data) for data in before[1].values() if data != b"plain"} == set(keys.ids)


def rewrite(path: Path, changed: dict[str, bytes | None]) -> None:
    with zipfile.ZipFile(path) as archive:
        files: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (files | changed).items():
            if data is not None:
                archive.writestr(name, data)


def spoil(path: Path, damage: str) -> None:
    whole = path.read_bytes()
    if damage == "no file":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped":
        with zipfile.ZipFile(path) as archive:
            first = archive.infolist()[0]
        # In what is kept, not in a header: a header has bytes that mean nothing.
        middle = first.header_offset + 30 + len(first.filename) + first.compress_size // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    elif damage == "no zip":
        path.write_text("apiVersion: v1\n")
    elif damage == "no manifest":
        rewrite(path, {"manifest.json": None})
    else:
        with zipfile.ZipFile(path) as archive:
            blob = next(name for name in archive.namelist() if name.startswith("blobs/"))
        rewrite(path, {blob: None})
