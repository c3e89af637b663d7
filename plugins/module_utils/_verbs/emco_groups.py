# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what EMCO does to a deployment intent group, with the verbs composite_app and deployment."""

from __future__ import annotations

from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco import native, support
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject, Refused
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._emco.state import Action, State
from ansible_collections.emco.edge.plugins.module_utils._emco.world import Step, World
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems
from ansible_collections.emco.edge.plugins.module_utils._verbs import composite_app, deployment
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_intent import intent_key
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_external import fetched
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_outcome import Manner, Outcome, call
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_sources import CachedPackages
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import stored_intent
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result


class Groups:
    """Approves, instantiates, updates, rolls back, stops and terminates deployment intent groups."""

    def __init__(self, world: World, manner: Manner, context: Context, warnings: list[str]) -> None:
        self._world = world
        self._manner = manner
        self._context = context
        self._warnings = warnings
        self._packages = CachedPackages(context.environ)
        self._fetch = fetched if manner.external_values else None

    def operate(self, step: Step) -> Outcome:
        """Carry out an operation; EdgeError when it does not work."""
        one = self._world.catalogue.get(step.path)
        if one is None:
            raise Refused(404, f"{'/'.join(step.path)} is not there")
        if not self._world.has_to(step.do, step.path):
            return Outcome("unchanged", False, f"is {self._world.lifecycle(step.path).state}")
        if step.do in ("approve", "instantiate", "update"):
            return self._brought(one, step.do)
        if step.do == "migrate":
            return self._migrated(one, self._world.target(step))
        if step.do == "rollback":
            return self._back(one, str(((step.document.body or {}).get("spec") or {}).get("revision")))
        return self._ended(one, step.do)

    def name_of(self, one: EmcoObject) -> str:
        """The name of the deployment: the group's own, unless another group of the project has it."""
        life = self._world.lifecycle(one.path)
        if life.deployed:
            return life.deployed
        taken = {
            other.deployed
            for path, other in self._world.lifecycles.items()
            if path != one.path and path[1] == one.path[1]
        }
        return one.name if one.name not in taken else f"{one.path[3]}.{one.path[4]}.{one.name}"

    def _brought(self, one: EmcoObject, operation: str) -> Outcome:
        life, inputs = self._world.lifecycle(one.path), self._world.inputs(one.path)
        self._check(one)
        name = self.name_of(one)
        if operation == "instantiate" and life.state in ("Instantiated", "Updated") and life.inputs == inputs:
            # Nothing is wanted anew: what runs is made true again.
            return self._told(self._deploy(one, name, {"revision": life.revision}), life.state)
        options = self._options(one, life.context or native.context_id(one.path))
        if operation == "approve":
            result = self._deploy(one, name, {**options, "state": "approved"})
            self._went(one, "Approved", result, deployed=name, inputs=inputs)
            return Outcome("done", True, _revision(result))
        first = life.state not in ("Instantiated", "Updated", "InstantiateStopped")
        state: State = "Instantiated" if first else "Updated"
        try:
            result = self._deploy(one, name, options)
        except EdgeError as failure:
            # Something of it may be on clusters: it must be terminated before it is deleted, and can be tried again.
            if failure.details.get("revision"):
                self._went(one, state, failure.details, deployed=name, inputs=inputs)
            raise
        revision = int(result.get("revision") or 0)
        if life.state in ("Instantiated", "Updated") and revision == life.revision and not result["changed"]:
            if life.inputs != inputs:
                self._went(one, state, result, deployed=name, inputs=inputs)
            return Outcome("unchanged", False, _revision(result))
        self._went(one, state, result, deployed=name, inputs=inputs)
        return Outcome("done", True, _revision(result))

    def _migrated(self, one: EmcoObject, path: Path) -> Outcome:
        """Bring the group at ``path`` in the place of this one; objects of the same name are handed over."""
        life, target = self._world.lifecycle(one.path), self._world.catalogue.get(path)
        if target is None:
            raise Refused(404, f"{'/'.join(path)} is not there")
        context = life.context or native.context_id(one.path)
        self._check(target)
        options = self._options(target, context)
        inputs = self._world.inputs(path)
        try:
            result = self._deploy(target, options["name"], {**options, "migrate_from": self.name_of(one)})
        except EdgeError as failure:
            if failure.details.get("revision"):
                self._went(
                    target, "Instantiated", failure.details, deployed=options["name"], inputs=inputs, context=context
                )
            raise
        self._went(target, "Instantiated", result, deployed=options["name"], inputs=inputs, context=context)
        self._went(one, "Updated", result, moved_to="/".join(path))
        return Outcome("done", True, _revision(result))

    def _options(self, one: EmcoObject, context: str) -> dict[str, Any]:
        """The options of the deployment; its composite app is defined. InvalidInput with all problems."""
        problems, name = Problems(), self.name_of(one)
        options = native.deployment(
            self._world.catalogue, one, name, self._packages, problems, fetch=self._fetch, context=context
        )
        problems.raise_if_any(f"the deployment intent group {one.name}")
        self._check_not_taken(one, name, context)
        app = native.composite_app(self._world.catalogue, one.parent, self._packages)
        call(composite_app.SPEC, composite_app.run, app, self._context)
        return options

    def _back(self, one: EmcoObject, asked: str) -> Outcome:
        life, name = self._world.lifecycle(one.path), self.name_of(one)
        if not asked.isdecimal() or int(asked) not in {action.revision for action in life.actions if action.revision}:
            known = sorted({action.revision for action in life.actions if action.revision})
            raise Refused(404, f"{'/'.join(one.path)} has no revision {asked}", f"it has {', '.join(map(str, known))}")
        wanted = int(asked)
        if life.actions[-1].back_to == wanted:
            return self._told(self._deploy(one, name, {"revision": life.revision}), life.state)
        result = self._deploy(one, name, {"revision": wanted})
        action = Action("Updated", self._context.clock(), int(result.get("revision") or 0), wanted)
        self._world.went(one.path, action)
        return Outcome("done", True, _revision(result))

    def _ended(self, one: EmcoObject, operation: str) -> Outcome:
        name = self.name_of(one)
        if operation == "stop":
            result = self._deploy(one, name, {"state": "stopped"})
            self._went(one, "InstantiateStopped", result)
        else:
            result = self._deploy(one, name, {"state": "absent"})
            self._went(one, "Terminated", result)
        return Outcome("done", True)

    def _check(self, one: EmcoObject) -> None:
        cloud = native.logical_cloud_of(self._world.catalogue, one)
        where = "/".join(one.path)
        if cloud is not None and self._world.lifecycle(cloud.path).state not in ("Instantiated", "Updated"):
            state = self._world.lifecycle(cloud.path).state
            raise EdgeError(
                "BadRequest", f"{where}: the Logical Cloud {cloud.name} is not instantiated, it is {state}."
            )
        missing = list(support.below(self._world.catalogue, one.path))
        if missing and self._manner.unsupported == "fail":
            table = "".join(f"\n  - {each.what}: {each.reason}" for each in missing)
            raise EdgeError(
                "NotSupported",
                f"{where} has intents that nobody carries out yet; what runs would not be what they say:{table}",
                hint="unsupported: warn goes on without them.",
                details={"unsupported": [each.as_result() for each in missing]},
            )
        self._warnings += [f"{each.what} is stored and not carried out: {each.reason}." for each in missing]

    def _check_not_taken(self, one: EmcoObject, name: str, context: str) -> None:
        """A deployment of that name that did not come from this group must not be replaced."""
        key = intent_key(one.path[1], name)
        stored = stored_intent(self._context.store(), self._context.keys(), key)
        if stored is None:
            return
        label = (stored.document.get("labels") or {}).get(native.DEPLOYMENT_ID, "")
        if label.partition("-")[0] not in (context, native.context_id(one.path)):
            raise EdgeError(
                "Conflict",
                f"there is a deployment {one.path[1]}/{name} already, which is not that of {'/'.join(one.path)}.",
                hint="Remove it (state: absent), or give the deployment intent group another name.",
            )

    def _deploy(self, one: EmcoObject, name: str, options: dict[str, Any]) -> Result:
        manner = self._manner
        how = {
            "project": one.path[1],
            "name": name,
            "wait": manner.wait,
            "wait_timeout": f"{manner.wait_timeout:g}s",
            "parallel": manner.parallel,
            "conflicts": manner.conflicts,
            "adopt": manner.adopt,
            # A step of a lifecycle is consent to what it deletes.
            "allow_deletions": True,
        }
        return call(deployment.SPEC, deployment.run, {**how, **options}, self._context, check=True)

    def _went(self, one: EmcoObject, state: State, result: Result, **more: str) -> None:
        reached = state in ("Instantiated", "Updated") and not more.get("moved_to")
        revision = int(result.get("revision") or 0) if reached else 0
        self._world.went(one.path, Action(state, self._context.clock(), revision), **more)

    @staticmethod
    def _told(result: Result, state: str) -> Outcome:
        changed = bool(result["changed"])
        return Outcome("done" if changed else "unchanged", changed, _revision(result) or f"is {state}")


def _revision(result: Result) -> str:
    return f"revision {result['revision']}" if result.get("revision") else ""
