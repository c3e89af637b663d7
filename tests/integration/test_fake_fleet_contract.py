# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake fleet must not lie: whatever is relied on holds for it and for a real API server alike."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection, endpoint, inlined
from ansible_collections.emco.edge.plugins.module_utils._kube.discovery import ServedKind, served_kinds
from ansible_collections.emco.edge.plugins.module_utils._kube.probe import answers
from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import judge
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.credentials import (
    Access,
    approval_of,
    from_certificate,
    from_token,
    key_and_request,
    kubeconfig_of,
    signing_request,
)
from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.rights import Tenant
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource, built_in
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import projection
from tests.bench.apply import application
from tests.bench.fakes import FakeFleet
from tests.lab.harness import Lab

MANAGER = "emco-edge:contract"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeFleet]:
    with FakeFleet(3) as fleet:
        yield fleet


def _client(kubeconfig: Path) -> ClusterClient:
    return ClusterClient(Transport(endpoint(Connection(kubeconfig=str(kubeconfig))), "contract"))


@pytest.fixture(params=["fake", "real"])
def client(request: pytest.FixtureRequest) -> Iterator[ClusterClient]:
    if request.param == "fake":
        kubeconfig = request.getfixturevalue("fake").kubeconfig(0)
    else:
        lab: Lab = request.getfixturevalue("audited_lab")
        kubeconfig = lab.kubeconfig("one")
    found = _client(kubeconfig)
    yield found
    found.close()


@pytest.fixture
def space(client: ClusterClient) -> Iterator[str]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    client.create(_kind("Namespace"), None, {"metadata": {"name": name}})
    yield name
    client.delete(_kind("Namespace"), None, name)


def _kind(kind: str, api_version: str = "v1") -> Resource:
    found = built_in(api_version, kind)
    assert found is not None
    return found


CONFIG = _kind("ConfigMap")


def _config(space: str, name: str = "one", labels: dict[str, str] | None = None, **data: str) -> Document:
    metadata: Document = {"name": name, "namespace": space}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _apply(client: ClusterClient, document: Document, manager: str = MANAGER, **how: Any) -> Any:
    resource = _kind(document["kind"], document["apiVersion"])
    metadata = document["metadata"]
    return client.apply(
        resource, metadata.get("namespace"), metadata["name"], json.dumps(document).encode(), manager=manager, **how
    )


def _deployment(space: str) -> Document:
    return next(one for one in application(space) if one["kind"] == "Deployment")


def test_a_version_is_told_and_a_sign_of_life_given(client: ClusterClient) -> None:
    assert client.version().startswith("v1.")
    assert answers(client.transport)


def test_a_server_is_told_from_others_by_a_namespace_that_always_is(client: ClusterClient) -> None:
    found = client.get(_kind("Namespace"), None, "kube-system")
    assert found is not None and found["metadata"]["uid"] and found["status"]["phase"] == "Active"


def test_all_kinds_are_told_in_two_answers(client: ClusterClient) -> None:
    asked = client.transport.requests
    core, others = served_kinds(client, "/api"), served_kinds(client, "/apis")
    assert client.transport.requests == asked + 2
    assert {("v1", "ConfigMap", True), ("v1", "Node", False)} <= _told(core)
    assert {("apps/v1", "Deployment", True), ("storage.k8s.io/v1", "StorageClass", False)} <= _told(others)
    assert not _told(core) & _told(others)


def _told(kinds: list[ServedKind]) -> set[tuple[str, str, bool]]:
    return {(one.resource.api_version, one.resource.kind, one.resource.namespaced) for one in kinds}


def test_first_apply_creates_and_the_same_again_changes_nothing(client: ClusterClient, space: str) -> None:
    first = _apply(client, _config(space, a="1"))
    again = _apply(client, _config(space, a="1"))
    assert (first.created, again.created) == (True, False)
    for name in ("uid", "resourceVersion", "creationTimestamp"):
        assert first.live["metadata"][name] == again.live["metadata"][name]


def test_a_change_makes_a_new_version_of_the_same_object(client: ClusterClient, space: str) -> None:
    first = _apply(client, _config(space, a="1"))
    second = _apply(client, _config(space, a="2"))
    assert second.live["data"] == {"a": "2"}
    assert second.live["metadata"]["uid"] == first.live["metadata"]["uid"]
    assert second.live["metadata"]["resourceVersion"] != first.live["metadata"]["resourceVersion"]


def test_what_is_not_applied_any_more_goes_away(client: ClusterClient, space: str) -> None:
    _apply(client, _config(space, labels={"x": "1", "y": "1"}, a="1", b="1"))
    live = _apply(client, _config(space, labels={"x": "1"}, a="1")).live
    assert live["data"] == {"a": "1"}
    assert live["metadata"]["labels"] == {"x": "1"}


