# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the states that EMCO's objects go through, and what may be done in which.

The messages are EMCO's where it has one. An operation that would lead where the object is already is no error here,
so that the same documents can be run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Refused

State = Literal[
    "Created",
    "Approved",
    "Applied",
    "Instantiated",
    "Terminated",
    "InstantiateStopped",
    "TerminateStopped",
    "Updated",
]


@dataclass(frozen=True)
class Action:
    """A change of state: when it was, the revision that it made (0: none), and the one it went back to (0: none)."""

    state: State
    time: float = 0.0
    revision: int = 0
    back_to: int = 0


@dataclass(frozen=True)
class Lifecycle:
    """What an object went through. ``deployed`` names what runs, ``inputs`` what it was made of, as a digest."""

    actions: tuple[Action, ...] = (Action("Created"),)
    deployed: str = ""
    inputs: str = ""
    context: str = ""
    """The id of the context that it took over by a migration; empty: its own."""
    moved_to: str = ""
    """The path of the group that it migrated to, which has all that was of it on clusters."""

    @property
    def state(self) -> State:
        """Where it is now."""
        return self.actions[-1].state

    @property
    def running(self) -> bool:
        """Whether something of it is on clusters, as far as is known."""
        return not self.moved_to and self.state in (
            "Applied",
            "Instantiated",
            "Updated",
            "InstantiateStopped",
            "TerminateStopped",
        )

    @property
    def revision(self) -> int:
        """The last revision."""
        return max((one.revision for one in self.actions), default=0)

    def went(self, action: Action, **more: str) -> Lifecycle:
        """After one more change of state."""
        return replace(self, actions=(*self.actions, action), **{"moved_to": "", **more})

    def as_document(self) -> dict[str, Any]:
        """As JSON data."""
        actions = [asdict(one) for one in self.actions]
        return {
            "actions": actions,
            "deployed": self.deployed,
            "inputs": self.inputs,
            "context": self.context,
            "moved_to": self.moved_to,
        }


def lifecycle_of(document: Mapping[str, Any]) -> Lifecycle:
    """What ``as_document`` wrote."""
    actions = tuple(Action(**one) for one in document["actions"])
    return Lifecycle(
        actions, str(document["deployed"]), str(document["inputs"]), str(document["context"]), str(document["moved_to"])
    )


# Operation on a deployment intent group: in which states it may be asked for, and in which it is done already.
_GROUP: dict[str, tuple[tuple[State, ...], tuple[State, ...]]] = {
    # EMCO approves what was updated anew; here it would only hide that something runs.
    "approve": (("Created", "Terminated"), ("Approved", "Updated")),
    "instantiate": (("Approved", "Terminated", "TerminateStopped"), ()),
    "update": (("Instantiated", "Updated", "InstantiateStopped"), ()),
    "rollback": (("Instantiated", "Updated", "InstantiateStopped"), ()),
    "migrate": (("Instantiated", "Updated", "InstantiateStopped"), ()),
    "terminate": (("Instantiated", "Updated", "InstantiateStopped"), ("Terminated",)),
    "stop": (("Instantiated", "Updated"), ("InstantiateStopped", "TerminateStopped")),
}
_LOGICAL_CLOUD: dict[str, tuple[tuple[State, ...], tuple[State, ...]]] = {
    "instantiate": (("Created", "Terminated"), ()),
    "update": (("Instantiated", "Updated"), ()),
    "terminate": (("Instantiated", "Updated", "InstantiateStopped"), ("Terminated", "Created")),
    "stop": (("Instantiated", "Updated"), ("InstantiateStopped", "TerminateStopped")),
}
_CLUSTER: dict[str, tuple[tuple[State, ...], tuple[State, ...]]] = {
    "apply": (("Created", "Terminated", "TerminateStopped"), ("Applied",)),
    "terminate": (("Applied", "InstantiateStopped"), ("Terminated",)),
    "stop": (("Applied",), ("InstantiateStopped", "TerminateStopped")),
}
_RULES = {"DeploymentIntentGroup": _GROUP, "LogicalCloud": _LOGICAL_CLOUD, "Cluster": _CLUSTER}


KINDS = tuple(_RULES)


def permitted(kind: str, operation: str, state: State, what: str, *, same: bool = False) -> bool:
    """Whether there is something to do; Refused (409) in EMCO's words when it may not be done.

    ``same``: what runs was made of exactly what is stored now, so that doing it again leads nowhere new.
    """
    allowed, done = _RULES[kind][operation]
    if state in done:
        return False
    if state in allowed:
        return True
    if same and operation in ("approve", "instantiate") and state in ("Instantiated", "Updated"):
        return operation == "instantiate"  # again: what was changed by hand is put right
    raise Refused(409, _refusal(kind, operation, state, what), _hint(operation, state))


def _refusal(kind: str, operation: str, state: State, what: str) -> str:
    if kind == "DeploymentIntentGroup":
        if operation == "instantiate" and state == "Created":
            return f"DeploymentIntentGroup must be approved before it can be instantiated: {what}"
        if state in ("Instantiated", "Updated"):
            return f"DeploymentIntentGroup has already been instantiated: {what}"
        if operation in ("update", "terminate", "rollback", "migrate", "stop"):
            return f"DeploymentIntentGroup is not instantiated, it is {state}: {what}"
    if kind == "LogicalCloud" and operation in ("update", "stop"):
        return f"The Logical Cloud is not instantiated, it is {state}: {what}"
    return f"{operation} is not possible in state {state}: {what}"


def _hint(operation: str, state: State) -> str:
    if operation == "instantiate" and state in ("Instantiated", "Updated"):
        return "What was changed since is brought out by update; converge: true takes this for one."
    if operation == "instantiate" and state == "Created":
        return "Add a document whose anchor ends with approve."
    return ""


def replaceable(kind: str, state: State, what: str) -> None:
    """Whether an object may be replaced; Refused with EMCO's words when it may not.

    EMCO refuses to replace a group in any state but Created. Here only an approved one is fixed: one that runs takes
    up what was changed with the next update.
    """
    if kind == "DeploymentIntentGroup" and state == "Approved":
        raise Refused(
            409,
            f"The DeploymentIntentGroup is not updated: it is in state {state}: {what}",
            "Instantiate it, or delete it and begin anew; what was approved does not change.",
        )


def deletable(state: State, what: str) -> None:
    """Refused while something of the object is on clusters."""
    if state in ("Instantiated", "Updated", "InstantiateStopped", "Applied"):
        raise Refused(409, f"{what} cannot be deleted in state {state}", "Terminate it first.")
