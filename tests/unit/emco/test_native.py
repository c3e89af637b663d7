# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EMCO's objects mean in this collection: options of its verbs, and what of them is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._emco import native, support
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject, File
from ansible_collections.emco.edge.plugins.module_utils._emco.status import (
    StatusQuery,
    group_status,
    networks_status,
    unknown_apps,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.world import World
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse, parsed
from tests.unit.emco.reading import CA, CLUSTER, DIG, GIT_OPS, document, inventory, project, with_app, world


class Unpacked:
    """Packages whose content nobody looks at."""

    def chart(self, file: File, app: str) -> str:
        return f"{file.path} {app}"

    def profile(self, file: File, app: str) -> tuple[str, list[tuple[str, str]]]:
        del app
        return file.path, []

    def content(self, file: File) -> bytes:
        return Path(file.path).read_bytes()


def ready(folder: Path, *more: dict[str, Any], intent: dict[str, Any] | None = None) -> World:
    profile = document(f"{CA}/composite-profiles/cp/profiles", "a", {"app": "a"}, file=str(folder / "a.tgz"))
    placement = intent or {"allOf": [{"clusterProvider": "aws", "cluster": "edge1"}]}
    intents = f"{DIG}/generic-placement-intents/gp/app-intents"
    reference = {"clusterProvider": "aws", "cluster": "edge1"}
    return world(
        *inventory(),
        *project(),
        document("projects/p/logical-clouds/lc/cluster-references", "r", reference),
        with_app(folder),
        profile,
        document(intents, "i", {"app": "a", "intent": placement}),
        document(f"{DIG}/intents", "i", {"intent": {"genericPlacementIntent": "gp"}}),
        *more,
    )


def group(here: World) -> EmcoObject:
    found = here.catalogue.get(tuple(DIG.split("/")))
    assert found is not None
    return found


def meant(here: World) -> tuple[dict[str, Any], list[str]]:
    problems = Problems()
    found = native.deployment(here.catalogue, group(here), "g", Unpacked(), problems)
    return found, [problem.message for problem in problems]


def test_a_group_is_a_deployment(tmp_path: Path) -> None:
    found, problems = meant(ready(tmp_path))

    assert problems == []
    assert found["release"] == "r1"
    assert found["placement"] == {"a": {"all_of": [{"cluster": "aws+edge1"}]}}
    assert found["labels"] == {"emco/deployment-id": f"{native.context_id(tuple(DIG.split('/')))}-{{app}}"}


def test_two_intents_for_an_app_hold_together_where_emco_takes_one(tmp_path: Path) -> None:
    more = {"app": "a", "intent": {"anyOf": [{"clusterProvider": "aws", "clusterLabel": "x"}]}}
    here = ready(tmp_path, document(f"{DIG}/generic-placement-intents/gp/app-intents", "j", more))

    assert meant(here)[0]["placement"]["a"] == {
        "all_of": [{"cluster": "aws+edge1"}],
        "any_of": [{"label": "x", "provider": "aws"}],
    }


def test_override_values_of_an_app_add_up_where_emco_takes_the_first(tmp_path: Path) -> None:
    values = [{"app": "a", "values": {"x": "1", "y": "1"}}, {"app": "a", "values": {"y": "2"}}]
    spec = {"compositeProfile": "cp", "version": "r1", "logicalCloud": "lc", "overrideValues": values}
    here = ready(tmp_path, document(f"{CA}/deployment-intent-groups", "g", spec))

    assert meant(here)[0]["overrides"] == {"a": {"set": {"x": "1", "y": "2"}}}


def test_a_mandatory_cluster_outside_the_logical_cloud_is_refused_in_emcos_words(tmp_path: Path) -> None:
    other = document("cluster-providers/aws/clusters", "edge2", {"gitOps": GIT_OPS})
    intent = {"allOf": [{"clusterProvider": "aws", "cluster": "edge2"}]}
    changed = document(f"{DIG}/generic-placement-intents/gp/app-intents", "i", {"app": "a", "intent": intent})
    here = ready(tmp_path, other, changed)

    (message,) = meant(here)[1]

    assert message.startswith("The specified Logical Cloud doesn't provide the mandatory clusters")


def test_an_app_without_intent_or_profile_is_refused_in_emcos_words(tmp_path: Path) -> None:
    messages = " ".join(meant(ready(tmp_path, with_app(tmp_path, "b")))[1])

    assert "No compatible clusters have been provided to the Deployment Intent Group" in messages
    assert "AppProfileContent not found" in messages


def test_generic_intents_count_when_the_intents_map_names_them(tmp_path: Path) -> None:
    (tmp_path / "site.conf").write_text("x")
    gvk = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c"}
    where = {"scope": "label", "clusterProvider": "aws", "clusterLabel": "l", "mode": "deny"}
    more = [
        document("controllers", "gac", {"host": "gac", "port": 1}),
        document(f"{DIG}/generic-k8s-intents", "k"),
        document(f"{DIG}/generic-k8s-intents/k/resources", "r", {"app": "a", "newObject": "true", "resourceGVK": gvk}),
        document(
            f"{DIG}/generic-k8s-intents/k/resources/r/customizations",
            "c",
            {"clusterSpecific": "true", "clusterInfo": where},
            files=[str(tmp_path / "site.conf")],
        ),
    ]
    named = document(f"{DIG}/intents", "i", {"intent": {"genericPlacementIntent": "gp", "gac": "k"}})

    assert "customizations" not in meant(ready(tmp_path, *more))[0]
    assert meant(ready(tmp_path, *more, named))[0]["customizations"] == [
        {
            "app": "a",
            "api_version": "v1",
            "kind": "ConfigMap",
            "name": "c",
            "create": True,
            "changes": [{"all_but": True, "label": "l", "provider": "aws", "data": {"site.conf": "x"}}],
        }
    ]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        pytest.param("$(https://values.example.com/x)$", "is not fetched", id="off by default"),
        pytest.param("$(http://values.example.com/x)$", "is not fetched", id="http"),
    ],
)
def test_values_from_elsewhere_are_not_fetched_without_asking(tmp_path: Path, address: str, words: str) -> None:
    gvk = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c"}
    where = {"scope": "label", "clusterProvider": "aws", "clusterLabel": "l", "mode": "allow"}
    patch = [{"op": "add", "path": "/data/x", "value": address}]
    spec = {"clusterSpecific": "false", "clusterInfo": where, "patchType": "json", "patchJson": patch}
    here = ready(
        tmp_path,
        document("controllers", "gac", {"host": "gac", "port": 1}),
        document(f"{DIG}/generic-k8s-intents", "k"),
        document(f"{DIG}/generic-k8s-intents/k/resources", "r", {"app": "a", "newObject": "true", "resourceGVK": gvk}),
        document(f"{DIG}/generic-k8s-intents/k/resources/r/customizations", "c", spec),
        document(f"{DIG}/intents", "i", {"intent": {"genericPlacementIntent": "gp", "gac": "k"}}),
    )

    assert any(words in message for message in meant(here)[1])


