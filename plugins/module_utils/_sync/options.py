# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how a cluster is to be synced, and what a sync needs from its surroundings."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Identity

Event = Literal["install", "upgrade", "rollback", "delete"]


@dataclass(frozen=True)
class IgnoredField:
    """A field that others may set: of objects of ``kind`` whose name matches the glob ``name``.

    ``path`` is written with dots, list items by their key: ``spec.template.spec.containers[name=web].image``.
    """

    path: str
    kind: str = "*"
    name: str = "*"


@dataclass(frozen=True)
class Heritage:
    """Another deployment whose objects are taken over where they are: its label's value and its field manager."""

    label: str
    manager: str


@dataclass(frozen=True)
class SyncOptions:
    """The options of the deployment verb that one cluster sees; times in seconds."""

    conflicts: Literal["fail", "force"] = "fail"
    adopt: bool = False
    on_immutable: Literal["fail", "replace"] = "fail"
    deletion_guard: Fraction = Fraction(3, 10)
    allow_deletions: bool = False
    drift: Literal["correct", "report", "ignore"] = "correct"
    ignore_fields: tuple[IgnoredField, ...] = ()
    wait: bool = True
    wait_for: frozenset[str] | None = None
    """The apps whose readiness counts; None: all."""
    wait_timeout: float = 600.0
    check: bool = False
    """Server-side dry runs; nothing is stored."""
    diff: bool = False
    event: Event = "upgrade"
    """What this run is for a cluster that has the deployment; one that is new to it is always installed."""
    revision: int = 0
    keep: tuple[str, ...] = ()
    """Kinds that a removal releases to others instead of deleting them."""
    inhabited: bool = False
    """Whether a namespace is deleted though others have something in it, which then goes with it."""
    heritage: Heritage | None = None
    parting: Bundle | None = None
    """What was there of apps that leave while others stay, as ``Bundle.parting`` has it: their delete hooks run."""
    spared: frozenset[Identity] = frozenset()
    """What a removal leaves alone, because the deployment that took its place has it now."""
    why: bool = True
    """Whether waiting reasons and events of what is not ready are read when a wait ends in vain."""


def _silent(_cluster: str, _words: str) -> None:
    return


@dataclass(frozen=True)
class Surroundings:
    """Time, progress and the wish to stop, given from outside so that tests can give others."""

    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    report: Callable[[str, str], None] = field(default=_silent, repr=False)
    """Called with the cluster and what is being done there: ``waiting for Deployment shop/api: 1 of 3 available``."""
    stopped: Callable[[], bool] = field(default=lambda: False, repr=False)
    """True as soon as no new step may start; what is being sent is finished, the record stays true."""
