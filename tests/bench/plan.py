# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks of the planner: every cluster and node different, explanation included.

Run as ``python -m tests.bench.plan``; each figure also stands alone on a line ``bench: plan.NAME VALUE UNIT``.
"""

from __future__ import annotations

import cProfile
import gc
import json
import pstats
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._hardware.demand import PodDemand
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Node, Taint
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.placement import PlacementIntent, parse_intent
from ansible_collections.emco.edge.plugins.module_utils._placement.domains import Bounds, Candidate, Demand, best_choice
from ansible_collections.emco.edge.plugins.module_utils._placement.explain import as_result
from ansible_collections.emco.edge.plugins.module_utils._placement.planner import AppRequest, Placement, place

GiB = 1 << 30
Timed = Callable[[Callable[[], object]], float]


def node(dice: random.Random, name: str) -> Node:
    cpu, memory = dice.randint(16, 64) * 1000, dice.randint(32, 256) * GiB
    used = {"cpu": dice.randint(0, cpu // 2), "memory": dice.randint(0, memory // 2), "pods": dice.randint(0, 30)}
    allocatable = {"cpu": cpu, "memory": memory, "pods": 110}
    if dice.random() < 0.2:
        allocatable["example.com/accelerator"] = dice.randint(1, 8)
    return Node(name, allocatable, used, {"kubernetes.io/hostname": name, "rack": f"r{dice.randint(0, 50)}"})


def cluster(dice: random.Random, number: int, nodes: int) -> Cluster:
    labels = {
        "region": f"region-{number % 20}",
        "zone": f"region-{number % 20}-{dice.randint(0, 3)}",
        "tier": dice.choice(["core", "edge", "far-edge"]),
        "site": f"site-{number}",
        "cost": str(dice.randint(1, 10_000)),
    }
    taints = (Taint("maintenance", str(number % 7)),) if dice.random() < 0.1 else ()
    found = tuple(node(dice, f"c{number}-n{index}") for index in range(nodes))
    facts = Facts(observed=0.0, version=f"v1.{dice.randint(28, 33)}.{dice.randint(0, 12)}", nodes=found)
    return Cluster(ClusterRef("bench", f"edge-{number}"), labels, {"site": {"row": number}}, taints, facts=facts)


def fleet(count: int, nodes: int = 1) -> list[Cluster]:
    dice = random.Random(count * 31 + nodes)
    return [cluster(dice, number, nodes) for number in range(count)]


def intent(raw: dict[str, object]) -> PlacementIntent:
    problems = Problems()
    found = parse_intent(raw, "", problems)
    problems.raise_if_any()
    assert found is not None
    return found


def demand(dice: random.Random, name: str, *, accelerator: bool = False) -> PodDemand:
    requests = {"cpu": dice.randint(10, 400), "memory": dice.randint(16, 512) << 20, "pods": 1}
    if accelerator:
        requests["example.com/accelerator"] = 1
    return PodDemand("Deployment", name, requests, copies=dice.randint(1, 3), scalable=True)


def apps(count: int) -> list[AppRequest]:
    """Apps with label, taint, spread and capacity rules, each its own intent."""
    dice = random.Random(count)
    found = []
    for number in range(count):
        raw: dict[str, object] = {
            "selector": f"tier in (edge, far-edge), site != site-{number}, facts.version >= 1.{dice.randint(28, 30)}",
            "tolerations": [{"key": "maintenance", "value": str(number % 7)}],
            "count": dice.randint(2, 6),
            "spread": [{"by": "region", "max_skew": 1}],
            "score": [{"by": "label", "key": "cost", "order": "asc"}],
        }
        name = f"app-{number:04d}"
        found.append(AppRequest(name, intent(raw), pods=(demand(dice, name),)))
    return found


def explained(placement: Placement) -> int:
    """The result as a run gives it: everything grouped, one app in full; its size in bytes."""
    first = next(iter(placement.decisions))
    return len(json.dumps({app: as_result(one, app == first) for app, one in placement.decisions.items()}))


def seconds(work: Callable[[], object]) -> float:
    """The best of three: other processes and earlier garbage only make it longer."""
    found = []
    for _unused in range(3):
        gc.collect()
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def apps_on_clusters(app_count: int, cluster_count: int, timed: Timed = seconds) -> float:
    clusters, requests = fleet(cluster_count), apps(app_count)
    return timed(lambda: explained(place(requests, clusters, now=0.0)))


def one_app(cluster_count: int, timed: Timed = seconds) -> float:
    return apps_on_clusters(1, cluster_count, timed)


def in_fleets_of_100(cluster_count: int) -> float:
    """One app on as many clusters, a hundred at a time: what the same work costs when only memory grows."""
    clusters, requests = fleet(cluster_count), apps(1)
    parts = [clusters[start : start + 100] for start in range(0, cluster_count, 100)]
    return seconds(lambda: [explained(place(requests, part, now=0.0)) for part in parts])


def fit_apps(cluster_count: int, nodes: int, app_count: int, timed: Timed = seconds) -> float:
    """Apps of two workloads, one of which may want an accelerator, on every cluster that holds them."""
    clusters, dice = fleet(cluster_count, nodes), random.Random(5)
    requests = [
        AppRequest(
            f"app-{number}",
            intent({"count": 10}),
            pods=(
                demand(dice, f"app-{number}", accelerator=number % 2 == 0),
                demand(dice, f"store-{number}"),
            ),
        )
        for number in range(app_count)
    ]
    return timed(lambda: explained(place(requests, clusters, now=0.0)))


def regions() -> float:
    dice = random.Random(40)
    candidates = [Candidate(at, dice.randint(-100, 100), dice.randint(1, 60), (at % 40,)) for at in range(400)]
    return seconds(lambda: best_choice(candidates, Demand(20, 60, (Bounds(20, 20),), 2200)))


def peak_memory() -> int:
    """Peak MB of a fresh process that plans 1,000 apps on 1,000 clusters."""
    code = "from tests.bench import plan; plan.apps_on_clusters(1000, 1000); print(plan.peak())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1])


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def dominating(work: Callable[[], object]) -> float:
    """Print the files of the planner that most of the time is spent in; what Python's own functions take counts as
    their caller's. Returns the seconds under the profiler."""
    profile = cProfile.Profile()
    profile.runcall(work)
    own: Counter[str] = Counter()
    stats: Any = pstats.Stats(profile)
    for (file, _line, _name), (_calls, _total, spent, _cumulative, callers) in stats.stats.items():
        if "module_utils" in file:
            own[_room(file)] += spent
            continue
        for (caller, _at, _who), part in callers.items():
            own[_room(caller) if "module_utils" in caller else "the rest"] += part[2]
    total = sum(own.values())
    for name, spent in own.most_common(6):
        print(f"  {spent / total:>4.0%}  {name}")
    return float(total)


