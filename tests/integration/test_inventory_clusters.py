# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin through ansible-inventory and ansible-playbook, with hubs that are real clusters."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.playbooks import Playbooks, lab_clusters
from tests.integration.test_register import by_host, by_token, content_of, token_of
from tests.lab.harness import Lab
from tests.tools.checkout import TOOLS

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("lab") / "state", ["hub", "shop"], audit=False) as started:
        for group, kind, plural, scope in (
            ("cluster.x-k8s.io", "Cluster", "clusters", "Namespaced"),
            ("multicluster.x-k8s.io", "ClusterProfile", "clusterprofiles", "Namespaced"),
        ):
            define(started, group, kind, plural, scope)
        yield started


def define(lab: Lab, group: str, kind: str, plural: str, scope: str) -> None:
    """A kind that takes anything: what the plugin reads of it is what counts here."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1beta1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }
    if group.endswith(".x-k8s.io"):
        definition["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, for tests"}  # type: ignore[index]
    lab.apply("hub", definition)
    lab.established("hub", f"{plural}.{group}")


def configured(playbooks: Playbooks, name: str = "fleet.emco_edge.yml", **options: Any) -> Path:
    file = playbooks.folder / name
    file.write_text(yaml.safe_dump({"plugin": "emco.edge.clusters", **options}, allow_unicode=True))
    return file


def inventory(playbooks: Playbooks, file: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """What ansible-inventory says, or its words when it fails."""
    process = subprocess.run(
        [str(TOOLS / "venv" / "bin" / "ansible-inventory"), "-i", str(file), "--list", *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(playbooks.folder), **playbooks.own_environment(), **(env or {})},
        check=False,
        text=True,
        capture_output=True,
    )
    if process.returncode or not process.stdout.startswith("{"):
        return process.stdout + process.stderr
    told = json.loads(process.stdout, object_hook=lambda one: one.get("__ansible_unsafe", one))
    told["warnings"] = process.stderr
    return told


def test_registered_clusters_are_hosts_and_work_as_such(lab: Lab, playbooks: Playbooks) -> None:
    playbooks.run("emco.edge.register", lab_clusters(lab, "shop", emco_labels={"region": "north"}))
    file = configured(playbooks, keyed_groups=[{"key": "emco_labels.region", "prefix": "region"}])

    told = inventory(playbooks, file)
    again = playbooks.run("emco.edge.register", file)

    assert told["edge"]["hosts"] == told["region_north"]["hosts"] == ["shop"]
    host = told["_meta"]["hostvars"]["shop"]
    assert host["ansible_connection"] == "local"
    assert host["emco_version"].startswith("v1.")
    assert again.code == 0, again.output


def test_values_from_clusters_are_never_templates_and_our_own_interpreter_is_one(
    lab: Lab, playbooks: Playbooks
) -> None:
    kv = {"site": {"note": "{% raw %}{{ 7 * 191 }}{% endraw %}"}}
    playbooks.run("emco.edge.register", lab_clusters(lab, "shop", emco_kv=kv))
    play = {
        "hosts": "edge",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.debug": {"msg": "{{ emco_kv.site.note }}"}},
            {"ansible.builtin.assert": {"that": "ansible_python_interpreter == ansible_playbook_python"}},
        ],
    }

    run = playbooks.run([play], configured(playbooks))

    assert run.code == 0, run.output
    assert "{{ 7 * 191 }}" in run.output
    assert "1337" not in run.output


def test_the_cache_is_used_and_flushed_when_told(lab: Lab, playbooks: Playbooks) -> None:
    (playbooks.folder / "k").mkdir()
    one = playbooks.folder / "k" / "one.yaml"
    one.write_text(lab.kubeconfig("shop").read_text())
    file = configured(
        playbooks,
        sources=[{"type": "kubeconfig", "path": "k/*.yaml"}],
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection=str(playbooks.folder / "cache"),
    )
    first = inventory(playbooks, file)
    one.rename(one.with_name("two.yaml"))

    cached = inventory(playbooks, file)
    flushed = inventory(playbooks, file, "--flush-cache")
    after = inventory(playbooks, file)

    assert [told["edge"]["hosts"] for told in (first, cached, flushed, after)] == [["one"], ["one"], ["two"], ["two"]]
    assert first["_meta"] == cached["_meta"]


def test_options_come_from_the_environment_too(lab: Lab, playbooks: Playbooks) -> None:
    sources = [{"type": "kubeconfig", "path": str(lab.kubeconfig("shop")), "provider": "lab"}]
    env = {
        "EMCO_EDGE_INVENTORY_SOURCES": json.dumps(sources),
        "EMCO_EDGE_INVENTORY_GROUP": "fleet",
        "EMCO_EDGE_INVENTORY_HOST_NAMES": "provider_name",
    }

    told = inventory(playbooks, configured(playbooks), env=env)

    (host,) = told["fleet"]["hosts"]
    assert host.startswith("lab_")
    assert "edge" not in told
    assert told["_meta"]["hostvars"][host]["emco_name"] == host.removeprefix("lab_")


def test_only_its_own_files_are_read(playbooks: Playbooks) -> None:
    named = configured(playbooks, "anything.yml", sources=[])
    other = playbooks.folder / "other.yml"
    other.write_text("edge: {hosts: {a: {}}}\n")

    assert "anything" not in str(inventory(playbooks, named)["warnings"])
    assert inventory(playbooks, other)["edge"]["hosts"] == ["a"]


def test_a_source_that_fails_says_so_or_is_left_out_when_told(playbooks: Playbooks) -> None:
    sources = [{"type": "capi", "host": "https://127.0.0.1:9"}]
    strict = configured(playbooks, "strict.emco_edge.yml", sources=sources)
    lenient = configured(playbooks, "lenient.emco_edge.yml", sources=sources, on_error="warn")
    wrong = configured(playbooks, "wrong.emco_edge.yml", sources=[{"type": "capy"}])

    env = {"ANSIBLE_INVENTORY_UNPARSED_FAILED": "1"}
    assert "127.0.0.1:9" in inventory(playbooks, strict, env=env)
    assert "left out" in inventory(playbooks, lenient)["warnings"]
    assert "sources[0].type" in inventory(playbooks, wrong, env=env)


# hubs


def test_clusters_of_cluster_api_are_reached_with_what_the_hub_keeps(lab: Lab, playbooks: Playbooks) -> None:
    content = lab.kubeconfig("shop").read_text()
    lab.kubectl("hub", "create", "namespace", "fleet")
    for name, secret in (("store-1", content), ("store-2", None)):
        labels = {"region": "north", "note": "x"}
        lab.apply(
            "hub",
            {
                "apiVersion": "cluster.x-k8s.io/v1beta1",
                "kind": "Cluster",
                "metadata": {"name": name, "namespace": "fleet", "labels": labels},
                "spec": {"topology": {"class": "edge", "version": "v1.36.4"}},
            },
        )
        if secret:
            metadata = {
                "name": f"{name}-kubeconfig",
                "namespace": "fleet",
                "labels": {"cluster.x-k8s.io/cluster-name": name},
            }
            data = {"value": base64.b64encode(secret.encode()).decode()}
            lab.apply("hub", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    source = {"type": "capi", "kubeconfig": str(lab.kubeconfig("hub")), "namespace": "fleet"}
    file = configured(playbooks, sources=[source])

    told = inventory(playbooks, file)
    registered = playbooks.run("emco.edge.register", file)
    facts = playbooks.run([{"hosts": "edge", "gather_facts": False, "tasks": [read_now()]}], file)

    assert told["edge"]["hosts"] == ["store-1"]
    assert "store-2 has no kubeconfig yet" in told["warnings"]
    host = told["_meta"]["hostvars"]["store-1"]
    assert host["emco_provider"] == "fleet"
    assert host["emco_labels"]["region"] == "north"
    assert host["emco_kv"]["capi"]["class"] == "edge"
    assert "client-key" not in json.dumps(told)
    assert registered.code == 0, registered.output
    assert by_host(registered)["store-1"]["cluster"]["cluster"] == "fleet+store-1"
    assert facts.code == 0, facts.output
    assert by_host(facts, "cluster_facts")["store-1"]["ansible_facts"]["emco_cluster"]["reachable"]


def read_now() -> dict[str, Any]:
    return {"emco.edge.cluster_facts": {"max_age": "0s"}}


def test_profiles_and_managed_clusters_of_a_hub_are_hosts(lab: Lab, playbooks: Playbooks) -> None:
    token = token_of(lab, "shop", "emco-edge", "cluster-admin")
    way = by_token(lab, "shop", token)
    authority = base64.b64encode(way["emco_ca_cert"].encode()).decode()
    lab.kubectl("hub", "create", "namespace", "store-9")
    profile = {
        "apiVersion": "multicluster.x-k8s.io/v1beta1",
        "kind": "ClusterProfile",
        "metadata": {"name": "store-9", "namespace": "store-9", "labels": {"tier": "far-edge"}},
        "spec": {"clusterManager": {"name": "ocm"}},
        "status": {
            "version": {"kubernetes": "v1.36.4"},
            "properties": [{"name": "location", "value": "Kiruna"}],
            "accessProviders": [
                {
                    "name": "direct",
                    "cluster": {"server": way["emco_host"], "certificate-authority-data": authority},
                }
            ],
        },
    }
    lab.apply("hub", profile)
    hub = {"kubeconfig": str(lab.kubeconfig("hub"))}

    # Without ManagedClusters a hub is read for its profiles.
    profiles = inventory(playbooks, configured(playbooks, "p.emco_edge.yml", sources=[{"type": "ocm", **hub}]))
    host = profiles["_meta"]["hostvars"]["store-9"]
    assert host["emco_provider"] == "ocm"
    assert host["emco_host"] == way["emco_host"]
    assert host["emco_kv"]["properties"] == {"location": "Kiruna"}

    define(lab, "cluster.open-cluster-management.io", "ManagedCluster", "managedclusters", "Cluster")
    managed = {
        "apiVersion": "cluster.open-cluster-management.io/v1beta1",
        "kind": "ManagedCluster",
        "metadata": {"name": "store-9", "labels": {"vendor": "Kubernetes"}},
        "spec": {
            "hubAcceptsClient": True,
            "managedClusterClientConfigs": [{"url": way["emco_host"], "caBundle": authority}],
            "taints": [{"key": "unwell", "effect": "NoSelectIfNew", "timeAdded": "2026-01-01T00:00:00Z"}],
        },
        "status": {
            "clusterClaims": [{"name": "id.k8s.io", "value": "abc"}],
            "conditions": [{"type": "ManagedClusterConditionAvailable", "status": "True"}],
            "version": {"kubernetes": "v1.36.4"},
        },
    }
    stranger = {**managed, "metadata": {"name": "stranger"}, "spec": {"hubAcceptsClient": False}}
    account = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "emco-edge", "namespace": "store-9"},
        "data": {"token": base64.b64encode(token.encode()).decode()},
    }
    lab.apply("hub", managed, stranger, account)
    source = {"type": "ocm", **hub, "service_account": "emco-edge"}
    file = configured(playbooks, "m.emco_edge.yml", sources=[source])

    told = inventory(playbooks, file)
    registered = playbooks.run("emco.edge.register", file, "-vvvv")

    assert told["edge"]["hosts"] == ["store-9"]
    host = told["_meta"]["hostvars"]["store-9"]
    assert host["emco_taints"] == [{"key": "unwell", "value": "", "effect": "NoSelectIfNew"}]
    assert host["emco_kv"]["claims"] == {"id.k8s.io": "abc"}
    assert token not in json.dumps(told)
    assert registered.code == 0, registered.output
    assert by_host(registered)["store-9"]["cluster"]["cluster"] == "ocm+store-9"
    assert token not in registered.output


def test_a_hub_of_awx_comes_from_its_credential(lab: Lab, playbooks: Playbooks) -> None:
    token = token_of(lab, "hub", "awx", "cluster-admin")
    way = by_token(lab, "hub", token)
    authority = playbooks.folder / "hub.pem"
    authority.write_text(way["emco_ca_cert"])
    lab.kubectl("hub", "create", "namespace", "awx")
    content = json.dumps(content_of(lab, "shop"))
    secret = {"name": "a-kubeconfig", "namespace": "awx", "labels": {"cluster.x-k8s.io/cluster-name": "a"}}
    lab.apply(
        "hub",
        {"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster", "metadata": {"name": "a", "namespace": "awx"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": {"value": content}},
    )
    env = {
        "K8S_AUTH_HOST": way["emco_host"],
        "K8S_AUTH_API_KEY": token,
        "K8S_AUTH_SSL_CA_CERT": str(authority),
        "K8S_AUTH_VERIFY_SSL": "True",
    }
    file = configured(playbooks, sources=[{"type": "capi", "namespace": "awx"}])

    told = inventory(playbooks, file, env=env)
    registered = playbooks.run("emco.edge.register", file, env=env)

    assert told["edge"]["hosts"] == ["a"]
    assert token not in json.dumps(told)
    assert registered.code == 0, registered.output
