# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: revisions and progress in the store.

``revisions/<project>/<name>/<number>`` says what a revision is, its blob holds bundles and decisions, their bodies are
blobs of their own, once each however many clusters share them. ``progress/<project>/<name>`` says what is where.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming, bundle_document, bundle_of
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import (
    Event,
    Plan,
    Revision,
    RevisionState,
    decisions_document,
    decisions_of,
    revision_document,
    revision_of,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import Ending, progress_of
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import Progress as Rolling
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import SealedBlobs


@dataclass(frozen=True)
class Standing:
    """What of a deployment is on one cluster, as far as the store knows."""

    revision: int
    bundle: str
    state: str
    reason: str = ""
    message: str = ""
    at: float = 0.0


class Revisions:
    """The revisions of one deployment."""

    def __init__(self, naming: Naming, store: Store, keys: Keys) -> None:
        self._naming = naming
        self._store = store
        self._keys = keys
        self._blobs = SealedBlobs(store, keys)
        self._prefix: Key = ("revisions", *naming.place)

    def all(self) -> list[Revision]:
        """All of them, oldest first."""
        return [revision_of(entry.value) for entry in self._store.list(self._prefix)]

    def find(self, number: int) -> Revision:
        """One of them; ``UnknownRevision`` names those there are."""
        known = self.all()
        for one in known:
            if one.number == number:
                return one
        numbers = ", ".join(str(one.number) for one in known) or "none"
        raise EdgeError(
            "UnknownRevision", f"{self._naming.readable} has no revision {number}.", hint=f"It has {numbers}."
        )

    def keep(self, plan: Plan, *, number: int, state: RevisionState, **told: Any) -> Revision:
        """Store a plan under a new number: bodies first, then the content, then the revision that names them."""
        bundles = {one.digest: one for one in plan.bundles.values()}
        self._blobs.keep({each.digest: each.body for one in bundles.values() for each in one.objects})
        content = json.dumps(
            {
                "bundles": {digest: bundle_document(one) for digest, one in sorted(bundles.items())},
                "clusters": {str(ref): one.digest for ref, one in sorted(plan.bundles.items())},
                "decisions": decisions_document(plan.decisions),
                "renderings": sorted(plan.renderings),
            }
        ).encode()
        name = self._keys.digest(content)
        self._blobs.keep({name: content})
        revision = Revision(
            number=number,
            state=state,
            plan_digest=plan.digest(self._keys.digest),
            content=name,
            inputs=plan.inputs,
            **told,
        )
        revision = replace(revision, events=(Event(state, revision.created, revision.owner, revision.comment),))
        self._store.put(self._key(number), revision_document(revision), expect=0)
        return revision

    def turn(self, revision: Revision, state: RevisionState, context: Context, comment: str = "") -> Revision:
        """Store a revision's new state with who brought it there; nothing is written when it has it already."""
        turned = revision.turned(state, at=context.clock(), by=context.owner, comment=comment)
        if turned is not revision:
            self._store.put(self._key(revision.number), revision_document(turned))
        return turned

    def forget(self, revision: Revision) -> None:
        """Drop a revision from the history."""
        self._store.delete(self._key(revision.number))

    def plan_of(self, revision: Revision, *, bodies: bool = True) -> Plan:
        """The plan of a stored revision; without ``bodies`` its objects are empty, which is enough to compare it."""
        content = self._content(revision)
        return Plan(
            decisions=decisions_of(content["decisions"]),
            bundles=self._bundles(content, content["clusters"], bodies=bodies),
            inputs=revision.inputs,
            renderings=frozenset(content.get("renderings", ())),
        )

    def bundles_of(self, revision: Revision, wanted: Callable[[ClusterRef, str], bool]) -> dict[ClusterRef, Bundle]:
        """The bundles of a stored revision for the clusters that are wanted (by cluster and digest of the bundle)."""
        content = self._content(revision)
        found = [ref for ref, digest in content["clusters"].items() if wanted(ClusterRef.parse(ref), digest)]
        return self._bundles(content, found, bodies=True)

    def _content(self, revision: Revision) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._blobs.get([revision.content])[revision.content])
        return content

    def _bundles(
        self, content: Mapping[str, Any], clusters: Iterable[str], *, bodies: bool
    ) -> dict[ClusterRef, Bundle]:
        where = {ref: content["clusters"][ref] for ref in clusters}
        documents = {digest: content["bundles"][digest] for digest in where.values()}
        digests = {row[5] for one in documents.values() for row in one["objects"]}
        found = self._blobs.get(digests) if bodies else dict.fromkeys(digests, b"")
        bundles = {digest: bundle_of(document, self._naming, found) for digest, document in documents.items()}
        return {ClusterRef.parse(ref): bundles[digest] for ref, digest in where.items()}

    def _key(self, number: int) -> Key:
        return (*self._prefix, f"{number:06d}")

    # rollout

    def rollout_of(self, number: int, event: str) -> Rolling | None:
        """The rollout of a revision that was left unfinished: killed, interrupted or paused.

        ``event``: a removal does not go on where bringing the same revision ended, nor the other way round.
        """
        entry = self._store.get(self._rollout_key())
        if entry is None or (entry.value["revision"], entry.value.get("event", event)) != (number, event):
            return None
        found = progress_of(entry.value["progress"])
        return found if found.ending in (None, Ending.INTERRUPTED, Ending.PAUSED) else None

    def note_rollout(
        self, number: int, event: str, document: Mapping[str, Any], timeline: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Store how far the rollout of a revision is, and at the end of a run what happened when."""
        told = {"revision": number, "event": event, "progress": dict(document)}
        self._store.put(self._rollout_key(), {**told, "timeline": list(timeline)} if timeline else told)

    def told_rollout(self) -> dict[str, Any] | None:
        """The newest rollout that had several waves, for people."""
        entry = self._store.get(self._rollout_key())
        if entry is None or not entry.value.get("timeline"):
            return None
        ending = entry.value["progress"].get("ending")
        return {"revision": entry.value["revision"], "ending": ending, "timeline": entry.value["timeline"]}

    def last_rollout(self) -> tuple[int, Rolling] | None:
        """The newest rollout, with the revision that it brought."""
        entry = self._store.get(self._rollout_key())
        return (int(entry.value["revision"]), progress_of(entry.value["progress"])) if entry is not None else None

    def _rollout_key(self) -> Key:
        return ("rollouts", *self._naming.place)

    # progress

    def progress(self) -> dict[ClusterRef, Standing]:
        """What is on which cluster."""
        entry = self._store.get(self._progress_key())
        clusters: Mapping[str, Any] = entry.value["clusters"] if entry is not None else {}
        return {ClusterRef.parse(ref): Standing(**told) for ref, told in clusters.items()}

    def note(self, standings: Mapping[ClusterRef, Standing], *, gone: Iterable[ClusterRef] = ()) -> None:
        """Store what has changed of the progress, in one write; none when nothing has."""
        entry = self._store.get(self._progress_key())
        clusters = dict(entry.value["clusters"]) if entry is not None else {}
        before = dict(clusters)
        for ref, standing in standings.items():
            told, known = standing.__dict__, clusters.get(str(ref))
            # When it was last confirmed is not news.
            if known is None or {**known, "at": 0} != {**told, "at": 0}:
                clusters[str(ref)] = dict(told)
        for ref in gone:
            clusters.pop(str(ref), None)
        if clusters != before:
            self._store.put(self._progress_key(), {"clusters": clusters})

    def _progress_key(self) -> Key:
        return ("progress", *self._naming.place)


def newest(store: Store) -> dict[Naming, Revision]:
    """The newest revision of every deployment that has one which was not taken back."""
    found = {}
    for entry in store.list(("revisions",)):
        if entry.value["state"] != RevisionState.ROLLED_BACK.value:
            found[Naming(entry.key[1], entry.key[2])] = revision_of(entry.value)
    return found


def empty_bundle(naming: Naming, namespaces: frozenset[str] | None = None) -> Bundle:
    """The bundle of a cluster that runs nothing of a deployment any more."""
    return Bundle(
        deployment=naming.readable, label=naming.label, manager=naming.manager, digest="", namespaces=namespaces
    )
