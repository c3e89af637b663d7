# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts over real clusters: waves in order, a failing canary, a pause, edges that come back, interruptions."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

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


def test_an_app_leaves_a_silent_cluster_when_its_intent_says_so_and_is_removed_there_later(fleet: Fleet) -> None:
    intent = {"clusters": [], "count": 2, "on_unreachable": {"after": "1s", "replace": True}}
    options: dict[str, Any] = {"placement": {"default": intent}, "rollout": {"unreachable": "defer"}}
    first = fleet.deploy(**options)
    silent = sorted(states(first))[0]
    fleet.lab.freeze(silent)
    try:
        deferred = fleet.deploy(overrides=GREEN, **options)
        assert states(deferred)[silent] == "Deferred", pretty(deferred)
        time.sleep(1)
        moved = fleet.deploy(overrides=GREEN, **options)
        chosen = {name: state for name, state in states(moved).items() if state == "Ready"}
        assert states(moved)[silent] == "Deferred" and set(chosen) == set(CLUSTERS) - {silent}, pretty(moved)
    finally:
        fleet.lab.thaw(silent)
    inventory = {"emco_deployments": [{"project": fleet.project, "name": "shop"}]}
    caught = fleet.playbooks.run("emco.edge.catch_up", fleet.inventory(), extra=inventory)
    assert states(caught) == {silent: "Removed"}, pretty(caught)
    assert not fleet.objects(silent)
    # It answers, and what runs elsewhere now stays there.
    again = fleet.deploy(overrides=GREEN, **options)
    assert not result(again)["changed"] and set(states(again)) == set(chosen), pretty(again)


def test_tasks_of_the_project_decide_between_waves(fleet: Fleet) -> None:
    passed = fleet.folder / "passed"
    gate = [
        {
            "name": "note",
            "ansible.builtin.shell": f"echo {{{{ deploy_paused.summary.ready }}}} >> {passed}",
            "run_once": True,
        }
    ]
    (fleet.folder / "gate.yml").write_text(json.dumps(gate))
    deployment = fleet.deployment(placement=EVERYWHERE, rollout={"waves": ONE_BY_ONE})
    extra = {
        "emco_composite_apps": [fleet.composite_app()],
        "emco_deployments": [deployment],
        "deploy_between_waves": "gate.yml",
    }
    run = fleet.playbooks.run("emco.edge.deploy", fleet.inventory(), extra=extra)
    assert run.code == 0 and result(run)["state"] == "Current", pretty(run)
    assert passed.read_text().split() == ["1", "2"]
    told = fleet.playbooks.tasks(
        [{"emco.edge.deployment_info": {"project": fleet.project, "output": "summary"}, "run_once": True}],
        fleet.inventory(),
    )
    rollout = told.results_of("deployment_info")[-1]["deployments"][0]["rollout"]
    assert rollout["ending"] == "Complete"
    assert [one["event"] for one in rollout["timeline"]] == ["wave", "paused", "wave", "paused", "wave", "ended"]
    gate[0] |= {"ansible.builtin.shell": "exit 1"}
    (fleet.folder / "gate.yml").write_text(json.dumps(gate))
    extra["emco_deployments"] = [{**deployment, "overrides": GREEN}]
    refused = fleet.playbooks.run("emco.edge.deploy", fleet.inventory(), extra=extra)
    assert refused.code != 0
    colours = {cluster: fleet.data(cluster, "shop-web")["colour"] for cluster in CLUSTERS}
    assert colours == {"edge-1": "blue", "edge-2": "green", "edge-3": "blue"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_soon_and_the_next_one_finishes(fleet: Fleet, number: signal.Signals) -> None:
    running = fleet.begun()
    os.killpg(running.pid, number)
    running.communicate(timeout=60)
    assert running.returncode != 0
    finished = fleet.deploy()
    assert finished.code == 0 and states(finished) == {"edge-1": "Ready", "edge-2": "Ready"}, pretty(finished)
