# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the keys that seal what the store must not show, kept apart from the store.

A key file holds one ``digest`` line and one or more ``key`` lines: the first key writes, all of them read. Digests name
stored content and must stay the same for ever, so their key is not rotated: it only keeps a reader of the store from
guessing content by its digest. Signatures and sealed content name the key that made them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

_MASTER_BYTES = 32
_NONCE_BYTES = 12
_DIGEST_CHARACTERS = 32
_MAGIC = b"emco.edge/sealed/1:"


@dataclass(frozen=True)
class MasterKey:
    """A key by its id; ids are public, they stand in what the key made."""

    id: str
    secret: bytes = field(repr=False)


class Keys:
    """The known keys: digests, signatures and sealed content."""

    def __init__(self, digest_key: bytes, masters: Iterable[MasterKey], *, source: str) -> None:
        self._digest_master = digest_key
        self._masters = tuple(masters)
        self.source = source
        self._digest_key = derived(digest_key, b"emco.edge digest")
        self._signing = {key.id: derived(key.secret, b"emco.edge sign") for key in self._masters}

    def __repr__(self) -> str:
        return f"Keys({', '.join(self.ids)} from {self.source})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys; the first one writes."""
        return tuple(key.id for key in self._masters)

    @property
    def fingerprint(self) -> str:
        """What stands for the digest key, so that a store can tell whether these keys are its own."""
        return self.digest(b"fingerprint")

    def digest(self, data: bytes) -> str:
        """A name for the content, 32 hex characters (HMAC-SHA256, cut); the same after every rotation."""
        return hmac.digest(self._digest_key, data, "sha256").hex()[:_DIGEST_CHARACTERS]

    def sign(self, data: bytes) -> str:
        """A signature with the first key: its id, a dot, HMAC-SHA256 in hex."""
        first = self._masters[0].id
        return f"{first}.{hmac.digest(self._signing[first], data, 'sha256').hex()}"

    def verify(self, data: bytes, signature: str) -> bool:
        """Whether a known key made this signature of the data; takes the same time for any wrong one."""
        name, _dot, given = signature.partition(".")
        key = self._signing.get(name)
        if key is None:
            return False
        return hmac.compare_digest(hmac.digest(key, data, "sha256").hex().encode(), given.encode())

    def seal(self, data: bytes, context: bytes) -> bytes:
        """The data encrypted with the first key (AES-256-GCM); opens only with the same context."""
        _need_cryptography()
        first = self._masters[0]
        head = _MAGIC + first.id.encode() + b":"
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + AESGCM(_sealing_key(first)).encrypt(nonce, data, head + context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """The data that was sealed for this context.

        EdgeError ``KeyMissing`` when its key is not known, ``SealBroken`` when it was altered or belongs elsewhere.
        """
        _need_cryptography()
        name = sealed_by(sealed)
        known = next((key for key in self._masters if key.id == name), None)
        if known is None:
            raise self.missing(name)
        head = len(_MAGIC) + len(name) + 1
        nonce, body = sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :]
        try:
            return AESGCM(_sealing_key(known)).decrypt(nonce, body, sealed[:head] + context)
        except (InvalidTag, ValueError):
            raise _broken() from None

    def missing(self, name: str) -> EdgeError:
        """The error of something that only the key of this id opens."""
        return EdgeError(
            "KeyMissing",
            f"What is stored was sealed with the key {name}; {self.source} has {', '.join(self.ids)}.",
            hint="Put the lost key's line back from your copy of the key file. Without it stored Secrets cannot be "
            "read: forget the sealed credentials and plan again, with charts and values at hand.",
            details={"key": name, "known": list(self.ids)},
        )

    def with_new_key(self) -> Keys:
        """These keys and a new one in front, which writes from now on."""
        return Keys(self._digest_master, (_new_master(), *self._masters), source=self.source)

    def with_first_key_only(self) -> Keys:
        """The first key alone: what the others made can no longer be read or verified."""
        return Keys(self._digest_master, self._masters[:1], source=self.source)

    def secret_text(self) -> str:
        """What the key file holds. Never show it."""
        lines = [
            "# Keys of emco.edge. The first key writes, all of them read. Keep a copy apart from the store:",
            "# without this file stored Secrets are lost, and whoever has it can read them.",
            f"digest {base64.b64encode(self._digest_master).decode()}",
            *(f"key {key.id} {base64.b64encode(key.secret).decode()}" for key in self._masters),
        ]
        return "\n".join(lines) + "\n"


def new_keys(source: str) -> Keys:
    """Fresh keys, not kept anywhere yet."""
    return Keys(secrets.token_bytes(_MASTER_BYTES), [_new_master()], source=source)


def parsed_keys(text: str, source: str) -> Keys:
    """The keys of a key file's text; EdgeError ``KeyMalformed`` names the line, never what it holds."""
    digest_key: bytes | None = None
    masters: list[MasterKey] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        secret = _decoded(words[-1])
        if words[0] == "digest" and len(words) == 2 and secret and digest_key is None:
            digest_key = secret
        elif words[0] == "key" and len(words) == 3 and secret and words[1].isalnum():
            masters.append(MasterKey(words[1], secret))
        else:
            raise _malformed(
                f"line {number} is not 'digest BASE64' or 'key ID BASE64' with {_MASTER_BYTES} bytes", source
            )
    if digest_key is None or not masters:
        raise _malformed("it needs one digest line and at least one key line", source)
    if len({key.id for key in masters}) < len(masters):
        raise _malformed("two keys have the same id", source)
    return Keys(digest_key, masters, source=source)


def is_sealed(data: bytes) -> bool:
    """Whether the data is what seal returns."""
    return data.startswith(_MAGIC)


def sealed_by(sealed: bytes) -> str:
    """The id of the key that sealed this; EdgeError ``SealBroken`` when nothing did."""
    name, colon, _rest = sealed[len(_MAGIC) : len(_MAGIC) + 64].partition(b":")
    if not is_sealed(sealed) or not colon or not name.isalnum():
        raise _broken()
    return name.decode("ascii", errors="replace")


def derived(master: bytes, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose: HKDF-SHA256 without salt (RFC 5869), one block.

    In the standard library's terms, so that digests and signatures work where cryptography is not installed.
    """
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), master, "sha256")
    return hmac.digest(extracted, purpose + b"\x01", "sha256")


def _sealing_key(master: MasterKey) -> bytes:
    return derived(master.secret, b"emco.edge seal")


def _new_master() -> MasterKey:
    return MasterKey(secrets.token_hex(4), secrets.token_bytes(_MASTER_BYTES))


def _decoded(text: str) -> bytes | None:
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == _MASTER_BYTES else None


def _malformed(what: str, source: str) -> EdgeError:
    return EdgeError(
        "KeyMalformed",
        f"The keys from {source} cannot be read: {what}.",
        hint="Put back your copy of the key file.",
        details={"source": source},
    )


def _broken() -> EdgeError:
    return EdgeError(
        "SealBroken",
        "Sealed content in the store does not open: it was altered, or it is not what should be in this place.",
        hint="Restore a backup of the store, or plan again to store it anew.",
    )


def _need_cryptography() -> None:
    if not HAS_CRYPTOGRAPHY:
        raise EdgeError(
            "MissingLibrary",
            "Secrets are sealed with the Python library cryptography, which is not installed here.",
            hint="Install it for the Python that runs this: pip install cryptography.",
            details={"library": "cryptography"},
        )
