# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several runs on one store in a hub cluster: killed, hanging, and each in the worst moment of the other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes import KubernetesStore
from tests.integration.store_hub import Hub
from tests.lab.harness import Lab
from tests.unit.store.contract import ALICE, BOB, FakeClock, digest, reason_of

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


def just_before(store: KubernetesStore, method: str, action: Callable[[], object]) -> None:
    """A labelled fault: what another run does in the moment before this store's next request of a kind."""
    asked = getattr(store._client, method)
    waiting = [action]

    def interrupted(*arguments: Any, **options: Any) -> Any:
        while waiting:
            waiting.pop()()
        return asked(*arguments, **options)

    setattr(store._client, method, interrupted)


def test_what_another_run_writes_in_between_is_never_overwritten(hub: Hub, namespace: str) -> None:
    store, other = hub.open(namespace), hub.open(namespace)
    just_before(store, "create", lambda: other.put(("a",), {"by": "other"}))
    assert reason_of(lambda: store.put(("a",), {"by": "me"}, expect=0)) == "StoreConflict"

    (first,) = other.list(())
    just_before(store, "replace", lambda: other.put(("a",), {"by": "other", "again": True}))
    assert reason_of(lambda: store.put(("a",), {"by": "me"}, expect=first.version)) == "StoreConflict"

    (second,) = other.list(())
    assert second.value == {"by": "other", "again": True}
    just_before(store, "delete", lambda: other.put(("a",), {"by": "other", "again": 2}))
    assert reason_of(lambda: store.delete(("a",), expect=second.version)) == "StoreConflict"
    assert [entry.value for entry in other.list(())] == [{"by": "other", "again": 2}]

    just_before(store, "delete", lambda: other.delete(("a",)))
    assert store.delete(("a",)) is False


def test_without_an_expectation_the_last_writer_wins_and_leaves_no_parts(hub: Hub, namespace: str) -> None:
    store, other = hub.open(namespace), hub.open(namespace)
    mine, theirs = {"text": os.urandom(1_000_000).hex()}, {"text": os.urandom(1_000_000).hex()}
    store.put(("a",), {"n": 0})
    just_before(store, "replace", lambda: other.put(("a",), theirs))
    store.put(("a",), mine)
    just_before(store, "replace", lambda: other.delete(("a",)))
    store.put(("a",), theirs)
    just_before(store, "replace", lambda: other.put(("a",), {"n": 1}))
    store.put_many({("a",): mine, ("b",): {"n": 1}})
    found = other.get(("a",))
    assert found is not None
    assert found.value == mine
    assert len(hub.parts(namespace)) == 2


@pytest.mark.parametrize("kept", [0, 3], ids=["whole pack", "part of a pack"])
def test_blobs_claimed_in_the_moment_of_their_collection_stay(hub: Hub, namespace: str, kept: int) -> None:
    clock = FakeClock()
    store, other = hub.open(namespace, clock), hub.open(namespace, clock)
    blobs = {digest(number): b"x" for number in range(5)}
    store.put_blobs(blobs)
    clock.now += 4000
    claimed: set[str] = set()
    just_before(
        store, "replace" if kept else "delete", lambda: claimed.update(other.has_blobs([digest(4)], claim=True))
    )
    assert store.collect_garbage([digest(number) for number in range(kept)]) == 0
    assert claimed == {digest(4)}
    assert other.get_blobs([digest(4)]) == {digest(4): b"x"}
    assert store.collect_garbage([digest(number) for number in range(kept)]) == 4 - kept


def test_a_claim_that_comes_after_the_collection_says_so(hub: Hub, namespace: str) -> None:
    clock = FakeClock()
    store, other = hub.open(namespace, clock), hub.open(namespace, clock)
    store.put_blobs({digest(1): b"x"})
    clock.now += 4000
    just_before(store, "merge", lambda: other.collect_garbage([]))
    assert store.has_blobs([digest(1)], claim=True) == set()
    assert store.put_blobs({digest(1): b"x"}) == 1
    assert store.get_blobs([digest(1)]) == {digest(1): b"x"}


