# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a live object is ours."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import (
    applied_by,
    changes,
    digest_of,
    owners_of,
    projection,
    seen_before,
)

OURS = "emco-edge:1"
CONFIG = Identity("", "ConfigMap", "shop", "web")
SECRET = Identity("", "Secret", "shop", "web")


def digest(data: bytes) -> str:
    return data.decode()


def owned(manager: str, fields: dict[str, Any], operation: str = "Apply", **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **more}


def live(document: dict[str, Any], *entries: dict[str, Any]) -> dict[str, Any]:
    return {**document, "metadata": {**document.get("metadata", {}), "managedFields": list(entries)}}


DEPLOYMENT = {
    "metadata": {"labels": {"app": "web", "theirs": "x"}, "finalizers": ["ours", "theirs"]},
    "spec": {
        "replicas": 3,
        "paused": False,
        "template": {
            "spec": {
                "containers": [
                    {"name": "side", "image": "side:1"},
                    {
                        "name": "web",
                        "image": "web:1",
                        "imagePullPolicy": "Always",
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    },
                ]
            }
        },
    },
    "status": {"replicas": 3},
}
FIELDS = {
    "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {'v:"ours"': {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                    }
                }
            }
        },
    },
}


def test_only_what_our_manager_applied_is_ours() -> None:
    found = projection(
        live(
            DEPLOYMENT,
            owned("kubectl", {"f:spec": {"f:paused": {}}}),
            owned(OURS, FIELDS),
            owned(OURS, {"f:status": {"f:replicas": {}}}, "Apply", subresource="status"),
            owned(OURS, {"f:spec": {"f:paused": {}}}, "Update"),
        ),
        OURS,
    )

    assert found == {
        "f:metadata": {"f:labels": {"f:app": "web"}, "f:finalizers": {'v:"ours"': "ours"}},
        "f:spec": {
            "f:replicas": 3,
            "f:template": {
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"web"}': {
                            ".": True,
                            "f:name": "web",
                            "f:image": "web:1",
                            "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": True, "f:containerPort": 80}},
                        }
                    }
                }
            },
        },
    }


def test_a_field_that_is_gone_is_not_ours() -> None:
    document = copy.deepcopy(DEPLOYMENT)
    del document["spec"]["replicas"]
    document["metadata"]["finalizers"] = ["theirs"]

    found = projection(live(document, owned(OURS, FIELDS)), OURS)

    assert "f:replicas" not in found["f:spec"]
    assert found["f:metadata"]["f:finalizers"] == {}


def test_what_others_change_does_not_change_our_digest() -> None:
    before = live(DEPLOYMENT, owned(OURS, FIELDS))
    after = copy.deepcopy(before)
    after["status"]["replicas"] = 2
    after["metadata"]["labels"]["theirs"] = "y"
    after["metadata"]["resourceVersion"] = "77"
    after["spec"]["template"]["spec"]["containers"].reverse()

    assert digest_of(projection(before, OURS), digest) == digest_of(projection(after, OURS), digest)


def test_nothing_ours_has_an_empty_digest() -> None:
    assert digest_of(projection(live(DEPLOYMENT), OURS), digest) == ""
    assert not applied_by(live(DEPLOYMENT, owned(OURS, {}, "Update")), OURS)


def test_changes_are_told_by_readable_paths() -> None:
    document = copy.deepcopy(DEPLOYMENT)
    document["spec"]["template"]["spec"]["containers"][1]["image"] = "web:2"
    document["metadata"]["labels"]["app"] = "shop"

    found = changes(
        CONFIG,
        projection(live(DEPLOYMENT, owned(OURS, FIELDS)), OURS),
        projection(live(document, owned(OURS, FIELDS)), OURS),
    )

    assert [(one.path, one.before, one.after) for one in found] == [
        ("metadata.labels.app", "web", "shop"),
        ("spec.template.spec.containers[name=web].image", "web:1", "web:2"),
    ]


def test_secret_values_are_never_told() -> None:
    found = changes(
        SECRET,
        {"f:data": {"f:a": "canary", "f:gone": "canary"}, "f:type": "Opaque"},
        {"f:data": {"f:a": "canary2", "f:new": "canary"}, "f:type": "other"},
    )

    assert "canary" not in repr(found)
    assert [(one.path, one.before, one.after) for one in found] == [
        ("data.a", "*** (before)", "*** (after)"),
        ("data.gone", "***", None),
        ("data.new", None, "***"),
        ("type", "Opaque", "other"),
    ]


def test_a_field_that_somebody_took_is_shown_with_their_value() -> None:
    document = live(
        DEPLOYMENT,
        owned(OURS, {"f:metadata": {"f:labels": {"f:app": {}}}}),
        owned("hand", {"f:spec": {"f:replicas": {}}}),
    )
    after = {"f:metadata": {"f:labels": {"f:app": "web"}}, "f:spec": {"f:replicas": 5}}

    before = seen_before(document, OURS, after)

    assert [(one.path, one.before, one.after) for one in changes(CONFIG, before, after)] == [("spec.replicas", 3, 5)]
    assert owners_of(document, after, OURS) == ("hand",)


# properties

names = st.text("abcxyz.", min_size=1, max_size=4)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=3), st.lists(st.integers(0, 3), max_size=3)
)
documents = st.recursive(
    st.dictionaries(names, leaves, max_size=4),
    lambda inner: st.dictionaries(
        names, st.one_of(leaves, inner, st.lists(inner.map(lambda one: one), max_size=0)), max_size=4
    ),
    max_leaves=12,
)


def all_fields(document: Any) -> dict[str, Any]:
    """FieldsV1 of a manager that set everything."""
    if not isinstance(document, dict):
        return {}
    return {f"f:{name}": all_fields(value) for name, value in document.items()}


def plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {name.removeprefix("f:"): plain(value) for name, value in found.items()}
    return found


@given(documents)
def test_whoever_set_everything_owns_everything(document: dict[str, Any]) -> None:
    metadata = {"managedFields": [owned(OURS, all_fields(document))]}

    assert plain(projection({**document, "metadata": metadata}, OURS)) == {
        name: value for name, value in document.items() if name != "metadata"
    }


@given(documents, documents)
def test_digests_agree_exactly_when_there_are_no_changes(one: dict[str, Any], other: dict[str, Any]) -> None:
    before = projection({**one, "metadata": {"managedFields": [owned(OURS, all_fields(one))]}}, OURS)
    after = projection({**other, "metadata": {"managedFields": [owned(OURS, all_fields(other))]}}, OURS)

    same = json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)

    assert (digest_of(before, digest) == digest_of(after, digest)) == same
    if same:
        assert changes(CONFIG, before, after) == ()


@given(documents, documents)
def test_changes_masks_every_value_of_a_secret(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = {"f:data": all_values(one)}, {"f:data": all_values(other)}

    for change in changes(SECRET, before, after):
        assert {change.before, change.after} <= {None, "***", "*** (before)", "*** (after)"}


def all_values(document: dict[str, Any]) -> dict[str, Any]:
    return {f"f:{name}": all_values(value) if isinstance(value, dict) else value for name, value in document.items()}


@pytest.mark.parametrize("times", [1000])
def test_a_small_object_costs_less_than_a_tenth_of_a_millisecond(times: int) -> None:
    document = live(DEPLOYMENT, owned("kubectl", {"f:spec": {"f:paused": {}}}), owned(OURS, FIELDS))
    best = float("inf")
    for _unused in range(5):
        started = time.process_time()
        for _unused in range(times):
            digest_of(projection(document, OURS), digest)
        best = min(best, (time.process_time() - started) / times)

    assert best < 0.0001
