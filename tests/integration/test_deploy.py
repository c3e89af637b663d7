# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments on real clusters through ansible-playbook: what is there after the first run, the second, and others'."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._sync.record import record_name
from tests.integration.deploying import ACCELERATOR, CLUSTERS, Fleet, pretty, result, states
from tests.integration.playbooks import Playbooks
from tests.lab.harness import Lab
from tests.tools.playbook import PlaybookRun

pytestmark = pytest.mark.integration

_numbers = itertools.count(1)


@pytest.fixture
def fleet(fleet_lab: Lab, playbooks: Playbooks) -> Iterator[Fleet]:
    one = Fleet(fleet_lab, playbooks, f"p{next(_numbers)}").prepare()
    yield one
    for cluster in CLUSTERS:
        fleet_lab.start(cluster)
    run = one.only(state="absent", wait_timeout="30s")
    assert not one.objects(), pretty(run)


def test_first_run_ships_and_second_writes_nothing(fleet: Fleet) -> None:
    first = fleet.deploy()
    assert first.code == 0, pretty(first)
    assert states(first) == {"edge-1": "Ready", "edge-2": "Ready"}
    assert fleet.data("edge-1", "notes") == {"cluster": "edge-1", "region": "north"}
    assert not fleet.objects("edge-3")
    before = fleet.objects()
    fleet.marked()
    second = fleet.deploy()
    assert second.code == 0 and not result(second)["changed"]
    assert result(second)["revision"] == result(first)["revision"] == 1
    assert fleet.objects() == before
    assert {cluster: fleet.writes(cluster) for cluster in CLUSTERS} == {cluster: [] for cluster in CLUSTERS}


def test_requests_stay_within_the_budget(fleet: Fleet) -> None:
    fleet.marked()
    run = fleet.deploy(wait=False)
    assert run.code == 0, pretty(run)
    # Of web a ConfigMap, a Secret, a Service, a Deployment; of notes a ConfigMap; one hook.
    objects, kinds, hooks = 5, 4, 1
    first = fleet.reads_and_writes("edge-1")
    assert fleet.deploy().code == 0
    fleet.marked()
    assert fleet.deploy().code == 0
    unchanged = fleet.reads_and_writes("edge-1")
    assert first <= objects + kinds + 7 + 2 * hooks
    assert unchanged <= kinds + 1 + 4  # the hook's kind is one more


def test_a_lost_store_is_rebuilt_from_the_records(fleet: Fleet) -> None:
    assert fleet.deploy().code == 0
    before = fleet.objects()
    shutil.rmtree(fleet.folder / "state")
    assert fleet.playbooks.run("emco.edge.register", fleet.inventory()).code == 0
    fleet.marked()
    again = fleet.deploy()
    assert again.code == 0 and not result(again)["changed"], pretty(again)
    assert fleet.objects() == before
    assert [fleet.writes(cluster) for cluster in CLUSTERS] == [[], [], []]
    shutil.rmtree(fleet.folder / "state")
    assert fleet.playbooks.run("emco.edge.register", fleet.inventory()).code == 0
    # Placed elsewhere now: what runs on edge-2 is known from its record alone, and leaves. Not while that is spoilt.
    record = record_name(f"{fleet.project}.shop")
    signature = fleet.lab.get("edge-2", "secret", record, "-n", "emco-edge-system")["data"]["signature"]
    fleet.sign("edge-2", record, "Zm9yZ2Vk")
    spoilt = fleet.deploy(placement={"default": {"clusters": ["lab+edge-1"]}})
    assert states(spoilt) == {"edge-1": "Ready", "edge-2": "Failed"}, pretty(spoilt)
    assert result(spoilt)["clusters"]["lab+edge-2"]["reason"] == "RecordNotTrusted"
    assert fleet.objects("edge-2") == {name: one for name, one in before.items() if name.startswith("edge-2")}
    fleet.sign("edge-2", record, signature)
    moved = fleet.deploy(placement={"default": {"clusters": ["lab+edge-1"]}})
    assert states(moved) == {"edge-1": "Ready", "edge-2": "Removed"}, pretty(moved)
    assert not fleet.objects("edge-2")


