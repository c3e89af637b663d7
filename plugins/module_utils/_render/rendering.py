# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what an app renders to, and where renderings are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.emco.edge.plugins.module_utils._render.hooks import NotRun, parse_hook
from ansible_collections.emco.edge.plugins.module_utils._render.objects import RenderedObject

_FORMAT = 1


@dataclass(frozen=True)
class Rendered:
    """What an app renders to: ``objects`` in Helm's install order, hooks among them."""

    objects: tuple[RenderedObject, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[RenderedObject, ...]:
        """The objects that stay on a cluster."""
        return tuple(one for one in self.objects if one.hook is None)

    @property
    def hooks(self) -> tuple[RenderedObject, ...]:
        """The objects that run at an event."""
        return tuple(one for one in self.objects if one.hook is not None)

    def to_bytes(self) -> bytes:
        """For a cache. Holds whatever secrets the objects hold."""
        objects = [[one.app, one.source, one.object] for one in self.objects]
        kept = {"format": _FORMAT, "objects": objects, "warnings": self.warnings}
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, kept: bytes) -> Rendered:
        """What ``to_bytes`` wrote; ValueError when it is something else."""
        found = json.loads(kept)
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise ValueError("is not a rendering, or one of another version of this collection")
        return cls(tuple(_object(*one) for one in found["objects"]), tuple(found["warnings"]))


def _object(app: str, source: str, manifest: Mapping[str, Any]) -> RenderedObject:
    hook = parse_hook(manifest)
    return RenderedObject(app, source, manifest, None if isinstance(hook, NotRun) else hook)


@dataclass(frozen=True)
class Renderings:
    """The answer to requests: ``digests[i]`` is the one of request i, ``by_digest`` what it renders to."""

    digests: tuple[str, ...]
    by_digest: Mapping[str, Rendered]

    def of(self, index: int) -> Rendered:
        """What request ``index`` renders to."""
        return self.by_digest[self.digests[index]]

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, each once."""
        return tuple(dict.fromkeys(text for one in self.by_digest.values() for text in one.warnings))


class RenderCache(Protocol):
    """Where renderings are kept between runs, by digest. They hold secrets: whoever keeps them encrypts them."""

    def get_many(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Those of the digests that are kept."""

    def put_many(self, renderings: Mapping[str, bytes]) -> None:
        """Keep these."""


class KeepsNothing:
    """A cache for those who render once."""

    def get_many(self, digests: Iterable[str]) -> Mapping[str, bytes]:  # noqa: ARG002
        """Nothing is kept."""
        return {}

    def put_many(self, renderings: Mapping[str, bytes]) -> None:
        """Nothing is kept."""
