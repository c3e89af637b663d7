# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the words and signs of a selector, and errors that say where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ansible_collections.emco.edge.plugins.module_utils._model.cluster_values import Key
from ansible_collections.emco.edge.plugins.module_utils._model.errors import near

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | "(?P<double>[^"]*)" | '(?P<single>[^']*)'
    | (?P<sign>\|\||&&|==|!=|>=|<=|[=><!,()])
    | (?P<word>[^\s,()=!<>&|"']+)""",
    re.VERBOSE,
)
_WORDS_FOR_SIGNS = {"and": "&&", "AND": "&&", "or": "||", "OR": "||"}
_FACTS = ("version", "nodes", "ready_nodes", "reachable", "apis", "storage_classes")
_FACT_FAMILIES = ("engines", "free", "capacity")


class SelectorError(ValueError):
    """A selector that cannot be read; ``position`` counts characters from 0."""

    def __init__(self, selector: str, position: int, message: str) -> None:
        super().__init__(f"selector {selector!r}, character {position + 1}: {message}")
        self.selector = selector
        self.position = position


@dataclass(frozen=True)
class Token:
    """A word, a quoted text, a sign, or the end."""

    kind: Literal["word", "quoted", "sign", "end"]
    text: str
    position: int

    @property
    def sign(self) -> str:
        """The sign, or the empty string when this is none."""
        return self.text if self.kind == "sign" else ""


def tokens_of(selector: str) -> tuple[Token, ...]:
    """The tokens of a selector, the last one being its end; SelectorError where there is none."""
    found: list[Token] = []
    at = 0
    while at < len(selector):
        match = _TOKEN.match(selector, at)
        if match is None:
            raise SelectorError(selector, at, f"{selector[at]!r} is not expected here")
        kind = match.lastgroup
        text = match.group(kind or 0)
        if kind == "word" and text in _WORDS_FOR_SIGNS:
            found.append(Token("sign", _WORDS_FOR_SIGNS[text], at))
        elif kind in ("double", "single"):
            found.append(Token("quoted", text, at))
        elif kind == "sign":
            found.append(Token("sign", text, at))
        elif kind == "word":
            found.append(Token("word", text, at))
        at = match.end()
    return (*found, Token("end", "", len(selector)))


def known_key(selector: str, token: Token) -> Key:
    """The key that a word names; SelectorError when it is one of ours that does not exist."""
    source, dot, rest = token.text.partition(".")
    if not dot or source not in ("labels", "kv", "facts", "cluster"):
        return Key("labels", token.text, token.text)
    if source == "labels":
        return Key("labels", rest, token.text)
    if source == "kv" and "." not in rest:
        raise SelectorError(selector, token.position, f"{token.text!r} names no key; write kv.<set>.<key>")
    if source == "facts" and rest not in _FACTS and rest.partition(".")[0] not in _FACT_FAMILIES:
        known = [*_FACTS, *(f"{family}.<name>" for family in _FACT_FAMILIES)]
        hint = near(rest, _FACTS) or "facts are " + ", ".join(known)
        raise SelectorError(selector, token.position, f"{token.text!r} is not a fact; {hint}")
    if source == "cluster" and rest not in ("name", "provider"):
        raise SelectorError(selector, token.position, f"{token.text!r} is neither cluster.name nor cluster.provider")
    return Key(source, rest, token.text)