def test_just_the_drifted_objects_are_written(fleet: Fleet) -> None:
    assert fleet.deploy().code == 0
    fleet.lab.kubectl(
        "edge-1", "-n", "default", "patch", "configmap", "shop-web", "--type=merge", "-p", '{"data":{"colour":"red"}}'
    )
    fleet.lab.kubectl("edge-1", "-n", "default", "delete", "service", "shop-web")
    fleet.marked()
    run = fleet.deploy()
    assert run.code == 0 and result(run)["changed"]
    objects = [write for write in fleet.writes("edge-1") if "record-" not in write]
    assert sorted(objects) == ["patch configmaps shop-web", "patch services shop-web"]
    assert fleet.writes("edge-2") == []
    assert fleet.data("edge-1", "shop-web") == {"colour": "blue"}


def test_a_limit_never_moves_an_app_and_the_rest_follows(fleet: Fleet) -> None:
    limited = fleet.deploy(only=["edge-2"])
    assert limited.code == 0, pretty(limited)
    assert states(limited) == {"edge-2": "Ready"}
    assert [one["cluster"] for one in result(limited)["decisions"]["web"]["chosen"]] == ["lab+edge-1", "lab+edge-2"]
    assert result(limited)["outside_limit"] == ["lab+edge-1"]
    assert result(limited)["summary"]["pending"] == 1
    assert not fleet.objects("edge-1")
    rest = fleet.deploy()
    assert states(rest) == {"edge-1": "Ready", "edge-2": "Ready"}
    assert result(rest)["revision"] == result(limited)["revision"]


def test_an_app_that_needs_all_copies_waits_for_those_outside_the_limit(fleet: Fleet) -> None:
    app = fleet.composite_app()
    app["apps"][1]["depends_on"] = [{"app": "web", "scope": "everywhere"}]
    limited = fleet.deploy(app=app, only=["edge-2"])
    assert limited.code == 0, pretty(limited)
    assert result(limited)["clusters"]["lab+edge-2"]["reason"] == "DependencyOutsideLimit"
    assert states(fleet.deploy(app=app)) == {"edge-1": "Ready", "edge-2": "Ready"}


def test_serial_and_limited_runs_end_in_the_placement_of_an_unlimited_one(fleet: Fleet) -> None:
    two_of_three = {"web": {"selector": "region in (north, south)", "count": 2}, "notes": {"with": ["web"]}}
    intents = {
        "emco_composite_apps": [fleet.composite_app()],
        "emco_deployments": [fleet.deployment(placement=two_of_three)],
    }

    def deployed(*arguments: str, **extra: str) -> PlaybookRun:
        run = fleet.playbooks.run("emco.edge.deploy", fleet.inventory(), *arguments, extra={**intents, **extra})
        assert run.code == 0, pretty(run)
        return run

    def placed(one: dict[str, Any]) -> dict[str, list[str]]:
        return {app: [each["cluster"] for each in told["chosen"]] for app, told in one["decisions"].items()}

    planned = result(deployed(deploy_state="planned"))
    limited = result(deployed("--limit", "edge-2"))
    batches = deployed(emco_serial="2").results_of("deployment")
    whole = result(deployed())
    assert len(batches) == 2 and not whole["changed"]
    for one in (limited, *batches, whole):
        assert (placed(one), one["revision"]) == (placed(planned), planned["revision"])
    chosen = {cluster.partition("+")[2] for cluster in placed(planned)["web"]}
    assert {name.split()[0] for name in fleet.objects()} == chosen and len(chosen) == 2


