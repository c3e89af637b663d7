# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked of a deployment in which state, and what is said when it does not fit."""

from __future__ import annotations

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import (
    ALLOWED,
    Verb,
    in_effect,
    must_allow,
    must_be_approved,
    state_of,
    to_approve,
)
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import (
    Revision,
    RevisionState,
    revision_document,
    revision_of,
)


def revision(number: int, state: RevisionState) -> Revision:
    return Revision(number, state, "p", "c", {}, "app", "v1", 0.0, "me")


def history(*states: RevisionState) -> list[Revision]:
    return [revision(number, state) for number, state in enumerate(states, 1)]


@pytest.mark.parametrize("state", list(RevisionState))
def test_planning_bringing_and_removing_fit_every_state(state: RevisionState) -> None:
    for verb in (Verb.PLAN, Verb.APPROVE, Verb.SHIP, Verb.REMOVE):
        must_allow(verb, history(state), "demo/shop")


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.CATCH_UP])
@pytest.mark.parametrize("state", [RevisionState.PLANNED, RevisionState.APPROVED, RevisionState.REMOVED])
def test_what_is_on_no_cluster_is_neither_stopped_nor_caught_up(state: RevisionState, verb: Verb) -> None:
    with pytest.raises(EdgeError) as refused:
        must_allow(verb, history(state), "demo/shop")
    assert refused.value.reason == "WrongState"
    assert state.value in refused.value.message and verb.value in refused.value.message
    assert refused.value.details["allowed"] == [one.value for one in Verb if one in ALLOWED[state]]
    assert "state: present" in str(refused.value)


def test_a_stopped_deployment_is_not_caught_up_until_it_is_present_again() -> None:
    stopped = history(RevisionState.SUPERSEDED, RevisionState.STOPPED)
    must_allow(Verb.STOP, stopped, "demo/shop")
    with pytest.raises(EdgeError, match="is Stopped, and catch_up does not fit"):
        must_allow(Verb.CATCH_UP, stopped, "demo/shop")


def test_a_plan_beside_what_runs_does_not_change_the_state() -> None:
    both = history(RevisionState.CURRENT, RevisionState.PLANNED)
    assert state_of(both) is RevisionState.CURRENT
    assert in_effect(both) == both[0]
    must_allow(Verb.STOP, both, "demo/shop")


def test_what_went_back_is_not_in_effect() -> None:
    both = history(RevisionState.CURRENT, RevisionState.ROLLED_BACK)
    assert state_of(both) is RevisionState.CURRENT
    assert state_of(history(RevisionState.ROLLED_BACK)) is None


def test_only_planned_revisions_are_approved_by_default_the_newest() -> None:
    several = history(RevisionState.PLANNED, RevisionState.CURRENT, RevisionState.PLANNED)
    assert to_approve(several, None, "demo/shop").number == 3
    assert to_approve(several, 1, "demo/shop").number == 1
    with pytest.raises(EdgeError, match="revision 2 of demo/shop is Current; only a planned one") as refused:
        to_approve(several, 2, "demo/shop")
    assert refused.value.reason == "WrongState" and "1, 3" in refused.value.hint
    with pytest.raises(EdgeError, match="has no revision to approve"):
        to_approve([], None, "demo/shop")
    with pytest.raises(EdgeError, match="revision 2 of demo/shop is Current"):
        to_approve(several[:2], None, "demo/shop")


def test_an_approval_lasts_when_the_revision_is_brought() -> None:
    one = revision(1, RevisionState.PLANNED)
    with pytest.raises(EdgeError, match="never approved"):
        must_be_approved(one, "demo/shop")
    approved = one.turned(RevisionState.APPROVED, at=5.0, by="boss", comment="CHG-1")
    must_be_approved(approved.turned(RevisionState.CURRENT, at=6.0, by="awx"), "demo/shop")


def test_a_revision_keeps_who_turned_it_and_a_turn_to_the_same_state_is_none() -> None:
    one = revision(1, RevisionState.PLANNED).turned(RevisionState.APPROVED, at=5.0, by="boss", comment="CHG-1")
    assert one.turned(RevisionState.APPROVED, at=9.0, by="other") is one
    assert revision_of(revision_document(one)) == one
    old = {name: value for name, value in revision_document(one).items() if name != "events"}
    assert revision_of(old).events == ()
