# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fits, said before, against what the real scheduler does.

Every case has nodes of its own in one cluster (a label says which), so that the scheduler works on all of them at
once. ``EMCO_AGREEMENT_CASES`` makes it more cases than the usual 40.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand, pod_demand
from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import Verdict, fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Facts
from ansible_collections.emco.edge.plugins.module_utils._observe.facts import read_facts
from tests.integration.syncing import connected
from tests.lab.harness import Lab

pytestmark = pytest.mark.integration

CASES = int(os.environ.get("EMCO_AGREEMENT_CASES", "40"))
GPU = "example.com/accelerator"
MOST = 40
PATIENCE = 240.0
Object = dict[str, Any]


def nodes_of(case: int) -> list[Object]:
    dice = random.Random(f"nodes {case}")
    found = []
    for at in range(dice.randint(1, 5)):
        labels = {"case": f"k{case}", "disk": dice.choice(["ssd", "hdd"]), "gen": str(dice.randint(1, 9))}
        allocatable = {
            "cpu": dice.choice(["1", "1500m", "2", "4", "3900m"]),
            "memory": dice.choice(["1Gi", "2000M", "4Gi", "3500000Ki"]),
            "pods": str(dice.choice([3, 8, 110])),
            GPU: str(dice.choice([0, 0, 1, 4])),
            "hugepages-2Mi": dice.choice(["0", "64Mi", "128Mi"]),
        }
        taints = [{"key": "dedicated", "value": "x", "effect": "NoSchedule"}] if dice.random() < 0.25 else []
        found.append(
            {
                "name": f"n{case}-{at}",
                "allocatable": allocatable,
                "labels": labels,
                "taints": taints,
                "unschedulable": dice.random() < 0.12,
            }
        )
    return found


def requests_of(dice: random.Random) -> dict[str, str]:
    found = {"cpu": dice.choice(["100m", "333m", "0.5", "1", "1200m"])}
    if dice.random() < 0.6:
        found["memory"] = dice.choice(["100Mi", "0.5Gi", "700M", "1Gi"])
    if dice.random() < 0.25:
        found[GPU] = dice.choice(["1", "2"])
    if dice.random() < 0.15:
        found["hugepages-2Mi"] = "32Mi"
    return found


def container(dice: random.Random, name: str, *, init: bool = False) -> Object:
    requests = requests_of(dice)
    if init:
        requests.pop("hugepages-2Mi", None)
    limits = {key: value for key, value in requests.items() if "/" in key or key.startswith("hugepages")}
    return {"name": name, "image": "example.com/none", "resources": {"requests": requests, "limits": limits}}


