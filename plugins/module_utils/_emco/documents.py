# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's YAML documents, as emcoctl takes them, read and checked one by one."""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco import table
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject, File
from ansible_collections.emco.edge.plugins.module_utils._emco.fields import group, read
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Operation, Path
from ansible_collections.emco.edge.plugins.module_utils._emco.table import Found
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import YamlError, documents, load

_SUFFIXES = (".yaml", ".yml", ".json")
ANY_DOCUMENT = "resourceContext"
"""What every document has, and a file of another kind has not."""
_ENVELOPE = ("version", "resourceContext", "file", "files")
_NO_BODY = group()


@dataclass(frozen=True)
class Source:
    """A text with documents: ``path`` is the file it is from, ``shown`` how the file is called in messages.

    Relative files in it start at the file's folder.
    """

    path: str
    text: str
    shown: str = ""


@dataclass(frozen=True)
class Place:
    """Where a document is: the file, the number of the document in it from 1, the line that it starts at."""

    file: str
    number: int
    line: int

    def __str__(self) -> str:
        return f"{self.file}, document {self.number}, line {self.line}"


@dataclass(frozen=True)
class Document:
    """A document that was read: an object, or an operation on one."""

    place: Place
    anchor: str
    path: Path
    """Of the object, or of the object that the operation is for."""
    object: EmcoObject | None = None
    operation: Operation | None = None
    body: Mapping[str, Any] | None = None
    """What an operation was given."""

    @property
    def what(self) -> str:
        """The anchor with the object's name."""
        if self.operation is not None:
            return "/".join((*self.path, *self.operation.name.split()))
        return "/".join(self.path)


def found_files(given: Iterable[str], base_dir: str, problems: Problems) -> dict[str, bool]:
    """The files meant: each one given, and of a folder all YAML and JSON files in the order of their names.

    The value says whether the file was named; of a folder those without documents (patches, values) do not count.
    """
    found: dict[str, bool] = {}
    for index, name in enumerate(given):
        path = pathlib.Path(base_dir, name).expanduser()
        if path.is_dir():
            inside = sorted(str(one) for one in path.rglob("*") if one.suffix in _SUFFIXES and one.is_file())
            found.update({one: False for one in inside if one not in found})
            if not inside:
                problems.add(f"src[{index}]", f"{name} has no {', '.join(_SUFFIXES)} file")
        elif path.is_file():
            found[str(path)] = True
        else:
            problems.add(f"src[{index}]", f"{name} is not there", f"looked in {base_dir}")
    return found


def read_documents(sources: Sequence[Source], base_dir: str, problems: Problems) -> list[Document]:
    """All documents in order; everything wrong with any of them is in ``problems``, with its place.

    Files that documents name are looked for beside the document, then in ``base_dir``: emcoctl looks where it is run.
    """
    found: list[Document] = []
    digests: dict[str, str] = {}
    for source in sources:
        for place, raw in _raw_documents(source, problems):
            before = len(problems)
            read_one = _Reader(source, place, base_dir, digests, problems).document(raw)
            if read_one is not None and len(problems) == before:
                found.append(read_one)
    return found


def _raw_documents(source: Source, problems: Problems) -> Iterator[tuple[Place, Any]]:
    for number, piece in enumerate((one for one in documents(source.text) if not one.is_blank), start=1):
        place = Place(source.shown or source.path, number, piece.line + _before_content(piece.text))
        try:
            raw = load(piece.text, line=piece.line)
        except YamlError as wrong:
            problems.add(str(place), f"is not YAML: {wrong}")
            continue
        if raw is not None:
            yield place, raw


def _before_content(text: str) -> int:
    """How many lines stand before the first that is neither empty nor a comment."""
    for index, line in enumerate(text.splitlines()):
        if line.strip() and not line.lstrip().startswith("#"):
            return index
    return 0


