# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what users said, as the store keeps it: sealed, since values may hold secrets.

An entry has the digest of what it seals, so that the same again writes nothing and a plan knows what it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import CompositeApp
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import parsed
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import opened_document, sealed_document


@dataclass(frozen=True)
class Stored:
    """An intent as it was stored: plain data, and the digest that tells whether it changed."""

    document: dict[str, Any]
    digest: str


def intent_digest(document: Mapping[str, Any], keys: Keys) -> str:
    """The keyed digest of plain data."""
    return keys.digest(json.dumps(document, sort_keys=True).encode())


def keep_intent(store: Store, keys: Keys, key: Key, document: Mapping[str, Any], **shown: Any) -> bool:
    """Store an intent; whether that changed anything. ``shown`` stays readable beside it."""
    digest = intent_digest(document, keys)
    entry = store.get(key)
    if entry is not None and entry.value.get("digest") == digest:
        return False
    before = entry.value if entry is not None else {}
    store.put(key, {**before, **shown, "digest": digest, "sealed": sealed_document(document, key, keys)})
    return True


def stored_intent(store: Store, keys: Keys, key: Key) -> Stored | None:
    """A stored intent, None when there is none."""
    entry = store.get(key)
    if entry is None or "sealed" not in entry.value:
        return None
    return Stored(opened_document(entry.value["sealed"], key, keys), str(entry.value["digest"]))


APP_OPTIONS = ("project", "name", "version", "apps", "profiles")
"""The options that say what a composite app is; others say what is to become of it."""


def composite_app_key(project: str, name: str, version: str) -> Key:
    """Where a version of a composite app is kept."""
    return ("composite_apps", project, name, version)


@dataclass(frozen=True)
class StoredApp:
    """A composite app with the folder that its relative paths start from."""

    app: CompositeApp
    base_dir: str
    digest: str


def stored_app(store: Store, keys: Keys, project: str, name: str, version: str) -> StoredApp:
    """A stored composite app; ``UnknownCompositeApp`` names what is there instead."""
    found = stored_intent(store, keys, composite_app_key(project, name, version))
    if found is None:
        raise _unknown_app(store, project, name, version)
    app = parsed(CompositeApp, found.document["app"], f"the stored composite app {project}/{name}/{version}")
    return StoredApp(app, str(found.document["base_dir"]), found.digest)


def _unknown_app(store: Store, project: str, name: str, version: str) -> EdgeError:
    known = [entry.key[1:] for entry in store.list(("composite_apps",))]
    projects = sorted({key[0] for key in known})
    apps = sorted({key[1] for key in known if key[0] == project})
    versions = sorted(key[2] for key in known if key[:2] == (project, name))
    if project not in projects:
        message = f"there is no composite app in project {project!r}"
        hint = near(project, projects)
    elif name not in apps:
        message = f"project {project!r} has no composite app {name!r}"
        hint = near(name, apps) or f"it has {', '.join(apps)}."
    else:
        message = f"composite app {project}/{name} has no version {version!r}"
        hint = near(version, versions) or f"it has {', '.join(versions)}."
    return EdgeError("UnknownCompositeApp", f"{message}.", hint=hint or "Define it with emco.edge.composite_app.")
