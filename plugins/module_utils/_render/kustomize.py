# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: kustomizations."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._render import programs
from ansible_collections.emco.edge.plugins.module_utils._render.manifests import Text
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import load

_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class KustomizeError(EdgeError):
    """A kustomization that cannot be built."""

    def __init__(self, app: str, message: str) -> None:
        super().__init__("KustomizeError", f"app {app}: {message}", details={"app": app})


class Kustomize:
    """Builds kustomizations. The program is looked for when it is first needed."""

    def __init__(self, environment: Mapping[str, str], *, named: str | None = None, timeout: float = 120.0) -> None:
        self._environment = environment
        self._named = named
        self._timeout = timeout
        self._programs = programs.Programs()

    def stop(self) -> None:
        """End what runs; for when the work is given up."""
        self._programs.stop()

    def build(self, request: RenderRequest) -> tuple[Text, ...]:
        """What the kustomization builds to, as one text. It is the same for all clusters."""
        app, where = request.app.name, request.app.kustomize or ""
        target = where
        if not _is_remote(where):
            folder = request.path(where)
            if not any((folder / name).is_file() for name in _FILES):
                raise KustomizeError(app, f"{where} is not a kustomization, it has no kustomization.yaml")
            target = str(folder.resolve())
        command = programs.find_kustomize(self._environment, self._named)
        environment = {**programs.passed_on(self._environment), "KUBECONFIG": "/dev/null"}
        try:
            answer = self._programs.run([*command, target], environment=environment, timeout=self._timeout)
        except TimeoutError as wrong:
            raise KustomizeError(app, f"kustomize {wrong}") from None
        if answer.code != 0:
            raise KustomizeError(app, _what_it_said(answer.errors, folder=target, shown=where))
        return (Text(where, answer.output),)

    def patched(self, document: Mapping[str, Any], patches: Sequence[Any]) -> Mapping[str, Any]:
        """One object with patches applied in order: a dictionary merges strategically, a list is a JSON patch."""
        names = {key: document[key] for key in ("apiVersion", "kind")}
        what = f"{document['kind']} {(document.get('metadata') or {}).get('name')}"
        with tempfile.TemporaryDirectory(prefix="emco-edge-patch-") as folder:
            target = {"kind": document["kind"]}
            listed = [{"path": f"patch-{index}.json", "target": target} for index in range(len(patches))]
            files = {
                "object.json": document,
                "kustomization.yaml": {"resources": ["object.json"], "patches": listed},
                **{
                    # What a merge patch is for is said by the target; kustomize wants it named in the patch as well.
                    f"patch-{index}.json": one
                    if isinstance(one, list)
                    else {**one, **names, "metadata": {"name": "any", **(one.get("metadata") or {})}}
                    for index, one in enumerate(patches)
                },
            }
            for name, content in files.items():
                Path(folder, name).write_text(json.dumps(content), encoding="utf-8")
            command = programs.find_kustomize(self._environment, self._named)
            environment = {**programs.passed_on(self._environment), "KUBECONFIG": "/dev/null"}
            try:
                answer = self._programs.run([*command, folder], environment=environment, timeout=self._timeout)
            except TimeoutError as wrong:
                raise _unpatched(what, f"kustomize {wrong}") from None
            if answer.code != 0:
                raise _unpatched(what, _what_it_said(answer.errors, folder=folder, shown="the patches"))
        found = load(answer.output)
        if not isinstance(found, Mapping):
            raise _unpatched(what, "the patches leave no object")
        return found


def _unpatched(what: str, message: str) -> EdgeError:
    return EdgeError("KustomizeError", f"{what} cannot be changed: {message}")


def _is_remote(where: str) -> bool:
    return "://" in where or where.startswith(("github.com/", "git@"))


def _what_it_said(errors: str, *, folder: str, shown: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not line.startswith("#")]
    said = " ".join(lines).removeprefix("error: ").removeprefix("Error: ")
    return said.replace(folder, shown.rstrip("/")).replace(str(Path(folder).parent), "..") or "kustomize failed"
