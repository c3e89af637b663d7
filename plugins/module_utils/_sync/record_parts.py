# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a record that one Secret does not hold, in several.

The parts are written first, each under a name made of its content, and never changed. The record itself, which is
swapped by its resourceVersion, then names them: whoever reads it reads the parts that belong to it, or none.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import MANAGED_BY, OURS

PART_LABEL = "emco.edge/record-part-of"
LARGEST = 900_000
"""Bytes that one Secret holds, with room for what Kubernetes adds."""
_TYPE = "emco.edge/record-part.v1"

Create = Callable[[Mapping[str, Any]], object]


def part_names(record: str, content: bytes) -> tuple[str, ...]:
    """The names of the parts of a content; none when one Secret holds it."""
    if len(content) <= LARGEST:
        return ()
    return tuple(f"{record}-{hashlib.sha256(part).hexdigest()[:16]}" for part in _cut(content))


def put_parts(create: Create, namespace: str, record: str, content: bytes) -> None:
    """Write the parts that are not there yet."""
    for name, part in zip(part_names(record, content), _cut(content), strict=True):
        secret = {
            "metadata": {"name": name, "namespace": namespace, "labels": {MANAGED_BY: OURS, PART_LABEL: record}},
            "type": _TYPE,
            "immutable": True,
            "data": {"part": base64.b64encode(part).decode()},
        }
        try:
            create(secret)
        except ClusterError as error:
            # The same content has the same name.
            if error.reason != "AlreadyExists":
                raise


def named_parts(secret: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts that a record names; ValueError, TypeError or KeyError when it was tampered with."""
    written = (secret.get("data") or {}).get("parts")
    names = json.loads(base64.b64decode(written, validate=True)) if written else []
    # The names are not what is signed: nothing but parts of this very record is read or deleted by them.
    own = re.compile(re.escape(secret["metadata"]["name"]) + "-[0-9a-f]{16}")
    if not all(own.fullmatch(name) for name in names):
        raise ValueError("names something else")
    return tuple(names)


def joined(client: ClusterClient, secrets: Resource, namespace: str, names: Sequence[str]) -> bytes | None:
    """The content of these parts, None when one is not there."""
    found = []
    for name in names:
        part = client.get(secrets, namespace, name)
        if part is None:
            return None
        found.append(base64.b64decode(part["data"]["part"], validate=True))
    return b"".join(found)


def drop_parts(client: ClusterClient, secrets: Resource, namespace: str, names: Iterable[str]) -> None:
    """Delete parts that no record names any more."""
    for name in names:
        client.delete(secrets, namespace, name)


def parts_of(client: ClusterClient, secrets: Resource, namespace: str, record: str) -> list[str]:
    """The names of all parts of a record, those that a killed run left as well."""
    found = client.list(secrets, namespace, labels=f"{PART_LABEL}={record}", metadata_only=True)
    return [str(one["metadata"]["name"]) for one in found]


def _cut(content: bytes) -> list[bytes]:
    return [content[start : start + LARGEST] for start in range(0, len(content), LARGEST)]
