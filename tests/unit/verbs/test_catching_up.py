# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Catching up with clusters that refuse every connection: who is still silent stays put off, nobody else is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Rollout, Unreachable, WaveOptions
from ansible_collections.emco.edge.plugins.module_utils._verbs import composite_app, deployment, deployment_info
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import Hands
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Credentials, Registered, keep
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipping import how_to_roll_out
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import perform

NOBODY = {"host": "http://127.0.0.1:1", "api_key": "none"}
CANARY = {"waves": [{"name": "canary", "clusters": ["lab+a"]}], "unreachable": "defer"}
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a verb with a store in which two clusters are registered that refuse connections."""
    (tmp_path / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n")
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    def run(verb: Any, **arguments: Any) -> dict[str, Any]:
        context = Context(Host("a"), "me", str(tmp_path), environ)
        return perform(verb.SPEC, verb.run, {"project": "demo", "name": "paint", **arguments}, context)

    opened = Context(Host("a"), "me", str(tmp_path), environ)
    for name in ("a", "b"):
        keep(opened.store(), Registered(Cluster(ClusterRef("lab", name)), Credentials("reference", NOBODY), host=name))
    opened.close()
    run(composite_app, version="v1", apps=[{"name": "paint", "manifests": ["map.yaml"]}])
    return run


def shipped(run: Run, **options: Any) -> dict[str, Any]:
    wanted = {"composite_app": "paint", "version": "v1", "placement": {"default": {"selector": ""}}}
    return run(deployment, **{**wanted, **options})


def state(run: Run) -> str:
    return str(run(deployment_info, output="summary")["deployments"][0]["state"])


def test_what_is_still_silent_is_no_failure_and_stays_put_off(run: Run) -> None:
    assert shipped(run, rollout={"unreachable": "defer"})["summary"]["deferred"] == 2
    caught = run(deployment, catch_up=True)
    assert not caught.get("failed") and not caught["changed"]
    assert {told["state"] for told in caught["clusters"].values()} == {"Deferred"}
    assert state(run) == "Progressing"


def test_a_paused_rollout_stays_paused_and_goes_on_when_told(run: Run) -> None:
    assert shipped(run, rollout={**CANARY, "pause_after": ["canary"]})["state"] == "Paused"
    caught = run(deployment, catch_up=True)
    assert list(caught["clusters"]) == ["lab+a"]
    assert state(run) == "Paused"
    resumed = shipped(run, rollout={**CANARY, "pause_after": ["canary"]}, resume=True)
    assert resumed["state"] == "Progressing" and resumed["summary"]["deferred"] == 2
    rollout = run(deployment_info, output="summary")["deployments"][0]["rollout"]
    assert [one["event"] for one in rollout["timeline"]] == ["paused", "ended"]


def test_a_revision_that_was_stopped_is_brought_to_no_more_clusters(run: Run) -> None:
    assert shipped(run, rollout={**CANARY, "max_deferred": 0})["failed"]
    refused = run(deployment, catch_up=True)
    assert refused["reason"] == "TooManyDeferred" and refused["behind"] == ["lab+a"]


def test_who_was_just_asked_for_its_record_is_not_asked_for_a_sign_of_life(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Hands, "probe", lambda self, reach, stopped: asked.append(reach.name) or "nobody is there")
    first = shipped(run, rollout={"unreachable": "defer"})
    assert first["summary"]["deferred"] == 2 and not asked
    assert "Connection refused" in first["clusters"]["lab+a"]["message"]
    shipped(run, rollout={"unreachable": "defer"})
    assert sorted(asked) == ["lab+a", "lab+b"]


def test_waves_that_do_not_fit_the_dependencies_are_refused_before_anything_is_begun(run: Run) -> None:
    apps = [
        {"name": "paint", "manifests": ["map.yaml"], "depends_on": [{"app": "base", "scope": "everywhere"}]},
        {"name": "base", "manifests": ["map.yaml"]},
    ]
    run(composite_app, version="v2", apps=apps)
    placement = {"paint": {"clusters": ["lab+a"]}, "base": {"clusters": ["lab+b"]}}
    refused = shipped(run, version="v2", placement=placement, rollout=CANARY)
    assert refused["reason"] == "DependencyInLaterWave"
    other = {"waves": [{"clusters": ["lab+b"]}], "unreachable": "defer"}
    assert shipped(run, version="v2", placement=placement, rollout=other)["summary"]["deferred"] == 2


def test_catching_up_is_one_wave_without_gates_and_pauses() -> None:
    asked = Rollout(
        waves=(WaveOptions(count=1),), gate="ready", pause_after=True, on_failure="rollback", max_failures=3
    )
    found = how_to_roll_out(Deployment(project="p", name="n", catch_up=True, rollout=asked))
    assert found == Rollout(on_failure="continue", max_failures=3)
    alone = how_to_roll_out(Deployment(project="p", name="n", catch_up=True))
    assert alone == Rollout(on_failure="continue", unreachable=Unreachable("defer"))
