# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``store_backup``: everything that the store knows in one file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._store.backup import back_up
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class StoreBackup:
    """Where the backup goes."""

    path: str = option(required=True, type="path")
    store: Any = option(type="raw")


SPEC = Spec("store_backup", StoreBackup, fleet=True)


def run(wanted: StoreBackup, context: Context) -> Result:
    """Write the backup; in check mode only say where it would be."""
    store = context.store(wanted.store)
    keys = context.keys()
    path = Path(context.base_dir, wanted.path).expanduser()
    result: Result = {"changed": True, "path": str(path), "keys": {"source": keys.source, "ids": list(keys.ids)}}
    if not context.check:
        result["backup"] = asdict(back_up(store, path, now=context.clock()))
    return result
