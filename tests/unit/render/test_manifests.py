# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain manifests, templates among them, and kustomizations."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput
from ansible_collections.emco.edge.plugins.module_utils._render.kustomize import Kustomize
from ansible_collections.emco.edge.plugins.module_utils._render.programs import (
    HelmMissing,
    KustomizeMissing,
    find_helm,
    find_kustomize,
)
from ansible_collections.emco.edge.plugins.module_utils._render.render import Renderer, render_all
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest, read_values_files

WriteFile = Callable[[str, str], str]
RequestFor = Callable[..., RenderRequest]
MakeRenderer = Callable[..., Renderer]

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def jinja(text: str, variables: Mapping[str, Any]) -> str:
    return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render(variables)


class TestFiles:
    def test_files_come_in_the_given_order_and_those_of_a_folder_by_name(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        for name in ("z.yaml", "dir/b.yml", "dir/a.yaml", "dir/c.json", "dir/notes.txt", "dir/deeper/d.yaml"):
            write_file(
                name,
                CONFIG % name.replace("/", "-")
                if not name.endswith("json")
                else '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json"}}',
            )
        found = render_all([request_for(manifests=("z.yaml", "dir/"))], renderer()).of(0)
        assert [(one.name, one.source) for one in found.objects] == [
            ("z.yaml", "z.yaml"),
            ("dir-a.yaml", "dir/a.yaml"),
            ("dir-b.yml", "dir/b.yml"),
            ("json", "dir/c.json"),
        ]

    def test_objects_come_in_install_order_over_all_files(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        write_file("a.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\n" + CONFIG % "c")
        write_file("b.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: lab}\n")
        found = render_all([request_for(manifests=("a.yaml", "b.yaml"))], renderer()).of(0)
        assert [one.kind for one in found.objects] == ["Namespace", "ConfigMap", "Deployment"]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("none.yaml", r"app api: manifests: none\.yaml cannot be read: no such file"),
            ("empty", r"app api: manifests: empty holds no \.yaml, \.yml or \.json file"),
            ("latin.yaml", r"app api: manifests: latin\.yaml is not UTF-8 text"),
        ],
    )
    def test_what_cannot_be_read_is_named(
        self, renderer: MakeRenderer, request_for: RequestFor, tmp_path: Path, given: str, message: str
    ) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "latin.yaml").write_bytes("name: Köln".encode("latin-1"))
        with pytest.raises(EdgeError, match=message):
            render_all([request_for("api", manifests=(given,))], renderer())

    def test_everything_wrong_in_all_files_of_all_apps_is_told_at_once(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        write_file("a.yaml", "kind: ConfigMap\n---\napiVersion: v1\nkind: Pod\n")
        write_file("b.yaml", "a: [")
        requests = [request_for("one", manifests=("a.yaml",)), request_for("two", manifests=("b.yaml",))]
        with pytest.raises(InvalidInput) as caught:
            render_all(requests, renderer())
        assert [problem.path for problem in caught.value.problems] == [
            "app one, a.yaml, document 1",
            "app one, a.yaml, document 1",
            "app one, a.yaml, document 2",
            "app two, b.yaml, document 1",
        ]


class TestTemplates:
    text = """apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data: {rack: "{{ kv.site.rack }}", replicas: "{{ values.replicas }}", where: "{{ release }}/{{ namespace }}"}
"""

    def variables(self, rack: str) -> dict[str, Any]:
        return {"kv": {"site": {"rack": rack}}, "labels": {"region": rack}}

    def test_a_template_sees_the_cluster_the_values_and_the_release(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        write_file("a.yaml", self.text)
        request = request_for(manifests=("a.yaml",), variables=self.variables("r7"), values={"replicas": 2})
        found = render_all([request], renderer(template=jinja)).of(0)
        assert found.objects[0].object["data"] == {"rack": "r7", "replicas": "2", "where": "r1/default"}

    def test_clusters_for_which_it_says_the_same_share_the_rendering(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        write_file("a.yaml", CONFIG % "config" + 'data: {rack: "{{ kv.site.rack }}"}\n')
        requests = [request_for(manifests=("a.yaml",), variables=self.variables(rack)) for rack in ("r7", "r8", "r7")]
        digests = render_all(requests, renderer(template=jinja)).digests
        assert digests[0] == digests[2] != digests[1]

    def test_files_without_templates_are_shared_and_never_handed_to_the_template_engine(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        """The default engine of these tests refuses everything."""
        write_file("a.yaml", CONFIG % "config" + 'data: {shell: "${HOME} { x } {# kept #}"}\n')
        requests = [request_for(manifests=("a.yaml",), variables=self.variables(rack)) for rack in ("r7", "r8")]
        found = render_all(requests, renderer())
        assert len(found.by_digest) == 1
        assert found.of(0).objects[0].object["data"]["shell"] == "${HOME} { x } {# kept #}"

    def test_what_a_cluster_said_is_a_value_and_never_a_template(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        write_file("a.yaml", CONFIG % "config" + 'data: {rack: "{{ kv.site.rack }}"}\n')
        request = request_for(manifests=("a.yaml",), variables=self.variables("{{ 6 * 7 }}"))
        found = render_all([request], renderer(template=jinja)).of(0)
        assert found.objects[0].object["data"]["rack"] == "{{ 6 * 7 }}"

    @pytest.mark.parametrize(
        ("text", "reason"), [("a: {{ nowhere }}", "'nowhere' is undefined"), ("a: {{ b", "unexpected end of template")]
    )
    def test_a_template_that_fails_names_app_and_file(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor, text: str, reason: str
    ) -> None:
        write_file("a.yaml", text)
        with pytest.raises(EdgeError, match=rf"app api, a\.yaml: {reason}") as caught:
            render_all([request_for("api", manifests=("a.yaml",))], renderer(template=jinja))
        assert caught.value.reason == "TemplateError"


class TestKustomize:
    def test_an_overlay_is_built(self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor) -> None:
        write_file("base/config.yaml", CONFIG % "config" + "data: {when: 2026-01-02}\n")
        write_file("base/kustomization.yaml", "resources: [config.yaml]\n")
        write_file("overlays/edge/kustomization.yaml", "resources: [../../base]\nnamePrefix: edge-\n")
        found = render_all([request_for(kustomize="overlays/edge")], renderer()).of(0)
        assert [(one.name, one.source) for one in found.objects] == [("edge-config", "overlays/edge")]

    def test_a_folder_without_a_kustomization_is_refused(
        self, renderer: MakeRenderer, request_for: RequestFor, tmp_path: Path
    ) -> None:
        (tmp_path / "none").mkdir()
        with pytest.raises(EdgeError, match="app viewer: none is not a kustomization") as caught:
            render_all([request_for("viewer", kustomize="none")], renderer())
        assert caught.value.reason == "KustomizeError"

    def test_what_kustomize_says_is_told_without_paths_of_this_machine(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor, tmp_path: Path
    ) -> None:
        write_file("k/kustomization.yaml", "resources: [none.yaml]\n")
        with pytest.raises(EdgeError, match=r"app viewer: .*none\.yaml") as caught:
            render_all([request_for("viewer", kustomize="k")], renderer())
        assert str(tmp_path) not in caught.value.message


class TestPrograms:
    def program(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def test_a_missing_helm_is_told_with_the_way_out(self, tmp_path: Path) -> None:
        with pytest.raises(HelmMissing) as caught:
            find_helm({"PATH": str(tmp_path), "HOME": str(tmp_path)})
        assert caught.value.reason == "HelmMissing"
        assert "EMCO_EDGE_HELM" in caught.value.hint

    def test_a_named_helm_that_is_none_is_refused_instead_of_taking_another(self, tmp_path: Path) -> None:
        self.program(tmp_path / "helm")
        with pytest.raises(HelmMissing, match="EMCO_EDGE_HELM, /nowhere/helm, is not"):
            find_helm({"PATH": str(tmp_path), "HOME": str(tmp_path), "EMCO_EDGE_HELM": "/nowhere/helm"})

    def test_helm_is_the_named_one_then_paths_then_the_newest_of_the_lab(self, tmp_path: Path) -> None:
        tools = tmp_path / "cache" / "tools"
        self.program(tools / "helm-v4.2.4" / "helm")
        newest = self.program(tools / "helm-v4.10.0" / "helm")
        environment = {"PATH": str(tmp_path / "bin"), "EMCO_EDGE_CACHE": str(tmp_path / "cache")}
        assert find_helm(environment) == newest
        on_path = self.program(tmp_path / "bin" / "helm")
        assert find_helm(environment) == on_path
        named = self.program(tmp_path / "my-helm")
        assert find_helm({**environment, "EMCO_EDGE_HELM": str(named)}) == named
        option = self.program(tmp_path / "option-helm")
        assert find_helm({**environment, "EMCO_EDGE_HELM": str(named)}, str(option)) == option

    def test_kubectl_builds_kustomizations_too_the_labs_before_an_old_one_on_the_path(self, tmp_path: Path) -> None:
        environment = {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path)}
        with pytest.raises(KustomizeMissing):
            find_kustomize(environment)
        on_path = self.program(tmp_path / "bin" / "kubectl")
        assert find_kustomize(environment) == (str(on_path), "kustomize")
        lab = self.program(tmp_path / "emco-edge" / "tools" / "kubernetes-v1.36.4" / "kubectl")
        assert find_kustomize(environment) == (str(lab), "kustomize")
        own = self.program(tmp_path / "bin" / "kustomize")
        assert find_kustomize(environment) == (str(own), "build")

    def test_no_helm_is_needed_where_there_is_no_chart(
        self, renderer: MakeRenderer, write_file: WriteFile, request_for: RequestFor
    ) -> None:
        def missing() -> Any:
            raise HelmMissing("nowhere")

        write_file("a.yaml", CONFIG % "a")
        assert render_all([request_for(manifests=("a.yaml",))], renderer(helm=missing)).of(0).objects


class TestValuesFiles:
    def test_they_are_read_in_order_by_the_rules_of_helm(self, write_file: WriteFile, tmp_path: Path) -> None:
        paths = (write_file("a.yaml", "on: off\nday: 2026-01-02\n"), write_file("b.yaml", "# nothing\n"))
        assert read_values_files(paths, str(tmp_path), "api") == ({"true": False, "day": "2026-01-02"}, {})

    @pytest.mark.parametrize(
        ("text", "message"),
        [(None, "cannot be read: no such file"), ("a: [", "is not valid YAML: line"), ("[1]", "must hold a mapping")],
    )
    def test_one_that_is_none_is_named(
        self, write_file: WriteFile, tmp_path: Path, text: str | None, message: str
    ) -> None:
        if text is not None:
            write_file("prod.yaml", text)
        with pytest.raises(EdgeError, match=rf"app api: values_files: prod\.yaml {message}"):
            read_values_files(("prod.yaml",), str(tmp_path), "api")


def test_an_interruption_ends_what_runs_at_once(
    renderer: MakeRenderer, request_for: RequestFor, tmp_path: Path
) -> None:
    """A kustomize that hangs stands for any program."""
    slow = tmp_path / "kustomize"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    (tmp_path / "kustomization.yaml").write_text("", encoding="utf-8")
    kustomize = Kustomize({"PATH": os.environ["PATH"]}, named=str(slow))
    started = time.monotonic()
    interruption = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
    interruption.start()
    with pytest.raises(KeyboardInterrupt):
        render_all([request_for(kustomize=".")], renderer(kustomize=kustomize))
    assert time.monotonic() - started < 20


def test_a_program_that_takes_too_long_is_ended_and_named(
    renderer: MakeRenderer, request_for: RequestFor, tmp_path: Path
) -> None:
    slow = tmp_path / "kustomize"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    (tmp_path / "kustomization.yaml").write_text("", encoding="utf-8")
    kustomize = Kustomize({"PATH": os.environ["PATH"]}, named=str(slow), timeout=0.2)
    with pytest.raises(EdgeError, match=r"app app: kustomize did not finish within 0\.2 s"):
        render_all([request_for(kustomize=".")], renderer(kustomize=kustomize))


def test_what_the_machine_refuses_is_told_as_an_error(
    renderer: MakeRenderer, request_for: RequestFor, tmp_path: Path
) -> None:
    """A program for another processor stands for a full disk and the like."""
    foreign = tmp_path / "kustomize"
    foreign.write_bytes(b"\x7fELF no program")
    foreign.chmod(0o755)
    (tmp_path / "kustomization.yaml").write_text("", encoding="utf-8")
    kustomize = Kustomize({"PATH": os.environ["PATH"]}, named=str(foreign))
    with pytest.raises(EdgeError, match=r"cannot render: .*kustomize") as caught:
        render_all([request_for(kustomize=".")], renderer(kustomize=kustomize))
    assert caught.value.reason == "RenderFailed"
