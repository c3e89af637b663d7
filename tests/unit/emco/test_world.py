# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EMCO's database: parents and references, what may be done in which state, and running documents backwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._emco.world import forwards
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from tests.unit.emco.reading import (
    CA,
    CLUSTER,
    DIG,
    GIT_OPS,
    document,
    inventory,
    project,
    read,
    tried,
    with_app,
    world,
)

INTENT = document(
    f"{DIG}/generic-placement-intents/gp/app-intents",
    "i",
    {"app": "a", "intent": {"allOf": [{"clusterProvider": "aws", "cluster": "edge1"}]}},
)


def test_a_parent_must_be_there_first() -> None:
    refused = tried(world(), [document("projects/p/logical-clouds", "lc", {"level": "0"})])

    assert refused == ["projects/p/logical-clouds/lc: its parent projects/p is not there"]


def test_what_is_referred_to_must_be_there_first(tmp_path: Path) -> None:
    here = world(*project(), with_app(tmp_path))

    assert tried(here.copy(), [INTENT]) == [f"{'/'.join(_path())} refers to {CLUSTER}, not there"]
    assert tried(here, [*inventory(), INTENT]) == []


def test_a_label_refers_to_no_cluster(tmp_path: Path) -> None:
    by_label = {"app": "a", "intent": {"allOf": [{"clusterProvider": "aws", "clusterLabel": "x"}]}}

    assert tried(world(*project(), with_app(tmp_path)), [document(_path_anchor(), "i", by_label)]) == []


def test_a_controller_that_an_intents_map_names_must_be_registered() -> None:
    intents = document(f"{DIG}/intents", "i", {"intent": {"genericPlacementIntent": "gp", "gac": "x"}})
    controller = document("controllers", "gac", {"host": "gac", "port": 9033, "type": "action"})
    here = world(*project())

    assert tried(here.copy(), [intents]) == [f"{DIG}/intents/i refers to controllers/gac, not there"]
    assert tried(here, [controller, intents]) == []


def test_what_has_children_or_is_referred_to_is_not_deleted(tmp_path: Path) -> None:
    here = world(*inventory(), *project(), with_app(tmp_path), INTENT)

    assert tried(here.copy(), [document("cluster-providers", "aws")], undo=True) == [
        "cluster-providers/aws cannot be deleted: it has cluster-providers/aws/cluster-sync-objects/git, "
        "cluster-providers/aws/clusters/edge1"
    ]
    assert tried(here, [document("cluster-providers/aws/clusters", "edge1", {"gitOps": GIT_OPS})], undo=True) == [
        f"{CLUSTER} cannot be deleted: it is referred to by {'/'.join(_path())}"
    ]


def test_backwards_takes_everything_away_again(tmp_path: Path) -> None:
    documents = [
        *inventory(),
        *project(),
        with_app(tmp_path),
        INTENT,
        document("projects/p/logical-clouds/lc/instantiate"),
        document(f"{DIG}/approve"),
        document(f"{DIG}/instantiate"),
    ]
    here = world(*documents)

    assert tried(here, documents, undo=True) == []
    assert len(here.catalogue) == 0
    assert tried(here, documents, undo=True) == []


def test_the_same_documents_again_change_nothing(tmp_path: Path) -> None:
    documents = [*inventory(), *project(), with_app(tmp_path), INTENT]
    here = world(*documents)
    here.catalogue.changed.clear()

    assert tried(here, documents) == []
    assert here.catalogue.changed == {}


def test_a_reference_that_an_update_gives_up_holds_nothing_any_more(tmp_path: Path) -> None:
    documents = [*inventory(), *project(), with_app(tmp_path), INTENT]
    here = world(*documents)
    by_label = {"app": "a", "intent": {"allOf": [{"clusterProvider": "aws", "clusterLabel": "x"}]}}

    assert tried(here, [document(_path_anchor(), "i", by_label)]) == []
    assert tried(here, [document("cluster-providers/aws/clusters", "edge1", {"gitOps": GIT_OPS})], undo=True) == []


GROUP = {"compositeProfile": "cp", "version": "r1", "logicalCloud": "lc"}


