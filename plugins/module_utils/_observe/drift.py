# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether an object still is what was made of it when it was sent, and who changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
from ansible_collections.emco.edge.plugins.module_utils._sync.options import IgnoredField
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import FieldChange
from ansible_collections.emco.edge.plugins.module_utils._sync.record import RecordedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.yielding import without_fields_of_others


def has_drifted(
    old: RecordedObject, live: Mapping[str, Any] | None, manager: str, digest: Callable[[bytes], str]
) -> bool:
    """Whether an object differs from what the record says was made of it; one that never arrived did not drift."""
    if not old.live:
        return False
    return live is None or digest_of(projection(live, manager), digest) != old.live


@dataclass(frozen=True)
class Drift:
    """How an object differs from what was sent. ``since``: when the others last wrote, by the cluster's clock."""

    owners: tuple[str, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    since: str = ""


def drift_of(
    client: ClusterClient,
    old: RecordedObject,
    live: Mapping[str, Any] | None,
    manager: str,
    bundle: Bundle | None,
    ignored: Iterable[IgnoredField] = (),
) -> Drift | None:
    """Who else holds fields that were sent, and how they differ: from what was sent (before) to what is there (after).

    None where all that differs is left to others: ``ignored`` fields, replicas of an autoscaler.

    What was sent is taken from ``bundle`` through a dry run, so that the server's own defaults are no difference;
    without it, or where the server refuses, only other managers are told.
    """
    if live is None:
        return Drift()
    sent = next((one for one in bundle.objects if one.identity == old.identity), None) if bundle else None
    if sent is None or sent.digest != old.sent:
        return _told(live, _other_managers(live, manager))
    where = old.identity
    try:
        resource = client.resource(old.api_version, where.kind)
        body = without_fields_of_others(client, where, live, sent.body, ignored=ignored, manager=manager)
        asked = client.apply(resource, where.namespace, where.name, body, manager=manager, force=True, dry_run=True)
    except ClusterError:
        return _told(live, _other_managers(live, manager))
    wanted = projection(asked.live, manager)
    found = changes(where, wanted, seen_before(live, manager, wanted))
    return _told(live, owners_of(live, wanted, manager), found) if found else None


def _told(live: Mapping[str, Any], owners: tuple[str, ...], found: tuple[FieldChange, ...] = ()) -> Drift:
    entries = (live.get("metadata") or {}).get("managedFields") or ()
    times = [str(one.get("time") or "") for one in entries if one.get("manager") in owners]
    return Drift(owners, found, max(times, default=""))


def _other_managers(live: Mapping[str, Any], manager: str) -> tuple[str, ...]:
    entries = (live.get("metadata") or {}).get("managedFields") or ()
    names = {str(one.get("manager")) for one in entries if one.get("subresource") != "status"}
    return tuple(sorted(names - {manager}))
