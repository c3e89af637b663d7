# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: Helm's hooks, read from annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ansible_collections.emco.edge.plugins.module_utils._render.install_order import position

EVENTS = (
    "pre-install",
    "post-install",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "pre-delete",
    "post-delete",
)
_TESTS = frozenset({"test", "test-success", "test-failure"})
_DELETE_POLICIES = ("before-hook-creation", "hook-succeeded", "hook-failed")

HOOK = "helm.sh/hook"
WEIGHT = "helm.sh/hook-weight"
DELETE_POLICY = "helm.sh/hook-delete-policy"


@dataclass(frozen=True)
class Hook:
    """When an object runs instead of being kept. ``events`` and ``delete_policies`` in Helm's spelling."""

    events: tuple[str, ...]
    weight: int = 0
    delete_policies: tuple[str, ...] = ("before-hook-creation",)


@dataclass(frozen=True)
class NotRun:
    """An object that Helm would not install: a test, or a hook with an event that nobody knows."""

    reason: str
    is_test: bool = False


def parse_hook(manifest: Mapping[str, Any]) -> Hook | NotRun | None:
    """The hook that an object is by its annotations, None when it is an ordinary object.

    An unknown event makes Helm leave out the whole object, whatever else it lists.
    """
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    if not isinstance(annotations, Mapping) or HOOK not in annotations:
        return None
    listed = _listed(annotations[HOOK])
    unknown = [event for event in listed if event not in EVENTS and event not in _TESTS]
    if unknown or not listed:
        return NotRun(f"its {HOOK} annotation has an unknown event {', '.join(unknown) or '(none)'}")
    events = tuple(dict.fromkeys(event for event in listed if event in EVENTS))
    if not events:
        return NotRun("it is a test", is_test=True)
    policies = tuple(
        dict.fromkeys(word for word in _listed(annotations.get(DELETE_POLICY)) if word in _DELETE_POLICIES)
    )
    return Hook(events, _weight(annotations.get(WEIGHT)), policies or ("before-hook-creation",))


def _listed(raw: Any) -> list[str]:
    words = (word.strip().lower() for word in str("" if raw is None else raw).split(","))
    return [word for word in words if word]


def _weight(raw: Any) -> int:
    try:
        return int(str(raw))
    except ValueError:  # Helm takes what is no number for 0
        return 0


class Hooked(Protocol):
    """What can be put into the order of hooks."""

    @property
    def hook(self) -> Hook | None:
        """The hook that it is."""

    @property
    def name(self) -> str:
        """Its metadata.name."""

    @property
    def kind(self) -> str:
        """Its kind."""


H = TypeVar("H", bound=Hooked)


def hooks_of(objects: Iterable[H], event: str) -> tuple[H, ...]:
    """The hooks of an event in the order in which Helm runs them: by weight, then name, then install order."""
    found = [
        (one.hook.weight, one.name, position(one.kind), one) for one in objects if one.hook and event in one.hook.events
    ]
    return tuple(one for *_key, one in sorted(found, key=lambda entry: entry[:3]))
