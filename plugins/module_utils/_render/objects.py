# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: Kubernetes objects out of rendered YAML, each knowing its app and the file it came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._render.hooks import Hook, NotRun, parse_hook
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import Document, YamlError, documents, load

IsNamespaced = Callable[[str, str], "bool | None"]
"""``(apiVersion, kind)`` to whether its objects live in namespaces; None when nobody knows."""

# Helm writes it on top of each document; of the documents of a crds/ file only on top of the first.
_SOURCE = re.compile(r"\s*# Source: (.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class RenderedObject:
    """An object as its app's source renders it. ``source`` names the file for people."""

    app: str
    source: str
    object: Mapping[str, Any]
    hook: Hook | None = None

    @property
    def api_version(self) -> str:
        """Its apiVersion."""
        return str(self.object["apiVersion"])

    @property
    def group(self) -> str:
        """The group of its apiVersion, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.object["kind"])

    @property
    def name(self) -> str:
        """Its metadata.name."""
        return str(self.object["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its metadata.namespace, empty when it has none."""
        return str(self.object["metadata"].get("namespace") or "")

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def with_object(self, manifest: Mapping[str, Any]) -> RenderedObject:
        """The same with other content."""
        return replace(self, object=manifest)


@dataclass(frozen=True)
class Parsed:
    """The objects of a text and what people should know about them."""

    objects: tuple[RenderedObject, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def parse_objects(text: str, *, app: str, source: str | None, problems: Problems) -> Parsed:
    """The objects of a YAML stream. Lists are flattened, documents of comments only are left out.

    ``source`` names the file; None takes the names from the comments that Helm writes. What is wrong goes into
    ``problems`` with app, file and document.
    """
    from_helm, source = source is None, source or "its chart"
    found: list[RenderedObject] = []
    warnings: list[str] = []
    numbers: dict[str, int] = {}
    for document in documents(text):
        comment = _SOURCE.match(document.text) if from_helm else None
        source = comment.group(1) if comment else source
        numbers[source] = numbers.get(source, 0) + 1
        where = f"app {app}, {source}, document {numbers[source]}"
        for manifest in _manifests(document, where, problems):
            hook = parse_hook(manifest)
            if isinstance(hook, NotRun):
                if not hook.is_test:
                    warnings.append(f"{where}: {manifest['kind']} {_name(manifest)} is left out, {hook.reason}")
                continue
            found.append(RenderedObject(app, source, manifest, hook))
    return Parsed(tuple(found), tuple(warnings))


def _manifests(document: Document, where: str, problems: Problems) -> Iterator[dict[str, Any]]:
    try:
        value = load(document.text, line=document.line)
    except YamlError as wrong:
        problems.add(where, f"is not valid YAML: {wrong}")
        return
    if value is None:
        return
    yield from _flattened(value, where, problems)


def _flattened(value: Any, where: str, problems: Problems) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict):
        problems.add(where, f"is not a Kubernetes object but {'a list' if isinstance(value, list) else 'plain text'}")
        return
    kind, items = value.get("kind"), value.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            # The items of a typed list (ConfigMapList) may leave out what its kind says already.
            told = {"apiVersion": value.get("apiVersion"), "kind": kind[:-4]} if kind != "List" else {}
            inner = {**told, **item} if isinstance(item, dict) else item
            yield from _flattened(inner, f"{where}, item {index + 1}", problems)
        return
    before = len(problems)
    _check_head(value, where, problems)
    if len(problems) == before:
        yield value


def _check_head(value: Mapping[str, Any], where: str, problems: Problems) -> None:
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str) or not value[key]:
            problems.add(where, f"has no {key}" if not value.get(key) else f"{key} must be text")
    metadata = value.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        problems.add(where, "metadata must be a mapping")
        return
    if not _name(value):
        generated = (metadata or {}).get("generateName")
        hint = "generateName makes a new object each time; give it a name" if generated else ""
        problems.add(where, f"{value.get('kind') or 'the object'} has no metadata.name", hint)
    elif not isinstance((metadata or {})["name"], str):
        problems.add(where, f"metadata.name must be text, not {(metadata or {})['name']!r}", "put it in quotes")
    namespace = (metadata or {}).get("namespace")
    if namespace is not None and not isinstance(namespace, str):
        problems.add(where, f"metadata.namespace must be text, not {namespace!r}", "put it in quotes")
    _check_annotations(metadata or {}, where, problems)


def _check_annotations(metadata: Mapping[str, Any], where: str, problems: Problems) -> None:
    for field_name in ("labels", "annotations"):
        given = metadata.get(field_name)
        if given is None:
            continue
        if not isinstance(given, dict):
            problems.add(where, f"metadata.{field_name} must be a mapping")
            continue
        for key, value in given.items():
            if value is not None and not isinstance(value, str):
                problems.add(where, f"metadata.{field_name}.{key} must be text, not {value!r}", "put it in quotes")


def _name(manifest: Mapping[str, Any]) -> Any:
    return (manifest.get("metadata") or {}).get("name")


def custom_scopes(objects: Iterable[RenderedObject]) -> dict[tuple[str, str], bool]:
    """``(group, kind)`` to whether it is namespaced, of the kinds that CRDs among the objects define."""
    found: dict[tuple[str, str], bool] = {}
    for one in objects:
        if one.kind == "CustomResourceDefinition":
            spec = one.object.get("spec") or {}
            kind = (spec.get("names") or {}).get("kind")
            found[(str(spec.get("group")), str(kind))] = spec.get("scope") == "Namespaced"
    return found


def in_namespace(
    objects: Iterable[RenderedObject], namespace: str, is_namespaced: IsNamespaced
) -> tuple[RenderedObject, ...]:
    """The objects with ``namespace`` set where a namespaced one has none; a namespace on other kinds is dropped.

    Kinds that neither ``is_namespaced`` nor a CRD among the objects knows stay as they are.
    """
    objects = tuple(objects)
    own = custom_scopes(objects)
    return tuple(_in_namespace(one, namespace, is_namespaced, own) for one in objects)


def _in_namespace(
    one: RenderedObject, namespace: str, is_namespaced: IsNamespaced, own: Mapping[tuple[str, str], bool]
) -> RenderedObject:
    scope = own.get((one.group, one.kind))
    if scope is None:
        scope = is_namespaced(one.api_version, one.kind)
    if scope is None or scope == bool(one.namespace):
        return one
    metadata = dict(one.object["metadata"])
    if scope:
        metadata["namespace"] = namespace
    else:
        del metadata["namespace"]
    return one.with_object({**one.object, "metadata": metadata})