def test_two_runs_that_claim_at_once_both_do(hub: Hub, namespace: str) -> None:
    clock = FakeClock()
    store, other = hub.open(namespace, clock), hub.open(namespace, clock)
    store.put_blobs({digest(number): b"x" for number in range(3)})
    clock.now += 3000
    just_before(store, "merge", lambda: other.has_blobs([digest(1)], claim=True))
    assert store.has_blobs([digest(2)], claim=True) == {digest(2)}
    clock.now += 1000
    assert store.collect_garbage([]) == 1
    assert store.list_blobs() == {digest(1), digest(2)}


def test_a_renewal_whose_answer_was_lost_is_still_a_renewal(hub: Hub, namespace: str) -> None:
    clock = FakeClock()
    store, other = hub.open(namespace, clock), hub.open(namespace, clock)
    asked = store._client.replace
    lost: list[str] = []

    def answer_lost(*arguments: Any, **options: Any) -> Any:
        # A labelled fault: the server does it, and the line breaks before it can say so.
        answer = asked(*arguments, **options)
        if not lost:
            lost.append("once")
            raise EdgeError("ClusterUnreachable", "the line broke")
        return answer

    store._client.replace = answer_lost  # type: ignore[method-assign]
    with store.lease("one", ALICE, ttl=30) as lease:
        clock.now += 25
        lease.check()
        assert lost
        clock.now += 25
        lease.check()
        assert reason_of(lambda: other.lease("one", BOB)) == "Busy"


def test_two_that_take_a_free_lease_at_once_are_one_owner(hub: Hub, namespace: str) -> None:
    clock = FakeClock()
    store, other = hub.open(namespace, clock), hub.open(namespace, clock)
    taken: list[Any] = []
    just_before(store, "create", lambda: taken.append(other.lease("one", BOB)))
    assert reason_of(lambda: store.lease("one", ALICE)) == "Busy"
    clock.now += 60
    just_before(store, "replace", lambda: taken.append(other.lease("one", "carol")))
    assert reason_of(lambda: store.lease("one", ALICE)) == "Busy"
    assert reason_of(taken[0].check) == "LeaseLost"
    taken[1].check()
    for lease in taken:
        lease.release()
    store.lease("one", ALICE).release()


PROGRAM = """
import json, os, sys, time
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_store
store = open_store(json.loads(sys.argv[1]), {})
"""


def python(code: str, hub: Hub, namespace: str) -> subprocess.Popen[bytes]:
    """Another process, with nothing of ours on its disk but the way to the hub."""
    choice = {"type": "kubernetes", "kubeconfig": hub.account(namespace), "namespace": namespace}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + code, json.dumps(choice)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        stdout=subprocess.PIPE,
    )


def test_two_processes_that_count_lose_no_count(hub: Hub, namespace: str, store: Store) -> None:
    store.put(("counter",), {"n": 0})
    code = """
done = 0
while done < 25:
    found = store.get(("counter",))
    try:
        store.put(("counter",), {"n": found.value["n"] + 1}, expect=found.version)
        done += 1
    except EdgeError as error:
        assert error.reason == "StoreConflict", error
"""
    for process in [python(code, hub, namespace) for _unused in range(2)]:
        assert process.wait(120) == 0
    found = store.get(("counter",))
    assert found is not None
    assert found.value == {"n": 50}


