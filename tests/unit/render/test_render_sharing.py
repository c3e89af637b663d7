# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal inputs are rendered once; what is not equal is told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._render.determinism import NonDeterministicRender
from ansible_collections.emco.edge.plugins.module_utils._render.render import Renderer, render_all
from ansible_collections.emco.edge.plugins.module_utils._render.rendering import Rendered
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartError
from tests.unit.render.conftest import CONFIG, EMCO_CHART, MemoryCache, counted_helm

WriteChart = Callable[[str, Mapping[str, str]], str]
RequestFor = Callable[..., RenderRequest]
MakeRenderer = Callable[..., Renderer]

RANDOM = """apiVersion: v1
kind: Secret
metadata: {name: random}
stringData: {fixed: same, password: {{ randAlphaNum 20 }}}
"""
ASKS_VERSION = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {v: {{ .Capabilities.KubeVersion.Version }}}\n"
)
ASKS_ONE_API = """apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {has: {{ .Capabilities.APIVersions.Has "a.example.com/v1" | quote }}}
"""
ASKS_ALL_APIS = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {n: {{ len .Capabilities.APIVersions | quote }}}\n"
)
ASKS_UPGRADE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {u: {{ .Release.IsUpgrade | quote }}}\n"


def test_clusters_with_equal_inputs_share_one_run_of_helm(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    chart = write_chart("testchart2", EMCO_CHART)
    fleet = [
        request_for(chart=chart, kube_version=f"v1.{30 + index % 5}.0", api_versions=(f"x{index}/v1",))
        for index in range(40)
    ]
    with counted_helm() as (helm, runs):
        found = render_all(fleet, renderer(helm=helm))
    assert runs == ["template"]
    assert len(set(found.digests)) == 1


def test_what_is_cached_is_not_rendered_again(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    cache = MemoryCache()
    request = request_for(chart=write_chart("testchart2", EMCO_CHART))
    first = render_all([request], renderer(cache=cache))
    with counted_helm() as (helm, runs):
        again = render_all([request], renderer(cache=cache, helm=helm))
    assert runs == []
    assert again == first


def test_a_cached_rendering_of_another_format_is_rendered_again(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    cache = MemoryCache()
    request = request_for(chart=write_chart("testchart2", EMCO_CHART))
    first = render_all([request], renderer(cache=cache))
    cache.kept = dict.fromkeys(cache.kept, b'{"format": 0}')
    assert render_all([request], renderer(cache=cache)) == first
    assert Rendered.from_bytes(cache.kept[first.digests[0]]) == first.of(0)


@pytest.mark.parametrize(
    ("template", "change", "differs"),
    [
        (CONFIG, {"values": {"a": 1}}, True),
        (CONFIG, {"release": "r2"}, True),
        (CONFIG, {"namespace": "other"}, True),
        (CONFIG, {"kube_version": "v1.31.0"}, False),
        (CONFIG, {"api_versions": ("a.example.com/v1",)}, False),
        (CONFIG, {"is_upgrade": True}, False),
        (CONFIG, {"values": {"note": "{{ .Capabilities.KubeVersion }}"}, "kube_version": "v1.31.0"}, True),
        (ASKS_VERSION, {"kube_version": "v1.31.0"}, True),
        (ASKS_VERSION, {"api_versions": ("a.example.com/v1",)}, False),
        (ASKS_ONE_API, {"api_versions": ("a.example.com/v1",)}, True),
        (ASKS_ONE_API, {"api_versions": ("b.example.com/v1",)}, False),
        (ASKS_ALL_APIS, {"api_versions": ("b.example.com/v1",)}, True),
        (ASKS_UPGRADE, {"is_upgrade": True}, True),
    ],
)
def test_a_digest_tells_apart_what_the_chart_can_see(
    renderer: MakeRenderer,
    write_chart: WriteChart,
    request_for: RequestFor,
    template: str,
    change: dict[str, Any],
    differs: bool,
) -> None:
    one = request_for(chart=write_chart("c", {"templates/c.yaml": template}), kube_version="v1.30.0")
    digests = render_all([one, replace(one, **change)], renderer()).digests
    assert (digests[0] != digests[1]) is differs


def test_versions_that_a_chart_accepts_share_a_rendering_and_others_are_refused(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    chart = 'apiVersion: v2\nname: c\nversion: 0.1.0\nkubeVersion: ">=1.29.0-0"\n'
    request = request_for(chart=write_chart("c", {"Chart.yaml": chart, "templates/c.yaml": CONFIG}))
    fleet = [replace(request, kube_version=version) for version in ("v1.29.0", "v1.30.4", "v1.31.1+k3s1")]
    assert len(render_all(fleet, renderer()).by_digest) == 1
    with pytest.raises(ChartError, match=r"requires kubeVersion: >=1\.29\.0-0"):
        render_all([*fleet, replace(request, kube_version="v1.28.9")], renderer())


def test_what_a_sub_chart_asks_for_counts_too(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    files = {
        "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
        "charts/sub/templates/c.yaml": ASKS_VERSION,
    }
    one = request_for(chart=write_chart("c", files), kube_version="v1.30.0")
    found = render_all([one, replace(one, kube_version="v1.31.0")], renderer())
    assert [found.of(index).objects[0].object["data"]["v"] for index in (0, 1)] == ["v1.30.0", "v1.31.0"]


class TestRandomValues:
    def test_they_are_pinned_with_a_warning_that_names_the_field_and_not_the_value(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
    ) -> None:
        cache = MemoryCache()
        request = request_for(chart=write_chart("c", {"templates/s.yaml": RANDOM}))
        first = render_all([request], renderer(cache=cache))
        again = render_all([request], renderer(cache=cache))
        password = first.of(0).objects[0].object["stringData"]["password"]
        assert again == first
        assert len(first.warnings) == 1
        assert "Secret random stringData.password (c/templates/s.yaml)" in first.warnings[0]
        assert "stringData.fixed" not in first.warnings[0]
        assert password not in first.warnings[0]

    def test_they_fail_on_request(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
    ) -> None:
        cache = MemoryCache()
        request = request_for(chart=write_chart("c", {"templates/s.yaml": RANDOM}))
        with pytest.raises(NonDeterministicRender) as caught:
            render_all([request], renderer(cache=cache, on_difference="fail"))
        assert caught.value.details["fields"] == ["Secret random stringData.password"]
        assert cache.kept == {}

    def test_they_may_come_from_a_template_in_the_values(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
    ) -> None:
        template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: {{ tpl .Values.a . | quote }}}\n"
        request = request_for(chart=write_chart("c", {"templates/c.yaml": template}), values={"a": "{{ uuidv4 }}"})
        assert "ConfigMap c data.a" in render_all([request], renderer()).warnings[0]

    def test_an_object_with_a_random_name_is_named_as_a_whole(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
    ) -> None:
        template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c-{{ randNumeric 12 }}}\n"
        request = request_for(chart=write_chart("c", {"templates/c.yaml": template}))
        assert "ConfigMap c-" in render_all([request], renderer()).warnings[0]