def test_values_from_elsewhere_are_fetched_for_each_cluster(tmp_path: Path) -> None:
    gvk = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c"}
    where = {"scope": "label", "clusterProvider": "aws", "clusterLabel": "l", "mode": "allow"}
    patch = [{"op": "add", "path": "/data/x", "value": "$(https://v.example.com/{clusterProvider}/{cluster})$"}]
    spec = {"clusterSpecific": "false", "clusterInfo": where, "patchType": "json", "patchJson": patch}
    here = ready(
        tmp_path,
        document("controllers", "gac", {"host": "gac", "port": 1}),
        document(f"{DIG}/generic-k8s-intents", "k"),
        document(f"{DIG}/generic-k8s-intents/k/resources", "r", {"app": "a", "newObject": "true", "resourceGVK": gvk}),
        document(f"{DIG}/generic-k8s-intents/k/resources/r/customizations", "c", spec),
        document(f"{DIG}/intents", "i", {"intent": {"genericPlacementIntent": "gp", "gac": "k"}}),
    )
    problems = Problems()

    found = native.deployment(
        here.catalogue, group(here), "g", Unpacked(), problems, fetch=lambda address: f"from {address}"
    )

    assert list(problems) == []
    assert found["customizations"][0]["changes"] == [
        {
            "cluster": "aws+edge1",
            "patch": [{"op": "add", "path": "/data/x", "value": "from https://v.example.com/aws/edge1"}],
        }
    ]


