# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's own checks of texts, rule by rule (src/orchestrator/pkg/infra/validation)."""

from __future__ import annotations

import base64
import binascii
import io
import re
import tarfile
from collections.abc import Callable

from ansible_collections.emco.edge.plugins.module_utils._model import addresses, names

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def is_name(text: str) -> bool:
    """A Kubernetes label value that is not empty."""
    return bool(text) and _holds(names.label_value, text)


def is_ipv4_cidr(text: str) -> bool:
    """An IPv4 network; bits behind its length may be set."""
    return ":" not in text and _holds(lambda one: addresses.network(one, strict=False), text)


def is_ipv4(text: str) -> bool:
    """An IPv4 address."""
    return ":" not in text and _holds(addresses.address, text)


def is_mac(text: str) -> bool:
    """A MAC address, with one kind of separator throughout."""
    return _holds(addresses.mac, text)


def is_label(text: str) -> bool:
    """``key=value``, or a bare name; a key with a prefix must have a value."""
    key, equals, value = text.partition("=")
    if not equals:
        return is_name(text)
    return is_name(value) and bool(key) and _holds(names.label_key, key)


def is_number_in(value: int, low: int, high: int) -> bool:
    """Whether a number is in a range, its ends included."""
    return low <= value <= high


def is_tar_gz(content: bytes) -> bool:
    """Whether the bytes are a whole gzip of a tar."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            archive.getmembers()
    except (tarfile.TarError, EOFError, OSError):
        return False
    return bool(content)


def is_text(text: str, kind: str, shortest: int, longest: int) -> bool:
    """A text of so many characters in a format: ``name``, ``base64`` or ``any``."""
    if not shortest <= len(text) <= longest:
        return False
    if kind == "name":
        return not text or bool(_NAME.fullmatch(text))
    if kind == "base64":
        return _is_base64(text)
    return kind == "any"


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _holds(rule: Callable[[str], object], text: str) -> bool:
    try:
        rule(text)
    except ValueError:
        return False
    return True
