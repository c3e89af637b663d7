# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects out of YAML, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._render.checks import check_objects
from ansible_collections.emco.edge.plugins.module_utils._render.hooks import Hook
from ansible_collections.emco.edge.plugins.module_utils._render.objects import (
    Parsed,
    RenderedObject,
    in_namespace,
    parse_objects,
)


def parsed(text: str, source: str | None = "api.yaml") -> tuple[Parsed, list[str]]:
    problems = Problems()
    return parse_objects(text, app="api", source=source, problems=problems), [str(one) for one in problems]


def made(
    kind: str, name: str, namespace: str = "", *, app: str = "api", api: str = "v1", **more: Any
) -> RenderedObject:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return RenderedObject(app, f"{app}.yaml", {"apiVersion": api, "kind": kind, "metadata": metadata, **more})


class TestParsing:
    def test_objects_know_their_app_and_file(self) -> None:
        found, problems = parsed("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: lab}\n")
        assert problems == []
        [one] = found.objects
        assert (one.app, one.source, one.title, one.group) == ("api", "api.yaml", "ConfigMap lab/a", "")

    def test_helms_comments_name_the_file_until_the_next_one(self) -> None:
        text = """# Source: c/crds/x.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
---
# Source: c/templates/y.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
"""
        found, _problems = parsed(text, source=None)
        assert [one.source for one in found.objects] == ["c/crds/x.yaml", "c/crds/x.yaml", "c/templates/y.yaml"]
        assert {one.source for one in parsed(text)[0].objects} == {"api.yaml"}

    def test_lists_are_flattened(self) -> None:
        text = """apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
  - apiVersion: v1
    kind: ConfigMapList
    items: [{metadata: {name: b}}, {metadata: {name: c}}]
"""
        found, problems = parsed(text)
        assert problems == []
        assert [one.title for one in found.objects] == ["ConfigMap a", "ConfigMap b", "ConfigMap c"]

    def test_an_empty_list_is_nothing(self) -> None:
        assert parsed("{apiVersion: v1, kind: List, items: []}") == (Parsed(), [])

    def test_a_kind_that_only_ends_like_a_list_is_an_object(self) -> None:
        found, _problems = parsed("{apiVersion: x.example/v1, kind: AllowList, metadata: {name: a}, spec: {}}")
        assert [one.kind for one in found.objects] == ["AllowList"]

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ("{kind: ConfigMap, metadata: {name: a}}", "has no apiVersion"),
            ("{apiVersion: v1, metadata: {name: a}}", "has no kind"),
            ("{apiVersion: v1, kind: ConfigMap}", "ConfigMap has no metadata.name"),
            ("{apiVersion: v1, kind: ConfigMap, metadata: {generateName: a-}}", "give it a name"),
            ("{apiVersion: v1, kind: ConfigMap, metadata: {name: 5}}", "metadata.name must be text, not 5"),
            ("{apiVersion: 1, kind: ConfigMap, metadata: {name: a}}", "apiVersion must be text"),
            ("{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {x: 1.0}}}", "metadata.labels.x must be text"),
            (
                "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 7}}",
                "metadata.namespace must be text, not 7",
            ),
            (
                "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: no}}",
                "must be text, not False (put it in quotes)",
            ),
            ("{apiVersion: v1, kind: Pod, metadata: []}", "metadata must be a mapping"),
            ("[1, 2]", "is not a Kubernetes object but a list"),
            ("just words", "is not a Kubernetes object but plain text"),
            ("{apiVersion: v1, kind: List, items: [5]}", "item 1: is not a Kubernetes object"),
            ("a: [", "is not valid YAML"),
        ],
    )
    def test_what_is_no_object_is_told_with_app_file_and_document(self, document: str, message: str) -> None:
        good = "{apiVersion: v1, kind: ConfigMap, metadata: {name: good}}"
        found, problems = parsed(f"{good}\n---\n{document}\n---\n{good}\n")
        assert len(found.objects) == 2
        assert problems[0].startswith("app api, api.yaml, document 2")
        assert message in problems[0]

    def test_a_hook_with_an_unknown_event_is_left_out_with_a_warning_and_a_test_without(self) -> None:
        pod = "{apiVersion: v1, kind: Pod, metadata: {name: %s, annotations: {helm.sh/hook: %s}}}\n---\n"
        found, problems = parsed(pod % ("a", "crd-install") + pod % ("b", "test"))
        assert found.objects == ()
        assert problems == []
        assert len(found.warnings) == 1
        assert "Pod a is left out" in found.warnings[0]


