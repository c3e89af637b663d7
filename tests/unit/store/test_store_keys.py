# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys: what they seal, what they refuse, where they are kept, and that nothing of them shows."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store import keys as keys_module
from ansible_collections.emco.edge.plugins.module_utils._store.key_file import (
    created_keys,
    key_file_path,
    known_keys,
    save_keys,
)
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys, derived, new_keys, parsed_keys
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_keys
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore
from tests.unit.store.contract import reason_of

KEYS = new_keys("a test")
CANARY = b"canary-7f3a-do-not-show"


def test_derivation_is_hkdf_of_rfc_5869() -> None:
    # Test case 3 of the RFC (no salt, no info), its first 32 bytes.
    assert derived(b"\x0b" * 22, b"").hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"


@given(st.binary(max_size=2000), st.binary(max_size=50))
def test_what_is_sealed_opens_only_in_its_context_and_unaltered(data: bytes, context: bytes) -> None:
    sealed = KEYS.seal(data, context)
    assert KEYS.unseal(sealed, context) == data
    assert reason_of(lambda: KEYS.unseal(sealed, context + b"x")) == "SealBroken"
    for position in (len(sealed) - 1, len(sealed) - 17 - len(data)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        assert reason_of(lambda altered=altered: KEYS.unseal(bytes(altered), context)) == "SealBroken"  # type: ignore[misc]


@given(st.binary(max_size=200))
def test_what_was_never_sealed_does_not_open(data: bytes) -> None:
    assert reason_of(lambda: KEYS.unseal(data, b"")) == "SealBroken"
    head = keys_module._MAGIC + KEYS.ids[0].encode() + b":"
    assert reason_of(lambda: KEYS.unseal(head + data, b"")) == "SealBroken"


def test_sealing_twice_gives_different_bytes_without_the_secret() -> None:
    first, second = KEYS.seal(CANARY, b""), KEYS.seal(CANARY, b"")
    assert first != second
    assert CANARY not in first


def test_a_signature_holds_for_its_data_and_any_known_key() -> None:
    signature = KEYS.sign(b"record")
    rotated = KEYS.with_new_key()
    assert KEYS.verify(b"record", signature)
    assert rotated.verify(b"record", signature)
    assert rotated.sign(b"record") != signature
    assert not KEYS.verify(b"record", rotated.sign(b"record"))
    assert not KEYS.verify(b"other", signature)
    assert not new_keys("others").verify(b"record", signature)
    assert not rotated.with_first_key_only().verify(b"record", signature)
    for forged in ("", ".", "nonsense", signature[:-1], signature + "0", KEYS.ids[0] + ".", KEYS.ids[0] + ".é"):
        assert not KEYS.verify(b"record", forged)


def test_digests_survive_rotation_and_differ_between_key_files() -> None:
    rotated = KEYS.with_new_key().with_new_key().with_first_key_only()
    assert rotated.ids != KEYS.ids
    assert rotated.digest(b"object") == KEYS.digest(b"object")
    assert parsed_keys(rotated.secret_text(), "again").digest(b"object") == KEYS.digest(b"object")
    assert new_keys("others").digest(b"object") != KEYS.digest(b"object")
    assert len(KEYS.digest(b"object")) == 32
    assert KEYS.digest(b"object") != KEYS.digest(b"object2")


def test_after_rotation_old_content_opens_and_new_content_needs_the_new_key() -> None:
    old = KEYS.seal(b"secret", b"c")
    rotated = KEYS.with_new_key()
    assert rotated.unseal(old, b"c") == b"secret"
    new = rotated.seal(b"secret", b"c")
    with pytest.raises(EdgeError, match=rotated.ids[0]) as caught:
        KEYS.unseal(new, b"c")
    assert caught.value.reason == "KeyMissing"
    assert "copy of the key file" in caught.value.hint


def secrets_of(keys: Keys) -> list[str]:
    return [line.split()[-1] for line in keys.secret_text().splitlines() if not line.startswith("#")]


def test_no_secret_shows_in_representations_or_errors() -> None:
    shown = [repr(KEYS), str(KEYS), repr(KEYS._masters[0])]
    for text in (
        KEYS.secret_text().replace("digest ", "digests "),
        KEYS.secret_text().replace("key ", "key") + "=",
        KEYS.secret_text() + KEYS.secret_text().splitlines()[-1],
        KEYS.secret_text()[:-9],
    ):
        with pytest.raises(EdgeError) as caught:
            parsed_keys(text, "a test")
        assert caught.value.reason == "KeyMalformed"
        shown += [str(caught.value), repr(caught.value.details)]
    raw = [base64.b64decode(secret) for secret in secrets_of(KEYS)]
    for text in shown:
        for secret in (*secrets_of(KEYS), *(value.hex() for value in raw), *(repr(value)[2:20] for value in raw)):
            assert secret not in text
            assert secret[:16] not in text


def test_without_cryptography_sealing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "HAS_CRYPTOGRAPHY", False)
    with pytest.raises(EdgeError, match="pip install cryptography") as caught:
        KEYS.seal(b"x", b"")
    assert caught.value.reason == "MissingLibrary"
    assert KEYS.verify(b"x", KEYS.sign(b"x")), "what needs no encryption works without it"


