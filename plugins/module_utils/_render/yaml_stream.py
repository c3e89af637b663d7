# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: YAML as Helm and kubectl read it.

They turn YAML into JSON with sigs.k8s.io/yaml, which reads plain scalars by the rules of YAML 1.1 as go-yaml keeps
them: ``on`` and ``y`` are booleans, ``0777`` and ``0o777`` are octal, ``1_000`` is a number, nothing is of base 60,
dates stay text, keys become text, and a whole float is written as a whole number. PyYAML's own rules differ in most
of these, and what a user sees with ``helm template`` must be what we send.

Values are built from the parser's events: three times faster than PyYAML's constructor, which matters for CRDs.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import copy
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

try:
    import yaml

    _Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error

_SEPARATOR = re.compile(r"^---[ \t]*", re.MULTILINE)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))")
_BASES = (16, 8, 2, 10)
_LARGEST_INTEGER = 2**64
# An integer above this is written with an exponent by Go's JSON, below it as digits.
_WRITTEN_AS_DIGITS = 1e21
_NODE_LIMIT = 500_000
_CORE = "tag:yaml.org,2002:"

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}


class YamlError(ValueError):
    """A document that cannot be read; the text never quotes the document, which may hold secrets."""


@dataclass(frozen=True)
class Document:
    """One document of a stream: ``number`` counts from 1, ``line`` is where it starts, ``text`` what it is."""

    number: int
    line: int
    text: str

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but comments, directives and space."""
        return all(not line.strip() or line.lstrip()[0] == "#" or line[0] == "%" for line in self.text.splitlines())


def documents(text: str) -> Iterator[Document]:
    """The documents of a stream that hold something, split at lines that begin with ``---`` as Helm does."""
    number, line, start = 0, 1, 0
    for end, following in _pieces(text):
        piece = text[start:end]
        document = Document(number + 1, line, piece)
        if not document.is_blank:
            number += 1
            yield document
        line += text.count("\n", start, following)
        start = following


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    for match in _SEPARATOR.finditer(text):
        yield match.start(), match.end()
    yield len(text), len(text)


def load(text: str, *, line: int = 1) -> Any:
    """The value of one document as plain JSON-like data; YamlError says what is wrong and on which line."""
    if text.lstrip()[:1] == "{":
        with contextlib.suppress(json.JSONDecodeError):  # YAML may begin with { too
            return json.loads(text, parse_float=lambda number: _finite(float(number)), parse_constant=_not_json)
    if MISSING is not None:
        raise EdgeError("MissingLibrary", f"YAML is read with PyYAML, which is not installed: {MISSING}")
    loader = _Loader(text)
    try:
        return _Builder(loader).document()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        where = f"line {mark.line + line}, column {mark.column + 1}: " if mark is not None else ""
        raise YamlError(f"{where}{wrong.problem or wrong.context or 'is not YAML'}") from None
    except yaml.YAMLError as wrong:
        raise YamlError(str(wrong).splitlines()[0]) from None
    except RecursionError:
        raise YamlError("is nested too deeply") from None
    finally:
        loader.dispose()


class _Builder:
    """Builds plain values from the events of one document."""

    def __init__(self, loader: Any) -> None:
        self._next: Any = loader.get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0

    def document(self) -> Any:
        self._next()  # the start of the stream
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._value(self._next())
        self._next()  # the end of the document
        if not isinstance(self._next(), yaml.StreamEndEvent):
            raise YamlError("holds a second document that does not begin with ---")
        return value

    def _value(self, event: Any) -> Any:
        self._nodes += 1
        if isinstance(event, yaml.ScalarEvent):
            value = resolved(event.value) if event.implicit[0] else _tagged(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = (value, 1)
            return value
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        value = self._mapping() if isinstance(event, yaml.MappingStartEvent) else self._sequence()
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._nodes - before + 1)
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            line = event.start_mark.line + 1
            raise YamlError(f"line {line}: refers to {event.anchor!r}, which is not defined before")
        value, nodes = self._anchors[event.anchor]
        self._nodes += nodes
        if self._nodes > _NODE_LIMIT:
            raise YamlError("expands its aliases to more than is sensible")
        # Each place gets its own copy: controllers edit one of them and must not meet the other.
        return copy.deepcopy(value)

    def _sequence(self) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event))
        return items

    def _mapping(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Any] = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
                merged.append(self._value(self._next()))
                continue
            key = self._value(event)
            found[key if isinstance(key, str) else _key(key, event)] = self._value(self._next())
        for below in merged:
            for layer in below if isinstance(below, list) else [below]:
                if not isinstance(layer, dict):
                    raise YamlError("has a merge key << that does not stand for a mapping")
                for key, value in layer.items():
                    found.setdefault(key, value)
        return found


def _key(key: Any, event: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (int, float)):
        return f"{key:g}" if isinstance(key, float) else str(key)
    what = "null" if key is None else "a list or a mapping"
    raise YamlError(f"line {event.start_mark.line + 1}: has {what} as a key")


def _tagged(event: Any) -> Any:
    tag = event.tag
    if not tag or not tag.startswith(_CORE) or tag == _CORE + "str":
        return event.value
    if tag == _CORE + "binary":
        try:
            return base64.b64decode(event.value).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise YamlError("has a !!binary value that is no text") from None
    value = resolved(event.value)
    if tag == _CORE + "float" and isinstance(value, int):
        return value
    return value


@lru_cache(maxsize=16384)
def resolved(text: str) -> Any:
    """What a plain scalar means: None, a boolean, a number or the text itself."""
    if text in _WORDS:
        return _finite(_WORDS[text])
    if text[0] not in "0123456789+-.":
        return text
    plain = text.replace("_", "") if text[0] != "." else text
    integer = _INTEGER.fullmatch(plain)
    if integer is not None:
        sign, *digits = integer.groups()
        value = next(int(part, base) for part, base in zip(digits, _BASES, strict=True) if part is not None)
        if value < _LARGEST_INTEGER:
            return -value if sign == "-" else value
    if _FLOAT.fullmatch(plain):
        return _finite(float(plain))
    return text


def _not_json(_constant: str) -> Any:
    raise YamlError("has a number that JSON does not know (not a number, or infinite)")


def _finite(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    if math.isnan(value) or math.isinf(value):
        return _not_json(str(value))
    return int(value) if value.is_integer() and abs(value) < _WRITTEN_AS_DIGITS else value
