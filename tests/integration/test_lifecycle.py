# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a deployment after its first day, through ansible-playbook on real clusters."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._render.programs import find_helm
from ansible_collections.emco.edge.plugins.module_utils._store.keys import new_keys
from ansible_collections.emco.edge.plugins.module_utils._sync.record import record_name
from tests.integration.deploying import CLUSTERS, NAMESPACED, Fleet, pretty, result, states
from tests.integration.playbooks import Playbooks
from tests.integration.store_hub import Hub
from tests.lab.harness import Lab
from tests.tools.playbook import PlaybookRun

pytestmark = pytest.mark.integration

_numbers = itertools.count(1)
HELD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: front, finalizers: [example.com/held]}
data: {colour: "{{ values.colour | default('blue') }}"}
"""
FAREWELL = """\
apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-web-farewell, annotations: {helm.sh/hook: pre-delete}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: hook, image: docker.io/library/web:1}]}}}
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


def test_what_one_job_plans_a_second_approves_and_a_third_applies_over_a_hub(fleet: Fleet) -> None:
    hub = Hub(fleet.lab, "edge-3")
    namespace = hub.namespace()
    way = fleet.folder / "hub.yaml"
    way.write_text(json.dumps(hub.account(namespace)))
    keys = base64.b64encode(new_keys("a test").secret_text().encode()).decode()

    def job(name: str, *tasks: dict[str, Any], check: bool = False) -> PlaybookRun:
        """A run that has the project's files, the keys, and nothing else."""
        home = fleet.folder / name
        env = {
            "HOME": str(home),
            "EMCO_EDGE_HELM": str(find_helm(os.environ)),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "EMCO_EDGE_STORE": f"kubernetes:{way}?namespace={namespace}",
            "EMCO_EDGE_KEYS": keys,
        }
        run = fleet.playbooks.tasks(list(tasks), fleet.inventory(), env=env, check=check)
        assert run.code == 0, pretty(run)
        left = [path for part in ("state", "config") for path in (home / part).rglob("*") if path.is_file()]
        assert not left, left
        return run

    def verb(**options: Any) -> dict[str, Any]:
        return {"emco.edge.deployment": {"project": fleet.project, "name": "shop", **options}, "run_once": True}

    planned = job(
        "planner",
        {"emco.edge.cluster": {}},
        {"emco.edge.composite_app": fleet.composite_app(), "run_once": True},
        verb(**fleet.deployment(state="planned", comment="summer")),
    )
    number = result(planned)["revision"]
    assert not fleet.objects()
    approved = job("boss", verb(state="approved", revision=number, comment="CHG-7"))
    assert result(approved)["state"] == "Approved" and not fleet.objects()
    info = {
        "emco.edge.deployment_info": {"project": fleet.project, "name": "shop", "revisions": True},
        "run_once": True,
    }
    applied = job("robot", verb(revision=number, require_approval=True), info)
    assert states(applied) == {"edge-1": "Ready", "edge-2": "Ready"}, pretty(applied)
    told = applied.results_of("deployment_info")[0]["deployments"][0]["revisions"][0]
    assert [event["state"] for event in told["events"]] == ["Planned", "Approved", "Progressing", "Current"]
    assert [event.get("comment") for event in told["events"]][:2] == ["summer", "CHG-7"]
    job("reaper", verb(state="absent"))
    assert not fleet.objects()


def test_a_cluster_that_was_built_anew_is_restored_and_reported(fleet: Fleet) -> None:
    assert fleet.deploy().code == 0
    before = fleet.objects("edge-2")
    selector = f"emco.edge/deployment={fleet.project}.shop"
    fleet.lab.kubectl("edge-2", "delete", ",".join(NAMESPACED), "--all-namespaces", "-l", selector)
    fleet.lab.kubectl("edge-2", "delete", "secret", "-n", "emco-edge-system", record_name(f"{fleet.project}.shop"))
    run = fleet.deploy()
    assert run.code == 0 and states(run) == {"edge-1": "Ready", "edge-2": "Ready"}, pretty(run)
    assert result(run)["clusters"]["lab+edge-2"]["reason"] == "ClusterRebuilt"
    assert not result(run)["clusters"]["lab+edge-1"]["changed"]
    assert set(fleet.objects("edge-2")) == set(before)
    again = fleet.deploy()
    assert "reason" not in result(again)["clusters"]["lab+edge-2"]