# the key file


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def test_keys_are_made_once_in_a_private_file(environ: dict[str, str]) -> None:
    assert known_keys(environ) is None
    before = os.umask(0)
    try:
        made = created_keys(environ)
    finally:
        os.umask(before)
    path = key_file_path(environ)
    assert str(path) == environ["XDG_CONFIG_HOME"] + "/emco-edge/keys"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["keys"]
    found = known_keys(environ)
    assert found is not None
    assert found.secret_text() == made.secret_text()
    assert created_keys(environ).secret_text() == made.secret_text()


def test_processes_that_make_keys_at_the_same_moment_agree(environ: dict[str, str]) -> None:
    code = (
        "import os\n"
        "from ansible_collections.emco.edge.plugins.module_utils._store.key_file import created_keys\n"
        "print(created_keys(os.environ).fingerprint)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            stdout=subprocess.PIPE,
        )
        for _unused in range(4)
    ]
    assert len({process.communicate()[0] for process in started}) == 1
    assert all(process.returncode == 0 for process in started)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_file_that_others_can_touch_is_refused(environ: dict[str, str], mode: int) -> None:
    created_keys(environ)
    key_file_path(environ).chmod(mode)
    with pytest.raises(EdgeError, match=f"{mode:04o}") as caught:
        known_keys(environ)
    assert caught.value.reason == "KeyExposed"
    assert f"chmod 600 {key_file_path(environ)}" in caught.value.hint


def test_a_key_file_can_be_named_and_its_default_follows_the_environment(tmp_path: Path) -> None:
    assert key_file_path({"HOME": "/home/ops"}) == Path("/home/ops/.config/emco-edge/keys")
    assert key_file_path({"EMCO_EDGE_KEY_FILE": "/vault/keys", "HOME": "/home/ops"}) == Path("/vault/keys")


def test_keys_from_the_environment_need_no_file_and_cannot_be_rotated_in_place(environ: dict[str, str]) -> None:
    text = base64.encodebytes(KEYS.secret_text().encode()).decode()  # with line breaks, as tools paste it
    given_keys = {**environ, "EMCO_EDGE_KEYS": text}
    found = known_keys(given_keys)
    assert found is not None
    assert found.fingerprint == KEYS.fingerprint
    assert reason_of(lambda: save_keys(given_keys, found.with_new_key())) == "KeyNotWritable"
    assert not key_file_path(environ).exists()
    for wrong in ("not base64!", base64.b64encode(b"\xff\xfe").decode(), base64.b64encode(b"hello").decode()):
        assert reason_of(lambda wrong=wrong: known_keys({**environ, "EMCO_EDGE_KEYS": wrong})) == "KeyMalformed"  # type: ignore[misc]


def test_a_key_file_that_is_no_text_or_no_file_is_refused(environ: dict[str, str]) -> None:
    created_keys(environ)
    key_file_path(environ).write_bytes(b"\xff\xfe\x00")
    assert reason_of(lambda: known_keys(environ)) == "KeyMalformed"
    key_file_path(environ).write_text("")
    assert reason_of(lambda: known_keys(environ)) == "KeyMalformed"
    key_file_path(environ).unlink()
    key_file_path(environ).mkdir(mode=0o700)
    assert reason_of(lambda: known_keys(environ)) == "KeyUnreadable"


def test_keys_that_cannot_be_kept_are_not_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeError, match="cannot be written") as caught:
        created_keys({"EMCO_EDGE_KEY_FILE": str(tmp_path / "file" / "keys")})
    assert caught.value.reason == "KeyNotWritable"


# the keys of a store


def test_a_store_keeps_to_the_keys_it_was_filled_with(environ: dict[str, str], tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "edge.db")
    keys = open_keys(store, environ, writing=True)
    assert open_keys(store, environ, writing=True).fingerprint == keys.fingerprint
    save_keys(environ, keys.with_new_key())
    assert open_keys(store, environ, writing=True).ids[1:] == keys.ids, "rotation changes no store"

    key_file_path(environ).unlink()
    for writing in (True, False):
        with pytest.raises(EdgeError, match=str(store.path)) as caught:
            open_keys(store, environ, writing=writing)
        assert caught.value.reason == "KeyMissing"
        assert "copy of the key file" in caught.value.hint
    assert not key_file_path(environ).exists(), "a lost key is not silently replaced"

    created_keys(environ)
    assert reason_of(lambda: open_keys(store, environ, writing=True)) == "KeyMissing"


def test_check_mode_makes_neither_keys_nor_store(environ: dict[str, str], tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state" / "edge.db")
    keys = open_keys(store, environ, writing=False)
    assert len(keys.digest(b"x")) == 32
    assert list(tmp_path.iterdir()) == []


def test_no_file_of_the_store_holds_a_sealed_secret(environ: dict[str, str], tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state" / "edge.db")
    keys = open_keys(store, environ, writing=True)
    secret = CANARY * 20
    name = keys.digest(secret)
    store.put_blobs({name: keys.seal(secret, name.encode())})
    for _unused in range(2):
        # First with the log still there, then as a clean end leaves it.
        held = b"".join(file.read_bytes() for file in store.path.parent.iterdir())
        assert name.encode() in held
        assert CANARY not in held
        assert base64.b64encode(CANARY)[:-4] not in held
        store.close()
    assert keys.unseal(store.get_blobs([name])[name], name.encode()) == secret
