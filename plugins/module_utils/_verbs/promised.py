# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what the stored plans have promised to clusters and their facts do not show for certain.

A plan that arrived before a cluster was read is in its facts. Whatever else was planned (waiting for approval, on its
way, put off, or there since the facts were read) counts as room that is taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demands
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._placement.reserved import Reservation
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Revision, RevisionState
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing, newest

_OVER = (RevisionState.REMOVING, RevisionState.REMOVED, RevisionState.SUPERSEDED)


@dataclass(frozen=True)
class Promise:
    """A bundle that a deployment's newest plan puts on a cluster."""

    naming: Naming
    revision: Revision
    cluster: ClusterRef
    bundle: Bundle


def promises(
    store: Store, keys: Keys, fleet: Mapping[ClusterRef, Registered], *, besides: Naming | None = None
) -> list[Promise]:
    """What the newest plan of each deployment (``besides`` one) has on its way to clusters, or landed there since their
    facts were read."""
    standings = {entry.key[1:]: entry.value["clusters"] for entry in store.list(("progress",))}
    found: list[Promise] = []
    for naming, revision in newest(store).items():
        if naming == besides or revision.state in _OVER:
            continue
        told = standings.get((naming.project, naming.name), {})
        landed = _Landed({ClusterRef.parse(ref): Standing(**one) for ref, one in told.items()}, fleet)
        if revision.state is RevisionState.CURRENT and landed.everywhere:
            continue
        try:
            bundles = Revisions(naming, store, keys).bundles_of(revision, landed.is_missing)
        except EdgeError as lost:
            if lost.reason != "BlobMissing":
                raise
            # Whoever works on that deployment is told; nobody else's plan waits for it.
            continue
        found += [Promise(naming, revision, ref, one) for ref, one in bundles.items()]
    return found


def reservations(
    store: Store,
    keys: Keys,
    fleet: Mapping[ClusterRef, Registered],
    naming: Naming | None = None,
    own: Mapping[ClusterRef, Bundle] | None = None,
    progress: Mapping[ClusterRef, Standing] | None = None,
) -> list[Reservation]:
    """What is reserved when a deployment (None: no one in particular) is planned.

    ``own`` are its bundles of today with their ``progress``: what it has is its own to keep, but it is not free either.
    """
    bundles = [(one.cluster, one.bundle) for one in promises(store, keys, fleet, besides=naming)]
    landed = _Landed(progress or {}, fleet)
    bundles += [(ref, one) for ref, one in (own or {}).items() if landed.is_missing(ref, one.digest)]
    pods: dict[str, tuple[PodDemand, ...]] = {}
    for _ref, one in bundles:
        if one.digest not in pods:
            pods[one.digest] = pods_of(one)
    return [Reservation(ref, pods[one.digest]) for ref, one in bundles if pods[one.digest]]


def pods_of(bundle: Bundle, app: str | None = None) -> tuple[PodDemand, ...]:
    """What the pods of a bundle (or of one app in it) ask for, hooks apart."""
    return pod_demands(json.loads(one.body) for one in bundle.kept() if app in (None, one.app))


class _Landed:
    """Which bundles the facts of their clusters show for certain."""

    def __init__(self, progress: Mapping[ClusterRef, Standing], fleet: Mapping[ClusterRef, Registered]) -> None:
        self._progress = progress
        self._fleet = fleet

    @property
    def everywhere(self) -> bool:
        return all(self._is_shown(ref, standing) for ref, standing in self._progress.items())

    def is_missing(self, ref: ClusterRef, digest: str) -> bool:
        """Whether a bundle is to be reserved; on a cluster whose nodes nobody has read there is nothing to reserve."""
        if ref not in self._fleet or self._fleet[ref].cluster.facts is None:
            return False
        standing = self._progress.get(ref)
        return standing is None or standing.bundle != digest or not self._is_shown(ref, standing)

    def _is_shown(self, ref: ClusterRef, standing: Standing) -> bool:
        facts = self._fleet[ref].cluster.facts if ref in self._fleet else None
        return standing.state == State.READY.value and facts is not None and facts.observed > standing.at
