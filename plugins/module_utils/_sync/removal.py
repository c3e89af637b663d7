# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: taking a deployment off a cluster, in the reverse of the order in which it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import (
    APP_LABEL,
    DEPLOYMENT_LABEL,
    MANAGED_BY,
    OURS,
    AppDependency,
    Bundle,
)
from ansible_collections.emco.edge.plugins.module_utils._sync import live, records
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard, Progress
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import in_session
from ansible_collections.emco.edge.plugins.module_utils._sync.decide import not_ours, with_uid
from ansible_collections.emco.edge.plugins.module_utils._sync.hooks import run_hooks
from ansible_collections.emco.edge.plugins.module_utils._sync.occasion import REMOVAL, leaving_nothing
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_claim, is_foundation, levels
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action, Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._sync.prune import delete_all
from ansible_collections.emco.edge.plugins.module_utils._sync.record import (
    Keys,
    RecordedObject,
    delete_record,
    read_record,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.session import Session
from ansible_collections.emco.edge.plugins.module_utils._sync.tenant import refuse_overstepping


def remove_cluster(
    client: ClusterClient,
    bundle: Bundle,
    options: SyncOptions,
    keys: Keys,
    *,
    board: DependencyBoard | None = None,
    dependents: Mapping[str, Iterable[AppDependency]] | None = None,
    around: Surroundings | None = None,
) -> Outcome:
    """Take everything of the deployment off the cluster, in reverse order, and say what was kept.

    ``bundle`` is the one that runs there: its delete hooks are run. One without objects (a lost store) does, too: what
    is deleted is what the record lists. ``dependents``: for an app those that need it, here or elsewhere; with
    ``board`` it is removed only after them. Never raises EdgeError.
    """

    def work(session: Session) -> Outcome:
        session.learn_kinds()
        session.record = read_record(client, bundle.label, keys)
        if session.record is None:
            return session.outcome(State.REMOVED)
        found = _look(session)
        refuse_overstepping(session, REMOVAL.hooks(bundle.hooks(), "pre", "post"), found.delete)
        if options.check:
            return _foreseen(session, found)
        return _Removal(session, board, dependents or {}).run(found)

    outcome = in_session(client, bundle, options, keys, around, work)
    if board is not None and not options.check:
        for app in bundle.apps:
            # A cluster that is away keeps nobody else's apps: it is cleared when it returns.
            gone = outcome.state in (State.REMOVED, State.UNREACHABLE)
            board.tell(app, client.name, Progress.READY if gone else Progress.FAILED)
    return outcome


@dataclass(frozen=True)
class _Found:
    delete: tuple[RecordedObject, ...]
    kept: tuple[tuple[RecordedObject, str, str], ...]
    """Objects that stay, with reason code and words."""
    released: tuple[RecordedObject, ...]
    """Objects that stay and are no longer marked as ours."""


def _look(session: Session) -> _Found:
    if session.record is None:
        raise RuntimeError("session.record is there")
    known = session.record.by_identity()
    wanted = live.versions_of(known.values())
    session.live.update(live.labelled(session.client, session.lanes, session.bundle.label, wanted))
    delete: list[RecordedObject] = []
    kept: list[tuple[RecordedObject, str, str]] = []
    released: list[RecordedObject] = []
    for old in known.values():
        there = session.live.get(old.identity)
        if there is None or old.identity in session.options.spared:
            continue
        if why := not_ours(old, there, session.bundle):
            kept.append((old, "NotOurs", why))
        elif old.identity.kind in session.options.keep:
            released.append(old)
        elif old.keep:
            kept.append((old, "Keep", "helm.sh/resource-policy: keep"))
        elif is_claim(old.identity):
            kept.append((old, "HoldsData", "its data would go with it; delete it by hand when it is not needed"))
        else:
            delete.append(with_uid(old, there))
    return _Found(tuple(delete), tuple(kept), tuple(released))


def _foreseen(session: Session, found: _Found) -> Outcome:
    for hook in REMOVAL.hooks(session.bundle.hooks(), "pre", "post"):
        session.result(hook, Action.WOULD_RUN)
    for one in found.delete:
        session.result(one, Action.WOULD_DELETE)
    _say_what_stays(session, found)
    return session.outcome(State.PROGRESSING)


def _say_what_stays(session: Session, found: _Found) -> None:
    for one, reason, words in found.kept:
        session.result(one, Action.KEPT, reason, words)
    for one in found.released:
        session.result(one, Action.KEPT, "Released", "is no longer ours")


class _Removal:
    """The stages of one cluster."""

    def __init__(
        self, session: Session, board: DependencyBoard | None, dependents: Mapping[str, Iterable[AppDependency]]
    ) -> None:
        self.session = session
        self.board = board
        self.dependents = dependents

    def run(self, found: _Found) -> Outcome:
        session = self.session
        records.expect_removal(session)
        _say_what_stays(session, found)
        hooks = leaving_nothing(session.bundle.hooks())
        run_hooks(session, REMOVAL, "pre", hooks)
        plain = [one for one in found.delete if not one.hook and not is_foundation(one.identity)]
        for apps in self._order(plain):
            self._await_dependents(apps)
            mine = [one for one in plain if one.app in apps]
            if mine:
                session.report(f"deleting {len(mine)} objects of {', '.join(apps)}")
                delete_all(session, mine, with_pods=True)
            self._tell(apps)
        run_hooks(session, REMOVAL, "post", hooks)
        delete_all(session, self._hook_objects(found))
        delete_all(session, [one for one in found.delete if is_foundation(one.identity)])
        self._release(found)
        if session.record is None:
            raise RuntimeError("session.record is there")
        delete_record(session.client, session.record)
        session.record = None
        return session.outcome(State.REMOVED)

    def _order(self, objects: Iterable[RecordedObject]) -> list[tuple[str, ...]]:
        known = levels(self.session.bundle)
        unknown = sorted({one.app for one in objects} - {app for apps in known for app in apps})
        return [*([tuple(unknown)] if unknown else []), *reversed(known)]

    def _await_dependents(self, apps: Iterable[str]) -> None:
        if self.board is None:
            return
        session = self.session
        for app in apps:
            for need in self.dependents.get(app, ()):
                # Twice its own time: the dependant may need all of its, and then says what holds it.
                seconds = 2 * session.options.wait_timeout
                self.board.wait_for(app, session.cluster, need, seconds, session.around.stopped)

    def _tell(self, apps: Iterable[str]) -> None:
        if self.board is not None:
            for app in apps:
                self.board.tell(app, self.session.cluster, Progress.READY)

    def _hook_objects(self, found: _Found) -> list[RecordedObject]:
        """The objects that hooks left, of this removal and of earlier runs."""
        session = self.session
        here = {one.identity: one for one in found.delete if one.hook and not is_foundation(one.identity)}
        here.update({where: one for where, one in session.arrived.items() if where in session.live})
        return [one for where, one in here.items() if where in session.live]

    def _release(self, found: _Found) -> None:
        labels = {MANAGED_BY: None, DEPLOYMENT_LABEL: None, APP_LABEL: None}
        manager = self.session.bundle.manager
        for one in found.released:
            where, metadata = one.identity, self.session.live[one.identity]["metadata"]
            # Our field manager lets go as well, so that whoever takes the object over meets no conflict.
            others = [entry for entry in metadata.get("managedFields") or () if entry.get("manager") != manager]
            marks = {"metadata": {"labels": labels, "managedFields": others or [{}]}}
            self.session.client.merge(self.session.resource(one), where.namespace, where.name, marks, manager=OURS)
