# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules between pods on a node: anti-affinity, topology spread by hostname, host ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import pod_demand
from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from tests.unit.hardware.clusters import demand_of, fitted, most, nodes_of, pod

ROOMY = {"cpu": 8, "pods": 110}
CORE = {"cpu": 1}
HOST = "kubernetes.io/hostname"


def term(labels: Mapping[str, Any] | None, key: str = HOST, **more: Any) -> dict[str, Any]:
    selector = {} if labels is None else {"labelSelector": labels}
    return {**selector, "topologyKey": key, **more}


def lonely(*terms: Mapping[str, Any]) -> dict[str, Any]:
    rules = {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}
    return pod(CORE, affinity={"podAntiAffinity": rules})


def having(*pods: Mapping[str, Any], **node: Any) -> dict[str, Any]:
    return {"allocatable": ROOMY, "extra": {"pods": list(pods)}, **node}


EMPTY = {"allocatable": ROOMY}
API = {"matchLabels": {"app": "api"}}
DB = {"matchLabels": {"app": "db"}}
ONE_API = {"namespace": "default", "labels": {"app": "api"}}
ONE_DB = {"namespace": "default", "labels": {"app": "db"}}


@pytest.mark.parametrize(
    ("spec", "nodes", "want"),
    [
        (lonely(term(API)), [EMPTY], 1),
        (lonely(term(API)), [EMPTY] * 3, 3),
        (lonely(term(API)), [EMPTY, having(ONE_API)], 1),
        (lonely(term(DB)), [EMPTY], 8),
        (lonely(term(DB)), [EMPTY, having(ONE_DB)], 8),
        (lonely(term(DB)), [having(ONE_DB)], 0),
        (lonely(term(API), term(DB)), [EMPTY, having(ONE_DB), EMPTY], 2),
        (lonely(term(API)), [having({**ONE_API, "namespace": "other"})], 1),
        (lonely(term(API, namespaces=["other"])), [having({**ONE_API, "namespace": "other"}), EMPTY], 8),
        (lonely(term(API, namespaces=["other", "default"])), [having({**ONE_API, "namespace": "other"}), EMPTY], 1),
        (lonely(term({"matchExpressions": [{"key": "app", "operator": "Exists"}]})), [EMPTY, having(ONE_DB)], 1),
        (lonely(term({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]})), [EMPTY], 8),
        (lonely(term({})), [EMPTY, having(ONE_DB)], 1),
        (lonely(term(None)), [EMPTY, having(ONE_DB)], 16),
        (pod(CORE), [having({**ONE_DB, "anti_affinity": [term(API)]}), EMPTY], 8),
        (pod(CORE), [having({**ONE_DB, "anti_affinity": [term(DB)]}), EMPTY], 16),
        (pod(CORE), [having({**ONE_DB, "anti_affinity": [term(API, "zone")]})], 8),
        (lonely(term(API)), [{"allocatable": {"cpu": 0, "pods": 1}}, EMPTY], 1),
    ],
)
def test_anti_affinity_by_hostname_leaves_pods_alone(
    spec: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], want: int
) -> None:
    answer = fitted(spec, nodes_of(*nodes))
    assert answer.copies == want


@pytest.mark.parametrize(
    "terms", [[term(API, "zone")], [term(API, namespaceSelector={})], [term(API, matchLabelKeys=["x"])]]
)
def test_anti_affinity_that_is_not_judged_makes_nothing_certain(terms: Sequence[Mapping[str, Any]]) -> None:
    assert fitted(lonely(*terms), nodes_of(EMPTY), wanted=1).verdict == "possible"


def test_required_pod_affinity_makes_nothing_certain() -> None:
    rules = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term(DB)]}}
    assert fitted(pod(CORE, affinity=rules), nodes_of(EMPTY), wanted=1).verdict == "possible"


def test_what_is_promised_is_a_neighbour_too() -> None:
    room = cluster_room(nodes_of(EMPTY, EMPTY))
    demand = demand_of(lonely(term(API)))
    room.promise(fit(room, (), (demand,), 1).placed)
    assert fit(room, (), (demand,), 5).copies == 1


def spreading(skew: int = 1, labels: Any = None, **more: Any) -> dict[str, Any]:
    labels = API if labels is None else labels
    rule = {
        "maxSkew": skew,
        "topologyKey": HOST,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": labels,
        **more,
    }
    return pod(CORE, topologySpreadConstraints=[rule])


def cores(count: int, *pods: Mapping[str, Any], **node: Any) -> dict[str, Any]:
    return having(*pods, **{**node, "allocatable": {"cpu": count, "pods": 110}})


