# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: tables for the person at the screen, never longer than one reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State

_MOST_ROWS = 40
_WIDEST = 100


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows under their head, columns aligned; the last column is cut, not wrapped."""
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head) - 1)]
    lines = []
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        last = row[-1] if len(row[-1]) <= _WIDEST else row[-1][: _WIDEST - 3] + "..."
        lines.append("  ".join([*cells, last]).rstrip())
    return lines


def closing(
    title: str,
    outcomes: Mapping[ClusterRef, Outcome],
    decisions: Mapping[str, Mapping[ClusterRef, int | None]],
    *,
    check: bool = False,
) -> list[str]:
    """What a run did: a row a cluster, only those that need a look when there are many, and a line of sums.

    ``check``: nothing was done, it is what would be.
    """
    running: dict[ClusterRef, list[str]] = {}
    for app, chosen in decisions.items():
        for ref in chosen:
            running.setdefault(ref, []).append(app)
    shown = sorted(outcomes.items())
    if len(shown) > _MOST_ROWS:
        shown = [(ref, one) for ref, one in shown if one.state not in (State.READY, State.REMOVED)][:_MOST_ROWS]
    rows = [
        [
            str(ref),
            one.state.value,
            str(one.applied),
            str(one.unchanged),
            str(one.deleted),
            f"{one.seconds:.1f}",
            _last(one, running.get(ref, [])),
        ]
        for ref, one in shown
    ]
    done = ["TO APPLY", "UNCHANGED", "TO DELETE"] if check else ["APPLIED", "UNCHANGED", "DELETED"]
    head = ["CLUSTER", "STATE", *done, "SECONDS", "APPS"]
    return [*(aligned(head, rows) if rows else []), f"{title}: {_sums(outcomes, check)}"]


def _last(one: Outcome, apps: Sequence[str]) -> str:
    return f"{one.reason}: {cause(one.message, one.cluster)}" if one.reason else ", ".join(apps)


def cause(message: str, cluster: str) -> str:
    """What the cluster said, without what was attempted there: a line of a table names the cluster already."""
    return message.rpartition(f" on {cluster}: ")[2] or message


def counted(applied: int, unchanged: int, deleted: int, *, check: bool = False) -> str:
    """What was done to so many objects, or with ``check`` would be."""
    if check:
        return f"{applied} to apply, {unchanged} unchanged, {deleted} to delete"
    return f"{applied} applied, {unchanged} unchanged, {deleted} deleted"


def _sums(outcomes: Mapping[ClusterRef, Outcome], check: bool) -> str:
    states = Counter(one.state.value for one in outcomes.values())
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no cluster"
    applied = sum(one.applied for one in outcomes.values())
    unchanged = sum(one.unchanged for one in outcomes.values())
    deleted = sum(one.deleted for one in outcomes.values())
    return f"{counts}; {counted(applied, unchanged, deleted, check=check)}"


def status(told: Mapping[str, Any]) -> list[str]:
    """The status of a deployment as ``deployment_info`` returns it."""
    by_cluster: dict[str, dict[str, Counter[str]]] = {}
    for app in told.get("apps", ()):
        for place in app["clusters"]:
            states = Counter(_state(one) for one in place["resources"])
            by_cluster.setdefault(place["cluster"], {})[app["name"]] = states
    rows = []
    for cluster, one in list(told["clusters"].items())[:_MOST_ROWS]:
        apps = by_cluster.get(cluster, {})
        words = ", ".join(f"{app} {_ratio(states)}" for app, states in apps.items())
        ready = (
            "Ready" if one.get("ready") else one["connectivity"] if one["connectivity"] != "Available" else "NotReady"
        )
        rows.append([cluster, ready, str(one["revision"]), words or cause(one.get("message", ""), cluster)])
    more = len(told["clusters"]) - len(rows)
    title = f"{told['project']}/{told['name']}"
    what = f"{told.get('composite_app', '?')} {told.get('version', '')} revision {told.get('revision', '?')}"
    lines = [f"{title}: {what}, {told.get('state', 'unknown')}, {told.get('ready_status', '')}".rstrip(", ")]
    lines += aligned(["CLUSTER", "STATUS", "REVISION", "APPS (READY/ALL)"], rows)
    lines += [f"and {more} more clusters"] if more > 0 else []
    lines += [
        f"  {one['cluster']} {one['object']}: {one['reason']} {one['message']}".rstrip()
        for one in told.get("not_ready", ())[:_MOST_ROWS]
    ]
    return lines


def _state(one: Mapping[str, Any]) -> str:
    return str(one.get("ready_status") or one.get("deployed_status"))


def _ratio(states: Counter[str]) -> str:
    return f"{states['Ready'] + states['Applied']}/{sum(states.values())}"
