# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces in pod templates: EMCO's own cases, other kinds and engines, and what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Intents, Subject
from ansible_collections.emco.edge.plugins.module_utils._controllers.interfaces import CONTROLLER
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Node
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import parse_interfaces
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network, ProviderNetwork
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse

NODUS = "k8s.plugin.opnfv.org/nfn-network"
NETWORKS = "k8s.v1.cni.cncf.io/networks"
REF = ClusterRef("lab", "one")
SUBNET = {"cidr": "10.0.0.0/24", "gateway": "10.0.0.1", "exclude": ["10.0.0.2..10.0.0.9"]}


def placed(name: str, engine: str, **given: Any) -> Placed:
    problems = Problems()
    model = ProviderNetwork if "type" in given else Network
    network = parse(model, {"name": name, "subnets": [SUBNET], **given}, "", problems)
    assert network is not None, list(problems)
    return Placed(network, engine)


def workload(kind: str = "Deployment", *, replicas: int = 1, annotations: Any = None, **more: Any) -> dict[str, Any]:
    template = {
        "metadata": {"annotations": annotations} if annotations else {},
        "spec": {"containers": [{"name": "m"}]},
    }
    spec: dict[str, Any] = {"template": template, "replicas": replicas}
    if kind == "CronJob":
        spec = {"jobTemplate": {"spec": {"template": template}}}
    if kind == "Pod":
        metadata = {"name": "web", **template["metadata"]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec, **more}


def template_of(item: dict[str, Any]) -> dict[str, Any]:
    if item["kind"] == "Pod":
        return item
    spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    return dict(spec["template"])


def edited(item: dict[str, Any], *interfaces: dict[str, Any], networks: Any = (), **kv: Any) -> dict[str, Any]:
    problems = Problems()
    read = parse_interfaces([{"app": "api", "workload": "web", **one} for one in interfaces], ["api"], "i", problems)
    assert not len(problems), list(problems)
    cluster = Cluster(
        REF, kv={"emco": kv}, facts=Facts(0.0, "v1.36", nodes=(Node("a", {}, labels={"uplink": "true"}),))
    )
    intents = Intents(interfaces=read, networks={REF: {one.name: one for one in networks}})
    before = copy.deepcopy(item)
    subject = Subject("api", cluster, "default", None, intents)
    assert CONTROLLER.concerns(subject) is not None
    (after,) = CONTROLLER.edit([item], subject)
    assert item == before
    return dict(after)


def annotations(item: dict[str, Any]) -> dict[str, Any]:
    return dict(template_of(item)["metadata"]["annotations"])


EMCO = {"network": "network-name", "name": "name1"}
ON_NODUS = [placed("network-name", "nodus")]


def test_a_deployment_without_annotation_gets_emcos() -> None:
    found = annotations(edited(workload(), EMCO, networks=ON_NODUS))
    assert found[NODUS] == (
        '{"type":"ovn4nfv","interface":[{"interface":"name1","name":"network-name","defaultGateway":""}]}'
    )
    assert json.loads(found[NETWORKS]) == [{"name": "ovn-networkobj", "namespace": "default"}]


def test_interfaces_that_are_there_stay_and_the_same_twice_adds_nothing() -> None:
    there = {"type": "ovn4nfv", "interface": [{"interface": "eth3", "name": "network3", "defaultGateway": ""}]}
    once = edited(workload(annotations={NODUS: json.dumps(there)}), EMCO, networks=ON_NODUS)
    assert json.loads(annotations(once)[NODUS])["interface"] == [
        {"interface": "eth3", "name": "network3", "defaultGateway": ""},
        {"interface": "name1", "name": "network-name", "defaultGateway": ""},
    ]
    assert edited(once, EMCO, networks=ON_NODUS) == once


def test_the_short_form_of_multus_is_kept() -> None:
    item = workload(annotations={NETWORKS: "other, apart/third@net7"})
    found = annotations(edited(item, EMCO, networks=ON_NODUS))
    assert json.loads(found[NETWORKS]) == [
        {"name": "other"},
        {"name": "third", "namespace": "apart", "interface": "net7"},
        {"name": "ovn-networkobj", "namespace": "default"},
    ]


