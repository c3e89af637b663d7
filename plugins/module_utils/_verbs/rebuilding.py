# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a lost store no longer knows, read from the records in the clusters."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Record, read_record
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import Reach, client_of, reach_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Kept, Stopped
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Standing

# Most of the time nothing is there, so whoever hangs must not keep the others waiting.
_AT_ONCE = 200
_SECONDS = 15.0
_SILENT = frozenset({"ClusterUnreachable", "BudgetSpent"})
_CANNOT_BE_ASKED = _SILENT | {"Unauthorized", "CertificateRejected", "BadConnection", "LoginFailed"}
_PATIENCE = Patience(connect=3.0, read=10.0, retries=2, silences=0)


def rebuilt_progress(
    naming: Naming, fleet: Mapping[ClusterRef, Registered], context: Context
) -> dict[ClusterRef, Standing]:
    """What of a deployment is on which cluster, one request each; a cluster that does not answer is not in it.

    Where a record was tampered with, or cannot be read, something may be there and nobody knows what: that cluster is
    in it as failed, and nothing is done there on a guess.
    """
    return {ref: _standing(found, context.clock()) for ref, found in _read(naming, fleet, context).items()}


def found_records(naming: Naming, fleet: Mapping[ClusterRef, Registered], context: Context) -> dict[ClusterRef, Record]:
    """The records on the clusters that answer; one that was tampered with, or cannot be read, is an error here."""
    found: dict[ClusterRef, Record] = {}
    for ref, record in _read(naming, fleet, context).items():
        if isinstance(record, ClusterError):
            raise record
        found[ref] = record
    return found


def _read(
    naming: Naming, fleet: Mapping[ClusterRef, Registered], context: Context
) -> dict[ClusterRef, Record | ClusterError]:
    if not fleet:
        return {}

    keys = context.keys()  # opened once, before there are threads
    kept = Kept(keys)
    helpers = context.helpers

    def read(one: Registered) -> Record | ClusterError | None:
        try:
            reach = reach_of(one, context)
            found = (
                helpers.call(one.ref, _record, reach, naming.label, kept)
                if len(helpers)
                else _record(reach, naming.label, keys)
            )
        except EdgeError as error:
            if error.reason in _SILENT:
                context.signs_of_life[str(one.ref)] = (context.clock(), error.message)
            if error.reason in _CANNOT_BE_ASKED:
                return None
            if isinstance(error, ClusterError):
                return error
            raise
        context.signs_of_life[str(one.ref)] = (context.clock(), "")
        return found

    clusters = list(fleet.values())
    with ThreadPoolExecutor(min(_AT_ONCE, len(clusters)), thread_name_prefix="record") as pool:
        records = list(pool.map(read, clusters))
    found = {one.ref: record for one, record in zip(clusters, records, strict=True) if record is not None}
    if found:
        context.say(f"{naming.readable}: found on {len(found)} clusters by their records")
    return found


def _record(reach: Reach, label: str, keys: Keys, _unused: Stopped | None = None) -> Record | None:
    """The record on one cluster, here or in a helper process."""
    client = client_of(reach, Budget.of(_SECONDS), _PATIENCE)
    try:
        return read_record(client, label, keys)
    finally:
        client.close()


def _standing(found: Record | ClusterError, now: float) -> Standing:
    if isinstance(found, ClusterError):
        return Standing(0, "", State.FAILED.value, found.reason, found.message, now)
    return Standing(found.revision, found.bundle, found.phase.value, at=now)
