# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: selectors over clusters, such as ``region in (north, south), facts.version >= 1.30, !retired``.

A comma means "and" and binds least, then come ``||`` (or) and ``&&`` (and); parentheses and ``!( )`` work as usual.
A key is a label unless it starts with ``labels.``, ``kv.<set>.``, ``facts.`` or ``cluster.``. As in Kubernetes,
``!=`` and ``notin`` also hold where the key is missing; ``<`` and ``>`` never do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias

from ansible_collections.emco.edge.plugins.module_utils._model import comparison
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_values import ABSENT, Key, value_of
from ansible_collections.emco.edge.plugins.module_utils._model.selector_tokens import (
    SelectorError,
    Token,
    known_key,
    tokens_of,
)

__all__ = ["All", "AnyOf", "Label", "Not", "Op", "Selector", "SelectorError", "Term"]


class Op(Enum):
    """What a term asks of a value."""

    EXISTS = "exists"
    IN = "in"
    NOT_IN = "notin"
    ABOVE = ">"
    BELOW = "<"
    AT_LEAST = ">="
    AT_MOST = "<="


_ORDER: dict[Op, tuple[int, ...]] = {Op.ABOVE: (1,), Op.BELOW: (-1,), Op.AT_LEAST: (0, 1), Op.AT_MOST: (-1, 0)}
_SIGNS = {">": Op.ABOVE, "<": Op.BELOW, ">=": Op.AT_LEAST, "<=": Op.AT_MOST}


@dataclass(frozen=True)
class Term:
    """One condition on one key."""

    key: Key
    op: Op
    values: tuple[str, ...] = ()

    @property
    def by_text(self) -> bool:
        """Whether it compares texts only, so that a value either is one of ``values`` or does not count."""
        return self.op in (Op.IN, Op.NOT_IN) and "version" not in self.key.written.lower()

    def holds(self, value: Any) -> bool:
        """Whether the condition holds for ``value``, which is ABSENT where the cluster has no such key."""
        if self.op is Op.EXISTS:
            return value is not ABSENT
        if self.op is Op.NOT_IN:
            return value is ABSENT or not self._among(value)
        if value is ABSENT:
            return False
        if self.op is Op.IN:
            return self._among(value)
        limit = self.values[0]
        order = comparison.compare(value, limit, as_version=comparison.means_version(self.key.written, limit))
        return order in _ORDER[self.op]

    def _among(self, value: Any) -> bool:
        if isinstance(value, (list, tuple, set, frozenset)):
            return any(self._among(one) for one in value)
        if comparison.text(value) in self.values:
            return True
        if "version" not in self.key.written.lower():
            return False
        return any(comparison.compare(value, one, as_version=True) == 0 for one in self.values)

    def __str__(self) -> str:
        key = self.key.written
        if self.op is Op.EXISTS:
            return key
        if self.op in _ORDER:
            return f"{key} {self.op.value} {self.values[0]}"
        if len(self.values) == 1:
            return f"{key} {'=' if self.op is Op.IN else '!='} {self.values[0]}"
        return f"{key} {self.op.value} ({', '.join(self.values)})"


@dataclass(frozen=True)
class Not:
    """The opposite of an expression."""

    of: Expression


