# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: plain data and objects for people, with what looks like a secret left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(r"pass(word|wd|phrase)?$|secret|token|credential|private.?key|api.?key|client.?key", re.IGNORECASE)
MASK = "********"
_REFERS = ("Name", "Ref", "Namespace", "Path")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def masked(value: Any, name: str = "") -> Any:
    """``value`` with everything masked that stands under a name such as password, token or apiKey."""
    if _SECRET.search(name) and value not in (None, "", {}, []) and not isinstance(value, (Mapping, bool)):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return value


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """An object of a cluster as it may be shown: as kubectl does, without ``managedFields``, and without secrets.

    Masked are the values of a Secret, of environment variables with such a name, and text under such a name. What
    refers to a secret (``secretName``) is not one.
    """
    metadata = {key: value for key, value in (document.get("metadata") or {}).items() if key != "managedFields"}
    if metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in metadata["annotations"].items() if key != _LAST_APPLIED}
    found: dict[str, Any] = _without_secrets({**document, "metadata": metadata})
    if (document.get("apiVersion"), document.get("kind")) == ("v1", "Secret"):
        for name in ("data", "stringData"):
            if found.get(name):
                found[name] = dict.fromkeys(found[name], MASK)
    return found


def _without_secrets(value: Any, name: str = "") -> Any:
    if isinstance(value, str):
        return MASK if value and _SECRET.search(name) and not name.endswith(_REFERS) else value
    if isinstance(value, Mapping):
        if isinstance(value.get("value"), str) and _SECRET.search(str(value.get("name") or "")):
            return {**value, "value": MASK}
        return {str(key): _without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item) for item in value]
    return value
