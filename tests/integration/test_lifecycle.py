# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a deployment after its first day, through ansible-playbook on real clusters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.deploying import CLUSTERS, Fleet, pretty, result, states
from tests.integration.playbooks import Playbooks
from tests.lab.harness import Lab

pytestmark = pytest.mark.integration

_numbers = itertools.count(1)
HELD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: front, finalizers: [example.com/held]}
data: {colour: "{{ values.colour | default('blue') }}"}
"""
EXTRA = "{apiVersion: v1, kind: ConfigMap, metadata: {name: extra}, data: {a: '1'}}\n"


@pytest.fixture
def fleet(fleet_lab: Lab, playbooks: Playbooks) -> Iterator[Fleet]:
    one = Fleet(fleet_lab, playbooks, f"l{next(_numbers)}").prepare()
    (one.folder / "more" / "front").mkdir(parents=True)
    (one.folder / "more" / "front" / "front.yaml").write_text(HELD)
    (one.folder / "more" / "extra").mkdir()
    (one.folder / "more" / "extra" / "extra.yaml").write_text(EXTRA)
    yield one
    for cluster in CLUSTERS:
        fleet_lab.start(cluster)
    let_go(one)
    run = one.only(state="absent", wait_timeout="30s")
    assert not one.objects(), pretty(run)


def let_go(fleet: Fleet) -> None:
    """Take the finalizer off what holds."""
    if any("ConfigMap/default/front" in name for name in fleet.objects("edge-2")):
        change = '{"metadata":{"finalizers":null}}'
        fleet.lab.kubectl("edge-2", "-n", "default", "patch", "configmap", "front", "--type=merge", "-p", change)


def across(fleet: Fleet) -> dict[str, Any]:
    """An app on edge-2 that needs one on edge-1."""
    app = fleet.composite_app(hook=False)
    front = {"name": "front", "manifests": ["more/front"], "depends_on": [{"app": "web", "scope": "everywhere"}]}
    return {**app, "apps": [app["apps"][0], front]}


ACROSS = {"web": {"clusters": ["lab+edge-1"]}, "front": {"clusters": ["lab+edge-2"]}}


def test_what_others_need_is_taken_away_after_them_over_clusters(fleet: Fleet) -> None:
    assert fleet.deploy(app=across(fleet), placement=ACROSS).code == 0
    before = fleet.objects("edge-1")
    held = fleet.only(state="absent", wait_timeout="3s")
    assert states(held) == {"edge-1": "Pending", "edge-2": "Failed"}, pretty(held)
    told = result(held)["clusters"]
    assert told["lab+edge-1"]["reason"] == "DependencyFailed" and "front" in told["lab+edge-1"]["message"]
    assert "example.com/held" in told["lab+edge-2"]["message"]
    assert fleet.objects("edge-1") == before
    fleet.lab.kubectl("edge-2", "patch", "configmap", "front", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    freed = fleet.only(state="absent", keep=["Service"])
    assert states(freed) == {"edge-1": "Removed", "edge-2": "Removed"}, pretty(freed)
    left = fleet.lab.get("edge-1", "service", "shop-web", "-n", "default", "--show-managed-fields")["metadata"]
    fleet.lab.kubectl("edge-1", "delete", "service", "shop-web", "-n", "default")
    assert "emco.edge/deployment" not in left.get("labels", {})
    assert not [one for one in left.get("managedFields", []) if one["manager"].startswith("emco-edge:")]


def test_a_cluster_that_is_away_during_removal_is_cleared_when_it_returns(fleet: Fleet) -> None:
    assert fleet.deploy(app=across(fleet), placement=ACROSS).code == 0
    fleet.lab.kubectl("edge-2", "patch", "configmap", "front", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    fleet.lab.kill("edge-2")
    away = fleet.only(state="absent", rollout={"unreachable": "defer"})
    # Others do not wait for what nobody can take away.
    assert states(away) == {"edge-1": "Removed", "edge-2": "Deferred"}, pretty(away)
    assert result(away)["state"] == "Removing"
    fleet.lab.start("edge-2")
    back = fleet.only(catch_up=True)
    assert states(back) == {"edge-2": "Removed"} and result(back)["state"] == "Removed", pretty(back)
    assert not fleet.objects()


def test_a_deployment_takes_the_place_of_another_without_making_anything_anew(fleet: Fleet) -> None:
    placement = {"default": {"clusters": ["lab+edge-1", "lab+edge-2"]}}
    assert fleet.deploy(placement=placement).code == 0
    before = fleet.objects()
    newer = fleet.composite_app("v2", colour="green", hook=False)
    newer["apps"] = [*newer["apps"], {"name": "extra", "manifests": ["more/extra"]}]
    # The same release, so the same names of objects; on edge-2 it is not wanted any more.
    heir = {"name": "heir", "version": "v2", "release": "shop", "migrate_from": "shop"}
    wanted = {**fleet.deployment(placement={"default": {"clusters": ["lab+edge-1"]}}), **heir}
    tasks = [
        {"emco.edge.composite_app": newer, "run_once": True},
        {"emco.edge.deployment": wanted, "run_once": True, "check_mode": True},
        {"emco.edge.deployment": {**wanted, "migrate_from": None}, "run_once": True, "ignore_errors": True},
        {"emco.edge.deployment": wanted, "run_once": True},
        {"emco.edge.deployment": wanted, "run_once": True},
    ]
    run = fleet.playbooks.tasks(tasks, fleet.inventory())
    assert run.code == 0, pretty(run)
    would, alone, done, again = run.results_of("deployment")
    assert would["changed"] and would["migrated_from"]["clusters"]["lab+edge-1"]["deleted"] == 1, would
    assert alone["reason"] == "NotOurs"
    assert done["migrated_from"]["state"] == "Removed" and done["state"] == "Current", done
    assert done["migrated_from"]["clusters"]["lab+edge-2"]["state"] == "Removed"
    assert not again["changed"]
    assert not fleet.objects()
    after = fleet.objects(label="heir")
    assert {name.split()[0] for name in after} == {"edge-1"}
    kept = {name for name in after if "-hook" not in name and "extra" not in name}
    assert {name: after[name][0] for name in kept} == {name: before[name][0] for name in kept} and len(kept) == 5
    assert fleet.data("edge-1", "shop-web") == {"colour": "green"}
    live = fleet.lab.get("edge-1", "configmap", "shop-web", "-n", "default", "--show-managed-fields")["metadata"]
    assert len([one for one in live["managedFields"] if one["manager"].startswith("emco-edge:")]) == 1
    gone = fleet.only(name="heir", state="absent")
    assert gone.code == 0, pretty(gone)


def test_a_deployment_is_replaced_cluster_by_cluster_and_given_back_when_that_fails(fleet: Fleet) -> None:
    placement = {"default": {"clusters": ["lab+edge-1", "lab+edge-2"]}}
    assert fleet.deploy(placement=placement).code == 0
    heir = {**fleet.deployment(placement=placement), "name": "heir", "release": "shop", "migrate_from": "shop"}
    waves = {"waves": [{"clusters": ["lab+edge-2"]}, {"clusters": ["lab+edge-1"]}], "on_failure": "rollback"}
    broken = {"cluster_overrides": {"lab+edge-1": {"web": {"values": {"port": 99999}}}}, "rollout": waves}
    colours = {"overrides": {"web": {"values": {"colour": "green"}}}}
    tasks = [
        {"emco.edge.deployment": {**heir, **broken, **colours}, "run_once": True, "ignore_errors": True},
        {"emco.edge.deployment": {**heir, **colours, "order": "replace"}, "run_once": True},
    ]
    before = fleet.objects()
    run = fleet.playbooks.tasks(tasks, fleet.inventory())
    assert run.code == 0, pretty(run)
    failed, done = run.results_of("deployment")
    assert failed["reason"] == "RolledBack" and failed["migrated_from"]["state"] == "Current", failed
    assert done["migrated_from"]["state"] == "Removed" and done["state"] == "Current", done
    assert not fleet.objects()
    after = fleet.objects(label="heir")
    assert fleet.data("edge-1", "shop-web") == fleet.data("edge-2", "shop-web") == {"colour": "green"}
    name = "edge-1 ConfigMap/default/shop-web"
    assert after[name][0] != before[name][0], "it was to be made anew"
    assert fleet.only(name="heir", state="absent").code == 0
