# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering against what others wrote: helm's own reading of --set, and a foreign chart as it is published."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App
from ansible_collections.emco.edge.plugins.module_utils._model.values import set_values
from ansible_collections.emco.edge.plugins.module_utils._render.checks import check_objects
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.kube_constraint import accepts
from ansible_collections.emco.edge.plugins.module_utils._render.kustomize import Kustomize
from ansible_collections.emco.edge.plugins.module_utils._render.programs import find_helm
from ansible_collections.emco.edge.plugins.module_utils._render.render import Renderer, render_all
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import load

KUBE_OVN = "github.com/kubeovn/kube-ovn@v1.16.2"

# Pairs for --set, commas escaped as a command line needs it.
PAIRS = [
    "a=1",
    "b.c=true",
    "b.d=FALSE",
    "e=null",
    "f={a,2,true,}",
    "g={}",
    "h[1].i=x",
    "h[0]=first",
    "j[0][1]=deep",
    r"k\.l/m=dotted",
    r"n=one\,two",
    "o=007",
    "p=-12",
    "q=1.5",
    "r=9223372036854775808",
    "s=",
    "t=key=value",
    "u.v.w.x=80",
    "y={x\\,y,z}",
    "ä=ö",
    "aa=+5",
    "ab= spaces ",
    "ac=0",
    "ad=1e3",
    "ae=0x10",
]


@pytest.fixture
def helm() -> Iterator[Helm]:
    """The real helm."""
    with Helm(find_helm(os.environ), os.environ) as one:
        yield one


@pytest.fixture
def make_renderer(helm: Helm, tmp_path: Path) -> Renderer:
    """A renderer of charts."""

    def no_template(text: str, variables: Mapping[str, Any]) -> str:
        raise AssertionError("nothing here is a template")

    def digest(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    return Renderer(lambda: helm, Kustomize(os.environ), no_template, digest, tmp_path / "pulled")


def test_set_is_read_as_helm_reads_it(helm: Helm, tmp_path: Path) -> None:
    chart = tmp_path / "c"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n", encoding="utf-8")
    # Helm drops nulls on the way to the template, one that must show is put there as text.
    (chart / "templates" / "c.yaml").write_text("answer: {{ .Values | toJson | quote }}\n", encoding="utf-8")
    arguments = [word for pair in PAIRS for word in ("--set", pair)]
    answer = helm.run("template", "r", str(chart), *arguments)
    assert answer.code == 0, answer.errors
    helms = json.loads(load(answer.output)["answer"])
    ours = set_values(dict(_split(pair) for pair in PAIRS))
    assert {key: value for key, value in ours.items() if value is not None} == {
        key: value for key, value in helms.items() if value is not None
    }


def _split(pair: str) -> tuple[str, str]:
    key, _equals, value = pair.partition("=")
    return key, value


@pytest.mark.parametrize("version", ["v1.28.9", "v1.29.0", "v1.29.1+k3s1", "v1.30.0"])
@pytest.mark.parametrize(
    "constraint", [">=1.29.0-0", ">=1.29.0", ">1.29.0", ">1.29.0-0", "<1.30.0-0", "<=1.29.0", ">= 1.29.0, <1.30.0"]
)
def test_a_charts_constraint_means_what_helm_takes_it_for(
    helm: Helm, tmp_path: Path, constraint: str, version: str
) -> None:
    text = f'apiVersion: v2\nname: c\nversion: 0.1.0\nkubeVersion: "{constraint}"\n'
    (tmp_path / "Chart.yaml").write_text(text, encoding="utf-8")
    answer = helm.run("template", "r", str(tmp_path), "--kube-version", version)
    assert accepts(constraint, version) is (answer.code == 0), answer.errors


@pytest.fixture(scope="session")
def kube_ovn() -> Path:
    """The charts of Kube-OVN, read from its pinned Go module and kept in the module cache only."""
    answer = subprocess.run(["go", "mod", "download", "-json", KUBE_OVN], capture_output=True, text=True, check=True)
    return Path(json.loads(answer.stdout)["Dir"], "charts")


def test_a_foreign_chart_renders_unchanged(kube_ovn: Path, make_renderer: Renderer) -> None:
    requests = [
        RenderRequest(
            App(name="network", chart=f"kube-ovn{suffix}"),
            str(kube_ovn),
            "kube-ovn",
            namespace="kube-system",
            kube_version=version,
            values=values,
        )
        for suffix, version, values in (
            ("", "v1.36.4", {"MASTER_NODES": "10.0.0.1"}),
            ("", "v1.33.0", {"MASTER_NODES": "10.0.0.1"}),
            ("-v2", "v1.36.4", {"masterNodes": "10.0.0.1"}),
        )
    ]
    found = render_all(requests, make_renderer)
    for index in (0, 2):
        objects = found.of(index).objects
        assert check_objects(objects) == ()
        kinds = [one.kind for one in objects]
        assert {"CustomResourceDefinition", "DaemonSet", "Deployment", "ServiceAccount", "ClusterRole"} <= set(kinds)
        assert len(objects) > 30
        assert kinds.index("ServiceAccount") < kinds.index("DaemonSet")
    assert found.warnings == ()


def test_a_crd_of_400_kilobytes_is_read_as_it_is(tmp_path: Path, make_renderer: Renderer) -> None:
    fields = {f"field{index}": {"type": "string", "description": "what it says " * 8} for index in range(3000)}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "larges.example.com"},
        "spec": {"group": "example.com", "schema": {"openAPIV3Schema": {"properties": fields}}},
    }
    (tmp_path / "c" / "crds").mkdir(parents=True)
    (tmp_path / "c" / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n", encoding="utf-8")
    text = json.dumps(crd, indent=1)
    assert len(text) > 400_000
    (tmp_path / "c" / "crds" / "large.yaml").write_text(text, encoding="utf-8")
    [one] = render_all([RenderRequest(App(name="c", chart="c"), str(tmp_path), "c")], make_renderer).of(0).objects
    assert one.object == crd
    assert check_objects([one]) == ()
