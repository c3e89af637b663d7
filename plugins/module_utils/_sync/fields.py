# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the part of a live object that is ours, and how it differs between two times.

An API server notes for each field manager which fields it set (managedFields, in the form FieldsV1: ``f:`` a field,
``k:`` a list item by its keys, ``v:`` a value of a set, ``.`` the thing itself). Through these notes a live object is
cut down to what we sent, with the values that the server made of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import FieldChange

Projection = dict[str, Any]
"""Values under the keys of FieldsV1; empty: nothing is ours."""

MASK = "***"
_MISSING = object()
_SORTS = ("f:", "k:", "v:", "i:")
_SECRET_PARTS = ("data", "stringData")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def projection(live: Mapping[str, Any], manager: str) -> Projection:
    """What of ``live`` the field manager applied, with the live values."""
    found: Projection = {}
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        # What a manager updates through a subresource (status, scale) is none of what it sent.
        mine = entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
        if mine and (fields := entry.get("fieldsV1")):
            _merge(found, projected(live, fields))
    return found


def applied_by(live: Mapping[str, Any], manager: str) -> bool:
    """Whether the field manager applied any of ``live``; its metadata is enough."""
    return any(
        entry.get("manager") == manager and entry.get("operation") == "Apply"
        for entry in (live.get("metadata") or {}).get("managedFields") or ()
    )


def digest_of(owned: Projection, digest: Callable[[bytes], str]) -> str:
    """The digest of a projection, empty for an empty one."""
    if not owned:
        return ""
    return digest(json.dumps(owned, separators=(",", ":"), sort_keys=True).encode())


def changes(identity: Identity, before: Projection, after: Projection) -> tuple[FieldChange, ...]:
    """The fields that differ, by path; values of Secrets are masked."""
    secret = identity.kind == "Secret" and not identity.group
    return tuple(
        _masked(path, old, new) if secret and _is_secret(path) else FieldChange(written(path), old, new)
        for path, old, new in _differences((), before, after)
    )


def seen_before(live: Mapping[str, Any], manager: str, after: Projection) -> Projection:
    """What was there before ``after``: our fields, and those of ``after`` that somebody else had taken."""
    found = projection(live, manager)
    _merge(found, _through(live, after))
    return found


def owners_of(live: Mapping[str, Any], fields: Projection, manager: str) -> tuple[str, ...]:
    """The other managers that hold fields of ``fields``, a projection that was ours before."""
    found = {
        str(entry.get("manager"))
        for entry in (live.get("metadata") or {}).get("managedFields") or ()
        if entry.get("manager") != manager and _meet(entry.get("fieldsV1") or {}, fields)
    }
    return tuple(sorted(found))


def projected(value: Any, owned: Mapping[str, Any]) -> Any:
    """``value`` cut down to the fields that ``owned`` (FieldsV1) names and that are there."""
    if not owned:
        return value
    result: Projection = {}
    for key, below in owned.items():
        found = _child(value, key)
        if found is not _MISSING:
            result[key] = projected(found, below)
    return result


def _through(value: Any, shape: Projection) -> Projection:
    """``value`` at the fields that stand in a projection."""
    found: Projection = {}
    for key, below in shape.items():
        part = _child(value, key)
        if part is not _MISSING:
            granular = isinstance(below, Mapping) and below and all(each[:2] in _SORTS or each == "." for each in below)
            found[key] = _through(part, dict(below)) if granular else part
    return found


def _child(value: Any, key: str) -> Any:
    sort, name = key[:2], key[2:]
    if sort == "f:":
        return value.get(name, _MISSING) if isinstance(value, Mapping) else _MISSING
    if key == ".":
        # The thing itself is there; what is in it stands beside this note.
        return True
    if not isinstance(value, list):
        return _MISSING
    if sort == "k:":
        wanted = _parsed(name)
        for item in value:
            if isinstance(item, Mapping) and all(item.get(one) == given for one, given in wanted):
                return item
        return _MISSING
    if sort == "v:":
        given = _parsed_value(name)
        return given if given in value else _MISSING
    if sort == "i:":
        return value[int(name)] if int(name) < len(value) else _MISSING
    return _MISSING


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[tuple[str, Any], ...]:
    return tuple(json.loads(text).items())


@lru_cache(maxsize=4096)
def _parsed_value(text: str) -> Any:
    return json.loads(text)


def _merge(into: Projection, other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _merge(known, value)
        else:
            into[key] = value


def _differences(path: tuple[str, ...], before: Any, after: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            old, new = before.get(key, _MISSING), after.get(key, _MISSING)
            if old != new or type(old) is not type(new):
                yield from _differences((*path, key), old, new)
    elif isinstance(after, Mapping) and before is _MISSING and after:
        for key in sorted(after):
            yield from _differences((*path, key), _MISSING, after[key])
    elif isinstance(before, Mapping) and after is _MISSING and before:
        for key in sorted(before):
            yield from _differences((*path, key), before[key], _MISSING)
    elif path[-1:] != (".",):
        yield path, None if before is _MISSING else before, None if after is _MISSING else after


def written(path: tuple[str, ...]) -> str:
    """A path of keys as people write it: ``spec.ports[port=80,protocol=TCP].targetPort``."""
    text = ""
    for key in path:
        sort, name = key[:2], key[2:]
        if sort == "k:":
            text += "[" + ",".join(f"{one}={value}" for one, value in _parsed(name)) + "]"
        elif sort in ("v:", "i:"):
            text += f"[{name}]"
        else:
            # Whole values are walked into as well, below them keys carry no sign.
            plain = name if sort == "f:" else key
            plain = f"[{plain}]" if "." in plain else plain
            text += plain if not text or plain.startswith("[") else f".{plain}"
    return text


def _is_secret(path: tuple[str, ...]) -> bool:
    top = path[0].removeprefix("f:")
    return top in _SECRET_PARTS or path[-1].removeprefix("f:") == _LAST_APPLIED


def _masked(path: tuple[str, ...], old: Any, new: Any) -> FieldChange:
    if old is None or new is None:
        return FieldChange(written(path), None if old is None else MASK, None if new is None else MASK)
    return FieldChange(written(path), f"{MASK} (before)", f"{MASK} (after)")


def _meet(owned: Mapping[str, Any], fields: Any) -> bool:
    if not isinstance(fields, Mapping):
        return True
    return any(key in fields and _meet(below, fields[key]) for key, below in owned.items() if key != ".")
