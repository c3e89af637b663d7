# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: making one cluster equal to its bundle.

The order is what makes it safe: look, refuse, record what may come to be, send and wait stage by stage, delete what is
no longer wanted, record what is. A run that ends anywhere in between is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync import live, records
from ansible_collections.emco.edge.plugins.module_utils._sync.apply import send_all
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard, Progress
from ansible_collections.emco.edge.plugins.module_utils._sync.check import checked, say_what_stays
from ansible_collections.emco.edge.plugins.module_utils._sync.decide import (
    Seen,
    Work,
    guard,
    refuse_strangers,
    work_for,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.hooks import run_hooks
from ansible_collections.emco.edge.plugins.module_utils._sync.lanes import Lanes
from ansible_collections.emco.edge.plugins.module_utils._sync.occasion import REMOVAL, occasion_of, parting_of
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_foundation, levels, of_apps
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action, Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._sync.prune import delete_all
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Keys, read_record
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.tenant import refuse_overstepping
from ansible_collections.emco.edge.plugins.module_utils._sync.waiting import await_ready, not_ready


def sync_cluster(
    client: ClusterClient,
    bundle: Bundle,
    options: SyncOptions,
    keys: Keys,
    *,
    board: DependencyBoard | None = None,
    around: Surroundings | None = None,
) -> Outcome:
    """Make the cluster equal to its bundle and say what came of it.

    Never raises EdgeError: a cluster that does not answer is ``Unreachable``, one that refuses is ``Failed``. The name
    of the cluster on the board and in the outcome is ``client.name``. ``board``: None when no app depends on another.
    """

    def work(session: Session) -> Outcome:
        found, seen = look(session)
        if options.check:
            return checked(session, found, seen)
        return _Sync(session, board).run(found)

    outcome = in_session(client, bundle, options, keys, around, work)
    if board is not None and outcome.state is not State.READY and not options.check:
        for app in bundle.apps:
            board.tell(app, client.name, Progress.FAILED)
    return outcome


def in_session(
    client: ClusterClient,
    bundle: Bundle,
    options: SyncOptions,
    keys: Keys,
    around: Surroundings | None,
    work: Callable[[Session], Outcome],
) -> Outcome:
    """What ``work`` makes of a cluster, an error as the outcome that it is, with requests and time."""
    around = around or Surroundings()
    started, requests, writes = around.clock(), client.requests, client.writes
    with Lanes() as lanes:
        session = Session(client, bundle, options, keys, around, lanes)
        try:
            outcome = work(session)
        except EdgeError as error:
            outcome = session.failure(session.silent or error)
    return replace(
        outcome,
        requests=client.requests - requests,
        writes=client.writes - writes,
        seconds=around.clock() - started,
        dry=options.check,
    )


def look(session: Session) -> tuple[Work, Seen]:
    """What has to be done, after everything that forbids it was raised: strangers, too many deletions."""
    session.learn_kinds()
    bundle = session.bundle
    record = session.record = read_record(session.client, bundle.label, session.keys)
    session.fresh = record is None
    known = record.by_identity() if record else {}
    recorded = live.versions_of(known.values())
    here = live.versions_of(bundle.objects)
    labelled = live.labelled(session.client, session.lanes, bundle.label, {**recorded, **here}) if record else {}
    unknown = {one: version for one, version in here.items() if one not in known and one not in labelled}
    seen = Seen(labelled, live.existing(session.client, session.lanes, unknown))
    session.live.update(labelled)
    occasion = occasion_of(session)
    parting = parting_of(session, occasion)
    found = work_for(bundle, record, seen, session.options, session.keys.digest, parting)
    refuse_strangers(bundle, found, session.cluster)
    guard(bundle, record, found, session.options, session.cluster)
    hooks = occasion.hooks(bundle.hooks(), "pre", "post") if occasion else ()
    refuse_overstepping(session, [*found.send, *hooks, *parting], found.delete)
    return found, seen


class _Sync:
    """The stages of one cluster."""

    def __init__(self, session: Session, board: DependencyBoard | None) -> None:
        self.session = session
        self.board = board
        self.occasion = occasion_of(session)
        self.parting = parting_of(session, self.occasion)
        self.started: list[str] = []

    def run(self, work: Work) -> Outcome:
        session = self.session
        say_what_stays(session, work)
        # What somebody deleted and is left so will not become ready.
        drifted = [one for one in work.drifted if one.identity in session.live]
        waited_for = [*work.unchanged, *drifted, *work.send]
        if session.options.wait_for is not None:
            waited_for = of_apps(waited_for, session.options.wait_for)
        if work.nothing and self.occasion is None:
            return self._settled(waited_for)
        records.expect(session, work, self.occasion, self.parting)
        try:
            self._apply(work, waited_for)
        except EdgeError as error:
            records.note_arrivals(session, session.noticed(error))
            raise
        return self._finished(waited_for)

    def _apply(self, work: Work, waited_for: list[PlannedObject]) -> None:
        session = self.session
        foundations = [one for one in work.send if is_foundation(one.identity)]
        if foundations:
            session.report(f"applying {len(foundations)} namespaces and definitions")
            send_all(session, foundations)
            await_ready(session, foundations)
        if self.occasion is not None:
            run_hooks(session, self.occasion, "pre", session.bundle.hooks())
        rest = [one for one in work.send if not is_foundation(one.identity)]
        for apps in self._groups():
            self._await_dependencies(apps, waited_for)
            mine = of_apps(rest, apps)
            if mine:
                session.report(f"applying {len(mine)} objects of {', '.join(apps)}")
                send_all(session, mine)
            self.started += apps
            self._tell(apps, Progress.DEPLOYED)
        if self._waits():
            await_ready(session, waited_for)
            self._tell(session.bundle.apps, Progress.READY)
        if self.occasion is not None:
            run_hooks(session, self.occasion, "post", session.bundle.hooks())
        for old in work.kept:
            session.result(old, Action.KEPT, "Keep", "helm.sh/resource-policy: keep")
        for old, why in work.left:
            session.result(old, Action.KEPT, "NotOurs", why)
            session.warnings.append(f"{old.identity} was not deleted: {why}.")
        run_hooks(session, REMOVAL, "pre", self.parting)
        if work.delete:
            session.report(f"deleting {len(work.delete)} objects")
            delete_all(session, work.delete)
        run_hooks(session, REMOVAL, "post", self.parting)
        records.settle(session, work)

    def _waits(self) -> bool:
        apps = self.session.bundle.apps
        return self.session.options.wait or (self.board is not None and self.board.needs_ready(apps))

    def _groups(self) -> list[tuple[str, ...]]:
        """The apps in groups that start together.

        Where one waits for other clusters, those that need nothing go first, the others one by one, in the order of
        dependencies over all clusters: so nobody waits for somebody who waits for them.
        """
        bundle, board = self.session.bundle, self.board
        needs = [need for each in bundle.dependencies.values() for need in each]
        if board is None or not any(board.elsewhere(self.session.cluster, need) for need in needs):
            return levels(bundle)
        free = tuple(app for app in bundle.apps if not bundle.dependencies.get(app))
        return [*([free] if free else []), *((app,) for app in bundle.apps if app not in free)]

    def _await_dependencies(self, apps: tuple[str, ...], objects: list[PlannedObject]) -> None:
        session, bundle = self.session, self.session.bundle
        needs = [(app, need) for app in apps for need in bundle.dependencies.get(app, ())]
        here = {need.on for _unused, need in needs if need.status == "ready" and need.on in bundle.apps}
        if self.board is not None and any(self.board.elsewhere(session.cluster, need) for _unused, need in needs):
            # Those elsewhere may wait for what was started here.
            here |= {app for app in self.started if self.board.needs_ready([app])}
        if here:
            await_ready(session, of_apps(objects, here))
            self._tell(sorted(here), Progress.READY)
        for app, need in needs:
            if self.board is not None:
                seconds = session.options.wait_timeout + need.wait
                self.board.wait_for(app, session.cluster, need, seconds, session.around.stopped)

    def _tell(self, apps: Iterable[str], progress: Progress) -> None:
        if self.board is None:
            return
        fresh = {one.app for one in self.session.results.values() if one.action is not Action.UNCHANGED}
        for app in apps:
            self.board.tell(app, self.session.cluster, progress, long_ago=app not in fresh)

    def _settled(self, objects: list[PlannedObject]) -> Outcome:
        """Nothing to do but to see that it is ready."""
        self._tell(self.session.bundle.apps, Progress.DEPLOYED)
        if self._waits():
            await_ready(self.session, objects)
            self._tell(self.session.bundle.apps, Progress.READY)
        return self._finished(objects)

    def _finished(self, objects: list[PlannedObject]) -> Outcome:
        session = self.session
        left = not_ready(session, objects)
        if session.record is None:
            return session.outcome(State.REMOVED)
        if left:
            words = f"{left[0].identity}: {left[0].message}" + (f" and {len(left) - 1} more" if len(left) > 1 else "")
            return session.outcome(State.PROGRESSING, left, reason="NotReady", message=words)
        return session.outcome(State.READY)
