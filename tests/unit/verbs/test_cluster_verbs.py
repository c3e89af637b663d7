# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs for one cluster, as far as they go without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Node, Taint
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput
from ansible_collections.emco.edge.plugins.module_utils._verbs import (
    cluster,
    cluster_facts,
    cluster_info,
    cluster_result,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_account import RULES, Account, account_connection
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_credentials import (
    Way,
    encrypted,
    for_kubernetes_core,
    reference,
    way_to,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_view import shown_cluster, shown_facts
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import (
    Credentials,
    Registered,
    connection_of,
    find,
    keep,
    keep_facts,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import perform

NOW = 1_000_000.0
REF = ClusterRef("lab", "a")
SECRET = {"namespace": "n", "name": "s"}
KEY = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., Context]:
    def made(variables: Mapping[str, Any] | None = None, **told: Any) -> Context:
        environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        given = {"inventory_hostname": "a", "emco_provider": "lab", **(variables or {})}
        return Context(Host("a", given), "test", str(tmp_path), environ, clock=lambda: NOW, **told)

    return made


def registered(name: str, **told: Any) -> Registered:
    return Registered(Cluster(ClusterRef("lab", name), **told), Credentials("reference"), host=f"host-{name}")


# options


def test_all_that_is_wrong_is_said_at_once_with_where_it_was_said() -> None:
    variables = {"inventory_hostname": "a", "emco_provider": "läb", "emco_labels": {"größe": "x", "ok": "über"}}
    arguments = {
        "pull_secrets": ["Not A Name"],
        "image_mirrors": {"docker.io": "https://mirror"},
        "constraints": "tier in (",
    }

    with pytest.raises(InvalidInput) as told:
        cluster.SPEC.read(arguments, variables)

    assert {problem.path for problem in told.value.problems} == {
        "emco_provider",
        "emco_labels.größe",
        "emco_labels.ok",
        "pull_secrets[0]",
        "image_mirrors.docker.io",
        "constraints",
    }


def test_a_cluster_needs_a_provider_and_the_error_names_the_variable() -> None:
    with pytest.raises(InvalidInput) as told:
        cluster.SPEC.read({}, {"inventory_hostname": "a"})

    assert [(problem.path, "emco_provider" in problem.hint) for problem in told.value.problems] == [("provider", True)]


def test_what_the_task_says_goes_before_what_the_host_says() -> None:
    variables = {"inventory_hostname": "a", "emco_name": "shop", "emco_provider": "lab", "emco_labels": {"x": "host"}}

    from_host = cluster.SPEC.read({}, variables)
    from_task = cluster.SPEC.read({"name": "b", "labels": {}, "kubeconfig": "k"}, {**variables, "emco_kubeconfig": "h"})

    assert (from_host.ref, from_host.labels) == (ClusterRef("lab", "shop"), {"x": "host"})
    assert (from_task.ref, from_task.labels, from_task.kubeconfig) == (ClusterRef("lab", "b"), {}, "k")


def test_extra_variables_that_arrive_as_text_are_understood() -> None:
    wanted = cluster.SPEC.read(
        {"labels": '{"region": "north"}', "schedulable": "false", "taints": '[{"key": "m"}]', "timeout": "1m30s"},
        {"inventory_hostname": "a", "emco_provider": "lab", "emco_validate_certs": "no"},
    )

    assert wanted.labels == {"region": "north"}
    assert wanted.schedulable is False
    assert wanted.taints is not None
    assert wanted.taints[0].effect == "NoSelect"
    assert wanted.timeout == 90
    assert wanted.validate_certs is False


def test_emco_labels_of_128_characters_are_labels() -> None:
    wanted = cluster.SPEC.read({"labels": {"x" * 128: ""}}, {"inventory_hostname": "a", "emco_provider": "lab"})

    assert wanted.labels == {"x" * 128: ""}


# how it is reached


def way(context: Context, before: Registered | None = None, **arguments: Any) -> Way:
    return way_to(cluster.SPEC.read(arguments, context.host.variables), before, context)


def test_paths_start_at_the_playbook_in_a_task_and_at_the_inventory_in_a_variable(context: Any, tmp_path: Path) -> None:
    variables = {"emco_kubeconfig": "k.yaml", "inventory_dir": "/inventory"}

    assert way(context(variables)).base_dir == "/inventory"
    # A role passes the variable on as an option: that is the same file.
    assert way(context(variables), kubeconfig="k.yaml").base_dir == "/inventory"
    assert way(context(variables), kubeconfig="other.yaml").base_dir == str(tmp_path)


def test_nothing_is_taken_implicitly(context: Any) -> None:
    with pytest.raises(EdgeError) as told:
        way(context())

    assert told.value.reason == "BadConnection"


def test_a_reference_has_a_path_or_a_host_and_never_a_secret() -> None:
    file = reference(REF, Way(Connection(kubeconfig="k.yaml", context="c"), "/inventory", host="a"))
    token = reference(REF, Way(Connection(host="https://x", api_key="canary"), "/inventory", host="a"))

    assert file == Credentials("reference", {"kubeconfig": "k.yaml", "context": "c"}, host="a", base_dir="/inventory")
    assert token == Credentials("reference", {}, host="a")


@pytest.mark.parametrize(
    "connection",
    [
        Connection(host="https://x", api_key="canary"),
        Connection(kubeconfig={"users": [{"user": {"token": "canary"}}]}),
        Connection(host="https://x", client_cert="c.pem", client_key=KEY),
        Connection(kubeconfig="k.yaml", proxy="http://me:canary@proxy"),
        Connection(kubeconfig={"hub": {"host": "https://h", "api_key": "canary"}, "secret": SECRET}),
    ],
)
def test_secrets_in_the_options_of_a_task_cannot_be_referred_to(connection: Connection) -> None:
    with pytest.raises(EdgeError) as told:
        reference(REF, Way(connection, "/playbook"))

    assert told.value.reason == "BadConnection"
    assert "canary" not in str(told.value)


def test_a_reference_works_on_another_control_node_by_the_variables_of_its_host(context: Any, tmp_path: Path) -> None:
    here = context()
    one = replace(registered("a"), credentials=Credentials("reference", {"kubeconfig": "k.yaml"}, "a", None, "/gone"))
    there = replace(here, variables_of=lambda _: {"emco_kubeconfig": "new.yaml", "inventory_dir": "/inventory"})

    assert connection_of(one, here) == (Connection(kubeconfig="k.yaml"), "/gone")
    assert connection_of(one, there) == (Connection(kubeconfig="new.yaml"), "/inventory")
    (tmp_path / "k.yaml").touch()
    kept = replace(one, credentials=replace(one.credentials, base_dir=str(tmp_path)))
    assert connection_of(kept, there) == (Connection(kubeconfig="k.yaml"), str(tmp_path))


def test_the_same_credentials_stay_sealed_as_they_are(context: Any) -> None:
    here = context()
    reach = Way(Connection(host="https://x", api_key="canary"), "")

    newer = Way(Connection(host="https://x", api_key="new"), "")
    first = encrypted(REF, reach, None, here)
    again = encrypted(REF, reach, replace(registered("a"), credentials=first), here)
    other = encrypted(REF, newer, replace(registered("a"), credentials=first), here)

    assert again == first
    assert other.sealed != first.sealed
    assert "canary" not in repr(first)
    opened, _unused = connection_of(replace(registered("a"), credentials=first), here)
    assert opened.kubeconfig["users"][0]["user"]["token"] == "canary"


def test_what_kubernetes_core_gets_has_absolute_paths_and_no_secret() -> None:
    connection = Connection(
        kubeconfig="k.yaml", context="c", api_key="canary", client_key=KEY, ca_cert="ca.pem", validate_certs=False
    )

    given = for_kubernetes_core(Way(connection, "/inventory"))

    assert given == {
        "kubeconfig": "/inventory/k.yaml",
        "context": "c",
        "ca_cert": "/inventory/ca.pem",
        "validate_certs": False,
    }


def test_our_own_account_is_kept_with_url_authority_and_token_alone() -> None:
    content = {
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://x:6443", "certificate-authority-data": "UEVN"}}],
        "users": [{"name": "u", "user": {"client-key-data": "Y2FuYXJ5", "token": "canary"}}],
    }

    kept = account_connection(Account((), "token"), Connection(kubeconfig=content), "")

    assert kept == Connection(host="https://x:6443", ca_cert="PEM", api_key="token")


def test_our_own_account_may_not_become_anybody_else() -> None:
    allowed = {verb for rule in RULES for verb in rule["verbs"]}

    assert "*" not in allowed
    assert "impersonate" not in allowed


# what is shown


def test_amounts_are_shown_as_kubernetes_writes_them_and_only_of_usable_nodes() -> None:
    nodes = (
        Node("a", {"cpu": 4000, "memory": 8 * 2**30}, used={"cpu": 250, "memory": 2**20}),
        Node("b", {"cpu": 4000, "memory": 8 * 2**30}, ready=False),
        Node("c", {"cpu": 4000, "memory": 8 * 2**30}, unschedulable=True),
    )

    shown = shown_facts(Facts(NOW - 60, "v1.36.4", nodes), NOW, reachable=True)

    assert shown["capacity"] == {"cpu": "4", "memory": "8Gi"}
    assert shown["free"] == {"cpu": "3750m", "memory": "8191Mi"}
    assert shown["age"] == 60
    assert [node["free"]["cpu"] for node in shown["nodes"]] == ["3750m", "4", "4"]


def test_a_shown_cluster_says_for_how_long_and_holds_no_credentials() -> None:
    sealed = Credentials("encrypted", sealed="canary")
    described = Cluster(REF, taints=(Taint("m", added=NOW - 5),), unreachable_since=NOW - 90)

    shown = shown_cluster(Registered(described, sealed, host="a"), NOW)

    assert shown["taints"] == [{"key": "m", "value": "", "effect": "NoSelect", "seconds": 5}]
    assert (shown["reachable"], shown["unreachable_seconds"]) == (False, 90)
    assert "canary" not in str(shown)


# cluster_info, cluster_facts, cluster_result


@pytest.fixture
def fleet(context: Any) -> Callable[..., Context]:
    opened: Context = context()
    store = opened.store()
    for name, region in (("a", "north"), ("b", "south"), ("c", "north")):
        keep(store, registered(name, labels={"region": region}))
    keep_facts(store, {REF: Facts(NOW - 60, "v1.36.4")})
    opened.close()
    made: Callable[..., Context] = context
    return made


def test_clusters_are_found_by_selector_name_and_host(fleet: Any) -> None:
    def names(**options: Any) -> list[str]:
        result = perform(cluster_info.SPEC, cluster_info.run, options, fleet())
        return [one["cluster"] for one in result["clusters"]]

    assert names() == ["lab+a", "lab+b", "lab+c"]
    assert names(selector="region=north, facts.version >= 1.30") == ["lab+a"]
    assert names(names=["lab+c", "b", "host-b"]) == ["lab+b", "lab+c"]
    assert names(names=["b", "c"], selector="region=north") == ["lab+c"]


def test_an_unknown_cluster_is_an_error_that_says_what_was_meant(fleet: Any) -> None:
    info = perform(cluster_info.SPEC, cluster_info.run, {"names": ["lab+d", "host-a"]}, fleet())
    facts = perform(cluster_facts.SPEC, cluster_facts.run, {"name": "aa"}, fleet())

    assert info["problems"][0]["path"] == "names[0]"
    assert "lab+a" in info["problems"][0]["hint"]
    assert facts["reason"] == "UnknownCluster"
    assert "lab+a" in facts["hint"]


def test_young_facts_are_given_without_asking_the_cluster(fleet: Any) -> None:
    young = perform(cluster_facts.SPEC, cluster_facts.run, {"max_age": "1m"}, fleet())
    old = perform(cluster_facts.SPEC, cluster_facts.run, {"max_age": "59s"}, fleet())

    assert young["ansible_facts"]["emco_cluster"]["version"] == "v1.36.4"
    assert old["reason"] == "BadConnection"  # it would ask, and nothing says how


def test_the_states_that_fail_a_host_can_be_chosen(context: Any) -> None:
    def failed(state: str, **options: Any) -> bool:
        arguments = {"from": {"clusters": {"lab+a": {"state": state}}}, **options}
        return bool(perform(cluster_result.SPEC, cluster_result.run, arguments, context()).get("failed"))

    states = ("Ready", "Progressing", "Pending", "Deferred", "Unreachable", "Failed", "Removed")
    assert {state for state in states if failed(state)} == {"Unreachable", "Failed"}
    assert {state for state in states if failed(state, fail_on=["Pending"])} == {"Pending"}


def test_a_host_that_was_not_touched_is_skipped(context: Any) -> None:
    elsewhere = {"from": {"clusters": {"lab+b": {"state": "Failed"}}}}

    result = perform(cluster_result.SPEC, cluster_result.run, elsewhere, context())

    assert result["skipped"]
    assert not result.get("failed")


def test_a_result_that_is_not_of_a_fleet_task_is_refused(context: Any) -> None:
    wrong = perform(cluster_result.SPEC, cluster_result.run, {"from": {"stdout": "x"}}, context())
    failed = perform(cluster_result.SPEC, cluster_result.run, {"from": {"failed": True, "msg": "no plan"}}, context())
    skipped = perform(cluster_result.SPEC, cluster_result.run, {"from": {"skipped": True}}, context())

    assert wrong["problems"][0]["path"] == "from"
    assert "no plan" in failed["msg"]
    assert skipped["skipped"]


# taking out


def test_forgetting_drops_a_cluster_and_what_was_there_without_asking_it(fleet: Any) -> None:
    here = fleet()
    here.store().put(("progress", "demo", "vision"), {"clusters": {"lab+a": {"state": "Ready"}, "lab+b": {}}})
    here.close()

    result = perform(cluster.SPEC, cluster.run, {"state": "absent", "forget": True}, fleet())
    again = perform(cluster.SPEC, cluster.run, {"state": "absent", "forget": True}, fleet())

    assert result["changed"]
    assert result["forgotten_deployments"] == ["demo/vision"]
    assert not again["changed"]
    after = fleet()
    assert find(after.store(), REF) is None
    assert set(after.store().get(("progress", "demo", "vision")).value["clusters"]) == {"lab+b"}


def test_forgetting_in_check_mode_forgets_nothing(fleet: Any) -> None:
    result = perform(cluster.SPEC, cluster.run, {"state": "absent", "forget": True}, fleet(check=True))

    assert result["changed"]
    assert find(fleet().store(), REF) is not None
