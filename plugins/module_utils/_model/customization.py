# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: objects that a deployment adds to an app or changes, for all clusters or some of them.

EMCO's generic Kubernetes intents. What comes from files is here already as data, so that planning reads none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option, parse

_WITH_DATA = ("ConfigMap", "Secret")


@dataclass(frozen=True)
class Change:
    """A change of one object on the clusters that it is for; with neither cluster nor label for all."""

    cluster: str | None = option()
    label: str | None = option()
    provider: str | None = option()
    all_but: bool = option(default=False)
    """For all clusters but those named."""
    patch: tuple[Mapping[str, Any], ...] = option(default=(), elements="dict")
    """A JSON patch (RFC 6902)."""
    merge: tuple[Mapping[str, Any], ...] = option(default=(), elements="dict")
    """Strategic merge patches."""
    data: Mapping[str, str] = option(default={})
    binary_data: Mapping[str, str] = option(default={})
    """In base64."""

    def problems(self, path: str) -> Iterator[Problem]:
        """One way to name clusters, and operations that can be read."""
        if self.cluster is not None and self.label is not None:
            yield Problem(path, "has cluster and label, and only one of them says which clusters it is for")
        if self.all_but and self.cluster is None and self.label is None:
            yield Problem(join(path, "all_but"), "needs a cluster or label")
        if self.cluster is not None:
            try:
                ClusterRef.parse(self.cluster)
            except ValueError as wrong:
                yield Problem(join(path, "cluster"), str(wrong))
        for index, one in enumerate(self.patch):
            if "op" not in one or "path" not in one:
                yield Problem(f"{path}.patch[{index}]", "needs op and path")

    def is_for(self, cluster: Cluster) -> bool:
        """Whether the change is made on this cluster."""
        if self.cluster is not None:
            return (ClusterRef.parse(self.cluster) == cluster.ref) is not self.all_but
        if self.label is not None:
            key, equals, value = self.label.partition("=")
            there = key in cluster.labels and (not equals or cluster.labels[key] == value)
            there = there and self.provider in (None, cluster.ref.provider)
            return there is not self.all_but
        return True


@dataclass(frozen=True)
class Customization:
    """One object of an app, new or rendered by it, with its changes in order."""

    app: str = option(required=True)
    api_version: str = option(required=True)
    kind: str = option(required=True)
    name: str = option(required=True)
    create: bool = option(default=False)
    """The object is new: on the clusters that a change is for, on all where there is no change."""
    template: Mapping[str, Any] = option(default={})
    changes: tuple[Change, ...] = option(default=())

    def problems(self, path: str) -> Iterator[Problem]:
        """A new object is made of something; data goes into objects that have data."""
        if self.create and not self.template and self.kind not in _WITH_DATA:
            yield Problem(join(path, "template"), f"is required for a new {self.kind}")
        if not self.create and self.template:
            yield Problem(join(path, "template"), "is for a new object: create is false")
        for index, one in enumerate(self.changes):
            if (one.data or one.binary_data) and self.kind not in _WITH_DATA:
                yield Problem(f"{path}.changes[{index}].data", f"a {self.kind} has no data")

    def is_meant(self, document: Mapping[str, Any]) -> bool:
        """Whether this is the object; its namespace does not matter."""
        named = (document.get("metadata") or {}).get("name") == self.name
        return named and document.get("kind") == self.kind and document.get("apiVersion") == self.api_version

    def changes_for(self, cluster: Cluster) -> tuple[int, ...]:
        """Which of the changes are made on a cluster."""
        return tuple(index for index, one in enumerate(self.changes) if one.is_for(cluster))


def parse_customizations(
    raw: Sequence[Any], apps: Sequence[str] | None, path: str, problems: Problems
) -> tuple[Customization, ...]:
    """The entries of the option; apps that are not there are problems, where it is known which there are."""
    found = []
    for index, one in enumerate(raw):
        here = f"{path}[{index}]"
        read = parse(Customization, one, here, problems)
        if read is not None and apps is not None and read.app not in apps:
            problems.add(join(here, "app"), f"there is no app {read.app!r}", near(read.app, apps))
        elif read is not None:
            found.append(read)
    return tuple(found)
