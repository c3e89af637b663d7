# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: typed options. A frozen dataclass says once what an input may hold.

From its type hints come the argument spec that Ansible and its documentation checks see, and the parser that turns
plain data into the typed value, naming every problem with its path::

    @dataclass(frozen=True)
    class Dependency:
        app: str = option(required=True)
        status: Literal["deployed", "ready"] = option(default="ready")
        wait: float = option(default=0.0, parse=seconds, type="str")

    argument_spec(Dependency)                      # for AnsibleModule and for validate-modules
    parse(Dependency, {"app": "broker"}, "apps[1].depends_on[0]", problems)

Hints understood: str, bool, int, float, Any, Literal of strings, another dataclass, ``tuple[X, ...]`` (a list),
``Mapping[str, X]`` (a dict) and any of these ``| None``. Strings are accepted for numbers, booleans, lists and dicts
where they can be read as such, because extra variables of a job template arrive so.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems, near

T = TypeVar("T")

_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE = frozenset({"false", "no", "off", "0", "n", "f"})
_MISSING: Any = dataclasses.MISSING
# Under a name of our own: linters know the other as something that stands in a class body only.
_field: Any = dataclasses.field


def option(
    *,
    default: Any = None,
    required: bool = False,
    parse: Callable[[Any], Any] | None = None,
    check: Callable[[Any, str, Problems], object] | None = None,
    type: str | None = None,
    elements: str | None = None,
    no_log: bool | None = None,
    aliases: tuple[str, ...] = (),
    spec_default: Any = _MISSING,
    written: str | None = None,
) -> Any:
    """A field of an options dataclass.

    ``parse`` turns the raw value into the typed one and raises ValueError to refuse it; ``type`` and ``elements`` are
    then what Ansible is told. ``check`` adds what is wrong inside a value that is read later, so that it is told with
    the rest. ``spec_default`` is the default as users write it when ``default`` is a typed value.
    ``written`` is the option's name where Python has reserved it, as it has ``from``.
    """
    metadata = {
        "required": required,
        "parse": parse,
        "check": check,
        "type": type,
        "elements": elements,
        "no_log": no_log,
        "aliases": aliases,
        "spec_default": default if spec_default is _MISSING else spec_default,
        "written": written,
        "emco_option": True,
    }
    if isinstance(default, dict):
        return _field(default_factory=default.copy, metadata=metadata)
    return _field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class _Shape:
    """A type hint, taken apart: ``kind`` is the Ansible type, ``of`` the element or value type."""

    kind: str
    of: Any = None
    model: Any = None
    choices: tuple[str, ...] = ()


@cache
def _shape(hint: Any) -> _Shape:
    if typing.get_origin(hint) in (Union, types.UnionType):
        present = [argument for argument in typing.get_args(hint) if argument is not type(None)]
        return _shape(present[0]) if len(present) == 1 else _Shape("raw")
    origin = typing.get_origin(hint)
    if origin is Literal:
        return _Shape("str", choices=tuple(typing.get_args(hint)))
    if origin is tuple:
        return _Shape("list", of=typing.get_args(hint)[0])
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _Shape("dict", of=typing.get_args(hint)[1])
    if dataclasses.is_dataclass(hint):
        return _Shape("dict", model=hint)
    return _Shape({str: "str", bool: "bool", int: "int", float: "float"}.get(hint, "raw"))


@cache
def _fields(model: Any) -> tuple[tuple[dataclasses.Field[Any], _Shape], ...]:
    hints = typing.get_type_hints(model)
    return tuple(
        (field, _shape(hints[field.name])) for field in dataclasses.fields(model) if field.metadata.get("emco_option")
    )


def _written(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata["written"] or field.name)


def argument_spec(model: Any) -> dict[str, Any]:
    """The argument spec of an options dataclass, as AnsibleModule takes it."""
    return {_written(field): _argument(field, shape) for field, shape in _fields(model)}


def _argument(field: dataclasses.Field[Any], shape: _Shape) -> dict[str, Any]:
    told = field.metadata
    spec: dict[str, Any] = {"type": told["type"] or shape.kind}
    if spec["type"] == "list":
        inner = _shape(shape.of) if shape.of is not None else _Shape("raw")
        spec["elements"] = told["elements"] or inner.kind
        if inner.model is not None and told["parse"] is None:
            spec["options"] = argument_spec(inner.model)
        if inner.choices and told["parse"] is None:
            spec["choices"] = list(inner.choices)
    elif shape.model is not None and told["parse"] is None:
        spec["options"] = argument_spec(shape.model)
    if shape.choices and told["parse"] is None:  # a parser may understand more than the choices
        spec["choices"] = list(shape.choices)
    if told["required"]:
        spec["required"] = True
    elif told["spec_default"] not in (None, (), {}):
        default = told["spec_default"]
        spec["default"] = list(default) if isinstance(default, tuple) else default
    if told["no_log"] is not None:
        spec["no_log"] = told["no_log"]
    if told["aliases"]:
        spec["aliases"] = list(told["aliases"])
    return spec


