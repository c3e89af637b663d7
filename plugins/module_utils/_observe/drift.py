# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether an object still is what was made of it when it was sent, and who changed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import (
    changes,
    digest_of,
    owners_of,
    projection,
    seen_before,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import FieldChange
from ansible_collections.emco.edge.plugins.module_utils._sync.record import RecordedObject


def has_drifted(
    old: RecordedObject, live: Mapping[str, Any] | None, manager: str, digest: Callable[[bytes], str]
) -> bool:
    """Whether an object differs from what the record says was made of it; one that never arrived did not drift."""
    if not old.live:
        return False
    return live is None or digest_of(projection(live, manager), digest) != old.live


def owners_and_changes(
    client: ClusterClient,
    old: RecordedObject,
    live: Mapping[str, Any] | None,
    manager: str,
    bundle: Bundle | None,
) -> tuple[tuple[str, ...], tuple[FieldChange, ...]]:
    """Who else holds fields that were sent, and how they differ: from what was sent (before) to what is there (after).

    What was sent is taken from ``bundle`` through a dry run, so that the server's own defaults are no difference;
    without it, or where the server refuses, only other managers are told.
    """
    if live is None:
        return (), ()
    sent = next((one for one in bundle.objects if one.identity == old.identity), None) if bundle else None
    if sent is None or sent.digest != old.sent:
        return _other_managers(live, manager), ()
    where = old.identity
    try:
        resource = client.resource(old.api_version, where.kind)
        asked = client.apply(
            resource, where.namespace, where.name, sent.body, manager=manager, force=True, dry_run=True
        )
    except ClusterError:
        return _other_managers(live, manager), ()
    wanted = projection(asked.live, manager)
    there = seen_before(live, manager, wanted)
    return owners_of(live, wanted, manager), changes(where, wanted, there)


def _other_managers(live: Mapping[str, Any], manager: str) -> tuple[str, ...]:
    entries = (live.get("metadata") or {}).get("managedFields") or ()
    names = {str(one.get("manager")) for one in entries if one.get("subresource") != "status"}
    return tuple(sorted(names - {manager}))
