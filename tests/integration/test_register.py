# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering clusters through ansible-playbook, on real clusters."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.playbooks import LOCAL, Playbooks, clusters, lab_clusters
from tests.lab.harness import Lab
from tests.tools.playbook import PlaybookRun

pytestmark = pytest.mark.integration

TWO: list[dict[str, Any]] = [
    {"name": "one", "nodes": [{"name": "one-a", "allocatable": {"cpu": 8, "memory": "16Gi"}}, {"name": "one-b"}]},
    {"name": "two", "nodes": [{"name": "two-a"}]},
]
OURS = "emco-edge-system"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("lab") / "state", TWO, audit=True) as started:
        yield started


@pytest.fixture
def whole(lab: Lab) -> Iterator[Lab]:
    """The lab for a test that breaks something."""
    yield lab
    lab.again()


def by_host(run: PlaybookRun, verb: str = "cluster") -> dict[str, dict[str, Any]]:
    assert run.returned, run.output
    return {one.host: one.result for one in run.returned if one.action == f"emco.edge.{verb}"}


def listed(playbooks: Playbooks, **options: Any) -> dict[str, dict[str, Any]]:
    """The registry, by cluster."""
    inventory = {"all": {"hosts": {"localhost": LOCAL}}}
    run = playbooks.tasks([{"emco.edge.cluster_info": options or None}], inventory)
    assert run.code == 0, run.output
    return {one["cluster"]: one for one in by_host(run, "cluster_info")["localhost"]["clusters"]}


def content_of(lab: Lab, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(lab.kubeconfig(name).read_text())
    return content


def token_of(lab: Lab, cluster: str, account: str, role: str | None = None) -> str:
    """A token of an account in the namespace default, bound to a ClusterRole when there is one."""
    lab.apply(
        cluster,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": "default"}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": account},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role or "view"},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "default"}],
        },
    )
    return lab.kubectl(cluster, "create", "token", account, "--namespace=default").strip()


def by_token(lab: Lab, cluster: str, token: str) -> dict[str, Any]:
    """Host variables that reach a cluster with a token."""
    known = content_of(lab, cluster)["clusters"][0]["cluster"]
    authority = (
        base64.b64decode(known["certificate-authority-data"]).decode()
        if "certificate-authority-data" in known
        else Path(known["certificate-authority"]).read_text()
    )
    return {"emco_host": known["server"], "emco_api_key": token, "emco_ca_cert": authority}


# Registering


def test_the_playbook_registers_every_host_and_changes_nothing_the_second_time(lab: Lab, playbooks: Playbooks) -> None:
    inventory = lab_clusters(lab, "one", "two", emco_labels={"region": "north"}, emco_kv={"site": {"rack": "r7"}})

    first = playbooks.run("emco.edge.register", inventory)
    second = playbooks.run("emco.edge.register", inventory)

    assert first.code == second.code == 0, first.output + second.output
    assert {host: one["changed"] for host, one in by_host(first).items()} == {"one": True, "two": True}
    assert {host: one["changed"] for host, one in by_host(second).items()} == {"one": False, "two": False}
    registry = listed(playbooks, facts=True)
    assert set(registry) == {"lab+one", "lab+two"}
    one = registry["lab+one"]
    assert one["labels"] == {"region": "north"}
    assert one["kv"] == {"site": {"rack": "r7"}}
    assert one["version"].startswith("v1.")
    assert one["nodes"] == 2
    assert one["inventory_host"] == "one"
    assert {node["name"] for node in one["facts"]["nodes"]} == {"one-a", "one-b"}
    assert one["facts"]["nodes"][0]["allocatable"]["memory"] == "16Gi"
    assert "apps/v1/Deployment" in one["facts"]["apis"]


def test_registering_by_reference_writes_nothing_to_the_cluster(lab: Lab, playbooks: Playbooks) -> None:
    lab.mark("one")

    run = playbooks.run("emco.edge.register", lab_clusters(lab, "one"))

    assert run.code == 0, run.output
    # A review asks what we may do; it is created, and never stored.
    asked = [one for one in lab.requests("one") if "emco-edge" in one.user_agent]
    assert asked
    assert not [one for one in asked if one.writes and "reviews" not in one.resource]


