# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks, dependencies between apps and removal, on a real API server."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard, Progress
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action, Outcome, State
from tests.integration.syncing import (
    Rig,
    actions,
    bundle_of,
    config_map,
    definition,
    deployment,
    job,
    namespace,
    short,
)

pytestmark = pytest.mark.integration

ALL = "pre-install,post-install,pre-upgrade,post-upgrade,pre-rollback,post-rollback"


def sent(rig: Rig, work: Any) -> tuple[Outcome, list[str]]:
    """What was made, and the names of what was created or applied or deleted, in order; the record apart."""
    outcome, requests = rig.counted(work)
    written = [one for one in requests if one.writes and one.resource not in ("secrets", "namespaces")]
    return outcome, [("-" if one.verb == "delete" else "") + one.name for one in written]


def test_hooks_run_around_the_objects_in_the_order_of_their_weights(rig: Rig) -> None:
    bundle = bundle_of(
        rig.space,
        {
            "web": [
                config_map(rig.space, "main", a="1"),
                job(rig.space, "late", hook="pre-install", hook_weight="5"),
                job(rig.space, "early", hook="pre-install", hook_weight="-5"),
                job(rig.space, "after", hook="post-install"),
                job(rig.space, "never", hook="post-upgrade"),
            ]
        },
    )

    outcome, order = sent(rig, lambda: rig.sync(bundle))

    assert outcome.state is State.READY, outcome
    assert order == ["early", "late", "main", "after"]
    assert actions(outcome)[f"Job {rig.space}/early"] == "ran"
    assert not rig.sync(bundle).changed


def test_a_new_revision_runs_upgrade_hooks_and_a_rollback_its_own(rig: Rig) -> None:
    hooks = [job(rig.space, "install", hook="pre-install"), job(rig.space, "upgrade", hook="post-upgrade")]
    hooks.append(job(rig.space, "back", hook="pre-rollback"))
    old = bundle_of(rig.space, {"web": [config_map(rig.space, "main", a="1"), *hooks]})
    new = bundle_of(rig.space, {"web": [config_map(rig.space, "main", a="2"), *hooks]})

    orders = [
        sent(rig, lambda: rig.sync(old))[1],
        sent(rig, lambda: rig.sync(new))[1],
        sent(rig, lambda: rig.sync(old, event="rollback"))[1],
        sent(rig, lambda: rig.sync(new))[1],
    ]

    assert orders == [["install", "main"], ["main", "upgrade"], ["back", "main"], ["main", "-upgrade", "upgrade"]]


def test_an_app_that_comes_to_a_cluster_is_installed_while_the_others_are_upgraded(rig: Rig) -> None:
    def app(name: str, value: str) -> list[dict[str, Any]]:
        hooks = [job(rig.space, f"{name}-{event}", hook=f"pre-{event}") for event in ("install", "upgrade", "rollback")]
        return [config_map(rig.space, name, value=value), *hooks]

    alone = bundle_of(rig.space, {"web": app("web", "1")})
    both = bundle_of(rig.space, {"web": app("web", "2"), "db": app("db", "2")})
    broken = bundle_of(rig.space, {"web": app("web", "3"), "db": [*app("db", "3"), _failing(rig, "post-install")]})

    assert sent(rig, lambda: rig.sync(alone))[1] == ["web-install", "web"]
    assert _ran(rig.sync(broken, wait_timeout=20.0)) == ["db-install", "web-upgrade"]
    assert _ran(rig.sync(both, check=True)) == ["db-install", "web-upgrade"], "its installation was never finished"
    assert _ran(rig.sync(both)) == ["db-install", "web-upgrade"]
    assert _ran(rig.sync(alone)) == ["web-upgrade"]
    assert _ran(rig.sync(both, event="rollback")) == ["db-install", "web-rollback"]
    assert _ran(rig.sync(bundle_of(rig.space, {"web": app("web", "4"), "db": app("db", "4")}))) == [
        "db-upgrade",
        "web-upgrade",
    ]


