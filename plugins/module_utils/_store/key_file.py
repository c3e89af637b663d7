# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: where the keys are kept: a file of mode 0600, or the environment."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys, new_keys, parsed_keys

KEYS_VARIABLE = "EMCO_EDGE_KEYS"
FILE_VARIABLE = "EMCO_EDGE_KEY_FILE"


def key_file_path(environ: Mapping[str, str]) -> Path:
    """``EMCO_EDGE_KEY_FILE``, else ``$XDG_CONFIG_HOME/emco-edge/keys`` (``~/.config`` where that is not set)."""
    if environ.get(FILE_VARIABLE):
        return Path(environ[FILE_VARIABLE]).expanduser().absolute()
    config = environ.get("XDG_CONFIG_HOME", "")
    home = Path(config) if config.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".config"
    return home / "emco-edge" / "keys"


def known_keys(environ: Mapping[str, str]) -> Keys | None:
    """The keys of the environment or of the key file; None where there are none yet.

    ``EMCO_EDGE_KEYS`` is a key file's text in base64. EdgeError ``KeyExposed`` when others may read the file,
    ``KeyMalformed``, ``KeyUnreadable``.
    """
    if environ.get(KEYS_VARIABLE):
        return parsed_keys(_from_base64(environ[KEYS_VARIABLE]), f"the environment variable {KEYS_VARIABLE}")
    path = key_file_path(environ)
    text = _private_text(path)
    return None if text is None else parsed_keys(text, str(path))


def _private_text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            # Of the open file, not of the path: nobody can exchange it in between.
            mode = os.fstat(file.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise _exposed(path, mode)
            return file.read().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return "?"  # is refused as a line that is not a key
    except OSError as error:
        raise EdgeError(
            "KeyUnreadable",
            f"The key file {path} cannot be read: {error.strerror}.",
            hint=f"Run as its owner, or name another file in {FILE_VARIABLE}.",
            details={"path": str(path)},
        ) from error


def created_keys(environ: Mapping[str, str]) -> Keys:
    """New keys in the key file, or those that another process put there a moment ago."""
    path = key_file_path(environ)
    keys = new_keys(str(path))
    if _written(path, keys, replace=False):
        return keys
    found = known_keys(environ)
    return found if found is not None else keys


def save_keys(environ: Mapping[str, str], keys: Keys) -> None:
    """Make these the keys of the key file; EdgeError ``KeyNotWritable`` when they come from the environment."""
    if environ.get(KEYS_VARIABLE):
        raise EdgeError(
            "KeyNotWritable",
            f"The keys come from the environment variable {KEYS_VARIABLE}, which cannot be changed from here.",
            hint=f"Rotate with the keys in a file ({FILE_VARIABLE}) and set the variable to it: base64 -w0 FILE.",
        )
    _written(key_file_path(environ), keys, replace=True)


def _written(path: Path, keys: Keys, *, replace: bool) -> bool:
    """Write the whole file at once; False when there is one already and it is not to be replaced."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(keys.secret_text().encode())
                file.flush()
                # Before anything is sealed with it: a key lost in a power failure cannot be made again.
                os.fsync(descriptor)
            return _moved(new, path, replace=replace)
        finally:
            with suppress(FileNotFoundError):
                new.unlink()
    except OSError as error:
        raise EdgeError(
            "KeyNotWritable",
            f"The key file {path} cannot be written: {error.strerror}.",
            hint=f"Make its folder writable, or name another file in {FILE_VARIABLE}, or give {KEYS_VARIABLE}.",
            details={"path": str(path)},
        ) from error


def _moved(new: Path, path: Path, *, replace: bool) -> bool:
    if replace:
        new.replace(path)
        return True
    try:
        path.hardlink_to(new)
    except FileExistsError:
        return False
    return True


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return "?"  # is refused as a line that is not a key


def _exposed(path: Path, mode: int) -> EdgeError:
    return EdgeError(
        "KeyExposed",
        f"The key file {path} has mode {mode:04o}: others than its owner may read or change it.",
        hint=f"chmod 600 {path}; if somebody may have read it, rotate the key.",
        details={"path": str(path)},
    )
