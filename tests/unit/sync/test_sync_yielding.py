# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields are left to others, and when an object is not fought over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._sync.options import IgnoredField
from ansible_collections.emco.edge.plugins.module_utils._sync.yielding import contested, without_fields_of_others
from tests.unit.sync.planned import MANAGER, config, live

WANTED = config("web", kind="Deployment", group="apps")
BODY = {
    "metadata": {"annotations": {"example.com/seen": "1", "plain": "1"}},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": "a"}, {"name": "side"}]}}},
}


def sent(*paths: str, ours: dict[str, Any] | None = None, kind: str = "*", name: str = "*") -> Any:
    """The body as it is sent when these paths are ignored and ``ours`` (FieldsV1) is what we still own."""
    there = {**json.loads(json.dumps(BODY))}
    there["metadata"]["managedFields"] = [{"manager": MANAGER, "operation": "Apply", "fieldsV1": ours or {}}]
    ignored = [IgnoredField(path, kind, name) for path in paths]
    nobody: Any = None  # nothing is asked of the cluster while nobody scaled
    body = json.dumps(BODY).encode()
    return json.loads(without_fields_of_others(nobody, WANTED.identity, there, body, ignored=ignored, manager=MANAGER))


def test_an_ignored_field_that_others_took_is_not_sent() -> None:
    found = sent(
        "spec.replicas", "spec.template.spec.containers[name=web].image", "metadata.annotations[example.com/seen]"
    )

    assert found == {
        "metadata": {"annotations": {"plain": "1"}},
        "spec": {"template": {"spec": {"containers": [{"name": "web"}, {"name": "side"}]}}},
    }


def test_a_whole_list_item_can_be_left_to_others() -> None:
    found = sent("spec.template.spec.containers[name=side]")
    assert found["spec"]["template"]["spec"]["containers"] == [{"name": "web", "image": "a"}]


def test_an_ignored_field_that_is_still_ours_is_sent_or_it_would_be_taken_off() -> None:
    assert sent("spec.replicas", ours={"f:spec": {"f:replicas": {}}}) == BODY


@pytest.mark.parametrize("ignored", [{"kind": "StatefulSet"}, {"name": "api-*"}])
def test_fields_of_other_objects_are_not_meant(ignored: dict[str, str]) -> None:
    assert sent("spec.replicas", **ignored) == BODY


@pytest.mark.parametrize("path", ["spec.nothing", "spec.template.spec.containers[name=none].image", "nothing.at.all"])
def test_a_path_that_leads_nowhere_changes_nothing(path: str) -> None:
    assert sent(path) == BODY


def owner(manager: str, operation: str, **fields: Any) -> dict[str, Any]:
    there = live(config("a"), value="theirs")
    entry = {"manager": manager, "operation": operation, "fieldsV1": {"f:data": {"f:value": {}}}}
    there["metadata"]["managedFields"] = [entry]
    return there


@pytest.mark.parametrize(
    ("manager", "operation", "value", "expected"),
    [
        ("flux", "Apply", "ours", True),
        ("flux", "Apply", "theirs", False),
        ("kubectl-edit", "Update", "ours", False),
        (MANAGER, "Apply", "ours", False),
    ],
)
def test_only_another_declared_owner_that_wants_it_otherwise_is_not_fought(
    manager: str, operation: str, value: str, expected: bool
) -> None:
    body = json.dumps({"data": {"value": value}}).encode()
    assert contested(owner(manager, operation), body, MANAGER) is expected
