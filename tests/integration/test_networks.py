# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks on real API servers with the kinds of three engines; the engines themselves do not run there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.networking import CLUSTERS, ENGINES, Sites, with_engines
from tests.integration.playbooks import Playbooks
from tests.lab.harness import Lab
from tests.tools.checkout import ROOT
from tests.tools.playbook import PlaybookRun

pytestmark = pytest.mark.integration

PROTECTED = {
    "name": "protected",
    "clusters": "all",
    "subnets": [
        {"cidr": "192.168.20.0/24", "gateway": "192.168.20.1", "exclude": "192.168.20.2 192.168.20.10..192.168.20.20"},
        {"cidr": "fd00:20::/64"},
    ],
    "wait": False,
}
UPLINK = {
    "name": "uplink",
    "clusters": "all",
    "type": "vlan",
    "vlan": {"id": 102, "interface": "ens5", "nodes": {"selector": "specific", "labels": ["uplink=true"]}},
    "subnets": [{"cidr": "10.151.12.0/24", "gateway": "10.151.12.1", "exclude": ["10.151.12.2..10.151.12.9"]}],
    "wait": False,
}
PLAIN = {"name": "plain", "clusters": "all", "subnets": [{"from": "10.64.0.0/16", "prefix": 24}], "wait": False}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    running = os.environ.get("EMCO_EDGE_NETWORK_LAB")
    if running:
        yield Lab.attach(Path(running))
        return
    with Lab.up(tmp_path_factory.mktemp("networks") / "state", CLUSTERS) as started:
        yield with_engines(started)


@pytest.fixture
def sites(lab: Lab, playbooks: Playbooks) -> Iterator[Sites]:
    one = Sites(lab, playbooks).register()
    yield one
    names = (
        "plain",
        "other",
        "protected",
        "uplink",
        "second",
        "unprotected",
        "management",
    )  # those that lean on others first
    run = one.tasks(*({"emco.edge.network": {"name": name, "clusters": "all", "state": "absent"}} for name in names))
    assert run.code == 0, run.output
    assert not any(one.objects(cluster) for cluster in ENGINES)


def last(run: PlaybookRun, verb: str = "network") -> dict[str, Any]:
    return run.results_of(verb)[-1]


def test_each_cluster_gets_its_engines_objects_once(sites: Sites) -> None:
    wanted = [{"emco.edge.network": PROTECTED}, {"emco.edge.provider_network": UPLINK}, {"emco.edge.network": PLAIN}]
    first = sites.tasks(*wanted)
    assert first.code == 0, first.output
    engines = {name.partition("+")[2]: one["engine"] for name, one in last(first)["clusters"].items()}
    assert engines == ENGINES
    assert set(sites.objects("kube")) == {
        "Vpc /protected-vpc",
        "Subnet /protected",
        "NetworkAttachmentDefinition default/protected",
        "ProviderNetwork /pn-ens5",
        "Vlan /uplink",
        "Subnet /uplink",
        "NetworkAttachmentDefinition default/uplink",
        "Vpc /plain-vpc",
        "Subnet /plain",
        "NetworkAttachmentDefinition default/plain",
    }
    assert set(sites.objects("ovnk")) == {
        "NetworkAttachmentDefinition default/protected",
        "ClusterUserDefinedNetwork /uplink",
        "ClusterUserDefinedNetwork /plain",
    }
    assert set(sites.objects("nodus")) == {
        "Network default/protected",
        "ProviderNetwork default/uplink",
        "Network default/plain",
    }
    # Each has a block of its own.
    blocks = {name: one["subnets"] for name, one in last(first)["clusters"].items()}
    assert sorted(blocks.values()) == [["10.64.0.0/24"], ["10.64.1.0/24"], ["10.64.2.0/24"]]
    sites.marked()
    second = sites.tasks(*wanted)
    assert second.code == 0, second.output
    assert not any(one["changed"] for verb in ("network", "provider_network") for one in second.results_of(verb))
    assert sites.writes() == []
    assert {name: one["subnets"] for name, one in last(second)["clusters"].items()} == blocks
    # A new store finds the networks, their blocks too, in the clusters' own records.
    shutil.rmtree(sites.playbooks.folder / "state" / "emco-edge")
    sites.register()
    sites.marked()
    again = sites.tasks({"emco.edge.network": PLAIN})
    assert again.code == 0 and not last(again)["changed"], again.output
    assert {name: one["subnets"] for name, one in last(again)["clusters"].items()} == blocks
    assert sites.writes() == []