def test_a_cluster_whose_pods_are_all_nodus_gets_no_element_of_multus() -> None:
    for kv in (
        {"CNI-Networking-Nodus-CNI-For-all-interfaces": "true"},
        {"CNI-Networking-Multi-CNI-Wrapper": "genie"},
    ):
        assert NETWORKS not in annotations(edited(workload(), EMCO, networks=ON_NODUS, **kv))


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Rig"]
)
def test_every_kind_with_a_pod_template_is_annotated(kind: str) -> None:
    assert NODUS in annotations(edited(workload(kind), EMCO, networks=ON_NODUS))


def test_each_cluster_gets_what_its_own_engine_reads() -> None:
    wanted = {"network": "n", "name": "net1", "ip": "10.0.0.20"}
    kube = annotations(edited(workload(), wanted, networks=[placed("n", "kube_ovn")]))
    assert kube["n.default.ovn.kubernetes.io/ip_address"] == "10.0.0.20"
    assert json.loads(kube[NETWORKS]) == [{"name": "n", "namespace": "default", "interface": "net1"}]
    ovn = annotations(edited(workload(), wanted, networks=[placed("n", "ovn_kubernetes")]))
    assert json.loads(ovn[NETWORKS]) == [{"name": "n", "interface": "net1", "ips": ["10.0.0.20/24"]}]


def test_pods_go_to_the_nodes_that_their_network_reaches() -> None:
    nodes = {"selector": "specific", "labels": ["uplink=true"]}
    up = placed("n", "ovn_kubernetes", type="direct", direct={"interface": "e", "nodes": nodes})
    item = edited(workload(), {"network": "n"}, networks=[up])
    assert template_of(item)["spec"]["nodeSelector"] == {"uplink": "true"}


@pytest.mark.parametrize(
    ("item", "interface", "said"),
    [
        (workload(replicas=2), {"ip": "10.0.0.20"}, "has 2 pods, and one address is one pod's"),
        (workload(replicas=2), {"mac": "02:00:00:00:00:01"}, "has 2 pods"),
        (workload("DaemonSet"), {"ip": "10.0.0.20"}, "has a pod on every node"),
        (workload(), {"ip": "10.0.1.20"}, "10.0.1.20 is no host's address in 10.0.0.0/24 of network n on lab+one"),
        (workload(), {"ip": "fd00::1"}, "fd00::1 is no host's address"),
        (workload(), {"ip": "10.0.0.255"}, "is no host's address"),
        (workload(), {"ip": "10.0.0.1"}, "10.0.0.1 is the gateway"),
        (workload(), {"ip": "10.0.0.5"}, "10.0.0.5 is excluded"),
        (workload(annotations={NETWORKS: "other@net1"}), {"name": "net1"}, "net1 is on network other already"),
        (workload(annotations={NETWORKS: "[{]"}), {"name": "net1"}, "cannot be joined"),
        (workload(), {"network": "gone"}, "lab+one has no network gone"),
    ],
)
def test_what_cannot_be_is_refused(item: dict[str, Any], interface: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        edited(item, {"network": "n", **interface}, networks=[placed("n", "kube_ovn")])
    assert said in refused.value.message


@pytest.mark.parametrize(("engine", "refused"), [("ovn_kubernetes", True), ("kube_ovn", False), ("nodus", False)])
def test_a_network_that_is_not_for_the_namespace_of_the_pods_is_refused(engine: str, refused: bool) -> None:
    item = workload()
    item["metadata"]["namespace"] = "factory"
    there = [placed("n", engine)]
    if not refused:
        assert edited(item, {"network": "n"}, networks=there)
        return
    with pytest.raises(InvalidInput, match=r"network n on lab\+one is not for namespace factory"):
        edited(item, {"network": "n"}, networks=there)


def test_workloads_that_an_app_does_not_have_are_named_before_anything_is_placed() -> None:
    problems = Problems()
    read = parse_interfaces([{"app": "api", "workload": "wbe", "network": "n"}], ["api"], "i", problems)
    (found,) = CONTROLLER.problems(Intents(interfaces=read), {"api": [workload()]})
    assert (found.path, found.hint) == ("interfaces[0].workload", "did you mean web?")


def test_apps_without_interfaces_are_left_alone() -> None:
    subject = Subject("other", Cluster(REF), "default", None, Intents())
    assert CONTROLLER.concerns(subject) is None
