# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that a deployment adds to its apps or changes (EMCO's gac): cases K14 to K17 and what EMCO leaves out."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Intents, Subject
from ansible_collections.emco.edge.plugins.module_utils._controllers.customizations import CONTROLLER
from ansible_collections.emco.edge.plugins.module_utils._controllers.labels import CONTROLLER as LABELS
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.customization import parse_customizations
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems
from ansible_collections.emco.edge.plugins.module_utils._render.kustomize import Kustomize
from ansible_collections.emco.edge.plugins.module_utils._render.programs import KustomizeMissing, find_kustomize

EDGE_1 = Cluster(ClusterRef("p", "edge-1"), labels={"north": "", "tier": "far"})
EDGE_2 = Cluster(ClusterRef("p", "edge-2"))


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    try:
        find_kustomize(os.environ)
    except KustomizeMissing as missing:
        pytest.skip(f"patches are applied by kustomize: {missing}")
    return Kustomize(os.environ)


def deployment(name: str = "web") -> dict[str, Any]:
    container = {"name": "nginx-ctr", "image": "nginx"}
    pod = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": name}}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def intents(*raw: dict[str, Any], kustomize: Kustomize | None = None) -> Intents:
    problems = Problems()
    named = [{"app": "web", "api_version": "v1", **one} for one in raw]
    read = parse_customizations(named, ["web"], "customizations", problems)
    assert list(problems) == []
    return Intents(customizations=read, **({"patched": kustomize.patched} if kustomize else {}))


def edited(objects: list[dict[str, Any]], wanted: Intents, cluster: Cluster = EDGE_1) -> list[dict[str, Any]]:
    subject = Subject("web", cluster, "default", None, wanted)
    return [dict(one) for one in (CONTROLLER.edit(objects, subject) if CONTROLLER.concerns(subject) else objects)]


def test_a_merge_patch_adds_a_container(kustomize: Kustomize) -> None:
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "redis-ctr", "image": "redis"}]}}}}
    change = {"kind": "Deployment", "api_version": "apps/v1", "name": "web", "changes": [{"merge": [patch]}]}

    (found,) = edited([deployment()], intents(change, kustomize=kustomize))

    containers = found["spec"]["template"]["spec"]["containers"]
    assert {one["name"] for one in containers} == {"nginx-ctr", "redis-ctr"}


def test_a_merge_patch_adds_host_aliases(kustomize: Kustomize) -> None:
    stateful = {**deployment("etcd"), "kind": "StatefulSet"}
    patch = {"spec": {"template": {"spec": {"hostAliases": [{"ip": "1.2.3.4", "hostnames": ["host1"]}]}}}}
    change = {"kind": "StatefulSet", "api_version": "apps/v1", "name": "etcd", "changes": [{"merge": [patch]}]}

    (found,) = edited([stateful], intents(change, kustomize=kustomize))

    assert found["spec"]["template"]["spec"]["hostAliases"] == [{"ip": "1.2.3.4", "hostnames": ["host1"]}]
    assert found["metadata"]["name"] == "etcd"


def test_a_merge_patch_adds_a_key_to_a_config_map(kustomize: Kustomize) -> None:
    data = {"team_size": "5", "ui_properties_file_name": "x"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "game"}, "data": data}
    patch = {"data": {"user-interface.properties": "y"}}

    (found,) = edited(
        [config], intents({"kind": "ConfigMap", "name": "game", "changes": [{"merge": [patch]}]}, kustomize=kustomize)
    )

    assert found["data"] == {**data, "user-interface.properties": "y"}


def test_json_patches_replace_and_add(kustomize: Kustomize) -> None:
    stateful = {**deployment("etcd"), "kind": "StatefulSet"}
    replicas = {
        "kind": "StatefulSet",
        "api_version": "apps/v1",
        "name": "etcd",
        "changes": [{"patch": [{"op": "replace", "path": "/spec/replicas", "value": 1}]}],
    }
    secret = {
        "kind": "Secret",
        "name": "login",
        "create": True,
        "changes": [{"patch": [{"op": "add", "path": "/data/USER_NAME", "value": "YWRtaW4="}]}],
    }

    found, made = edited([stateful], intents(replicas, secret, kustomize=kustomize))

    assert found["spec"]["replicas"] == 1
    assert (made["kind"], made["metadata"]["name"], made["data"]) == ("Secret", "login", {"USER_NAME": "YWRtaW4="})


