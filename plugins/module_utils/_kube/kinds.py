# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which path serves a kind. Kinds of Kubernetes itself are known; others are asked for once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource, built_in

__all__ = ["Kinds", "Resource", "built_in"]


class Kinds:
    """The kinds of one cluster. ``read`` asks it for the resource list of a group version, None when not served."""

    def __init__(self, read: Callable[[str], Mapping[str, Any] | None]) -> None:
        self._read = read
        self._found: dict[tuple[str, str], Resource] = {}
        self._asked: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Take kinds from CustomResourceDefinitions that are about to be applied."""
        for definition in definitions:
            spec = definition.get("spec") or {}
            names = spec.get("names") or {}
            for version in spec.get("versions") or ():
                api_version = f"{spec.get('group')}/{version.get('name')}"
                kind = str(names.get("kind"))
                self._found[api_version, kind] = Resource(
                    api_version, kind, str(names.get("plural")), spec.get("scope") == "Namespaced"
                )

    def know(self, resources: Iterable[Resource]) -> None:
        """Take kinds that somebody has seen here before."""
        self._found.update({(one.api_version, one.kind): one for one in resources})

    def find(self, api_version: str, kind: str) -> Resource | None:
        """How the cluster serves a kind, None when it does not."""
        known = built_in(api_version, kind)
        if known is not None:
            return known
        with self._lock:
            if (api_version, kind) not in self._found and api_version not in self._asked:
                self._discover(api_version)
            return self._found.get((api_version, kind))

    def forget(self, api_version: str) -> None:
        """Ask again next time: a definition has been applied since."""
        with self._lock:
            self._asked.discard(api_version)

    def _discover(self, api_version: str) -> None:
        listed = self._read(api_version)
        self._asked.add(api_version)
        for entry in (listed or {}).get("resources") or ():
            if "/" not in entry["name"]:
                self._found[api_version, entry["kind"]] = Resource(
                    api_version, entry["kind"], entry["name"], bool(entry["namespaced"])
                )
