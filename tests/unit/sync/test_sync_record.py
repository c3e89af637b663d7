# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a deployment in a cluster. A fake API server stands in: faults are what is looked at."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._store.keys import new_keys
from ansible_collections.emco.edge.plugins.module_utils._sync.record import (
    Phase,
    Record,
    RecordedObject,
    delete_record,
    read_record,
    record_name,
    write_record,
)
from tests.unit.sync.planned import config, record, recorded

KEYS = new_keys("a test")


class FakeCluster:
    """The Secret of one record of a cluster, with resourceVersions as an API server gives them, and its parts."""

    name = "lab+edge-1"

    def __init__(self) -> None:
        self.secret: dict[str, Any] | None = None
        self.parts: dict[str, dict[str, Any]] = {}
        self.answers: list[dict[str, Any]] = []
        self.namespace = False
        self.version = 0
        self.keeper = self

    def get(self, resource: Any, namespace: str, name: str) -> dict[str, Any] | None:
        if name.count("-") > 1:
            return self.parts.get(name)
        return self.answers.pop(0) if self.answers else self.secret

    def list(self, resource: Any, namespace: str, *, labels: str, metadata_only: bool) -> Iterator[dict[str, Any]]:
        key, _unused, value = labels.partition("=")
        return iter([one for one in self.parts.values() if one["metadata"]["labels"][key] == value])

    def create(self, resource: Any, namespace: str | None, document: dict[str, Any], *, manager: str) -> dict[str, Any]:
        if resource.kind == "Namespace":
            self.namespace = True
            return document
        if not self.namespace:
            raise ClusterError("NamespaceMissing", "", status=404)
        name = str(document["metadata"]["name"])
        if name.count("-") > 1:
            if name in self.parts:
                raise ClusterError("AlreadyExists", "", status=409)
            self.parts[name] = document
            return document
        if self.secret is not None:
            raise ClusterError("AlreadyExists", "", status=409)
        return self.stored(document)

    def replace(self, resource: Any, namespace: str, document: dict[str, Any], *, manager: str) -> dict[str, Any]:
        if self.secret is None:
            raise ClusterError("NotFound", "", status=404)
        if document["metadata"]["resourceVersion"] != self.secret["metadata"]["resourceVersion"]:
            raise ClusterError("Conflict", "", status=409)
        return self.stored(document)

    def delete(self, resource: Any, namespace: str, name: str, *, resource_version: str = "") -> bool:
        if name.count("-") > 1:
            return self.parts.pop(name, None) is not None
        if self.secret is not None and resource_version != self.secret["metadata"]["resourceVersion"]:
            raise ClusterError("Conflict", "", status=409)
        self.secret = None
        return True

    def stored(self, document: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.secret = json.loads(json.dumps(document))
        self.secret["metadata"]["resourceVersion"] = str(self.version)
        return self.secret


def written(one: Record) -> tuple[FakeCluster, Record]:
    cluster = FakeCluster()
    return cluster, write_record(cluster, Record(**{**one.__dict__, "version": ""}), KEYS)  # type: ignore[arg-type]


def read(cluster: FakeCluster, label: str = "demo.shop", keys: Any = KEYS) -> Record | None:
    return read_record(cluster, label, keys)  # type: ignore[arg-type]


texts = st.text(max_size=8)
objects = st.builds(
    RecordedObject,
    identity=st.builds(Identity, st.sampled_from(["", "apps"]), texts, texts, texts),
    api_version=st.just("v1"),
    app=texts,
    uid=texts,
    sent=texts,
    live=texts,
    hook=st.booleans(),
    keep=st.booleans(),
    expires=st.booleans(),
).map(
    lambda one: RecordedObject(
        **{**one.__dict__, "api_version": f"{one.identity.group}/v1" if one.identity.group else "v1"}
    )
)


@given(st.lists(objects, max_size=4), texts, st.sampled_from(Phase), st.lists(texts, max_size=2))
@settings(max_examples=50)
def test_what_is_written_is_what_is_read(some: list[RecordedObject], text: str, phase: Phase, done: list[str]) -> None:
    one = record(
        *some, release=text, bundle=text, phase=phase, hooks_done=tuple(done), decision={"apps": [text]}, run=3
    )

    cluster, stored = written(one)

    assert read(cluster) == one
    assert stored.version == "1"


def test_the_namespace_is_made_when_it_is_missing() -> None:
    cluster, _unused = written(record(recorded(config("a"))))
    assert cluster.namespace


def test_readable_names_stand_outside_of_what_is_signed() -> None:
    cluster, _unused = written(record())
    assert cluster.secret is not None
    assert cluster.secret["metadata"]["annotations"] == {"emco.edge/record-of": "demo/shop"}


def test_the_second_of_two_writers_is_told() -> None:
    cluster, stored = written(record())
    write_record(cluster, stored, KEYS)  # type: ignore[arg-type]

    for attempt in (write_record, lambda client, one, keys: delete_record(client, one)):
        with pytest.raises(ClusterError, match="changed by somebody else") as raised:
            attempt(cluster, stored, KEYS)  # type: ignore[arg-type]
        assert raised.value.reason == "RecordConflict"


def test_a_record_that_appeared_or_vanished_meanwhile_is_a_conflict_too() -> None:
    cluster, stored = written(record())
    with pytest.raises(ClusterError) as appeared:
        write_record(cluster, Record(**{**stored.__dict__, "version": ""}), KEYS)  # type: ignore[arg-type]
    cluster.secret = None
    with pytest.raises(ClusterError) as vanished:
        write_record(cluster, stored, KEYS)  # type: ignore[arg-type]

    assert [one.value.reason for one in (appeared, vanished)] == ["RecordConflict"] * 2


def tampered(change: Any) -> FakeCluster:
    cluster, _unused = written(record(recorded(config("a"))))
    assert cluster.secret is not None
    change(cluster.secret)
    return cluster


def other_content(secret: dict[str, Any]) -> None:
    document = json.loads(gzip.decompress(base64.b64decode(secret["data"]["record"])))
    document["objects"] = []
    secret["data"]["record"] = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()


@pytest.mark.parametrize(
    "change",
    [
        other_content,
        lambda secret: secret["data"].update(signature=""),
        lambda secret: secret["data"].update(record="%%%"),
        lambda secret: secret["data"].pop("record"),
        lambda secret: secret.pop("data"),
        lambda secret: secret["metadata"].update(name=record_name("another.deployment")),
    ],
)
def test_a_record_that_somebody_edited_is_not_trusted(change: Any) -> None:
    with pytest.raises(ClusterError) as raised:
        read(tampered(change))
    assert raised.value.reason == "RecordNotTrusted"


def test_a_record_that_was_signed_with_other_keys_is_not_trusted() -> None:
    cluster, _unused = written(record())
    with pytest.raises(ClusterError) as raised:
        read(cluster, keys=new_keys("another test"))
    assert raised.value.reason == "RecordNotTrusted"


def test_a_record_outlives_the_rotation_of_keys() -> None:
    cluster, _unused = written(record())
    assert read(cluster, keys=KEYS.with_new_key()) == record()


def many(count: int) -> list[RecordedObject]:
    noise = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    return [RecordedObject(Identity("", "ConfigMap", "shop", one), "v1", "web", uid=one[::-1]) for one in noise]


def test_a_record_that_no_secret_holds_is_several_and_swapped_as_one() -> None:
    cluster = FakeCluster()
    stored = write_record(cluster, record(*many(30000), version=""), KEYS)  # type: ignore[arg-type]
    assert cluster.secret is not None and "record" not in cluster.secret["data"]
    assert len(stored.parts) > 1 and set(cluster.parts) == set(stored.parts)
    assert all(len(json.dumps(part)) < 1_300_000 for part in cluster.parts.values())
    assert read(cluster) == stored
    before = dict(cluster.parts)
    shorter = write_record(cluster, replace(stored, objects=stored.objects[:20000]), KEYS)  # type: ignore[arg-type]
    assert read(cluster) == shorter and set(cluster.parts) == set(shorter.parts)
    # The one who comes too late changes nothing of what the other wrote.
    with pytest.raises(ClusterError) as late:
        write_record(cluster, replace(stored, objects=stored.objects[:25000]), KEYS)  # type: ignore[arg-type]
    assert late.value.reason == "RecordConflict" and read(cluster) == shorter
    # Whoever holds the older one in hand reads the newer one.
    older, newer = dict(cluster.secret), cluster.secret
    older["data"] = {**older["data"], "parts": base64.b64encode(json.dumps(list(before)).encode()).decode()}
    older["metadata"] = {**older["metadata"], "resourceVersion": "0"}
    cluster.answers = [older, newer]
    assert read(cluster) == shorter
    small = write_record(cluster, replace(shorter, objects=()), KEYS)  # type: ignore[arg-type]
    assert small.parts == () and not set(cluster.parts) & set(shorter.parts)
    large = write_record(cluster, replace(small, objects=shorter.objects), KEYS)  # type: ignore[arg-type]
    delete_record(cluster, large)  # type: ignore[arg-type]
    assert cluster.secret is None and cluster.parts == {}, "what a late writer left goes as well"


@pytest.mark.parametrize("change", ["missing", "other", "not a list", "not ours"])
def test_a_part_that_somebody_edited_makes_the_record_untrusted(change: str) -> None:
    cluster, stored = written(record(*many(15000)))
    assert cluster.secret is not None
    first = stored.parts[0]
    if change == "missing":
        del cluster.parts[first]
    elif change == "other":
        cluster.parts[first] = cluster.parts[stored.parts[1]]
    else:
        names = b"7" if change == "not a list" else json.dumps([*stored.parts, "somebody-elses"]).encode()
        cluster.secret["data"]["parts"] = base64.b64encode(names).decode()
    with pytest.raises(ClusterError) as raised:
        read(cluster)
    assert raised.value.reason == "RecordNotTrusted"