def test_an_app_that_leaves_others_behind_runs_its_delete_hooks_and_leaves_nothing(rig: Rig) -> None:
    db = [
        config_map(rig.space, "db", a="1"),
        job(rig.space, "save", hook="pre-delete"),
        job(rig.space, "tell", hook="post-delete", hook_delete_policy="hook-succeeded"),
    ]
    both = bundle_of(rig.space, {"web": [config_map(rig.space, "web", a="1")], "db": db})
    alone = bundle_of(rig.space, {"web": [config_map(rig.space, "web", a="1")]})
    assert alone.parting(both) is None
    assert rig.sync(both).state is State.READY

    foreseen = rig.sync(alone, check=True, parting=both.parting(alone))
    outcome, order = sent(rig, lambda: rig.sync(alone, parting=both.parting(alone)))

    assert outcome.state is State.READY, outcome
    assert order == ["save", "-save", "-db", "tell", "-tell"]
    assert _ran(foreseen) == _ran(outcome) == ["save", "tell"]
    assert outcome.record is not None and [one.identity.name for one in outcome.record.objects] == ["web"]
    assert not rig.sync(alone, parting=both.parting(alone)).changed


def test_a_failed_delete_hook_keeps_the_app_that_was_to_leave(rig: Rig) -> None:
    def both(fate: str) -> Any:
        db = [config_map(rig.space, "db", a="1"), job(rig.space, "save", hook="pre-delete", fate=fate)]
        return bundle_of(rig.space, {"web": [config_map(rig.space, "web", a="1")], "db": db})

    alone = bundle_of(rig.space, {"web": [config_map(rig.space, "web", a="2")]})
    rig.sync(both(""))

    failed = rig.sync(alone, parting=both("failed").parting(alone), wait_timeout=20.0)
    assert (failed.state, failed.reason) == (State.FAILED, "HookFailed"), failed
    assert rig.get("configmap", "db") is not None

    mended, order = sent(rig, lambda: rig.sync(alone, parting=both("").parting(alone)))
    assert mended.state is State.READY, mended
    assert order == ["-save", "save", "-save", "-db"]


def _failing(rig: Rig, event: str) -> dict[str, Any]:
    return job(rig.space, "fails", hook=event, fate="failed")


def _ran(outcome: Outcome) -> list[str]:
    found = [(one.identity.name, one.action) for one in outcome.objects]
    return sorted(name for name, action in found if action in (Action.RAN, Action.WOULD_RUN))


def test_a_failed_hook_fails_the_cluster_and_runs_again_next_time(rig: Rig) -> None:
    def bundle(fate: str) -> Any:
        hook = job(rig.space, "migrate", hook="pre-install", fate=fate)
        return bundle_of(rig.space, {"web": [config_map(rig.space, "main", a="1"), hook]})

    failed, order = sent(rig, lambda: rig.sync(bundle("failed"), wait_timeout=20.0))
    mended, again = sent(rig, lambda: rig.sync(bundle("")))

    assert (failed.state, failed.reason) == (State.FAILED, "HookFailed"), failed
    assert "migrate" in failed.message and "BackoffLimitExceeded" in failed.message
    assert order == ["migrate"]
    assert mended.state is State.READY, mended
    assert again == ["-migrate", "migrate", "main"]


def test_delete_policies_are_honoured(rig: Rig) -> None:
    bundle = bundle_of(
        rig.space,
        {
            "web": [
                job(rig.space, "gone", hook="pre-install", hook_delete_policy="hook-succeeded"),
                job(rig.space, "stays", hook="pre-install"),
            ]
        },
    )
    rig.sync(bundle)

    assert rig.get("job", "gone") is None
    assert rig.get("job", "stays") is not None


