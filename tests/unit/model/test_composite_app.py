# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a composite app may be."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import (
    App,
    CompositeApp,
    Dependency,
    File,
    dependency_cycle,
    dependency_order,
)
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import argument_spec, parse

VISION: dict[str, Any] = {
    "project": "demo",
    "name": "vision",
    "version": "v1",
    "apps": [
        {"name": "broker", "chart": "charts/broker"},
        {
            "name": "api",
            "manifests": ["manifests/api/"],
            "depends_on": [{"app": "broker", "status": "READY", "wait": "5s"}],
        },
        {"name": "viewer", "kustomize": "overlays/edge"},
    ],
    "profiles": [
        {
            "name": "production",
            "apps": {
                "broker": {"values_files": ["prod.yaml"], "files": [{"src": "site.conf", "dest": "files/site.conf"}]},
                "api": {"values": {"replicas": 2}},
            },
        }
    ],
}


def read(**changed: Any) -> tuple[CompositeApp | None, list[str]]:
    problems = Problems()
    found = parse(CompositeApp, {**VISION, **changed}, "", problems)
    return found, [str(problem) for problem in problems]


def with_apps(*apps: dict[str, Any]) -> tuple[CompositeApp | None, list[str]]:
    return read(apps=list(apps), profiles=[])


def chart(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "chart": name, "depends_on": [{"app": need} for need in needs], **more}


def test_the_example_of_the_documentation_is_read() -> None:
    found, problems = read()
    assert problems == []
    assert found is not None
    assert [app.source for app in found.apps] == ["chart", "manifests", "kustomize"]
    assert found.apps[1].depends_on == (Dependency("broker", "ready", 5.0),)
    production = found.profile("production")
    assert production is not None
    assert production.apps["api"].values == {"replicas": 2}
    assert production.apps["broker"].files == (File("site.conf", "files/site.conf"),)


def test_the_password_is_never_logged() -> None:
    assert argument_spec(App)["password"]["no_log"] is True


class TestSource:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({}, "apps[0]: needs exactly one of chart, manifests, kustomize, and has none"),
            (
                {"chart": "c", "manifests": ["m"]},
                "apps[0]: needs exactly one of chart, manifests, kustomize, and has chart and manifests",
            ),
            ({"kustomize": "k", "version": "1.0.0"}, "apps[0].version: belongs to a chart, not to kustomize"),
            (
                {"chart": "c", "username": "u", "password": "p"},
                "apps[0].username: needs a repository or an oci:// chart",
            ),
            (
                {"chart": "oci://r.example/c", "repository": "https://r.example"},
                "apps[0].repository: has no meaning for a chart with an address of its own",
            ),
            ({"chart": "oci://r.example/c", "username": "u"}, "apps[0]: username and password belong together"),
            (
                {"chart": "c", "digest": "sha256:12"},
                "apps[0].digest: 'sha256:12' is not a digest; write sha256: and 64 hexadecimal digits",
            ),
        ],
    )
    def test_an_app_has_one_source_and_what_belongs_to_it(self, given: dict[str, Any], message: str) -> None:
        found, problems = with_apps({"name": "a", **given})
        assert found is None
        assert message in problems

    @pytest.mark.parametrize(
        "chart", [{"chart": "oci://r.example/c"}, {"chart": "c", "repository": "https://r.example"}]
    )
    def test_a_chart_from_elsewhere_may_need_credentials(self, chart: dict[str, str]) -> None:
        found, problems = with_apps({"name": "a", **chart, "version": "1.0.0", "username": "u", "password": "p"})
        assert problems == []
        assert found is not None
        assert found.apps[0].is_remote


class TestNames:
    @pytest.mark.parametrize("name", ["", "-a", "a/b", "köln", "東京", "a" * 129])
    @pytest.mark.parametrize("key", ["project", "name", "version"])
    def test_a_name_emco_would_refuse_is_refused(self, key: str, name: str) -> None:
        found, problems = read(**{key: name})
        assert found is None
        assert problems[0].startswith(f"{key}: ")

    def test_a_number_is_a_version(self) -> None:
        found, _problems = read(version=1.5)
        assert found is not None
        assert found.version == "1.5"

    def test_an_app_name_may_stand_once(self) -> None:
        _found, problems = with_apps(chart("a"), chart("b"), chart("a"))
        assert problems == ["apps[2].name: there is already an app 'a'"]

    def test_a_profile_name_may_stand_once(self) -> None:
        _found, problems = read(profiles=[{"name": "p"}, {"name": "p"}])
        assert problems == ["profiles[1].name: there is already a profile 'p'"]

    def test_labels_are_those_of_kubernetes(self) -> None:
        _found, problems = with_apps(chart("a", labels={"tier": "far edge", "-x": "y"}))
        assert [problem.split(":")[0] for problem in problems] == ["apps[0].labels.tier", "apps[0].labels.-x"]


