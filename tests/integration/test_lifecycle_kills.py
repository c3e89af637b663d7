# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates over two clusters, killed after any request and any write to the store, are finished by the next run."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._store.sqlite import SqliteStore
from ansible_collections.emco.edge.plugins.module_utils._verbs import composite_app, deployment
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Credentials, Registered, keep
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import perform
from tests.integration.deploying import Fleet
from tests.integration.playbooks import Playbooks
from tests.lab.harness import Lab
from tests.tools.checkout import TOOLS

pytestmark = pytest.mark.integration

FRONT = "{apiVersion: v1, kind: ConfigMap, metadata: {name: front}, data: {a: '{{ COLOUR }}'}}\n"
ACROSS = {"web": {"clusters": ["lab+edge-1"]}, "front": {"clusters": ["lab+edge-2"]}}
STORE_WRITES = ("put", "put_many", "put_blobs", "delete")


@pytest.fixture
def fleet(fleet_lab: Lab, playbooks: Playbooks) -> Iterator[Fleet]:
    one = Fleet(fleet_lab, playbooks, "kills").written()
    (one.folder / "front.yaml").write_text(FRONT)
    context = contexts(one)()
    for name in ("edge-1", "edge-2"):
        reached = Credentials("reference", {"kubeconfig": str(fleet_lab.kubeconfig(name))})
        keep(context.store(), Registered(Cluster(ClusterRef("lab", name)), reached, host=name))
    context.close()
    yield one
    perform(deployment.SPEC, deployment.run, {"project": "kills", "name": "shop", "state": "absent"}, contexts(one)())


def contexts(fleet: Fleet) -> Callable[[], Context]:
    environ = {**os.environ, **fleet.playbooks.own_environment(), "PATH": f"{TOOLS / 'bin'}:{os.environ['PATH']}"}

    def coloured(text: str, variables: Any) -> str:
        return text.replace("{{ COLOUR }}", str(variables["values"].get("colour", "blue")))

    return lambda: Context(Host("edge-1"), "kills", str(fleet.folder), environ, template=coloured)


def deploy(fleet: Fleet, colour: str) -> dict[str, Any]:
    values = {"values": {"colour": colour}}
    wanted = {
        "project": "kills",
        "name": "shop",
        "composite_app": "shop",
        "version": "v1",
        "placement": ACROSS,
        "overrides": {"web": values, "front": values},
        "wait_timeout": "60s",
        "lock_wait": "60s",
    }
    return perform(deployment.SPEC, deployment.run, wanted, contexts(fleet)())


def killed(fleet: Fleet, colour: str, kind: str, after: int) -> bool:
    """Deploy in a process that kills itself after the k-th request or write to the store; False: it was done before."""
    child = os.fork()
    if child == 0:
        try:
            _kill_after(kind, after)
            deploy(fleet, colour)
        finally:
            os._exit(0)
    _unused, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _kill_after(kind: str, after: int) -> None:
    lock, count = threading.Lock(), itertools.count(1)

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any, **named: Any) -> Any:
            answer = work(*arguments, **named)
            with lock:
                if next(count) >= after:
                    os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return done

    where, names = (Transport, ("send",)) if kind == "request" else (SqliteStore, STORE_WRITES)
    for name in names:
        setattr(where, name, counted(getattr(where, name)))


def hooks_made(fleet: Fleet) -> int:
    """How often the hook's Job was made since the mark."""
    made = [one for one in fleet.lab.requests("edge-1") if one.resource == "batch/jobs" and one.code == 201]
    return len([one for one in made if one.name == "shop-web-hook"])


def moments_of_a_run(moments: list[str]) -> Iterator[tuple[str, int]]:
    """After each write to the store, and after every other request, until a run was done before (noted as empty)."""
    for kind, step in (("store write", 1), ("request", 2)):
        for after in itertools.count(1, step):
            yield kind, after
            if not moments[-1]:
                break


def test_an_update_killed_anywhere_is_finished_by_the_next(fleet: Fleet) -> None:
    apps = [
        {"name": "web", "chart": "charts/web"},
        {"name": "front", "manifests": ["front.yaml"], "depends_on": [{"app": "web", "scope": "everywhere"}]},
    ]
    app = {"project": "kills", "name": "shop", "version": "v1", "apps": apps}
    assert perform(composite_app.SPEC, composite_app.run, app, contexts(fleet)())["changed"]
    first = deploy(fleet, "blue")
    assert first["state"] == "Current", first
    there = {name: uid for name, (uid, _version) in fleet.objects().items() if "-hook" not in name}
    moments: list[str] = []
    for kind, after in moments_of_a_run(moments):
        colour = f"{kind[0]}{after}"
        fleet.lab.mark("edge-1")
        if not killed(fleet, colour, kind, after):
            moments.append("")
            continue
        moments.append(f"{kind} {after}")
        resumed = deploy(fleet, colour)
        assert resumed.get("state") == "Current", (moments, resumed)
        assert fleet.data("edge-1", "shop-web") == {"colour": colour}, moments
        assert fleet.data("edge-2", "front") == {"a": colour}, moments
        now = {name: uid for name, (uid, _version) in fleet.objects().items() if "-hook" not in name}
        assert now == there, moments
        assert hooks_made(fleet) == 1, moments
    moments = [moment for moment in moments if moment]
    print(f"killed after {len(moments)} different moments: {', '.join(moments)}")
    assert len(moments) >= 20
    assert not deploy(fleet, colour)["changed"]
