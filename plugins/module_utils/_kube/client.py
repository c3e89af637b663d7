# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what can be asked of a cluster. Every method is one request, pages of a list apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import (
    Answer,
    ClusterError,
    CutShortError,
    error_of,
)
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.kinds import Kinds, Resource
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
# Objects a page of a list: fewer where a line does not hold long enough for more.
_PAGES = (500, 50, 5)


@lru_cache(maxsize=256)
def _apply_query(manager: str, force: bool, dry_run: bool) -> str:
    query = {"fieldManager": manager, "force": "true" if force else "false"}
    return urlencode({**query, "dryRun": "All"} if dry_run else query)


@dataclass(frozen=True)
class Applied:
    """What a server made of an object that was applied."""

    live: dict[str, Any]
    created: bool


class Removal(Enum):
    """What became of a deletion."""

    ABSENT = "absent"
    DONE = "done"
    BEGUN = "begun"


class ClusterClient:
    """One cluster. Errors are ClusterError with the reason codes of ``answers`` and ``transport``.

    ``writer``: who writes, where that is somebody else than who reads: a tenant, so that the server itself refuses what
    oversteps. Dry runs and reviews of access are the writer's too.
    """

    def __init__(self, transport: Transport, writer: Transport | None = None) -> None:
        self.transport = transport
        self._writer = writer or transport
        self.name = transport.cluster
        self.kinds = Kinds(self._resources_of)

    def close(self) -> None:
        """Let the connections go."""
        self.transport.close()
        self._writer.close()

    @property
    def acts(self) -> bool:
        """Whether somebody else than who reads is the one who writes."""
        return self._writer is not self.transport

    @property
    def keeper(self) -> ClusterClient:
        """The same cluster with who reads as who writes: what is ours, not the tenant's, is written so."""
        return ClusterClient(self.transport) if self.acts else self

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self.transport.requests + (self._writer.requests if self.acts else 0)

    @property
    def writes(self) -> int:
        """How many of them may have stored something."""
        return self.transport.writes + (self._writer.writes if self.acts else 0)

    def within(self, budget: Budget) -> None:
        """From now on all work has this much time."""
        self.transport.budget = self._writer.budget = budget

    # reading

    def get(
        self, resource: Resource, namespace: str | None, name: str, *, metadata_only: bool = False
    ) -> dict[str, Any] | None:
        """The object, None when there is none."""
        attempt = f"get {described(resource, namespace, name)}"
        return self.read(
            resource.path(namespace, name), attempt, accept=_METADATA if metadata_only else "application/json"
        )

    def read(
        self, path: str, attempt: str, *, read_timeout: float | None = None, accept: str = "application/json"
    ) -> dict[str, Any] | None:
        """The document at a path, None when it is not found."""
        answer = self.transport.send("GET", path, attempt=attempt, read_timeout=read_timeout, accept=accept)
        return None if answer.status == 404 else self._checked(answer, attempt).document()

    def text(self, path: str, attempt: str) -> str:
        """Plain text at a path: logs, health."""
        answer = self.transport.send("GET", path, attempt=attempt, accept="*/*")
        return self._checked(answer, attempt).body.decode(errors="replace")

    def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """All objects of a kind, of one namespace or of all; a kind that is not served has none."""
        attempt = f"list {resource.plural}" + (f" in {namespace}" if namespace else "")
        limit, *fewer = _PAGES
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(limit), "continue": ""}
        while True:
            given = urlencode({name: value for name, value in query.items() if value})
            try:
                answer = self.transport.send(
                    "GET",
                    f"{resource.path(namespace)}?{given}",
                    attempt=attempt,
                    accept=_METADATA_LIST if metadata_only else "application/json",
                )
            except CutShortError:
                if not fewer:
                    raise
                query["limit"] = str(fewer.pop(0))
                continue
            if answer.status == 404:
                return
            page = self._checked(answer, attempt).document()
            for item in page.get("items") or ():
                # A list leaves out what is the same for all of its items.
                item.setdefault("apiVersion", resource.api_version)
                item["kind"] = resource.kind
                yield item
            query["continue"] = str((page.get("metadata") or {}).get("continue") or "")
            if not query["continue"]:
                return

    def version(self, *, read_timeout: float | None = None) -> str:
        """The server's version, such as ``v1.36.4``."""
        found = self.read("/version", "read the version", read_timeout=read_timeout) or {}
        return str(found.get("gitVersion") or "")

    # writing

    def apply(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: bytes,
        *,
        manager: str,
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Applied:
        """Server-side apply of an object that is already JSON."""
        path = resource.path(namespace, name) + (f"/{subresource}" if subresource else "")
        attempt = f"apply {described(resource, namespace, name)}"
        answer = self._writer.send(
            "PATCH", f"{path}?{_apply_query(manager, force, dry_run)}", attempt=attempt, body=body, content_type=_APPLY
        )
        return Applied(self._checked(answer, attempt).document(), answer.status == 201)

    def create(
        self,
        resource: Resource,
        namespace: str | None,
        document: Mapping[str, Any],
        *,
        subresource: str = "",
        manager: str = "emco-edge",
    ) -> dict[str, Any]:
        """Create an object, or something below one (a token); ``AlreadyExists`` when it is there."""
        name = str((document.get("metadata") or {}).get("name") or "")
        path = f"{resource.path(namespace, name)}/{subresource}" if subresource else resource.path(namespace)
        attempt = f"create {subresource + ' of ' if subresource else ''}{described(resource, namespace, name)}"
        return self._written("POST", path, attempt, document, manager)

    def replace(
        self,
        resource: Resource,
        namespace: str | None,
        document: Mapping[str, Any],
        *,
        subresource: str = "",
        manager: str = "emco-edge",
    ) -> dict[str, Any]:
        """Replace an object; ``Conflict`` when its resourceVersion is not the one in ``document``."""
        name = str(document["metadata"]["name"])
        attempt = f"replace {described(resource, namespace, name)}"
        path = resource.path(namespace, name) + (f"/{subresource}" if subresource else "")
        return self._written("PUT", path, attempt, document, manager)

    def merge(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        change: Mapping[str, Any],
        *,
        subresource: str = "",
        manager: str = "emco-edge",
    ) -> dict[str, Any]:
        """Merge-patch an object."""
        attempt = f"patch {described(resource, namespace, name)}"
        path = resource.path(namespace, name) + (f"/{subresource}" if subresource else "")
        return self._written("PATCH", path, attempt, change, manager, content_type=_MERGE, repeatable=True)

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> bool:
        """Delete an object if it is still the one with ``uid``; whether there was one."""
        left = self.begin_deletion(
            resource,
            namespace,
            name,
            uid=uid,
            resource_version=resource_version,
            propagation=propagation,
            dry_run=dry_run,
        )
        return left is not Removal.ABSENT

    def begin_deletion(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> Removal:
        """Delete an object if it is still the one with ``uid``, and say whether it is gone or on its way."""
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options["preconditions"] = {key: value for key, value in preconditions.items() if value}
        if dry_run:
            options["dryRun"] = ["All"]
        attempt = f"delete {described(resource, namespace, name)}"
        answer = self._writer.send(
            "DELETE",
            resource.path(namespace, name) + ("?dryRun=All" if dry_run else ""),
            attempt=attempt,
            body=json.dumps(options).encode(),
        )
        if answer.status == 404:
            return Removal.ABSENT
        # The object itself is the answer as long as finalizers or a grace period hold it, else a Status is.
        left = self._checked(answer, attempt).document()
        held = left.get("kind") != "Status" and bool((left.get("metadata") or {}).get("deletionTimestamp"))
        return Removal.BEGUN if held else Removal.DONE

    # below

    def _resources_of(self, api_version: str) -> Mapping[str, Any] | None:
        prefix = "/apis/" if "/" in api_version else "/api/"
        return self.read(prefix + api_version, f"read the kinds of {api_version}")

    def _written(
        self,
        method: str,
        path: str,
        attempt: str,
        document: Mapping[str, Any],
        manager: str,
        *,
        content_type: str = "application/json",
        repeatable: bool = False,
    ) -> dict[str, Any]:
        answer = self._writer.send(
            method,
            f"{path}?{urlencode({'fieldManager': manager})}",
            attempt=attempt,
            body=json.dumps(document).encode(),
            content_type=content_type,
            repeatable=repeatable,
        )
        return self._checked(answer, attempt).document()

    def _checked(self, answer: Answer, attempt: str) -> Answer:
        if answer.status >= 400:
            raise error_of(answer, attempt, self.name)
        return answer

    def resource(self, api_version: str, kind: str) -> Resource:
        """How the cluster serves a kind; ``KindNotServed`` when it does not."""
        found = self.kinds.find(api_version, kind)
        if found is None:
            raise ClusterError(
                "KindNotServed",
                f"{self.name} does not serve {api_version} {kind}.",
                hint="Install what brings the kind, or put its CustomResourceDefinition into the application.",
                details={"cluster": self.name, "apiVersion": api_version, "kind": kind},
            )
        return found


def described(resource: Resource, namespace: str | None, name: str) -> str:
    """``Deployment shop/api``, ``Namespace shop``."""
    return f"{resource.kind} {namespace}/{name}" if namespace and resource.namespaced else f"{resource.kind} {name}"