def test_a_frozen_cluster_costs_the_others_nothing(fleet: Fleet) -> None:
    fleet.lab.freeze("edge-1")
    try:
        run = fleet.deploy(cluster_timeout="6s")
    finally:
        fleet.lab.thaw("edge-1")
    assert run.code != 0
    assert states(run) == {"edge-1": "Unreachable", "edge-2": "Ready"}, pretty(run)
    deferred = fleet.deploy(rollout={"unreachable": "defer"})
    assert deferred.code == 0 and states(deferred) == {"edge-1": "Ready", "edge-2": "Ready"}


def test_a_cluster_that_is_down_can_be_deferred(fleet: Fleet) -> None:
    fleet.lab.kill("edge-2")
    run = fleet.deploy(rollout={"unreachable": "defer"}, cluster_timeout="20s")
    assert run.code == 0, pretty(run)
    assert states(run) == {"edge-1": "Ready", "edge-2": "Deferred"}
    words = result(run)["clusters"]["lab+edge-2"]["message"]
    assert "Connection refused" in words and "https://127.0.0.1:" in words
    fleet.lab.start("edge-2")
    assert states(fleet.deploy()) == {"edge-1": "Ready", "edge-2": "Ready"}


def test_a_plan_is_applied_exactly_or_not_at_all(fleet: Fleet) -> None:
    planned = fleet.deploy(state="planned")
    assert planned.code == 0 and result(planned)["state"] == "Planned" and not fleet.objects()
    number = result(planned)["revision"]
    applied = fleet.only(revision=number)
    assert applied.code == 0 and result(applied)["revision"] == number, pretty(applied)
    second = result(fleet.deploy(state="planned", overrides={"web": {"values": {"colour": "green"}}}))["revision"]
    fleet.deploy(state="planned", overrides={"web": {"values": {"colour": "black"}}})
    stale = fleet.only(revision=second)
    assert stale.code != 0 and result(stale)["reason"] == "StalePlan"
    assert fleet.data("edge-1", "shop-web") == {"colour": "blue"}


def test_going_back_brings_the_old_objects_under_a_new_number(fleet: Fleet) -> None:
    fleet.deploy()
    changed = fleet.deploy(overrides={"web": {"values": {"colour": "green", "hook": False}}})
    assert result(changed)["revision"] == 2 and fleet.data("edge-1", "shop-web") == {"colour": "green"}
    back = fleet.only(revision=1)
    assert back.code == 0 and result(back)["revision"] == 3, pretty(back)
    assert fleet.data("edge-1", "shop-web") == {"colour": "blue"}


def test_the_playbook_goes_back_to_what_was_everywhere_before(fleet: Fleet) -> None:
    intents = {"emco_deployments": [{"project": fleet.project, "name": "shop"}]}
    fleet.deploy()
    none = fleet.playbooks.run("emco.edge.rollback", fleet.inventory(), extra=intents)
    assert none.code != 0 and result(none)["reason"] == "UnknownRevision"
    fleet.deploy(overrides={"web": {"values": {"colour": "green", "hook": False}}})
    broken = fleet.deploy(overrides={"web": {"values": {"port": -1, "hook": False}}})
    assert broken.code != 0
    back = fleet.playbooks.run("emco.edge.rollback", fleet.inventory(), extra=intents)
    assert back.code == 0 and result(back)["revision"] == 4, pretty(back)
    assert fleet.data("edge-1", "shop-web") == {"colour": "green"}


def test_an_app_moves_and_moves_back(fleet: Fleet) -> None:
    fleet.deploy(placement={"default": {"clusters": ["lab+edge-1"]}})
    moved = fleet.deploy(placement={"default": {"clusters": ["lab+edge-3"]}})
    assert states(moved) == {"edge-1": "Removed", "edge-3": "Ready"}, pretty(moved)
    assert {name.split()[0] for name in fleet.objects()} == {"edge-3"}
    back = fleet.only(revision=1)
    assert states(back) == {"edge-1": "Ready", "edge-3": "Removed"}, pretty(back)
    assert {name.split()[0] for name in fleet.objects()} == {"edge-1"}


