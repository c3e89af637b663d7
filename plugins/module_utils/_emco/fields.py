# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what the fields of EMCO's objects may hold, and reading them.

EMCO is written in Go, which finds a field whatever the case of its letters; so do we. Numbers and booleans are taken
where EMCO wants text, since templates and YAML leave off quotes. An unknown field is a problem here, where EMCO drops
it without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.names import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.options import join

Kind = Literal["text", "whole", "flag", "list", "map", "object", "any"]


@dataclass(frozen=True)
class Field:
    """A field of an object, or the whole of it: ``kind`` says which of the other attributes count."""

    kind: Kind
    required: bool = False
    longest: int = 0
    """Of a text, in characters; 0: any length."""
    choices: tuple[str, ...] = ()
    any_case: bool = False
    """Whether a choice may be written in any case; it is then kept as it stands in ``choices``."""
    check: Callable[[str], object] | None = None
    """Raises ValueError for a text that will not do."""
    low: int | None = None
    high: int | None = None
    at_least: int = 0
    """Entries of a list."""
    of: Field | None = None
    """Entries of a list, values of a map."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    """Other spellings that EMCO's own files use."""
    default: Any = None


def text(
    required: bool = False,
    *,
    longest: int = 0,
    choices: tuple[str, ...] = (),
    any_case: bool = False,
    check: Callable[[str], object] | None = None,
    default: str | None = None,
    aliases: tuple[str, ...] = (),
) -> Field:
    """A text."""
    return Field(
        "text",
        required,
        longest=longest,
        choices=choices,
        any_case=any_case,
        check=check,
        default=default,
        aliases=aliases,
    )


def name(required: bool = True) -> Field:
    """The name of an object of EMCO."""
    return text(required, check=emco_name)


def whole(low: int | None = None, high: int | None = None, *, required: bool = False) -> Field:
    """A whole number within bounds."""
    return Field("whole", required, low=low, high=high)


def flag(required: bool = False) -> Field:
    """true or false."""
    return Field("flag", required)


def flag_text(required: bool = False) -> Field:
    """The text "true" or "false"."""
    return text(required, choices=("true", "false"), any_case=True)


def listed(of: Field, required: bool = False, *, at_least: int = 0) -> Field:
    """A list."""
    return Field("list", required, of=of, at_least=at_least)


def pairs(of: Field | None = None, required: bool = False) -> Field:
    """A map with names of the user's choice."""
    return Field("map", required, of=of or text())


def group(required: bool = False, /, **fields: Field) -> Field:
    """An object with these fields."""
    return Field("object", required, fields=fields)


def anything(required: bool = False) -> Field:
    """Whatever it is, it is kept."""
    return Field("any", required)


def also(one: Field, **fields: Field) -> Field:
    """An object with more fields."""
    return replace(one, fields={**one.fields, **fields})


def read(one: Field, raw: Any, path: str, problems: Problems) -> Any:
    """``raw`` as the field has it, names in EMCO's spelling; what is wrong goes to ``problems``."""
    reader = _READERS[one.kind]
    return reader(one, raw, path, problems)


def _read_object(one: Field, raw: Any, path: str, problems: Problems) -> Any:
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        problems.add(path, f"must be a dictionary, not {_named(raw)}")
        return {}
    spelled = {spelling.lower(): known for known, of in one.fields.items() for spelling in (known, *of.aliases)}
    given: dict[str, Any] = {}
    for key, value in raw.items():
        known = spelled.get(str(key).lower())
        if known is None:
            problems.add(join(path, str(key)), "is not a field here", near(str(key), one.fields) or _listed(one.fields))
        else:
            given[known] = value
    found: dict[str, Any] = {}
    for key, of in one.fields.items():
        value = given.get(key)
        if value is None or (value == "" and of.kind not in ("any", "map")):
            if of.required:
                _say_required(of, join(path, key), problems)
            elif of.default is not None:
                found[key] = of.default
            elif value == "" and of.kind == "text":
                found[key] = ""
            continue
        found[key] = read(of, value, join(path, key), problems)
    return found


def _say_required(one: Field, path: str, problems: Problems) -> None:
    """Of an object say which of its fields are."""
    before = len(problems)
    if one.kind == "object":
        _read_object(one, {}, path, problems)
    if len(problems) == before:
        problems.add(path, "is required")


def _read_text(one: Field, raw: Any, path: str, problems: Problems) -> Any:
    if isinstance(raw, bool):
        raw = "true" if raw else "false"
    if not isinstance(raw, (str, int, float)):
        problems.add(path, f"must be text, not {_named(raw)}")
        return ""
    found = str(raw)
    if one.choices:
        return _choice(one, found, path, problems)
    if one.longest and len(found) > one.longest:
        problems.add(path, f"is {len(found)} characters long, {one.longest} are allowed")
    if one.check is not None:
        try:
            one.check(found)
        except ValueError as wrong:
            problems.add(path, str(wrong))
    return found


def _choice(one: Field, given: str, path: str, problems: Problems) -> str:
    for choice in one.choices:
        if given == choice or (one.any_case and given.lower() == choice.lower()):
            return choice
    problems.add(path, f"{given!r} is not one of {', '.join(one.choices)}", near(given, one.choices))
    return given


def _read_whole(one: Field, raw: Any, path: str, problems: Problems) -> Any:
    try:
        if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
            raise ValueError
        number = int(raw)
    except (TypeError, ValueError):
        problems.add(path, f"{raw!r} is not a whole number")
        return 0
    if (one.low is not None and number < one.low) or (one.high is not None and number > one.high):
        upper = f" to {one.high}" if one.high is not None else " on"
        problems.add(path, f"{number} is not within {one.low}{upper}")
    return number


def _read_flag(_one: Field, raw: Any, path: str, problems: Problems) -> Any:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    problems.add(path, f"{raw!r} is neither true nor false")
    return False


def _read_list(one: Field, raw: Any, path: str, problems: Problems) -> Any:
    if not isinstance(raw, (list, tuple)):
        problems.add(path, f"must be a list, not {_named(raw)}")
        return []
    if len(raw) < one.at_least:
        problems.add(path, "must not be empty")
    of = one.of or anything()
    return [read(of, value, f"{path}[{index}]", problems) for index, value in enumerate(raw)]


def _read_map(one: Field, raw: Any, path: str, problems: Problems) -> Any:
    if raw == "":
        raw = {}
    if not isinstance(raw, Mapping):
        problems.add(path, f"must be a dictionary, not {_named(raw)}")
        return {}
    of = one.of or anything()
    return {
        str(key): "" if value is None else read(of, value, join(path, str(key)), problems) for key, value in raw.items()
    }


def _read_any(_one: Field, raw: Any, _path: str, _problems: Problems) -> Any:
    return raw


_READERS: dict[Kind, Callable[[Field, Any, str, Problems], Any]] = {
    "text": _read_text,
    "whole": _read_whole,
    "flag": _read_flag,
    "list": _read_list,
    "map": _read_map,
    "object": _read_object,
    "any": _read_any,
}


def _listed(known: Iterable[str]) -> str:
    return f"fields are {', '.join(known)}"


def _named(raw: Any) -> str:
    kinds: dict[Any, str] = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    if raw is None:
        return "nothing"
    return "a dictionary" if isinstance(raw, Mapping) else kinds.get(type(raw), "that")
