# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's documents from files, with their templates evaluated and everything checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import File
from ansible_collections.emco.edge.plugins.module_utils._emco.documents import (
    ANY_DOCUMENT,
    Document,
    Source,
    found_files,
    read_documents,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.templates import evaluated_texts
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.values import merge
from ansible_collections.emco.edge.plugins.module_utils._render.go_templates import evaluated
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.packages import chart_in, profile_in
from ansible_collections.emco.edge.plugins.module_utils._render.programs import cache_folder, find_helm
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import load
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context

# A file of documents is small; one that takes longer than this never ends.
_TEMPLATE_SECONDS = 60.0


def read_sources(given: Sequence[str], values: Sequence[str], context: Context) -> list[Document]:
    """The documents of all files in their order; InvalidInput with everything wrong with any of them."""
    problems = Problems()
    files = found_files(given, context.base_dir, problems)
    read_values = merge(_values(name, context.base_dir, problems) for name in values)
    problems.raise_if_any("the documents")
    paths = {_shown(name, context.base_dir): name for name in files}
    texts = {shown: _text(name, problems) for shown, name in paths.items()}
    texts = {shown: text for shown, text in texts.items() if files[paths[shown]] or ANY_DOCUMENT in text}
    problems.raise_if_any("the documents")
    if values:
        texts = _evaluated(texts, read_values, context, problems)
        # A text with holes would only give errors that follow from them.
        problems.raise_if_any("the templates of the documents")
    sources = [Source(paths[shown], text, shown) for shown, text in texts.items()]
    documents = read_documents(sources, context.base_dir, problems)
    problems.raise_if_any("the documents")
    return documents


class CachedPackages:
    """Charts and profiles; what must be unpacked for helm is kept in the cache folder."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._cache = cache_folder(environ) / "emco"

    def chart(self, file: File, app: str) -> str:
        """The chart of an app, as a path that helm reads."""
        return chart_in(file.path, file.digest, app, self._cache)

    def content(self, file: File) -> bytes:
        """What a file holds."""
        return Path(file.path).read_bytes()

    def profile(self, file: File, app: str) -> tuple[str, list[tuple[str, str]]]:
        """The file of values of a profile, and its files with where they go in the chart."""
        found = profile_in(file.path, file.digest, app, self._cache)
        return found.values, list(found.files)


def _evaluated(
    texts: Mapping[str, str], values: Mapping[str, Any], context: Context, problems: Problems
) -> dict[str, str]:
    if not any("{{" in text for text in texts.values()):
        return dict(texts)
    with Helm(find_helm(context.environ), context.environ, timeout=_TEMPLATE_SECONDS) as helm:
        return evaluated_texts(texts, values, lambda some, with_values: evaluated(helm, some, with_values), problems)


def _values(name: str, base_dir: str, problems: Problems) -> Mapping[str, Any]:
    path = Path(base_dir, name).expanduser()
    if not path.is_file():
        problems.add("values", f"{name} is not there", f"looked in {base_dir}")
        return {}
    try:
        found = load(path.read_text(encoding="utf-8"))
    except ValueError as wrong:  # YamlError and UnicodeDecodeError
        problems.add(f"values {name}", f"is not YAML: {wrong}")
        return {}
    if found is not None and not isinstance(found, Mapping):
        problems.add(f"values {name}", "must be a dictionary")
        return {}
    return found or {}


def _text(name: str, problems: Problems) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as wrong:
        problems.add(name, f"cannot be read: {wrong}")
        return ""


def _shown(name: str, base_dir: str) -> str:
    path = Path(name)
    return str(path.relative_to(base_dir)) if path.is_relative_to(base_dir) else name