@pytest.mark.parametrize(
    ("spec", "nodes", "want"),
    [
        (spreading(), [cores(4)], 4),
        (spreading(), [cores(4), cores(4)], 8),
        (spreading(), [cores(1), cores(4)], 3),
        (spreading(2), [cores(1), cores(4)], 4),
        (spreading(3), [cores(1), cores(4)], 5),
        (spreading(), [cores(0), cores(4)], 1),
        (spreading(2), [cores(0), cores(4), cores(4)], 4),
        (spreading(), [cores(4, ONE_API), cores(4)], 8),
        (spreading(), [cores(1, ONE_API), cores(4)], 4),
        (spreading(), [cores(4, ONE_API, ONE_API, ONE_API), cores(1)], 1),
        (spreading(), [cores(4), cores(4, taints=[{"key": "x"}])], 1),
        (spreading(nodeTaintsPolicy="Honor"), [cores(4), cores(4, taints=[{"key": "x"}])], 4),
        (spreading(), [cores(4), cores(4, unschedulable=True)], 1),
        (spreading(labels=DB), [cores(4), cores(4)], 8),
        (spreading(labels=DB), [cores(4, ONE_DB, ONE_DB), cores(4)], 4),
        (spreading(minDomains=3), [cores(4), cores(4)], 2),
        (spreading(2, minDomains=3), [cores(4), cores(4)], 4),
        (spreading(minDomains=2), [cores(4), cores(4)], 8),
        (spreading(whenUnsatisfiable="ScheduleAnyway"), [cores(1), cores(4)], 5),
        (spreading(matchLabelKeys=["rev"]), [cores(4), cores(4)], 8),
    ],
)
def test_topology_spread_by_hostname_keeps_the_skew(
    spec: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], want: int
) -> None:
    assert most(spec, *nodes) == want


def test_spread_counts_only_nodes_that_the_pod_may_use() -> None:
    rule = spreading()
    rule["nodeSelector"] = {"disk": "ssd"}
    assert most(rule, cores(4, labels={"disk": "ssd"}), cores(4)) == 4


def test_spread_is_kept_when_fewer_copies_are_wanted() -> None:
    room = cluster_room(nodes_of(cores(8), cores(8), cores(8)))
    placed = fit(room, (), (demand_of(spreading()),), 5).placed
    assert sorted(count for _node, _demand, count in placed) == [1, 2, 2]


@pytest.mark.parametrize("key", ["zone", "topology.kubernetes.io/region"])
def test_spread_by_another_key_makes_nothing_certain(key: str) -> None:
    assert fitted(spreading(topologyKey=key), nodes_of(cores(4)), wanted=1).verdict == "possible"


def serving(*ports: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    return {"containers": [{"name": "main", "resources": {"requests": CORE}, "ports": list(ports)}], **spec}


@pytest.mark.parametrize(
    ("spec", "nodes", "want"),
    [
        (serving({"containerPort": 80}), [EMPTY], 8),
        (serving({"containerPort": 80, "hostPort": 80}), [EMPTY, EMPTY], 2),
        (serving({"containerPort": 80}, hostNetwork=True), [EMPTY, EMPTY], 2),
        (serving({"hostPort": 80}), [having({"labels": {}, "host_ports": [["", "TCP", 80]]}), EMPTY], 1),
        (serving({"hostPort": 80}), [having({"labels": {}, "host_ports": [["", "UDP", 80]]}), EMPTY], 2),
        (serving({"hostPort": 80}), [having({"labels": {}, "host_ports": [["10.0.0.1", "TCP", 80]]})], 0),
        (
            serving({"hostPort": 80, "hostIP": "10.0.0.2"}),
            [having({"labels": {}, "host_ports": [["10.0.0.1", "TCP", 80]]})],
            1,
        ),
        (serving({"hostPort": 81}), [having({"labels": {}, "host_ports": [["", "TCP", 80]]})], 1),
    ],
)
def test_host_ports_are_used_once_a_node(
    spec: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], want: int
) -> None:
    assert most(spec, *nodes) == want


def test_rule_between_pods_is_named_when_it_blocks() -> None:
    short = fitted(lonely(term(API)), nodes_of(EMPTY), wanted=3).shortfall
    assert short is not None
    assert (short.blocks, short.found, short.pods) == ("anti-affinity", 1, 3)
    assert str(short) == "1 of 3 pods of Deployment/api fit; its anti-affinity leaves no node for more of them"


def test_labels_of_the_template_are_those_of_the_pods() -> None:
    demand = pod_demand({"kind": "Pod", "metadata": {"name": "x", "labels": {"n": 1}}, "spec": pod(CORE)})
    assert demand is not None and demand.labels == {"n": "1"}
