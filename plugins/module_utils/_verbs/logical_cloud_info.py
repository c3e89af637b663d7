# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``logical_cloud_info``: how logical clouds are, and kubeconfigs for their users."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.credentials import Access, kubeconfig_of
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.objects import naming_of
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import permission_text
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import seconds
from ansible_collections.emco.edge.plugins.module_utils._observe.status import Observation, observe
from ansible_collections.emco.edge.plugins.module_utils._verbs import logical_clouds as clouds
from ansible_collections.emco.edge.plugins.module_utils._verbs import tenant_credentials as credentials
from ansible_collections.emco.edge.plugins.module_utils._verbs.cloud_shipping import bundle_on, told_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.hands import client_of, reach_of
from ansible_collections.emco.edge.plugins.module_utils._verbs.masking import shown
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered, registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.revisions import Revisions, Standing
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class LogicalCloudInfo:
    """What is asked."""

    project: str | None = option(parse=emco_name, type="str")
    name: str | None = option(parse=emco_name, type="str")
    status: Literal["ready", "deployed", "stored"] = option(default="ready")
    output: Literal["all", "detail"] = option(default="all")
    expiring_within: float | None = option(parse=seconds, type="str")
    kubeconfig_dir: str | None = option()
    parallel: int = option(default=50)
    cluster_timeout: float = option(default=30.0, parse=seconds, type="str", spec_default="30s")
    store: Any = option(type="raw")

    def problems(self, path: str) -> Iterator[Problem]:
        """A name is one of a project."""
        if self.project is None:
            for name in ("name", "kubeconfig_dir"):
                if getattr(self, name) is not None:
                    yield Problem(join(path, "project"), f"is required with {name}")
        if self.parallel < 1:
            yield Problem(join(path, "parallel"), "must be at least 1")


SPEC = Spec("logical_cloud_info", LogicalCloudInfo, fleet=True)


def run(wanted: LogicalCloudInfo, context: Context) -> Result:
    """One logical cloud, all of a project, or all there are."""
    store, keys = context.store(wanted.store), context.keys()
    known = clouds.stored_clouds(store, keys, wanted.project)
    if wanted.name is not None:
        known = [one for one in known if one.cloud.name == wanted.name]
        if not known:
            raise clouds.unknown_cloud(store, str(wanted.project), wanted.name)
    fleet = registered(store)
    looks = [_Look(one, wanted, fleet, context) for one in known]
    found = [look.told() for look in looks]
    result: Result = {"changed": False, "logical_clouds": found}
    if wanted.expiring_within is not None:
        days = wanted.expiring_within / 86400
        result["expiring"] = [
            {"project": told["project"], "name": told["name"], "cluster": ref, **one["credential"]}
            for told in found
            for ref, one in told["clusters"].items()
            if "credential" in one and one["credential"]["expires_in_days"] <= days
        ]
    if wanted.kubeconfig_dir is not None:
        folder = Path(context.base_dir, Path(wanted.kubeconfig_dir).expanduser())
        written: dict[str, bytes] = {}
        for look in looks:
            written.update(look.kubeconfigs())
        result["kubeconfigs"] = [str(folder / name) for name in written]
        result["changed"] = _write(folder, written, check=context.check)
    return result


