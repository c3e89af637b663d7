# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sync that is killed after any of its requests is finished by the next one: nothing twice, nothing forgotten."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency, Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.cluster import sync_cluster
from ansible_collections.emco.edge.plugins.module_utils._sync.options import SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from ansible_collections.emco.edge.plugins.module_utils._sync.removal import remove_cluster
from tests.integration.syncing import KEYS, Rig, bundle_of, config_map, deployment, job, namespace, secret, service

pytestmark = pytest.mark.integration

NEED = {"web": (AppDependency("db", "ready"),)}


def first(space: str, name: str) -> Bundle:
    apps = {
        "db": [secret(space, "db", password="a"), service(space, "db"), deployment(space, "db")],
        "web": [
            config_map(space, "stays", a="1"),
            config_map(space, "changes", a="1"),
            config_map(space, "goes", a="1"),
            job(
                space,
                "before",
                hook="pre-install,pre-upgrade",
                hook_delete_policy="before-hook-creation,hook-succeeded",
            ),
            job(space, "after", hook="post-install,post-upgrade"),
        ],
        "old": [
            config_map(space, "old", a="1"),
            job(space, "save", hook="pre-delete"),
            job(space, "tell", hook="post-delete", hook_delete_policy="hook-succeeded"),
        ],
    }
    return bundle_of(name, apps, dependencies=NEED)


def second(space: str, name: str) -> Bundle:
    apps = {
        "db": [secret(space, "db", password="b"), service(space, "db"), deployment(space, "db")],
        "web": [
            config_map(space, "stays", a="1"),
            config_map(space, "changes", a="2"),
            config_map(space, "comes", a="1"),
            job(
                space,
                "before",
                hook="pre-install,pre-upgrade",
                hook_delete_policy="before-hook-creation,hook-succeeded",
            ),
            job(space, "after", hook="post-install,post-upgrade"),
        ],
    }
    return bundle_of(name, apps, dependencies=NEED)


def killed(rig: Rig, bundle: Bundle, what: str, after: int, **options: Any) -> bool:
    """Sync in a process that kills itself after its k-th answer; False: it was done before that."""
    child = os.fork()
    if child == 0:
        try:
            client = rig.client()
            client.transport.send = _counted(client.transport.send, after)  # type: ignore[method-assign]
            work = sync_cluster if what == "sync" else remove_cluster
            work(client, bundle, SyncOptions(allow_deletions=True, **options), KEYS)
        finally:
            os._exit(0)
    _unused, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _counted(send: Callable[..., Any], after: int) -> Callable[..., Any]:
    lock, count = threading.Lock(), itertools.count(1)

    def counted(*arguments: Any, **named: Any) -> Any:
        answer = send(*arguments, **named)
        with lock:
            if next(count) >= after:
                os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return counted


def owned(rig: Rig) -> dict[str, Any]:
    """What of the deployment is there, without what each cluster makes of its own."""
    found = rig.lab.get(
        rig.cluster, "configmap,secret,service,deployment,job", "-n", rig.space, "-l", "emco.edge/deployment"
    )
    return {
        f"{one['kind']}/{one['metadata']['name']}": one.get("data") or (one.get("spec") or {}).get("replicas")
        for one in found["items"]
    }


def hooks_run(rig: Rig) -> dict[str, int]:
    """How often each hook's Job was made, since the mark."""
    made: dict[str, int] = {}
    for one in rig.lab.requests(rig.cluster):
        if one.resource == "batch/jobs" and one.namespace == rig.space and one.code == 201:
            made[one.name] = made.get(one.name, 0) + 1
    return made


def test_a_first_run_killed_after_any_request_is_finished_by_the_next(rig: Rig) -> None:
    undisturbed: dict[str, Any] | None = None
    for after in (0, *range(1, 100, 2)):
        space = f"{rig.space}-{after}"
        mine = replace(rig, space=space)
        rig.lab.apply(rig.cluster, namespace(space))
        bundle = first(space, space)
        rig.lab.mark(rig.cluster)

        if after and not killed(mine, bundle, "sync", after):
            break
        outcome = mine.sync(bundle)

        assert outcome.state is State.READY, (after, outcome)
        undisturbed = owned(mine) if undisturbed is None else undisturbed
        assert owned(mine) == undisturbed, after
        assert hooks_run(mine) == {"before": 1, "after": 1}, after
        assert not mine.sync(bundle).changed, after
        rig.kubectl("delete", "namespace", space, "--wait=false")
    print(f"killed after {after // 2} different requests of a first run")
    assert after > 20


def test_an_upgrade_killed_after_any_request_is_finished_by_the_next(rig: Rig) -> None:
    undisturbed: dict[str, Any] | None = None
    for after in range(0, 150, 5):
        space = f"{rig.space}-{after}"
        mine = replace(rig, space=space)
        rig.lab.apply(rig.cluster, namespace(space))
        assert mine.sync(first(space, space)).state is State.READY
        bundle = second(space, space)
        parting = first(space, space).parting(bundle)
        rig.lab.mark(rig.cluster)

        if after and not killed(mine, bundle, "sync", after, parting=parting):
            break
        outcome = mine.sync(bundle, parting=parting)

        assert outcome.state is State.READY, (after, outcome)
        undisturbed = owned(mine) if undisturbed is None else undisturbed
        assert owned(mine) == undisturbed, after
        assert not {"ConfigMap/goes", "ConfigMap/old", "Job/save", "Job/tell"} & {*undisturbed}
        assert hooks_run(mine) == {"before": 1, "after": 1, "save": 1, "tell": 1}, after
        assert not mine.sync(bundle).changed, after
        rig.kubectl("delete", "namespace", space, "--wait=false")
    print(f"killed after {after // 5 - 1} different requests of an upgrade")
    assert after > 45


def test_a_removal_killed_after_any_request_is_finished_by_the_next(rig: Rig) -> None:
    for after in range(1, 100, 3):
        space = f"{rig.space}-{after}"
        mine = replace(rig, space=space)
        rig.lab.apply(rig.cluster, namespace(space))
        bundle = first(space, space)
        assert mine.sync(bundle).state is State.READY
        rig.lab.mark(rig.cluster)

        if not killed(mine, bundle, "remove", after):
            break
        outcome = mine.remove(bundle)

        assert outcome.state is State.REMOVED, (after, outcome)
        assert owned(mine) == {}, after
        assert hooks_run(mine) == {"save": 1, "tell": 1}, after
        rig.kubectl("delete", "namespace", space, "--wait=false")
    print(f"killed after {after // 3} different requests of a removal")
    assert after > 10


def test_what_a_killed_run_made_is_deleted_when_it_is_no_longer_wanted(rig: Rig) -> None:
    for after in range(4, 14, 3):
        space = f"{rig.space}-{after}"
        mine = replace(rig, space=space)
        rig.lab.apply(rig.cluster, namespace(space))
        killed(mine, first(space, space), "sync", after)
        other = bundle_of(space, {"web": [config_map(space, "other", a="1")]})

        outcome = mine.sync(other, allow_deletions=True)

        assert outcome.state is State.READY, (after, outcome)
        assert owned(mine) == {"ConfigMap/other": {"a": "1"}}, after
        rig.kubectl("delete", "namespace", space, "--wait=false")