def test_another_manager_conflicts_and_the_answer_names_it_and_the_field(client: ClusterClient, space: str) -> None:
    _apply(client, _config(space, a="1"))
    with pytest.raises(ClusterError) as error:
        _apply(client, _config(space, a="2"), manager="other")
    assert error.value.reason == "FieldConflict"
    conflicts = [{"manager": MANAGER, "field": ".data.a", "operation": "Apply"}]
    assert error.value.details["conflicts"] == conflicts


def test_the_operation_of_the_other_manager_is_told(client: ClusterClient, space: str) -> None:
    client.create(CONFIG, space, _config(space, a="1"), manager="creator")
    with pytest.raises(ClusterError) as error:
        _apply(client, _config(space, a="2"))
    conflicts = [{"manager": "creator", "field": ".data.a", "operation": "Update"}]
    assert error.value.details["conflicts"] == conflicts


def test_force_takes_the_field_over(client: ClusterClient, space: str) -> None:
    _apply(client, _config(space, a="1", b="1"))
    live = _apply(client, _config(space, a="2"), manager="other", force=True).live
    assert live["data"] == {"a": "2", "b": "1"}
    assert projection(live, "other")["f:data"] == {"f:a": "2"}
    assert projection(live, MANAGER)["f:data"] == {"f:b": "1"}


def test_two_managers_may_agree(client: ClusterClient, space: str) -> None:
    _apply(client, _config(space, a="1"))
    live = _apply(client, _config(space, a="1"), manager="other").live
    assert projection(live, "other")["f:data"] == projection(live, MANAGER)["f:data"] == {"f:a": "1"}
    left = _apply(client, _config(space), manager="other").live
    assert left["data"] == {"a": "1"}


def test_a_dry_run_says_what_would_be_and_stores_nothing(client: ClusterClient, space: str) -> None:
    assert _apply(client, _config(space, a="1"), dry_run=True).live["data"] == {"a": "1"}
    assert client.get(CONFIG, space, "one") is None


def test_managed_fields_are_the_same_for_the_application_of_the_benchmarks(fake: FakeFleet, audited_lab: Lab) -> None:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    seen = []
    for kubeconfig in (fake.kubeconfig(1), audited_lab.kubeconfig("one")):
        client = _client(kubeconfig)
        client.create(_kind("Namespace"), None, {"metadata": {"name": name}})
        seen.append([projection(_apply(client, one).live, MANAGER) for one in application(name)])
        client.delete(_kind("Namespace"), None, name)
        client.close()
    assert seen[0] == seen[1]


def test_generation_counts_changes_of_the_spec_alone(client: ClusterClient, space: str) -> None:
    wanted = _deployment(space)
    assert _apply(client, wanted).live["metadata"]["generation"] == 1
    wanted["metadata"]["labels"] = {"x": "1"}
    assert _apply(client, wanted).live["metadata"]["generation"] == 1
    wanted["spec"]["replicas"] = 2
    assert _apply(client, wanted).live["metadata"]["generation"] == 2


