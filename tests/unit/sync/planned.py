# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles, records and live objects for tests of the pure parts."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import (
    DEPLOYMENT_LABEL,
    Bundle,
    Identity,
    PlannedObject,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import digest_of, projection
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Phase, Record, RecordedObject

LABEL, MANAGER = "demo.shop", "emco-edge:1"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def config(name: str, value: str = "1", *, kind: str = "ConfigMap", group: str = "", app: str = "web") -> PlannedObject:
    namespace = "" if kind in ("Namespace", "CustomResourceDefinition") else "shop"
    body = json.dumps(
        {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "data": {"value": value}}
    ).encode()
    api_version = f"{group}/v1" if group else "v1"
    return PlannedObject(Identity(group, kind, namespace, name), api_version, app, digest(body), body)


def bundle(*objects: PlannedObject, namespaces: frozenset[str] | None = None) -> Bundle:
    content = digest("".join(one.digest for one in objects).encode())
    return Bundle("demo/shop", LABEL, MANAGER, content, tuple(objects), ("web",), namespaces=namespaces)


def live(
    one: PlannedObject, *, uid: str = "u", value: str | None = None, label: str = LABEL, manager: str = MANAGER
) -> dict[str, Any]:
    """The object as a server has it after we sent it."""
    document = json.loads(one.body)
    if value is not None:
        document["data"]["value"] = value
    document["metadata"].update(
        uid=uid,
        labels={DEPLOYMENT_LABEL: label},
        managedFields=[{"manager": manager, "operation": "Apply", "fieldsV1": {"f:data": {"f:value": {}}}}],
    )
    return document


def recorded(one: PlannedObject, *, uid: str = "u", **more: Any) -> RecordedObject:
    there = digest_of(projection(live(one), MANAGER), digest)
    fields: dict[str, Any] = {"uid": uid, "sent": one.digest, "live": there, "keep": one.keep, **more}
    return RecordedObject(one.identity, one.api_version, one.app, **fields)


def record(*objects: RecordedObject, **more: Any) -> Record:
    fields: dict[str, Any] = {"phase": Phase.CURRENT, "bundle": "x", "version": "7", **more}
    return Record("demo/shop", LABEL, MANAGER, objects=tuple(objects), **fields)
