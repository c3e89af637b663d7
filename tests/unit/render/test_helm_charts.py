# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts rendered by the real helm."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import File
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput
from ansible_collections.emco.edge.plugins.module_utils._model.values import set_values
from ansible_collections.emco.edge.plugins.module_utils._render.hooks import hooks_of
from ansible_collections.emco.edge.plugins.module_utils._render.render import Renderer, render_all
from ansible_collections.emco.edge.plugins.module_utils._render.rendering import Rendered
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from tests.unit.render.conftest import CONFIG, EMCO_CHART, hook_pod

WriteChart = Callable[[str, Mapping[str, str]], str]
RequestFor = Callable[..., RenderRequest]
MakeRenderer = Callable[..., Renderer]


def rendered_one(renderer: MakeRenderer, request: RenderRequest) -> Rendered:
    return render_all([request], renderer()).of(0)


def ports(rendered: Rendered) -> dict[str, tuple[int, int]]:
    services = [one for one in rendered.objects if one.kind == "Service"]
    found = {one.name: one.object["spec"]["ports"][0] for one in services}
    return {name: (port["port"], port["targetPort"]) for name, port in found.items()}


def config_values(rendered: Rendered) -> dict[str, Any]:
    config = next(one for one in rendered.objects if one.kind == "ConfigMap")
    return dict(json.loads(config.object["data"]["all"]))


class TestEmcoChart:
    def test_a_chart_with_sub_charts_gives_its_objects_and_keeps_hooks_apart(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
    ) -> None:
        """C1"""
        found = rendered_one(renderer, request_for(chart=write_chart("testchart2", EMCO_CHART)))
        assert [one.title for one in found.kept] == [
            "Service r1-mychart1",
            "Service r1-mychart2",
            "Service r1-testchart2",
        ]
        assert [one.name for one in hooks_of(found.objects, "pre-install")] == ["pod1"]
        assert [one.name for one in hooks_of(found.objects, "post-install")] == ["pod2"]
        assert len(found.objects) == 5

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"service": {"externalPort": 8080, "internalPort": 8080}}, (8080, 8080)),
            (set_values({"service.externalPort": "82"}), (82, 80)),
            (
                set_values(
                    {"service.externalPort": "82"}, onto={"service": {"externalPort": 8080, "internalPort": 8080}}
                ),
                (82, 8080),
            ),
        ],
        ids=["C2-file", "C3-set", "C4-both"],
    )
    def test_values_win_over_the_charts_and_set_over_files(
        self,
        renderer: MakeRenderer,
        write_chart: WriteChart,
        request_for: RequestFor,
        values: dict[str, Any],
        expected: tuple[int, int],
    ) -> None:
        request = request_for(chart=write_chart("testchart2", EMCO_CHART), values=values)
        assert ports(rendered_one(renderer, request))["r1-testchart2"] == expected

    def test_a_null_deletes_a_default_of_the_chart(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
    ) -> None:
        chart = write_chart("c", {"values.yaml": "a: {b: 1, c: 2}\nlist: [1, 2]\n", "templates/c.yaml": CONFIG})
        values = {"a": {"b": None}, "list": [3]}
        assert config_values(rendered_one(renderer, request_for(chart=chart, values=values))) == {
            "a": {"c": 2},
            "list": [3],
        }


@pytest.mark.parametrize("release", ["my_release", "Rel1", "-a", "a" * 54])
def test_a_release_that_is_no_dns_label_is_refused(
    request_for: RequestFor, renderer: MakeRenderer, release: str
) -> None:
    """C6"""
    with pytest.raises(InvalidInput, match="not a valid DNS label"):
        render_all([request_for(chart="c", release=release)], renderer())