def test_a_list_item_is_merged_by_its_key(client: ClusterClient, space: str) -> None:
    wanted = _deployment(space)
    _apply(client, wanted)
    more = _deployment(space)
    more["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "MORE", "value": "1"})
    assert len(_apply(client, more).live["spec"]["template"]["spec"]["containers"][0]["env"]) == 2
    live = _apply(client, wanted).live
    assert live["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "MODE", "value": "edge"}]


def test_every_object_of_the_benchmarks_becomes_ready(client: ClusterClient, space: str) -> None:
    deadline = time.monotonic() + 60
    for one in application(space):
        _apply(client, one)
        resource = _kind(one["kind"], one["apiVersion"])
        while not judge(client.get(resource, space, one["metadata"]["name"]) or {}).ready:
            assert time.monotonic() < deadline, f"{one['kind']} {one['metadata']['name']}"
            time.sleep(0.1)


def test_a_missing_namespace_is_told_as_such(client: ClusterClient) -> None:
    for attempt in (
        lambda: _apply(client, _config("nowhere-at-all")),
        lambda: client.create(CONFIG, "nowhere-at-all", _config("nowhere-at-all")),
    ):
        with pytest.raises(ClusterError) as error:
            attempt()
        assert error.value.reason == "NamespaceMissing"


def test_create_refuses_what_is_there(client: ClusterClient, space: str) -> None:
    client.create(CONFIG, space, _config(space))
    with pytest.raises(ClusterError) as error:
        client.create(CONFIG, space, _config(space))
    assert error.value.reason == "AlreadyExists"


def test_replace_compares_and_swaps(client: ClusterClient, space: str) -> None:
    created = client.create(CONFIG, space, _config(space, a="1"))
    wanted = _config(space, a="2")
    wanted["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"]
    replaced = client.replace(CONFIG, space, wanted)
    assert replaced["data"] == {"a": "2"}
    assert replaced["metadata"]["uid"] == created["metadata"]["uid"]
    with pytest.raises(ClusterError) as error:
        client.replace(CONFIG, space, wanted)
    assert error.value.reason == "Conflict"


def test_replacing_what_is_not_there_is_not_found(client: ClusterClient, space: str) -> None:
    wanted = _config(space)
    wanted["metadata"]["resourceVersion"] = "1"
    with pytest.raises(ClusterError) as error:
        client.replace(CONFIG, space, wanted)
    assert error.value.status in (404, 409)


def test_a_delete_keeps_to_its_preconditions(client: ClusterClient, space: str) -> None:
    live = client.create(CONFIG, space, _config(space))
    with pytest.raises(ClusterError) as error:
        client.delete(CONFIG, space, "one", uid=str(uuid.uuid4()))
    assert error.value.reason == "Conflict"
    with pytest.raises(ClusterError):
        client.delete(CONFIG, space, "one", resource_version="1")
    assert client.delete(CONFIG, space, "one", uid=live["metadata"]["uid"])
    assert client.get(CONFIG, space, "one") is None
    assert not client.delete(CONFIG, space, "one")


def test_a_list_selects_by_label_in_a_namespace_and_everywhere(client: ClusterClient, space: str) -> None:
    mark = uuid.uuid4().hex
    for name, labels in (("one", {"mark": mark, "x": "1"}), ("two", {"mark": mark}), ("three", {"x": "1"})):
        _apply(client, _config(space, name, labels, a="1"))
    here = list(client.list(CONFIG, space, labels=f"mark={mark}"))
    assert [one["metadata"]["name"] for one in here] == ["one", "two"]
    assert [one["data"] for one in here] == [{"a": "1"}] * 2
    assert [(one["apiVersion"], one["kind"]) for one in here] == [("v1", "ConfigMap")] * 2
    everywhere = list(client.list(CONFIG, labels=f"mark={mark},x=1"))
    assert [one["metadata"]["name"] for one in everywhere] == ["one"]
    assert [one["metadata"]["name"] for one in client.list(CONFIG, space, labels=f"x,mark={mark}")] == ["one"]


def test_metadata_alone_is_metadata_alone(client: ClusterClient, space: str) -> None:
    _apply(client, _config(space, labels={"x": "1"}, a="1"))
    full = client.get(CONFIG, space, "one")
    assert full is not None
    listed = list(client.list(CONFIG, space, labels="x=1", metadata_only=True))
    single = client.get(CONFIG, space, "one", metadata_only=True)
    assert single is not None
    for one in (*listed, single):
        assert "data" not in one
        for name in ("uid", "resourceVersion", "labels", "managedFields"):
            if name != "managedFields" or name in one["metadata"]:
                assert one["metadata"].get(name) == full["metadata"][name]


def test_what_was_created_and_what_was_applied_is_told_apart(client: ClusterClient, space: str) -> None:
    client.create(CONFIG, space, _config(space, a="1"), manager="creator")
    entries = (client.get(CONFIG, space, "one") or {})["metadata"]["managedFields"]
    assert [(one["manager"], one["operation"]) for one in entries] == [("creator", "Update")]
    with pytest.raises(ClusterError) as error:
        _apply(client, _config(space, a="2"))
    assert error.value.reason == "FieldConflict"


def test_a_kind_that_is_not_served_is_not_there(client: ClusterClient, space: str) -> None:
    assert client.kinds.find("example.com/v1", "Nothing") is None
    assert list(client.list(Resource("example.com/v1", "Nothing", "nothings", True), space)) == []


def test_the_kinds_of_a_group_are_listed(client: ClusterClient) -> None:
    listed = client.read("/apis/apps/v1", "list kinds") or {}
    kinds = {one["kind"] for one in listed["resources"] if "/" not in one["name"]}
    assert {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"} <= kinds


# What only the fake can do.


def test_the_fake_refuses_and_hangs_as_told_and_comes_back(fake: FakeFleet) -> None:
    refused, hung = _client(fake.kubeconfig(1)), _client(fake.kubeconfig(2))
    assert answers(hung.transport)
    fake.behave(refuse=[1], hang=[2])
    try:
        assert not answers(refused.transport, 0.5)
        assert not answers(hung.transport, 0.5)
        assert not answers(_client(fake.kubeconfig(2)).transport, 0.5)
        assert answers(_client(fake.kubeconfig(0)).transport, 5)
    finally:
        fake.behave(refuse=[], hang=[])
    assert answers(refused.transport)
    assert answers(_client(fake.kubeconfig(2)).transport)


def test_the_fake_counts_and_takes_its_time(fake: FakeFleet) -> None:
    client = _client(fake.kubeconfig(0))
    client.version()
    fake.behave(latency_ms=60)
    fake.reset()
    began = time.monotonic()
    client.version()
    took = time.monotonic() - began
    fake.behave(latency_ms=0)
    assert took >= 0.06
    assert (fake.counts().requests, fake.counts().writes, fake.counts().touched) == (1, 0, 1)


def test_the_fake_makes_ready_late_when_told(fake: FakeFleet) -> None:
    client = _client(fake.kubeconfig(0))
    fake.behave(ready_ms=300)
    wanted = _deployment("default")
    assert not judge(_apply(client, wanted).live).ready
    time.sleep(0.35)
    live = client.get(_kind("Deployment", "apps/v1"), "default", wanted["metadata"]["name"])
    assert judge(live or {}).ready
    fake.behave(ready_ms=0)


def test_the_servers_of_the_fake_are_not_one(fake: FakeFleet) -> None:
    _apply(_client(fake.kubeconfig(0)), _config("default", "mine", a="1"))
    assert _client(fake.kubeconfig(1)).get(CONFIG, "default", "mine") is None
    other = Connection(
        kubeconfig=json.loads(fake.kubeconfig(0).read_text())
        | {"clusters": json.loads(fake.kubeconfig(1).read_text())["clusters"]}
    )
    assert ClusterClient(Transport(endpoint(other), "x")).version()
    swapped = json.loads(fake.kubeconfig(0).read_text())
    theirs = json.loads(fake.kubeconfig(1).read_text())
    swapped["clusters"][0]["cluster"]["server"] = theirs["clusters"][0]["cluster"]["server"]
    with pytest.raises(ClusterError) as error:
        ClusterClient(Transport(endpoint(Connection(kubeconfig=swapped)), "x")).version()
    assert error.value.reason == "CertificateRejected"


def test_a_signing_request_that_is_approved_gets_a_certificate_which_opens_the_door(
    client: ClusterClient, request: pytest.FixtureRequest
) -> None:
    tenant = Tenant("ann", "emco:contract:g1")
    key, asked = key_and_request(tenant)
    requests = _kind("CertificateSigningRequest", "certificates.k8s.io/v1")
    name = f"contract-{uuid.uuid4().hex[:8]}"
    live = client.create(requests, None, signing_request(name, asked, 3600))
    client.replace(requests, None, approval_of(live), subresource="approval")
    deadline = time.monotonic() + 20
    while not (found := (client.get(requests, None, name) or {}).get("status", {}).get("certificate")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert client.delete(requests, None, name)
    credential = from_certificate(base64.b64decode(found), key, tenant, 1)
    assert 0 < credential.not_after - credential.not_before <= 3950
    own = _kubeconfig_of(request)
    access = Access("here", own["clusters"][0]["cluster"], credential)
    end = endpoint(Connection(kubeconfig=kubeconfig_of([access], "ann", "default")))
    as_tenant = ClusterClient(Transport(end, "tenant"))
    review = {"metadata": {}, "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    answer = as_tenant.create(_kind_of_review(), None, review)
    assert isinstance(answer["status"]["allowed"], bool)
    as_tenant.close()


def test_a_token_of_a_service_account_says_when_it_ends(client: ClusterClient, space: str) -> None:
    accounts = _kind("ServiceAccount")
    client.create(accounts, space, {"metadata": {"name": "bot", "namespace": space}})
    asked = {"metadata": {"name": "bot", "namespace": space}, "spec": {"expirationSeconds": 3600}}
    answer = client.create(accounts, space, asked, subresource="token")
    credential = from_token(answer["status"]["token"], Tenant("bot", "", "bot", space), 1)
    assert 3500 < credential.not_after - credential.not_before <= 3950
    with pytest.raises(ClusterError) as error:
        client.create(accounts, space, {**asked, "metadata": {"name": "none"}}, subresource="token")
    assert error.value.reason == "NotFound"


def _kind_of_review() -> Resource:
    return Resource("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False)


def _kubeconfig_of(request: pytest.FixtureRequest) -> Document:
    if "fake" in request.node.callspec.params["client"]:
        path = request.getfixturevalue("fake").kubeconfig(0)
    else:
        path = request.getfixturevalue("audited_lab").kubeconfig("one")
    found: Document = inlined(Connection(kubeconfig=str(path))).kubeconfig
    return found