@pytest.mark.parametrize(
    ("before", "operation", "refusal"),
    [
        pytest.param([], "instantiate", "must be approved", id="D1"),
        pytest.param([], "approve", "", id="D1 approve"),
        pytest.param(["approve"], "approve", "", id="D2"),
        pytest.param(["approve"], "instantiate", "", id="D3"),
        pytest.param(["approve", "instantiate", "change"], "approve", "already been instantiated", id="D4 approve"),
        pytest.param(["approve", "instantiate", "change"], "instantiate", "already been instantiated", id="D4"),
        pytest.param(["approve", "instantiate"], "instantiate", "", id="unchanged, it is made true again"),
        pytest.param(["approve", "instantiate", "terminate"], "instantiate", "", id="D5"),
        pytest.param([], "change", "", id="D6"),
        pytest.param(["approve"], "change", "The DeploymentIntentGroup is not updated", id="D7"),
        pytest.param(["approve", "instantiate"], "change", "", id="what runs is changed with the next update"),
        pytest.param(["approve", "instantiate", "change"], "update", "", id="update"),
        pytest.param(["approve"], "update", "is not instantiated", id="update of nothing"),
        pytest.param(["approve"], "terminate", "is not instantiated", id="terminate of nothing"),
        pytest.param(["approve", "instantiate"], "delete", "cannot be deleted in state Instantiated", id="delete"),
    ],
)
def test_a_group_goes_through_the_states_of_emco(before: list[str], operation: str, refusal: str) -> None:
    here = world(*project(), document("projects/p/logical-clouds/lc/instantiate"))
    # What stands below the group would keep it from being deleted.
    assert tried(here, [document(f"{DIG}/generic-placement-intents", "gp")], undo=True) == []
    assert [refused for step in before for refused in _step(here, step)] == []

    refused = _step(here, operation)

    assert refusal in refused[0] if refusal else refused == [], refused


def test_networks_of_a_cluster_are_fixed_while_they_are_applied() -> None:
    subnet = {"name": "s", "subnet": "10.9.0.0/24"}
    network = document(f"{CLUSTER}/networks", "blue", {"cniType": "ovn4nfv", "ipv4Subnets": [subnet]})
    other = document(f"{CLUSTER}/networks", "red", {"cniType": "ovn4nfv", "ipv4Subnets": [subnet]})
    here = world(*inventory(), network, document(f"{CLUSTER}/apply"))

    assert "the networks of the cluster are Applied" in tried(here.copy(), [other])[0]
    assert "the networks of the cluster are Applied" in tried(here.copy(), [network], undo=True)[0]
    assert tried(here, [document(f"{CLUSTER}/terminate"), other]) == []


def test_a_logical_cloud_of_level_0_has_no_quota() -> None:
    quota = document("projects/p/logical-clouds/lc/cluster-quotas", "q", {"limits.cpu": "4"})

    assert tried(world(*project()), [quota]) == [
        "projects/p/logical-clouds/lc/cluster-quotas/q: spec: a logical cloud of level 0 has no quotas"
    ]


def test_a_logical_cloud_is_of_level_1_by_default() -> None:
    cloud = document("projects/p/logical-clouds", "t", {"namespace": "t", "user": {"userName": "u"}})
    here = world(*project(), cloud)
    found = here.catalogue.get(("projects", "p", "logical-clouds", "t"))

    assert found is not None
    assert found.spec["level"] == "1"


