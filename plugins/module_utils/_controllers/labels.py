# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the labels action controller: labels of the user's choice on all objects and pod templates."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Controller, Objects, Subject
from ansible_collections.emco.edge.plugins.module_utils._model.names import as_label_value
from ansible_collections.emco.edge.plugins.module_utils._model.pod_templates import pod_template


def with_labels(objects: Objects, labels: Mapping[str, str]) -> Objects:
    """The objects with these labels, on their pod templates too; the input is not changed."""
    changed = [copy.deepcopy(dict(one)) for one in objects]
    for one in changed:
        _label(one, labels)
        template = pod_template(one)
        if template is not None:
            _label(template, labels)
    return changed


def labels_of(subject: Subject) -> dict[str, str]:
    """The labels of an app: ``{app}`` stands for its name, and what is no label value for a hash."""
    return {key: as_label_value(value.replace("{app}", subject.app)) for key, value in subject.intents.labels.items()}


def _label(place: dict[str, Any], labels: Mapping[str, str]) -> None:
    metadata = place.get("metadata") or {}
    place["metadata"] = {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}


def _edited(objects: Objects, subject: Subject) -> Objects:
    return with_labels(objects, labels_of(subject))


def _concerns(subject: Subject) -> Hashable:
    return tuple(sorted(labels_of(subject).items())) or None


CONTROLLER = Controller("labels", _edited, _concerns, hooks=True)
