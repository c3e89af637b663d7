# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts and requests for the tests of the render room, written into the test's folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.kustomize import Kustomize
from ansible_collections.emco.edge.plugins.module_utils._render.programs import find_helm
from ansible_collections.emco.edge.plugins.module_utils._render.render import Renderer
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest

# EMCO's testchart2, restated: one Service, two sub-charts with one each, two hook pods, notes.
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
spec:
  type: {{ .Values.service.type }}
  ports: [{port: {{ .Values.service.externalPort }}, targetPort: {{ .Values.service.internalPort }}}]
"""
SERVICE_VALUES = "service: {name: nginx, type: ClusterIP, externalPort: 80, internalPort: 80}\n"


def hook_pod(name: str, event: str) -> str:
    """A pod that is a hook."""
    return f"""apiVersion: v1
kind: Pod
metadata: {{name: {name}, annotations: {{helm.sh/hook: {event}}}}}
spec: {{containers: [{{name: main, image: busybox}}]}}
"""


EMCO_CHART = {
    "values.yaml": SERVICE_VALUES,
    "templates/service.yaml": SERVICE,
    "templates/pre.yaml": hook_pod("pod1", "pre-install"),
    "templates/post.yaml": hook_pod("pod2", "post-install"),
    "templates/NOTES.txt": "Thank you for installing {{ .Chart.Name }}.\n",
    **{
        f"charts/{name}/{file}": text
        for name in ("mychart1", "mychart2")
        for file, text in {
            "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n",
            "values.yaml": SERVICE_VALUES,
            "templates/service.yaml": SERVICE,
        }.items()
    },
}

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data:
  all: {{ .Values | toJson | quote }}
"""


class MemoryCache:
    """A cache of renderings that counts what is asked of it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get_many(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """What was kept."""
        return {digest: self.kept[digest] for digest in digests if digest in self.kept}

    def put_many(self, renderings: Mapping[str, bytes]) -> None:
        """Keep it."""
        self.kept.update(renderings)


@pytest.fixture
def write_chart(tmp_path: Path) -> Callable[..., str]:
    """Writes a chart into the test's folder: ``write_chart(name, files)``; gives its name."""

    def write(name: str, files: Mapping[str, str]) -> str:
        complete = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n", **files}
        for file, text in complete.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[[str, str], str]:
    """Writes a file into the test's folder; gives its name."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def request_for(tmp_path: Path) -> Callable[..., RenderRequest]:
    """``request_for(chart=..., values=...)``: options of App go to the app, others to the request."""

    def build(name: str = "app", **given: Any) -> RenderRequest:
        of_app = {key: given.pop(key) for key in list(given) if key in App.__dataclass_fields__}
        return RenderRequest(**{"app": App(name=name, **of_app), "base_dir": str(tmp_path), "release": "r1", **given})

    return build


@pytest.fixture
def renderer(tmp_path: Path) -> Iterator[Callable[..., Renderer]]:
    """``renderer(cache=...)``: a renderer with the real helm."""
    helm: list[Helm] = []

    def given_helm() -> Helm:
        if not helm:
            helm.append(Helm(find_helm(os.environ), os.environ))
        return helm[0]

    def no_template(text: str, variables: Mapping[str, Any]) -> str:
        raise AssertionError("nothing here is a template")

    def build(**given: Any) -> Renderer:
        basic = Renderer(
            given_helm,
            Kustomize(os.environ),
            no_template,
            lambda data: hashlib.blake2b(data, digest_size=16).hexdigest(),
            tmp_path / "pulled",
        )
        return replace(basic, **given)

    yield build
    for one in helm:
        one.__exit__(None, None, None)


@contextmanager
def counted_helm() -> Iterator[tuple[Callable[[], Helm], list[str]]]:
    """The real helm, and the list of what it was run for."""
    runs: list[str] = []

    class Counted(Helm):
        def run(self, *arguments: str, **options: Any) -> Any:
            runs.append(arguments[0])
            return super().run(*arguments, **options)

    with Counted(find_helm(os.environ), os.environ) as helm:
        yield lambda: helm, runs