@pytest.mark.parametrize(
    ("requirement", "refused"),
    [
        pytest.param({"allocatable": True, "resource": {"name": "cpu", "requests": 4, "limits": 4}}, False, id="cpu"),
        pytest.param({"allocatable": True, "resource": {"name": "cpu", "requests": 4}}, False, id="no limit"),
        pytest.param({"allocatable": False, "resource": {"key": "k", "value": "true"}}, False, id="label"),
        pytest.param({"resource": {"name": "cpu", "requests": 4}}, True, id="allocatable absent"),
        pytest.param({"allocatable": True, "resource": {"name": "cpu", "requests": 3, "limits": 2}}, True, id="limits"),
        pytest.param({"allocatable": True, "resource": {"requests": 3}}, True, id="no name"),
        pytest.param({"allocatable": True, "resource": {"name": "cpu"}}, True, id="no requests"),
        pytest.param({"allocatable": False, "resource": {"key": "k"}}, True, id="no value"),
        pytest.param({"allocatable": False, "resource": {"name": "cpu", "requests": 1}}, True, id="flag and fields"),
    ],
)
def test_requirements_of_hardware_follow_emcos_rules(
    tmp_path: Path, requirement: dict[str, Any], refused: bool
) -> None:
    hpa = f"{DIG}/hpa-intents"
    here = world(
        *project(),
        with_app(tmp_path),
        document(hpa, "h", {"app": "a"}),
        document(f"{hpa}/h/hpa-resource-consumers", "c", {"name": "web", "container": "web"}),
        document(f"{hpa}/h/hpa-resource-consumers", "bare", {"name": "web"}),
    )
    anchor = f"{hpa}/h/hpa-resource-consumers/c/resource-requirements"

    assert bool(tried(here, [document(anchor, "r", requirement)])) is refused
    if not refused and requirement["allocatable"]:
        assert tried(here, [document(anchor.replace("/c/", "/bare/"), "r", requirement)])


def _path() -> tuple[str, ...]:
    return (*_path_anchor().split("/"), "i")


def _path_anchor() -> str:
    return f"{DIG}/generic-placement-intents/gp/app-intents"


def _step(here: Any, operation: str) -> list[str]:
    if operation == "change":
        changed = {**GROUP, "overrideValues": [{"app": "a", "values": {"x": "1"}}]}
        return tried(here, [document(f"{CA}/deployment-intent-groups", "g", changed)])
    if operation == "delete":
        return tried(here, [document(f"{CA}/deployment-intent-groups", "g", GROUP)], undo=True)
    return tried(here, [document(f"{DIG}/{operation}")])


def test_a_group_that_has_migrated_is_not_brought_back_by_its_documents() -> None:
    target = "projects/p/composite-apps/ca/v2/deployment-intent-groups/h"
    spec = {"targetCompositeAppVersion": "v2", "targetDeploymentIntentGroup": "h"}
    source = [document(f"{DIG}/approve"), document(f"{DIG}/instantiate")]
    prepared = [
        document("projects/p/composite-apps", "ca", {"compositeAppVersion": "v2"}),
        document("projects/p/composite-apps/ca/v2/composite-profiles", "cp"),
        document("projects/p/composite-apps/ca/v2/deployment-intent-groups", "h", GROUP),
    ]
    migrate = document(f"{DIG}/migrate", spec=spec)
    here = world(*project(), document("projects/p/logical-clouds/lc/instantiate"), *source, *prepared)

    assert "Approve it first" in _hint(here.copy(), migrate)
    moving = [*source, document(f"{target}/approve"), migrate]
    assert tried(here, moving) == []
    before = here.lifecycle(tuple(DIG.split("/")))
    assert before.moved_to == target
    assert tried(here, moving) == []
    assert here.lifecycle(tuple(DIG.split("/"))) == before
    assert tried(here, [document(f"{DIG}/update")]) == [f"{DIG} has migrated to {target}"]
    instantiated = document("projects/p/logical-clouds/lc/instantiate")
    assert tried(here.copy(), [*project(), instantiated, *prepared, *moving], undo=True) == []
    assert tried(here, [document(f"{target}/terminate"), *source]) == []
    assert here.lifecycle(tuple(DIG.split("/"))).running


def _hint(here: Any, one: dict[str, Any]) -> str:
    refused = Problems()
    here.try_out(forwards(read([one])[0]), refused)
    return next(iter(refused)).hint


def test_a_cluster_that_was_registered_without_documents_can_be_referred_to(tmp_path: Path) -> None:
    here = world(*project(), with_app(tmp_path))
    here.catalogue.outside = frozenset({tuple(CLUSTER.split("/"))})

    assert tried(here.copy(), [INTENT]) == []
