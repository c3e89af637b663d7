# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: where a deployment is in its life, and what may be asked of it there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Revision, RevisionState


class Verb(str, Enum):
    """What can be asked of a deployment, as users write it."""

    PLAN = "state: planned"
    APPROVE = "state: approved"
    SHIP = "state: present"
    CATCH_UP = "catch_up"
    STOP = "state: stopped"
    REMOVE = "state: absent"


# Planning touches nothing, bringing and removing say where a deployment shall end up: these fit every state.
_ALWAYS = frozenset({Verb.PLAN, Verb.APPROVE, Verb.SHIP, Verb.REMOVE})
_ON_ITS_WAY = _ALWAYS | {Verb.CATCH_UP, Verb.STOP}

ALLOWED: Mapping[RevisionState | None, frozenset[Verb]] = {
    None: _ALWAYS,
    RevisionState.PLANNED: _ALWAYS,
    RevisionState.APPROVED: _ALWAYS,
    RevisionState.PROGRESSING: _ON_ITS_WAY,
    RevisionState.PAUSED: _ON_ITS_WAY,
    RevisionState.CURRENT: _ON_ITS_WAY,
    RevisionState.FAILED: _ON_ITS_WAY,
    RevisionState.REMOVING: _ON_ITS_WAY,
    RevisionState.STOPPED: _ALWAYS | {Verb.STOP},
    RevisionState.REMOVED: _ALWAYS,
}
"""The verbs that fit each state of a deployment; None: nobody ever heard of it."""

_BEFORE_CLUSTERS = (RevisionState.PLANNED, RevisionState.APPROVED)
_PAST = (*_BEFORE_CLUSTERS, RevisionState.ROLLED_BACK)


def in_effect(history: Sequence[Revision]) -> Revision | None:
    """The newest revision that reached clusters, or is on its way there; ``history`` is oldest first."""
    return next((one for one in reversed(history) if one.state not in _PAST), None)


def state_of(history: Sequence[Revision]) -> RevisionState | None:
    """The state of a deployment: of what is in effect, else of what was planned last, None for no history."""
    there = in_effect(history) or (history[-1] if history else None)
    if there is None or there.state is RevisionState.ROLLED_BACK:
        return None
    return there.state


def must_allow(verb: Verb, history: Sequence[Revision], readable: str) -> None:
    """EdgeError ``WrongState`` with the state and the verbs that fit it, when this one does not."""
    state = state_of(history)
    allowed = ALLOWED.get(state, _ON_ITS_WAY)
    if verb in allowed:
        return
    fitting = [one.value for one in Verb if one in allowed]
    what = f"is {state.value}" if state is not None else "was never planned"
    raise EdgeError(
        "WrongState",
        f"{readable} {what}, and {verb.value} does not fit that.",
        hint=f"What fits: {', '.join(fitting)}.",
        details={"deployment_state": state.value if state is not None else None, "allowed": fitting},
    )


def to_approve(history: Sequence[Revision], number: int | None, readable: str) -> Revision:
    """The planned revision of this number, by default the newest one; ``WrongState`` when it is not planned."""
    waiting = [one for one in history if one.state in _BEFORE_CLUSTERS]
    if number is None:
        if waiting and waiting[-1] is history[-1]:
            return waiting[-1]
        found = history[-1] if history else None
    else:
        found = next((one for one in history if one.number == number), None)
        if found in waiting:
            return found
    planned = ", ".join(str(one.number) for one in waiting) or "none"
    raise EdgeError(
        "WrongState",
        f"revision {found.number} of {readable} is {found.state.value}; only a planned one can be approved."
        if found is not None
        else f"{readable} has no revision to approve.",
        hint=f"Planned are: {planned}. state: planned makes one.",
        details={"deployment_state": found.state.value if found is not None else None, "planned": planned},
    )


def must_be_approved(revision: Revision | None, readable: str) -> None:
    """EdgeError ``WrongState`` for a plan that nobody ever approved; None: one that is not even kept."""
    if revision is not None and any(event.state is RevisionState.APPROVED for event in revision.events):
        return
    what = f"revision {revision.number} of {readable}" if revision is not None else f"the plan of {readable}"
    raise EdgeError(
        "WrongState",
        f"{what} was never approved, and require_approval is set.",
        hint="state: planned keeps a plan, state: approved with its revision approves it.",
        details={"revision": revision.number if revision is not None else None},
    )


def outlived(history: Sequence[Revision], limit: int) -> list[Revision]:
    """The revisions that go when ``limit`` old ones are kept: never what is in effect, nor anything newer."""
    there = in_effect(history)
    if there is None:
        return []
    old = [one for one in history if one.number < there.number]
    return old[: max(0, len(old) - limit)]
