# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels and addresses as EMCO's own tests have them (cases B1 to B8)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.emco.edge.plugins.module_utils._emco import values

VALID: list[tuple[Callable[[str], str], list[str]]] = [
    (values.valid_name, ["abc123", "1_abc123.ONE", "0abcABC_-.5", "1" * 63]),
    (values.ipv4_cidr, ["1.2.3.4/32", "10.11.12.0/24", "192.168.1.2/8", "255.0.0.0/16"]),
    (values.ipv4, ["1.2.3.42", "255.255.255.255", "0.0.0.0"]),
    (values.mac, ["11:22:33:44:55:66", "ab-cd-ef-12-34-56", "AB:CD:EF:12:34:56"]),
    (values.valid_label, ["kubernetes.io/hostname=localhost", "hostname=localhost", "localhost"]),
    (values.base64_text, ["dGhpcyBpcyBhCnRlc3Qgc3RyaW5nCg=="]),
    (values.duration, ["8760h", "1m30s"]),
    (values.excluded, ["", "10.9.0.2 10.9.0.5..10.9.0.9"]),
]
INVALID: list[tuple[Callable[[str], str], list[str]]] = [
    (
        values.valid_name,
        [
            "",
            "_abc123",
            "-abc123",
            ".abc123",
            "abc123-",
            "abc123_",
            "abc123.",
            "1_abc-123.O=NE",
            "1_a/bc-123.ONE",
            "1" * 64,
        ],
    ),
    (values.ipv4_cidr, ["", "1.2.3.4.5/32", "1.2.3.415/16", "1.2.3.4/33", "2.3.4/24", "1.2.3.4", "1.2.3.4/"]),
    (
        values.ipv4,
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
        values.mac,
        ["", "ab:cd:ef:gh:12:34", "11:22-33-44:55:66", "11,22,33,44,55,66", "11:22:33:44:55", "11:22:33:44:55:66:77"],
    ),
    (
        values.valid_label,
        [
            "",
            "kubernetes$.io/hostname=localhost",
            "hostname==localhost",
            "=localhost",
            "/hostname=localhost",
            ".a.b/hostname=localhost",
            "kubernetes.io/hostname",
            "kubernetes.io/hostname=",
            f"{'n' * 64}=v",
            f"n={'v' * 64}",
            f"{'p' * 254}/n=v",
        ],
    ),
    (values.base64_text, ["dGhpcw===", "dG=hpcw==", "dGhp#w=="]),
    (values.duration, ["", "8760", "h"]),
    (values.excluded, ["10.9.0.2..", "ten"]),
]


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in VALID for text in texts])
def test_a_valid_value_is_accepted(check: Callable[[str], str], text: str) -> None:
    assert check(text) == text


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in INVALID for text in texts])
def test_an_invalid_value_is_refused(check: Callable[[str], str], text: str) -> None:
    with pytest.raises(ValueError):
        check(text)