def test_secret_values_are_in_no_output_store_record_error_or_argument(fleet: Fleet) -> None:
    canary = "canary-4f1d0c"
    helm = fleet.folder / "helm"
    log = fleet.folder / "arguments.txt"
    helm.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {find_helm(os.environ)} "$@"\n')
    helm.chmod(0o755)
    app = fleet.composite_app(token=canary)
    how = {"app": app, "diff": True, "env": {"EMCO_EDGE_HELM": str(helm)}}
    runs = [
        fleet.deploy("-vvvv", **how),
        fleet.deploy("-vvvv", overrides={"web": {"values": {"token": f"{canary}-2"}}}, **how),
        # The server refuses this one.
        fleet.deploy("-vvvv", overrides={"web": {"values": {"token": f"{canary}-3", "port": 99999}}}, **how),
    ]
    assert [run.code == 0 for run in runs] == [True, True, False]
    secret = fleet.lab.get("edge-1", "secret", "shop-web", "-n", "default")["data"]["token"]
    assert base64.b64decode(secret).decode().startswith(canary), "the canary was there to be seen"
    shown = [run.output for run in runs] + [json.dumps(one.result) for run in runs for one in run.returned]
    forms = (canary, base64.b64encode(canary.encode()).decode()[:16], secret)
    assert not [form for form in forms for text in shown if form in text]
    assert log.read_text() and canary not in log.read_text()
    records = fleet.lab.get("edge-1", "secrets", "-n", "emco-edge-system")["items"]
    contents = [gzip.decompress(base64.b64decode(one["data"]["record"])).decode() for one in records]
    assert contents and not [one for one in contents if canary in one]
    stored = [path for path in (fleet.folder / "state").rglob("*") if path.is_file()]
    assert stored and not [path for path in stored if canary.encode() in path.read_bytes()]


def test_a_run_is_stopped_from_elsewhere_and_goes_on_when_it_is_wanted_again(fleet: Fleet) -> None:
    running = fleet.begun()
    try:
        stopping = fleet.only(state="stopped", comment="the line is being repaired")
        assert stopping.code == 0 and result(stopping)["state"] == "Stopped", pretty(stopping)
        output = running.communicate(timeout=60)[0]
    finally:
        running.kill()
    assert running.returncode != 0 and "stopped this deployment" in output, output
    there = fleet.objects()
    assert there, "what is done stays"
    refused = fleet.only(catch_up=True)
    assert result(refused)["reason"] == "WrongState" and "state: present" in result(refused)["allowed"]
    assert not result(fleet.only(state="stopped"))["changed"] and fleet.objects() == there
    again = fleet.deploy(overrides={"web": {"values": {"hook": False}}})
    assert again.code == 0 and states(again) == {"edge-1": "Ready", "edge-2": "Ready"}, pretty(again)


