# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the option ``only``, which limits what is synced and never what is placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem, near
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered


def limited_to(only: Sequence[str] | None, fleet: Mapping[ClusterRef, Registered]) -> frozenset[ClusterRef] | None:
    """The clusters that a run may touch, None for all; InvalidInput for names that nobody registered."""
    if only is None:
        return None
    by_name: dict[str, set[ClusterRef]] = {}
    for ref, one in fleet.items():
        for name in (str(ref), ref.name, one.host):
            by_name.setdefault(name, set()).add(ref)
    if len(only) == 1 and only[0] not in by_name and not _looks_like_name(only[0]):
        return _selected(only[0], fleet)
    found: set[ClusterRef] = set()
    problems = []
    for index, name in enumerate(only):
        if name in by_name:
            found |= by_name[name]
        else:
            hint = near(name, by_name) or "register it with emco.edge.cluster, or leave it out"
            problems.append(Problem(f"only[{index}]", f"no registered cluster or host is called {name!r}", hint))
    if problems:
        raise InvalidInput(problems, of="the limit of the run")
    return frozenset(found)


def _looks_like_name(text: str) -> bool:
    return not any(mark in text for mark in ("=", "<", ">", "!", " ", ","))


def _selected(text: str, fleet: Mapping[ClusterRef, Registered]) -> frozenset[ClusterRef]:
    try:
        selector = Selector.parse(text)
    except ValueError as wrong:
        raise InvalidInput([Problem("only", str(wrong))], of="the limit of the run") from None
    return frozenset(ref for ref, one in fleet.items() if selector.matches(one.cluster))
