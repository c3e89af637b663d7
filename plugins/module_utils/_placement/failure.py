# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: why an app cannot be placed as it must, and which cluster came closest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from ansible_collections.emco.edge.plugins.module_utils._model.errors import near
from ansible_collections.emco.edge.plugins.module_utils._placement.capacity import Capacities
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import (
    AppRequest,
    Failure,
    Nearest,
    Reason,
    RefusedSet,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, Fleet, positions_in
from ansible_collections.emco.edge.plugins.module_utils._placement.normal_form import Group, NormalForm
from ansible_collections.emco.edge.plugins.module_utils._placement.selection import Selection, Wish


class Tried(Protocol):
    """What an attempt shows of itself."""

    app: AppRequest
    fleet: Fleet
    form: NormalForm
    refused: list[RefusedSet]
    capacities: Capacities
    feasible: ClusterSet
    tier: int


def failure_of(tried: Tried, wish: Wish, selection: Selection, shortage: int) -> tuple[Failure | None, int]:
    """Why the selection is not what must be, and how many clusters are missing; None and 0 where it is."""
    partial = tried.app.intent.replicas is not None and tried.app.intent.replicas.on_shortage == "partial"
    failure = None if tried.tier else _of_the_tree(tried, selection)
    if failure is None and not selection.taken:
        failure = _failure(tried, "NoFeasibleCluster", "no cluster can take it", tried.fleet.everyone)
    if failure is None and selection.lacking_domains is not None:
        by, needed, used = selection.lacking_domains
        failure = _failure(tried, "NotEnoughDomains", f"it must use {needed} values of {by}, {used} can be used")
    missing = max(0, wish.least - len(selection.taken)) if wish.elastic else 0
    if failure is None and missing and not partial:
        text = f"it must run on {wish.least} clusters, {len(selection.taken)} can take it"
        failure = _failure(tried, "NotEnoughClusters", text, tried.form.first)
    if failure is None and shortage > 0 and not partial:
        total = tried.app.intent.replicas.total if tried.app.intent.replicas is not None else 0
        text = f"{shortage} of {total} replicas find no room"
        failure = _failure(tried, "NotEnoughCapacity", text, tried.form.first)
    return failure, missing


def _of_the_tree(tried: Tried, selection: Selection) -> Failure | None:
    form, fleet = tried.form, tried.fleet
    if form.unknown:
        names = ", ".join(map(str, form.unknown))
        hint = near(str(form.unknown[0]), [str(cluster.ref) for cluster in fleet.clusters])
        return _failure(tried, "UnknownCluster", f"it must run on {names}, which is not in the fleet", hint=hint)
    for position in form.required:
        if not tried.feasible >> position & 1:
            why = _message(tried, position)
            text = f"it must run on {fleet.clusters[position].ref}, but {why}"
            return _failure(tried, "NoFeasibleCluster", text, 1 << position)
    for group in selection.empty_groups:
        whole = next(one for one in form.groups if one.number == group.number)
        return _failure(tried, "NoFeasibleCluster", _no_member(fleet, whole), whole.clusters)
    for written, clusters in form.leaves:
        if not clusters & tried.feasible:
            text = f"no cluster with {written} can take it"
            return _failure(tried, "NoFeasibleCluster", text, clusters)
    return None


def _no_member(fleet: Fleet, group: Group) -> str:
    names = fleet.refs(group.clusters)
    if not names:
        return f"group {group.number} of its intent names no cluster of the fleet"
    listed = ", ".join(map(str, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"one of {listed} must take it and none can"


def _failure(tried: Tried, reason: str, text: str, among: ClusterSet = 0, hint: str = "") -> Failure:
    found = _nearest(tried, among) if among else None
    message = f"{tried.app.name} cannot be placed: {text}"
    counts = _counted(tried, among) if among & (among - 1) else ""
    if counts:
        message += f" ({counts})"
    nearest = found[0] if found is not None else None
    if not hint and tried.form.warnings and not tried.feasible:
        # A label that nothing has is most likely a slip of the pen.
        hint = "; ".join(tried.form.warnings)
    if found is not None and not hint:
        hint = f"Nearest is {found[0].cluster}: {found[1]}."
    return Failure(tried.app.name, reason, message + ".", hint, nearest)


def _all_refused(tried: Tried) -> Sequence[RefusedSet]:
    return [*tried.refused, *tried.capacities.refused]


def _message(tried: Tried, position: int) -> str:
    for refused in _all_refused(tried):
        if refused.clusters >> position & 1:
            return refused.describe(position)[0]
    return "it cannot take it"


def _counted(tried: Tried, among: ClusterSet) -> str:
    counts: Counter[str] = Counter()
    seen = 0
    for refused in _all_refused(tried):
        clusters = refused.clusters & among & ~seen
        seen |= clusters
        counts[refused.reason.value] += clusters.bit_count()
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common() if count)


def _nearest(tried: Tried, among: ClusterSet) -> tuple[Nearest, str] | None:
    """The cluster that the fewest rules refuse, and why as a sentence; of several, the one that lacks least, then the
    first by name."""
    against: Counter[int] = Counter()
    for refused in _all_refused(tried):
        against.update(positions_in(refused.clusters & among))
    if not against:
        return None
    fewest = min(against.values())
    short = _shortfalls(tried)
    position = min((at for at, count in against.items() if count == fewest), key=lambda at: (short.get(at, 2.0), at))
    fit = tried.capacities.fits.get(position)
    if position in short and fit is not None and fit.shortfall is not None:
        lacks, sentence = fit.shortfall.short, fit.shortfall.lacks
    else:
        lacks = sentence = _message(tried, position)
    return Nearest(tried.fleet.clusters[position].ref, lacks), sentence


def _shortfalls(tried: Tried) -> Mapping[int, float]:
    """For clusters refused for want of room, how far off they are: below 1 as more of the pods fit."""
    found = {}
    for refused in tried.capacities.refused:
        if refused.reason is Reason.INSUFFICIENT_CAPACITY:
            for position in positions_in(refused.clusters):
                fit = tried.capacities.fits.get(position)
                if fit is not None and fit.shortfall is not None:
                    found[position] = fit.shortfall.distance
                else:
                    found[position] = 1.0
    return found
