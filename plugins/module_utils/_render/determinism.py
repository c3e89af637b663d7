# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: charts that render differently each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._render.objects import RenderedObject

_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """A field that two renderings of the same input do not agree on."""

    app: str
    source: str
    title: str
    path: str

    def __str__(self) -> str:
        return f"{self.title} {self.path} ({self.source})" if self.path else f"{self.title} ({self.source})"


class NonDeterministicRender(EdgeError):  # noqa: N818  # the name is the reason code
    """The same input renders differently each time."""

    def __init__(self, app: str, differences: Sequence[Difference]) -> None:
        super().__init__(
            "NonDeterministicRender",
            non_deterministic(app, differences),
            hint="Give the chart its random passwords, certificates and dates as values, or allow them to be pinned.",
            details={"app": app, "fields": [f"{one.title} {one.path}".strip() for one in differences]},
        )


def non_deterministic(app: str, differences: Sequence[Difference]) -> str:
    """The differences in words; never the values, which are often secrets."""
    shown = "; ".join(str(one) for one in differences[:_SHOWN])
    more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    return f"app {app} renders differently each time: {shown}{more}"


def differences(first: Sequence[RenderedObject], second: Sequence[RenderedObject]) -> tuple[Difference, ...]:
    """The fields that differ; an object that only one of the renderings has differs as a whole."""
    left, right = _by_identity(first), _by_identity(second)
    found: list[Difference] = []
    for key in [*left, *(key for key in right if key not in left)]:
        one, other = left.get(key), right.get(key)
        present = one or other
        if present is None:
            continue
        paths = _paths(one.object, other.object, "") if one and other else [""]
        found += [Difference(present.app, present.source, present.title, path) for path in paths]
    return tuple(found)


def _by_identity(objects: Sequence[RenderedObject]) -> dict[tuple[str, ...], RenderedObject]:
    return {(one.api_version, one.kind, one.namespace, one.name): one for one in objects}


def _paths(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if key in one and key in other:
                yield from _paths(one[key], other[key], f"{path}.{key}" if path else key)
            else:
                yield f"{path}.{key}" if path else key
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _paths(left, right, f"{path}[{index}]")
    elif one != other or type(one) is not type(other):
        yield path