def test_check_mode_says_what_would_change_and_stores_nothing(lab: Lab, playbooks: Playbooks) -> None:
    run = playbooks.run("emco.edge.register", lab_clusters(lab, "one"), check=True, diff=True)

    assert run.code == 0, run.output
    assert by_host(run)["one"]["changed"]
    assert '+    "uid"' in run.output
    assert listed(playbooks) == {}


def test_a_changed_label_is_a_change_and_shown_as_one(lab: Lab, playbooks: Playbooks) -> None:
    playbooks.run("emco.edge.register", lab_clusters(lab, "one", emco_labels={"region": "north"}))

    run = playbooks.run("emco.edge.register", lab_clusters(lab, "one", emco_labels={"region": "south"}), diff=True)

    assert by_host(run)["one"]["changed"]
    assert '-        "region": "north"' in run.output
    assert '+        "region": "south"' in run.output
    assert listed(playbooks, selector="region=south").keys() == {"lab+one"}


def test_what_is_left_out_stays_as_it_is_registered(lab: Lab, playbooks: Playbooks) -> None:
    taints = [{"key": "maintenance", "effect": "NoSelectIfNew"}]
    playbooks.run("emco.edge.register", lab_clusters(lab, "one", emco_labels={"a": "b"}, emco_taints=taints))

    cordon = [{"emco.edge.cluster": {"provider": "lab", "name": "one", "schedulable": False}}]
    run = playbooks.tasks(cordon, {"all": {"hosts": {"localhost": LOCAL}}})

    assert run.code == 0, run.output
    one = listed(playbooks)["lab+one"]
    assert one["schedulable"] is False
    assert one["labels"] == {"a": "b"}
    assert [taint["key"] for taint in one["taints"]] == ["maintenance"]


def test_a_taint_keeps_the_time_it_was_added(lab: Lab, playbooks: Playbooks) -> None:
    taints = [{"key": "maintenance"}]
    playbooks.run("emco.edge.register", lab_clusters(lab, "one", emco_taints=taints))
    before = listed(playbooks)["lab+one"]["taints"][0]["seconds"]

    again = playbooks.run("emco.edge.register", lab_clusters(lab, "one", emco_taints=taints))

    assert not by_host(again)["one"]["changed"]
    assert listed(playbooks)["lab+one"]["taints"][0]["seconds"] > before


def test_one_cluster_under_two_names_is_refused_unless_allowed(lab: Lab, playbooks: Playbooks) -> None:
    kubeconfig = {"emco_kubeconfig": str(lab.kubeconfig("one"))}
    inventory = clusters({"a": kubeconfig, "b": kubeconfig})

    refused = playbooks.run("emco.edge.register", inventory)
    allowed = playbooks.run("emco.edge.register", inventory, extra={"register_allow_duplicate": "true"})

    results = by_host(refused)
    assert sorted(one.get("reason", "") for one in results.values()) == ["", "DuplicateCluster"]
    assert allowed.code == 0, allowed.output
    assert set(listed(playbooks)) == {"lab+a", "lab+b"}


def test_another_cluster_under_the_same_name_is_reported(lab: Lab, playbooks: Playbooks) -> None:
    playbooks.run("emco.edge.register", lab_clusters(lab, "one"))

    moved = clusters({"one": {"emco_kubeconfig": str(lab.kubeconfig("two"))}})
    run = playbooks.run("emco.edge.register", moved)

    assert by_host(run)["one"]["rebuilt"]
    assert by_host(run)["one"]["changed"]
    assert "built anew" in run.output


def test_relative_paths_of_host_variables_start_at_the_inventory(lab: Lab, playbooks: Playbooks) -> None:
    folder = playbooks.folder / "inventory"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "one.kubeconfig").write_text(lab.kubeconfig("one").read_text())
    hosts = folder / "hosts.yml"
    hosts.write_text(json.dumps(clusters({"one": {"emco_kubeconfig": "files/one.kubeconfig"}})))

    run = playbooks.run("emco.edge.register", hosts)

    assert run.code == 0, run.output
    assert by_host(run)["one"]["kubernetes_core"] == {"kubeconfig": str(folder / "files" / "one.kubeconfig")}


