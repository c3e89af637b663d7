# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to emco.edge: the one door through which Ansible's values become plain Python ones.

Newer cores tag strings and numbers with where they came from, older ones mark them unsafe; both are subclasses that
neither sqlite nor a JSON encoder should meet further in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """``value`` out of plain dicts, lists, strings, numbers, booleans and None."""
    if value is None or isinstance(value, bool):
        return None if value is None else bool(value)
    if isinstance(value, str):
        # Encoding and decoding makes a new string, without whatever its class or a tag says of where it came from.
        return str.encode(value, "utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, int):
        return int(value) + 0
    if isinstance(value, float):
        return float(value) + 0.0
    if isinstance(value, bytes):
        return bytes(value).decode(errors="replace")
    return str(value)