def test_check_mode_says_what_would_happen_and_stores_nothing(fleet: Fleet) -> None:
    intents = {"emco_composite_apps": [fleet.composite_app()], "emco_deployments": [fleet.deployment()]}
    first = fleet.playbooks.run("emco.edge.deploy", fleet.inventory(), extra=intents, check=True)
    assert first.code == 0 and result(first)["changed"], pretty(first)
    assert result(first)["summary"]["applied"] > 8
    fleet.playbooks.tasks([{"emco.edge.composite_app": fleet.composite_app(), "run_once": True}], fleet.inventory())
    store = sorted(path.stat().st_size for path in (fleet.folder / "state").rglob("*.db"))
    fleet.marked()
    run = fleet.deploy(check=True, diff=True)
    assert run.code == 0 and result(run)["changed"], pretty(run)
    assert "would create" in run.output
    assert [fleet.writes(cluster) for cluster in CLUSTERS] == [[], [], []]
    assert not fleet.objects()
    assert store == sorted(path.stat().st_size for path in (fleet.folder / "state").rglob("*.db"))
    assert fleet.deploy().code == 0
    quiet = fleet.deploy(check=True)
    assert not result(quiet)["changed"]
    other = fleet.deploy(check=True, overrides={"web": {"values": {"replicas": 2}}})
    assert result(other)["changed"] and "TooManyFailures" not in other.output, pretty(other)


def test_removal_leaves_nothing_but_our_namespace(fleet: Fleet) -> None:
    kinds = "all,configmaps,secrets,serviceaccounts,customresourcedefinitions,namespaces"
    before = set(fleet.lab.kubectl("edge-1", "get", kinds, "--all-namespaces", "-o", "name").split())
    fleet.deploy()
    removed = fleet.only(state="absent")
    assert states(removed) == {"edge-1": "Removed", "edge-2": "Removed"}, pretty(removed)
    after = set(fleet.lab.kubectl("edge-1", "get", kinds, "--all-namespaces", "-o", "name").split())
    assert after - before <= {"namespace/emco-edge-system", "configmap/kube-root-ca.crt", "serviceaccount/default"}
    again = fleet.only(state="absent")
    assert again.code == 0 and not result(again)["changed"]


def test_what_one_server_refuses_stops_that_cluster_only(fleet: Fleet) -> None:
    overrides = {"lab+edge-1": {"web": {"values": {"port": 99999}}}}
    run = fleet.deploy(cluster_overrides=overrides)
    assert run.code != 0
    assert states(run) == {"edge-1": "Failed", "edge-2": "Ready"}, pretty(run)
    told = result(run)["clusters"]["lab+edge-1"]
    assert "Service default/shop-web" in told["message"] and "99999" in told["message"]


def test_a_composite_app_that_is_deployed_stays(fleet: Fleet) -> None:
    assert fleet.deploy(wait=False).code == 0
    gone = {"project": fleet.project, "name": "shop", "version": "v1", "state": "absent"}
    run = fleet.playbooks.tasks([{"emco.edge.composite_app": gone, "run_once": True}], fleet.inventory())
    assert run.results_of("composite_app")[0]["reason"] == "InUse", pretty(run)


def test_bad_input_is_told_at_once_and_nothing_happens(fleet: Fleet) -> None:
    fleet.marked()
    run = fleet.deploy(
        profile="tset",
        overrides={"wbe": {"values": {}}},
        cluster_overrides={"lab+edge-9": {"web": {}}},
        placement={"web": {"label": "region=north"}, "nots": {}},
    )
    assert run.code != 0
    paths = {problem["path"] for problem in result(run)["problems"]}
    assert {"profile", "overrides.wbe", "cluster_overrides.lab+edge-9", "placement.nots"} <= paths
    assert "did you mean" in run.output
    unknown = fleet.only(composite_app="shpo", version="v1", placement={"default": {}})
    assert result(unknown)["reason"] == "UnknownCompositeApp" and "Did you mean shop" in unknown.output
    chart = written_chart(fleet.folder)
    broken = fleet.deploy(
        app={**fleet.composite_app(), "apps": [{"name": "web", "chart": chart}], "profiles": []}, profile=None
    )
    assert broken.code != 0 and "templates/bad.yaml" in broken.output, pretty(broken)
    assert [fleet.writes(cluster) for cluster in CLUSTERS] == [[], [], []]


