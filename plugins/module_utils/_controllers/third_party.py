# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: action controllers of other collections. They see plain data and return plain data.

Their file has a function ``control(request)``. ``docs/guides/controllers.md`` describes request and answer; what comes
back is checked and compared here, and passes every check that rendered objects pass.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Controller, Objects, Subject
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problem

VERSION = 1
"""Of request and answer. It grows when something is taken away or means something else."""

Request = dict[str, Any]
Control = Callable[[Request], Any]


@dataclass(frozen=True)
class Changes:
    """What a controller did to the objects of an app, by readable names."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def as_result(self) -> dict[str, list[str]]:
        """As it stands in a result."""
        return {name: list(titles) for name, titles in self.__dict__.items() if titles}


def third_party(name: str, control: Control, options: Mapping[str, Any]) -> Controller:
    """The controller ``<namespace>.<collection>.<file>`` whose file has the function ``control``."""

    def edit(objects: Objects, subject: Subject) -> Objects:
        request = request_for(objects, subject, options)
        answer = _asked(name, control, request, subject)
        # Twice the same question: a plan must not depend on chance or on the time of day.
        if _asked(name, control, request, subject) != answer:
            raise _refused(name, subject, "answered the same question with something else the second time")
        return answer

    def concerns(subject: Subject) -> Hashable:
        return (subject.cluster.ref, subject.replicas)

    return Controller(name, edit, concerns)


def request_for(objects: Objects, subject: Subject, options: Mapping[str, Any]) -> Request:
    """What a controller is given: a deep copy, so that nothing it does reaches what was rendered."""
    cluster, facts = subject.cluster, subject.cluster.facts
    return copy.deepcopy(
        {
            "version": VERSION,
            "deployment": subject.deployment,
            "app": subject.app,
            "namespace": subject.namespace,
            "replicas": subject.replicas,
            "options": dict(options),
            "cluster": {
                "name": str(cluster.ref),
                "labels": dict(cluster.labels),
                "kv": {name: dict(values) for name, values in cluster.kv.items()},
                "version": facts.version if facts is not None else "",
                "apis": list(facts.apis) if facts is not None else [],
                "engines": dict(facts.engines) if facts is not None else {},
            },
            "objects": [dict(one) for one in objects],
        }
    )


def changes(before: Objects, after: Objects) -> Changes:
    """What was added, changed and removed between two lists of objects."""
    old, new = {title(one): one for one in before}, {title(one): one for one in after}
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(one for one in new.keys() & old.keys() if old[one] != new[one])),
        removed=tuple(sorted(old.keys() - new.keys())),
    )


def title(one: Mapping[str, Any]) -> str:
    """How results call an object: ``apps/Deployment web``, with its namespace where it has one."""
    metadata = one["metadata"]
    group = str(one["apiVersion"]).rpartition("/")[0]
    space = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{group}/{one['kind']} {space}{metadata['name']}".lstrip("/")


def _asked(name: str, control: Control, request: Request, subject: Subject) -> list[dict[str, Any]]:
    try:
        answer = control(copy.deepcopy(request))
    except EdgeError:
        raise
    except Exception as failure:  # whatever it raises, it is theirs
        raise _refused(name, subject, f"raised {type(failure).__name__}: {failure}") from failure
    problems = list(_problems(answer))
    if problems:
        raise InvalidInput(
            problems, of=f"the answer of controller {name} for app {subject.app} on {subject.cluster.ref}"
        )
    objects: list[dict[str, Any]] = json.loads(json.dumps(answer["objects"]))
    return objects


def _problems(answer: Any) -> Iterator[Problem]:
    if not isinstance(answer, Mapping):
        yield Problem("", f"must be a dictionary, not {type(answer).__name__}")
        return
    for told in answer.get("problems") or ():
        told = told if isinstance(told, Mapping) else {"message": told}
        yield Problem(str(told.get("path") or ""), str(told.get("message")), str(told.get("hint") or ""))
    if answer.get("version") != VERSION:
        yield Problem("version", f"must be {VERSION}, not {answer.get('version')!r}")
    objects = answer.get("objects")
    if not isinstance(objects, list):
        if not answer.get("problems"):
            yield Problem("objects", "must be a list of Kubernetes objects")
        return
    seen: set[str] = set()
    for index, one in enumerate(objects):
        path = f"objects[{index}]"
        metadata = one.get("metadata") if isinstance(one, Mapping) else None
        if not isinstance(metadata, Mapping) or not all(
            isinstance(text, str) and text for text in (one.get("apiVersion"), one.get("kind"), metadata.get("name"))
        ):
            yield Problem(path, "must have apiVersion, kind and metadata.name")
            continue
        if title(one) in seen:
            yield Problem(path, f"{title(one)} is there twice")
        seen.add(title(one))
        try:
            json.dumps(one)
        except (TypeError, ValueError) as wrong:
            yield Problem(path, f"{title(one)} is not plain data: {wrong}")


def _refused(name: str, subject: Subject, what: str) -> EdgeError:
    return EdgeError(
        "ControllerFailed",
        f"controller {name} {what}, for app {subject.app} on {subject.cluster.ref}. Nothing was changed.",
        hint="It belongs to another collection; -vvv shows more.",
    )
