# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``store_restore``: a backup back into a store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._store.backup import read_entries, read_manifest, restore
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._store.key_file import key_file_path, known_keys
from ansible_collections.emco.edge.plugins.module_utils._store.open import KEYS_ENTRY
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class StoreRestore:
    """Which backup, and whether what the store holds now may go."""

    path: str = option(required=True, type="path")
    replace: bool = option(default=False)
    store: Any = option(type="raw")


SPEC = Spec("store_restore", StoreRestore, fleet=True)


def run(wanted: StoreRestore, context: Context) -> Result:
    """Put the backup into the store; one that holds exactly the backup already is left alone."""
    store = context.store(wanted.store)
    path = Path(context.base_dir, wanted.path).expanduser()
    manifest, entries = read_manifest(path), read_entries(path)
    _refuse_other_keys(entries.get(KEYS_ENTRY), path, context)
    there = {entry.key: entry.value for entry in store.list(())}
    result: Result = {"changed": there != entries, "path": str(path), "backup": asdict(manifest)}
    if not result["changed"]:
        return result
    if there and not wanted.replace:
        raise _not_empty(store, len(there))
    if not context.check:
        restore(store, path, replace=wanted.replace)
    return result


def _not_empty(store: Store, entries: int) -> EdgeError:
    return EdgeError(
        "StoreNotEmpty",
        f"The store ({store.description}) already holds {entries} entries; a backup would replace them.",
        hint="Restore into a new store, or say replace: true.",
        details={"store": store.description, "entries": entries},
    )


def _refuse_other_keys(noted: dict[str, Any] | None, path: Path, context: Context) -> None:
    """EdgeError ``KeyMissing`` for a backup that nobody could read here."""
    keys = known_keys(context.environ)
    if noted is None or (keys is not None and keys.fingerprint == noted["fingerprint"]):
        return
    found = f"{keys.source} holds others" if keys is not None else f"there are none at {key_file_path(context.environ)}"
    raise EdgeError(
        "KeyMissing",
        f"The keys that the backup {path} was sealed with are not here: {found}.",
        hint="Put back your copy of the key file first, or give it in EMCO_EDGE_KEYS or EMCO_EDGE_KEY_FILE.",
        details={"path": str(path)},
    )
