# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks and the order of kinds, as Helm has them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._render.hooks import Hook, NotRun, hooks_of, parse_hook
from ansible_collections.emco.edge.plugins.module_utils._render.install_order import (
    INSTALL_ORDER,
    in_deletion_order,
    in_install_order,
)
from ansible_collections.emco.edge.plugins.module_utils._render.objects import RenderedObject


def annotated(name: str = "a", kind: str = "Job", **annotations: Any) -> dict[str, Any]:
    full = {"helm.sh/" + key.replace("_", "-"): value for key, value in annotations.items()}
    return {"apiVersion": "batch/v1", "kind": kind, "metadata": {"name": name, "annotations": full}}


def hooked(name: str, kind: str = "Job", **annotations: Any) -> RenderedObject:
    manifest = annotated(name, kind, **annotations)
    hook = parse_hook(manifest)
    return RenderedObject("app", "x.yaml", manifest, hook if isinstance(hook, Hook) else None)


class TestParsing:
    @pytest.mark.parametrize(
        ("annotations", "expected"),
        [
            ({"hook": "pre-install"}, Hook(("pre-install",), 0, ("before-hook-creation",))),
            ({"hook": "pre-install, Post-Upgrade"}, Hook(("pre-install", "post-upgrade"))),
            ({"hook": "post-delete", "hook_weight": "-5"}, Hook(("post-delete",), -5)),
            ({"hook": "pre-install", "hook_weight": "heavy"}, Hook(("pre-install",), 0)),
            (
                {"hook": "pre-install", "hook_delete_policy": "hook-succeeded,hook-failed"},
                Hook(("pre-install",), 0, ("hook-succeeded", "hook-failed")),
            ),
            ({"hook": "pre-install", "hook_delete_policy": "never"}, Hook(("pre-install",))),
            ({"hook": "pre-install,test"}, Hook(("pre-install",))),
            ({"resource-policy": "keep"}, None),
            ({}, None),
        ],
    )
    def test_annotations_say_what_a_hook_is(self, annotations: dict[str, str], expected: Hook | None) -> None:
        assert parse_hook(annotated(**annotations)) == expected

    def test_an_object_without_annotations_is_no_hook(self) -> None:
        assert parse_hook({"metadata": {"name": "a"}}) is None
        assert parse_hook({"metadata": {"name": "a", "annotations": None}}) is None

    @pytest.mark.parametrize("event", ["test", "test-success", "test-failure"])
    def test_a_test_is_not_run(self, event: str) -> None:
        found = parse_hook(annotated(hook=event))
        assert isinstance(found, NotRun)
        assert found.is_test

    @pytest.mark.parametrize("event", ["crd-install", "pre-install,typo", ""])
    def test_an_unknown_event_leaves_out_the_object_as_helm_does(self, event: str) -> None:
        found = parse_hook(annotated(hook=event))
        assert isinstance(found, NotRun)
        assert not found.is_test


def test_hooks_of_an_event_run_by_weight_then_name_then_kind() -> None:
    given = [
        hooked("b", hook="pre-install", hook_weight="1"),
        hooked("z", hook="pre-install,post-install", hook_weight="-1"),
        hooked("a", "Pod", hook="pre-install", hook_weight="1"),
        hooked("a", "ConfigMap", hook="pre-install", hook_weight="1"),
        hooked("c", hook="pre-install"),
        hooked("d", hook="post-install"),
    ]
    assert [(one.name, one.kind) for one in hooks_of(given, "pre-install")] == [
        ("z", "Job"),
        ("c", "Job"),
        ("a", "ConfigMap"),
        ("a", "Pod"),
        ("b", "Job"),
    ]
    assert [one.name for one in hooks_of(given, "post-install")] == ["z", "d"]


class TestOrder:
    def test_kinds_come_in_helms_order_and_unknown_ones_last_by_name(self) -> None:
        given = ["Zebra", "Deployment", "Camera", "ConfigMap", "Namespace", "CustomResourceDefinition", "Service"]
        assert in_install_order(given, lambda kind: kind) == (
            "Namespace",
            "ConfigMap",
            "CustomResourceDefinition",
            "Service",
            "Deployment",
            "Camera",
            "Zebra",
        )

    @given(st.lists(st.tuples(st.sampled_from([*INSTALL_ORDER, "Camera", "Zebra"]), st.integers())))
    def test_deletion_is_the_exact_reverse_and_a_kind_keeps_its_order(self, objects: list[tuple[str, int]]) -> None:
        installed = in_install_order(objects, lambda one: one[0])
        assert in_deletion_order(objects, lambda one: one[0]) == installed[::-1]
        for kind in {one[0] for one in objects}:
            assert [one for one in installed if one[0] == kind] == [one for one in objects if one[0] == kind]


def test_no_kind_stands_twice_in_the_order() -> None:
    assert len(set(INSTALL_ORDER)) == len(INSTALL_ORDER)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", kind) for kind in INSTALL_ORDER)