def join(path: str, key: str) -> str:
    """``path.key``, or ``key`` at the top."""
    return f"{path}.{key}" if path else key


def parse(model: type[T], raw: Any, path: str, problems: Problems) -> T | None:
    """The typed value of ``raw``; None when it has problems, which are then all in ``problems``.

    A dataclass may add rules over several fields with ``def problems(self, path) -> Iterable[Problem]``.
    """
    before = len(problems)
    raw = _structured(raw)
    if not isinstance(raw, Mapping):
        problems.add(path, f"must be a dictionary, not {_kind_of(raw)}")
        return None
    fields = _fields(typing.cast(Any, model))
    values: dict[str, Any] = {}
    known: set[str] = set()
    for field, shape in fields:
        names = (_written(field), *field.metadata["aliases"])
        known.update(names)
        given = next((name for name in names if raw.get(name) is not None), None)
        if given is None:
            if field.metadata["required"]:
                problems.add(join(path, names[0]), "is required")
            continue
        values[field.name] = _value(raw[given], field, shape, join(path, given), problems)
    for name in raw:
        if name not in known:
            problems.add(join(path, str(name)), "is not an option here", near(str(name), known) or _listed(known))
    if len(problems) > before:
        return None
    built = model(**values)
    rules: Callable[[str], Iterable[Problem]] | None = getattr(built, "problems", None)
    if rules is not None:
        problems.extend(rules(path))
    return built if len(problems) == before else None


def parsed(model: type[T], raw: Any, of: str) -> T:
    """The typed value of ``raw``; InvalidInput with all of its problems, ``of`` says what it is."""
    problems = Problems()
    value = parse(model, raw, "", problems)
    problems.raise_if_any(of)
    return typing.cast(T, value)


def _listed(known: Iterable[str]) -> str:
    return "options are " + ", ".join(sorted(known))


def _value(raw: Any, field: dataclasses.Field[Any], shape: _Shape, path: str, problems: Problems) -> Any:
    parser, check = field.metadata["parse"], field.metadata["check"]
    if parser is None:
        before = len(problems)
        value = _typed(raw, shape, path, problems)
        if check is not None and len(problems) == before:
            check(value, path, problems)
        return value
    try:
        return parser(raw)
    except ValueError as wrong:
        problems.add(path, str(wrong))
        return None


def _typed(raw: Any, shape: _Shape, path: str, problems: Problems) -> Any:
    if shape.model is not None:
        return parse(shape.model, raw, path, problems)
    if shape.kind == "list":
        return _list(raw, shape, path, problems)
    if shape.kind == "dict":
        return _dict(raw, shape, path, problems)
    try:
        value = _SCALARS[shape.kind](raw)
    except ValueError as wrong:
        problems.add(path, str(wrong))
        return None
    if shape.choices and value not in shape.choices:
        problems.add(path, f"{value!r} is not one of {', '.join(shape.choices)}", near(str(value), shape.choices))
        return None
    return value


def _list(raw: Any, shape: _Shape, path: str, problems: Problems) -> tuple[Any, ...]:
    raw = _structured(raw)
    if isinstance(raw, str):
        raw = [part.strip() for part in raw.split(",") if part.strip()]
    if not isinstance(raw, (list, tuple)):
        problems.add(path, f"must be a list, not {_kind_of(raw)}")
        return ()
    inner = _shape(shape.of)
    return tuple(_typed(item, inner, f"{path}[{index}]", problems) for index, item in enumerate(raw))


def _dict(raw: Any, shape: _Shape, path: str, problems: Problems) -> dict[str, Any]:
    raw = _structured(raw)
    if not isinstance(raw, Mapping):
        problems.add(path, f"must be a dictionary, not {_kind_of(raw)}")
        return {}
    inner = _shape(shape.of)
    return {str(key): _typed(value, inner, join(path, str(key)), problems) for key, value in raw.items()}


def _structured(raw: Any) -> Any:
    """A list or dict that arrived as JSON text, as extra variables do."""
    if isinstance(raw, str) and raw.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(raw)
        except ValueError:
            return raw
    return raw


def _text(raw: Any) -> str:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise ValueError(f"must be text, not {_kind_of(raw)}")
    return str(raw)


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"{raw!r} is not a boolean; write true or false")


def _integer(raw: Any) -> int:
    if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
        raise ValueError(f"{raw!r} is not a whole number")
    try:
        return int(raw)
    except (TypeError, ValueError):
        raise ValueError(f"{raw!r} is not a whole number") from None


def _number(raw: Any) -> float:
    if isinstance(raw, bool):
        raise ValueError(f"{raw!r} is not a number")
    try:
        return float(raw)
    except (TypeError, ValueError):
        raise ValueError(f"{raw!r} is not a number") from None


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "bool": _boolean,
    "int": _integer,
    "float": _number,
    "raw": lambda raw: raw,
}


def _kind_of(raw: Any) -> str:
    names = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list", tuple: "a list"}
    return "a dictionary" if isinstance(raw, Mapping) else names.get(type(raw), type(raw).__name__)
