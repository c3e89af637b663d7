# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From bundle, record and live objects to what has to be done."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Identity, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.decide import Seen, Work, guard, work_for
from ansible_collections.emco.edge.plugins.module_utils._sync.options import SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Record
from tests.unit.sync.planned import bundle, config, digest, live, record, recorded

A, B = config("a"), config("b")


def decided(
    wanted: Bundle, known: Record | None, there: dict[Identity, dict[str, Any]], others: Any = None, **options: Any
) -> Work:
    return work_for(wanted, known, Seen(there, others or {}), SyncOptions(**options), digest)


def names(objects: Any) -> list[str]:
    return [one.identity.name for one in objects]


def test_what_holds_in_record_and_cluster_is_not_sent() -> None:
    work = decided(bundle(A, B), record(recorded(A), recorded(B)), {A.identity: live(A), B.identity: live(B)})

    assert names(work.unchanged) == ["a", "b"]
    assert work.nothing


@pytest.mark.parametrize(
    "there",
    [
        None,
        live(A, value="by hand"),
        live(A, uid="another"),
        live(A, manager="somebody"),
        {**live(A), "metadata": {**live(A)["metadata"], "deletionTimestamp": "now"}},
    ],
)
def test_what_differs_from_what_was_sent_is_sent_again_or_only_told(there: dict[str, Any] | None) -> None:
    found = {} if there is None else {A.identity: there}

    assert names(decided(bundle(A), record(recorded(A)), found).send) == ["a"]
    assert names(decided(bundle(A), record(recorded(A)), found, drift="report").drifted) == ["a"]


def test_what_never_arrived_is_sent_whatever_is_said_about_drift() -> None:
    half = recorded(A, uid="", live="")

    assert names(decided(bundle(A), record(half), {}, drift="ignore").send) == ["a"]


def test_a_new_body_is_sent() -> None:
    new = config("a", "2")

    assert names(decided(bundle(new), record(recorded(A)), {A.identity: live(A)}, drift="ignore").send) == ["a"]


def test_what_exists_without_a_record_is_a_stranger_unless_adopted() -> None:
    for seen in ({"there": {A.identity: live(A)}}, {"there": {}, "others": {A.identity: live(A, label="")}}):
        assert names(decided(bundle(A), None, **seen).strangers) == ["a"]  # type: ignore[arg-type]
        assert decided(bundle(A), None, **seen, adopt=True).strangers == ()  # type: ignore[arg-type]


def test_what_our_removal_kept_is_ours_when_it_comes_back() -> None:
    claim = config("data", kind="PersistentVolumeClaim")

    assert decided(bundle(claim), None, {}, {claim.identity: live(claim)}).strangers == ()
    assert names(decided(bundle(claim), None, {}, {claim.identity: live(claim, manager="x")}).strangers) == ["data"]


def test_what_is_no_longer_wanted_is_deleted_with_its_uid() -> None:
    work = decided(bundle(A), record(recorded(A), recorded(B)), {A.identity: live(A), B.identity: live(B, uid="u")})

    assert [(one.identity.name, one.uid) for one in work.delete] == [("b", "u")]


def test_what_may_have_been_made_by_a_killed_run_is_deleted_when_our_manager_made_it() -> None:
    half = recorded(B, uid="", sent="", live="")

    ours = decided(bundle(), record(half), {B.identity: live(B, uid="new")})
    theirs = decided(bundle(), record(half), {B.identity: live(B, uid="new", manager="somebody")})

    assert [(one.identity.name, one.uid) for one in ours.delete] == [("b", "new")]
    assert (theirs.delete, len(theirs.left)) == ((), 1)


@pytest.mark.parametrize("there", [live(B, uid="another"), live(B, label="other.deployment")])
def test_what_is_not_surely_ours_is_left(there: dict[str, Any]) -> None:
    work = decided(bundle(), record(recorded(B)), {B.identity: there})

    assert (work.delete, len(work.left)) == ((), 1)


def test_nothing_is_deleted_outside_the_namespaces_of_the_deployment() -> None:
    work = decided(bundle(namespaces=frozenset({"other"})), record(recorded(B)), {B.identity: live(B)})

    assert (work.delete, len(work.left)) == ((), 1)


def test_resource_policy_keep_is_honoured() -> None:
    kept = replace(B, keep=True)
    work = decided(bundle(), record(recorded(kept)), {B.identity: live(B)})

    assert (work.delete, names(work.kept)) == ((), ["b"])


# the guard


def refused(deleted: int, total: int, *, dear: PlannedObject | None = None, **options: Any) -> bool:
    objects = [config(f"o{number}") for number in range(total)]
    doomed = [*objects[:deleted], *([dear] if dear else [])]
    known = record(*(recorded(one) for one in [*objects, *([dear] if dear else [])]))
    work = Work(delete=tuple(recorded(one) for one in doomed))
    try:
        guard(bundle(), known, work, SyncOptions(**options), "lab+edge-1")
    except EdgeError as error:
        assert error.reason == "DeletionGuard"
        assert len(error.details["would_delete"]) == len(doomed)
        return True
    return False


@pytest.mark.parametrize(
    ("deleted", "total", "stops"),
    [(4, 4, False), (5, 5, True), (5, 16, True), (5, 17, False), (30, 100, False), (31, 100, True)],
)
def test_guard_stops_more_than_its_share_and_at_least_five(deleted: int, total: int, stops: bool) -> None:
    assert refused(deleted, total) == stops


def test_guard_has_another_share_or_none() -> None:
    assert not refused(6, 10, deletion_guard=Fraction(3, 5))
    assert refused(7, 10, deletion_guard=Fraction(3, 5))
    assert not refused(10, 10, allow_deletions=True)


@pytest.mark.parametrize(
    "kind", [("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition"), ("", "PersistentVolumeClaim")]
)
def test_guard_stops_for_a_single_thing_that_holds_others(kind: tuple[str, str]) -> None:
    assert refused(0, 100, dear=config("dear", group=kind[0], kind=kind[1]))


# properties

objects = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("12"), max_size=6).map(
    lambda wanted: tuple(config(name, value) for name, value in sorted(wanted.items()))
)


@given(objects, objects)
def test_doing_the_work_makes_the_cluster_equal_to_the_bundle(
    old: tuple[PlannedObject, ...], new: tuple[PlannedObject, ...]
) -> None:
    known = record(*(recorded(one) for one in old))
    there = {one.identity: live(one) for one in old}

    work = decided(bundle(*new), known, there, allow_deletions=True)
    after = {where: found for where, found in there.items() if where not in {one.identity for one in work.delete}}
    after.update({one.identity: live(one) for one in work.send})

    assert after == {one.identity: live(one) for one in new}
    assert {one.identity for one in work.unchanged} == {one.identity for one in {*old} & {*new}}
    again = decided(bundle(*new), record(*(recorded(one) for one in new)), after)
    assert again.nothing


@given(objects, st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["ours", "label", "uid"]), max_size=6))
def test_only_recorded_objects_with_label_and_uid_are_ever_deleted(
    old: tuple[PlannedObject, ...], there: dict[str, str]
) -> None:
    made = {
        "ours": live,
        "label": lambda one: live(one, label="other"),
        "uid": lambda one: live(one, uid="other"),
    }
    seen = {config(name).identity: made[how](config(name)) for name, how in there.items()}

    work = decided(bundle(), record(*(recorded(one) for one in old)), seen, allow_deletions=True)

    assert set(names(work.delete)) == set(names(old)) & {name for name, how in there.items() if how == "ours"}
