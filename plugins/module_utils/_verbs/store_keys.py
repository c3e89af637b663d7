# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``store_keys``: a new key for a store and its clusters, old ones given up."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import seconds
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._store.rotation import keys_in_use, retire_keys, rotate_keys
from ansible_collections.emco.edge.plugins.module_utils._sync.signing import sign_anew
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import client_of, reach_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class StoreKeys:
    """What is to become of the keys."""

    state: Literal["present", "rotated", "retired"] = option(default="present")
    force: bool = option(default=False)
    parallel: int = option(default=50)
    cluster_timeout: float = option(default=30.0, parse=seconds, type="str", spec_default="30s")
    store: Any = option(type="raw")


SPEC = Spec("store_keys", StoreKeys, fleet=True)


def run(wanted: StoreKeys, context: Context) -> Result:
    """Show the keys, put a new one in front, or give the old ones up."""
    store, keys = context.store(wanted.store), context.keys()
    if wanted.state == "rotated":
        return _rotated(wanted, context)
    result: Result = {"changed": False, **_shown(keys), "in_use": sorted(keys_in_use(store) & set(keys.ids))}
    if wanted.state == "present" or len(keys.ids) == 1:
        return result
    if context.check:
        return {**result, "changed": True}
    signed = _sign_records(wanted, context, keys)
    if signed.away and not wanted.force:
        raise EdgeError(
            "KeyInUse",
            f"The old keys cannot be given up: {len(signed.away)} clusters do not answer, and their records may be "
            f"signed with them ({', '.join(map(str, signed.away[:5]))}).",
            hint="Run again when they answer; force: true gives the keys up, and these records are no longer trusted.",
            details={"clusters": [str(ref) for ref in signed.away]},
        )
    retired = retire_keys(store, context.environ)
    return {"changed": True, **_shown(keys, keys.ids[:1]), "retired": list(retired), **signed.told()}


def _rotated(wanted: StoreKeys, context: Context) -> Result:
    if context.check:
        return {"changed": True, **_shown(context.keys())}
    keys, sealed = rotate_keys(context.store(), context.environ)
    signed = _sign_records(wanted, context, keys)
    return {
        "changed": True,
        **_shown(keys),
        "sealed_anew": {"entries": sealed.entries, "objects": sealed.blobs},
        "unreadable": list(sealed.unreadable),
        **signed.told(),
    }


def _shown(keys: Keys, ids: Collection[str] | None = None) -> dict[str, Any]:
    return {"keys": list(ids if ids is not None else keys.ids), "source": keys.source}


@dataclass(frozen=True)
class _Signed:
    records: int
    away: tuple[ClusterRef, ...]

    def told(self) -> dict[str, Any]:
        return {"records_signed_anew": self.records, "not_reached": [str(ref) for ref in self.away]}


def _sign_records(wanted: StoreKeys, context: Context, keys: Keys) -> _Signed:
    """Sign the records of all clusters with the first key."""

    def one(cluster: Registered) -> int | None:
        try:
            client = client_of(reach_of(cluster, context), Budget.of(wanted.cluster_timeout))
            try:
                return sign_anew(client, keys)
            finally:
                client.close()
        except EdgeError as error:
            context.say(f"{cluster.ref}: {error.message}")
            return None

    clusters = list(registered(context.store()).values())
    if not clusters:
        return _Signed(0, ())
    with ThreadPoolExecutor(min(wanted.parallel, len(clusters)), thread_name_prefix="sign") as pool:
        found = dict(zip((one.ref for one in clusters), pool.map(one, clusters), strict=True))
    return _Signed(
        sum(count for count in found.values() if count is not None),
        tuple(ref for ref, count in found.items() if count is None),
    )