def test_a_logical_cloud_of_level_1_needs_a_permission_on_its_namespace() -> None:
    spec = {"namespace": "t", "user": {"userName": "u"}}
    here = world(*inventory(), *project(), document("projects/p/logical-clouds", "t", spec))
    cloud = here.catalogue.get(("projects", "p", "logical-clouds", "t"))
    assert cloud is not None
    problems = Problems()

    native.logical_cloud(here.catalogue, cloud, problems)

    assert any("User Permission assigned to its primary namespace" in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("namespaces", "kind"),
    [(["t"], "standard"), (["t", "other"], "privileged"), (["t", ""], "privileged")],
)
def test_permissions_tell_standard_from_privileged(namespaces: list[str], kind: str) -> None:
    cloud = "projects/p/logical-clouds/t"
    rights = {"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["get"]}
    here = world(
        *inventory(),
        *project(),
        document("projects/p/logical-clouds", "t", {"namespace": "t", "user": {"userName": "u"}, "labels": {"a": "b"}}),
        document(f"{cloud}/cluster-references", "r", {"clusterProvider": "aws", "cluster": "edge1"}),
        document(f"{cloud}/cluster-quotas", "q", {"limits.cpu": "4", "limits.memory": "4096"}),
        *(
            document(f"{cloud}/user-permissions", f"u{index}", {**rights, "namespace": namespace})
            for index, namespace in enumerate(namespaces)
        ),
    )
    one = here.catalogue.get(tuple(cloud.split("/")))
    assert one is not None
    problems = Problems()

    found = native.logical_cloud(here.catalogue, one, problems)

    assert list(problems) == []
    assert (found["kind"], found["clusters"]) == (kind, ["aws+edge1"])
    assert [each["namespace"] for each in found["permissions"]] == namespaces
    assert found["quotas"] == [{"name": "q", "hard": {"limits.cpu": "4", "limits.memory": "4096"}}]


def test_labels_and_pairs_of_a_cluster_come_with_it() -> None:
    here = world(
        *inventory(),
        document(f"{CLUSTER}/labels", clusterLabel="east"),
        document(f"{CLUSTER}/labels", clusterLabel="gpu"),
        document(f"{CLUSTER}/kv-pairs", "kv", {"kv": [{"a": "1"}, {"a": "2", "b": "3"}]}),
    )
    one = here.catalogue.get(tuple(CLUSTER.split("/")))
    assert one is not None

    found = native.cluster(here.catalogue, one)

    assert found["labels"] == {"east": "", "gpu": ""}
    assert found["kv"] == {"kv": {"a": "1", "b": "3"}}


def test_what_nobody_carries_out_is_told_below_a_group(tmp_path: Path) -> None:
    policy = {"policy": {"engineUrl": "u", "policyName": "n"}, "event": {"id": "e"}}
    here = ready(tmp_path, document(f"{DIG}/policy-intents", "scale", policy))

    (row,) = support.below(here.catalogue, tuple(DIG.split("/")))

    assert (row.kind, row.what) == ("PolicyIntent", f"{DIG}/policy-intents/scale")


# status


def resource(kind: str, name: str, ready: str = "Ready", api_version: str = "v1") -> dict[str, Any]:
    return {"kind": kind, "api_version": api_version, "name": name, "ready_status": ready, "deployed_status": "Applied"}


def vfw() -> dict[str, Any]:
    """What deployment_info tells of case G's fixture, packetgen alone."""
    name = "fw0-packetgen"
    objects = [
        resource("Deployment", name, api_version="apps/v1"),
        resource("Pod", f"{name}-67d8fb7b68-8g824"),
        resource("Service", "packetgen-service", "NotReady"),
    ]
    clusters = [{"cluster": f"vfw+edge0{number}", "resources": objects} for number in (1, 2)]
    return {
        "deployed_counts": {"Applied": 2},
        "ready_counts": {"Ready": 4, "NotReady": 2},
        "clusters": {"vfw+edge01": {"connectivity": "Available"}},
        "apps": [{"name": "packetgen", "clusters": clusters}],
    }


def asked(tmp_path: Path, **query: Any) -> dict[str, Any]:
    here = ready(tmp_path)
    return group_status(parsed(StatusQuery, query, "the query"), group(here), here.lifecycle(()), "7", vfw())


def test_lists_have_the_names_of_emco(tmp_path: Path) -> None:
    assert asked(tmp_path, apps=True)["apps"] == ["packetgen"]
    assert asked(tmp_path, clusters=True)["clustersByApp"] == [
        {
            "app": "packetgen",
            "clusters": [
                {"clusterProvider": "vfw", "cluster": "edge01"},
                {"clusterProvider": "vfw", "cluster": "edge02"},
            ],
        }
    ]
    listed = asked(tmp_path, resources=True, type="cluster")["resourcesByApp"]
    assert [len(one["resources"]) for one in listed] == [3, 3]
    assert listed[0]["resources"][0] == {
        "name": "fw0-packetgen",
        "GVK": {"Group": "apps", "Version": "v1", "Kind": "Deployment"},
    }


def test_the_older_type_has_its_own_names(tmp_path: Path) -> None:
    found = asked(tmp_path, type="cluster", output="all", app=["packetgen"])

    assert found["clusterStatus"] == {"Ready": 4, "NotReady": 2}
    assert found["readyStatus"] == "NotReady"
    assert found["apps"][0]["clusters"][0]["resources"][2]["clusterStatus"] == "NotReady"
    assert found["apps"][0]["clusters"][1]["readyStatus"] == "Retrying"
    assert asked(tmp_path, type="rsync")["rsyncStatus"] == {"Applied": 2}
    assert asked(tmp_path)["rsyncStatus"] == {"Applied": 2}


def test_status_counts_for_more_than_type(tmp_path: Path) -> None:
    found = asked(tmp_path, status="ready", type="rsync")

    assert (found["readyCounts"], found["deployedStatus"]) == ({"Ready": 4, "NotReady": 2}, "Created")
    assert "apps" not in asked(tmp_path, status="deployed", output="summary")


def test_only_the_clusters_asked_for_are_told(tmp_path: Path) -> None:
    found = asked(tmp_path, clusters=True, cluster=["vfw+edge02"])

    assert [one["cluster"] for one in found["clustersByApp"][0]["clusters"]] == ["edge02"]


@pytest.mark.parametrize("query", [{"cluster": ["edge01"]}, {"cluster": ["a+b+c"]}, {"status": "x"}, {"output": "y"}])
def test_a_query_that_emco_refuses_is_refused(query: dict[str, Any]) -> None:
    problems = Problems()

    assert parse(StatusQuery, query, "status", problems) is None
    assert len(problems) == 1


def test_an_object_is_told_in_full_only_where_detail_is_asked(tmp_path: Path) -> None:
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    told = {"apps": [{"name": "a", "clusters": [{"cluster": "p+c", "resources": [resource("Pod", "p")]}]}]}
    told["apps"][0]["clusters"][0]["resources"][0]["manifest"] = manifest
    here = ready(tmp_path)

    def found(output: str) -> dict[str, Any]:
        query = parsed(StatusQuery, {"status": "ready", "output": output}, "the query")
        status = group_status(query, group(here), here.lifecycle(()), "7", told)
        return dict(status["apps"][0]["clusters"][0]["resources"][0])

    assert found("detail")["detail"] == manifest
    assert "detail" not in found("all")


def test_what_a_logical_cloud_and_networks_are_made_of_is_an_app_of_its_own() -> None:
    here = world(*inventory())
    cluster = here.catalogue.get(tuple(CLUSTER.split("/")))
    assert cluster is not None
    objects = [
        {"object": "Network default/blue", "ready": True, "manifest": {"apiVersion": "k8s.plugin.opnfv.org/v1alpha1"}},
        {"object": "Network default/red", "ready": False},
    ]
    told = {"clusters": {"aws+edge1": {"reachable": True, "networks": [{"name": "n", "objects": objects}]}}}
    query = parsed(StatusQuery, {"resource": ["blue"]}, "the query")

    status = networks_status(query, cluster, here.lifecycle(()), "7", told, told)

    assert (status["readyCounts"], status["readyStatus"]) == ({"Ready": 1}, "Ready")
    (blue,) = status["apps"][0]["clusters"][0]["resources"]
    assert blue == {
        "GVK": {"Group": "k8s.plugin.opnfv.org", "Version": "v1alpha1", "Kind": "Network"},
        "name": "blue",
        "readyStatus": "Ready",
    }


def test_an_app_that_is_not_there_is_named() -> None:
    assert unknown_apps(StatusQuery(app=("sink", "sikn")), ["sink"]) == ["sikn"]