def written_chart(folder: Path) -> str:
    bad = folder / "charts" / "bad"
    (bad / "templates").mkdir(parents=True)
    (bad / "Chart.yaml").write_text("{apiVersion: v2, name: bad, version: 1.0.0}\n")
    (bad / "templates" / "bad.yaml").write_text('{{ fail "no colour was given" }}\n')
    return "charts/bad"


def test_status_says_what_is_ready_and_why_not(fleet: Fleet) -> None:
    fleet.deploy()
    task = {
        "emco.edge.deployment_info": {"project": fleet.project, "name": "shop", "revisions": True},
        "run_once": True,
    }
    told = fleet.playbooks.tasks([task], fleet.inventory()).results_of("deployment_info")[0]["deployments"][0]
    assert told["ready_status"] == "Ready" and told["state"] == "Current", told
    assert [one["revision"] for one in told["revisions"]] == [1]
    assert {app["name"] for app in told["apps"]} == {"web", "notes"}
    fleet.deploy(overrides={"web": {"values": {"type": "LoadBalancer"}}}, wait=False, wait_timeout="5s")
    told = fleet.playbooks.tasks([task], fleet.inventory()).results_of("deployment_info")[0]["deployments"][0]
    assert told["ready_status"] == "NotReady"
    assert any(one["reason"] for one in told["not_ready"]), told["not_ready"]


def test_a_second_run_at_once_is_refused_and_a_killed_one_is_finished(fleet: Fleet) -> None:
    running = fleet.begun()
    try:
        second = fleet.deploy()
        assert second.code != 0 and result(second)["reason"] == "Busy", pretty(second)
        assert " pid " in result(second)["msg"]
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=60)
    finished = fleet.deploy(lock_wait="60s")
    assert finished.code == 0 and states(finished) == {"edge-1": "Ready", "edge-2": "Ready"}, pretty(finished)
    assert not result(fleet.deploy())["changed"]


def needing(accelerators: int) -> list[dict[str, object]]:
    return [{"app": "web", "workload": "shop-web", "container": "web", "requests": {ACCELERATOR: accelerators}}]


def test_hardware_lands_where_it_is_and_is_asked_for_in_the_objects(fleet: Fleet) -> None:
    run = fleet.deploy(hardware=needing(1), explain=["web"])
    assert run.code == 0, pretty(run)
    decision = result(run)["decisions"]["web"]
    assert [one["cluster"] for one in decision["chosen"]] == ["lab+edge-1"]
    refused = {one["cluster"]: one["message"] for one in decision["rejected"]}
    assert ACCELERATOR in refused["lab+edge-2"]
    template = fleet.lab.get("edge-1", "deployment", "shop-web", "-n", "default")["spec"]["template"]["spec"]
    assert template["containers"][0]["resources"]["requests"] == {ACCELERATOR: "1"}
    pods = fleet.lab.get("edge-1", "pods", "-n", "default", "-l", "app=web")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"edge-1-a"}


def test_hardware_that_is_nowhere_fails_before_anything_is_applied(fleet: Fleet) -> None:
    fleet.marked()
    run = fleet.deploy(hardware=needing(5))
    assert run.code != 0, pretty(run)
    assert result(run)["failures"][0]["nearest"]["cluster"] == "lab+edge-1"
    assert ACCELERATOR in result(run)["failures"][0]["nearest"]["lacks"]
    assert [fleet.writes(cluster) for cluster in CLUSTERS] == [[], [], []]
    unknown = fleet.deploy(hardware=[{**needing(1)[0], "workload": "shop-wbe"}])
    assert result(unknown)["problems"][0]["path"] == "hardware[0].workload"


