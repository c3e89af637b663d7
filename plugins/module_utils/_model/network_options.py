# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the options of the verbs for networks: what is wanted, where, and how a run goes about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model import quantities
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network, ProviderNetwork
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option


def listed(raw: Any) -> tuple[str, ...]:
    """Names of clusters and hosts, or one selector as text."""
    if isinstance(raw, str):
        return (raw,) if raw else ()
    if not isinstance(raw, (list, tuple)) or not all(isinstance(entry, str) for entry in raw):
        raise ValueError("must be a list of hosts or clusters, a selector, or all")
    return tuple(raw)


@dataclass(frozen=True)
class Run:
    """How a run goes about it; times in seconds."""

    clusters: tuple[str, ...] | None = option(parse=listed, type="raw")
    only: tuple[str, ...] | None = option(parse=listed, type="raw")
    replace: bool = option(default=False)
    parallel: int = option(default=50)
    wait: bool = option(default=True)
    wait_timeout: float = option(default=120.0, parse=quantities.seconds, type="str", spec_default="2m")
    cluster_timeout: float = option(default=0.0, parse=quantities.seconds, type="str", spec_default="0s")
    drift: Literal["correct", "report", "ignore"] = option(default="correct")
    conflicts: Literal["fail", "force"] = option(default="fail")
    adopt: bool = option(default=False)
    lock_wait: float = option(default=0.0, parse=quantities.seconds, type="str", spec_default="0s")
    state: Literal["present", "absent"] = option(default="present")
    store: Any = option(type="raw")

    def run_problems(self, path: str) -> Iterator[Problem]:
        """Rules over several options."""
        if not self.clusters:
            yield Problem(join(path, "clusters"), "is required", "clusters: all means every registered one")
        if self.parallel < 1:
            yield Problem(join(path, "parallel"), "must be at least 1")


@dataclass(frozen=True)
class NetworkOptions(Network, Run):
    """The options of ``emco.edge.network``."""

    def problems(self, path: str) -> Iterator[Problem]:
        """All that is wrong; of a network that is to go only its name matters."""
        yield from self.run_problems(path)
        if self.state == "present":
            yield from super().problems(path)


@dataclass(frozen=True)
class ProviderNetworkOptions(ProviderNetwork, Run):
    """The options of ``emco.edge.provider_network``."""

    type: Literal["vlan", "direct"] | None = option(  # type: ignore[assignment]  # one that is to go needs none
        parse=lambda raw: str(raw).lower(), type="str"
    )

    def problems(self, path: str) -> Iterator[Problem]:
        """All that is wrong; of a network that is to go only its name matters."""
        yield from self.run_problems(path)
        if self.state == "present" and self.type is None:
            yield Problem(join(path, "type"), "is required")
        elif self.state == "present":
            yield from super().problems(path)
