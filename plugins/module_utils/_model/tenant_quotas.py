# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a tenant may use on each cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import names, quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option


def hard_limits(raw: Any) -> dict[str, str]:
    """The limits of a ResourceQuota: resources and amounts; ValueError names the wrong one."""
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError("must be a dictionary of resources and amounts, such as {limits.cpu: 8}")
    found = {}
    for resource, amount in raw.items():
        try:
            names.label_key(str(resource))
            value = quantities.exact(str(amount))
        except ValueError as wrong:
            raise ValueError(f"{resource}: {wrong}") from None
        if value < 0:
            raise ValueError(f"{resource}: {amount} is negative")
        found[str(resource)] = str(amount)
    return found


def _by_cluster(raw: Any) -> dict[str, dict[str, str]]:
    if not isinstance(raw, Mapping):
        raise ValueError("must be a dictionary of clusters")
    return {str(ClusterRef.parse(str(ref))): hard_limits(hard) for ref, hard in raw.items()}


@dataclass(frozen=True)
class Quota:
    """A ResourceQuota on every cluster; ``clusters`` says what is different on some."""

    name: str = option(required=True)
    hard: Mapping[str, str] = option(required=True, parse=hard_limits, type="dict")
    clusters: Mapping[str, Mapping[str, str]] = option(default={}, parse=_by_cluster, type="dict")

    def problems(self, path: str) -> Iterator[Problem]:
        """Its name is that of an object."""
        try:
            names.dns_subdomain(self.name)
        except ValueError as wrong:
            yield Problem(join(path, "name"), str(wrong))

    def on(self, ref: ClusterRef) -> dict[str, str]:
        """What is allowed on a cluster."""
        return {**self.hard, **self.clusters.get(str(ref), {})}
