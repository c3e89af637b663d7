# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: bringing bundles to many clusters, as the rollout says, each cluster on its own time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import cast

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import ENDLESS, Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.probe import silence
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Rollout
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import Phase, begun, resumed
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy
from ansible_collections.emco.edge.plugins.module_utils._rollout.timeline import timeline
from ansible_collections.emco.edge.plugins.module_utils._rollout.waves import compiled
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard, Progress
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Event, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings as SyncSurroundings
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._sync.removal import remove_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import flat
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Registered,
    connection_of,
    note_silence,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing, empty_bundle
from ansible_collections.emco.edge.plugins.module_utils._verbs.roll_out import (
    RolloutResult,
    Stopped,
    Surroundings,
    Tasks,
    Work,
    roll_out,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipment import (
    Shipment,
    Shipped,
    dependents_of,
    heritage_of,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.slots import Slots
from ansible_collections.emco.edge.plugins.module_utils._verbs.tables import closing, counted

_MARGIN = 60.0


def how_to_roll_out(wanted: Deployment) -> Rollout:
    """The rollout that a task asks for. Without one nothing that fails keeps the other clusters waiting."""
    return wanted.rollout or Rollout(on_failure="continue")


def ship(
    shipment: Shipment,
    wanted: Deployment,
    fleet: Mapping[ClusterRef, Registered],
    context: Context,
    revisions: Revisions,
    progress: Mapping[ClusterRef, Standing],
) -> Shipped:
    """Sync or clear every target as the rollout says; one outcome each, whatever happens."""
    if not shipment.targets():
        return Shipped({})
    return _Fleet(shipment, wanted, fleet, context, revisions, progress).shipped()


class _Fleet:
    def __init__(
        self,
        shipment: Shipment,
        wanted: Deployment,
        fleet: Mapping[ClusterRef, Registered],
        context: Context,
        revisions: Revisions,
        progress: Mapping[ClusterRef, Standing],
    ) -> None:
        self._shipment = shipment
        self._wanted = wanted
        self._fleet = fleet
        self._context = context
        self._revisions = revisions
        self._clients: dict[ClusterRef, ClusterClient] = {}
        self._keys = context.keys()  # opened before there are threads
        self._slots = Slots(wanted.parallel)
        self._silent: dict[ClusterRef, str] = {}
        """What was said by the network of clusters that gave no sign of life."""
        targets = shipment.targets()
        self._board = DependencyBoard(
            shipment.running(),
            within=[str(ref) for ref in targets],
            known=_known(shipment, progress, set(targets)),
            needed=_needed(shipment),
            slot=self._slots.handed_over,
        )
        self._dependents = dependents_of(shipment)
        self._options = SyncOptions(
            conflicts=wanted.conflicts,
            adopt=wanted.adopt,
            on_immutable=wanted.on_immutable,
            deletion_guard=wanted.deletion_guard,
            allow_deletions=wanted.allow_deletions,
            drift=wanted.drift,
            ignore_fields=flat(wanted.ignore_fields),
            wait=wanted.wait,
            wait_timeout=wanted.wait_timeout,
            check=context.check,
            diff=context.diff,
            event=cast(Event, shipment.event),
            revision=shipment.number,
            keep=wanted.keep,
            heritage=heritage_of(shipment.source.naming) if shipment.source is not None else None,
        )

    def shipped(self) -> Shipped:
        strategy = self._strategy()
        left = None if self._context.check else self._revisions.rollout_of(self._shipment.number, self._shipment.event)
        now = self._context.clock()
        start = begun(strategy, now) if left is None else resumed(strategy, left, now, released=self._wanted.resume)
        try:
            result = roll_out(
                strategy,
                start,
                Tasks(
                    work=self._then_gone(self._bring),
                    probe=self._probe,
                    prove=self._then_gone(self._prove),
                    roll_back=self._then_gone(self._take_back),
                ),
                Surroundings(
                    persist=self._persist,
                    stopping=self._context.stopping,
                    said=self._context.say,
                    seen=lambda outcome: self._context.say(line(outcome, check=self._context.check)),
                    clock=self._context.clock,
                ),
                slots=self._slots,
                waits=self._wanted.wait and not self._context.check,  # a dry run has nothing to wait for
            )
        finally:
            for ref in list(self._clients):
                self._let_go(ref)
        return self._told(strategy, result)

    def _strategy(self) -> Strategy:
        clusters = [self._fleet[ref].cluster for ref in self._shipment.targets()]
        plan = compiled(how_to_roll_out(self._wanted), clusters, self._fleet.keys(), proves=self._soaks())
        for note in plan.notes:
            self._context.say(f"rollout: {note}")
        return plan.strategy

    def _soaks(self) -> bool:
        rollout = how_to_roll_out(self._wanted)
        return bool(rollout.soak or any(wave.soak for wave in rollout.waves))

    def _told(self, strategy: Strategy, result: RolloutResult) -> Shipped:
        self._remember_silence(result.outcomes)
        outcomes = {ref: self._with_cause(ref, one) for ref, one in result.outcomes.items()}
        told = closing(self._shipment.naming.readable, outcomes, self._shipment.decisions, check=self._context.check)
        for text in told:
            self._context.say(text)
        phases = {ref: result.progress.clusters[ref].phase for ref in result.outcomes}
        return Shipped(
            outcomes=outcomes,
            ending=result.progress.ending.value if result.progress.ending else "Interrupted",
            timeline=tuple(timeline(strategy, result.progress)) if len(strategy.waves) > 1 else (),
            taken_back=frozenset(ref for ref, phase in phases.items() if phase is Phase.BACKED_OUT),
        )

    def _with_cause(self, ref: ClusterRef, one: Outcome) -> Outcome:
        """The outcome, of a cluster that gave no sign of life with what the network said about it."""
        words = self._silent.get(ref, "")
        if not words or words in one.message or one.state not in (State.UNREACHABLE, State.DEFERRED):
            return one
        return dataclasses.replace(one, message=f"{one.message}: {words}")

    def _persist(self, document: Mapping[str, object]) -> None:
        if not self._context.check:
            self._revisions.note_rollout(self._shipment.number, self._shipment.event, document)

    # what is done to one cluster; all in threads

    def _probe(self, ref: ClusterRef) -> bool:
        words = silence(self._client(ref, ENDLESS).transport)
        if words:
            self._silent[ref] = words
            if self._shipment.removing:
                # Others do not wait for what nobody can take away now.
                for app, there in self._shipment.running().items():
                    if str(ref) in there:
                        self._board.tell(app, str(ref), Progress.READY)
        return not words

    def _then_gone(self, work: Work) -> Work:
        """``work`` on a cluster, whose connections are closed after it."""

        def done(ref: ClusterRef, stopped: Stopped) -> Outcome:
            try:
                return work(ref, stopped)
            finally:
                self._let_go(ref)

        return done

    def _let_go(self, ref: ClusterRef) -> None:
        client = self._clients.pop(ref, None)
        if client is not None:
            self._context.disconnect(client)

    def _bring(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        source = self._shipment.source
        if source is not None and source.first and ref in source.bundles and not self._context.check:
            gone = self._cleared(ref, source.bundles[ref] or empty_bundle(source.naming), stopped)
            if gone.state is not State.REMOVED:
                return gone
        if ref in self._shipment.bundles:
            return self._synced(ref, self._shipment.bundles[ref], self._options, stopped)
        return self._cleared(ref, self._shipment.leaving[ref], stopped)

    def _prove(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        """Look once more after the soak, changing nothing."""
        return self._synced(
            ref, self._shipment.bundles[ref], dataclasses.replace(self._options, drift="report"), stopped
        )

    def _take_back(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        old = self._shipment.before.get(ref)
        if old is None and self._shipment.source is not None and ref in self._shipment.source.bundles:
            given_back = self._given_back(ref, self._shipment.source.bundles[ref], stopped)
            if given_back is not None:
                return given_back
        if old is None:
            return self._cleared(ref, self._shipment.bundles.get(ref), stopped)
        back = dataclasses.replace(self._options, event="rollback", allow_deletions=True)
        return self._synced(ref, old, back, stopped)

    def _given_back(self, ref: ClusterRef, former: Bundle | None, stopped: Stopped) -> Outcome | None:
        """Give what was taken over back to the deployment that had it; an outcome when that was not to be."""
        naming = self._shipment.naming
        if former is None:
            words = f"what {naming.readable} took over cannot be given back: nobody knows what was there"
            return Outcome(str(ref), State.FAILED, "UnknownRevision", words)
        options = dataclasses.replace(
            self._options, event="rollback", allow_deletions=True, heritage=heritage_of(naming)
        )
        outcome = self._synced(ref, former, options, stopped)
        return None if outcome.state is State.READY else outcome

    def _synced(self, ref: ClusterRef, bundle: Bundle, options: SyncOptions, stopped: Stopped) -> Outcome:
        client = self._reached(ref)
        if isinstance(client, Outcome):
            return client
        around = SyncSurroundings(stopped=stopped)
        return sync_cluster(client, bundle, options, self._keys, board=self._board, around=around)

    def _cleared(self, ref: ClusterRef, bundle: Bundle | None, stopped: Stopped) -> Outcome:
        client = self._reached(ref)
        if isinstance(client, Outcome):
            return client
        # Leaving a cluster is what the plan says, so the guard against deletions by mistake has been passed.
        heir = self._shipment.heirs.get(ref)
        spared = frozenset(one.identity for one in heir.objects) if heir is not None else frozenset()
        options = dataclasses.replace(self._options, event="delete", allow_deletions=True, spared=spared)
        there = bundle or empty_bundle(self._shipment.naming)
        around = SyncSurroundings(stopped=stopped)
        board = self._board if self._shipment.removing else None
        return remove_cluster(
            client, there, options, self._keys, board=board, dependents=self._dependents, around=around
        )

    def _reached(self, ref: ClusterRef) -> ClusterClient | Outcome:
        seconds = self._wanted.cluster_timeout or self._wanted.wait_timeout + _MARGIN
        try:
            return self._client(ref, Budget.of(seconds))
        except EdgeError as error:
            return Outcome(str(ref), State.FAILED, error.reason, error.message, error.hint)

    def _client(self, ref: ClusterRef, budget: Budget) -> ClusterClient:
        """The cluster's client; its time runs from when work on it begins, not from the sign of life."""
        client = self._clients.get(ref)
        if client is None:
            connection, base_dir = connection_of(self._fleet[ref], self._context)
            client = self._context.connect(str(ref), connection, base_dir=base_dir)
            self._clients[ref] = client
        client.transport.budget = budget
        return client

    def _remember_silence(self, found: Mapping[ClusterRef, Outcome]) -> None:
        if self._context.check:
            return
        silent = [ref for ref, one in found.items() if one.state in (State.UNREACHABLE, State.DEFERRED)]
        answering = [ref for ref, one in found.items() if one.state in (State.READY, State.REMOVED, State.PROGRESSING)]
        note_silence(self._context.store(), silent, answering, self._context.clock())


def _needed(shipment: Shipment) -> set[str]:
    """The apps that others wait for until they are ready."""
    dependencies = [needs for bundle in shipment.bundles.values() for needs in bundle.dependencies.values()]
    return {need.on for needs in dependencies for need in needs if need.status == "ready"}


def _known(
    shipment: Shipment, progress: Mapping[ClusterRef, Standing], targets: set[ClusterRef]
) -> dict[tuple[str, str], Progress]:
    """What runs outside this run's limit and has the bundle that it should have."""
    if shipment.removing:
        return {}
    return {
        (app, str(ref)): Progress.READY
        for app, chosen in shipment.decisions.items()
        for ref in chosen
        if ref not in targets
        and ref in progress
        and progress[ref].bundle == shipment.digest(ref)
        and progress[ref].state == State.READY.value
    }


def line(one: Outcome, *, check: bool = False) -> str:
    """One cluster on one line, for the person at the screen."""
    counts = counted(one.applied, one.unchanged, one.deleted, check=check)
    words = f"  {one.reason}: {one.message}" if one.reason else ""
    return f"{one.cluster:<24} {one.state.value:<12} {counts}  {one.seconds:.1f} s{words}"
