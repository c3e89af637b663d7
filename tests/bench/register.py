# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering many clusters in one play: each host is a cluster, so Ansible forks a worker for each.

What Ansible itself takes is measured beside it: the same play with a debug task. The clusters are a fake fleet's,
50 ms a request, over TLS.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.fakes import FakeFleet
from tests.bench.processes import Taken, playbook_taken
from tests.tools.checkout import TOOLS

SIZE = int(os.environ.get("BENCH_HOSTS", "500"))
FORKS = "25"
LATENCY_MS = 50
_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


class Hosts:
    """An inventory of clusters and a folder of their control node."""

    def __init__(self, folder: Path, fleet: FakeFleet) -> None:
        self._folder = folder
        hosts = {
            f"edge-{number:05d}": {
                "emco_kubeconfig": str(fleet.kubeconfig(number)),
                "emco_labels": {"tier": "edge", "nr": str(number)},
            }
            for number in range(fleet.count)
        }
        inventory = {"edge": {"vars": {"emco_provider": "bench", **_LOCAL}, "hosts": hosts}}
        (folder / "hosts.yml").write_text(json.dumps(inventory), encoding="utf-8")

    def play(self, task: dict[str, Any]) -> Taken:
        """One task on every host."""
        play = {"hosts": "edge", "gather_facts": False, "tasks": [{"name": "apply", **task}]}
        (self._folder / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
        return playbook_taken(
            TOOLS / "venv" / "bin" / "ansible-playbook",
            *("--inventory", "hosts.yml", "--forks", FORKS, "play.yml"),
            environment={
                "ANSIBLE_HOME": str(self._folder / "ansible"),
                "ANSIBLE_COLLECTIONS_PATH": str(TOOLS / "collections"),
                "ANSIBLE_NOCOLOR": "1",
                "XDG_STATE_HOME": str(self._folder / "state"),
                "XDG_CONFIG_HOME": str(self._folder / "config"),
            },
            folder=self._folder,
        )


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"\n{SIZE} hosts in one play, {FORKS} forks, {LATENCY_MS} ms a request; the exact command:")
    print(f"  ansible-playbook -i hosts.yml --forks {FORKS} play.yml\n")
    print(f"{'':<36}{'process s':>10}{'CPU s':>8}{'requests':>10}{'peak MB':>9}")
    with (
        tempfile.TemporaryDirectory(prefix="emco-bench-") as name,
        FakeFleet(SIZE, latency_ms=LATENCY_MS, ready_ms=0) as fleet,
    ):
        hosts = Hosts(Path(name), fleet)
        taken = {}
        for case, task in (
            ("debug, nothing else", {"ansible.builtin.debug": {"msg": "here"}}),
            ("emco.edge.cluster, first run", {"emco.edge.cluster": {}}),
            ("emco.edge.cluster, again", {"emco.edge.cluster": {}}),
        ):
            fleet.reset()
            done = taken[case] = hosts.play(task)
            asked = fleet.counts().requests
            print(f"{case:<36}{done.seconds:>10.1f}{done.cpu:>8.1f}{asked:>10}{done.memory:>9.0f}", flush=True)
    bare, first, again = (one.seconds for one in taken.values())
    print()
    print(f"bench: register.first_{SIZE} {first:.1f} s")
    print(f"bench: register.again_{SIZE} {again:.1f} s")
    print(f"bench: register.first_vs_debug {first / bare:.1f} x")


if __name__ == "__main__":
    main()
