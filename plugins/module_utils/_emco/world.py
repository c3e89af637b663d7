# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's database as a value: its objects and what became of those that have a lifecycle.

Everything that a set of documents does is first tried on a copy, so that all that is wrong is known before anything
is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ansible_collections.emco.edge.plugins.module_utils._emco import state
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import (
    Catalogue,
    EmcoObject,
    Outcome,
    Refused,
)
from ansible_collections.emco.edge.plugins.module_utils._emco.documents import Document
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._emco.state import Action, Lifecycle
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems

Digest = Callable[[bytes], str]
NETWORKS = ("Network", "ProviderNetwork")
_LEADS_TO: dict[str, state.State] = {
    "approve": "Approved",
    "instantiate": "Instantiated",
    "update": "Updated",
    "rollback": "Updated",
    "terminate": "Terminated",
    "stop": "InstantiateStopped",
    "apply": "Applied",
    "migrate": "Updated",
}
# What a file that is run backwards does not do again (emcoctl delete).
_NOT_UNDONE = ("approve", "status", "migrate", "update", "rollback", "terminate", "stop")
_TERMINATED_BY = {"instantiate": "terminate", "apply": "terminate"}


@dataclass(frozen=True)
class Step:
    """Something to do, in order: store an object, delete it, or carry out an operation on it."""

    document: Document
    do: str
    """``put``, ``delete``, or the name of an operation."""
    instead: Path = ()
    """The object that it is about, where that is not the one of the document."""

    @property
    def path(self) -> Path:
        """The object that it is about."""
        return self.instead or self.document.path

    @property
    def what(self) -> str:
        """The anchor that stands for it in a result."""
        if self.do in ("put", "delete"):
            return "/".join(self.path)
        return "/".join((*self.path, *self.do.split()))


def forwards(documents: Iterable[Document]) -> list[Step]:
    """What the documents ask for, in their order (emcoctl apply)."""
    return [Step(one, one.operation.name if one.operation else "put") for one in documents]


def backwards(documents: Sequence[Document]) -> list[Step]:
    """How the documents are undone (emcoctl delete): last first; what was instantiated or applied is terminated.

    So is what a group migrated to, which emcoctl leaves, so that it stands in the way of everything else.
    """
    found = []
    for one in reversed(documents):
        if one.operation is None:
            found.append(Step(one, "delete"))
            continue
        if one.operation.name == "migrate":
            found.append(Step(one, "terminate", _target(one)))
            continue
        stage, space, verb = one.operation.name.rpartition(" ")
        if verb not in _NOT_UNDONE and verb in _TERMINATED_BY:
            found.append(Step(one, f"{stage}{space}{_TERMINATED_BY[verb]}"))
    return found


def _target(document: Document) -> Path:
    """The group that a migration is to."""
    spec = (document.body or {}).get("spec") or {}
    version, name = str(spec.get("targetCompositeAppVersion")), str(spec.get("targetDeploymentIntentGroup"))
    return (*document.path[:4], version, document.path[5], name)


