# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how keys, values and blobs are written, the same in every store."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key

# Ends every name of a key. It sorts before any character a name may have, so that text sorts as tuples do.
_END = "\x1f"

_PLAIN = b"\x00"
_DEFLATED = b"\x01"

# Reading is what must be fast (thousands of clusters at once), so only what is long is worth unpacking.
_WORTH_DEFLATING = 16_384


def key_text(key: Key) -> str:
    """The key as one text; sorts as the key does. EdgeError ``InvalidInput`` for names that no store can hold."""
    if not key:
        raise EdgeError("InvalidInput", "A key of the store needs at least one name.")
    return prefix_text(key)


def prefix_text(prefix: Key) -> str:
    """The text that all keys under this prefix start with."""
    for name in prefix:
        if not name or min(name) <= _END or not _is_unicode(name):
            raise EdgeError(
                "InvalidInput",
                f"{name!r} cannot be a name in the store: it is empty or has control characters.",
                details={"key": [repr(part) for part in prefix]},
            )
    return "".join(name + _END for name in prefix)


def after_prefix(text: str) -> str:
    """The first text that sorts after everything starting with a (non-empty) prefix text."""
    return text[:-1] + chr(ord(_END) + 1)


def key_of(text: str) -> Key:
    """The key that key_text made this text of."""
    return tuple(text[:-1].split(_END))


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def encode_value(value: Mapping[str, Any]) -> str:
    """The value as JSON, equal for equal values. TypeError or ValueError for what JSON cannot say."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def decode_value(text: str | bytes) -> dict[str, Any]:
    """The value that encode_value wrote."""
    value: dict[str, Any] = json.loads(text)
    return value


def shrink_text(text: str) -> str | bytes:
    """The text, deflated where that is worth it."""
    return zlib.compress(text.encode(), 6) if len(text) >= _WORTH_DEFLATING else text


def grow_text(stored: str | bytes) -> str:
    """The text that shrink_text was given."""
    return stored if isinstance(stored, str) else zlib.decompress(stored).decode()


def pack_blob(data: bytes) -> bytes:
    """The blob as it is stored: deflated unless that makes it longer, as with sealed content."""
    deflated = zlib.compress(data, 1)
    return _DEFLATED + deflated if len(deflated) < len(data) else _PLAIN + data


def unpack_blob(packed: bytes) -> bytes:
    """The blob that pack_blob was given."""
    return zlib.decompress(packed[1:]) if packed[:1] == _DEFLATED else packed[1:]
