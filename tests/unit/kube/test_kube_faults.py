# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client makes of the faults of servers and lines; a labelled fake shows them."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient, Removal
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.probe import silence
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from tests.unit.kube.faulty_server import Say, faulty, status

MAPS = Resource("v1", "ConfigMap", "configmaps", True)
FINE = Say(body={"kind": "ConfigMap", "metadata": {"name": "a"}})


def apply(client: ClusterClient) -> Any:
    return client.apply(MAPS, "shop", "a", b"{}", manager="emco-edge:1")


def reason(client: ClusterClient, work: Any = apply) -> str:
    with pytest.raises(ClusterError) as raised:
        work(client)
    assert "lab+edge-1" in raised.value.message
    return raised.value.reason


def test_too_many_requests_are_sent_again_when_the_server_says_so() -> None:
    with faulty(Say(429, headers={"Retry-After": "7"}), FINE) as server:
        apply(server.client())
        assert server.slept == [7.0]
        assert len(server.seen) == 2


def test_a_pause_that_is_longer_than_the_budget_is_not_taken() -> None:
    with faulty(Say(429, status(429, "TooManyRequests", "slow down"), {"Retry-After": "70"})) as server:
        assert reason(server.client(budget=Budget.of(5.0))) == "TooManyRequests"
        assert server.slept == []


def test_what_broke_is_told_when_the_budget_has_no_room_for_another_try() -> None:
    with faulty(Say(cut=True)) as server:
        client = server.client(budget=Budget.of(0.15), patience=Patience(first_pause=0.2))
        assert reason(client) == "ClusterUnreachable"
        assert (len(server.seen), server.slept) == (1, [])


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_server_errors_are_tried_again_with_growing_pauses(code: int) -> None:
    with faulty(Say(code), Say(code), FINE) as server:
        apply(server.client())
        assert server.slept == [0.1, 0.2]


def test_a_server_that_stays_broken_is_an_error_in_the_end() -> None:
    with faulty(Say(503, status(503, "ServiceUnavailable", "etcd is down"))) as server:
        client = server.client(patience=Patience(retries=2))
        assert reason(client) == "ServerError"
        assert len(server.seen) == client.transport.requests == 3


def test_a_reset_in_the_middle_of_the_body_is_tried_again_when_that_is_safe() -> None:
    with faulty(Say(cut=True), FINE) as server:
        apply(server.client())
        assert len(server.seen) == 2


def test_what_must_not_be_done_twice_is_not_sent_twice() -> None:
    with faulty(Say(cut=True), FINE) as server:
        assert reason(server.client(), lambda one: one.create(MAPS, "shop", {"metadata": {"name": "a"}})) == (
            "ClusterUnreachable"
        )
        assert len(server.seen) == 1


def test_silence_is_told_with_its_cause_and_an_address_without_credentials() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        end = Endpoint(f"http://ops:canary@127.0.0.1:{port}", None, lambda: ())
        words = silence(Transport(end, "lab+edge-1"))
    assert "lab+edge-1: Connection refused" in words and f"(http://127.0.0.1:{port})" in words
    assert "canary" not in words
    with faulty(Say(503, status(503, "ServiceUnavailable", "no backend"))) as server:
        assert "no backend" in silence(server.client().transport)
    with faulty(Say(401)) as server:
        assert silence(server.client().transport) == ""


def test_an_expired_token_is_renewed_once() -> None:
    tokens = iter(["old", "new"])
    current = [next(tokens)]

    def renew() -> bool:
        current[0] = next(tokens)
        return True

    with faulty(Say(401), FINE) as server:
        client = server.client(headers=lambda: (("Authorization", f"Bearer {current[0]}"),), renew=renew)
        apply(client)
        assert [one.headers["Authorization"] for one in server.seen] == ["Bearer old", "Bearer new"]
    with faulty(Say(401, status(401, "Unauthorized", "Unauthorized"))) as server:
        assert reason(server.client(renew=lambda: True)) == "Unauthorized"
        assert len(server.seen) == 2


def test_a_server_that_does_not_answer_costs_no_more_than_the_budget() -> None:
    with faulty(Say(after=5.0)) as server:
        client = server.client(budget=Budget.of(0.5))
        started = time.monotonic()
        assert reason(client) == "ClusterUnreachable"
        assert time.monotonic() - started < 3.0
        assert reason(client) == "BudgetSpent"
        assert len(server.seen) == 1


def test_a_silent_answer_is_waited_for_twice_at_most() -> None:
    with faulty(Say(after=2.0)) as server:
        assert reason(server.client(patience=Patience(read=0.2))) == "ClusterUnreachable"
        assert len(server.seen) == 2


def test_a_connection_that_is_taken_and_never_served_ends_with_the_budget() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        end = Endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}", None, tuple)
        client = ClusterClient(Transport(end, "lab+edge-1", budget=Budget.of(0.5)))
        assert reason(client) == "ClusterUnreachable"


