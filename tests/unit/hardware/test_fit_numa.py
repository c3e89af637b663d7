# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that must lie in one NUMA zone (NodeResourceTopology); only a kubelet acts on it, so it is proved here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import fit
from ansible_collections.emco.edge.plugins.module_utils._hardware.room import cluster_room
from tests.unit.hardware.clusters import demand_of, fitted, most, nodes_of, pod

GPU = "example.com/accelerator"


def zoned(
    *zones: Mapping[str, Any], policy: str = "single-numa-node", scope: str = "container", listed: bool = True
) -> dict[str, Any]:
    """A node that has in sum what its zones have, and memory to spare."""
    names = {name for zone in zones for name in zone}
    total = {name: sum(int(zone.get(name, 0)) for zone in zones) for name in names}
    resources: list[Any] = [
        [{"name": name, "available": value} for name, value in zone.items()] if listed else dict(zone) for zone in zones
    ]
    return {
        "allocatable": {"memory": "64Gi", "pods": 110, **total},
        "extra": {
            "zones": [{"name": f"node-{at}", "resources": one} for at, one in enumerate(resources)],
            "topology_manager_policy": policy,
            "topology_manager_scope": scope,
        },
    }


def guaranteed(*containers: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    full = [{"memory": "1Gi", **one} for one in containers]
    made = [{"name": f"c{at}", "resources": {"requests": one, "limits": one}} for at, one in enumerate(full)]
    return {"containers": made, **spec}


@pytest.mark.parametrize(
    ("spec", "nodes", "want"),
    [
        (guaranteed({"cpu": 8}), [zoned({"cpu": 6}, {"cpu": 6})], 0),
        (guaranteed({"cpu": 6}), [zoned({"cpu": 6}, {"cpu": 6})], 2),
        (guaranteed({"cpu": 4}), [zoned({"cpu": 6}, {"cpu": 6})], 2),
        (guaranteed({"cpu": 3}), [zoned({"cpu": 6}, {"cpu": 6})], 4),
        (guaranteed({"cpu": 2}), [zoned({"cpu": 5}, {"cpu": 5})], 4),
        (guaranteed({"cpu": 8}), [zoned({"cpu": 6}, {"cpu": 6}, policy="best-effort")], 1),
        (guaranteed({"cpu": 8}), [zoned({"cpu": 6}, {"cpu": 6}, policy="restricted")], 1),
        (pod({"cpu": 8}), [zoned({"cpu": 6}, {"cpu": 6})], 1),
        (guaranteed({"cpu": "2500m"}), [zoned({"cpu": 4}, {"cpu": 4})], 3),
        (guaranteed({"cpu": 4}, {"cpu": 4}), [zoned({"cpu": 4}, {"cpu": 4})], 1),
        (guaranteed({"cpu": 4}, {"cpu": 4}), [zoned({"cpu": 4}, {"cpu": 4}, scope="pod")], 0),
        (guaranteed({"cpu": 4}, {"cpu": 4}), [zoned({"cpu": 8}, {"cpu": 8}, scope="pod")], 2),
        (guaranteed({"cpu": 4, GPU: 1}), [zoned({"cpu": 8, GPU: 0}, {"cpu": 2, GPU: 2})], 0),
        (guaranteed({"cpu": 2, GPU: 1}), [zoned({"cpu": 8, GPU: 0}, {"cpu": 2, GPU: 2})], 1),
        (guaranteed({"cpu": 2, GPU: 1}), [zoned({"cpu": 8, GPU: 1}, {"cpu": 8, GPU: 3})], 4),
        (guaranteed({"cpu": 2, GPU: 2}), [zoned({"cpu": 8, GPU: 1}, {"cpu": 8, GPU: 1})], 0),
        (guaranteed({"cpu": 6}), [zoned({"cpu": 6}, {"cpu": 6}), zoned({"cpu": 6})], 3),
        (guaranteed({"cpu": 6}), [zoned({"cpu": 6}, {"cpu": 6}, listed=False)], 2),
        (guaranteed({"cpu": 2}), [zoned({"cpu": 6, "hugepages-1Gi": 0})], 3),
    ],
)
def test_aligned_pods_lie_in_one_zone(spec: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], want: int) -> None:
    assert most(spec, *nodes) == want


def test_zones_that_block_are_named() -> None:
    short = fitted(guaranteed({"cpu": 8}), nodes_of(zoned({"cpu": 6}, {"cpu": 6})), wanted=1).shortfall
    assert short is not None
    assert (short.blocks, short.lacks) == ("numa", "no NUMA zone of a node holds all that must lie together")


def test_zones_promised_to_one_app_are_gone_for_the_next() -> None:
    room = cluster_room(nodes_of(zoned({"cpu": 6}, {"cpu": 6})))
    first = fit(room, (), (demand_of(guaranteed({"cpu": 4})),), 1)
    room.promise(first.placed)
    for cpu, want in ((4, 1), (6, 1), (2, 4)):
        assert fit(room, (), (demand_of(guaranteed({"cpu": cpu})),), 9).copies == want
    # Pods that are not aligned have what is left of the node.
    assert fit(room, (), (demand_of(pod({"cpu": 8})),), 9).copies == 1
