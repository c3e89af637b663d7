# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the digests that say which renderings of charts are the same.

Only what a chart can see takes part: a chart that asks nothing about the API versions of a cluster renders once for a
fleet whose clusters all serve different ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._render.kube_constraint import accepts
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest, as_json
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartSource, Reads, text_reads

# Part of every digest: a change of how we render must not meet renderings of before.
_FORMAT = 1


class Digests:
    """Gives requests their digests. What many requests share (values, API versions) is looked at once.

    Sharing is seen by identity, so the requests must live as long as this does. ``keyed_digest`` is keyed because
    values can hold secrets, and a plain digest of a short secret tells it.
    """

    def __init__(self, keyed_digest: Callable[[bytes], str]) -> None:
        self._keyed_digest = keyed_digest
        self._values: dict[int, tuple[bytes, Reads]] = {}
        self._apis: dict[int, frozenset[str]] = {}
        self._reads: dict[tuple[int, int], Reads] = {}
        self._found: dict[tuple[Any, ...], str] = {}

    def of(self, request: RenderRequest, source: ChartSource) -> str:
        """The digest of a request whose chart is ``source``; EdgeError when a file of its profile is missing."""
        reads = self._reads_of(request, source)
        seen = (
            request.app.name,
            source.digest,
            request.release,
            request.namespace,
            request.kube_version if reads.version else _accepted(request, source),
            self._apis_seen(request, reads),
            request.is_upgrade if reads.upgrade else None,
        )
        known = (*seen, request.base_dir, request.files, id(request.values))
        if known not in self._found:
            files = [(file.dest, hashlib.sha256(request.file_content(file)).hexdigest()) for file in request.files]
            values = self._values[id(request.values)][0]
            self._found[known] = self._keyed_digest(as_json([_FORMAT, seen, files]) + b"\n" + values)
        return self._found[known]

    def _reads_of(self, request: RenderRequest, source: ChartSource) -> Reads:
        """What the chart reads, and what its values read, which a chart may render as templates."""
        values = id(request.values)
        if values not in self._values:
            text = request.values_json()
            self._values[values] = (text, text_reads(text))
        both = (id(source), values)
        if both not in self._reads:
            self._reads[both] = source.reads | self._values[values][1]
        return self._reads[both]

    def _apis_seen(self, request: RenderRequest, reads: Reads) -> tuple[str, ...]:
        if reads.apis is None:
            return tuple(sorted(self._apis_of(request)))
        return tuple(sorted(reads.apis & self._apis_of(request))) if reads.apis else ()

    def _apis_of(self, request: RenderRequest) -> frozenset[str]:
        given = request.api_versions
        if id(given) not in self._apis:
            self._apis[id(given)] = frozenset(given)
        return self._apis[id(given)]


def _accepted(request: RenderRequest, source: ChartSource) -> bool | str | None:
    """What the chart's own constraint makes of the version; the version where only helm can tell."""
    if source.kube_constraint is None:
        return None
    accepted = accepts(source.kube_constraint, request.kube_version)
    return request.kube_version if accepted is None else accepted
