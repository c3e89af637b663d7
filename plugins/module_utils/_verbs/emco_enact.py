# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: carrying out EMCO's documents with this collection's own verbs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco import native, support
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import EmcoObject
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._emco.world import Step, World
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._verbs import cluster, composite_app
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_clouds import operate_cloud
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_groups import Groups
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_networks import operate_networks
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_outcome import Manner, Outcome, call
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import composite_app_key
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import find

_ON_A_CLUSTER = ("ClusterLabel", "ClusterKvPairs")


class Enactor:
    """Carries out steps one by one. What it stores is in ``world``; whoever calls keeps it."""

    def __init__(self, world: World, manner: Manner, context: Context) -> None:
        self.world = world
        self.warnings: list[str] = []
        self._manner = manner
        self._context = context
        self._groups = Groups(world, manner, context, self.warnings)
        self._waiting: dict[Path, dict[str, Any]] = {}
        """Clusters that are to be registered, with what is told about the document that said so."""

    def enact(self, step: Step, told: dict[str, Any]) -> Outcome:
        """Do one step; EdgeError when it cannot be done. ``told`` is changed later, when a cluster is registered."""
        if step.do == "put" and step.document.object is not None:
            return self._put(step.document.object, told)
        if step.do == "delete":
            return self._delete(step.path, told)
        return self._operate(step)

    def register_clusters(self) -> list[str]:
        """Register the clusters that were described since the last time; what did not work, in words."""
        waiting, self._waiting = self._waiting, {}
        known = {path: told for path, told in waiting.items() if self.world.catalogue.get(path) is not None}
        failures = []
        if known:
            self._context.keys()  # opened once, before there are threads
            with ThreadPoolExecutor(min(self._manner.parallel, len(known)), thread_name_prefix="register") as pool:
                for path, error in zip(known, pool.map(self._registered, known), strict=True):
                    if error is not None:
                        known[path].update(state="failed", message=str(error), reason=error.reason)
                        failures.append(f"{'/'.join(path)}: {error}")
        return failures

    def _put(self, one: EmcoObject, told: dict[str, Any]) -> Outcome:
        state = self.world.put(one)
        path = one.parent if one.kind in _ON_A_CLUSTER else one.path
        if one.kind == "Cluster" and not one.files:
            reason = support.unsupported_object(one)
            return Outcome(state, state != "unchanged", f"stored; {reason}" if state != "unchanged" else "")
        if (one.kind in _ON_A_CLUSTER and state != "unchanged") or (
            one.kind == "Cluster" and (state != "unchanged" or self._is_unknown(path))
        ):
            owner = self.world.catalogue.get(path)
            if owner is not None and owner.files:
                self._waiting.setdefault(path, told)
        return Outcome(state, state != "unchanged")

    def _delete(self, path: Path, told: dict[str, Any]) -> Outcome:
        one = self.world.catalogue.get(path)
        if one is None:
            return Outcome("unchanged", False)
        trial = self.world.copy()
        trial.delete(path)  # refused before anything is touched
        if one.kind == "Cluster":
            self._waiting.pop(path, None)
            if not self._is_unknown(path):
                call(
                    cluster.SPEC, cluster.run, {"provider": path[1], "name": path[3], "state": "absent"}, self._context
                )
        if one.kind == "CompositeApp":
            self._forget_app(path)
        self.world.delete(path)
        if one.kind in _ON_A_CLUSTER and (owner := self.world.catalogue.get(one.parent)) is not None and owner.files:
            self._waiting.setdefault(owner.path, told)
        return Outcome("deleted", True)

    def _operate(self, step: Step) -> Outcome:
        operation = step.document.operation
        kind = operation.of if operation is not None else ""
        if step.do == "status":
            return Outcome("unchanged", False, "emco.edge.document_info gives the status")
        missing = support.unsupported_operation(kind, step.do)
        if missing:
            raise EdgeError("NotSupported", f"{step.what}: {missing}.", hint="Leave this document out.")
        if operation is not None and step.do != operation.name and not self._can_be_undone(step):
            return Outcome("unchanged", False)
        if kind == "DeploymentIntentGroup":
            return self._groups.operate(step)
        if kind == "LogicalCloud":
            return operate_cloud(step, self.world, self._manner, self._context)
        return operate_networks(step, self.world, self._manner, self._context)

    def _can_be_undone(self, step: Step) -> bool:
        """Whether there is anything that a file run backwards would terminate."""
        return self.world.catalogue.get(step.path) is not None and self.world.lifecycle(step.path).running

    def _registered(self, path: Path) -> EdgeError | None:
        one = self.world.catalogue.get(path)
        if one is None:
            return None
        options = native.cluster(self.world.catalogue, one)
        options["keep_credentials"] = self._manner.keep_credentials
        try:
            call(cluster.SPEC, cluster.run, options, self._context)
        except EdgeError as error:
            return error
        return None

    def _is_unknown(self, path: Path) -> bool:
        return find(self._context.store(), ClusterRef(path[1], path[3])) is None

    def _forget_app(self, path: Path) -> None:
        options = {"project": path[1], "name": path[3], "version": path[4], "state": "absent"}
        if self._context.store().get(composite_app_key(path[1], path[3], path[4])) is not None:
            call(composite_app.SPEC, composite_app.run, options, self._context)