def test_unicode_lives_in_key_values_and_is_refused_in_names_and_labels(lab: Lab, playbooks: Playbooks) -> None:
    good = lab_clusters(lab, "one", emco_kv={"site": {"stadt": "Malmö 🏭"}})
    bad = clusters(
        {"zürich": {"emco_kubeconfig": str(lab.kubeconfig("one"))}}, emco_labels={"stadt": "Malmö", "größe": "x"}
    )

    assert playbooks.run("emco.edge.register", good).code == 0
    run = playbooks.run("emco.edge.register", bad)

    assert listed(playbooks)["lab+one"]["kv"] == {"site": {"stadt": "Malmö 🏭"}}
    problems = {one["path"] for one in by_host(run)["zürich"]["problems"]}
    assert problems == {"inventory_hostname", "emco_labels.stadt", "emco_labels.größe"}


# What does not work


def test_a_frozen_cluster_fails_in_its_time_and_the_others_are_registered(whole: Lab, playbooks: Playbooks) -> None:
    whole.freeze("two")

    run = playbooks.run("emco.edge.register", lab_clusters(whole, "one", "two"), extra={"register_timeout": "4s"})

    results = by_host(run)
    assert results["one"]["changed"]
    assert results["two"]["reason"] in ("ClusterUnreachable", "BudgetSpent")
    assert "lab+two" in results["two"]["msg"]
    assert results["two"]["reason"] == "BudgetSpent" or "within 4 s" in results["two"]["msg"]
    assert set(listed(playbooks)) == {"lab+one"}


def test_every_wrong_connection_says_what_is_wrong_with_it(lab: Lab, playbooks: Playbooks, html: str) -> None:
    broken = playbooks.folder / "broken.yaml"
    broken.write_text("clusters: [\n")
    no_context = content_of(lab, "one")
    two_contexts = {**no_context, "contexts": [*no_context["contexts"], {"name": "other", "context": {}}]}
    token = by_token(lab, "one", "not-a-token")
    hosts: dict[str, dict[str, Any]] = {
        "missing": {"emco_kubeconfig": str(playbooks.folder / "missing.yaml")},
        "malformed": {"emco_kubeconfig": str(broken)},
        "ambiguous": {"emco_kubeconfig": two_contexts},
        "nothing": {},
        "nobody": {"emco_host": "https://127.0.0.1:9", "emco_api_key": "x"},
        "expired": token,
        "distrusted": {**token, "emco_ca_cert": by_token(lab, "two", "x")["emco_ca_cert"]},
        "website": {"emco_host": html},
    }

    run = playbooks.run("emco.edge.register", clusters(hosts))

    results = by_host(run)
    assert {name: one["reason"] for name, one in results.items()} == {
        "missing": "BadConnection",
        "malformed": "BadConnection",
        "ambiguous": "BadConnection",
        "nothing": "BadConnection",
        "nobody": "ClusterUnreachable",
        "expired": "Unauthorized",
        "distrusted": "CertificateRejected",
        "website": "BadConnection",
    }
    assert "missing.yaml" in results["missing"]["msg"]
    assert "line 2" in results["malformed"]["msg"]
    assert "other" in results["ambiguous"]["msg"]
    assert "Traceback" not in run.output
    assert listed(playbooks) == {}