class _Look:
    """One logical cloud, looked at."""

    def __init__(
        self,
        one: clouds.StoredCloud,
        wanted: LogicalCloudInfo,
        fleet: Mapping[ClusterRef, Registered],
        context: Context,
    ) -> None:
        self._one = one
        self._cloud = one.cloud
        self._wanted = wanted
        self._fleet = fleet
        self._context = context
        self._naming = naming_of(one.cloud.project, one.cloud.name)
        progress = Revisions(self._naming, context.store(), context.keys()).progress()
        self._standings: dict[ClusterRef, Standing | None] = dict.fromkeys(sorted(one.members))
        self._standings.update(progress)
        self._kept = {
            ref: credentials.kept_credential(
                context.store(),
                context.keys(),
                credentials.credential_key(one.cloud.project, one.cloud.name, ref),
            )
            for ref in self._standings
        }

    def told(self) -> dict[str, Any]:
        cloud = self._cloud
        told: dict[str, Any] = {
            "project": cloud.project,
            "name": cloud.name,
            "kind": cloud.kind,
            "namespace": cloud.space,
            "generation": self._one.generation,
            "permissions": [permission_text(one, cloud.space) for one in cloud.permissions],
            "quotas": {one.name: dict(one.hard) for one in cloud.quotas},
            "deployments": sorted(clouds.deployments_in(self._context.store(), cloud.project, cloud.name)),
            "clusters": self._clusters(),
        }
        if cloud.total:
            parts = {str(ref): dict(mine) for ref, mine in sorted(self._one.shares.items())}
            told["total"] = {"hard": dict(cloud.total), "divide": cloud.total_divide, "parts": parts}
        if cloud.user is not None:
            told["user"] = {"name": cloud.user.name, "type": cloud.user.type}
        if self._wanted.status == "ready":
            ready = [one.get("ready", cloud.kind == "admin") for one in told["clusters"].values()]
            told["ready_status"] = "Ready" if ready and all(ready) else "NotReady"
        counts = Counter(state for one in told["clusters"].values() for state in _states(one))
        told["counts"] = dict(counts)
        return told

    def _clusters(self) -> dict[str, dict[str, Any]]:
        refs = sorted(self._standings)
        if not refs:
            return {}
        with ThreadPoolExecutor(min(self._wanted.parallel, len(refs)), thread_name_prefix="observe") as pool:
            return {str(ref): told for ref, told in zip(refs, pool.map(self._cluster, refs), strict=True)}

    def _cluster(self, ref: ClusterRef) -> dict[str, Any]:
        standing, kept = self._standings[ref], self._kept[ref]
        told: dict[str, Any] = {"member": ref in self._one.members}
        if standing is not None:
            told["state"] = standing.state
            told.update({name: text for name in ("reason", "message") if (text := getattr(standing, name))})
        if kept is not None:
            told["credential"] = told_of(kept.credential, self._context.clock())
        if self._cloud.kind == "admin" or self._wanted.status == "stored":
            return told
        if ref not in self._fleet:
            return {**told, "ready": False, "reason": "UnknownCluster", "message": f"{ref} is not registered"}
        found = self._observed(ref)
        told["connectivity"] = "Available" if found.reachable else "Unreachable"
        if found.reason:
            told.update(reason=found.reason, message=found.message)
        if self._wanted.output == "detail":
            told["manifests"] = {str(one.identity): shown(one.live) for one in found.resources if one.live is not None}
        if self._wanted.status == "deployed":
            return {**told, "objects": {str(one.identity): one.deployed.value for one in found.resources}}
        objects = {str(one.identity): one.ready.value for one in found.resources}
        return {**told, "objects": objects, **self._readiness(ref, found)}

    def _observed(self, ref: ClusterRef) -> Observation:
        """How it is there; with ``detail`` each object too, as it is or, with ``deployed``, as it was sent."""
        whole = self._wanted.output == "detail"
        try:
            budget = Budget.of(self._wanted.cluster_timeout)
            client = client_of(reach_of(self._fleet[ref], self._context), budget)
        except EdgeError as error:
            return Observation(str(ref), reachable=False, reason=error.reason, message=error.message)
        try:
            found = observe(client, self._naming.label, self._context.keys(), pods=False, whole=whole)
            if whole and found.reachable and self._wanted.status == "deployed":
                return self._as_sent(ref, client, found)
            return found
        except EdgeError as error:
            return Observation(str(ref), reachable=False, reason=error.reason, message=error.message)
        finally:
            client.close()

    def _as_sent(self, ref: ClusterRef, client: ClusterClient, found: Observation) -> Observation:
        one = self._one
        wanted, _policy = bundle_on(
            client, self._fleet[ref], one.cloud, one.generation, one.shares.get(ref), self._context.keys()
        )
        sent = {one.identity: json.loads(one.body) for one in wanted.objects}
        return replace(found, resources=tuple(replace(one, live=sent.get(one.identity)) for one in found.resources))

    def _readiness(self, ref: ClusterRef, found: Observation) -> dict[str, Any]:
        """Ready when all objects are, a credential is there, and the tenant's access was tried with it."""
        if not found.reachable:
            return {"ready": False}
        why = self._access_trouble(ref)
        told: dict[str, Any] = {"ready": found.ready and not why, "access": why or "verified"}
        return told

    def _access_trouble(self, ref: ClusterRef) -> str:
        kept = self._kept[ref]
        if kept is None:
            return "no credential was issued"
        if kept.credential.generation != self._one.generation:
            return f"the credential is of generation {kept.credential.generation}, revoked"
        if kept.credential.not_after <= self._context.clock():
            return "the credential has expired"
        try:
            access = credentials.access_of(self._fleet[ref], kept.credential, self._context)
            budget = Budget.of(self._wanted.cluster_timeout)
            client = credentials.tenant_client(access, self._cloud, budget)
        except EdgeError as error:
            return error.message
        try:
            missing = credentials.missing_access(client, self._cloud)
        except EdgeError as error:
            return error.message
        finally:
            client.close()
        return f"may not {'; '.join(missing)}" if missing else ""

    def kubeconfigs(self) -> Iterator[tuple[str, bytes]]:
        """The files by name: one a cluster, and one with a context for each."""
        if self._cloud.user is None:
            return
        accesses = [
            credentials.access_of(self._fleet[ref], kept.credential, self._context)
            for ref, kept in sorted(self._kept.items())
            if kept is not None and ref in self._fleet and kept.credential.generation == self._one.generation
        ]
        for one in accesses:
            yield f"{self._cloud.name}.{one.name}.yaml", self._kubeconfig([one])
        if accesses:
            yield f"{self._cloud.name}.yaml", self._kubeconfig(accesses)

    def _kubeconfig(self, accesses: list[Access]) -> bytes:
        user = self._cloud.user.name if self._cloud.user is not None else ""
        # JSON is YAML, and kubectl reads it.
        return json.dumps(kubeconfig_of(accesses, user, self._cloud.space), indent=1).encode() + b"\n"


def _states(told: Mapping[str, Any]) -> list[str]:
    return list((told.get("objects") or {}).values())


def _write(folder: Path, files: Mapping[str, bytes], *, check: bool) -> bool:
    """Write files that only their owner reads; whether any of them changed."""
    changed = False
    for name, content in files.items():
        path = folder / name
        if path.exists() and path.read_bytes() == content and path.stat().st_mode & 0o777 == 0o600:
            continue
        changed = True
        if check:
            continue
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made for the owner alone from the start, and put in place whole.
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    return changed