class _Reader:
    """Reads one document and notes its problems under its place."""

    def __init__(
        self, source: Source, place: Place, base_dir: str, digests: dict[str, str], problems: Problems
    ) -> None:
        self._folders = (str(pathlib.Path(source.path).parent), base_dir)
        self._place = place
        self._digests = digests
        self._problems = problems

    def document(self, raw: Any) -> Document | None:
        if not isinstance(raw, Mapping):
            self._say("", "is no document of EMCO: it must be a dictionary")
            return None
        raw = {str(key): value for key, value in raw.items()}
        context = raw.get("resourceContext")
        anchor = context.get("anchor") if isinstance(context, Mapping) else None
        if not isinstance(anchor, str) or not anchor.strip("/ "):
            self._say("resourceContext.anchor", "is required")
            return None
        version = raw.get("version")
        if version not in (None, "emco/v2"):
            self._say("version", f"{version!r} is not emco/v2")
        found = table.find(anchor)
        if found is None:
            self._say("resourceContext.anchor", f"{anchor} is not an anchor of EMCO", table.hint_for(anchor))
            return None
        if found.operation is not None:
            return self._operation(found, found.operation, anchor, raw)
        return self._object(found, anchor, raw)

    def _operation(self, found: Found, operation: Operation, anchor: str, raw: Mapping[str, Any]) -> Document:
        body = {key: value for key, value in raw.items() if key not in _ENVELOPE and key != "metadata"}
        schema = group(True, spec=operation.spec) if operation.spec else _NO_BODY
        own = Problems()
        read_body = read(schema, {key: value for key, value in body.items() if value}, "", own)
        self._take(own)
        return Document(self._place, anchor, found.parent, None, operation, read_body)

    def _object(self, found: Found, anchor: str, raw: Mapping[str, Any]) -> Document | None:
        resource, own = found.resource, Problems()
        files = self._files(found, raw)
        given = {key: value for key, value in raw.items() if key not in _ENVELOPE}
        if resource.in_words_of_emco is not None:
            resource.in_words_of_emco(given, own)
            if len(own):
                self._take(own)
                return None
        body = read(resource.schema, given, "", own)
        if resource.check is not None and not len(own):
            resource.check({**body, **({"file": files, "files": files} if files else {})}, own)
        self._take(own)
        if len(own):
            return None
        names = resource.own_names(body)
        if found.own and found.own != names:
            self._say("metadata.name", f"{'/'.join(names)} is not the name in the anchor, {'/'.join(found.own)}")
        path = (*table.path_of(anchor)[: len(resource.anchor.split("/"))], *names)
        return Document(self._place, anchor, path, EmcoObject(resource.kind, path, body, files))

    def _files(self, found: Found, raw: Mapping[str, Any]) -> tuple[File, ...]:
        resource = found.resource
        single, several = raw.get("file"), raw.get("files")
        if resource.file == "required" and not single:
            self._say("file", "is required")
        if single and not resource.file:
            self._say("file", f"a {resource.kind} has no file", "write files" if resource.files else "")
        if several and not resource.files:
            self._say("files", f"a {resource.kind} has no files", "write file" if resource.file else "")
        given = [single] if single else list(several) if isinstance(several, (list, tuple)) else []
        if several and not isinstance(several, (list, tuple)):
            self._say("files", "must be a list")
        found_here = [self._file(name, "file" if single else f"files[{index}]") for index, name in enumerate(given)]
        return tuple(one for one in found_here if one is not None)

    def _file(self, name: Any, path: str) -> File | None:
        where = self._found(str(name))
        if where is None:
            self._say(path, f"{name} is not there", f"looked in {' and '.join(dict.fromkeys(self._folders))}")
            return None
        absolute = str(where.resolve())
        if absolute not in self._digests:
            self._digests[absolute] = _digest(where)
        return File(absolute, self._digests[absolute])

    def _found(self, name: str) -> pathlib.Path | None:
        for folder in self._folders:
            where = pathlib.Path(folder, pathlib.Path(name).expanduser())
            if where.is_file() or (where.is_dir() and (where / "Chart.yaml").is_file()):
                return where
        return None

    def _take(self, found: Iterable[Problem]) -> None:
        for one in found:
            self._say(one.path, one.message, one.hint)

    def _say(self, path: str, message: str, hint: str = "") -> None:
        self._problems.add(f"{self._place}: {path}" if path else str(self._place), message, hint)


def _digest(path: pathlib.Path) -> str:
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    total = hashlib.sha256()
    for one in sorted(path.rglob("*")):
        if one.is_file():
            total.update(f"{one.relative_to(path)}\n".encode() + hashlib.sha256(one.read_bytes()).digest())
    return total.hexdigest()
