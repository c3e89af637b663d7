# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A standard logical cloud on five hundred fake API servers, over TLS, 50 ms a request.

Each signs a certificate for the tenant, which is then tried with it on connections of its own. Seconds are of the whole
ansible-playbook process. BENCH_CLOUDS=50 makes it smaller for a try.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.fakes import FakeFleet
from tests.bench.fleet import Control, Figures

SIZE = int(os.environ.get("BENCH_CLOUDS", "500"))
LATENCY_MS = 50
PARALLEL = int(os.environ.get("BENCH_PARALLEL", "100"))
_CLOUD: dict[str, Any] = {
    "project": "bench",
    "name": "factory",
    "selector": "tier=edge",
    "user": {"name": "factory-admin"},
    "permissions": [
        {"api_groups": ["", "apps", "batch"], "resources": ["*"], "verbs": ["*"]},
        {"api_groups": ["networking.k8s.io"], "resources": ["ingresses", "networkpolicies"], "verbs": ["*"]},
    ],
    "quotas": [{"name": "small", "hard": {"limits.cpu": "8", "limits.memory": "16Gi"}}],
    "pod_security": "baseline",
    "parallel": PARALLEL,
}


def main() -> int:
    """Create, run again, and ask how it is; exit code 1 when a cluster was not as wanted."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder, FakeFleet(SIZE, latency_ms=LATENCY_MS) as fleet:
        control = Control(Path(folder) / "control")
        control.register({f"edge-{index:05d}": fleet.kubeconfig(index) for index in range(SIZE)})
        fleet.reset()
        first = control.play({"name": "apply", "emco.edge.logical_cloud": _CLOUD})
        figures.row(f"create on {SIZE} clusters", first, fleet.counts())
        fleet.reset()
        again = control.play({"name": "apply", "emco.edge.logical_cloud": _CLOUD})
        counts = fleet.counts()
        figures.row("the same again", again, counts)
        fleet.reset()
        info = {"project": "bench", "name": "factory", "parallel": PARALLEL}
        asked = control.play({"name": "status", "emco.edge.logical_cloud_info": info})
        figures.row("status, every credential tried", asked, fleet.counts())
    failed = [taken for taken in (first, again, asked) if taken.code]
    if failed:
        print(failed[0].output[-4000:], file=sys.stderr)
        return 1
    figures.figure(f"clusters{SIZE}", first.seconds, "s")
    figures.figure("unchanged_writes", counts.writes, "requests")
    figures.figure("peak_memory", figures.memory, "MB")
    figures.show("logical_clouds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