def test_what_engines_say_is_the_status(sites: Sites) -> None:
    waiting = {**PLAIN, "wait": True, "wait_timeout": "1s"}
    # Another network that nobody makes ready keeps this one from nothing.
    run = sites.tasks({"emco.edge.provider_network": UPLINK}, {"emco.edge.network": waiting, "ignore_errors": True})
    states = {name.partition("+")[2]: one["state"] for name, one in last(run)["clusters"].items()}
    assert set(states.values()) & {"Ready"} == set(), run.output
    sites.say("kube", "subnet", "plain", {"conditions": [{"type": "Ready", "status": "True"}]})
    made = {"conditions": [{"type": "NetworkCreated", "status": "True"}]}
    sites.say("ovnk", "clusteruserdefinednetwork", "plain", made)
    sites.say("nodus", "networks.k8s.plugin.opnfv.org", "plain", {"state": "CreateInternalError"}, "-n", "default")
    run = sites.tasks(
        {"emco.edge.network": waiting, "ignore_errors": True},
        {"emco.edge.network_info": {"clusters": "all", "live": True}},
    )
    ready = {
        name.partition("+")[2]: (one["networks"][0]["ready"], one["networks"][0]["objects"][-1].get("reason"))
        for name, one in last(run, "network_info")["clusters"].items()
    }
    assert ready == {"kube": (True, None), "ovnk": (True, None), "nodus": (False, "CreateInternalError")}
    states = {name.partition("+")[2]: one["state"] for name, one in last(run)["clusters"].items()}
    assert (states["kube"], states["ovnk"]) == ("Ready", "Ready")
    assert states["nodus"] != "Ready"


def test_what_cannot_change_is_made_anew_when_told_and_when_nobody_uses_it(sites: Sites) -> None:
    assert sites.tasks({"emco.edge.provider_network": UPLINK}).code == 0
    before = sites.objects("ovnk")["ClusterUserDefinedNetwork /uplink"]["metadata"]["uid"]
    moved = {**UPLINK, "vlan": {**UPLINK["vlan"], "id": 103}}
    refused = sites.tasks({"emco.edge.provider_network": moved})
    assert refused.code != 0
    told = last(refused, "provider_network")
    assert told["reason"] == "ImmutableNetwork" and "spec.id: 102 -> 103" in told["msg"]
    # Check mode shows it, and changes nothing.
    foreseen = sites.tasks({"emco.edge.provider_network": moved}, check=True, diff=True)
    assert foreseen.code == 0, foreseen.output
    assert "spec.id: 102 -> 103" in foreseen.output
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "user",
            "namespace": "default",
            "annotations": {"k8s.v1.cni.cncf.io/networks": "default/uplink@net1"},
        },
        "spec": {"containers": [{"name": "one", "image": "example/one:1"}]},
    }
    sites.lab.apply("ovnk", pod)
    moved["replace"] = True
    used = last(sites.tasks({"emco.edge.provider_network": moved, "ignore_errors": True}), "provider_network")
    assert used["clusters"]["lab+ovnk"]["reason"] == "NetworkInUse"
    assert used["clusters"]["lab+ovnk"]["details"]["pods"] == {"uplink": ["default/user"]}
    assert used["clusters"]["lab+kube"]["changed"]
    assert sites.objects("kube")["Vlan /uplink"]["spec"]["id"] == 103
    assert sites.objects("ovnk")["ClusterUserDefinedNetwork /uplink"]["metadata"]["uid"] == before
    gone = {"name": "uplink", "clusters": ["lab+ovnk"], "state": "absent"}
    removal = sites.tasks({"emco.edge.provider_network": gone})
    assert removal.code != 0 and "default/user" in last(removal, "provider_network")["msg"]
    sites.lab.kubectl("ovnk", "delete", "pod", "user", "--force", "--grace-period=0")
    done = sites.tasks({"emco.edge.provider_network": moved})
    assert done.code == 0, done.output
    live = sites.objects("ovnk")["ClusterUserDefinedNetwork /uplink"]
    assert live["metadata"]["uid"] != before
    assert live["spec"]["network"]["localnet"]["vlan"]["access"]["id"] == 103


