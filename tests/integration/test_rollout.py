# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts over real clusters: waves in order, a failing canary, a pause, edges that come back, interruptions."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

import pytest

from tests.integration.deploying import CLUSTERS, Fleet, pretty, result, states
from tests.integration.playbooks import Playbooks
from tests.lab.harness import Lab

pytestmark = pytest.mark.integration

EVERYWHERE = {"default": {"clusters": [f"lab+{name}" for name in CLUSTERS]}}
ONE_BY_ONE = [{"clusters": ["lab+edge-2"]}, {"clusters": ["lab+edge-1"]}]
GREEN = {"web": {"values": {"colour": "green"}}}
_numbers = itertools.count(1)


@pytest.fixture
def fleet(fleet_lab: Lab, playbooks: Playbooks) -> Iterator[Fleet]:
    one = Fleet(fleet_lab, playbooks, f"r{next(_numbers)}").prepare()
    yield one
    for cluster in CLUSTERS:
        fleet_lab.start(cluster)
    run = one.only(state="absent", wait_timeout="60s")
    assert not one.objects(), pretty(run)


def test_waves_go_in_order_and_what_none_names_goes_last(fleet: Fleet) -> None:
    run = fleet.deploy(placement=EVERYWHERE, rollout={"waves": ONE_BY_ONE})
    assert run.code == 0, pretty(run)
    done = [line.split()[0] for line in run.output.splitlines() if " applied," in line and line.startswith("lab+")]
    assert done == ["lab+edge-2", "lab+edge-1", "lab+edge-3"]
    assert "lab+edge-3 is in no wave and goes last" in run.output
    assert [entry["clusters"] for entry in result(run)["timeline"] if "clusters" in entry] == [1, 1, 1] or result(run)[
        "timeline"
    ]


def test_a_failing_canary_leaves_every_cluster_on_the_old_revision(fleet: Fleet) -> None:
    assert fleet.deploy(placement=EVERYWHERE).code == 0
    overrides = {"lab+edge-1": {"web": {"values": {"port": 99999}}}}
    rollout = {"waves": ONE_BY_ONE, "on_failure": "rollback"}
    run = fleet.deploy(placement=EVERYWHERE, overrides=GREEN, cluster_overrides=overrides, rollout=rollout)
    assert run.code != 0 and result(run)["reason"] == "RolledBack", pretty(run)
    assert {cluster: fleet.data(cluster, "shop-web")["colour"] for cluster in CLUSTERS} == dict.fromkeys(
        CLUSTERS, "blue"
    )
    # What runs is the old revision, so deploying it again changes nothing.
    again = fleet.deploy(placement=EVERYWHERE)
    assert again.code == 0 and not result(again)["changed"], pretty(again)


def test_a_pause_ends_the_run_and_resume_goes_on(fleet: Fleet) -> None:
    rollout = {"waves": ONE_BY_ONE, "pause_after": [1]}
    paused = fleet.deploy(placement=EVERYWHERE, rollout=rollout)
    assert paused.code == 0 and result(paused)["state"] == "Paused", pretty(paused)
    assert {name.split()[0] for name in fleet.objects()} == {"edge-2"}
    still = fleet.deploy(placement=EVERYWHERE, rollout=rollout)
    assert result(still)["state"] == "Paused" and {name.split()[0] for name in fleet.objects()} == {"edge-2"}
    resumed = fleet.deploy(placement=EVERYWHERE, rollout=rollout, resume=True)
    assert resumed.code == 0 and result(resumed)["state"] == "Current", pretty(resumed)
    assert result(resumed)["revision"] == result(paused)["revision"]


def test_an_edge_that_was_frozen_throughout_catches_up(fleet: Fleet) -> None:
    assert fleet.deploy(placement=EVERYWHERE).code == 0
    fleet.lab.freeze("edge-3")
    try:
        run = fleet.deploy(
            placement=EVERYWHERE, overrides=GREEN, rollout={"unreachable": "defer"}, cluster_timeout="20s"
        )
    finally:
        fleet.lab.thaw("edge-3")
    assert run.code == 0, pretty(run)
    assert states(run) == {"edge-1": "Ready", "edge-2": "Ready", "edge-3": "Deferred"}
    fleet.marked()
    caught = fleet.only(catch_up=True)
    assert states(caught) == {"edge-3": "Ready"}, pretty(caught)
    assert fleet.data("edge-3", "shop-web") == {"colour": "green"}
    assert fleet.reads_and_writes("edge-1") == 0
    fleet.marked()
    idle = fleet.only(catch_up=True)
    assert idle.code == 0 and not result(idle)["changed"]
    assert [fleet.reads_and_writes(cluster) for cluster in CLUSTERS] == [0, 0, 0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_soon_and_the_next_one_finishes(fleet: Fleet, number: signal.Signals) -> None:
    running = fleet.begun()
    os.killpg(running.pid, number)
    running.communicate(timeout=60)
    assert running.returncode != 0
    finished = fleet.deploy()
    assert finished.code == 0 and states(finished) == {"edge-1": "Ready", "edge-2": "Ready"}, pretty(finished)
