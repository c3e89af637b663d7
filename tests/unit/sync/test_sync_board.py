# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apps that wait for apps on other clusters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard, Progress

RUNNING = {"web": ["one"], "db": ["two", "three"]}
READY, DEPLOYED = AppDependency("db", "ready"), AppDependency("db", "deployed")


def reason(board: DependencyBoard, need: AppDependency, seconds: float = 0.0) -> str:
    try:
        board.wait_for("web", "one", need, seconds)
    except EdgeError as error:
        return error.reason
    return ""


@pytest.mark.parametrize(
    ("need", "told", "expected"),
    [
        (READY, [Progress.READY, Progress.READY], ""),
        (READY, [Progress.READY, Progress.DEPLOYED], "DependencyTimeout"),
        (READY, [Progress.READY, None], "DependencyTimeout"),
        (DEPLOYED, [Progress.DEPLOYED, Progress.READY], ""),
        (DEPLOYED, [Progress.DEPLOYED, None], "DependencyTimeout"),
        (READY, [Progress.READY, Progress.FAILED], "DependencyFailed"),
    ],
)
def test_every_other_cluster_that_runs_the_dependency_must_have_it(
    need: AppDependency, told: list[Progress | None], expected: str
) -> None:
    board = DependencyBoard(RUNNING)
    for cluster, progress in zip(("two", "three"), told, strict=True):
        if progress is not None:
            board.tell("db", cluster, progress)

    assert reason(board, need) == expected


def test_a_dependency_that_runs_nowhere_is_not_waited_for() -> None:
    assert reason(DependencyBoard({}), READY) == ""


def test_a_dependency_on_the_same_cluster_has_its_rest_unless_it_was_there_long_ago() -> None:
    need = AppDependency("db", "ready", wait=60.0)
    fresh, old = DependencyBoard({"db": ["one"]}), DependencyBoard({"db": ["one"]})
    fresh.tell("db", "one", Progress.READY)
    old.tell("db", "one", Progress.READY, long_ago=True)

    assert reason(fresh, need) == "DependencyTimeout"
    assert reason(old, need) == ""


def test_a_dependency_within_the_cluster_minds_no_other_cluster() -> None:
    board = DependencyBoard({"db": ["one", "two"]})
    board.tell("db", "one", Progress.READY)

    assert reason(board, AppDependency("db", "ready", scope="cluster")) == ""
    assert reason(board, AppDependency("db", "ready")) == "DependencyTimeout"


def test_what_is_missing_is_named() -> None:
    board = DependencyBoard(RUNNING)
    board.tell("db", "two", Progress.READY)

    with pytest.raises(EdgeError, match="web on one waited in vain for db to be ready on three") as raised:
        board.wait_for("web", "one", READY, 0.0)
    assert raised.value.details == {"dependency": "db", "clusters": ["three"]}


def test_clusters_outside_the_limit_count_only_when_they_have_it_already() -> None:
    known = {("db", "two"): Progress.READY}

    assert reason(DependencyBoard(RUNNING, within=["one"], known=known), READY) == "DependencyOutsideLimit"
    both = {**known, ("db", "three"): Progress.READY}
    assert reason(DependencyBoard(RUNNING, within=["one"], known=both), READY) == ""


def test_wait_seconds_pass_after_the_last_cluster_has_it() -> None:
    now = [0.0]
    board = DependencyBoard(RUNNING, clock=lambda: now[0])
    need = AppDependency("db", "ready", wait=5.0)
    board.tell("db", "two", Progress.READY)
    now[0] = 3.0
    board.tell("db", "three", Progress.READY)
    board.tell("db", "three", Progress.READY)

    now[0] = 7.9
    assert reason(board, need) == "DependencyTimeout"
    now[0] = 8.0
    assert reason(board, need) == ""


def test_what_was_known_before_the_run_is_not_waited_for_again() -> None:
    known = {("db", cluster): Progress.READY for cluster in ("two", "three")}

    assert reason(DependencyBoard(RUNNING, known=known), AppDependency("db", "ready", wait=60.0)) == ""


def test_a_waiting_sync_is_woken_and_gives_its_slot_away_meanwhile() -> None:
    seen: list[str] = []

    @contextmanager
    def slot() -> Iterator[None]:
        seen.append("given")
        yield
        seen.append("taken")

    board = DependencyBoard(RUNNING, slot=slot)
    board.tell("db", "two", Progress.READY)
    threading.Timer(0.05, lambda: board.tell("db", "three", Progress.READY)).start()

    board.wait_for("web", "one", READY, 10.0)

    assert seen == ["given", "taken"]


def test_the_wish_to_stop_ends_the_wait() -> None:
    with pytest.raises(EdgeError) as raised:
        DependencyBoard(RUNNING).wait_for("web", "one", READY, 10.0, stopped=lambda: True)
    assert raised.value.reason == "Stopped"
