# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a kind of object of EMCO's API and an operation on one, told by their anchors.

An anchor is the path of EMCO's REST API without ``/v2/``. That of an object names the collection it is added to; the
object's own path is the anchor and its name, and its parent is what stands before the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._emco.fields import Field, anything, group, name, text
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems

Path = tuple[str, ...]
"""The path of an object in EMCO's API, as its segments."""

Body = Mapping[str, Any]
Parameters = Mapping[str, str]

METADATA = group(
    True, name=name(), description=text(longest=1024), userData1=text(longest=512), userData2=text(longest=512)
)
NO_SPEC = group()


@dataclass(frozen=True)
class Reference:
    """Other objects that an object names and that must exist: ``to`` is their path.

    In ``to`` ``{project}`` and the like are parts of the object's own path, ``{0}`` and so on are what
    ``values`` finds in the body, once for every object that is referred to.
    """

    to: str
    values: Callable[[Body], Iterable[tuple[str, ...]]]

    def paths(self, body: Body, parameters: Parameters) -> Iterable[Path]:
        """The paths of all that is referred to."""
        for values in self.values(body):
            if all(values):
                yield tuple(part.format(*values, **parameters) for part in self.to.split("/"))


@dataclass(frozen=True)
class Resource:
    """A kind of object."""

    kind: str
    anchor: str
    """The collection, with ``{names}`` where the names of ancestors stand."""
    spec: Field | None = None
    """What ``spec`` holds; None: there is no spec."""
    beside: Mapping[str, Field] = field(default_factory=dict)
    """Fields beside metadata and spec."""
    metadata: Field = METADATA
    named_by: tuple[str, ...] = ("metadata.name",)
    """The fields whose values make the object's own part of its path."""
    references: tuple[Reference, ...] = ()
    check: Callable[[Body, Problems], None] | None = None
    """Rules over several fields."""
    under: Callable[[Body, Body, Problems], None] | None = None
    """Rules over the body and that of its parent."""
    in_words_of_emco: Callable[[Any, Problems], None] | None = None
    """Looks at the body before the schema does; what it finds is all that is said about the object."""
    file: Literal["", "required", "optional"] = ""
    files: bool = False
    """Whether it may come with several files."""

    @property
    def schema(self) -> Field:
        """The whole body."""
        parts = {"metadata": self.metadata} if self.metadata.fields else {}
        # An empty spec is often written where there is none.
        return group(True, **parts, spec=self.spec or anything(), **self.beside)

    def own_names(self, body: Body) -> Path:
        """The object's own part of its path."""
        return tuple(str(at(body, name)) for name in self.named_by)


@dataclass(frozen=True)
class Operation:
    """Something done to an object: ``anchor`` is the object's path with the operation's name behind it."""

    name: str
    anchor: str
    of: str
    """The kind of the object."""
    spec: Field | None = None
    """What the request's ``spec`` holds, for those that have one; others carry nothing."""


def at(body: Any, path: str) -> Any:
    """The value of a field by its dotted path, the empty string where it is not."""
    found = body
    for key in path.split("."):
        if not isinstance(found, Mapping):
            return ""
        found = found.get(key, "")
    return found


def one(path: str) -> Callable[[Body], Iterable[tuple[str, ...]]]:
    """The value of one field."""
    return lambda body: ((str(at(body, path)),),)


def several(*paths: str) -> Callable[[Body], Iterable[tuple[str, ...]]]:
    """One reference made of several fields."""
    return lambda body: (tuple(str(at(body, path)) for path in paths),)
