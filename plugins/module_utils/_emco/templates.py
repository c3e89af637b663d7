# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: Go templates in documents, with what emcoctl prints as ``<no value>`` made an error.

Helm evaluates the templates. Here each action that prints something is wrapped, so that a field that is not in the
values leaves a mark in the text instead of nothing; whether a branch is taken, and what the dot is, helm knows best.
What only asks whether a field is there (``if``, ``with``, ``default``) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems, near

Evaluate = Callable[[Sequence[str], Mapping[str, Any]], list[str]]
"""Evaluates texts with values; ValueError or TimeoutError, with the reason in words, when one of them fails."""

_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_STRING = r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|\x27(?:[^\x27\\\n]|\\.)*\x27'
_ACTION = re.compile(r"\{\{(-(?=\s))?((?:" + _STRING + r"|(?!\}\}).)*?)((?<=\s)-)?\}\}", re.DOTALL)
_FIELD = re.compile(_STRING + r"|(?<![\w)\].$])(\$\w*)?((?:\.[A-Za-z_]\w*)+)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_CONTROL = {"if", "else", "end", "with", "define", "template", "block", "break", "continue", "include"}
# Functions that are called with what may not be there.
_LENIENT = {"default", "coalesce", "ternary", "and", "or", "not", "empty", "hasKey", "required", "kindIs", "get", "dig"}
_DECLARES = re.compile(r"\s*\$\w+(\s*,\s*\$\w+)?\s*:?=")
_MARK = re.compile("\x01(\\d+)\x02")


@dataclass(frozen=True)
class _Missing:
    """What a mark in the text stands for."""

    line: int
    field: str


def evaluated_texts(
    texts: Mapping[str, str], values: Mapping[str, Any], evaluate: Evaluate, problems: Problems
) -> dict[str, str]:
    """The texts by file name, evaluated; what is wrong is in ``problems`` with file and line."""
    plain = {name: text for name, text in texts.items() if "{{" not in text}
    marked = {name: _Marked(text) for name, text in texts.items() if name not in plain}
    done = dict(plain)
    for name, result in _results(marked, values, evaluate, problems):
        known = len(marked[name].missing)
        seen = {int(number): None for number in _MARK.findall(result) if int(number) < known}
        for missing in dict.fromkeys(marked[name].missing[number] for number in seen):
            problems.add(
                f"{name}, line {missing.line}",
                f"{missing.field} is not in the values",
                near(missing.field.rpartition(".")[2], set(_keys(values))),
            )
        done[name] = _MARK.sub("", result)
    return {name: done.get(name, "") for name in texts}


def _results(
    marked: Mapping[str, _Marked], values: Mapping[str, Any], evaluate: Evaluate, problems: Problems
) -> Iterator[tuple[str, str]]:
    if not marked:
        return
    try:
        yield from zip(marked, evaluate([one.text for one in marked.values()], values), strict=True)
        return
    except (ValueError, TimeoutError) as wrong:
        if len(marked) == 1:
            problems.extend(_failed(name, str(wrong)) for name in marked)
            return
    # One that fails takes the others with it: one by one, everything that is wrong is found.
    for name, one in marked.items():
        yield from _results({name: one}, values, evaluate, problems)


def _failed(name: str, words: str) -> Problem:
    """Helm's message without the template that we made around the text."""
    told = re.search(r".*\bgotpl:(\d+)(?::\d+)?: (.*)", words, re.DOTALL)
    line, message = told.groups() if told else ("", words)
    message = re.sub(r'^executing "[^"]*" at ', "", message)
    return Problem(f"{name}, line {line}" if line else name, f"the template does not work: {message}")


class _Marked:
    """A text whose actions leave marks for what is missing."""

    def __init__(self, text: str) -> None:
        self.missing: list[_Missing] = []
        self._lines = 0
        parts, end = [], 0
        for match in _ACTION.finditer(text):
            if _COMMENT.fullmatch(match.group()):
                continue
            parts.append(text[end : match.start()])
            self._line = text.count("\n", 0, match.start()) + 1
            parts.append(self._action(*match.groups(default="")))
            end = match.end()
        self.text = "".join([*parts, text[end:]])

    def _action(self, left: str, inner: str, right: str) -> str:
        whole = f"{{{{{left}{inner}{right}}}}}"
        words = set(_WORD.findall(_without_strings(inner)))
        first = _WORD.match(inner.strip())
        keyword = first.group() if first else ""
        if keyword in _CONTROL or words & _LENIENT:
            return whole
        checks = [(field, self._mark(field)) for field in _fields(inner)]
        opening = f"{{{{{left} " if left else "{{"
        closing = f" {right}}}}}" if right else "}}"
        if keyword == "range" or _DECLARES.match(inner):
            # A variable must outlive what is put around an action: only look at the last part of each chain.
            asked = "".join(
                f'{{{{if kindIs "invalid" {field}}}}}{mark}{{{{end}}}}'
                for field, mark in checks
                if field.count(".") == 1
            )
            return (f'{{{{{left} "" }}}}' if left else "") + asked + f"{{{{{inner}{closing}" if asked else whole
        if not inner.strip():
            return whole
        value = f"$emcoEdge{len(self.missing)}"
        mark = self._mark(inner.strip())
        conditions = "".join(f'if kindIs "invalid" {field}}}}}{mark}{{{{else ' for field, mark in checks)
        final = (
            f'{value} := ({inner.strip()})}}}}{{{{if kindIs "invalid" {value}}}}}{mark}'
            f"{{{{else}}}}{{{{{value}}}}}{{{{end"
        )
        if conditions:
            conditions = conditions.removesuffix(" ")
            return f"{opening}{conditions}}}}}{{{{{final}}}}}{{{{end{closing}"
        return f"{opening}{final}{closing}"

    def _mark(self, field: str) -> str:
        self.missing.append(_Missing(self._line, field))
        return f"\x01{len(self.missing) - 1}\x02"


def _fields(inner: str) -> list[str]:
    """The chains of fields in an action, each part of a chain before the next: ``.A``, ``.A.B``."""
    found: dict[str, None] = {}
    for match in _FIELD.finditer(inner):
        if match.group(2) is None:
            continue
        chain = match.group(1) or ""
        for part in match.group(2).split(".")[1:]:
            chain += f".{part}"
            found[chain] = None
    return list(found)


def _without_strings(inner: str) -> str:
    return re.sub(_STRING, '""', inner)


def _keys(values: Any) -> Iterator[str]:
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield str(key)
            yield from _keys(value)
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _keys(value)
