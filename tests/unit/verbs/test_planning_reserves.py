# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments that are planned from the same facts do not count on the same room."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Node
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import RevisionState
from ansible_collections.emco.edge.plugins.module_utils._verbs import composite_app, deployment, placement_info
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Credentials, Registered, keep, keep_facts
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Spec, Verb, perform

NOW = 1_000_000.0
CLUSTERS = (ClusterRef("lab", "a"), ClusterRef("lab", "b"))
ONE_PLACE = {"composite_app": "app", "version": "v1", "placement": {"default": {"count": 1}}, "state": "planned"}
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: main, image: registry.example/api:1, resources: {requests: {cpu: "3"}}}]}
"""


@dataclass
class Site:
    """Two clusters on paper with a node of four cores each, and an app whose pod asks for three."""

    folder: Path
    apps: Sequence[Mapping[str, Any]] = ({"name": "api", "manifests": ["api.yaml"]},)

    def context(self) -> Context:
        environ = {name: str(self.folder / name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        return Context(
            Host("localhost"), "test", str(self.folder), environ, clock=lambda: NOW, template=lambda text, _: text
        )

    def asked(self, spec: Spec[Any], verb: Verb[Any], **arguments: Any) -> dict[str, Any]:
        return dict(perform(spec, verb, arguments, self.context()))

    def planned(self, name: str, **more: Any) -> list[str]:
        """The clusters that a deployment is planned on."""
        result = self.asked(deployment.SPEC, deployment.run, project="demo", name=name, **{**ONE_PLACE, **more})
        return [one["cluster"] for one in result["decisions"]["api"]["chosen"]]

    def arrived(self, name: str, at: float, state: str = "Ready") -> None:
        """Note that the newest revision of a deployment arrived everywhere: no cluster is there to bring it to."""
        context = self.context()
        revisions = Revisions(Naming("demo", name), context.store(), context.keys())
        revision = revisions.all()[-1]
        plan = revisions.plan_of(revision)
        revisions.note({ref: Standing(revision.number, one.digest, state, at=at) for ref, one in plan.bundles.items()})
        revisions.turn(revision, RevisionState.CURRENT, context)
        context.close()

    def read(self, observed: float, **used: Mapping[str, int]) -> None:
        """Note the facts of both clusters."""
        context = self.context()
        found = {}
        for ref in CLUSTERS:
            node = Node("n", {"cpu": 4000, "pods": 110}, used.get(ref.name, {}))
            found[ref] = Facts(observed, "v1.36.0", (node,), apis=("apps/v1", "apps/v1/Deployment"))
        keep_facts(context.store(), found)
        context.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    (tmp_path / "api.yaml").write_text(MANIFEST)
    context = site.context()
    for ref in CLUSTERS:
        keep(context.store(), Registered(Cluster(ref), Credentials("reference"), host=ref.name))
    context.close()
    site.read(NOW - 100)
    site.asked(composite_app.SPEC, composite_app.run, project="demo", name="app", version="v1", apps=site.apps)
    return site


def test_what_one_plan_was_promised_another_does_not_count_on(site: Site) -> None:
    assert [*site.planned("one"), *site.planned("two")] == ["lab+a", "lab+b"]
    failed = site.asked(deployment.SPEC, deployment.run, project="demo", name="three", **ONE_PLACE)
    assert failed["reason"] == "NoFeasibleCluster"
    assert failed["failures"][0]["nearest"] == {"cluster": "lab+a", "lacks": "2 cpu"}


def test_a_deployment_planned_again_keeps_its_place(site: Site) -> None:
    assert [*site.planned("one"), *site.planned("two"), *site.planned("one"), *site.planned("two")] == [
        *("lab+a", "lab+b", "lab+a", "lab+b")
    ]


def test_what_arrived_after_the_facts_were_read_is_reserved_and_after_that_it_is_in_the_facts(site: Site) -> None:
    site.planned("one")
    site.arrived("one", at=NOW - 50)
    assert site.planned("two") == ["lab+b"]
    site.asked(deployment.SPEC, deployment.run, project="demo", name="two", state="absent")
    site.read(NOW - 10, a={"cpu": 3000})
    assert site.planned("two") == ["lab+b"]
    site.asked(deployment.SPEC, deployment.run, project="demo", name="two", state="absent")
    # Whatever became of it: the facts are newer than the news of its arrival, and show the room as free.
    site.read(NOW - 5)
    assert site.planned("two") == ["lab+a"]


def test_what_a_deployment_has_itself_is_not_free_for_more_of_it(site: Site) -> None:
    divided = {"replicas": {"total": 1, "divide": "capacity"}}
    assert site.planned("one", placement={"default": divided}) == ["lab+a"]
    site.arrived("one", at=NOW - 50)
    two = {"replicas": {"total": 2, "divide": "capacity"}}
    assert site.planned("one", placement={"default": two}) == ["lab+a", "lab+b"]


def test_a_plan_that_is_taken_back_gives_back_its_room(site: Site) -> None:
    assert site.planned("one") == ["lab+a"]
    site.asked(deployment.SPEC, deployment.run, project="demo", name="one", state="absent")
    assert site.planned("two") == ["lab+a"]


def test_put_off_clusters_keep_the_room_for_what_is_on_its_way(site: Site) -> None:
    site.planned("one")
    site.arrived("one", at=NOW - 150, state="Deferred")
    assert site.planned("two") == ["lab+b"]


def test_asking_counts_what_is_promised_too(site: Site) -> None:
    site.planned("one")
    apps = {"other": {"requests": {"cpu": 3}}}
    found = site.asked(placement_info.SPEC, placement_info.run, apps=apps)
    assert [one["cluster"] for one in found["decisions"]["other"]["chosen"]] == ["lab+b"]
    on_paper = [{"name": "lab+a", "nodes": [{"allocatable": {"cpu": 4}}]}]
    found = site.asked(placement_info.SPEC, placement_info.run, apps=apps, clusters=on_paper)
    assert [one["cluster"] for one in found["decisions"]["other"]["chosen"]] == ["lab+a"]


def test_check_mode_reserves_nothing(site: Site) -> None:
    context = replace(site.context(), check=True)
    perform(deployment.SPEC, deployment.run, {"project": "demo", "name": "one", **ONE_PLACE}, context)
    assert site.planned("two") == ["lab+a"]


def test_two_runs_do_not_plan_at_the_same_moment(site: Site) -> None:
    context = site.context()
    other = context.store().lease("planning", "another run")
    began = threading.Event()
    answers: list[list[str]] = []

    def plan() -> None:
        began.set()
        answers.append(site.planned("two"))

    run = threading.Thread(target=plan)
    run.start()
    began.wait()
    run.join(timeout=0.5)
    assert not answers
    other.release()
    run.join()
    context.close()
    assert answers == [["lab+a"]]


def test_lost_content_of_one_deployment_stops_no_other(site: Site) -> None:
    site.planned("one")
    context = site.context()
    # What a damaged disk or a careless hand takes away.
    context.store().collect_garbage([], grace=0.0)
    context.close()
    site.asked(composite_app.SPEC, composite_app.run, project="demo", name="app", version="v2", apps=site.apps)
    assert site.planned("two", version="v2") == ["lab+a"]