def test_a_chart_sees_release_namespace_version_and_apis_of_its_target(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    text = """apiVersion: v1
kind: ConfigMap
metadata: {name: seen, namespace: {{ .Release.Namespace }}}
data:
  release: {{ .Release.Name }}
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  monitoring: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}
  upgrade: {{ .Release.IsUpgrade | quote }}
"""
    request = request_for(
        chart=write_chart("c", {"templates/c.yaml": text}),
        release="update-test-1",
        namespace="factory",
        kube_version="v1.33.2",
        api_versions=("apps/v1", "monitoring.coreos.com/v1"),
        is_upgrade=True,
    )
    found = rendered_one(renderer, request).objects[0]
    assert found.namespace == "factory"
    assert found.object["data"] == {
        "release": "update-test-1",
        "version": "v1.33.2",
        "monitoring": "true",
        "upgrade": "true",
    }


def test_crds_are_included_and_tests_notes_and_partials_are_not(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s}\n"
    files = {
        "crds/two.yaml": crd % "a.example.com" + "---\n" + crd % "b.example.com",
        "templates/_partial.tpl": '{{ define "c.name" }}from-partial{{ end }}',
        "templates/config.yaml": 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ include "c.name" . }}}\n',
        "templates/test.yaml": hook_pod("test", "test"),
        "templates/empty.yaml": "{{ if .Values.never }}\nkind: Never\n{{ end }}\n# nothing here\n---\n# nor here\n",
        "templates/NOTES.txt": "notes",
    }
    found = rendered_one(renderer, request_for(chart=write_chart("c", files)))
    assert [(one.name, one.source) for one in found.objects] == [
        ("from-partial", "c/templates/config.yaml"),
        ("a.example.com", "c/crds/two.yaml"),
        ("b.example.com", "c/crds/two.yaml"),
    ]