def test_drift_is_told_with_fields_before_and_after(fleet: Fleet) -> None:
    fleet.deploy()
    for change in ({"data": {"colour": "red"}}, {"metadata": {"labels": {"theirs": "1"}}}):
        fleet.patch("edge-1", "configmap", "shop-web", change)
    fleet.patch("edge-1", "deployment", "shop-web", {"spec": {"replicas": 3}})
    fleet.lab.kubectl("edge-1", "-n", "default", "delete", "service", "shop-web")
    ask = {"emco.edge.deployment_info": {"project": fleet.project, "name": "shop", "drift": True}, "run_once": True}
    wanted = fleet.deployment(drift="report")
    left = {**wanted, "ignore_fields": [{"kind": "Deployment", "paths": ["spec.replicas"]}]}
    report = [{"emco.edge.deployment": one, "run_once": True, "check_mode": True} for one in (wanted, left)]
    ignoring = {"emco.edge.deployment": {**left, "drift": "correct"}, "run_once": True}
    run = fleet.playbooks.tasks([ask, ask, *report, ignoring, ask], fleet.inventory())
    assert run.code == 0, pretty(run)
    first, second, settled = (told["deployments"][0] for told in run.results_of("deployment_info"))
    drift = {one["object"]: one for one in first["drift"]}
    names = {"ConfigMap default/shop-web", "Deployment default/shop-web", "Service default/shop-web"}
    assert set(drift) == names, first["drift"]
    assert [one["path"] for one in drift["ConfigMap default/shop-web"]["fields"]] == ["data.colour"]
    assert "red" in str(drift["ConfigMap default/shop-web"]["fields"])
    assert drift["Service default/shop-web"]["deleted"] and not drift["Deployment default/shop-web"]["deleted"]
    assert drift["Deployment default/shop-web"]["changed_at"].endswith("Z")
    assert {one["object"]: one["first_seen"] for one in second["drift"]} == {
        name: one["first_seen"] for name, one in drift.items()
    }
    alarm, also, corrected = run.results_of("deployment")
    assert alarm["changed"] and also["changed"] and corrected["changed"]
    assert fleet.data("edge-1", "shop-web") == {"colour": "blue"}
    assert fleet.lab.get("edge-1", "deployment", "shop-web", "-n", "default")["spec"]["replicas"] == 3
    assert settled["drift"] == []
    quiet = fleet.deploy(check=True, drift="report", ignore_fields=left["ignore_fields"])
    assert quiet.code == 0 and not result(quiet)["changed"], pretty(quiet)


def test_a_controller_of_another_collection_edits_each_clusters_objects(fleet: Fleet) -> None:
    plugins = fleet.folder / "more" / "ansible_collections" / "acme" / "edge" / "plugins" / "plugin_utils"
    (plugins / "emco_controllers").mkdir(parents=True)
    (plugins / "emco_controllers" / "paint.py").write_text(
        "def control(request):\n"
        "    for one in request['objects']:\n"
        "        if one['kind'] == 'ConfigMap' and 'colour' in one['data']:\n"
        "            one['data']['colour'] = f\"{request['options']['colour']} on {request['cluster']['name']}\"\n"
        "    return {'version': 1, 'objects': request['objects']}\n"
    )
    paths = f"{fleet.playbooks.own_environment()['ANSIBLE_COLLECTIONS_PATH']}:{fleet.folder / 'more'}"
    controllers = [{"name": "acme.edge.paint", "options": {"colour": "red"}}]
    first = fleet.deploy(controllers=controllers, env={"ANSIBLE_COLLECTIONS_PATH": paths})
    assert first.code == 0, pretty(first)
    assert fleet.data("edge-1", "shop-web") == {"colour": "red on lab+edge-1"}
    assert result(first)["decisions"]["web"]["controllers"] == [
        {"name": "acme.edge.paint", "clusters": ["lab+edge-1", "lab+edge-2"], "changed": ["ConfigMap shop-web"]}
    ]
    # The stored intent lists it still, and this run cannot find the collection.
    second = fleet.only()
    assert second.code != 0 and result(second)["reason"] == "UnknownController"
