# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: one rendering that is wanted, and the files that belong to it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import names
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App, File
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problem
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartSource, text_reads
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import YamlError, load

_LONGEST_RELEASE = 53


@dataclass(frozen=True)
class RenderRequest:
    """An app to be rendered for a cluster. Paths are relative to ``base_dir``."""

    app: App
    base_dir: str
    release: str
    namespace: str = "default"
    values: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    is_upgrade: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)
    """What templates in plain manifests may use: the cluster, its labels, kv, facts, chosen host variables."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the request itself."""
        path = f"app {self.app.name}"
        for what, text in (("release", self.release), ("namespace", self.namespace)):
            try:
                names.dns_label(text)
                if what == "release" and self.app.source == "chart" and len(text) > _LONGEST_RELEASE:
                    raise ValueError(f"is {len(text)} characters long, Helm allows {_LONGEST_RELEASE}")
            except ValueError as wrong:
                yield Problem(path, f"{what} {text!r} is not a valid DNS label: it {_without_subject(text, wrong)}")

    def path(self, relative: str) -> Path:
        """A path of the request as it stands on this machine."""
        return Path(self.base_dir, relative).expanduser()

    def values_json(self) -> bytes:
        """The values as Helm is given them; EdgeError when they hold something that no values file could."""
        try:
            return as_json(self.values)
        except TypeError as wrong:
            app = self.app.name
            raise EdgeError("InvalidValues", f"app {app}: its values hold {wrong}", details={"app": app}) from None

    def may_vary(self, source: ChartSource) -> bool:
        """Whether rendering it twice could give two results."""
        return source.reads.varies or text_reads(self.values_json()).varies

    def file_content(self, file: File) -> bytes:
        """What is to be copied into the chart; EdgeError when it is not there."""
        try:
            return self.path(file.src).read_bytes()
        except OSError as wrong:
            raise missing_file(self.app.name, "files", file.src, wrong) from None


def _without_subject(text: str, wrong: ValueError) -> str:
    return str(wrong).removeprefix(f"{text!r} ")


def missing_file(app: str, what: str, path: str, wrong: OSError) -> EdgeError:
    """The error for a file of an app or its profile that cannot be read."""
    reason = (wrong.strerror or str(wrong)).lower()
    return EdgeError(
        "FileMissing", f"app {app}: {what}: {path} cannot be read: {reason}", details={"app": app, "file": path}
    )


def as_json(value: Any) -> bytes:
    """Canonical JSON; dates and keys become text, as they are for Helm. TypeError for what has no place in it."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__}, which YAML has no word for")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


def read_values_files(paths: tuple[str, ...], base_dir: str, app: str) -> tuple[dict[str, Any], ...]:
    """The values files of a profile, in order; EdgeError names the app and the file."""
    found: list[dict[str, Any]] = []
    for path in paths:
        try:
            text = Path(base_dir, path).expanduser().read_text(encoding="utf-8")
            value = load(text)
        except OSError as wrong:
            raise missing_file(app, "values_files", path, wrong) from None
        except (YamlError, UnicodeDecodeError) as wrong:
            raise _bad_values(app, path, f"is not valid YAML: {wrong}") from None
        if value is not None and not isinstance(value, dict):
            raise _bad_values(app, path, "must hold a mapping")
        found.append(value or {})
    return tuple(found)


def _bad_values(app: str, path: str, what: str) -> EdgeError:
    return EdgeError("InvalidValues", f"app {app}: values_files: {path} {what}", details={"app": app, "file": path})
