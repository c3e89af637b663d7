# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: interfaces of workloads on networks, EMCO's network-controller-intents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import addresses, names, options
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.network import Route, interface_name
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option


def _ips(raw: Any) -> tuple[str, ...]:
    items = raw.replace(",", " ").split() if isinstance(raw, str) else raw
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"{raw!r} is neither an address nor a list of them")
    return tuple(addresses.address(item) for item in items)


@dataclass(frozen=True)
class Interface:
    """One more interface of the pods of a workload."""

    app: str = option(required=True)
    workload: str = option(required=True)
    kind: str | None = option()
    network: str = option(required=True, parse=names.dns_label, type="str")
    name: str | None = option(parse=interface_name, type="str")
    """In the pod; None: the engine's next."""
    ip: tuple[str, ...] = option(default=(), parse=_ips, type="raw")
    """Fixed addresses, one a family."""
    mac: str | None = option(parse=addresses.mac, type="str")
    default_gateway: bool = option(default=False)
    routes: tuple[Route, ...] = option(default=())

    def problems(self, path: str) -> Iterator[Problem]:
        """At most one address of a family; the names of interfaces that the cluster itself has are not to be had."""
        if len({addresses.family(one) for one in self.ip}) < len(self.ip):
            yield Problem(join(path, "ip"), "has several addresses of one family")
        if self.name in ("eth0", "lo"):
            yield Problem(join(path, "name"), f"{self.name} is the pod's own interface", "net1 is usual")


def parse_interfaces(
    raw: Sequence[Any] | None, apps: Iterable[str] | None, path: str, problems: Problems
) -> tuple[Interface, ...]:
    """The interfaces of a deployment: names and fixed addresses once, every app there (None: not checked)."""
    found: list[Interface] = []
    known = None if apps is None else sorted(apps)
    seen: dict[tuple[str, ...], int] = {}
    for index, item in enumerate(raw or ()):
        where = f"{path}[{index}]"
        one = options.parse(Interface, item, where, problems)
        if one is None:
            continue
        found.append(one)
        if known is not None and one.app not in known:
            problems.add(join(where, "app"), f"there is no app {one.app!r}", near(one.app, known))
        marks: list[tuple[str, str, tuple[str, ...]]] = []
        marks += [(join(where, "name"), f"{one.name}", (one.app, one.workload, one.name))] if one.name else []
        marks += [(join(where, "ip"), address, (one.network, address)) for address in one.ip]
        marks += [(join(where, "mac"), one.mac, (one.network, one.mac))] if one.mac else []
        for spot, text, mark in marks:
            if seen.setdefault(mark, index) != index:
                problems.add(spot, f"{text} is also what {path}[{seen[mark]}] asks for")
    return tuple(found)
