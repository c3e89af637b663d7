# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's database in the store: objects sealed, since they may hold secrets, lifecycles not.

``emco/objects/<path>`` and ``emco/lifecycles/<path>``; a path is that of EMCO's API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Catalogue, object_of
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._emco.state import lifecycle_of
from ansible_collections.emco.edge.plugins.module_utils._emco.world import World
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import opened_document, sealed_document

_OBJECTS: Key = ("emco", "objects")
_LIFECYCLES: Key = ("emco", "lifecycles")


def load_world(store: Store, keys: Keys) -> World:
    """Everything that was stored, in the order in which it came."""
    entries = sorted(store.list(_OBJECTS), key=lambda entry: int(entry.value["order"]))
    objects = [object_of(opened_document(entry.value["sealed"], entry.key, keys)) for entry in entries]
    lifecycles = {_path(entry.key): lifecycle_of(entry.value) for entry in store.list(_LIFECYCLES)}
    numbers = {_path(entry.key): int(entry.value["order"]) for entry in entries}
    clusters = frozenset(
        ("cluster-providers", entry.key[1], "clusters", entry.key[2]) for entry in store.list(("clusters",))
    )
    return World(Catalogue.of(objects, numbers, clusters), keys.digest, lifecycles)


def save_world(world: World, store: Store, keys: Keys) -> None:
    """Store what changed since the last time; nothing when nothing did."""
    changed, world.catalogue.changed = world.catalogue.changed, {}
    turned, world.turned = sorted(world.turned), set()
    entries: dict[Key, Mapping[str, Any]] = {}
    gone: list[Key] = []
    for path, one in changed.items():
        key = _key(_OBJECTS, path)
        if one is None:
            gone.append(key)
        else:
            entries[key] = {
                "order": world.catalogue.numbers[path],
                "sealed": sealed_document(one.as_document(), key, keys),
            }
    for path in turned:
        if path in world.lifecycles:
            entries[_key(_LIFECYCLES, path)] = world.lifecycles[path].as_document()
        else:
            gone.append(_key(_LIFECYCLES, path))
    if entries:
        store.put_many(entries)
    for key in gone:
        store.delete(key)


def _key(kind: Key, path: Path) -> Key:
    return (*kind, "/".join(path))


def _path(key: Key) -> Path:
    return tuple(key[-1].split("/"))
