# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans, approvals and the history of deployments, as far as they go without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import RevisionState
from ansible_collections.emco.edge.plugins.module_utils._verbs import (
    composite_app,
    deployment,
    deployment_call,
    deployment_info,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.garbage import named_blobs, trim
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Credentials, Registered, keep
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import perform

NOW = 1_800_000_000.0
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: colour}\ndata: {colour: '{{ COLOUR }}'}\n"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Context]:
    """Makes contexts with one store and one set of keys."""
    (tmp_path / "colour.yaml").write_text(MANIFEST)
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    def context(owner: str = "me", **told: Any) -> Context:
        def coloured(text: str, variables: Any) -> str:
            return text.replace("{{ COLOUR }}", str(variables["values"].get("colour", "blue")))

        return Context(Host("a"), owner, str(tmp_path), environ, clock=lambda: NOW, template=coloured, **told)

    return context


@pytest.fixture
def opened(made: Callable[..., Context]) -> Iterator[Context]:
    context = made()
    yield context
    context.close()


@pytest.fixture
def run(made: Callable[..., Context]) -> Run:
    """Runs a verb with a store in which two clusters are registered that nobody can reach."""
    opened = made()
    for name in ("a", "b"):
        keep(opened.store(), Registered(Cluster(ClusterRef("lab", name)), Credentials("reference"), host=name))
    opened.close()

    def run(
        verb: Any, *, owner: str = "me", check: bool = False, variables: Any = None, **arguments: Any
    ) -> dict[str, Any]:
        given = {"project": "demo", "name": "paint", **arguments}
        host = Host("a", variables or {})
        return perform(verb.SPEC, verb.run, given, replace(made(owner, check=check), host=host))

    run(composite_app, version="v1", apps=[{"name": "paint", "manifests": ["colour.yaml"]}])
    return run


def planned(run: Run, colour: str = "blue", **options: Any) -> dict[str, Any]:
    wanted = {"composite_app": "paint", "version": "v1", "placement": {"default": {"selector": ""}}}
    overrides = {"paint": {"values": {"colour": colour}}}
    return run(deployment, **{"state": "planned", **wanted, "overrides": overrides, **options})


def test_a_plan_is_approved_once_and_the_history_tells_by_whom(run: Run) -> None:
    assert planned(run, owner="planner", comment="spring")["state"] == "Planned"
    first = run(deployment, state="approved", owner="boss", comment="CHG-1")
    again = run(deployment, state="approved", owner="other")
    assert first["changed"] and first["state"] == "Approved" and first["revision"] == 1
    assert not again["changed"]
    told = run(deployment_info, revisions=True, output="summary")["deployments"][0]
    assert told["state"] == "Approved"
    assert told["revisions"][0]["created"] == "2027-01-15T08:00:00Z"
    assert told["revisions"][0]["events"] == [
        {"state": "Planned", "at": "2027-01-15T08:00:00Z", "by": "planner", "comment": "spring"},
        {"state": "Approved", "at": "2027-01-15T08:00:00Z", "by": "boss", "comment": "CHG-1"},
    ]
    assert told["revisions"][0]["changes"] == [
        {"clusters": ["lab+a", "lab+b"], "added": ["ConfigMap default/colour"], "changed": [], "removed": []}
    ]


def test_approving_with_the_intent_plans_it_and_approves_exactly_that(run: Run) -> None:
    would = planned(run, state="approved", check=True)
    done = planned(run, state="approved")
    again = planned(run, state="approved")
    assert would["changed"] and "revision" not in would
    assert (done["state"], done["changed"]) == ("Approved", True)
    assert (again["revision"], again["changed"]) == (1, False)
    other = planned(run, "green", state="approved")
    assert (other["revision"], other["state"]) == (2, "Approved")


def test_what_was_not_approved_is_not_brought_when_approval_is_required(run: Run) -> None:
    planned(run)
    refused = run(deployment, revision=1, require_approval=True)
    assert refused["failed"] and refused["reason"] == "WrongState" and "never approved" in refused["msg"]
    unseen = planned(run, "green", state="present", require_approval=True)
    assert unseen["failed"] and unseen["reason"] == "WrongState"


