# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: plain data and objects for people, with what looks like a secret left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_SECRET = re.compile(r"pass(word|wd|phrase)?$|secret|token|credential|private.?key|api.?key|client.?key", re.IGNORECASE)
MASK = "********"
_REFERS = ("Name", "Ref", "Namespace", "Path")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def masked(value: Any, name: str = "") -> Any:
    """``value`` with everything masked that stands under a name such as password, token or apiKey."""
    return _walked(value, name, _looks_secret)


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """An object of a cluster as it may be shown: as kubectl does, without ``managedFields``, and without secrets.

    Masked are the values of a Secret, of environment variables with such a name, and text under such a name. What
    refers to a secret (``secretName``) is not one.
    """
    metadata = {key: value for key, value in (document.get("metadata") or {}).items() if key != "managedFields"}
    if metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in metadata["annotations"].items() if key != _LAST_APPLIED}
    found: dict[str, Any] = _walked({**document, "metadata": metadata}, "", _is_secret_text)
    if (document.get("apiVersion"), document.get("kind")) == ("v1", "Secret"):
        for name in ("data", "stringData"):
            if found.get(name):
                found[name] = dict.fromkeys(found[name], MASK)
    return found


def _looks_secret(name: str, value: Any) -> bool:
    return bool(_SECRET.search(name)) and value not in (None, "", {}, []) and not isinstance(value, (Mapping, bool))


def _is_secret_text(name: str, value: Any) -> bool:
    return isinstance(value, str) and not name.endswith(_REFERS) and _looks_secret(name, value)


def _walked(value: Any, name: str, is_secret: Callable[[str, Any], bool]) -> Any:
    if is_secret(name, value):
        return MASK
    if isinstance(value, Mapping):
        # An environment variable says its name beside its value.
        said = str(value.get("name") or "") if "value" in value else ""
        return {
            str(key): _walked(item, said if said and key == "value" else str(key), is_secret)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_walked(item, "", is_secret) for item in value]
    return value
