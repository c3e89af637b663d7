# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what came of making one cluster equal to its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Record


class State(str, Enum):
    """The state of one cluster in a result; Deferred is given by the rollout only."""

    READY = "Ready"
    PROGRESSING = "Progressing"
    PENDING = "Pending"
    DEFERRED = "Deferred"
    UNREACHABLE = "Unreachable"
    FAILED = "Failed"
    REMOVED = "Removed"


class Action(str, Enum):
    """What was done, or would be done in check mode, to one object."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    DRIFTED = "drifted"
    """Differs from what was sent, and was left so: ``drift: report``."""
    KEPT = "kept"
    """Ours, no longer wanted, and not deleted: its data or other people's objects would go with it."""
    FAILED = "failed"
    RAN = "ran"
    """A hook that ran to its end in this run."""
    WOULD_CREATE = "would create"
    WOULD_CREATE_UNVERIFIED = "would create (unverified)"
    WOULD_CHANGE = "would change"
    WOULD_DELETE = "would delete"
    WOULD_RUN = "would run"


_CHANGES = frozenset(Action) - {Action.UNCHANGED, Action.DRIFTED, Action.KEPT, Action.FAILED}
_APPLIED = frozenset(
    {
        Action.CREATED,
        Action.CHANGED,
        Action.RAN,
        Action.WOULD_CREATE,
        Action.WOULD_CREATE_UNVERIFIED,
        Action.WOULD_CHANGE,
        Action.WOULD_RUN,
    }
)
_DELETED = frozenset({Action.DELETED, Action.WOULD_DELETE})


@dataclass(frozen=True)
class FieldChange:
    """One owned field: its path (``spec.template.spec.containers[name=web].image``), before and after.

    None: not there. Values of Secrets are masked.
    """

    path: str
    before: Any = None
    after: Any = None

    def as_result(self) -> dict[str, Any]:
        """The change as it stands in a result."""
        return {"path": self.path, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class ObjectResult:
    """What happened to one object."""

    identity: Identity
    app: str
    action: Action
    reason: str = ""
    message: str = ""
    changes: tuple[FieldChange, ...] = ()
    """With ``diff`` only."""


@dataclass(frozen=True)
class NotReady:
    """Why one object is not ready: a stable reason code and words."""

    identity: Identity
    app: str
    reason: str
    message: str = ""
    final: bool = False
    """It will not become ready by waiting: a failed Job, a progress deadline exceeded."""


@dataclass(frozen=True)
class Outcome:
    """One cluster after a sync, a check or a removal."""

    cluster: str
    state: State
    reason: str = ""
    message: str = ""
    hint: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[ObjectResult, ...] = ()
    not_ready: tuple[NotReady, ...] = ()
    warnings: tuple[str, ...] = ()
    requests: int = 0
    writes: int = 0
    seconds: float = 0.0
    dry: bool = False
    """Check mode: what has drifted counts as a change, so that a scheduled check is an alarm."""
    fresh: bool = False
    """Nothing of the deployment was known on the cluster when the work began."""
    record: Record | None = None
    """The record as it is on the cluster now; None when there is none or it was not reached."""

    @property
    def changed(self) -> bool:
        """Whether anything of the user's was, or in check mode would be, changed."""
        return any(one.action in _CHANGES or (self.dry and one.action is Action.DRIFTED) for one in self.objects)

    @property
    def applied(self) -> int:
        """How many objects were created or changed, hooks run."""
        return sum(one.action in _APPLIED for one in self.objects)

    @property
    def unchanged(self) -> int:
        """How many objects were as they should be."""
        return sum(one.action in (Action.UNCHANGED, Action.DRIFTED) for one in self.objects)

    @property
    def deleted(self) -> int:
        """How many objects were deleted."""
        return sum(one.action in _DELETED for one in self.objects)

    @property
    def failed(self) -> bool:
        """Whether the cluster is not where it should be and will not get there by itself."""
        return self.state in (State.FAILED, State.UNREACHABLE)

    def as_result(self) -> dict[str, Any]:
        """The line of the cluster in a result: ``surface.md``, Results."""
        line: dict[str, Any] = {
            "state": self.state.value,
            "changed": self.changed,
            "applied": self.applied,
            "unchanged": self.unchanged,
            "deleted": self.deleted,
            "seconds": round(self.seconds, 2),
        }
        words = {"reason": self.reason, "message": self.message, "hint": self.hint}
        line.update({name: text for name, text in words.items() if text})
        if self.details:
            line["details"] = dict(self.details)
        if self.not_ready:
            line["not_ready"] = [
                {"object": str(one.identity), "app": one.app, "reason": one.reason, "message": one.message}
                for one in self.not_ready
            ]
        if self.warnings:
            line["warnings"] = list(self.warnings)
        return line