def _room(file: str) -> str:
    return "/".join(file.rsplit("/", 2)[1:])


def growth() -> list[tuple[str, list[float]]]:
    sizes = (100, 1_000, 10_000)
    return [
        ("one app", [one_app(size) for size in sizes]),
        ("one app, 100 clusters a time", [in_fleets_of_100(size) for size in sizes]),
        ("10 apps", [apps_on_clusters(10, size) for size in sizes]),
        ("fit of 5 apps, 5 nodes", [fit_apps(size, 5, 5) for size in sizes]),
    ]


def main() -> None:
    figures = {
        "apps1000_clusters1000": (apps_on_clusters(1000, 1000), "s", 2.0),
        "clusters10000": (one_app(10_000), "s", 0.5),
        "fit_clusters1000_nodes20_apps50": (fit_apps(1000, 20, 50), "s", 4.0),
        "regions40_choose20": (regions(), "s", 1.0),
        "peak_memory": (float(peak_memory()), "MB", 800.0),
    }
    print(f"{'planner':<36}{'measured':>12}{'limit':>10}")
    for name, (value, unit, limit) in figures.items():
        print(f"{name:<36}{value:>9.2f} {unit:<2}{limit:>7.1f} {unit}")
    print(f"\n{'growth, s':<32}{'100':>10}{'1,000':>10}{'10,000':>10}   clusters")
    for name, found in growth():
        print(f"{name:<32}" + "".join(f"{value:>10.4f}" for value in found))
    print("\nwhere the time goes, 1,000 apps on 1,000 clusters")
    apps_on_clusters(1000, 1000, dominating)
    print("\nwhere the time goes, one app on 10,000 clusters")
    one_app(10_000, dominating)
    print("\nwhere the time goes, 50 apps on 1,000 clusters of 20 nodes")
    fit_apps(1000, 20, 50, dominating)
    print()
    for name, (value, unit, _limit) in figures.items():
        print(f"bench: plan.{name} {value:.3f} {unit}")


if __name__ == "__main__":
    main()
