# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes before what on one cluster."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import AppDependency
from ansible_collections.emco.edge.plugins.module_utils._sync.order import levels, steps
from tests.unit.sync.planned import bundle, config


def test_kinds_follow_the_install_order_and_custom_ones_come_after_those_that_are_known() -> None:
    kinds = [
        "Camera",
        "Deployment",
        "ConfigMap",
        "Service",
        "Role",
        "RoleBinding",
        "Namespace",
        "ValidatingWebhookConfiguration",
    ]
    ordered = steps([config(kind.lower(), kind=kind) for kind in kinds])

    assert [[one.identity.kind for one in step] for step in ordered] == [
        ["Namespace"],
        ["ConfigMap"],
        ["Role"],
        ["Service", "RoleBinding"],
        ["Deployment"],
        ["Camera"],
        ["ValidatingWebhookConfiguration"],
    ]


def test_apps_start_when_those_they_need_here_have_started() -> None:
    needs = {"web": (AppDependency("api"),), "api": (AppDependency("db"), AppDependency("elsewhere"))}
    one = replace(bundle(), apps=("db", "free", "api", "web"), dependencies=needs)

    assert levels(one) == [("db", "free"), ("api",), ("web",)]


def test_an_app_that_needs_one_elsewhere_holds_up_none_that_needs_nothing() -> None:
    one = replace(bundle(), apps=("web", "free"), dependencies={"web": (AppDependency("elsewhere"),)})

    assert levels(one) == [("free",), ("web",)]


def test_a_cycle_does_not_end_in_endless_recursion() -> None:
    one = replace(bundle(), apps=("a", "b"), dependencies={"a": (AppDependency("b"),), "b": (AppDependency("a"),)})

    assert sorted(app for apps in levels(one) for app in apps) == ["a", "b"]
