# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: three real clusters, register, deploy, status, and the same deploy again."""

from __future__ import annotations

import sys

from tests.tools.playbook import PlaybookRun, run_playbook, shipped

INVENTORY = ("-i", "inventories/lab/hosts.yml")

NEXT = """
Where to look next
  inventories/lab/hosts.yml                        the clusters: hosts with labels
  inventories/lab/group_vars/all/                  what is shipped, and where it is wanted
  examples/camera-analytics/                       the charts
  eval "$(make -s shell-env)"                      to run playbooks from any folder
  ansible-playbook -i inventories/lab/hosts.yml emco.edge.deploy --check --diff
  ansible-playbook -i inventories/lab/hosts.yml emco.edge.status
  ansible-playbook -i inventories/lab/hosts.yml emco.edge.terminate
  make lab-down                                    the clusters stop and leave nothing
"""


def step(title: str, *arguments: str) -> PlaybookRun:
    """Run one playbook with its output shown; the demo ends where one fails."""
    print(f"\n== {title}: ansible-playbook {' '.join(arguments)}", flush=True)
    run = run_playbook(*arguments, show=True)
    if run.code != 0:
        print(f"demo: {title} failed with exit code {run.code}", flush=True)
        sys.exit(run.code)
    return run


def main(for_the_lab: list[str]) -> int:
    """Run all steps; the last line says what they came to. for_the_lab: further arguments of the lab's playbook."""
    step("the clusters", "emco.edge.lab", *for_the_lab)
    step("register", *INVENTORY, "emco.edge.register")
    first = step("deploy", *INVENTORY, "emco.edge.deploy")
    step("status", *INVENTORY, "emco.edge.status")
    again = step("deploy again", *INVENTORY, "emco.edge.deploy")
    one, two = shipped(first.results_of("deployment")), shipped(again.results_of("deployment"))
    print(NEXT)
    print(
        f"demo: {two.ready} clusters ready, {two.objects} objects, first run {first.seconds:.1f} s, "
        f"second run {two.changes} changes",
        flush=True,
    )
    return 0 if one.clusters and one.ready == one.clusters and two.ready == two.clusters and not two.changes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