def test_three_apps_move_go_back_migrate_and_go_with_their_hooks_and_dependencies(fleet: Fleet) -> None:
    app = fleet.composite_app()
    (fleet.folder / "charts" / "web" / "templates" / "farewell.yaml").write_text(FAREWELL)
    needed = [{"name": "notes", "needs": "web"}, {"name": "extra", "needs": "notes"}]
    later = [
        {
            "name": one["name"],
            "manifests": ["manifests/" if one["name"] == "notes" else "more/extra"],
            "depends_on": [{"app": one["needs"], "scope": "everywhere"}],
        }
        for one in needed
    ]
    app = {**app, "apps": [app["apps"][0], *later]}

    def at(web: str) -> dict[str, Any]:
        places = {"web": [web], "notes": ["lab+edge-2"], "extra": ["lab+edge-1"]}
        return {"placement": {name: {"clusters": there} for name, there in places.items()}}

    verb, once = "emco.edge.deployment", {"run_once": True}
    shop = {"project": fleet.project, "name": "shop"}
    heir = {**fleet.deployment(**at("lab+edge-3")), "name": "heir", "release": "shop", "migrate_from": "shop"}
    tasks = [
        {"emco.edge.composite_app": app, **once},
        {verb: fleet.deployment(**at("lab+edge-1")), **once},
        {verb: fleet.deployment(**at("lab+edge-3")), **once},
        {verb: {**shop, "revision": "previous"}, **once},
        {verb: heir, **once},
        {verb: {**shop, "name": "heir", "state": "absent"}, **once},
    ]
    fleet.marked()
    run = fleet.playbooks.tasks(tasks, fleet.inventory())
    assert run.code == 0, pretty(run)
    first, moved, back, migrated, gone = run.results_of("deployment")
    ready = {"lab+edge-1": "Ready", "lab+edge-2": "Ready"}
    assert {ref: one["state"] for ref, one in first["clusters"].items()} == ready
    assert {ref: one["state"] for ref, one in moved["clusters"].items()} == {**ready, "lab+edge-3": "Ready"}
    assert {ref: one["state"] for ref, one in back["clusters"].items()} == {**ready, "lab+edge-3": "Removed"}
    assert back["revision"] == 3 and migrated["migrated_from"]["state"] == "Removed"
    assert set(gone["summary"].items()) >= {("removed", 3), ("failed", 0), ("pending", 0)}
    # The hook is one of installs and upgrades: on edge-1 at first and when it went back; on edge-3 when it moved there
    # and when it migrated. The other one is of deletions: from edge-1, where extra stayed, and the other way round.
    made = {
        cluster: [one.name for one in fleet.lab.requests(cluster) if one.resource == "batch/jobs" and one.code == 201]
        for cluster in CLUSTERS
    }
    both = ["shop-web-hook", "shop-web-farewell"] * 2
    assert made == {"edge-1": both, "edge-2": [], "edge-3": both}
    assert not fleet.objects() and not fleet.objects(label="heir")


def test_keys_rotate_and_a_lost_store_is_restored_by_playbooks(fleet: Fleet) -> None:
    def run(playbook: str, **extra: Any) -> PlaybookRun:
        done = fleet.playbooks.run(f"emco.edge.{playbook}", fleet.inventory(), extra=extra or None)
        assert done.code == 0, pretty(done)
        return done

    def signed_by(cluster: str) -> str:
        record = record_name(f"{fleet.project}.shop")
        secret = fleet.lab.get(cluster, "secret", record, "-n", "emco-edge-system")
        return base64.b64decode(secret["data"]["signature"]).decode().partition(".")[0]

    assert fleet.deploy().code == 0
    old = signed_by("edge-1")
    rotated = run("rotate_keys").results_of("store_keys")[0]
    assert rotated["records_signed_anew"] == 2 and rotated["not_reached"] == []
    assert signed_by("edge-1") == signed_by("edge-2") == rotated["keys"][0] != old
    retired = [
        one for one in run("rotate_keys", rotate_keys_retire="true").results_of("store_keys") if "retired" in one
    ]
    assert retired[0]["retired"] == [old]
    backup = str(fleet.folder / "kept" / "edge.zip")
    assert run("backup", backup_path=backup).results_of("store_backup")[0]["backup"]["entries"] > 5
    shutil.rmtree(fleet.folder / "state")
    assert run("restore", restore_path=backup).results_of("store_restore")[0]["changed"]
    assert not run("restore", restore_path=backup).results_of("store_restore")[0]["changed"]
    fleet.marked()
    again = fleet.deploy()
    assert again.code == 0 and not result(again)["changed"] and result(again)["revision"] == 1, pretty(again)
    assert [fleet.writes(cluster) for cluster in CLUSTERS] == [[], [], []]
