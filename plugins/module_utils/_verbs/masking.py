# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: plain data for people, with what looks like a secret left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(r"pass(word|wd|phrase)?$|secret|token|credential|private.?key|api.?key|client.?key", re.IGNORECASE)
MASK = "********"


def masked(value: Any, name: str = "") -> Any:
    """``value`` with everything masked that stands under a name such as password, token or apiKey."""
    if _SECRET.search(name) and value not in (None, "", {}, []) and not isinstance(value, (Mapping, bool)):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return value
