# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: values of a chart in layers, and values as Helm's --set reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option

_INDEX_LIMIT = 65536
_DEPTH_LIMIT = 30
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Override:
    """What a deployment lays over the values of one app: typed ``values``, and ``set`` as on Helm's command line."""

    values: Mapping[str, Any] = option(default={})
    set: Mapping[str, Any] = option(default={})

    def problems(self, path: str) -> Iterator[Problem]:
        """``set`` can be read."""
        try:
            self.as_values()
        except ValueError as wrong:
            yield Problem(join(path, "set"), str(wrong))

    def as_values(self) -> dict[str, Any]:
        """Both as one tree; ``set`` wins, as ``--set`` wins over ``-f``. ValueError when ``set`` cannot be read."""
        return set_values({key: _text_of(key, value) for key, value in self.set.items()}, onto=self.values)


@dataclass(frozen=True)
class ValueLayers:
    """The layers above a chart's own values, lowest first (EMCO: profile file < override values)."""

    profile_files: tuple[Mapping[str, Any], ...] = ()
    profile: Mapping[str, Any] = field(default_factory=dict)
    overrides: Override | None = None
    cluster_overrides: Override | None = None

    def merged(self) -> dict[str, Any]:
        """One tree of values to render with; ValueError when a ``set`` cannot be read."""
        above = [layer.as_values() for layer in (self.overrides, self.cluster_overrides) if layer is not None]
        return merge([*self.profile_files, self.profile, *above])


def merge(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The layers as one tree, later ones win: mappings merge, all else is replaced, lists too (Helm's MergeMaps).

    A null stays a null: Helm takes it, when it renders, as the wish to delete the chart's default.
    The result shares nothing with the layers.
    """
    found: dict[str, Any] = {}
    for layer in layers:
        _merge_into(found, layer)
    return found


def _merge_into(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        present = below.get(key)
        if isinstance(value, Mapping) and isinstance(present, dict):
            _merge_into(present, value)
        else:
            below[key] = _copied(value)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(inner) for inner in value]
    return value


def _text_of(key: str, value: Any) -> str:
    """A value of a ``set`` mapping as it would stand on a command line; variables of Ansible arrive typed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{key!r}: must be text, a number or a boolean, as for helm --set; use values for lists and trees")


def set_values(pairs: Mapping[str, str], *, onto: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The tree that Helm's ``--set`` makes of ``{"a.b[0].c": "80"}``, laid over ``onto``.

    Keys have dots, indexes and backslash escapes; ``{a,b}`` is a list; ``true``, ``null`` and decimal numbers are
    typed (helm.sh/helm strvals). Two things differ on purpose. A comma in a value is part of it, because a pair is
    already one pair. Pairs are taken in the order of their keys, so that overlapping ones (``a`` and ``a.b``) always
    give the same: the deeper key wins. ValueError names the pair.
    """
    tree = merge([onto or {}])
    for key in sorted(pairs):
        try:
            _assign(tree, _steps(key), _listed(pairs[key]))
        except ValueError as wrong:
            raise ValueError(f"{key!r}: {wrong}") from None
    return tree


def _assign(tree: dict[str, Any], steps: list[str | int], value: Any) -> None:
    here: Any = tree
    for step, following in pairwise(steps):
        wanted = list if isinstance(following, int) else dict
        inner = _at(here, step)
        if not isinstance(inner, wanted):
            inner = wanted()
            _put(here, step, inner)
        here = inner
    _put(here, steps[-1], value)


def _at(holder: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return holder.get(step)
    return holder[step] if step < len(holder) else None


def _put(holder: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int):
        holder.extend([None] * (step + 1 - len(holder)))
    holder[step] = value


def _steps(key: str) -> list[str | int]:
    steps: list[str | int] = []
    rest = key
    while True:
        name, stop, rest = _until(rest, ".[")
        if not name:
            raise ValueError("has an empty part")
        steps.append(name)
        while stop == "[":
            steps.append(_index(rest))
            rest = rest.partition("]")[2]
            stop, rest = rest[:1], rest[1:]
            if stop not in ("", ".", "["):
                raise ValueError(f"has {stop + rest!r} after an index")
        if not stop:
            break
    if len(steps) > _DEPTH_LIMIT:
        raise ValueError(f"is nested deeper than {_DEPTH_LIMIT} levels")
    return steps


def _index(rest: str) -> int:
    number, bracket, _after = rest.partition("]")
    if not bracket or not number.isdecimal():
        raise ValueError(f"has no whole number within brackets at {'[' + rest!r}")
    if int(number) > _INDEX_LIMIT:
        raise ValueError(f"has index {number}, at most {_INDEX_LIMIT} is allowed")
    return int(number)


def _listed(text: str) -> Any:
    if not text.startswith("{"):
        return _typed(_until(text, "")[0])
    items: list[Any] = []
    rest, stop = text[1:], ","
    while stop == ",":
        item, stop, rest = _until(rest, ",}")
        items.append(_typed(item))
    if stop != "}" or rest:
        raise ValueError("a list must end with '}'")
    return items


def _until(text: str, stops: str) -> tuple[str, str, str]:
    """What stands before the first of ``stops``, that one, and what follows; a backslash takes the next as it is."""
    taken: list[str] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if letter in stops:
            return "".join(taken), letter, text[position + 1 :]
        if letter == "\\":
            position += 1
            letter = text[position : position + 1]
        taken.append(letter)
        position += 1
    return "".join(taken), "", ""


def _typed(text: str) -> Any:
    word = text.lower()
    if word in ("true", "false"):
        return word == "true"
    if word == "null":
        return None
    if text == "0":
        return 0
    digits = text[1:] if text[:1] in ("-", "+") else text
    # A leading zero keeps text such as a telephone number or a file mode as it is.
    if text[:1] != "0" and digits.isascii() and digits.isdecimal() and int(text) in _INT64:
        return int(text)
    return text
