# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the objects of EMCO's database, with the rules for creating, replacing and deleting them.

What may be created and deleted is decided as EMCO's database does: a parent and everything referred to must be there
first, and what has children or is referred to stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._emco import table
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path, Resource
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems, near

Outcome = Literal["created", "updated", "unchanged", "deleted"]
_NAMED_IN_ERRORS = 5


@dataclass(frozen=True)
class File:
    """A file that came with an object: where it is, and the SHA-256 of its content."""

    path: str
    digest: str


@dataclass(frozen=True)
class EmcoObject:
    """An object as it is stored. ``body`` is checked and has EMCO's spelling."""

    kind: str
    path: Path
    body: Mapping[str, Any]
    files: tuple[File, ...] = ()

    @property
    def name(self) -> str:
        """Its own name."""
        metadata = self.body.get("metadata") or {}
        return str(metadata.get("name") or self.path[-1])

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec, empty where it has none."""
        return self.body.get("spec") or {}

    @property
    def resource(self) -> Resource:
        """What kind of object it is."""
        return table.BY_KIND[self.kind]

    @property
    def parameters(self) -> dict[str, str]:
        """The names of its ancestors, by what they are."""
        pattern = self.resource.anchor.split("/")
        return {key[1:-1]: value for key, value in zip(pattern, self.path, strict=False) if key.startswith("{")}

    @property
    def parent(self) -> Path:
        """The path of its parent; empty at the top."""
        if table.parent_kind(self.resource) is None:
            return ()
        return self.path[: -len(self.resource.named_by) - 1]

    @property
    def references(self) -> tuple[Path, ...]:
        """The paths of the objects that it refers to."""
        parameters = self.parameters
        return tuple(path for one in self.resource.references for path in one.paths(self.body, parameters))

    def as_document(self) -> dict[str, Any]:
        """The object as JSON data."""
        files = [{"path": one.path, "digest": one.digest} for one in self.files]
        return {"kind": self.kind, "path": list(self.path), "body": dict(self.body), "files": files}


def object_of(document: Mapping[str, Any]) -> EmcoObject:
    """The object that ``as_document`` wrote."""
    files = tuple(File(one["path"], one["digest"]) for one in document["files"])
    return EmcoObject(str(document["kind"]), tuple(document["path"]), document["body"], files)


class Refused(EdgeError):  # noqa: N818  # it is not an error of ours that something is refused
    """EMCO would answer this with ``code``."""

    def __init__(self, code: int, message: str, hint: str = "") -> None:
        super().__init__("Conflict" if code == 409 else "NotFound" if code == 404 else "BadRequest", message, hint=hint)
        self.code = code


@dataclass
class Catalogue:
    """All objects, by their paths. ``changed`` is what was put or deleted (None)."""

    changed: dict[Path, EmcoObject | None] = field(default_factory=dict)
    numbers: dict[Path, int] = field(default_factory=dict)
    """In which order objects came; a number is never given twice while a higher one is there."""
    outside: frozenset[Path] = frozenset()
    """What counts as there when it is referred to: clusters that were registered without documents."""
    _next: int = 0
    _objects: dict[Path, EmcoObject] = field(default_factory=dict)
    _children: dict[Path, dict[Path, None]] = field(default_factory=dict)
    _referrers: dict[Path, dict[Path, None]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        objects: Iterable[EmcoObject],
        numbers: Mapping[Path, int] | None = None,
        outside: frozenset[Path] = frozenset(),
    ) -> Catalogue:
        """A catalogue of objects that were checked when they were put into another."""
        found = cls(numbers=dict(numbers or {}), outside=outside)
        for one in objects:
            found._add(one)
        return found

    def copy(self) -> Catalogue:
        """Another one with the same objects, to try something out."""
        return Catalogue.of(self._objects.values(), self.numbers, self.outside)

    def __iter__(self) -> Iterator[EmcoObject]:
        return iter(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, path: Path) -> EmcoObject | None:
        """The object there."""
        return self._objects.get(path)

    def children(self, parent: Path, *kinds: str) -> list[EmcoObject]:
        """The children of an object, of these kinds, in the order in which they came."""
        found = [self._objects[path] for path in self._children.get(parent, ())]
        return [one for one in found if not kinds or one.kind in kinds]

    def below(self, parent: Path) -> Iterator[EmcoObject]:
        """Everything below an object."""
        for one in self.children(parent):
            yield one
            yield from self.below(one.path)

    def put(self, one: EmcoObject) -> Outcome:
        """Create or replace an object. Refused when its parent, or what it refers to, is not there."""
        before = self._objects.get(one.path)
        self._check_parent(one)
        missing = [path for path in one.references if path not in self._objects and path not in self.outside]
        if missing:
            raise Refused(
                404, f"{_what(one.path)} refers to {self._named(missing)}, not there", self._meant(missing[0])
            )
        if before is not None and _same(before, one):
            return "unchanged"
        if before is not None:
            self._unrefer(before)
        self._add(one)
        self.changed[one.path] = one
        return "created" if before is None else "updated"

    def delete(self, path: Path) -> Outcome:
        """Delete an object. Refused while it has children or something refers to it."""
        one = self._objects.get(path)
        if one is None:
            return "unchanged"
        children = list(self._children.get(path, ()))
        if children:
            raise Refused(409, f"{_what(path)} cannot be deleted: it has {self._named(children)}")
        referrers = list(self._referrers.get(path, ()))
        if referrers:
            raise Refused(409, f"{_what(path)} cannot be deleted: it is referred to by {self._named(referrers)}")
        self._unrefer(one)
        self._children.get(one.parent, {}).pop(path, None)
        del self._objects[path], self.numbers[path]
        self.changed[path] = None
        return "deleted"

    def _check_parent(self, one: EmcoObject) -> None:
        parent = one.parent
        if parent and parent not in self._objects:
            raise Refused(404, f"{_what(one.path)}: its parent {_what(parent)} is not there", self._meant(parent))
        rule = one.resource.under
        if rule is not None and parent:
            problems = Problems()
            rule(one.body, self._objects[parent].body, problems)
            if len(problems):
                raise Refused(400, f"{_what(one.path)}: " + "; ".join(str(problem) for problem in problems))

    def _add(self, one: EmcoObject) -> None:
        self._objects[one.path] = one
        if one.path not in self.numbers:
            self.numbers[one.path] = self._next
        self._next = max(self._next, self.numbers[one.path] + 1)
        self._children.setdefault(one.parent, {})[one.path] = None
        for path in one.references:
            self._referrers.setdefault(path, {})[one.path] = None

    def _unrefer(self, one: EmcoObject) -> None:
        for path in one.references:
            self._referrers.get(path, {}).pop(one.path, None)

    def _named(self, paths: list[Path]) -> str:
        shown = ", ".join(_what(path) for path in paths[:_NAMED_IN_ERRORS])
        more = len(paths) - _NAMED_IN_ERRORS
        return shown + (f" and {more} more" if more > 0 else "")

    def _meant(self, path: Path) -> str:
        siblings = {one[len(path) - 1] for one in self._objects if one[:-1] == path[:-1]}
        return near(path[-1], siblings)


def _same(before: EmcoObject, after: EmcoObject) -> bool:
    files = ([one.digest for one in before.files], [one.digest for one in after.files])
    return before.body == after.body and files[0] == files[1]


def _what(path: Path) -> str:
    return "/".join(path)
