# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site changes: image mirrors and pull secrets."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._render.objects import RenderedObject
from ansible_collections.emco.edge.plugins.module_utils._render.site import for_site

DIGEST = "sha256:" + "0" * 64


def deployed(manifest: dict[str, Any], mirrors: dict[str, str], secrets: list[str] | None = None) -> dict[str, Any]:
    [found] = for_site([RenderedObject("a", "a.yaml", manifest)], image_mirrors=mirrors, pull_secrets=secrets or [])
    return dict(found.object)


def pod(*images: str, **more: Any) -> dict[str, Any]:
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers, **more}}


def images(manifest: dict[str, Any]) -> list[str]:
    return [container["image"] for container in manifest["spec"]["containers"]]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", "r:5000/library/nginx"),
        ("nginx:1.27", "r:5000/library/nginx:1.27"),
        (f"nginx@{DIGEST}", f"r:5000/library/nginx@{DIGEST}"),
        (f"nginx:1.27@{DIGEST}", f"r:5000/library/nginx:1.27@{DIGEST}"),
        ("grafana/grafana:11", "r:5000/grafana/grafana:11"),
        ("docker.io/nginx", "r:5000/library/nginx"),
        ("docker.io/library/nginx:1", "r:5000/library/nginx:1"),
        ("index.docker.io/grafana/grafana", "r:5000/grafana/grafana"),
        ("quay.io/team/app:2", "near/team-mirror/app:2"),
        ("quay.io/team2/app:2", "far/team2/app:2"),
        ("quay.io/other/app", "far/other/app"),
        ("quay.io/team:3", "near/team-mirror:3"),
        ("ghcr.io/x/y:1", "ghcr.io/x/y:1"),
        ("localhost/x", "localhost/x"),
        ("localhost:5000/x", "own/x"),
        ("registry.example:443/x/y", "registry.example:443/x/y"),
    ],
)
def test_an_image_comes_from_the_mirror_with_the_longest_prefix(image: str, expected: str) -> None:
    mirrors = {"docker.io": "r:5000", "quay.io": "far/", "quay.io/team": "near/team-mirror", "localhost:5000": "own"}
    assert images(deployed(pod(image), mirrors)) == [expected]


@pytest.mark.parametrize("key", ["docker.io", "index.docker.io", "docker.io/"])
def test_docker_hub_may_be_written_in_each_of_its_ways(key: str) -> None:
    assert images(deployed(pod("nginx"), {key: "r"})) == ["r/library/nginx"]


def test_every_container_and_image_volume_is_rewritten() -> None:
    manifest = pod(
        "a",
        initContainers=[{"name": "i", "image": "b"}],
        ephemeralContainers=[{"name": "e", "image": "c"}],
        volumes=[{"name": "v", "image": {"reference": "d", "pullPolicy": "Always"}}, {"name": "w", "emptyDir": {}}],
    )
    spec = deployed(manifest, {"docker.io": "r"})["spec"]
    assert spec["containers"] == [{"name": "c0", "image": "r/library/a"}]
    assert spec["initContainers"] == [{"name": "i", "image": "r/library/b"}]
    assert spec["ephemeralContainers"] == [{"name": "e", "image": "r/library/c"}]
    assert spec["volumes"] == [
        {"name": "v", "image": {"reference": "r/library/d", "pullPolicy": "Always"}},
        {"name": "w", "emptyDir": {}},
    ]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Rollout"])
def test_workloads_hold_pods_too_custom_ones_included(kind: str) -> None:
    manifest = {"kind": kind, "spec": {"replicas": 2, "template": {"metadata": {}, "spec": pod("a")["spec"]}}}
    found = deployed(manifest, {"docker.io": "r"}, ["site"])
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "r/library/a"
    assert found["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "site"}]
    assert found["spec"]["replicas"] == 2


def test_a_cron_job_holds_its_pods_deeper() -> None:
    manifest = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod("a")["spec"]}}}}}
    found = deployed(manifest, {"docker.io": "r"})
    assert found["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"] == "r/library/a"


def test_pull_secrets_are_added_once() -> None:
    manifest = pod("a", imagePullSecrets=[{"name": "own"}, {"name": "site"}])
    assert deployed(manifest, {}, ["site", "other"])["spec"]["imagePullSecrets"] == [
        {"name": "own"},
        {"name": "site"},
        {"name": "other"},
    ]


def test_the_given_object_is_not_changed_and_what_has_no_pods_is_handed_back() -> None:
    manifest = pod("a")
    before = copy.deepcopy(manifest)
    deployed(manifest, {"docker.io": "r"}, ["site"])
    assert manifest == before
    config = RenderedObject("a", "a.yaml", {"kind": "ConfigMap", "data": {"image": "nginx"}})
    assert for_site([config], image_mirrors={"docker.io": "r"}, pull_secrets=["s"])[0] is config


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": None},
        {"containers": ["x"]},
        {"containers": [{"name": "a"}]},
        {"containers": [{"image": ""}]},
        None,
    ],
)
def test_a_malformed_pod_is_left_for_the_server_to_refuse(spec: Any) -> None:
    manifest = {"kind": "Pod", "spec": spec}
    assert deployed(manifest, {"docker.io": "r"}) == manifest
