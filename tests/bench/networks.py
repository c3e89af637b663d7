# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Five virtual networks on each of 500 fake API servers that serve the kinds of Kube-OVN, and the same again.

The fake fleet answers over TLS, each server with an address and an authority of its own, 50 ms a request. Each network
is a task of its own, has a block of addresses of its own on every cluster, and is three objects. Seconds are of the
whole ansible-playbook process. No engine runs there, so nothing waits for one.

BENCH_FLEET=50 makes everything smaller for a try.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from tests.bench.fakes import FakeFleet
from tests.bench.fleet import Control
from tests.bench.processes import Taken

SIZE = int(os.environ.get("BENCH_FLEET", "500"))
NETWORKS = 5
OBJECTS = 3  # a Vpc, a Subnet and a definition for Multus
LATENCY_MS = 50
KINDS = (
    Resource("kubeovn.io/v1", "Subnet", "subnets", False),
    Resource("kubeovn.io/v1", "Vpc", "vpcs", False),
    Resource("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "network-attachment-definitions", True),
)


def _tasks() -> list[dict[str, Any]]:
    return [
        {
            "name": "apply",
            "emco.edge.network": {
                "name": f"net-{number}",
                "clusters": "all",
                "subnets": [{"from": f"10.{64 + 16 * number}.0.0/12", "prefix": 24}],
                "parallel": 200,
                "wait": False,
            },
        }
        for number in range(NETWORKS)
    ]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with FakeFleet(SIZE, latency_ms=LATENCY_MS, folder=folder, custom=KINDS) as fleet:
            control = Control(folder / "control")
            served = [f"{one.api_version}/{one.kind}" for one in KINDS]
            control.register({f"edge-{at:05d}": fleet.kubeconfig(at) for at in range(SIZE)}, *served)
            print(f"{'':<44}{'process s':>10}{'CPU s':>8}{'requests':>10}{'writes':>8}{'peak MB':>9}")
            first, _writes = _run(fleet, control, "first run")
            _check(fleet)
            _unchanged, writes = _run(fleet, control, "unchanged")
    print(f"\nbench: networks.clusters{SIZE}x{NETWORKS} {first.seconds:.2f} s")
    print(f"bench: networks.unchanged_writes {writes:.2f} writes")


def _run(fleet: FakeFleet, control: Control, what: str) -> tuple[Taken, int]:
    fleet.reset()
    taken = control.play(*_tasks())
    counts = fleet.counts()
    row = f"{SIZE} clusters, {NETWORKS} networks, {what}"
    asked = f"{counts.requests:>10}{counts.writes:>8}"
    print(f"{row:<44}{taken.seconds:>10.2f}{taken.cpu:>8.1f}{asked}{taken.memory:>9.0f}", flush=True)
    return taken, counts.writes


def _check(fleet: FakeFleet) -> None:
    """Every server has all objects, and no two have the same subnet."""
    subnets: set[str] = set()
    for index, held in enumerate(fleet.bodies()):
        ours = {path: digest for path, digest in held.items() if "kubeovn" in path or "cncf" in path}
        assert len(ours) == NETWORKS * OBJECTS, f"server {index} has {len(ours)} objects"
        mine = {digest for path, digest in ours.items() if "/subnets/" in path}
        assert not mine & subnets, f"server {index} has a subnet of another one"
        subnets |= mine


if __name__ == "__main__":
    main()