def test_hooks_that_go_when_they_succeeded_go_after_all_hooks_of_the_event_as_in_helm(rig: Rig) -> None:
    def hook(name: str, weight: int, fate: str = "") -> dict[str, Any]:
        policy = {"hook_weight": str(weight), "hook_delete_policy": "before-hook-creation,hook-succeeded"}
        return job(rig.space, name, hook="pre-install", fate=fate, **policy)

    good = bundle_of(rig.space, {"web": [hook("first", 1), hook("second", 2), config_map(rig.space, "main", a="1")]})
    outcome, order = sent(rig, lambda: rig.sync(good))

    assert outcome.state is State.READY, outcome
    assert order == ["first", "second", "-second", "-first", "main"]
    bad = bundle_of(f"{rig.space}-bad", {"web": [hook("third", 1), hook("fourth", 2, fate="failed")]})
    outcome, order = sent(rig, lambda: rig.sync(bad))
    assert outcome.reason == "HookFailed"
    assert order == ["third", "fourth", "-third"]


def test_hook_objects_of_others_are_not_touched(rig: Rig) -> None:
    rig.kubectl("create", "-f", "-", stdin=json.dumps(job(rig.space, "migrate")))
    bundle = bundle_of(rig.space, {"web": [job(rig.space, "migrate", hook="pre-install")]})

    assert rig.sync(bundle).reason == "NotOurs"


def test_an_app_starts_when_the_app_it_needs_is_ready(rig: Rig) -> None:
    apps = {"web": [config_map(rig.space, "web", a="1")], "db": [deployment(rig.space, "db")]}
    bundle = bundle_of(rig.space, apps, dependencies={"web": (AppDependency("db", "ready"),)})

    outcome, order = sent(rig, lambda: rig.sync(bundle))

    assert outcome.state is State.READY, outcome
    assert order == ["db", "web"]


def test_an_app_waits_for_the_app_it_needs_on_another_cluster(rig: Rig) -> None:
    board = DependencyBoard({"web": ["lab+edge-1"], "db": ["lab+edge-2"]})
    bundle = bundle_of(
        rig.space,
        {"web": [config_map(rig.space, "web", a="1")]},
        dependencies={"web": (AppDependency("db", "ready"),)},
    )
    timer = threading.Timer(1.0, lambda: board.tell("db", "lab+edge-2", Progress.READY))
    timer.start()

    outcome = rig.sync(bundle, board=board)

    assert outcome.state is State.READY, outcome
    assert outcome.seconds > 0.9


@pytest.mark.parametrize(
    ("board", "reason", "state"),
    [
        (DependencyBoard({"db": ["lab+edge-2"]}), "DependencyTimeout", State.FAILED),
        (DependencyBoard({"db": ["lab+edge-2"]}, within=["lab+edge-1"]), "DependencyOutsideLimit", State.PENDING),
        (
            DependencyBoard({"db": ["lab+edge-2"]}, known={("db", "lab+edge-2"): Progress.FAILED}),
            "DependencyFailed",
            State.PENDING,
        ),
    ],
)
def test_a_dependency_that_does_not_come_is_named(rig: Rig, board: DependencyBoard, reason: str, state: State) -> None:
    bundle = bundle_of(
        rig.space,
        {"web": [config_map(rig.space, "web", a="1")], "free": [config_map(rig.space, "free", a="1")]},
        dependencies={"web": (AppDependency("db", "ready"),)},
    )

    outcome = rig.sync(bundle, board=board, wait_timeout=1.0)

    assert (outcome.state, outcome.reason) == (state, reason)
    assert "db" in outcome.message and "lab+edge-2" in outcome.message
    assert rig.get("configmap", "free") is not None
    assert rig.get("configmap", "web") is None


def test_removal_takes_everything_in_reverse_with_its_hooks(rig: Rig) -> None:
    apps = {
        "db": [config_map(rig.space, "db-settings", a="1"), deployment(rig.space, "db")],
        "web": [
            config_map(rig.space, "web-settings", a="1"),
            job(rig.space, "before", hook="pre-delete"),
            job(rig.space, "after", hook="post-delete"),
            job(rig.space, "installed", hook="post-install"),
        ],
    }
    bundle = bundle_of(rig.space, apps, dependencies={"web": (AppDependency("db", "ready"),)})
    rig.sync(bundle)

    checked = rig.remove(bundle, check=True)
    outcome, order = sent(rig, lambda: rig.remove(bundle))

    assert checked.deleted == 4
    assert outcome.state is State.REMOVED, outcome
    assert order == ["before", "-before", "-web-settings", "-db", "-db-settings", "after", "-after", "-installed"]
    left = rig.lab.get(rig.cluster, "configmap,deployment,job,pod", "-n", rig.space)["items"]
    assert [one["metadata"]["name"] for one in left if one["metadata"]["name"] != "kube-root-ca.crt"] == []
    again, requests = rig.counted(lambda: rig.remove(bundle))
    assert (again.state, again.changed, len(requests)) == (State.REMOVED, False, 1)


