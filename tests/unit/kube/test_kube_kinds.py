# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which path serves a kind, with as few questions as possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.discovery import served_kinds
from ansible_collections.emco.edge.plugins.module_utils._kube.kinds import Kinds
from tests.unit.kube.faulty_server import Say, faulty

CAMERAS = {
    "resources": [
        {"name": "cameras", "kind": "Camera", "namespaced": True},
        {"name": "cameras/status", "kind": "Camera", "namespaced": True},
    ]
}


class Asked:
    def __init__(self, answer: Mapping[str, Any] | None) -> None:
        self.answer = answer
        self.questions: list[str] = []

    def __call__(self, api_version: str) -> Mapping[str, Any] | None:
        self.questions.append(api_version)
        return self.answer


def test_kinds_of_kubernetes_are_known_without_asking() -> None:
    asked = Asked(None)
    found = Kinds(asked).find("apps/v1", "Deployment")

    assert found is not None and found.path("shop", "web") == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert asked.questions == []


def test_other_kinds_are_asked_for_once_and_again_when_told_so() -> None:
    asked = Asked(CAMERAS)
    kinds = Kinds(asked)

    for _unused in range(3):
        found = kinds.find("example.com/v1", "Camera")
        assert found is not None and found.plural == "cameras"
        assert kinds.find("example.com/v1", "Gate") is None
    assert asked.questions == ["example.com/v1"]
    kinds.forget("example.com/v1")
    kinds.find("example.com/v1", "Gate")
    assert len(asked.questions) == 2


def test_kinds_of_a_definition_are_learned_without_asking() -> None:
    asked = Asked(None)
    kinds = Kinds(asked)
    names = {"kind": "Camera", "plural": "cameras"}
    kinds.learn([{"spec": {"group": "example.com", "scope": "Cluster", "names": names, "versions": [{"name": "v1"}]}}])

    found = kinds.find("example.com/v1", "Camera")

    assert found is not None and found.path(None, "a") == "/apis/example.com/v1/cameras/a"
    assert asked.questions == []


def test_aggregated_discovery_is_one_request() -> None:
    group = {
        "metadata": {"name": "example.com"},
        "versions": [
            {
                "version": "v2",
                "resources": [
                    {
                        "resource": "cameras",
                        "responseKind": {"kind": "Camera"},
                        "scope": "Namespaced",
                        "verbs": ["list"],
                    }
                ],
            },
            {
                "version": "v1",
                "resources": [
                    {"resource": "reviews", "responseKind": {"kind": "Review"}, "scope": "Cluster", "verbs": ["create"]}
                ],
            },
        ],
    }
    with faulty(Say(body={"kind": "APIGroupDiscoveryList", "items": [group]})) as server:
        found = served_kinds(server.client(), "/apis")

    assert [(one.resource.api_version, one.resource.kind, one.listed, one.preferred) for one in found] == [
        ("example.com/v2", "Camera", True, True),
        ("example.com/v1", "Review", False, False),
    ]
    assert len(server.seen) == 1 and "APIGroupDiscoveryList" in server.seen[0].headers["Accept"]


def test_an_old_server_is_asked_one_group_version_at_a_time() -> None:
    groups = Say(body={"kind": "APIGroupList", "groups": [{"versions": [{"groupVersion": "example.com/v1"}]}]})
    with faulty(groups, Say(body=CAMERAS)) as server:
        found = served_kinds(server.client(), "/apis")

    assert [(one.resource.api_version, one.resource.kind) for one in found] == [("example.com/v1", "Camera")]
    assert [one.path for one in server.seen] == ["/apis", "/apis/example.com/v1"]
