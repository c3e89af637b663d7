# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: one rendering that is wanted, and the digest that says which of them are the same."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import names
from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App, File
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problem
from ansible_collections.emco.edge.plugins.module_utils._render.kube_constraint import accepts
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartSource, text_reads
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import YamlError, load

# Part of every digest: a change of how we render must not meet renderings of before.
_FORMAT = 1
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
        """The values as Helm is given them."""
        return as_json(self.values)

    def digest(self, keyed_digest: Callable[[bytes], str], source: ChartSource) -> str:
        """What tells renderings of a chart apart.

        Only what the chart can see of a cluster takes part, so that a fleet shares as many renderings as it can.
        Values can hold secrets, which is why the digest is keyed.
        """
        values = self.values_json()
        reads = source.reads | text_reads(values)
        apis = self.api_versions if reads.apis is None else sorted(reads.apis.intersection(self.api_versions))
        seen = {
            "format": _FORMAT,
            "app": self.app.name,
            "source": source.digest,
            "files": [(file.dest, self._file_digest(file)) for file in self.files],
            "release": self.release,
            "namespace": self.namespace,
            "version": self.kube_version if reads.version else self._accepted(source),
            "apis": sorted(apis),
            "upgrade": self.is_upgrade if reads.upgrade else None,
        }
        return keyed_digest(as_json(seen) + b"\n" + values)

    def _accepted(self, source: ChartSource) -> bool | str | None:
        """What the chart's own constraint makes of the version; the version where only helm can tell."""
        if source.kube_constraint is None:
            return None
        accepted = accepts(source.kube_constraint, self.kube_version)
        return self.kube_version if accepted is None else accepted

    def may_vary(self, source: ChartSource) -> bool:
        """Whether rendering it twice could give two results."""
        return source.reads.varies or text_reads(self.values_json()).varies

    def _file_digest(self, file: File) -> str:
        return hashlib.sha256(self.file_content(file)).hexdigest()

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
    """Canonical JSON; dates become text, as they are for Helm."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_text).encode()


def _text(value: Any) -> Any:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be a value of a chart")


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
