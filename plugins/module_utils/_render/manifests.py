# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: plain manifests, and the templates among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest, missing_file

Template = Callable[[str, Mapping[str, Any]], str]
"""Renders a text of the project with variables. What a cluster said is a value there, never a template."""

_SUFFIXES = (".yaml", ".yml", ".json")
_TEMPLATED = re.compile(r"\{\{|\{%")


@dataclass(frozen=True)
class Text:
    """A file's name and what it holds."""

    source: str
    text: str

    @cached_property
    def is_template(self) -> bool:
        """Whether it differs from cluster to cluster; others are shared by all."""
        return _TEMPLATED.search(self.text) is not None


def read_manifests(request: RenderRequest) -> tuple[Text, ...]:
    """The files of an app of plain manifests, in the order of its list; those of a folder by name."""
    app = request.app.name
    found: list[Text] = []
    for given in request.app.manifests:
        path = request.path(given)
        files = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES) if path.is_dir() else [path]
        if not files:
            raise EdgeError("FileMissing", f"app {app}: manifests: {given} holds no .yaml, .yml or .json file")
        for file in files:
            shown = given if file == path else f"{given.rstrip('/')}/{file.name}"
            try:
                found.append(Text(shown, file.read_text(encoding="utf-8")))
            except OSError as wrong:
                raise missing_file(app, "manifests", shown, wrong) from None
            except UnicodeDecodeError:
                raise EdgeError("InvalidManifest", f"app {app}: manifests: {shown} is not UTF-8 text") from None
    return tuple(found)


def templated(texts: tuple[Text, ...], request: RenderRequest, template: Template) -> tuple[Text, ...]:
    """The texts with their templates rendered for the request's cluster; the same ones where there is none."""
    if not any(text.is_template for text in texts):
        return texts
    return tuple(_templated(text, request, template) if text.is_template else text for text in texts)


def _templated(text: Text, request: RenderRequest, template: Template) -> Text:
    variables = {
        **request.variables,
        "values": request.values,
        "release": request.release,
        "namespace": request.namespace,
    }
    try:
        return Text(text.source, template(text.text, variables))
    except EdgeError as wrong:
        raise EdgeError(
            wrong.reason,
            f"app {request.app.name}, {text.source}: {wrong.message}",
            hint=wrong.hint,
            details=wrong.details,
        ) from None
    except Exception as wrong:
        # whatever a template engine or a filter of the project raises
        said = str(wrong).splitlines() or [type(wrong).__name__]
        raise EdgeError(
            "TemplateError",
            f"app {request.app.name}, {text.source}: {said[0]}",
            details={"app": request.app.name, "file": text.source},
        ) from wrong
