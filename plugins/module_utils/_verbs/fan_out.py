# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the same work on many clusters at once, each on its own time, none holding up the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import ENDLESS, Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.probe import answers
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Rollout
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import begun
from ansible_collections.emco.edge.plugins.module_utils._rollout.waves import compiled
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import client_of, reach_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, note_silence
from ansible_collections.emco.edge.plugins.module_utils._verbs.roll_out import Stopped, Surroundings, Tasks, roll_out
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipping import line
from ansible_collections.emco.edge.plugins.module_utils._verbs.slots import Slots
from ansible_collections.emco.edge.plugins.module_utils._verbs.tables import closing

Work = Callable[[ClusterRef, Stopped], Outcome]


class Connections:
    """The connections of a run, one a cluster, closed when its work is done."""

    def __init__(self, fleet: Mapping[ClusterRef, Registered], context: Context) -> None:
        self._fleet = fleet
        self._context = context
        self._clients: dict[ClusterRef, ClusterClient] = {}

    def client(self, ref: ClusterRef, budget: Budget = ENDLESS) -> ClusterClient:
        """The cluster's client; its time runs from here, not from the sign of life."""
        client = self._clients.get(ref)
        if client is None:
            client = self._clients[ref] = client_of(reach_of(self._fleet[ref], self._context), budget)
        client.within(budget)
        return client

    def answers(self, ref: ClusterRef) -> bool:
        """Whether the cluster gives a sign of life."""
        return answers(self.client(ref).transport)

    def close(self, ref: ClusterRef) -> None:
        """Let go of one cluster."""
        client = self._clients.pop(ref, None)
        if client is not None:
            client.close()

    def close_all(self) -> None:
        """Let go of those that were only asked for a sign of life."""
        for ref in list(self._clients):
            self.close(ref)


def on_each(
    targets: Collection[ClusterRef],
    work: Work,
    probe: Callable[[ClusterRef], bool],
    fleet: Mapping[ClusterRef, Registered],
    context: Context,
    *,
    parallel: int,
    title: str,
    waits: bool = True,
) -> Mapping[ClusterRef, Outcome]:
    """Do the work on every target and tell about each; one outcome each, whatever happens.

    ``work`` runs in threads. What it raises as EdgeError is the cluster's outcome.
    """
    if not targets:
        return {}

    def safely(ref: ClusterRef, stopped: Stopped) -> Outcome:
        try:
            return work(ref, stopped)
        except EdgeError as error:
            return failed(ref, error)

    # Nothing that fails keeps the other clusters waiting, and what was left undone is done by the next run.
    clusters = [fleet[ref].cluster for ref in sorted(targets)]
    strategy = compiled(Rollout(on_failure="continue"), clusters, fleet.keys()).strategy
    result = roll_out(
        strategy,
        begun(strategy, context.clock()),
        Tasks(work=safely, probe=probe),
        Surroundings(
            persist=_nothing,
            stopping=context.stopping,
            said=context.say,
            seen=lambda outcome: context.say(line(outcome, check=context.check)),
            clock=context.clock,
        ),
        slots=Slots(parallel),
        waits=waits and not context.check,
    )
    if not context.check:
        silent = [ref for ref, one in result.outcomes.items() if one.state in (State.UNREACHABLE, State.DEFERRED)]
        answering = [ref for ref, one in result.outcomes.items() if one.state in (State.READY, State.REMOVED)]
        note_silence(context.store(), silent, answering, context.clock())
    for text in closing(title, result.outcomes, {}, check=context.check):
        context.say(text)
    return result.outcomes


_SILENT = ("ClusterUnreachable", "BudgetSpent", "CertificateRejected")


def failed(ref: ClusterRef, error: EdgeError, so_far: Outcome | None = None) -> Outcome:
    """The outcome that an error is, with what was done before it."""
    state = State.UNREACHABLE if error.reason in _SILENT else State.FAILED
    return replace(
        so_far or Outcome(str(ref), state),
        state=state,
        reason=error.reason,
        message=error.message,
        hint=error.hint,
        details=error.details,
    )


def _nothing(_unused: object) -> None:
    return
