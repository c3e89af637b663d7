# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store in a hub cluster: the contract of every store, on a real API server, with no more rights than its Role."""

from __future__ import annotations

import base64
import gzip
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import new_keys
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes import KubernetesStore
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_store
from tests.integration.store_hub import Hub
from tests.lab.harness import Lab
from tests.unit.store.contract import ALICE, FakeClock, OpenStore, StoreContract, digest, reason_of
from tests.unit.store.dictionaries import Dictionaries, operations
from tests.unit.store.whole_store import WholeStoreContract

pytestmark = pytest.mark.integration


@pytest.fixture
def hub(audited_lab: Lab) -> Hub:
    return Hub(audited_lab, "one")


@pytest.fixture
def namespace(hub: Hub) -> str:
    return hub.namespace()


@pytest.fixture
def store(hub: Hub, namespace: str) -> Iterator[KubernetesStore]:
    opened = hub.open(namespace)
    yield opened
    opened.close()


class TestKubernetesStore(StoreContract):
    @pytest.fixture
    def open_store(self, clock: FakeClock, hub: Hub, namespace: str) -> OpenStore:
        return lambda: hub.open(namespace, clock)

    @pytest.fixture(autouse=True)
    def _place(self, hub: Hub, namespace: str) -> None:
        self.place = (hub, namespace)

    def nothing_was_written(self, store: Store) -> bool:
        hub, namespace = self.place
        return hub.secrets(namespace) == []


class TestWholeKubernetesStore(WholeStoreContract):
    @pytest.fixture
    def open_store(self, hub: Hub, namespace: str) -> OpenStore:
        return lambda: hub.open(namespace)

    @pytest.fixture
    def open_another(self, hub: Hub) -> OpenStore:
        another = hub.namespace()
        return lambda: hub.open(another)


def test_any_sequence_of_operations_does_what_dictionaries_would_do(hub: Hub) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operations)
    def holds(steps: list[tuple[Any, ...]]) -> None:
        namespace = hub.namespace()
        store, model = hub.open(namespace), Dictionaries()
        for name, *arguments in steps:
            model.do(store, name, *arguments)
        model.same_as(store)
        store.close()

    holds()


# what lies in the cluster


def test_an_entry_is_a_secret_that_people_can_find_and_read(hub: Hub, namespace: str, store: Store) -> None:
    store.put(("clusters", "lab", "edge-1"), {"labels": {"region": "north"}})
    selector = "--selector=emco.edge/key-1=clusters,emco.edge/key-3=edge-1"
    found = hub.lab.get(hub.cluster, "secrets", "--namespace", namespace, selector)["items"]
    assert [secret["type"] for secret in found] == ["emco.edge/v1"]
    content = base64.b64decode(found[0]["data"]["content"])
    assert json.loads(gzip.decompress(content)) == {"labels": {"region": "north"}}
    assert json.loads(found[0]["metadata"]["annotations"]["emco.edge/key"]) == ["clusters", "lab", "edge-1"]


def test_long_content_is_split_and_its_parts_go_when_it_does(hub: Hub, namespace: str, store: Store) -> None:
    long = {"text": base64.b64encode(os.urandom(2_500_000)).decode()}
    store.put(("revisions", "demo"), long)
    secrets = hub.secrets(namespace)
    sizes = [len(base64.b64decode(secret.get("data", {}).get("content", ""))) for secret in secrets]
    assert max(sizes) <= 900_000
    assert len(hub.parts(namespace)) == 3
    store.put(("revisions", "demo"), {**long, "more": 1})
    assert len(hub.parts(namespace)) == 3
    store.put(("revisions", "demo"), {"text": "short"})
    assert hub.parts(namespace) == []
    store.put(("revisions", "demo"), long)
    store.delete(("revisions", "demo"))
    assert hub.parts(namespace) == []


def test_many_blobs_are_few_secrets_and_few_requests(hub: Hub, namespace: str, store: Store) -> None:
    blobs = {digest(number): os.urandom(400) for number in range(5000)}
    store.list_blobs()
    hub.lab.mark(hub.cluster)
    store.put_blobs(blobs)
    assert store.has_blobs(blobs, claim=True) == set(blobs)
    assert store.get_blobs(blobs) == blobs
    requests = hub.lab.requests(hub.cluster)
    assert len([request for request in requests if request.writes and namespace in request.uri]) <= 5
    assert len([request for request in requests if namespace in request.uri]) <= 15


def test_an_unchanged_run_writes_nothing(hub: Hub, namespace: str, store: Store) -> None:
    items: dict[Key, dict[str, Any]] = {("facts", "lab", f"edge-{number}"): {"n": number} for number in range(50)}
    blobs = {digest(number): b"x" for number in range(50)}
    store.put_many(items)
    store.put_blobs(blobs)
    hub.lab.mark(hub.cluster)
    store.put_many(items)
    store.put(("facts", "lab", "edge-1"), {"n": 1})
    store.put_blobs(blobs)
    store.has_blobs(blobs, claim=True)
    assert [request for request in hub.lab.requests(hub.cluster) if request.writes and namespace in request.uri] == []


