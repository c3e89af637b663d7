# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what of EMCO's API is stored and checked, but has nobody yet who carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Catalogue, EmcoObject
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._emco.world import Step

_TRAFFIC = "traffic intents (network policies, Istio, service discovery, SD-EWAN) have no controller yet"
_CHAINS = "service function chains have no controller yet"
_CERTIFICATES = "certificate authorities are not distributed yet"
_WORKFLOWS = "Temporal workflows are neither started nor waited for yet"
_POLICIES = "nothing listens for the events of a policy"
_GIT_OPS = "clusters that are reached through Git are not written to yet"

# Kinds that would change what runs, and what is missing for them.
_MISSING = {
    "TrafficGroupIntent": _TRAFFIC,
    "SfcIntent": _CHAINS,
    "SfcClientIntent": _CHAINS,
    "CaCertOfProvider": _CERTIFICATES,
    "CaCertOfProject": _CERTIFICATES,
    "WorkflowHookIntent": _WORKFLOWS,
    "WorkflowIntent": _WORKFLOWS,
    "PolicyIntent": _POLICIES,
    "PolicyAgent": _POLICIES,
}
_OPERATIONS: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class Unsupported:
    """An object or operation that nobody carries out, and why not."""

    what: str
    kind: str
    reason: str

    def as_result(self) -> dict[str, str]:
        """A row of the table."""
        return {"anchor": self.what, "kind": self.kind, "reason": self.reason}


def unsupported_object(one: EmcoObject) -> str:
    """Why nobody carries out what this object asks for; empty when somebody does."""
    if one.kind == "Cluster" and not one.files:
        return _GIT_OPS
    return _MISSING.get(one.kind, "")


def unsupported_operation(kind: str, operation: str) -> str:
    """Why nobody carries out this operation."""
    if kind in ("CaCertOfProvider", "CaCertOfProject", "WorkflowHookIntent", "WorkflowIntent"):
        return _MISSING[kind]
    return _OPERATIONS.get((kind, operation), "")


def below(catalogue: Catalogue, path: Path) -> Iterator[Unsupported]:
    """What is not carried out of an object and of all that is below it."""
    one = catalogue.get(path)
    for each in (one, *catalogue.below(path)) if one is not None else ():
        reason = unsupported_object(each)
        if reason:
            yield Unsupported("/".join(each.path), each.kind, reason)


def of_steps(steps: Iterable[Step]) -> list[Unsupported]:
    """What is not carried out of a set of documents."""
    found: dict[tuple[str, str], Unsupported] = {}
    for step in steps:
        document = step.document
        if document.object is not None:
            kind, reason = document.object.kind, unsupported_object(document.object)
        elif document.operation is not None:
            kind, reason = document.operation.of, unsupported_operation(document.operation.of, document.operation.name)
        else:
            continue
        if reason:
            found.setdefault((step.what, kind), Unsupported(step.what, kind, reason))
    return list(found.values())
