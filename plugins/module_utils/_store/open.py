# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the store and the keys that a user's options and environment name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problem, near
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.key_file import (
    created_keys,
    key_file_path,
    known_keys,
)
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys, new_keys
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore, default_path

STORE_VARIABLE = "EMCO_EDGE_STORE"

# Which keys this store's content was made with: ids and a fingerprint, no secret.
KEYS_ENTRY: Key = ("meta", "keys")

_FORMS = "sqlite, sqlite:/path/to/edge.db, {type: sqlite, path: ...}"

Choice = str | Mapping[str, Any] | None


def open_store(
    option: Choice,
    environ: Mapping[str, str],
    *,
    variable: Choice = None,
    clock: Callable[[], float] = time.time,
) -> Store:
    """The chosen store: of the option, else the variable ``emco_edge_store``, else ``EMCO_EDGE_STORE``, else sqlite.

    Nothing is created or contacted yet. InvalidInput names the forms when the choice is none of them.
    """
    for where, choice in (
        ("store", option),
        ("emco_edge_store", variable),
        (STORE_VARIABLE, environ.get(STORE_VARIABLE)),
    ):
        if choice:
            return _opened(choice, where, environ, clock)
    return SqliteStore(default_path(environ), clock=clock)


def _opened(
    choice: str | Mapping[str, Any], where: str, environ: Mapping[str, str], clock: Callable[[], float]
) -> Store:
    if isinstance(choice, str):
        kind, _colon, rest = choice.partition(":")
        settings: dict[str, Any] = {"path": rest} if rest else {}
    else:
        settings = {str(name): value for name, value in choice.items() if value is not None}
        kind = str(settings.pop("type", ""))
    if kind != "sqlite":
        raise _refused(where, f"{kind!r} is not a kind of store", near(kind, ["sqlite"]))
    unknown = settings.keys() - {"path"}
    if unknown:
        raise _refused(where, f"a sqlite store has no setting {', '.join(sorted(unknown))}")
    path = str(settings.get("path") or "")
    return SqliteStore(_expanded(path, environ) if path else default_path(environ), clock=clock)


def _expanded(path: str, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home(), path[2:]) if path.startswith("~/") else Path(path)


def _refused(where: str, what: str, hint: str = "") -> InvalidInput:
    return InvalidInput([Problem(where, f"{what}; a store is one of: {_FORMS}", hint)], of="the choice of store")


def open_keys(store: Store, environ: Mapping[str, str], *, writing: bool) -> Keys:
    """The keys of this store; made on first use, unless the store was filled with others.

    Without ``writing`` (check mode) nothing is made: keys for this run only, where there are none.
    EdgeError ``KeyMissing`` when the store's own keys are not the ones found here.
    """
    keys, noted = known_keys(environ), store.get(KEYS_ENTRY)
    if noted is not None and (keys is None or keys.fingerprint != noted.value["fingerprint"]):
        raise _lost(store, environ, keys, noted.value)
    if keys is None:
        keys = created_keys(environ) if writing else new_keys("this run only")
    if writing and noted is None:
        store.put(KEYS_ENTRY, {"fingerprint": keys.fingerprint})
    return keys


def _lost(store: Store, environ: Mapping[str, str], keys: Keys | None, noted: Mapping[str, Any]) -> EdgeError:
    found = f"{keys.source} holds others" if keys else f"there are none at {key_file_path(environ)}"
    return EdgeError(
        "KeyMissing",
        f"The keys that the store ({store.description}) was filled with are not here: {found}.",
        hint="Put back your copy of the key file, or give it in EMCO_EDGE_KEYS or EMCO_EDGE_KEY_FILE. If it is lost "
        "for good, start with a new store: it is rebuilt from the clusters, without what was sealed.",
        details={"store": store.description, "fingerprint": noted["fingerprint"]},
    )