def test_more_clusters_than_a_page_holds_are_all_listed(store: Store) -> None:
    store.put_many({("facts", "lab", f"edge-{number}"): {"n": number} for number in range(600)})
    started = time.perf_counter()
    assert {entry.value["n"] for entry in store.list(("facts",))} == set(range(600))
    assert time.perf_counter() - started < 20


def test_no_secret_of_the_store_holds_a_sealed_value(hub: Hub, namespace: str, store: Store) -> None:
    keys, canary = new_keys("a test"), b"canary-2b8d-do-not-show" * 10
    name = keys.digest(canary)
    store.put_blobs({name: keys.seal(canary, name.encode())})
    store.put(("intents", "a"), {"sealed": base64.b64encode(keys.seal(canary, b"intents/a")).decode()})
    secrets = hub.secrets(namespace)
    held = json.dumps(secrets).encode() + b"".join(
        unzipped(base64.b64decode(text)) for secret in secrets for text in secret.get("data", {}).values()
    )
    assert name.encode() in held
    assert b"canary" not in held


def unzipped(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


# rights and refusals


def test_the_shipped_role_is_enough_and_not_more(hub: Hub, namespace: str, store: Store, tmp_path: Path) -> None:
    # That it is enough is what all tests of the contract show, which run with it.
    kubeconfig = tmp_path / "account.yaml"
    kubeconfig.write_text(json.dumps(hub.account(namespace)))
    may = hub.lab.kubectl(
        hub.cluster,
        "auth",
        "can-i",
        "--list",
        "--namespace",
        namespace,
        f"--as=system:serviceaccount:{namespace}:{namespace}",
    )
    granted = [line.split()[0] for line in may.splitlines()[1:] if line and not line.startswith(" ")]
    assert {name for name in granted if "authentication" not in name and "authorization" not in name} == {
        "secrets",
        "leases.coordination.k8s.io",
    }
    elsewhere = open_store({"type": "kubernetes", "kubeconfig": str(kubeconfig), "namespace": "default"}, {})
    with pytest.raises(EdgeError, match="namespace default") as caught:
        elsewhere.put(("a",), {"n": 1})
    assert caught.value.reason == "StoreForbidden"
    assert "store-kubernetes-role.yaml" in caught.value.hint
    assert reason_of(lambda: elsewhere.lease("a", ALICE)) == "StoreForbidden"


def test_a_missing_namespace_is_empty_to_read_and_named_when_written(hub: Hub) -> None:
    store = open_store({"type": "kubernetes", "kubeconfig": hub.kubeconfig, "namespace": "nowhere"}, {})
    assert store.list(()) == []
    assert store.get(("a",)) is None
    for write in (
        lambda: store.put(("a",), {"n": 1}),
        lambda: store.put_blobs({digest(1): b"x"}),
        lambda: store.lease("a", ALICE),
    ):
        with pytest.raises(EdgeError, match="nowhere") as caught:
            write()
        assert caught.value.reason == "StoreUnwritable"
        assert "kubectl create namespace nowhere" in caught.value.hint


def test_a_full_namespace_is_told(hub: Hub, namespace: str, store: Store) -> None:
    store.put(("a",), {"n": 1})
    hub.lab.kubectl(hub.cluster, "create", "quota", "small", "--hard=count/secrets=2", "--namespace", namespace)
    wait_for(lambda: "used" in hub.lab.get(hub.cluster, "quota", "small", "--namespace", namespace)["status"])
    with pytest.raises(EdgeError, match="exceeded quota") as caught:
        store.put(("b",), {"n": 1})
    assert caught.value.reason == "StoreUnwritable"
    assert store.get(("a",)) is not None
    store.put(("a",), {"n": 2})


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_newer_store_is_refused(hub: Hub, namespace: str, store: Store) -> None:
    store.put(("a",), {"n": 1})
    hub.lab.kubectl(
        hub.cluster,
        "annotate",
        "secret",
        "emco-edge-store",
        "emco.edge/format=2",
        "--overwrite",
        "--namespace",
        namespace,
    )
    newer = hub.open(namespace)
    for action in (lambda: newer.get(("a",)), lambda: newer.put(("a",), {}), lambda: newer.lease("a", ALICE)):
        assert reason_of(action) == "StoreTooNew"


def test_content_that_somebody_spoiled_is_named(hub: Hub, namespace: str, store: Store) -> None:
    store.put(("a",), {"n": 1})
    store.put_blobs({digest(1): b"x"})
    for secret in hub.secrets(namespace):
        if secret["metadata"]["name"] != "emco-edge-store":
            change = json.dumps({"data": {"content": base64.b64encode(b"spoiled").decode()}})
            hub.lab.kubectl(hub.cluster, "patch", "secret", secret["metadata"]["name"], "-n", namespace, "-p", change)
    assert reason_of(lambda: store.get(("a",))) == "StoreCorrupt"
    assert reason_of(lambda: store.list(())) == "StoreCorrupt"
    assert reason_of(lambda: store.get_blobs([digest(1)])) == "StoreCorrupt"