@dataclass(frozen=True)
class All:
    """Every expression holds (an empty one always does)."""

    of: tuple[Expression, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one expression holds."""

    of: tuple[Expression, ...]


Expression: TypeAlias = "Term | Not | All | AnyOf"


def holds(expression: Expression, lookup: Callable[[Key], Any]) -> bool:
    """Whether ``expression`` holds where ``lookup`` gives the value of a key, or ABSENT."""
    if isinstance(expression, Term):
        return expression.holds(lookup(expression.key))
    if isinstance(expression, Not):
        return not holds(expression.of, lookup)
    if isinstance(expression, All):
        return all(holds(one, lookup) for one in expression.of)
    return any(holds(one, lookup) for one in expression.of)


@dataclass(frozen=True)
class Selector:
    """A parsed selector; ``written`` is the text it came from."""

    written: str
    expression: Expression

    @classmethod
    def parse(cls, text: Any) -> Selector:
        """The selector of ``text``; SelectorError (a ValueError) with the position of what is wrong."""
        if not isinstance(text, str):
            raise SelectorError(str(text), 0, "a selector is text such as 'region in (north, south), !retired'")
        return _parsed(text)

    def matches(self, cluster: Cluster) -> bool:
        """Whether the cluster is selected."""
        return holds(self.expression, lambda key: value_of(cluster, key))

    def matches_labels(self, labels: Mapping[str, str]) -> bool:
        """Whether something that has only labels (an app, a node) is selected."""
        return holds(self.expression, lambda key: labels.get(key.name, ABSENT) if key.source == "labels" else ABSENT)

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True)
class Label:
    """``key=value``, or a bare ``key`` as EMCO labels clusters, which any value of the key satisfies."""

    key: str
    value: str | None = None

    @classmethod
    def parse(cls, text: Any) -> Label:
        """The label of ``key=value`` or ``key``; ValueError when there is no key."""
        if not isinstance(text, str):
            raise ValueError(f"{text!r} is not a label; write key=value or key")
        key, equals, value = text.partition("=")
        if not key.strip() or any(sign in text for sign in ",()!<>") or value.startswith("="):
            raise ValueError(f"{text!r} is not a label; write key=value or key (a selector: takes expressions)")
        return cls(key.strip(), value.strip() if equals else None)

    @property
    def term(self) -> Term:
        """The same as a condition of a selector."""
        key = Key("labels", self.key, self.key)
        return Term(key, Op.EXISTS) if self.value is None else Term(key, Op.IN, (self.value,))

    def __str__(self) -> str:
        return self.key if self.value is None else f"{self.key}={self.value}"


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Selector:
    return Selector(text, _Parser(text).whole())


class _Parser:
    """Recursive descent over the tokens of one selector."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._at = 0

    def whole(self) -> Expression:
        if self._peek().kind == "end":
            return All(())
        found = self._list_of(",", self._either)
        if self._peek().kind != "end":
            raise self._wrong(f"{self._peek().text!r} is not expected here")
        return found

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _wrong(self, message: str, token: Token | None = None) -> SelectorError:
        return SelectorError(self._text, (token or self._peek()).position, message)

    def _list_of(self, sign: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self._peek().sign == sign:
            self._take()
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        return AnyOf(tuple(parts)) if sign == "||" else All(tuple(parts))

    def _either(self) -> Expression:
        return self._list_of("||", self._both)

    def _both(self) -> Expression:
        return self._list_of("&&", self._one)

    def _one(self) -> Expression:
        if self._peek().sign == "!":
            self._take()
            if self._peek().sign == "(":
                return Not(self._group())
            return Not(Term(self._key(), Op.EXISTS))
        return self._group() if self._peek().sign == "(" else self._term()

    def _group(self) -> Expression:
        opened = self._take()
        inner = self._list_of(",", self._either)
        if self._peek().sign != ")":
            raise self._wrong("this '(' is never closed", opened)
        self._take()
        return inner

    def _key(self) -> Key:
        if self._peek().kind != "word":
            raise self._wrong("a key is expected here, such as region, kv.site.rack or facts.version")
        token = self._take()
        return known_key(self._text, token)

    def _term(self) -> Term:
        key = self._key()
        sign = self._peek().sign
        word = self._peek().text if self._peek().kind == "word" else ""
        if sign in ("=", "==", "!="):
            self._take()
            return Term(key, Op.NOT_IN if sign == "!=" else Op.IN, (self._value().text,))
        if sign in _SIGNS:
            self._take()
            limit = self._value()
            self._must_have_an_order(limit)
            return Term(key, _SIGNS[sign], (limit.text,))
        if word in ("in", "notin"):
            self._take()
            return Term(key, Op.IN if word == "in" else Op.NOT_IN, self._values())
        if word == "exists":
            self._take()
        elif word:
            raise self._wrong(f"{word!r} is no operator; use in, notin, exists, =, !=, >, >=, <, <= or a comma")
        return Term(key, Op.EXISTS)

    def _value(self) -> Token:
        if self._peek().kind not in ("word", "quoted"):
            raise self._wrong("a value is expected here")
        return self._take()

    def _must_have_an_order(self, limit: Token) -> None:
        if comparison.version(limit.text) is None and comparison.compare("0", limit.text, as_version=False) is None:
            raise self._wrong(f"{limit.text!r} is neither a number nor a version, so nothing is above or below", limit)

    def _values(self) -> tuple[str, ...]:
        if self._peek().kind == "quoted":
            return tuple(part.strip() for part in self._take().text.split(","))
        if self._peek().sign != "(":
            raise self._wrong("values are expected here, such as (north, south)")
        opened = self._take()
        values = [self._value().text]
        while self._peek().sign == ",":
            self._take()
            values.append(self._value().text)
        if self._peek().sign != ")":
            raise self._wrong("this '(' is never closed", opened)
        self._take()
        return tuple(values)