def test_a_library_chart_is_refused_in_helms_words(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    chart = write_chart("lib", {"Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\ntype: library\n"})
    with pytest.raises(EdgeError, match="app app: library charts are not installable"):
        rendered_one(renderer, request_for(chart=chart))


def test_what_a_chart_fails_with_names_app_and_file_without_helms_advice(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    chart = write_chart("bad", {"templates/a.yaml": 'x: {{ fail "no good" }}'})
    with pytest.raises(EdgeError) as caught:
        rendered_one(renderer, request_for("broker", chart=chart))
    assert caught.value.reason == "ChartError"
    assert "app broker" in caught.value.message
    assert "no good" in caught.value.message
    assert "--debug" not in caught.value.message
    assert caught.value.details["file"] == "bad/templates/a.yaml"


def test_the_failures_of_all_charts_are_told_at_once(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    requests = [
        request_for(name, chart=write_chart(name, {"templates/a.yaml": f'{{{{ fail "{word}" }}}}'}))
        for name, word in (("one", "first"), ("two", "second"))
    ]
    with pytest.raises(EdgeError, match=r"(?s)app one.*first.*app two.*second") as caught:
        render_all(requests, renderer())
    assert caught.value.reason == "ChartError"


def test_a_secret_value_never_stands_in_what_helm_complains_about(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    chart = write_chart(
        "c", {"templates/a.yaml": '{{ fail (printf "bad %s for %s" .Values.db.password .Values.db.user) }}'}
    )
    values = {"db": {"password": "canary-7f3a", "user": "root"}}
    with pytest.raises(EdgeError) as caught:
        rendered_one(renderer, request_for(chart=chart, values=values))
    assert "canary-7f3a" not in str(caught.value)
    assert "for root" in str(caught.value)


def test_values_are_never_on_a_command_line(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    seen: list[str] = []
    real = subprocess.Popen

    def watched(command: list[str], **options: Any) -> Any:
        seen.extend([*command, *options["env"].values()])
        return real(command, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    request = request_for(chart=write_chart("c", {"templates/c.yaml": CONFIG}), values={"password": "canary"})
    assert config_values(rendered_one(renderer, request)) == {"password": "canary"}
    assert "template" in seen
    assert not [word for word in seen if "canary" in word]


def test_the_users_helm_settings_do_not_change_a_rendering(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("HELM_DEBUG", "true")
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: {{ .Release.Namespace }}}\n"
    request = request_for(chart=write_chart("c", {"templates/c.yaml": text}))
    assert rendered_one(renderer, request).objects[0].namespace == "default"


READS_A_FILE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {site: {{ .Files.Get "files/site.conf" | quote }}}
"""


class TestFiles:
    def test_a_profiles_file_is_seen_by_the_chart_and_left_out_of_its_folder(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor, tmp_path: Path
    ) -> None:
        chart = write_chart("c", {"templates/c.yaml": READS_A_FILE})
        (tmp_path / "site.conf").write_text("rack=r7", encoding="utf-8")
        request = request_for(chart=chart, files=(File("site.conf", "files/site.conf"),))
        assert rendered_one(renderer, request).objects[0].object["data"] == {"site": "rack=r7"}
        assert not (tmp_path / "c" / "files").exists()

    def test_other_content_of_a_file_is_another_rendering(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor, tmp_path: Path
    ) -> None:
        request = request_for(
            chart=write_chart("c", {"templates/c.yaml": READS_A_FILE}), files=(File("site.conf", "files/site.conf"),)
        )
        found = []
        for content in ("a", "b"):
            (tmp_path / "site.conf").write_text(content, encoding="utf-8")
            found.append(render_all([request], renderer()))
        assert found[0].digests != found[1].digests
        assert [one.of(0).objects[0].object["data"]["site"] for one in found] == ["a", "b"]

    def test_a_missing_file_is_named(
        self, renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
    ) -> None:
        request = request_for(
            chart=write_chart("c", {"templates/c.yaml": READS_A_FILE}), files=(File("none.conf", "files/site.conf"),)
        )
        with pytest.raises(EdgeError, match=r"app app: files: none\.conf cannot be read: no such file"):
            rendered_one(renderer, request)


@pytest.mark.parametrize("chart", ["nowhere", "not-a-chart"])
def test_a_folder_that_is_no_chart_is_refused(
    renderer: MakeRenderer, request_for: RequestFor, tmp_path: Path, chart: str
) -> None:
    (tmp_path / "not-a-chart").mkdir()
    with pytest.raises(EdgeError, match=chart) as caught:
        rendered_one(renderer, request_for(chart=chart))
    assert caught.value.reason == "ChartError"


def test_values_the_charts_schema_refuses_are_told_with_their_path(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    schema = '{"type": "object", "properties": {"replicas": {"type": "integer"}}}'
    chart = write_chart("c", {"values.schema.json": schema, "templates/c.yaml": CONFIG})
    with pytest.raises(EdgeError, match="replicas"):
        rendered_one(renderer, request_for(chart=chart, values={"replicas": "many"}))


def test_unicode_in_values_arrives_as_it_is(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    values = {"name": "Köln \U0001f3ed 東京"}
    request = request_for(chart=write_chart("c", {"templates/c.yaml": CONFIG}), values=values)
    assert config_values(rendered_one(renderer, request)) == values


def test_an_archive_renders_as_its_folder_does_and_has_its_digest(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor, tmp_path: Path
) -> None:
    import tarfile

    chart = write_chart("testchart2", EMCO_CHART)
    with tarfile.open(tmp_path / "testchart2-0.1.0.tgz", "w:gz") as archive:
        archive.add(tmp_path / chart, arcname=chart)
    request = request_for(chart=chart)
    packed = replace(request, app=replace(request.app, chart="testchart2-0.1.0.tgz"))
    found = render_all([request, packed], renderer())
    assert found.digests[0] == found.digests[1]
    assert rendered_one(renderer, packed) == found.of(0)


def test_values_as_ansible_holds_them_arrive_as_a_values_file_would_say_them(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    values = {"day": datetime.date(2026, 1, 2), "ports": {80: "web", "x": (1, 2)}, True: "on"}
    request = request_for(chart=write_chart("c", {"templates/c.yaml": CONFIG}), values=values)
    assert config_values(rendered_one(renderer, request)) == {
        "day": "2026-01-02",
        "ports": {"80": "web", "x": [1, 2]},
        "true": "on",
    }


def test_a_value_that_no_file_could_hold_is_refused(
    renderer: MakeRenderer, write_chart: WriteChart, request_for: RequestFor
) -> None:
    request = request_for(chart=write_chart("c", {}), values={"a": [b"bytes"]})
    with pytest.raises(EdgeError, match="app app: its values hold a bytes"):
        rendered_one(renderer, request)