@pytest.mark.parametrize("options", [{"state": "stopped"}, {"catch_up": True}])
def test_a_verb_in_the_wrong_state_names_the_state_and_what_fits(run: Run, options: dict[str, Any]) -> None:
    planned(run)
    refused = run(deployment, **options)
    assert refused["reason"] == "WrongState" and "demo/paint is Planned" in refused["msg"]
    assert refused["allowed"] == ["state: planned", "state: approved", "state: present", "state: absent"]
    assert "What fits: state: planned" in refused["hint"]


def test_what_nobody_planned_is_neither_stopped_nor_approved(run: Run) -> None:
    assert run(deployment, state="stopped")["reason"] == "WrongState"
    assert run(deployment, state="approved")["reason"] == "WrongState"
    assert run(deployment, state="absent")["changed"] is False


def test_an_unreachable_fleet_is_remembered_until_it_is_cleared_or_caught_up(run: Run) -> None:
    planned(run, state="present", rollout={"unreachable": "defer"}, wait_timeout="1s")
    removal = run(deployment, state="absent", wait_timeout="1s")
    assert removal["failed"] and set(removal["clusters"]) == {"lab+a", "lab+b"}
    told = run(deployment_info, revisions=True, output="summary", status="deployed")["deployments"][0]
    assert told["state"] == "Removing"
    events = [event["state"] for event in told["revisions"][0]["events"]]
    assert events == ["Planned", "Progressing", "Failed", "Removing"]
    stopped = run(deployment, state="stopped", owner="boss")
    assert stopped["changed"] and not run(deployment, state="stopped")["changed"]
    assert run(deployment, catch_up=True)["reason"] == "WrongState"


def test_old_revisions_go_with_what_only_they_had_in_the_store(run: Run, opened: Context) -> None:
    for colour in ("a", "b", "c", "d"):
        planned(run, colour)
    store, keys = opened.store(), opened.keys()
    history = Revisions(Naming("demo", "paint"), store, keys)
    for one in history.all()[:3]:
        history.turn(one, RevisionState.SUPERSEDED, opened)
    current = history.turn(history.all()[3], RevisionState.CURRENT, opened)
    before = store.list_blobs()
    assert before <= named_blobs(store, keys), "everything that was stored is named by a revision"
    later = replace(opened, clock=lambda: NOW + 2 * 24 * 3600, arguments={})
    wanted = deployment.SPEC.read({"project": "demo", "name": "paint", "revision_history_limit": 1})
    call = deployment_call.opened(wanted, later)
    trim(call, current)
    assert [one.number for one in history.all()] == [3, 4]
    assert store.list_blobs() == before, "what is younger than an hour may be about to be named"
    assert store.collect_garbage(named_blobs(store, keys), grace=0.0) == 4
    assert store.list_blobs() < before
    assert history.plan_of(history.all()[0]).bundles, "what is kept can be gone back to"


def test_a_first_check_finds_the_apps_that_the_role_would_have_defined(run: Run) -> None:
    app = {
        "project": "demo",
        "name": "paint",
        "version": "v2",
        "apps": [{"name": "paint", "manifests": ["colour.yaml"]}],
    }
    variables = {"emco_composite_apps": [app]}
    assert planned(run, version="v2", check=True)["reason"] == "UnknownCompositeApp"
    found = planned(run, version="v2", check=True, variables=variables)
    assert found["changed"] and found["clusters"]["lab+a"]["added"] == 1
    # Only in check mode: what is really done comes from the store.
    assert planned(run, version="v2", variables=variables)["reason"] == "UnknownCompositeApp"
    gone = {"emco_composite_apps": [{**app, "state": "absent"}]}
    assert planned(run, version="v2", check=True, variables=gone)["reason"] == "UnknownCompositeApp"