def test_one_network_goes_and_the_others_stay(sites: Sites) -> None:
    second = {**UPLINK, "name": "second", "subnets": [{"cidr": "10.152.0.0/24"}]}
    second["vlan"] = {**UPLINK["vlan"], "id": 200}
    both = ["lab+kube", "lab+ovnk"]
    other = {"name": "other", "clusters": both, "subnets": [{"cidr": "10.9.0.0/24"}], "wait": False}
    flows = [{"from": {"network": "other"}, "ports": [{"port": "443"}]}]
    inside = {**PLAIN, "clusters": both, "connectivity": flows}
    run = sites.tasks(
        {"emco.edge.provider_network": UPLINK},
        {"emco.edge.provider_network": second},
        {"emco.edge.network": other},
        {"emco.edge.network": inside},
    )
    assert run.code == 0, run.output
    assert len(sites.objects("kube")["Subnet /plain"]["spec"]["acls"]) == 2
    policy = sites.objects("ovnk")["MultiNetworkPolicy default/plain"]["spec"]
    assert policy["ingress"][0]["from"] == [{"ipBlock": {"cidr": "10.9.0.0/24"}}]
    needed = sites.tasks({"emco.edge.network": {"name": "other", "clusters": "all", "state": "absent"}})
    assert needed.code != 0 and "lets in connections from other" in last(needed)["msg"]
    everything = {cluster: sites.objects(cluster) for cluster in ENGINES}
    gone = {"name": "uplink", "clusters": "all", "state": "absent"}
    assert sites.tasks({"emco.edge.provider_network": gone}).code == 0
    for cluster in ENGINES:
        left = sites.objects(cluster)
        dropped = {name for name in everything[cluster] if name.endswith("/uplink")}
        assert set(left) == set(everything[cluster]) - dropped
        # What both networks share, the interface, was left as it was.
        versions = [(one[name]["metadata"]["uid"]) for one in (left, everything[cluster]) for name in left]
        assert versions[: len(left)] == versions[len(left) :]


def test_a_cluster_that_is_away_loses_its_network_when_it_is_back(sites: Sites) -> None:
    assert sites.tasks({"emco.edge.network": PLAIN}).code == 0
    gone = {"name": "plain", "clusters": "all", "state": "absent"}
    sites.lab.stop("nodus")
    try:
        run = sites.tasks({"emco.edge.network": gone})
    finally:
        sites.lab.start("nodus")
    states = {name.partition("+")[2]: one["state"] for name, one in last(run)["clusters"].items()}
    assert run.code != 0 and states == {"kube": "Removed", "ovnk": "Removed", "nodus": "Unreachable"}
    assert set(sites.objects("nodus")) == {"Network default/plain"}
    again = sites.tasks({"emco.edge.network": gone})
    assert again.code == 0 and list(last(again)["clusters"]) == ["lab+nodus"], again.output
    assert not sites.objects("nodus")


def test_what_a_cluster_cannot_do_is_said_before_anything_is_sent(sites: Sites) -> None:
    sites.marked()
    wrong = {
        "name": "protected",
        "clusters": "all",
        "router": "core",
        "mtu": 1400,
        "subnets": [{"cidr": "10.0.0.0/24", "gateway": "10.0.1.1"}],
    }
    told = last(sites.tasks({"emco.edge.network": wrong}))
    assert told["reason"] == "InvalidInput" and "10.0.1.1 is no host's address in 10.0.0.0/24" in told["msg"]
    wrong["subnets"] = [{"cidr": "10.77.0.0/24"}]
    told = last(sites.tasks({"emco.edge.network": wrong}))
    assert [(one["path"], one["message"]) for one in told["problems"]] == [
        ("mtu", "Nodus has no setting for it, on lab+nodus"),
        ("router", "Nodus has one router for all virtual networks of a cluster, on lab+nodus"),
        ("router", "secondary networks of OVN-Kubernetes have no router, on lab+ovnk"),
    ]
    assert sites.writes() == []