def spec_of(case: int, number: int = 0) -> Object:
    """A pod spec for the nodes of a case, with rules chosen at random."""
    dice = random.Random(f"pod {case} {number}")
    spec: Object = {"containers": [container(dice, "main")], "nodeSelector": {"case": f"k{case}"}}
    if dice.random() < 0.3:
        first = container(dice, "first", init=True)
        if dice.random() < 0.5:
            first["restartPolicy"] = "Always"
        spec["initContainers"] = [first]
    if dice.random() < 0.25:
        spec["nodeSelector"]["disk"] = "ssd"
    if dice.random() < 0.25:
        term = {"matchExpressions": [{"key": "gen", "operator": dice.choice(["Gt", "Lt"]), "values": ["5"]}]}
        affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        spec["affinity"] = {"nodeAffinity": affinity}
    if dice.random() < 0.4:
        spec["tolerations"] = [{"key": "dedicated", "operator": "Exists"}]
    if not number:
        selector = {"matchLabels": {"app": f"k{case}"}}
        if dice.random() < 0.15:
            rule = {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
            anti = {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}
            spec.setdefault("affinity", {})["podAntiAffinity"] = anti
        elif dice.random() < 0.3:
            spread = {"maxSkew": dice.randint(1, 2), "topologyKey": "kubernetes.io/hostname"}
            spread.update(whenUnsatisfiable="DoNotSchedule", labelSelector=selector)
            if dice.random() < 0.3:
                spread["nodeTaintsPolicy"] = "Honor"
            spec["topologySpreadConstraints"] = [spread]
    return spec


def pod(case: int, name: str, spec: Mapping[str, Any]) -> Object:
    metadata = {"name": name, "namespace": "default", "labels": {"app": f"k{case}"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {**spec, "terminationGracePeriodSeconds": 0},
    }


def demand_of(case: int, spec: Mapping[str, Any]) -> PodDemand:
    found = pod_demand(pod(case, "x", spec))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    nodes = [node for case in range(CASES) for node in nodes_of(case)]
    with Lab.up(tmp_path_factory.mktemp("agreement"), [{"name": "one", "nodes": nodes}], audit=False) as running:
        yield running


def facts_of(lab: Lab) -> Facts:
    client = connected(lab.kubeconfig("one"), "lab+one")
    try:
        return read_facts(client, time.time())
    finally:
        client.close()


def settled(lab: Lab, expected: int) -> dict[str, bool]:
    """Whether each pod is bound, once the scheduler has spoken about all of them."""
    deadline = time.monotonic() + PATIENCE
    while True:
        pods = lab.get("one", "pods", "-n", "default")["items"]
        bound = {one["metadata"]["name"]: bool(one["spec"].get("nodeName")) for one in pods}
        refused = [
            one["metadata"]["name"]
            for one in pods
            for condition in one.get("status", {}).get("conditions", [])
            if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable"
        ]
        if len(bound) == expected and all(is_bound or name in refused for name, is_bound in bound.items()):
            return bound
        assert time.monotonic() < deadline, f"{len(bound)} of {expected} pods, {sum(bound.values())} bound"
        time.sleep(1)


def cleared(lab: Lab) -> None:
    lab.kubectl("one", "delete", "pods", "--all", "-n", "default", "--force", "--wait=true", timeout=240)


def fillers(case: int) -> list[Object]:
    """Pods that are there before, on nodes chosen for them."""
    dice = random.Random(f"filler {case}")
    found = []
    for node in nodes_of(case):
        if dice.random() < 0.4:
            spec = {"containers": [container(dice, "main")], "nodeName": node["name"]}
            spec["containers"][0]["resources"] = {"requests": {"cpu": "250m", "memory": "200M"}}
            one = pod(case, f"filler-{node['name']}", spec)
            one["metadata"]["labels"] = {"app": "filler"}
            found.append(one)
    return found


def test_predicted_maximum_of_one_template_is_what_the_scheduler_binds(lab: Lab) -> None:
    cleared(lab)
    before = [one for case in range(CASES) for one in fillers(case)]
    lab.apply("one", *before)
    facts = facts_of(lab)
    predicted = {}
    pods = []
    for case in range(CASES):
        spec = spec_of(case)
        answer = fit(cluster_room(facts.nodes, facts.devices), (), (demand_of(case, spec),), MOST)
        predicted[case] = answer.copies or 0
        pods += [pod(case, f"pod-{case}-{at}", spec) for at in range(min(MOST, predicted[case] + 1))]
    lab.apply("one", *pods)
    bound = settled(lab, len(pods) + len(before))
    wrong = {
        case: (predicted[case], sum(is_bound for name, is_bound in bound.items() if name.startswith(f"pod-{case}-")))
        for case in predicted
    }
    assert {case: pair for case, pair in wrong.items() if pair[0] != pair[1]} == {}
    assert len(set(predicted.values())) > 4


def test_certain_answer_on_mixed_templates_is_never_contradicted(lab: Lab) -> None:
    cleared(lab)
    facts = facts_of(lab)
    verdicts: dict[int, Verdict] = {}
    pods = []
    for case in range(CASES):
        dice = random.Random(f"mixed {case}")
        specs = [spec_of(case, number) for number in (1, 2, 3)[: dice.randint(2, 3)]]
        demands = tuple(demand_of(case, spec) for spec in specs)
        verdicts[case] = fit(cluster_room(facts.nodes, facts.devices), demands).verdict
        if verdicts[case] == "certain":
            mixed = [pod(case, f"mixed-{case}-{at}", spec) for at, spec in enumerate(specs)]
            dice.shuffle(mixed)
            pods += mixed
    lab.apply("one", *pods)
    bound = settled(lab, len(pods))
    assert [name for name, is_bound in bound.items() if not is_bound] == []
    assert "certain" in verdicts.values()
