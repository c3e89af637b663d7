# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the history of a deployment: who brought which revision when, and what it changed where."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.difference import BundleDifference, describe
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import in_effect
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Event, Plan, Revision, RevisionState
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions


def told_history(history: Sequence[Revision], revisions: Revisions) -> list[dict[str, Any]]:
    """Each revision with its events, and how it differs from what was in effect before it, by cluster and object."""
    plans: dict[int, Plan] = {}

    def plan(one: Revision) -> Plan:
        if one.number not in plans:
            plans[one.number] = revisions.plan_of(one, bodies=False)
        return plans[one.number]

    found = []
    for place, one in enumerate(history):
        before = in_effect(history[:place])
        if before is not None and before.state is RevisionState.REMOVED:
            before = None
        found.append({**_told(one), **_changes(before, plan(before) if before is not None else None, plan(one))})
    return found


def written_time(seconds: float) -> str:
    """ISO 8601, in UTC."""
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _told(one: Revision) -> dict[str, Any]:
    told: dict[str, Any] = {
        "revision": one.number,
        "state": one.state.value,
        "composite_app": one.composite_app,
        "version": one.version,
        "created": written_time(one.created),
        "owner": one.owner,
        "events": [_event(event) for event in one.events],
    }
    if one.comment:
        told["comment"] = one.comment
    if one.of is not None:
        told["back_to"] = one.of
    return told


def _event(event: Event) -> dict[str, str]:
    told = {"state": event.state.value, "at": written_time(event.at), "by": event.by}
    return {**told, "comment": event.comment} if event.comment else told


def _changes(before: Revision | None, old: Plan | None, new: Plan) -> dict[str, Any]:
    difference = describe(old, new)
    # Most clusters of a fleet change alike; said once, with the clusters.
    alike: dict[BundleDifference, list[ClusterRef]] = {}
    for ref, one in difference.clusters.items():
        if one.any:
            alike.setdefault(one, []).append(ref)
    changes = [
        {
            "clusters": [str(ref) for ref in refs],
            "added": [str(identity) for identity in one.added],
            "changed": [str(identity) for identity in one.changed],
            "removed": [str(identity) for identity in one.removed],
        }
        for one, refs in alike.items()
    ]
    return {"against": before.number if before is not None else None, "changes": changes}
