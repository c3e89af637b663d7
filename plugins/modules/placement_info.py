#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``placement_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: placement_info
short_description: Show where apps would run, and why
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Asks the planner where apps would run, with a reason for every cluster that is chosen or refused.
  - Nothing is changed.
  - Needs no cluster when O(clusters) are given. Otherwise it looks at the registered ones, as they were last read.
  - With O(changes) it says what would move if the fleet were different.
options:
  apps:
    description:
      - By app, its placement intent, as in O(emco.edge.deployment#module:placement). C(default) stands for apps that
        are given without one.
      - Left out, the apps that the stored deployment names in its placement.
    type: dict
  clusters:
    description:
      - The fleet, each cluster with C(name) (C(provider+name)), C(labels), C(kv), C(taints), C(version) and C(nodes),
        these with C(name), C(allocatable), C(used), C(labels), C(taints), C(ready). C(free_replicas) is an outside
        estimate, C(constraints) a selector over the labels of apps that it takes, C(networks) those that it has.
      - Left out, the registered clusters.
    type: list
    elements: dict
  hardware:
    description: What the apps need of the hardware, as in O(emco.edge.deployment#module:hardware).
    type: list
    elements: dict
  interfaces:
    description: The networks that the apps need, as in O(emco.edge.deployment#module:interfaces).
    type: list
    elements: dict
  labels:
    description:
      - By app, its labels, which the constraints of clusters look at.
      - Left out, those that the composite app of the stored deployment gives its apps.
    type: dict
  project:
    description: The project of the stored deployment.
    type: str
  name:
    description:
      - The stored deployment whose intents, decisions and pods are used where they are not given.
      - What its pods ask for is known once it was planned.
    type: str
  current:
    description:
      - By app, the clusters where it runs today with replicas, or null where they are what the chart says.
      - Left out, the decisions of the stored deployment.
    type: dict
  changes:
    description:
      - What if. Each has C(cluster) and what would be different about it, which is C(remove), C(add), C(add_taints),
        C(remove_taints), C(labels), C(schedulable), C(drain), C(reachable), C(free_replicas) or C(remove_nodes).
    type: list
    elements: dict
  rebalance:
    description: Place anew instead of starting from where the apps run.
    type: bool
    default: false
  explain:
    description: Apps for which every cluster is listed with its reason and numbers; for others reasons are counted.
    type: list
    elements: str
  show:
    description: Print a table for people while the task runs.
    type: bool
    default: false
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: emco.edge.deployment
"""

EXAMPLES = r"""
- name: Where would the detector run, and why not elsewhere
  emco.edge.placement_info:
    apps:
      detector: {selector: "region in (north, south)", count: 2}
    hardware:
      - {app: detector, workload: detector, container: main, requests: {example.com/accelerator: 1}}
    explain: [detector]
    show: true

- name: The same for a fleet that exists on paper only
  emco.edge.placement_info:
    clusters:
      - {name: lab+edge-1, labels: {region: north}, nodes: [{allocatable: {cpu: 8, memory: 16Gi}}]}
      - {name: lab+edge-2, labels: {region: south}}
    apps:
      api: {all_of: [{label: region=north}], count: 1}

- name: What would move if edge-1 went into maintenance
  emco.edge.placement_info:
    project: demo
    name: vision-north
    changes:
      - {cluster: lab+edge-1, add_taints: [{key: maintenance, effect: NoSelect}]}
"""

RETURN = r"""
feasible:
  description: Whether every app can be placed as it must.
  returned: success
  type: bool
decisions:
  description: By app, the clusters that were chosen and why, and the others by reason.
  returned: success
  type: dict
  sample:
    api:
      chosen: [{cluster: lab+edge-1, replicas: null, score: 0, why: "all_of label region=north", group: 1}]
      refused: {LabelMismatch: {count: 1, example: lab+edge-2, message: "has region=south, not region=north"}}
      shortage: 0
failures:
  description: Apps that cannot be placed, each with C(app), C(reason), C(message) and the nearest miss.
  returned: success
  type: list
  elements: dict
moves:
  description: By app, the clusters it would come to, leave, or run on with other replicas.
  returned: with O(changes)
  type: dict
  sample: {api: {to: [lab+edge-2], from: [lab+edge-1], replicas: {}}}
warnings:
  description: What you should look at, such as labels that no cluster has.
  returned: success
  type: list
  elements: str
reason:
  description: A stable code for what went wrong, such as C(InvalidInput) or C(UnknownDeployment).
  returned: failure
  type: str
  sample: InvalidInput
hint:
  description: What to do about it.
  returned: failure, where there is something to do
  type: str
problems:
  description: All problems of the input, each with C(path) and C(message).
  returned: with reason C(InvalidInput)
  type: list
  elements: dict
"""

from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module
from ansible_collections.emco.edge.plugins.module_utils._verbs.placement_info import SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