@pytest.fixture
def html() -> Iterator[str]:
    """The URL of something that answers and is no API server."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_an_account_that_may_not_deploy_is_refused_with_the_list(lab: Lab, playbooks: Playbooks) -> None:
    inventory = clusters({"one": by_token(lab, "one", token_of(lab, "one", "viewer", "view"))})

    refused = playbooks.run("emco.edge.register", inventory)
    warned = playbooks.run("emco.edge.register", inventory, extra={"register_on_missing_rights": "warn"})

    result = by_host(refused)["one"]
    assert result["reason"] == "MissingRights"
    assert "create deployments.apps" in result["missing_rights"]
    assert "get configmaps" not in result["missing_rights"]
    assert warned.code == 0, warned.output
    assert "create deployments.apps" in by_host(warned)["one"]["missing_rights"]


# Credentials


@pytest.mark.parametrize("connection", ["local", "elsewhere"])
@pytest.mark.parametrize("keep", ["reference", "encrypted"])
def test_no_secret_is_in_any_output_or_in_the_store(lab: Lab, playbooks: Playbooks, keep: str, connection: str) -> None:
    token = token_of(lab, "one", "canary", "cluster-admin")
    content = content_of(lab, "two")
    key = content["users"][0]["user"].get("client-key-data") or "no key in the kubeconfig"
    hosts = {"one": by_token(lab, "one", token), "two": {"emco_kubeconfig": content}}
    inventory = clusters(hosts, emco_keep_credentials=keep, ansible_connection=connection)

    run = playbooks.run("emco.edge.register", inventory, "-vvvv", diff=True, env=elsewhere(playbooks))

    if connection == "elsewhere" and keep == "reference":
        # The module runs where there are no host variables to refer to.
        assert {one["reason"] for one in by_host(run).values()} == {"BadConnection"}
    else:
        assert run.code == 0, run.output
        assert set(listed(playbooks)) == {"lab+one", "lab+two"}
    for secret in (token, key):
        assert secret not in run.output
        for file in (playbooks.folder / "state").rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file


def elsewhere(playbooks: Playbooks) -> dict[str, str]:
    """A connection that is this machine and not local, as far as Ansible knows."""
    folder = playbooks.folder / "connections"
    folder.mkdir(exist_ok=True)
    (folder / "elsewhere.py").write_text(
        "from ansible.plugins.connection.local import Connection as Local\n"
        "DOCUMENTATION = 'name: elsewhere\\nshort_description: for tests\\ndescription: [for tests]\\noptions: {}\\n'\n"
        "class Connection(Local):\n"
        "    transport = 'elsewhere'\n"
    )
    return {"ANSIBLE_CONNECTION_PLUGINS": str(folder)}


def test_credentials_that_are_kept_encrypted_outlive_their_files(lab: Lab, playbooks: Playbooks) -> None:
    copy = playbooks.folder / "one.yaml"
    copy.write_text(lab.kubeconfig("one").read_text())
    inventory = clusters({"one": {"emco_kubeconfig": str(copy), "emco_keep_credentials": "encrypted"}})
    first = playbooks.run("emco.edge.register", inventory)
    again = playbooks.run("emco.edge.register", inventory)
    copy.unlink()

    facts = playbooks.tasks([{"emco.edge.cluster_facts": {"max_age": "0s"}}], clusters({"one": {}}))

    assert by_host(first)["one"]["changed"]
    assert not by_host(again)["one"]["changed"]
    assert facts.code == 0, facts.output
    assert by_host(facts, "cluster_facts")["one"]["ansible_facts"]["emco_cluster"]["reachable"] is True


def test_secrets_in_host_variables_are_referred_to_by_host(lab: Lab, playbooks: Playbooks) -> None:
    hosts = {"one": by_token(lab, "one", token_of(lab, "one", "admin", "cluster-admin"))}
    run = playbooks.run("emco.edge.register", clusters(hosts))
    assert run.code == 0, run.output
    read = [{"emco.edge.cluster_facts": {"max_age": 0}}]

    with_them = playbooks.tasks(read, clusters(hosts))
    without = playbooks.tasks(read, clusters({"one": {}}))

    assert with_them.code == 0, with_them.output
    assert by_host(without, "cluster_facts")["one"]["reason"] == "BadConnection"


def test_an_account_of_our_own_replaces_what_was_given(lab: Lab, playbooks: Playbooks) -> None:
    inventory = lab_clusters(lab, "one", emco_keep_credentials="service_account")
    would = playbooks.run("emco.edge.register", inventory, check=True)
    assert "ServiceAccount" in str(by_host(would)["one"]["account_changes"])
    assert "emco-edge-" not in lab.kubectl("one", "get", "clusterroles")

    first = playbooks.run("emco.edge.register", inventory)
    lab.mark("one")
    again = playbooks.run("emco.edge.register", inventory)
    # Nobody gives a connection any more.
    alone = playbooks.run("emco.edge.register", clusters({"one": {}}))

    assert first.code == 0, first.output
    assert len(by_host(first)["one"]["account_changes"]) == 5
    assert not by_host(again)["one"]["changed"], by_host(again)
    assert alone.code == 0, alone.output
    result = by_host(alone)["one"]
    assert not result["changed"]
    assert result["cluster"]["keep_credentials"] == "service_account"
    assert result["missing_rights"] == []
    asked = [one for one in lab.requests("one") if "emco-edge" in one.user_agent]
    assert not [one for one in asked if one.writes and "reviews" not in one.resource]
    assert any(one.user.startswith(f"system:serviceaccount:{OURS}:emco-edge-") for one in asked)

    gone = playbooks.run("emco.edge.register", clusters({"one": {}}), extra={"register_state": "absent"})
    assert gone.code == 0, gone.output
    lab.kubectl("one", "wait", "--for=delete", f"namespace/{OURS}", "--timeout=40s", timeout=60)
    assert "emco-edge-" not in lab.kubectl("one", "get", "clusterrolebindings,clusterroles")


def test_a_cluster_that_was_unregistered_a_moment_ago_gets_an_account_that_stays(
    lab: Lab, playbooks: Playbooks
) -> None:
    inventory = lab_clusters(lab, "one", emco_keep_credentials="service_account")
    assert playbooks.run("emco.edge.register", inventory).code == 0
    there = {"emco.edge.cluster": {"keep_credentials": "service_account"}}

    run = playbooks.tasks([{"emco.edge.cluster": {"state": "absent"}}, there], inventory)

    assert run.code == 0, run.output
    gone, back = run.results_of("cluster")
    assert "Namespace emco-edge-system" in gone["removed"] and len(back["account_changes"]) == 5, back
    # What the namespace that went owned is collected some time later.
    time.sleep(3.0)
    alone = playbooks.run("emco.edge.register", clusters({"one": {}}))
    assert alone.code == 0, alone.output
    assert not by_host(alone)["one"]["changed"]
    playbooks.run("emco.edge.register", inventory, extra={"register_state": "absent"})


# Unregistering


def test_a_cluster_that_runs_something_of_ours_is_not_unregistered(lab: Lab, playbooks: Playbooks) -> None:
    inventory = lab_clusters(lab, "two")
    playbooks.run("emco.edge.register", inventory)
    record = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "record-0",
            "namespace": OURS,
            "labels": {"emco.edge/record": "true"},
            "annotations": {"emco.edge/record-of": "demo/vision"},
        },
    }
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": OURS, "labels": {"app.kubernetes.io/managed-by": "emco-edge"}},
    }
    lab.apply("two", namespace, record)
    absent = {"register_state": "absent"}

    refused = playbooks.run("emco.edge.register", inventory, extra=absent)
    assert by_host(refused)["two"]["reason"] == "ClusterInUse"
    assert by_host(refused)["two"]["deployments"] == ["demo/vision"]
    assert set(listed(playbooks)) == {"lab+two"}

    lab.kubectl("two", "delete", "secret", "record-0", "-n", OURS)
    would = playbooks.run("emco.edge.register", inventory, extra=absent, check=True)
    assert by_host(would)["two"]["removed"] == [f"Namespace {OURS}"]
    assert set(listed(playbooks)) == {"lab+two"}

    done = playbooks.run("emco.edge.register", inventory, extra=absent)
    again = playbooks.run("emco.edge.register", inventory, extra=absent)
    assert by_host(done)["two"]["changed"]
    assert not by_host(again)["two"]["changed"]
    assert listed(playbooks) == {}


def test_a_cluster_that_does_not_answer_is_only_forgotten_when_told_so(whole: Lab, playbooks: Playbooks) -> None:
    inventory = lab_clusters(whole, "two")
    playbooks.run("emco.edge.register", inventory)
    whole.stop("two")

    refused = playbooks.run("emco.edge.register", inventory, extra={"register_state": "absent"})
    forgotten = playbooks.run(
        "emco.edge.register", inventory, extra={"register_state": "absent", "register_forget": True}
    )

    assert by_host(refused)["two"]["reason"] == "ClusterUnreachable"
    assert "forget: true" in by_host(refused)["two"]["msg"]
    assert by_host(forgotten)["two"]["changed"]
    assert listed(playbooks) == {}


# The other verbs for a host


def test_facts_of_a_silent_cluster_are_the_stored_ones(whole: Lab, playbooks: Playbooks) -> None:
    inventory = lab_clusters(whole, "two")
    playbooks.run("emco.edge.register", inventory)
    whole.stop("two")
    tasks = [
        {"emco.edge.cluster_facts": {"max_age": "1h"}},
        {"emco.edge.cluster_facts": {"max_age": "0s"}},
        {"emco.edge.cluster_facts": {"max_age": "0s", "fail_when_unreachable": True}},
    ]

    run = playbooks.tasks(tasks, inventory)

    fresh, silent, failed = (one.result for one in run.returned)
    assert fresh["ansible_facts"]["emco_cluster"]["reachable"] is True
    assert silent["ansible_facts"]["emco_cluster"]["reachable"] is False
    assert [node["name"] for node in silent["ansible_facts"]["emco_cluster"]["nodes"]] == ["two-a"]
    assert failed["reason"] == "ClusterUnreachable"
    assert listed(playbooks)["lab+two"]["reachable"] is False


def test_a_template_in_a_node_label_is_text(lab: Lab, playbooks: Playbooks) -> None:
    lab.kubectl("one", "annotate", "node", "one-a", "note={{ 7 * 191 }}")
    taint = {"spec": {"taints": [{"key": "note", "value": "x", "effect": "PreferNoSchedule"}]}}
    lab.kubectl("one", "patch", "node", "one-b", "--type=merge", "-p", json.dumps(taint))
    inventory = lab_clusters(lab, "one", emco_kv={"site": {"note": "{% raw %}{{ 7 * 191 }}{% endraw %}"}})
    tasks = [
        {"emco.edge.cluster": None, "register": "done"},
        {"emco.edge.cluster_info": {"names": ["one"]}, "register": "found"},
        {"ansible.builtin.debug": {"msg": "{{ found.clusters[0].kv }} {{ done.cluster.kv }}"}},
    ]

    run = playbooks.tasks(tasks, inventory)

    assert run.code == 0, run.output
    assert "1337" not in run.output
    assert "{{ 7 * 191 }}" in run.output


def test_hosts_fail_with_their_clusters_and_the_percentage_stops_the_play(playbooks: Playbooks) -> None:
    outcomes = {
        "lab+a": {"state": "Ready", "changed": True, "applied": 4, "unchanged": 16, "deleted": 0, "seconds": 0.8},
        "lab+b": {"state": "Failed", "changed": False, "reason": "FieldConflict", "message": "kubectl owns it"},
        "lab+c": {"state": "Deferred", "changed": False, "reason": "ClusterUnreachable", "message": "no answer"},
    }
    play = {
        "hosts": "edge",
        "gather_facts": False,
        "max_fail_percentage": 20,
        "tasks": [
            {"emco.edge.cluster_result": {"from": {"clusters": outcomes}}, "notify": "changed"},
            {"ansible.builtin.debug": {"msg": "went on"}},
        ],
        "handlers": [{"name": "changed", "ansible.builtin.debug": {"msg": "handler of {{ inventory_hostname }}"}}],
    }

    stopped = playbooks.run([play], clusters({name: {} for name in "abcd"}))
    tolerant = playbooks.run([{**play, "max_fail_percentage": 30}], clusters({name: {} for name in "abcd"}))

    results = by_host(stopped, "cluster_result")
    assert results["a"]["msg"] == "lab+a Ready: 4 applied, 16 unchanged, 0.8 s"
    assert results["b"]["reason"] == "FieldConflict"
    assert results["c"]["state"] == "Deferred"
    assert "d" not in results  # skipped
    assert "went on" not in stopped.output
    assert "handler of a" in tolerant.output
    assert "handler of c" not in tolerant.output


# Two doors


def test_a_host_with_a_connection_gets_the_module_and_the_same_result(lab: Lab, playbooks: Playbooks) -> None:
    here = lab_clusters(lab, "one", emco_labels={"region": "north"})
    there = lab_clusters(lab, "one", emco_labels={"region": "north"}, ansible_connection="elsewhere")

    local = playbooks.run("emco.edge.register", here, "-vv")
    remote = playbooks.run("emco.edge.register", there, env=elsewhere(playbooks))

    mine, other = by_host(local)["one"], by_host(remote)["one"]
    assert mine["process"]["door"] == "action"
    assert other["process"]["door"] == "module"
    assert mine["process"]["pid"] != other["process"]["pid"]
    assert other["cluster"]["cluster"] == "lab+one"
    assert other["cluster"]["inventory_host"] == "one"
    assert other["cluster"]["labels"] == mine["cluster"]["labels"]
