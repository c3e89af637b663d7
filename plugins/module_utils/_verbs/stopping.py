# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: ``state: stopped``: what is done stays, and nothing more happens until somebody says so.

Whoever stops may be another process, on another machine, than the run that is to stop. It leaves a note in the store,
which every run looks at while it works.
"""

from __future__ import annotations

import threading
from types import TracebackType

from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import Verb, state_of
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import RevisionState
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_call import opened
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result

_LOOK_EVERY = 2.0
# A run that is told to stop ends what it is sending and has stopped within a few seconds.
_PATIENCE = 30.0


def lease_name(naming: Naming) -> str:
    """The lease that keeps two runs off one deployment."""
    return f"deployment/{naming.project}/{naming.name}"


def _note_key(naming: Naming) -> Key:
    return ("stops", naming.project, naming.name)


def stopped(wanted: Deployment, context: Context) -> Result:
    """Stop a deployment, and the run that works on it, if there is one."""
    call = opened(wanted, context)
    call.must_allow(Verb.STOP)
    last = call.last
    if last is None:
        raise EdgeError("UnknownDeployment", f"there is nothing of {call.naming.readable} to stop.")
    result: Result = {"changed": True, "revision": last.number, "state": RevisionState.STOPPED.value}
    if last.state is RevisionState.STOPPED or context.check:
        return {**result, "changed": last.state is not RevisionState.STOPPED}
    note = {"by": context.owner, "at": context.clock(), "comment": wanted.comment or ""}
    context.store().put(_note_key(call.naming), note)
    with context.store().lease(lease_name(call.naming), context.owner, wait=max(wanted.lock_wait, _PATIENCE)):
        call = opened(wanted, context)
        last = call.last
        if last is not None and state_of(call.history) is not RevisionState.STOPPED:
            call.must_allow(Verb.STOP)
            call.turn(last, RevisionState.STOPPED)
        context.store().delete(_note_key(call.naming))
    return result


class StopWatch:
    """While it is entered, a note to stop sets the run's ``stopping``. An older one is forgotten: this is wanted."""

    def __init__(self, naming: Naming, context: Context) -> None:
        self._key = _note_key(naming)
        self._context = context
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stop watch", daemon=True)
        self.by = ""
        """Who stopped it; empty: nobody."""

    def __enter__(self) -> StopWatch:
        if not self._context.check:
            if self._context.store().get(self._key) is not None:
                self._context.store().delete(self._key)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            try:
                note = self._context.store().get(self._key)
            except EdgeError:
                continue  # whatever is wrong with the store is told where something has to be stored
            if note is not None:
                self.by = str(note.value["by"])
                self._context.say(f"{self.by} stopped this deployment")
                self._context.stopping.set()
                return
