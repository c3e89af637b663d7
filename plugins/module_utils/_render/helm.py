# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: helm, run apart from the user's own plugins and settings."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._render import programs
from ansible_collections.emco.edge.plugins.module_utils._render.chart_copy import chart_with_files
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartError

_NOISE = re.compile(
    r"^(Use --debug flag|level=|WARNING: Kubernetes configuration|Pulled: |Digest: |.*found symbolic link)"
)
_TEMPLATE_FILE = re.compile(r"\b([\w.-]+/(?:templates|charts|crds)/[\w./-]+)")
_SENSITIVE = re.compile(r"pass|secret|token|key|credential|cert|auth|private", re.IGNORECASE)
_SHORTEST_SECRET = 4


class Helm:
    """A helm program with folders of its own; a context manager that removes them in the end.

    ``environment`` is the user's: proxies and registry credentials are taken from it, plugins and repositories are not.
    ``timeout``: seconds for one rendering.
    """

    def __init__(self, program: Path, environment: Mapping[str, str], *, timeout: float = 120.0) -> None:
        self._program = str(program)
        self._timeout = timeout
        self._programs = programs.Programs()
        self._folder = tempfile.TemporaryDirectory(prefix="emco-edge-helm-")
        self.folder = Path(self._folder.name)
        self.environment = _environment(environment, self.folder)

    def __enter__(self) -> Helm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def run(self, *arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None) -> programs.Answer:
        """Run helm with ``arguments``, which must hold no secret: others can see them."""
        return self._programs.run(
            [self._program, *arguments],
            environment={**self.environment, **(environment or {})},
            given=given,
            timeout=self._timeout,
            folder=self.folder,
        )

    def stop(self) -> None:
        """End what runs; for when the work is given up."""
        self._programs.stop()

    def template(self, request: RenderRequest, chart: Path) -> str:
        """What the chart renders to: CRDs, objects and hooks as one YAML stream. ChartError with helm's own words."""
        app = request.app.name
        with chart_with_files(request, chart) as folder:
            try:
                answer = self.run(*_template_arguments(request, folder), given=request.values_json())
            except TimeoutError as wrong:
                raise ChartError(app, f"helm template {wrong}") from None
        if answer.code != 0:
            raise _failed(app, answer.errors, request.values)
        return answer.output


def _template_arguments(request: RenderRequest, chart: Path) -> list[str]:
    arguments = ["template", request.release, str(chart), "--namespace", request.namespace, "--include-crds"]
    arguments += ["--skip-tests", "--values", "-"]
    if request.kube_version:
        arguments += ["--kube-version", request.kube_version]
    if request.api_versions:
        arguments += ["--api-versions", ",".join(request.api_versions)]
    if request.is_upgrade:
        arguments.append("--is-upgrade")
    return arguments


def _environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    return {
        **programs.passed_on(environment),
        "HELM_CACHE_HOME": str(folder / "cache"),
        "HELM_CONFIG_HOME": str(folder / "config"),
        "HELM_DATA_HOME": str(folder / "data"),
        "HELM_PLUGINS": str(folder / "plugins"),
        "HELM_REGISTRY_CONFIG": str(_registry_config(environment)),
        # helm template needs no cluster and must not find one.
        "KUBECONFIG": "/dev/null",
    }


def _registry_config(environment: Mapping[str, str]) -> Path:
    """Where helm keeps the registry credentials of the user."""
    if named := environment.get("HELM_REGISTRY_CONFIG"):
        return Path(named)
    if home := environment.get("HELM_CONFIG_HOME"):
        return Path(home, "registry", "config.json")
    config = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "~"), ".config").expanduser()
    return Path(config, "helm", "registry", "config.json")


def _failed(app: str, errors: str, values: Mapping[str, Any]) -> ChartError:
    message = without_secrets(what_helm_said(errors), values)
    file = _TEMPLATE_FILE.search(message)
    hint = ""
    if "missing in charts/ directory" in message:
        hint = "Run helm dependency build in the chart's folder."
    return ChartError(app, message, hint=hint, source=file.group(1) if file else "")


def what_helm_said(errors: str) -> str:
    """Helm's own message without its logging and its advice."""
    kept = [line.rstrip() for line in errors.splitlines() if line.strip() and not _NOISE.match(line)]
    starts = [index for index, line in enumerate(kept) if line.startswith("Error: ")]
    lines = kept[starts[-1] :] if starts else kept
    text = " ".join(line.strip() for line in lines).removeprefix("Error: ")
    return text or "helm failed without saying why"


def without_secrets(message: str, values: Mapping[str, Any]) -> str:
    """``message`` with every value hidden that stands under a key such as password or token; helm quotes values."""
    for secret in sorted(set(_secrets(values, hidden=False)), key=len, reverse=True):
        message = message.replace(secret, "********")
    return message


def _secrets(value: Any, *, hidden: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets(inner, hidden=hidden or _SENSITIVE.search(str(key)) is not None)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _secrets(inner, hidden=hidden)
    elif hidden and isinstance(value, (str, int)) and not isinstance(value, bool):
        yield from (line for line in str(value).splitlines() if len(line) >= _SHORTEST_SECRET)