def test_removal_keeps_data_and_what_holds_other_peoples_objects(rig: Rig) -> None:
    space = short("kept namespace of " + rig.space)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": rig.space},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    keep = config_map(rig.space, "kept-by-chart", a="1")
    keep["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    crd = definition("gates", "Gate")
    bundle = bundle_of(rig.space, {"web": [namespace(space), crd, claim, keep, config_map(space, "mine", a="1")]})
    rig.sync(bundle, wait=False)
    rig.kubectl("create", "configmap", "-n", space, "theirs", "--from-literal=a=1")
    gate = {"apiVersion": "sync.example.com/v1", "kind": "Gate", "metadata": {"name": "theirs", "namespace": "default"}}
    rig.kubectl("create", "-f", "-", stdin=json.dumps(gate))

    outcome = rig.remove(bundle)

    assert outcome.state is State.REMOVED, outcome
    kept = {str(one.identity): (one.reason, one.message) for one in outcome.objects if one.action.value == "kept"}
    assert {name: reason for name, (reason, _unused) in kept.items()} == {
        f"Namespace {space}": "HoldsOthers",
        "CustomResourceDefinition gates.sync.example.com": "HoldsOthers",
        f"PersistentVolumeClaim {rig.space}/data": "HoldsData",
        f"ConfigMap {rig.space}/kept-by-chart": "Keep",
    }
    assert f"ConfigMap {space}/theirs" in kept[f"Namespace {space}"][1]
    assert rig.get("pvc", "data") is not None
    assert outcome.deleted == 1
    back = rig.sync(bundle, wait=False)
    assert back.reason != "NotOurs", back


def test_removal_releases_kinds_to_others(rig: Rig) -> None:
    bundle = bundle_of(rig.space, {"web": [config_map(rig.space, "mine", a="1"), deployment(rig.space, "web")]})
    rig.sync(bundle)

    outcome = rig.remove(bundle, keep=("Deployment",))

    assert outcome.state is State.REMOVED, outcome
    released = rig.get("deployment", "web")
    assert released is not None and "emco.edge/deployment" not in released["metadata"].get("labels", {})
    assert rig.get("configmap", "mine") is None


def test_removal_that_a_finalizer_holds_names_it_and_goes_on_later(rig: Rig) -> None:
    held = config_map(rig.space, "held", a="1")
    held["metadata"]["finalizers"] = ["example.com/held"]
    bundle = bundle_of(rig.space, {"web": [held, config_map(rig.space, "free", a="1")]})
    rig.sync(bundle)

    outcome = rig.remove(bundle, wait_timeout=1.0)

    assert (outcome.state, outcome.reason) == (State.FAILED, "DeletionTimeout")
    assert "example.com/held" in outcome.message
    rig.kubectl("patch", "configmap", "-n", rig.space, "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert rig.remove(bundle).state is State.REMOVED


def test_a_namespace_that_is_being_deleted_is_named(rig: Rig) -> None:
    space = short("terminating namespace of " + rig.space)
    rig.lab.apply(rig.cluster, namespace(space))
    holder = config_map(space, "holder", a="1")
    holder["metadata"]["finalizers"] = ["example.com/held"]
    rig.lab.apply(rig.cluster, holder)
    rig.kubectl("delete", "namespace", space, "--wait=false")

    outcome = rig.sync(bundle_of(rig.space, {"web": [config_map(space, "mine", a="1")]}))

    assert (outcome.state, outcome.reason) == (State.FAILED, "NamespaceTerminating")
    rig.kubectl("patch", "configmap", "-n", space, "holder", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
