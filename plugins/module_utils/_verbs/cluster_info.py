# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``cluster_info``, which lists registered clusters. It asks no cluster."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem, near
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_options import ClusterInfoOptions
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_view import shown_cluster
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec

SPEC = Spec("cluster_info", ClusterInfoOptions, fleet=True)


def run(wanted: ClusterInfoOptions, context: Context) -> Result:
    """The registered clusters that are named and selected, by reference."""
    fleet = list(registered(context.store(wanted.store)).values())
    chosen = _named(wanted.names, fleet) if wanted.names else fleet
    selector = wanted.selector
    found = [one for one in chosen if selector is None or selector.matches(one.cluster)]
    now = context.clock()
    return {
        "changed": False,
        "clusters": [shown_cluster(one, now, facts=wanted.facts) for one in sorted(found, key=lambda one: one.ref)],
    }


def _named(names: tuple[str, ...], fleet: list[Registered]) -> list[Registered]:
    """The clusters of these names: ``provider+name``, the name alone, or the inventory host."""
    by_name: dict[str, list[Registered]] = {}
    for one in fleet:
        for name in sorted({str(one.ref), one.ref.name, one.host}):
            by_name.setdefault(name, []).append(one)
    problems = [
        Problem(f"names[{index}]", f"no registered cluster is called {name!r}", near(name, by_name))
        for index, name in enumerate(names)
        if name not in by_name
    ]
    if problems:
        raise InvalidInput(problems, of="the options of emco.edge.cluster_info")
    return list({one.ref: one for name in names for one in by_name[name]}.values())