@dataclass
class World:
    """The objects and their lifecycles. ``digest`` is keyed: it stands for what may hold secrets."""

    catalogue: Catalogue
    digest: Digest
    lifecycles: dict[Path, Lifecycle] = field(default_factory=dict)
    turned: set[Path] = field(default_factory=set)
    """Whose lifecycle changed or ended."""
    converge: bool = False
    """Whether instantiating what runs, and was changed since, is taken for updating it."""

    def copy(self) -> World:
        """Another one to try something out."""
        return World(self.catalogue.copy(), self.digest, dict(self.lifecycles), converge=self.converge)

    def lifecycle(self, path: Path) -> Lifecycle:
        """What became of an object so far."""
        return self.lifecycles.get(path) or Lifecycle()

    def put(self, one: EmcoObject) -> Outcome:
        """Store an object; Refused where EMCO would refuse it."""
        before = self.catalogue.get(one.path)
        same = before is not None and before.body == one.body and before.files == one.files
        if not same:
            if before is not None:
                state.replaceable(one.kind, self.lifecycle(one.path).state, "/".join(one.path))
            self._check_networks(one, "changed" if before else "created")
        return self.catalogue.put(one)

    def delete(self, path: Path) -> Outcome:
        """Delete an object; Refused where EMCO would refuse it."""
        one = self.catalogue.get(path)
        if one is None:
            return "unchanged"
        life = self.lifecycle(path)
        state.deletable(life.state if not life.moved_to else "Terminated", "/".join(path))
        self._check_networks(one, "deleted")
        outcome = self.catalogue.delete(path)
        if self.lifecycles.pop(path, None) is not None:
            self.turned.add(path)
        return outcome

    def has_to(self, operation: str, path: Path) -> bool:
        """Whether an operation has something to do; Refused when it may not be done now, or the object is not there."""
        one = self.catalogue.get(path)
        if one is None:
            raise Refused(404, f"{'/'.join(path)} is not there, so that it cannot {operation}")
        life = self.lifecycle(path)
        if life.moved_to:
            return self._has_to_after_migration(operation, path, life)
        same = life.running and (self.converge or self.inputs(path) == life.inputs)
        return state.permitted(one.kind, operation, life.state, "/".join(path), same=same)

    def _has_to_after_migration(self, operation: str, path: Path, life: Lifecycle) -> bool:
        """What has moved is not brought back by running its documents again, while it runs where it moved to."""
        what = "/".join(path)
        if not self.lifecycle(tuple(life.moved_to.split("/"))).running:
            return state.permitted("DeploymentIntentGroup", operation, "Terminated", what)
        if operation in ("approve", "instantiate", "terminate", "migrate"):
            return False
        raise Refused(409, f"{what} has migrated to {life.moved_to}", "Do it there.")

    def went(self, path: Path, action: Action, **more: str) -> None:
        """Note what became of an object."""
        self.lifecycles[path] = self.lifecycle(path).went(action, **more)
        self.turned.add(path)

    def inputs(self, path: Path) -> str:
        """A digest of all objects that an instantiation of this one is made of."""
        documents = [one.as_document() for one in self._inputs(path)]
        return self.digest(json.dumps(documents, sort_keys=True).encode())

    def _inputs(self, path: Path) -> Iterator[EmcoObject]:
        one = self.catalogue.get(path)
        if one is None:
            return
        yield one
        yield from self.catalogue.below(path) if one.kind != "Cluster" else self.catalogue.children(path, *NETWORKS)
        if one.kind == "DeploymentIntentGroup":
            for sibling in self.catalogue.children(one.parent, "App", "CompositeProfile"):
                yield sibling
                yield from self.catalogue.below(sibling.path)

    def try_out(self, steps: Iterable[Step], problems: Problems) -> None:
        """Do everything, on this value alone; what is refused is in ``problems`` with its place."""
        for step in steps:
            try:
                self._try(step)
            except Refused as refused:
                problems.add(str(step.document.place), refused.message, refused.hint)

    def _try(self, step: Step) -> None:
        if step.do == "put" and step.document.object is not None:
            self.put(step.document.object)
        elif step.do == "delete":
            self.delete(step.path)
        elif step.do in _LEADS_TO and step.document.operation is not None:
            # What is backwards terminated may never have been there.
            gone = step.do == "terminate" and step.document.operation.name != "terminate"
            if gone and self.catalogue.get(step.path) is None:
                return
            if gone and not self.lifecycle(step.path).running:
                return
            kind = step.document.operation.of
            if kind not in state.KINDS or not self.has_to(step.do, step.path):
                return
            moved = {}
            if step.do == "migrate":
                target = self.target(step)
                self.went(target, Action("Instantiated"), inputs=self.inputs(target))
                moved = {"moved_to": "/".join(target)}
            self.went(step.path, Action(_LEADS_TO[step.do]), inputs=self.inputs(step.path), **moved)

    def target(self, step: Step) -> Path:
        """The group that takes over in a migration; Refused when it is not there, or not approved."""
        target = _target(step.document)
        if self.catalogue.get(target) is None:
            raise Refused(404, f"{'/'.join(step.path)} cannot migrate to {'/'.join(target)}, not there")
        life = self.lifecycle(target)
        if life.state != "Approved" and not life.running:
            raise Refused(
                409,
                f"{'/'.join(step.path)} cannot migrate to {'/'.join(target)}, which is {life.state}",
                "Approve it first.",
            )
        return target

    def _check_networks(self, one: EmcoObject, what: str) -> None:
        if one.kind in NETWORKS and self.lifecycle(one.parent).state in ("Applied", "InstantiateStopped"):
            raise Refused(
                409,
                f"{'/'.join(one.path)} cannot be {what}: the networks of the cluster are "
                f"{self.lifecycle(one.parent).state}",
                "Terminate them first, and apply them again.",
            )