def test_the_playbook_makes_the_inventorys_networks_true(sites: Sites) -> None:
    inventory = sites.inventory(
        emco_networks=[{**PLAIN, "subnets": [{"cidr": "10.5.0.0/24"}]}], emco_provider_networks=[UPLINK]
    )
    foreseen = sites.playbooks.run("emco.edge.networks", inventory, check=True, diff=True)
    assert foreseen.code == 0, foreseen.output
    assert not any(sites.objects(cluster) for cluster in ENGINES)
    run = sites.playbooks.run("emco.edge.networks", inventory, "--limit", "kube,ovnk")
    assert run.code == 0, run.output
    assert [bool(sites.objects(cluster)) for cluster in ENGINES] == [True, True, False]
    run = sites.playbooks.run("emco.edge.networks", inventory)
    assert run.code == 0, run.output
    config = sites.objects("kube")["NetworkAttachmentDefinition default/plain"]["spec"]["config"]
    assert json.loads(config)["provider"] == "plain.default.ovn"
    assert all(sites.objects(cluster) for cluster in ENGINES)


def test_one_playbook_puts_a_virtual_firewall_on_three_engines(sites: Sites) -> None:
    example = str(ROOT / "examples" / "vfirewall" / "vfirewall.yml")
    run = sites.playbooks.run(example, sites.inventory(), extra={"wait": False})
    assert run.code == 0, run.output
    found = {cluster: pods_of(sites, cluster) for cluster in ENGINES}
    assert all(set(pods) == {"packetgen", "firewall", "sink"} for pods in found.values())
    assert all(pod["status"]["phase"] == "Running" for pods in found.values() for pod in pods.values())
    told = {cluster: pods["firewall"]["metadata"]["annotations"] for cluster, pods in found.items()}
    assert told["kube"]["protected.default.ovn.kubernetes.io/ip_address"] == "192.168.20.2"
    assert json.loads(told["kube"]["k8s.v1.cni.cncf.io/networks"])[1] == {
        "name": "protected",
        "namespace": "default",
        "interface": "net2",
    }
    assert json.loads(told["ovnk"]["k8s.v1.cni.cncf.io/networks"])[1] == {
        "name": "protected",
        "interface": "net2",
        "ips": ["192.168.20.2/24"],
    }
    assert json.loads(told["nodus"]["k8s.plugin.opnfv.org/nfn-network"])["interface"] == [
        {"interface": "net1", "name": "unprotected", "defaultGateway": "", "ipAddress": "192.168.10.3"},
        {"interface": "net2", "name": "protected", "defaultGateway": "", "ipAddress": "192.168.20.2"},
        {"interface": "net3", "name": "management", "defaultGateway": "", "ipAddress": "10.10.20.3"},
    ]
    sites.marked()
    again = sites.playbooks.run(example, sites.inventory(), extra={"wait": False})
    assert again.code == 0 and sites.writes() == [], again.output
    # A cluster without one of the networks is refused by the planner, with the reason.
    gone = {"name": "protected", "clusters": ["lab+nodus"], "state": "absent"}
    used = sites.tasks({"emco.edge.network": gone})
    assert used.code != 0 and "default/sink" in last(used)["msg"]
    deployment = {"project": "demo", "name": "vfirewall"}
    assert (
        sites.tasks({"emco.edge.deployment": {**deployment, "state": "absent"}}, {"emco.edge.network": gone}).code == 0
    )
    interface = {"app": "sink", "workload": "sink", "network": "protected"}
    asked = {
        **deployment,
        "composite_app": "vfirewall",
        "version": "v1",
        "placement": {"default": {"selector": "cluster.provider = lab"}},
        "interfaces": [interface],
        "explain": ["sink"],
        "state": "planned",
    }
    planned = last(sites.tasks({"emco.edge.deployment": asked}), "deployment")
    (rejected,) = planned["decisions"]["sink"]["rejected"]
    assert (rejected["cluster"], rejected["reason"]) == ("lab+nodus", "NetworkMissing")
    assert rejected["message"] == "it has no network protected"


def pods_of(sites: Sites, cluster: str) -> dict[str, dict[str, Any]]:
    label = "vfirewall.example.com/role"
    listed = sites.lab.get(cluster, "pods", "-n", "default", "-l", label)
    return {one["metadata"]["labels"][label]: one for one in listed["items"]}
