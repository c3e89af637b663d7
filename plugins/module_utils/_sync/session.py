# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what the steps of one cluster's sync share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle, Identity, PlannedObject
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import Projection, changes, seen_before
from ansible_collections.emco.edge.plugins.module_utils._sync.lanes import Lanes
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_definition
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import (
    Action,
    FieldChange,
    NotReady,
    ObjectResult,
    Outcome,
    State,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Keys, Record, RecordedObject

_SILENT = ("ClusterUnreachable", "BudgetSpent", "CertificateRejected")
_PENDING = ("DependencyOutsideLimit", "DependencyFailed", "Stopped")


@lru_cache(maxsize=256)
def _parsed(body: bytes) -> dict[str, Any]:
    """A definition; a thousand clusters of one fleet get the same."""
    document = json.loads(body)
    if not isinstance(document, dict):
        raise RuntimeError("what kind it is was asked before")
    return document


@dataclass
class Session:
    """One cluster while it is worked on: the tools, and what came of each object so far."""

    client: ClusterClient
    bundle: Bundle
    options: SyncOptions
    keys: Keys
    around: Surroundings
    lanes: Lanes
    record: Record | None = None
    """As it is on the cluster now."""
    results: dict[Identity, ObjectResult] = field(default_factory=dict)
    live: dict[Identity, dict[str, Any]] = field(default_factory=dict)
    """The newest that was seen of each object."""
    arrived: dict[Identity, RecordedObject] = field(default_factory=dict)
    """What was sent in this run, as it will stand in the record."""
    warnings: list[str] = field(default_factory=list)
    fresh: bool = False
    """Whether the cluster had no record of the deployment."""
    silent: EdgeError | None = None
    """Set when the cluster did not answer: nothing more is sent to it."""
    _recorded: tuple[Record | None, Mapping[Identity, RecordedObject]] = (None, MappingProxyType({}))

    @property
    def cluster(self) -> str:
        """The name of the cluster."""
        return self.client.name

    @cached_property
    def defines(self) -> bool:
        """Whether the bundle brings kinds of its own."""
        return any(is_definition(one.identity) for one in self.bundle.objects)

    @property
    def recorded(self) -> Mapping[Identity, RecordedObject]:
        """What the record on the cluster lists, by what makes objects the same one."""
        if self._recorded[0] is not self.record:
            self._recorded = (self.record, self.record.by_identity() if self.record else {})
        return self._recorded[1]

    def report(self, words: str) -> None:
        """Say what is being done."""
        self.around.report(self.cluster, words)

    def learn_kinds(self) -> None:
        """Know the kinds that the bundle's own definitions bring, without asking."""
        self.client.kinds.learn(_parsed(one.body) for one in self.bundle.objects if is_definition(one.identity))

    def resource(self, one: PlannedObject | RecordedObject) -> Resource:
        """How the cluster serves an object's kind; ClusterError ``KindNotServed``."""
        return self.client.resource(one.api_version, one.identity.kind)

    def result(
        self,
        one: PlannedObject | RecordedObject,
        action: Action,
        reason: str = "",
        message: str = "",
        difference: tuple[FieldChange, ...] = (),
    ) -> None:
        """Note what became of an object; what happened to it before in this run counts as well."""
        before = self.results.get(one.identity)
        if before is not None and action is Action.UNCHANGED:
            return
        self.results[one.identity] = ObjectResult(one.identity, one.app, action, reason, message, difference)

    def difference(self, identity: Identity, after: Projection) -> tuple[FieldChange, ...]:
        """The fields that differ from what was last seen of an object, where they were asked for."""
        if not self.options.diff:
            return ()
        known = self.live.get(identity)
        return changes(identity, seen_before(known, self.bundle.manager, after) if known else {}, after)

    def stop_if_told(self) -> None:
        """EdgeError ``Stopped`` when no new step may start."""
        if self.around.stopped():
            raise EdgeError("Stopped", f"{self.bundle.deployment} on {self.cluster}: stopped before it was done.")

    def noticed(self, error: EdgeError) -> EdgeError:
        """Remember an error that means that the cluster is gone."""
        if error.reason in _SILENT:
            self.silent = error
        return error

    def outcome(self, state: State, not_ready: Iterable[NotReady] = (), reason: str = "", message: str = "") -> Outcome:
        """The outcome so far."""
        return Outcome(
            cluster=self.cluster,
            state=state,
            reason=reason,
            message=message,
            objects=tuple(self.results.values()),
            not_ready=tuple(not_ready),
            warnings=tuple(self.warnings),
            fresh=self.fresh,
            record=self.record,
        )

    def failure(self, error: EdgeError) -> Outcome:
        """The outcome that an error is."""
        state = State.FAILED
        if isinstance(error, ClusterError) and error.reason in _SILENT:
            state = State.UNREACHABLE
        elif error.reason in _PENDING:
            state = State.PENDING
        return Outcome(
            cluster=self.cluster,
            state=state,
            reason=error.reason,
            message=error.message,
            hint=error.hint,
            details=error.details,
            objects=tuple(self.results.values()),
            not_ready=error.not_ready if isinstance(error, WaitInVain) else (),
            warnings=tuple(self.warnings),
            fresh=self.fresh,
            record=self.record,
        )


class WaitInVain(EdgeError):  # noqa: N818  # what happened, not that it is an error
    """Objects that did not become ready, or will never; ``not_ready`` says why for each."""

    def __init__(self, reason: str, message: str, not_ready: tuple[NotReady, ...], *, hint: str = "") -> None:
        super().__init__(reason, message, hint=hint)
        self.not_ready = not_ready
