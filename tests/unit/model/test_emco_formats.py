# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EMCO's validators, with the values of its own unit tests."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model import emco_formats as formats

LONG = "0123456789"
CASES: list[tuple[Callable[[str], bool], list[str], list[str]]] = [
    (
        formats.is_name,
        ["abc123", "1_abc123.ONE", "0abcABC_-.5", LONG * 6 + "012"],
        [
            *("", "_abc123", "-abc123", ".abc123", "abc123-", "abc123_", "abc123.", "1_abc-123.O=NE", "1_a/bc-123.ONE"),
            LONG * 6 + "0123",
        ],
    ),
    (
        formats.is_ipv4_cidr,
        ["1.2.3.4/32", "10.11.12.0/24", "192.168.1.2/8", "255.0.0.0/16"],
        ["", "1.2.3.4.5/32", "1.2.3.415/16", "1.2.3.4/33", "2.3.4/24", "1.2.3.4", "1.2.3.4/"],
    ),
    (
        formats.is_ipv4,
        ["1.2.3.42", "255.255.255.255", "0.0.0.0"],
        [
            "",
            "1.2.3.4.5",
            "1.2.3.45/32",
            "1.2.3.4a",
            "2.3.4",
            "1.2.3.400",
            "256.255.255.255",
            "10,11,12,13",
            "1.2.3.4/",
        ],
    ),
    (
        formats.is_mac,
        ["11:22:33:44:55:66", "ab-cd-ef-12-34-56", "AB-CD-EF-12-34-56"],
        ["", "ab:cd:ef:gh:12:34", "11:22-33-44:55:66", "11,22,33,44,55,66", "11:22:33:44:55", "11:22:33:44:55:66:77"],
    ),
    (
        formats.is_label,
        ["kubernetes.io/hostname=localhost", "hostname=localhost", "localhost"],
        [
            *("kubernetes$.io/hostname=localhost", "hostname==localhost", "=localhost", "/hostname=localhost"),
            *(".a.b/hostname=localhost", "kubernetes.io/hostname", "kubernetes.io/hostname="),
            *(f"{LONG * 7}=localhost", f"hostname={LONG * 7}", f"{'a.' * 130}b/hostname=localhost"),
        ],
    ),
]


@pytest.mark.parametrize(("rule", "valid", "invalid"), CASES, ids=[rule.__name__ for rule, _v, _i in CASES])
def test_texts_are_judged_as_emco_judges_them(
    rule: Callable[[str], bool], valid: list[str], invalid: list[str]
) -> None:
    assert [text for text in valid if not rule(text)] == []
    assert [text for text in invalid if rule(text)] == []


@pytest.mark.parametrize(
    ("value", "low", "high", "holds"),
    [
        *((0, 0, 5, True), (1000, 0, 4095, True), (0, 0, 0, True), (-100, -200, -99, True), (123, 123, 123, True)),
        *((6, 0, 5, False), (4096, 0, 4095, False), (11, 10, 10, False)),
        *((-100, -99, -200, False), (123, 223, 123, False)),
    ],
)
def test_numbers_are_in_a_range_with_its_ends(value: int, low: int, high: int, holds: bool) -> None:
    assert formats.is_number_in(value, low, high) is holds


def test_a_tar_gz_is_whole() -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        entry = tarfile.TarInfo("Chart.yaml")
        entry.size = 5000
        archive.addfile(entry, io.BytesIO(b"x" * 5000))
    assert formats.is_tar_gz(raw.getvalue())
    assert not formats.is_tar_gz(b"")
    assert not formats.is_tar_gz(raw.getvalue()[:-20])
    assert not formats.is_tar_gz(gzip.compress(b"no tar"))


@pytest.mark.parametrize(
    ("text", "kind", "shortest", "longest", "holds"),
    [
        ("ab-c1_2.3", "name", 0, 16, True),
        ("dGhpcyBpcyBhCnRlc3Qgc3RyaW5nCg==", "base64", 0, 64, True),
        ("any \x01 thing", "any", 0, 16, True),
        ("-ab", "name", 0, 16, False),
        ("dGhpcyBpcyBhCnRlc3Qgc3RyaW5nCg===", "base64", 0, 64, False),
        ("dGhpcyBpc=yBhCnRlc3Qgc3RyaW5nCg==", "base64", 0, 64, False),
        ("dGhpcyBpc#yBhCnRlc3Qgc3RyaW5nCg==", "base64", 0, 64, False),
        ("abcdef", "name", 0, 5, False),
        ("abc", "other", 0, 5, False),
    ],
)
def test_texts_have_a_format_and_a_length(text: str, kind: str, shortest: int, longest: int, holds: bool) -> None:
    assert formats.is_text(text, kind, shortest, longest) is holds
