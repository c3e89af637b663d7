# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the customizations action controller (EMCO's gac): new objects and changed ones."""

from __future__ import annotations

import base64
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import (
    Controller,
    Intents,
    Objects,
    Patched,
    Subject,
)
from ansible_collections.emco.edge.plugins.module_utils._model.customization import Change, Customization
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, near


def customized(objects: Objects, wanted: Customization, changes: Sequence[Change], patched: Patched) -> Objects:
    """The objects of one app with a customization made on them; the input is not changed."""
    if wanted.create:
        made = _new(wanted)
        return [*(one for one in objects if not wanted.is_meant(one)), _changed(made, changes, patched)]
    return [_changed(one, changes, patched) if wanted.is_meant(one) else one for one in objects]


def _new(wanted: Customization) -> dict[str, Any]:
    template = dict(wanted.template)
    metadata = {**(template.get("metadata") or {}), "name": wanted.name}
    return {**template, "apiVersion": wanted.api_version, "kind": wanted.kind, "metadata": metadata}


def _changed(document: Mapping[str, Any], changes: Sequence[Change], patched: Patched) -> dict[str, Any]:
    found = dict(document)
    patches: list[Any] = []
    for one in changes:
        _add_data(found, one)
        patches += [*one.merge, *([list(one.patch)] if one.patch else [])]
    if patches:
        if found.get("kind") in ("ConfigMap", "Secret"):
            found.setdefault("data", {})  # patches add keys to it
        found = dict(patched(found, patches))
    if not found.get("data", True):
        del found["data"]
    return found


def _add_data(found: dict[str, Any], change: Change) -> None:
    text, binary = dict(change.data), dict(change.binary_data)
    if not text and not binary:
        return
    if found["kind"] == "Secret":
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
        found["data"] = {**(found.get("data") or {}), **encoded, **binary}
        return
    if text:
        found["data"] = {**(found.get("data") or {}), **text}
    if binary:
        found["binaryData"] = {**(found.get("binaryData") or {}), **binary}


def _to_do(subject: Subject) -> Iterator[tuple[int, Customization, tuple[int, ...]]]:
    """What is to be done for an app on a cluster: the number of the customization, itself, its changes there."""
    for number, one in enumerate(subject.intents.customizations):
        if one.app == subject.app:
            changes = one.changes_for(subject.cluster)
            if changes or (one.create and not one.changes):
                yield number, one, changes


def _edited(objects: Objects, subject: Subject) -> Objects:
    for _number, one, changes in _to_do(subject):
        objects = customized(objects, one, [one.changes[index] for index in changes], subject.intents.patched)
    return objects


def _concerns(subject: Subject) -> Hashable:
    return tuple((number, changes) for number, _one, changes in _to_do(subject)) or None


def _problems(intents: Intents, samples: Mapping[str, Objects]) -> Iterator[Problem]:
    """Objects that are to be changed and that the app does not render; EMCO skips them silently."""
    made = {(one.app, one.api_version, one.kind, one.name) for one in intents.customizations if one.create}
    for index, one in enumerate(intents.customizations):
        if one.create or one.app not in samples or (one.app, one.api_version, one.kind, one.name) in made:
            continue
        objects = samples[one.app]
        if not any(one.is_meant(each) for each in objects):
            known = sorted({f"{each.get('kind')} {(each.get('metadata') or {}).get('name')}" for each in objects})
            what = f"{one.kind} {one.name}"
            hint = near(what, known) or f"it has {', '.join(known) or 'no object'}"
            yield Problem(f"customizations[{index}]", f"app {one.app!r} renders no {one.api_version} {what}", hint)


CONTROLLER = Controller("customizations", _edited, _concerns, _problems)
