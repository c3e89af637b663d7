# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: bringing bundles to many clusters, as the rollout says, each cluster on its own time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import AT_ONCE, Rollout, Unreachable
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._rollout.machine import REMEMBERED
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    Phase,
    begun,
    progress_document,
    resumed,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy
from ansible_collections.emco.edge.plugins.module_utils._rollout.timeline import timeline
from ansible_collections.emco.edge.plugins.module_utils._rollout.waves import apps_in_later_waves, compiled
from ansible_collections.emco.edge.plugins.module_utils._sync.board import Progress
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Event, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import flat
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import Dependencies, Hands, Reach, reach_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.helpers import Helpers, Kept
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Registered,
    note_silence,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing, empty_bundle
from ansible_collections.emco.edge.plugins.module_utils._verbs.roll_out import (
    RolloutResult,
    Stopped,
    Surroundings,
    Tasks,
    roll_out,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipment import (
    Shipment,
    Shipped,
    dependents_of,
    heritage_of,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.slots import Slots
from ansible_collections.emco.edge.plugins.module_utils._verbs.tables import cause, closing, counted
from ansible_collections.emco.edge.plugins.module_utils._verbs.tenancy import tenancy_of

_MARGIN = 60.0
_WORTH_HELPERS = 40
"""Clusters from which on more than one process is quicker than one."""


def how_to_roll_out(wanted: Deployment) -> Rollout:
    """The rollout that a task asks for. Without one nothing that fails keeps the other clusters waiting.

    Catching up is a rollout of its own, for clusters whose waves are long over: what has come back gets everything at
    once, what is still silent stays put off.
    """
    if not wanted.catch_up:
        return wanted.rollout or AT_ONCE
    asked = wanted.rollout or Rollout(unreachable=Unreachable("defer"))
    return replace(
        asked, waves=(), gate=None, pause_after=False, max_deferred=None, on_failure="continue", rollback_scope="all"
    )


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
        self._tenancy = tenancy_of(shipment.logical_cloud, shipment.naming.project, wanted.act_as, context)
        self._slots = Slots(wanted.parallel)
        self._arrived = {ref for ref, one in progress.items() if one.bundle and one.state == State.READY.value}
        self._silent: dict[ClusterRef, str] = {}
        """What was said by the network of clusters that gave no sign of life."""
        targets = shipment.targets()
        self._hands = Hands(
            context.keys(),  # opened before there are threads
            wanted.cluster_timeout or wanted.wait_timeout + _MARGIN,
            Dependencies(
                running=shipment.running(),
                within=tuple(str(ref) for ref in targets),
                known=_known(shipment, progress, set(targets)),
                needed=_needed(shipment),
                dependents=dependents_of(shipment),
                removing=shipment.removing,
            ),
            slot=self._slots.handed_over,
        )
        self._helpers = _helpers_for(shipment, context)
        self._kept: dict[int, Kept] = {}
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
        number, event = self._shipment.number, self._shipment.event
        left = self._revisions.rollout_of(number, event) if self._is_stored else None
        now = self._context.clock()
        start = begun(strategy, now) if left is None else resumed(strategy, left, now, released=self._wanted.resume)
        try:
            result = roll_out(
                strategy,
                start,
                Tasks(work=self._bring, probe=self._probe, prove=self._prove, roll_back=self._take_back),
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
            self._hands.close()
        return self._told(strategy, result)

    def _strategy(self) -> Strategy:
        clusters = [self._fleet[ref].cluster for ref in self._shipment.targets()]
        plan = compiled(how_to_roll_out(self._wanted), clusters, self._fleet.keys(), proves=self._soaks())
        for note in plan.notes:
            self._context.say(f"rollout: {note}")
        waits = apps_in_later_waves(plan.strategy, self._shipment.decisions, _needed_everywhere(self._shipment))
        if waits and not self._shipment.removing:
            raise EdgeError(
                "DependencyInLaterWave",
                f"the waves of the rollout do not fit the dependencies of {self._shipment.naming.readable}: "
                + "; ".join(waits)
                + ".",
                hint="Put clusters that run what others need into earlier waves, or the dependency has scope: cluster.",
                details={"waits": list(waits)},
            )
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
        happened = tuple(timeline(strategy, result.progress)) if len(strategy.waves) > 1 else ()
        if happened and self._is_stored:
            number, event = self._shipment.number, self._shipment.event
            self._revisions.note_rollout(number, event, progress_document(result.progress), happened)
        phases = {ref: result.progress.clusters[ref].phase for ref in result.outcomes}
        return Shipped(
            outcomes=outcomes,
            ending=result.progress.ending.value if result.progress.ending else "Interrupted",
            timeline=happened,
            taken_back=frozenset(ref for ref, phase in phases.items() if phase is Phase.BACKED_OUT),
        )

    def _with_cause(self, ref: ClusterRef, one: Outcome) -> Outcome:
        """The outcome, of a cluster that gave no sign of life with what the network said about it."""
        words = self._silent.get(ref, "")
        if not words or words in one.message or one.state not in (State.UNREACHABLE, State.DEFERRED):
            return one
        return replace(one, message=f"{one.message}: {cause(words, one.cluster)}")

    def _persist(self, document: Mapping[str, object]) -> None:
        if self._is_stored:
            self._revisions.note_rollout(self._shipment.number, self._shipment.event, document)

    @property
    def _is_stored(self) -> bool:
        """Whether a killed run is taken up again; one that catches up begins anew and leaves a paused rollout alone."""
        return not self._context.check and not self._wanted.catch_up

    # what is done to one cluster; all in threads

    def _probe(self, ref: ClusterRef) -> bool:
        # Whom this run has just asked for its record is not asked again at once.
        at, words = self._context.signs_of_life.pop(str(ref), (float("-inf"), ""))
        if self._context.clock() - at > REMEMBERED:
            words = str(self._do(Hands.probe, ref, self._reach(ref)))
        if words:
            self._silent[ref] = words
            if self._shipment.removing:
                # Others do not wait for what nobody can take away now.
                for app, there in self._shipment.running().items():
                    if str(ref) in there:
                        self._hands.board.tell(app, str(ref), Progress.READY)
        return not words

    def _bring(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        source = self._shipment.source
        if source is not None and source.first and ref in source.bundles and not self._context.check:
            gone = self._cleared(ref, source.bundles[ref] or empty_bundle(source.naming), stopped)
            if gone.state is not State.REMOVED:
                return gone
        if ref in self._shipment.bundles:
            options = self._parting_from(self._shipment.before.get(ref), self._shipment.bundles[ref], self._options)
            outcome = self._synced(ref, self._shipment.bundles[ref], options, stopped)
            return _rebuilt(outcome) if outcome.fresh and ref in self._arrived else outcome
        return self._cleared(ref, self._shipment.leaving[ref], stopped)

    def _prove(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        """Look once more after the soak, changing nothing; what was cleared stays so."""
        if ref not in self._shipment.bundles:
            return Outcome(str(ref), State.REMOVED)
        return self._synced(ref, self._shipment.bundles[ref], replace(self._options, drift="report"), stopped)

    def _take_back(self, ref: ClusterRef, stopped: Stopped) -> Outcome:
        old = self._shipment.before.get(ref)
        if old is None and self._shipment.source is not None and ref in self._shipment.source.bundles:
            given_back = self._given_back(ref, self._shipment.source.bundles[ref], stopped)
            if given_back is not None:
                return given_back
        if old is None:
            return self._cleared(ref, self._shipment.bundles.get(ref), stopped)
        back = replace(self._options, event="rollback", allow_deletions=True)
        back = self._parting_from(self._shipment.bundles.get(ref), old, back)
        return self._synced(ref, old, back, stopped)

    def _given_back(self, ref: ClusterRef, former: Bundle | None, stopped: Stopped) -> Outcome | None:
        """Give what was taken over back to the deployment that had it; an outcome when that was not to be."""
        naming = self._shipment.naming
        if former is None:
            words = f"what {naming.readable} took over cannot be given back: nobody knows what was there"
            return Outcome(str(ref), State.FAILED, "UnknownRevision", words)
        options = replace(self._options, event="rollback", allow_deletions=True, heritage=heritage_of(naming))
        outcome = self._synced(ref, former, options, stopped)
        return None if outcome.state is State.READY else outcome

    @staticmethod
    def _parting_from(former: Bundle | None, bundle: Bundle, options: SyncOptions) -> SyncOptions:
        parting = former.parting(bundle) if former is not None else None
        return options if parting is None else replace(options, parting=parting)

    def _synced(self, ref: ClusterRef, bundle: Bundle, options: SyncOptions, stopped: Stopped) -> Outcome:
        return self._worked(Hands.sync, ref, bundle, options, stopped)

    def _cleared(self, ref: ClusterRef, bundle: Bundle | None, stopped: Stopped) -> Outcome:
        # Leaving a cluster is what the plan says, so the guard against deletions by mistake has been passed.
        heir = self._shipment.heirs.get(ref)
        spared = frozenset(one.identity for one in heir.objects) if heir is not None else frozenset()
        options = replace(self._options, event="delete", allow_deletions=True, spared=spared)
        return self._worked(Hands.clear, ref, bundle or self._nothing, options, stopped)

    def _worked(
        self, work: Callable[..., Outcome], ref: ClusterRef, bundle: Bundle, options: SyncOptions, stopped: Stopped
    ) -> Outcome:
        try:
            reach = self._reach(ref)
        except EdgeError as error:
            return Outcome(str(ref), State.FAILED, error.reason, error.message, error.hint)
        outcome: Outcome = self._do(work, ref, reach, bundle, options, stopped=stopped)
        return outcome

    def _do(self, work: Callable[..., Any], ref: ClusterRef, *arguments: Any, stopped: Stopped = lambda: False) -> Any:
        """Do it here, or in the helper process that has this cluster; bundles travel once."""
        if not self._helpers:
            return work(self._hands, *arguments, stopped)
        kept = [self._kept_of(one) if isinstance(one, Bundle) else one for one in arguments]
        return self._helpers.call(ref, work, self._kept_of(self._hands), *kept, stopped=stopped)

    def _kept_of(self, value: object) -> Kept:
        # By identity: many clusters share a bundle, and all of them outlive this.
        return self._kept.setdefault(id(value), Kept(value))

    @cached_property
    def _nothing(self) -> Bundle:
        return empty_bundle(self._shipment.naming)

    def _reach(self, ref: ClusterRef) -> Reach:
        reach = reach_of(self._fleet[ref], self._context)
        if self._tenancy is None:
            return reach
        return replace(reach, acting=self._tenancy.acting(self._fleet[ref], reach.connection, reach.base_dir))

    def _remember_silence(self, found: Mapping[ClusterRef, Outcome]) -> None:
        if self._context.check:
            return
        silent = [ref for ref, one in found.items() if one.state in (State.UNREACHABLE, State.DEFERRED)]
        answering = [ref for ref, one in found.items() if one.state in (State.READY, State.REMOVED, State.PROGRESSING)]
        note_silence(self._context.store(), silent, answering, self._context.clock())


def _helpers_for(shipment: Shipment, context: Context) -> Helpers | None:
    """The helper processes, where there is enough to do for them and no cluster waits for another one."""
    if len(shipment.targets()) < _WORTH_HELPERS or not len(context.helpers):
        return None
    if shipment.removing and dependents_of(shipment):
        return None
    alone = all(
        need.scope == "cluster" and need.on in bundle.apps
        for bundle in {id(one): one for one in shipment.bundles.values()}.values()
        for needs in bundle.dependencies.values()
        for need in needs
    )
    return context.helpers if alone else None


def _needed_everywhere(shipment: Shipment) -> dict[str, set[str]]:
    """By app the apps that it needs on all of their clusters, not only on its own."""
    found: dict[str, set[str]] = {}
    for bundle in {id(one): one for one in shipment.bundles.values()}.values():
        for app, needs in bundle.dependencies.items():
            if app in bundle.apps:
                away = {need.on for need in needs if need.scope != "cluster" or need.on not in bundle.apps}
                found.setdefault(app, set()).update(away)
    return found


def _needed(shipment: Shipment) -> frozenset[str]:
    """The apps that others wait for until they are ready."""
    dependencies = [needs for bundle in shipment.bundles.values() for needs in bundle.dependencies.values()]
    return frozenset(need.on for needs in dependencies for need in needs if need.status == "ready")


def _rebuilt(outcome: Outcome) -> Outcome:
    """The outcome of a cluster that had the deployment and knew nothing of it any more."""
    words = "it had nothing of this any more (built anew, or wiped), and all of it was brought again"
    if outcome.state is not State.READY:
        return replace(outcome, warnings=(*outcome.warnings, words))
    return replace(outcome, reason="ClusterRebuilt", message=words)


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
