# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which connections the apps of a deployment take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import addresses, options
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.network import PortRange
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option


def _peer(raw: Any) -> Any:
    return {"app": raw} if isinstance(raw, str) else raw


@dataclass(frozen=True)
class AppPeer:
    """Who may connect: an app of the deployment, or addresses."""

    app: str | None = option()
    cidr: str | None = option(parse=addresses.network, type="str")

    def problems(self, path: str) -> Iterator[Problem]:
        """One of the two."""
        if (self.app is None) == (self.cidr is None):
            yield Problem(path, "needs app or cidr, and not both")


@dataclass(frozen=True)
class AppFlow:
    """Connections that an app takes; as soon as there is one, it takes no others."""

    source: AppPeer = option(required=True, written="from")
    to: str = option(required=True)
    ports: tuple[PortRange, ...] = option(default=())

    def problems(self, path: str) -> Iterator[Problem]:
        """NetworkPolicy has no ICMP."""
        for index, one in enumerate(self.ports):
            if one.protocol == "icmp":
                yield Problem(join(path, f"ports[{index}].protocol"), "a NetworkPolicy knows tcp, udp and sctp")


def parse_connectivity(
    raw: Sequence[Any] | None, apps: Iterable[str] | None, path: str, problems: Problems
) -> tuple[AppFlow, ...]:
    """The flows of ``connectivity:``; apps that do not exist are problems (None: not checked)."""
    found = []
    known = None if apps is None else sorted(apps)
    for index, item in enumerate(raw or ()):
        where = f"{path}[{index}]"
        given = {**item, "from": _peer(item["from"])} if isinstance(item, Mapping) and "from" in item else item
        flow = options.parse(AppFlow, given, where, problems)
        if flow is None:
            continue
        for spot, app in (("from.app", flow.source.app), ("to", flow.to)):
            if known is not None and app is not None and app not in known:
                problems.add(join(where, spot), f"there is no app {app!r}", near(app, known))
        found.append(flow)
    return tuple(found)
