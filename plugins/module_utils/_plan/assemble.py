# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: from the objects of an app to what will be sent: labelled, serialised once, digested."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model import names
from ansible_collections.emco.edge.plugins.module_utils._model.pod_templates import pod_template
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import (
    APP_LABEL,
    DEPLOYMENT_LABEL,
    MANAGED_BY,
    OURS,
    AppDependency,
    Bundle,
    Digest,
    Hook,
    Identity,
    PlannedObject,
)

_KEEP = "helm.sh/resource-policy"


@dataclass(frozen=True)
class Naming:
    """The names by which a deployment, or something else that is brought to clusters, is known there."""

    project: str
    name: str
    what: str = ""
    """Empty for a deployment, else what it is instead, such as ``logical_cloud``: it may have a deployment's name."""

    @property
    def readable(self) -> str:
        """``project/name``, or ``logical cloud project/name``."""
        lead = self.what.replace("_", " ") + " " if self.what else ""
        return f"{lead}{self.project}/{self.name}"

    @property
    def place(self) -> tuple[str, ...]:
        """Where in the store, below the name of what is kept."""
        return (self.project, self.name, *([self.what] if self.what else []))

    @property
    def label(self) -> str:
        """The value of the deployment label: ``project.name``, hashed where that could mean another one."""
        if "." in self.project or "." in self.name or self.what:
            return names.as_label_value(f"{self.readable}.")
        return names.as_label_value(f"{self.project}.{self.name}")

    @property
    def manager(self) -> str:
        """The field manager, one a deployment, so that two deployments conflict loudly."""
        return f"{OURS}:{hashlib.sha256(self.readable.encode()).hexdigest()[:10]}"

    def labels(self, app: str) -> dict[str, str]:
        """What every object of an app carries; none of it changes between revisions."""
        return {
            MANAGED_BY: OURS,
            DEPLOYMENT_LABEL: self.label,
            APP_LABEL: names.as_label_value(app),
        }


def identity_of(document: Mapping[str, Any]) -> Identity:
    """The identity of an object."""
    metadata = document.get("metadata") or {}
    return Identity(
        group=str(document["apiVersion"]).rpartition("/")[0],
        kind=str(document["kind"]),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
    )


def planned(document: Mapping[str, Any], app: str, hook: Hook | None, naming: Naming, digest: Digest) -> PlannedObject:
    """An object as it will be sent. ``document`` is left as it is."""
    labelled = copy.deepcopy(dict(document))
    _label(labelled, naming.labels(app))
    _encode_strings(labelled)
    body = json.dumps(labelled, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    annotations = labelled["metadata"].get("annotations") or {}
    return PlannedObject(
        identity=identity_of(labelled),
        api_version=str(labelled["apiVersion"]),
        app=app,
        digest=digest(body),
        body=body,
        hook=hook,
        keep=annotations.get(_KEEP) == "keep",
    )


def _encode_strings(document: dict[str, Any]) -> None:
    """Write a Secret's ``stringData`` as ``data``: nobody owns stringData on the server, so its drift is not seen."""
    if (document["apiVersion"], document["kind"]) != ("v1", "Secret"):
        return
    strings = document.pop("stringData", None)
    if strings:
        encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in strings.items()}
        document["data"] = {**(document.get("data") or {}), **encoded}


def _label(document: dict[str, Any], labels: Mapping[str, str]) -> None:
    for place in (document, pod_template(document)):
        if place is None:
            continue
        metadata = place.setdefault("metadata", {})
        if metadata is None:
            metadata = place["metadata"] = {}
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}


def bundle(
    naming: Naming,
    objects: Sequence[PlannedObject],
    apps: Iterable[str],
    dependencies: Mapping[str, tuple[AppDependency, ...]],
    namespaces: frozenset[str] | None,
    digest: Digest,
    *,
    release: str = "",
    decision: Mapping[str, Any] | None = None,
) -> Bundle:
    """The bundle of ``objects``, which stand in install order; its digest stands for all of it."""
    order = tuple(apps)
    here = {app: dependencies[app] for app in order if dependencies.get(app)}
    content = [
        [[*_row(one)] for one in objects],
        list(order),
        {app: [[need.on, need.status, need.wait, need.scope] for need in needs] for app, needs in sorted(here.items())},
        sorted(namespaces) if namespaces is not None else None,
    ]
    return Bundle(
        deployment=naming.readable,
        label=naming.label,
        manager=naming.manager,
        digest=digest(json.dumps(content, separators=(",", ":")).encode()),
        objects=tuple(objects),
        apps=order,
        dependencies=here,
        namespaces=namespaces,
        release=release,
        decision=decision or {},
    )


def _row(one: PlannedObject) -> list[Any]:
    hook = [list(one.hook.events), one.hook.weight, list(one.hook.delete_policies)] if one.hook else None
    where = one.identity
    return [one.app, one.api_version, where.kind, where.namespace, where.name, one.digest, hook, one.keep]


def bundle_document(one: Bundle) -> dict[str, Any]:
    """A bundle as JSON data; bodies are kept apart, under their digests."""
    return {
        "digest": one.digest,
        "objects": [_row(each) for each in one.objects],
        "apps": list(one.apps),
        "dependencies": {
            app: [[need.on, need.status, need.wait, need.scope] for need in needs]
            for app, needs in one.dependencies.items()
        },
        "namespaces": sorted(one.namespaces) if one.namespaces is not None else None,
        "release": one.release,
        "decision": dict(one.decision),
    }


def bundle_of(document: Mapping[str, Any], naming: Naming, bodies: Mapping[str, bytes]) -> Bundle:
    """The bundle that ``bundle_document`` made, with its bodies."""
    namespaces = document["namespaces"]
    return Bundle(
        deployment=naming.readable,
        label=naming.label,
        manager=naming.manager,
        digest=str(document["digest"]),
        objects=tuple(_object(row, bodies) for row in document["objects"]),
        apps=tuple(document["apps"]),
        dependencies={
            app: tuple(AppDependency(*need) for need in needs) for app, needs in document["dependencies"].items()
        },
        namespaces=frozenset(namespaces) if namespaces is not None else None,
        release=str(document["release"]),
        decision=dict(document["decision"]),
    )


def _object(row: Sequence[Any], bodies: Mapping[str, bytes]) -> PlannedObject:
    app, api_version, kind, namespace, name, digest, hook, keep = row
    return PlannedObject(
        identity=Identity(str(api_version).rpartition("/")[0], kind, namespace, name),
        api_version=api_version,
        app=app,
        digest=digest,
        body=bodies[digest],
        hook=Hook(tuple(hook[0]), hook[1], tuple(hook[2])) if hook else None,
        keep=keep,
    )