def test_a_writer_killed_anywhere_leaves_whole_entries_and_garbage_that_is_collected(
    hub: Hub, namespace: str, store: Store
) -> None:
    code = """
number = 0
while True:
    number += 1
    store.put(("long",), {"n": number, "text": os.urandom(1_000_000).hex()})
    if number == 1:
        print("going", flush=True)
"""
    for turn in range(6):
        process = python(code, hub, namespace)
        assert process.stdout is not None
        assert process.stdout.readline() == b"going\n"
        time.sleep(0.03 * (turn + 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = store.get(("long",))
        assert found is not None
        assert len(found.value["text"]) == 2_000_000
    store.collect_garbage([], grace=-60)
    assert len(hub.parts(namespace)) == 2
    found = store.get(("long",))
    assert found is not None
    assert len(found.value["text"]) == 2_000_000


def test_readers_meet_only_whole_entries_while_long_ones_are_replaced(hub: Hub, namespace: str, store: Store) -> None:
    other = hub.open(namespace)
    stop = threading.Event()
    store.put(("long",), {"text": "a" * 2_000_000 + os.urandom(1_000_000).hex()})

    def replace() -> None:
        while not stop.is_set():
            other.put(("long",), {"text": os.urandom(1_500_000).hex()})

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _unused in range(10):
            found = store.get(("long",))
            assert found is not None
            assert len(found.value["text"]) >= 3_000_000 or found.value["text"].startswith("a")
            assert next(len(entry.value["text"]) for entry in store.list(())) >= 3_000_000
    finally:
        stop.set()
        writer.join()
        other.close()


def test_a_lease_is_what_kubectl_shows_and_survives_wrong_clocks(hub: Hub, namespace: str, store: Store) -> None:
    with store.lease("deployment demo/vision", ALICE) as lease:
        leases = hub.lab.get(hub.cluster, "leases", "--namespace", namespace)["items"]
        assert [found["spec"]["holderIdentity"] for found in leases] == [ALICE]
        assert leases[0]["metadata"]["annotations"]["emco.edge/lease"] == "deployment demo/vision"
        # A process whose clock is three hours ahead, as containers without time service are.
        code = """
time.time = lambda real=time.time: real() + 10800
try:
    store.lease("deployment demo/vision", "bob")
except EdgeError as error:
    print(error.reason)
"""
        answer, _unused = python(code, hub, namespace).communicate(timeout=60)
        assert answer == b"Busy\n"
        lease.check()
    assert hub.lab.get(hub.cluster, "leases", "--namespace", namespace)["items"] == []


def test_the_lease_of_a_killed_process_is_free_after_its_ttl(hub: Hub, namespace: str, store: Store) -> None:
    owner = python(
        "lease = store.lease('one', 'gone', ttl=3)\nprint('held', flush=True)\ntime.sleep(60)\n", hub, namespace
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"held\n"
    time.sleep(4.5)
    assert reason_of(lambda: store.lease("one", BOB)) == "Busy", "it is alive and renews"
    owner.kill()
    owner.wait()
    started = time.monotonic()
    store.lease("one", BOB, wait=20).release()
    assert 0.5 < time.monotonic() - started < 10


def test_an_api_server_that_hangs_costs_the_lease_and_says_so(hub: Hub, namespace: str) -> None:
    end = endpoint(Connection(kubeconfig=hub.account(namespace)))
    patience = Patience(connect=1.0, read=1.0, retries=0)
    store = KubernetesStore(ClusterClient(Transport(end, "hub", patience=patience)), namespace)
    lease = store.lease("one", ALICE, ttl=3)
    hub.lab.freeze(hub.cluster)
    try:
        with pytest.raises(EdgeError, match="namespace " + namespace) as caught:
            store.get(("a",))
        assert caught.value.reason == "StoreUnreachable"
        wait_for(lambda: lease.lost)
        assert reason_of(lease.check) == "LeaseLost"
    finally:
        hub.lab.thaw(hub.cluster)
    lease.release()
    wait_for(lambda: store.get(("a",)) is None)


def test_what_one_process_plans_a_second_approves_and_a_third_applies(hub: Hub, namespace: str, store: Store) -> None:
    steps = (
        "store.put_blobs({'a' * 32: b'object'})\n"
        "store.put(('revisions', 'demo', '1'), {'state': 'Planned', 'objects': ['a' * 32]}, expect=0)\n",
        "found = store.get(('revisions', 'demo', '1'))\n"
        "assert found.value['state'] == 'Planned'\n"
        "store.put(found.key, {**found.value, 'state': 'Approved'}, expect=found.version)\n",
        "found = store.get(('revisions', 'demo', '1'))\n"
        "assert found.value['state'] == 'Approved'\n"
        "assert store.get_blobs(found.value['objects']) == {'a' * 32: b'object'}\n"
        "store.put(found.key, {**found.value, 'state': 'Current'}, expect=found.version)\n",
    )
    for step in steps:
        assert python(step, hub, namespace).wait(60) == 0
    assert [entry.value["state"] for entry in store.list(("revisions",))] == ["Current"]


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)