class TestNamespace:
    known = staticmethod(lambda api, kind: {"ConfigMap": True, "ClusterRole": False}.get(kind))

    def test_a_namespaced_object_without_a_namespace_gets_the_one_of_the_logical_cloud(self) -> None:
        given = (made("ConfigMap", "a"), made("ConfigMap", "b", "own"), made("ClusterRole", "c"), made("Odd", "d"))
        found = in_namespace(given, "factory", self.known)
        assert [one.namespace for one in found] == ["factory", "own", "", ""]
        assert given[0].namespace == ""

    def test_a_namespace_on_an_object_of_the_whole_cluster_is_dropped(self) -> None:
        assert in_namespace([made("ClusterRole", "c", "n")], "factory", self.known)[0].namespace == ""

    def test_the_scope_of_a_custom_kind_is_read_from_its_definition_beside_it(self) -> None:
        spec = {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Camera"}}
        crd = made("CustomResourceDefinition", "cameras.example.com", api="apiextensions.k8s.io/v1", spec=spec)
        found = in_namespace([crd, made("Camera", "one", api="example.com/v1")], "factory", self.known)
        assert [one.namespace for one in found] == ["", "factory"]


class TestChecks:
    def test_good_objects_have_no_problems(self) -> None:
        good = [
            made("ConfigMap", "a", "n"),
            made("Secret", "a", "n"),
            made("ConfigMap", "a", "m"),
            made("Role", "system:reader", "n", api="rbac.authorization.k8s.io/v1"),
            made("ConfigMap", "a." * 126 + "a", "n"),
        ]
        assert check_objects(good, allowed_namespaces=frozenset({"n", "m"})) == ()

    def test_the_same_object_twice_is_refused_over_all_apps_and_versions(self) -> None:
        first = made("Deployment", "a", "n", api="apps/v1")
        [problem] = check_objects([first, made("Deployment", "a", "n", api="apps/v1beta1", app="viewer")])
        assert str(problem) == "app viewer, viewer.yaml, Deployment n/a: is the same object as one in app api, api.yaml"

    def test_a_hook_may_be_an_object_of_the_app_too(self) -> None:
        account = made("ServiceAccount", "a", "lab")
        assert check_objects([account, replace(account, hook=Hook(("pre-install",)))]) == ()

    def test_an_object_that_only_shares_name_and_kind_is_another(self) -> None:
        """EMCO overwrites one with the other."""
        assert check_objects([made("Service", "a", "n"), made("Service", "a", "n", api="serving.knative.dev/v1")]) == ()

    def test_a_namespace_outside_the_logical_cloud_is_refused(self) -> None:
        allowed = frozenset({"factory"})
        [problem] = check_objects([made("ConfigMap", "a", "other")], allowed_namespaces=allowed)
        assert "namespace other is not covered by the logical cloud (factory)" in problem.message
        [problem] = check_objects([made("Namespace", "other")], allowed_namespaces=allowed)
        assert "is not one of the logical cloud's namespaces" in problem.message
        assert check_objects([made("ConfigMap", "a", "other"), made("Namespace", "other")]) == ()

    @pytest.mark.parametrize(
        ("kind", "name", "api"),
        [
            ("ConfigMap", "A", "v1"),
            ("ConfigMap", "a_b", "v1"),
            ("ConfigMap", "köln", "v1"),
            ("ConfigMap", "a" * 254, "v1"),
            ("Service", "a.b", "v1"),
            ("Service", "a" * 64, "v1"),
            ("Namespace", "a.b", "v1"),
            ("CronJob", "a" * 53, "batch/v1"),
            ("Role", "a/b", "rbac.authorization.k8s.io/v1"),
            ("Role", "..", "rbac.authorization.k8s.io/v1"),
        ],
    )
    def test_a_name_kubernetes_would_refuse_is_refused(self, kind: str, name: str, api: str) -> None:
        [problem] = check_objects([made(kind, name, api=api)])
        assert problem.message.startswith("the name ")

    def test_a_namespace_kubernetes_would_refuse_is_refused(self) -> None:
        [problem] = check_objects([made("ConfigMap", "a", "Factory")])
        assert problem.message.startswith("the namespace ")

    def test_an_object_too_large_for_the_server_is_refused_with_its_size(self) -> None:
        [problem] = check_objects([made("CustomResourceDefinition", "a.b", spec={"x": "y" * 1_250_000})])
        assert "is 1250" in problem.message and "1200000" in problem.message
        assert check_objects([made("CustomResourceDefinition", "a.b", spec={"x": "y" * 1_150_000})]) == ()
        [problem] = check_objects([made("ConfigMap", "a", data={"x": "y" * 1_100_000})])
        assert "a ConfigMap holds at most 1 MiB" in problem.message