def test_a_kind_that_nobody_knows_is_merged_as_json(kustomize: Kustomize) -> None:
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"a": {"b": 1}, "l": [1]},
    }
    change = {
        "kind": "Widget",
        "api_version": "example.com/v1",
        "name": "w",
        "changes": [{"merge": [{"spec": {"a": {"c": 2}, "l": [2]}}]}],
    }

    (found,) = edited([widget], intents(change, kustomize=kustomize))

    assert found["spec"] == {"a": {"b": 1, "c": 2}, "l": [2]}


def test_what_kustomize_refuses_is_told_with_the_object(kustomize: Kustomize) -> None:
    change = {
        "kind": "Deployment",
        "api_version": "apps/v1",
        "name": "web",
        "changes": [{"patch": [{"op": "remove", "path": "/spec/gone"}]}],
    }

    with pytest.raises(EdgeError, match="Deployment web cannot be changed") as told:
        edited([deployment()], intents(change, kustomize=kustomize))

    assert told.value.reason == "KustomizeError"


def test_data_of_a_new_secret_is_encoded_and_that_of_a_config_map_is_not() -> None:
    secret = {"kind": "Secret", "name": "s", "create": True, "changes": [{"data": {"password": "x"}}]}
    config = {
        "kind": "ConfigMap",
        "name": "c",
        "create": True,
        "changes": [{"data": {"a": "x"}, "binary_data": {"b": "AAE="}}],
    }

    made = {one["kind"]: one for one in edited([], intents(secret, config))}

    assert made["Secret"]["data"] == {"password": "eA=="}
    assert (made["ConfigMap"]["data"], made["ConfigMap"]["binaryData"]) == ({"a": "x"}, {"b": "AAE="})


@pytest.mark.parametrize(
    ("where", "on"),
    [
        pytest.param({}, ["edge-1", "edge-2"], id="all"),
        pytest.param({"cluster": "p+edge-1"}, ["edge-1"], id="by name"),
        pytest.param({"cluster": "p+edge-1", "all_but": True}, ["edge-2"], id="all but one: EMCO does nothing then"),
        pytest.param({"label": "north", "provider": "p"}, ["edge-1"], id="by label"),
        pytest.param({"label": "tier=far"}, ["edge-1"], id="by label and value"),
        pytest.param({"label": "tier=near"}, [], id="by another value"),
        pytest.param({"label": "north", "provider": "q"}, [], id="of another provider"),
        pytest.param({"label": "north", "all_but": True}, ["edge-2"], id="all but those with a label"),
    ],
)
def test_a_new_object_comes_where_a_change_is_for(where: dict[str, Any], on: list[str]) -> None:
    wanted = intents({"kind": "ConfigMap", "name": "c", "create": True, "changes": [{"data": {"a": "x"}, **where}]})

    assert [cluster.ref.name for cluster in (EDGE_1, EDGE_2) if edited([], wanted, cluster)] == on


def test_a_new_object_without_changes_comes_everywhere_where_emco_never_creates_it() -> None:
    wanted = intents({"kind": "ConfigMap", "name": "c", "create": True})

    assert all(edited([], wanted, cluster) for cluster in (EDGE_1, EDGE_2))


def test_an_object_that_is_not_there_is_a_problem_where_emco_skips_it() -> None:
    wanted = intents({"kind": "ConfigMap", "name": "gone", "changes": [{"data": {"a": "x"}}]})

    (problem,) = CONTROLLER.problems(wanted, {"web": [deployment()]})

    assert problem.message == "app 'web' renders no v1 ConfigMap gone"


def test_clusters_with_the_same_changes_share_them() -> None:
    wanted = intents({"kind": "ConfigMap", "name": "c", "create": True, "changes": [{"data": {"a": "x"}}]})
    subjects = [Subject("web", cluster, "default", None, wanted) for cluster in (EDGE_1, EDGE_2)]

    assert CONTROLLER.concerns(subjects[0]) == CONTROLLER.concerns(subjects[1])
    assert CONTROLLER.concerns(Subject("api", EDGE_1, "default", None, wanted)) is None


def test_labels_are_on_objects_and_pod_templates() -> None:
    subject = Subject("web", EDGE_1, "default", None, Intents(labels={"emco/deployment-id": "1-{app}"}))

    (found,) = LABELS.edit([deployment()], subject)

    assert found["metadata"]["labels"] == {"emco/deployment-id": "1-web"}
    assert found["spec"]["template"]["metadata"]["labels"] == {"app": "web", "emco/deployment-id": "1-web"}
    assert "emco/deployment-id" not in found["spec"]["selector"]["matchLabels"]
