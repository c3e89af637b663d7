# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: bringing bundles to many clusters at once, each on its own time."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import cast

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Decisions
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard, Progress
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Event, Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._sync.removal import remove_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Registered,
    connection_of,
    note_silence,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Standing, empty_bundle
from ansible_collections.emco.edge.plugins.module_utils._verbs.tables import closing

_QUIET = 5.0
_MARGIN = 60.0


@dataclass(frozen=True)
class Shipment:
    """What goes to which cluster. ``leaving``: clusters to be cleared, with the bundle that is there if known."""

    naming: Naming
    number: int
    bundles: Mapping[ClusterRef, Bundle]
    leaving: Mapping[ClusterRef, Bundle | None]
    decisions: Decisions
    only: frozenset[ClusterRef] | None
    event: str

    def targets(self) -> tuple[ClusterRef, ...]:
        """The clusters that this run may touch, by name."""
        everything = {*self.bundles, *self.leaving}
        return tuple(sorted(ref for ref in everything if self.only is None or ref in self.only))

    def digest(self, ref: ClusterRef) -> str:
        """The digest of the bundle for a cluster, empty for one that is cleared."""
        return self.bundles[ref].digest if ref in self.bundles else ""


def ship(
    shipment: Shipment,
    wanted: Deployment,
    fleet: Mapping[ClusterRef, Registered],
    context: Context,
    progress: Mapping[ClusterRef, Standing],
) -> dict[ClusterRef, Outcome]:
    """Sync or clear every target, at most ``parallel`` at once; one outcome each, whatever happens."""
    return _Fleet(shipment, wanted, fleet, context, progress).shipped()


class _Fleet:
    def __init__(
        self,
        shipment: Shipment,
        wanted: Deployment,
        fleet: Mapping[ClusterRef, Registered],
        context: Context,
        progress: Mapping[ClusterRef, Standing],
    ) -> None:
        self._shipment = shipment
        self._wanted = wanted
        self._fleet = fleet
        self._context = context
        targets = shipment.targets()
        self._board = DependencyBoard(
            {app: [str(ref) for ref in chosen] for app, chosen in shipment.decisions.items()},
            within=[str(ref) for ref in targets],
            known=_known(shipment, progress, set(targets)),
            needed=_needed(shipment),
        )
        self._options = SyncOptions(
            conflicts=wanted.conflicts,
            adopt=wanted.adopt,
            on_immutable=wanted.on_immutable,
            deletion_guard=wanted.deletion_guard,
            allow_deletions=wanted.allow_deletions,
            drift=wanted.drift,
            wait=wanted.wait,
            wait_timeout=wanted.wait_timeout,
            check=context.check,
            diff=context.diff,
            event=cast(Event, shipment.event),
            revision=shipment.number,
        )

    def shipped(self) -> dict[ClusterRef, Outcome]:
        targets = self._shipment.targets()
        if not targets:
            return {}
        found: dict[ClusterRef, Outcome] = {}
        with ThreadPoolExecutor(min(self._wanted.parallel, len(targets)), thread_name_prefix="cluster") as pool:
            running: dict[Future[Outcome], ClusterRef] = {pool.submit(self._one, ref): ref for ref in targets}
            while running:
                done, _ = wait(running, timeout=_QUIET, return_when="FIRST_COMPLETED")
                for future in done:
                    ref = running.pop(future)
                    found[ref] = future.result()
                    self._context.say(line(found[ref]))
                if not done:
                    self._context.say(f"{len(found)} of {len(targets)} clusters done, {_waited(running.values())}")
        self._remember_silence(found)
        for text in closing(self._shipment.naming.readable, found, self._shipment.decisions):
            self._context.say(text)
        return found

    def _one(self, ref: ClusterRef) -> Outcome:
        name = str(ref)
        if self._context.stopping.is_set():
            return Outcome(name, State.PENDING, "Stopped", "the run was stopped before this cluster began")
        try:
            connection, base_dir = connection_of(self._fleet[ref], self._context)
            seconds = self._wanted.cluster_timeout or self._wanted.wait_timeout + _MARGIN
            client = self._context.connect(name, connection, base_dir=base_dir, budget=Budget.of(seconds))
        except EdgeError as error:
            return Outcome(name, State.FAILED, error.reason, error.message, error.hint)
        around = Surroundings(stopped=self._context.stopping.is_set)
        try:
            if ref in self._shipment.bundles:
                return sync_cluster(
                    client,
                    self._shipment.bundles[ref],
                    self._options,
                    self._context.keys(),
                    board=self._board,
                    around=around,
                )
            old = self._shipment.leaving[ref] or empty_bundle(self._shipment.naming)
            # Leaving a cluster is what the plan says, so the guard against deletions by mistake has been passed.
            options = replace(self._options, event="delete", allow_deletions=True)
            return remove_cluster(client, old, options, self._context.keys(), around=around)
        finally:
            client.close()

    def _remember_silence(self, found: Mapping[ClusterRef, Outcome]) -> None:
        if self._context.check:
            return
        silent = [ref for ref, one in found.items() if one.state is State.UNREACHABLE]
        answering = [ref for ref, one in found.items() if one.state is not State.UNREACHABLE]
        note_silence(self._context.store(), silent, answering, self._context.clock())


def _needed(shipment: Shipment) -> set[str]:
    """The apps that others need to be ready, wherever these run."""
    needs = (need for one in shipment.bundles.values() for each in one.dependencies.values() for need in each)
    return {need.on for need in needs if need.status == "ready"}


def _known(
    shipment: Shipment, progress: Mapping[ClusterRef, Standing], targets: set[ClusterRef]
) -> dict[tuple[str, str], Progress]:
    """What runs outside this run's limit and has the bundle that it should have."""
    return {
        (app, str(ref)): Progress.READY
        for app, chosen in shipment.decisions.items()
        for ref in chosen
        if ref not in targets
        and ref in progress
        and progress[ref].bundle == shipment.digest(ref)
        and progress[ref].state == State.READY.value
    }


def _waited(refs: object) -> str:
    names = sorted(str(ref) for ref in cast("list[ClusterRef]", refs))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"waiting for {', '.join(names[:3])}{more}"


def line(one: Outcome) -> str:
    """One cluster on one line, for the person at the screen."""
    counts = f"{one.applied} applied, {one.unchanged} unchanged, {one.deleted} deleted"
    words = f"  {one.reason}: {one.message}" if one.reason else ""
    return f"{one.cluster:<24} {one.state.value:<12} {counts}  {one.seconds:.1f} s{words}"
