#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``deployment_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Show what runs where, and why something is not ready
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Reads the status of deployments from the clusters themselves; there is no agent on them.
  - Readiness follows C(kstatus). Why something is not ready (waiting reason, last events) is part of the answer.
options:
  project:
    description: The project, a namespace for names.
    type: str
    required: true
  name:
    description: The deployment. Left out, all of the project.
    type: str
  status:
    description: V(ready) looks at how objects and their pods are, V(deployed) at what became of what was sent.
    type: str
    choices: [ready, deployed]
    default: ready
  output:
    description:
      - V(summary) has counts only.
      - V(detail) also has other managers of our fields and each object in full as its C(manifest), as it is seen with
        O(status=ready), as it was sent with O(status=deployed). Values of Secrets are masked, and so is text elsewhere
        under a name such as C(password) or C(token).
    type: str
    choices: [summary, all, detail]
    default: all
  apps:
    description: Only these apps.
    type: list
    elements: str
  clusters:
    description: Only these hosts or clusters, or one selector.
    type: list
    elements: str
  resources:
    description: Only objects of these names.
    type: list
    elements: str
  drift:
    description: Whether fields that others changed are listed.
    type: bool
    default: false
  revisions:
    description: Whether the history is listed.
    type: bool
    default: false
  why_not_ready:
    description: Whether events and waiting reasons of what is not ready are read.
    type: bool
    default: true
  log_lines:
    description: How many last log lines of pods that are not ready are read.
    type: int
    default: 0
  show:
    description: Print a table for people while the task runs.
    type: bool
    default: false
  parallel:
    description: How many clusters are asked at once.
    type: int
    default: 50
  cluster_timeout:
    description: How long one cluster may take to answer.
    type: str
    default: 30s
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
- name: Is it ready, and if not why
  emco.edge.deployment_info:
    project: demo
    name: vision-north
  register: vision

- name: Show what is not ready
  ansible.builtin.debug:
    msg: "{{ item.cluster }} {{ item.object }}: {{ item.reason }} {{ item.message }}"
  loop: "{{ vision.deployments[0].not_ready }}"
  loop_control:
    label: "{{ item.cluster }} {{ item.object }}"

- name: What did others change
  emco.edge.deployment_info:
    project: demo
    name: vision-north
    drift: true
    output: summary
"""

RETURN = r"""
deployments:
  description: The deployments that were asked for.
  returned: success
  type: list
  elements: dict
  sample:
    - project: demo
      name: vision-north
      composite_app: vision
      version: v1
      revision: 4
      state: Current
      ready_status: NotReady
      ready_counts: {Ready: 40, NotReady: 1}
      deployed_counts: {Applied: 30}
      summary: {clusters: 3, unreachable: 0, objects: 30}
      clusters: {lab+edge-1: {connectivity: Available, revision: 4, ready: true, ready_counts: {Ready: 14}}}
      drift:
        - {cluster: lab+edge-1, app: api, object: ConfigMap default/api, deleted: false, other_managers: [kubectl-edit],
           fields: [{path: data.colour, before: blue, after: red}], first_seen: "2026-11-25T22:30:00Z",
           changed_at: "2026-11-25T21:58:12Z"}
      revisions:
        - revision: 4
          state: Current
          composite_app: vision
          version: v1
          created: "2026-11-25T20:00:00Z"
          owner: ops@control pid 4711
          events:
            - {state: Planned, at: "2026-11-25T20:00:00Z", by: ops@control pid 4711}
            - {state: Approved, at: "2026-11-25T20:05:00Z", by: boss@control pid 99, comment: CHG-1234}
          against: 3
          changes: [{clusters: [lab+edge-1], added: [], changed: [ConfigMap default/api], removed: []}]
      rollout:
        revision: 4
        ending: Paused
        timeline:
          - {at: 1764105600.0, event: wave, wave: canary, until: 1764105602.5, clusters: 1, ready: 1}
          - {at: 1764105602.5, event: paused, wave: canary}
      not_ready:
        - {cluster: lab+edge-2, app: detector, object: Pod default/detector-0, status: NotReady, reason: Unschedulable,
           message: "0/3 nodes are available: 3 Insufficient example.com/accelerator."}
reason:
  description:
    - A stable code for what went wrong, such as C(UnknownDeployment), C(InvalidInput).
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_info import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
