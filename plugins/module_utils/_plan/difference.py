# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a new plan changes against the one before, by cluster and object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Identity, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Plan


@dataclass(frozen=True)
class BundleDifference:
    """The objects that one cluster gets, that change there, and that it loses; hooks are counted like objects."""

    added: tuple[Identity, ...] = ()
    changed: tuple[Identity, ...] = ()
    removed: tuple[Identity, ...] = ()
    unchanged: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a difference."""
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True)
class PlanDifference:
    """A new plan against the one before: by cluster, and the apps that come to or leave a cluster."""

    clusters: Mapping[ClusterRef, BundleDifference]
    arriving: Mapping[str, tuple[ClusterRef, ...]]
    leaving: Mapping[str, tuple[ClusterRef, ...]]

    @property
    def any(self) -> bool:
        """Whether anything would change anywhere."""
        return any(one.any for one in self.clusters.values())


def between(old: Bundle | None, new: Bundle | None) -> BundleDifference:
    """What changes on a cluster that goes from one bundle to another; None: nothing of ours."""
    if old is not None and new is not None and old.digest == new.digest:
        return BundleDifference(unchanged=len(new.objects))
    before, after = _by_identity(old), _by_identity(new)
    both = before.keys() & after.keys()
    changed = tuple(sorted(one for one in both if before[one].digest != after[one].digest))
    return BundleDifference(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=changed,
        removed=tuple(sorted(before.keys() - after.keys())),
        unchanged=len(both) - len(changed),
    )


def describe(old: Plan | None, new: Plan) -> PlanDifference:
    """What a plan changes against the one before it, None for a first plan."""
    before = old.bundles if old is not None else {}
    had = old.decisions if old is not None else {}
    known: dict[tuple[str, str], BundleDifference] = {}
    clusters = {}
    for ref in sorted(before.keys() | new.bundles.keys()):
        one, other = before.get(ref), new.bundles.get(ref)
        # Most clusters of a fleet share their bundle, before and after.
        key = (one.digest if one else "", other.digest if other else "")
        if key not in known:
            known[key] = between(one, other)
        clusters[ref] = known[key]
    apps = had.keys() | new.decisions.keys()
    return PlanDifference(
        clusters=clusters,
        arriving=_moved(apps, new.decisions, had),
        leaving=_moved(apps, had, new.decisions),
    )


def _moved(
    apps: set[str],
    there: Mapping[str, Mapping[ClusterRef, int | None]],
    not_there: Mapping[str, Mapping[ClusterRef, int | None]],
) -> dict[str, tuple[ClusterRef, ...]]:
    found = {app: tuple(sorted(set(there.get(app, {})) - set(not_there.get(app, {})))) for app in sorted(apps)}
    return {app: refs for app, refs in found.items() if refs}


def _by_identity(one: Bundle | None) -> dict[Identity, PlannedObject]:
    return {each.identity: each for each in one.objects} if one is not None else {}