def test_a_refused_connection_is_an_unreachable_cluster() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    end = Endpoint(f"http://127.0.0.1:{port}", None, tuple)
    client = ClusterClient(Transport(end, "lab+edge-1", patience=Patience(retries=1), sleep=lambda _: None))
    assert reason(client) == "ClusterUnreachable"


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (403, status(403, "Forbidden", "configmaps is forbidden"), "Forbidden"),
        (403, status(403, "Forbidden", "exceeded quota: small"), "QuotaExceeded"),
        (409, status(409, "AlreadyExists", "already exists"), "AlreadyExists"),
        (409, status(409, "Conflict", "the object has been modified"), "Conflict"),
        (422, status(422, "Invalid", "spec.selector: field is immutable"), "ImmutableField"),
        (422, status(422, "Invalid", "spec.ports: Required value"), "Invalid"),
        (413, status(413, "RequestEntityTooLarge", "limit is 3145728"), "TooLarge"),
        (500, status(500, "InternalError", "etcdserver: request is too large"), "TooLarge"),
        (404, status(404, "NotFound", 'namespaces "shop" not found'), "NamespaceMissing"),
        (404, status(404, "NotFound", 'configmaps "a" not found'), "NotFound"),
        (404, status(404, "NotFound", "the server could not find the requested resource"), "KindNotServed"),
        (400, status(400, "BadRequest", 'admission webhook "x" denied the request: no'), "WebhookDenied"),
        (500, status(500, "InternalError", 'failed calling webhook "x": timeout'), "WebhookFailed"),
        (
            403,
            status(403, "Forbidden", "cannot be created", causes=[{"reason": "NamespaceTerminating"}]),
            "NamespaceTerminating",
        ),
    ],
)
def test_every_refusal_has_its_reason_code(code: int, body: dict[str, Any], expected: str) -> None:
    with faulty(Say(code, body)) as server:
        assert reason(server.client()) == expected
        assert len(server.seen) == 1


def test_a_field_conflict_names_managers_fields_and_how_they_own_them() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "flux"', "field": ".data.a"},
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl-edit" using v1', "field": ".data.b"},
    ]
    said = Say(409, status(409, "Conflict", "Apply failed with 2 conflicts", causes=causes))
    with faulty(said) as server, pytest.raises(ClusterError) as raised:
        apply(server.client())
    assert raised.value.reason == "FieldConflict"
    assert raised.value.details["conflicts"] == [
        {"manager": "flux", "field": ".data.a", "operation": "Apply"},
        {"manager": "kubectl-edit", "field": ".data.b", "operation": "Update"},
    ]


def test_an_answer_that_is_no_json_is_shortened_and_told() -> None:
    with faulty(Say(502)) as server:
        client = server.client(patience=Patience(retries=0))
        assert reason(client) == "ServerError"


def test_a_list_goes_through_all_pages() -> None:
    first = Say(body={"metadata": {"continue": "next"}, "items": [{"metadata": {"name": "a"}}]})
    second = Say(body={"metadata": {}, "items": [{"metadata": {"name": "b"}}]})
    with faulty(first, second) as server:
        found = list(server.client().list(MAPS, "shop", labels="x=y"))
    assert [(one["metadata"]["name"], one["kind"], one["apiVersion"]) for one in found] == [
        ("a", "ConfigMap", "v1"),
        ("b", "ConfigMap", "v1"),
    ]
    assert "continue=next" in server.seen[1].path


def test_a_list_that_is_always_cut_short_is_asked_for_in_smaller_pages() -> None:
    first = Say(body={"metadata": {"continue": "next"}, "items": [{"metadata": {"name": "a"}}]})
    second = Say(body={"metadata": {}, "items": [{"metadata": {"name": "b"}}]})
    with faulty(Say(cut=True), Say(cut=True), first, second) as server:
        found = list(server.client(patience=Patience(retries=1)).list(MAPS, "shop"))
    assert [one["metadata"]["name"] for one in found] == ["a", "b"]
    assert [one.path.partition("limit=")[2] for one in server.seen] == ["500", "500", "50", "50&continue=next"]
    with faulty(Say(cut=True)) as server:
        assert reason(server.client(patience=Patience(retries=0)), lambda one: list(one.list(MAPS))) == (
            "ClusterUnreachable"
        )
        assert len(server.seen) == 3


def test_a_deletion_says_whether_the_object_is_gone() -> None:
    held = {"kind": "ConfigMap", "metadata": {"name": "a", "deletionTimestamp": "now"}}
    for said, expected in (
        (Say(body={"kind": "Status", "status": "Success"}), Removal.DONE),
        (Say(body=held), Removal.BEGUN),
        (Say(404), Removal.ABSENT),
    ):
        with faulty(said) as server:
            assert server.client().begin_deletion(MAPS, "shop", "a", uid="u") is expected
            assert b'"uid": "u"' in server.seen[0].body


def test_requests_and_writes_are_counted_dry_runs_apart() -> None:
    with faulty(FINE) as server:
        client = server.client()
        client.get(MAPS, "shop", "a")
        apply(client)
        client.apply(MAPS, "shop", "a", b"{}", manager="m", dry_run=True)
        assert (client.transport.requests, client.transport.writes) == (3, 1)