class TestDependencies:
    @pytest.mark.parametrize("status", ["Ready", "READY", "deployed", "Deployed"])
    def test_a_status_may_be_in_any_case(self, status: str) -> None:
        """E1, E8"""
        found, _problems = with_apps(chart("a"), {**chart("b"), "depends_on": [{"app": "a", "status": status}]})
        assert found is not None
        assert found.apps[1].depends_on[0].status == status.lower()

    def test_a_status_that_emco_does_not_know_is_refused(self) -> None:
        """E2"""
        _found, problems = with_apps(chart("a"), {**chart("b"), "depends_on": [{"app": "a", "status": "deploye"}]})
        assert problems == ["apps[1].depends_on[0].status: 'deploye' is not one of deployed, ready"]

    def test_a_wait_is_at_most_4096_seconds(self) -> None:
        """E8"""
        for wait, count in (("4096", 0), (0, 0), ("1h", 0), (4097, 1), ("-1s", 1)):
            _found, problems = with_apps(chart("a"), {**chart("b"), "depends_on": [{"app": "a", "wait": wait}]})
            assert len(problems) == count, wait

    def test_an_app_that_is_not_there_is_named_with_what_was_meant(self) -> None:
        _found, problems = with_apps(chart("broker"), chart("api", "brokr"))
        assert problems == ["apps[1].depends_on[0].app: there is no app 'brokr' (did you mean broker?)"]

    def test_a_circle_is_refused_with_its_members(self) -> None:
        """E9"""
        _found, problems = with_apps(
            chart("app1", "app2", "app3"), chart("app2", "app1", "app4"), chart("app3"), chart("app4")
        )
        assert problems == ["apps: depend on each other in a circle: app1 -> app2 -> app1"]

    def test_an_app_that_needs_itself_is_a_circle(self) -> None:
        _found, problems = with_apps(chart("a", "a"))
        assert problems == ["apps: depend on each other in a circle: a -> a"]

    def test_apps_are_ordered_in_steps(self) -> None:
        found, _problems = with_apps(chart("c", "a", "b"), chart("b", "a"), chart("a"), chart("d"))
        assert found is not None
        assert dependency_order(found.apps) == (("a", "d"), ("b",), ("c",))

    def test_a_chain_of_thousands_is_no_problem(self) -> None:
        edges = {str(index): [str(index + 1)] for index in range(5000)}
        assert dependency_cycle(edges) == ()
        assert len(dependency_cycle({**edges, "5000": ["0"]})) == 5002

    @given(st.dictionaries(st.integers(0, 6).map(str), st.lists(st.integers(0, 6).map(str), max_size=3), max_size=7))
    def test_there_is_an_order_exactly_when_there_is_no_circle(self, edges: dict[str, list[str]]) -> None:
        apps = [
            App(name, chart="c", depends_on=tuple(Dependency(need) for need in needs)) for name, needs in edges.items()
        ]
        cycle = dependency_cycle(edges)
        if not cycle:
            placed = [name for step in dependency_order(apps) for name in step]
            assert sorted(placed) == sorted(edges)
            for name, needs in edges.items():
                assert all(placed.index(need) < placed.index(name) for need in needs if need in edges)
        else:
            assert cycle[0] == cycle[-1]
            assert all(after in edges[before] for before, after in pairwise(cycle))
            with pytest.raises(ValueError, match="circle"):
                dependency_order(apps)


class TestProfiles:
    def test_a_profile_for_an_app_that_is_not_there_is_refused(self) -> None:
        _found, problems = read(profiles=[{"name": "p", "apps": {"brokr": {}}}])
        assert problems == ["profiles[0].apps.brokr: there is no app 'brokr' (did you mean broker?)"]

    @pytest.mark.parametrize("dest", ["/etc/passwd", "../x", "files/../../x", ".", "", "a/.."])
    def test_a_file_stays_inside_the_chart(self, dest: str) -> None:
        _found, problems = read(profiles=[{"name": "p", "apps": {"broker": {"files": [{"src": "x", "dest": dest}]}}}])
        assert problems[0].startswith("profiles[0].apps.broker.files[0].dest: ")

    def test_values_for_a_kustomization_and_files_for_manifests_are_refused(self) -> None:
        apps = {"viewer": {"values": {"a": 1}}, "api": {"files": [{"src": "x", "dest": "y"}]}}
        _found, problems = read(profiles=[{"name": "p", "apps": apps}])
        assert [problem.split(":")[0] for problem in problems] == [
            "profiles[0].apps.viewer",
            "profiles[0].apps.api.files",
        ]


def test_a_readiness_query_that_is_none_is_refused() -> None:
    _found, problems = with_apps(chart("a", wait_for={"Camera": "status.phase == 'Ready'", "Lens": "status["}))
    assert len(problems) == 1
    assert problems[0].startswith("apps[0].wait_for.Lens: is not a JMESPath query")


def test_everything_wrong_is_told_at_once() -> None:
    _found, problems = read(
        name="a b", apps=[{"name": "ä", "chart": "x"}, {"name": "b", "chrt": "x"}, {"name": "c", "manifests": 1}]
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "name",
        "apps[0].name",
        "apps[1].chrt",
        "apps[2].manifests",
    ]
