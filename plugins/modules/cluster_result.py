#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``cluster_result`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_result
short_description: What a fleet task did on the cluster that a host is
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Tasks such as M(emco.edge.deployment) act on the whole fleet and run once. This one tells each host what such a task
    did on its cluster, so that each cluster has its line in the recap.
  - Fails the hosts whose cluster failed, which is what makes C(max_fail_percentage) work. Says C(changed) where the
    task changed something, which notifies handlers. Is skipped where the task did not touch the cluster.
options:
  from:
    description:
      - The registered result of the fleet task.
    type: dict
    required: true
  provider:
    description:
      - Who provides the cluster.
      - The default is the variable C(emco_provider) of the host. One of both is needed.
    type: str
  name:
    description:
      - The name of the cluster.
      - The default is the variable C(emco_name) of the host, then the name of the host in the inventory.
    type: str
  fail_on:
    description:
      - The states of a cluster that fail its host.
    type: list
    elements: str
    choices: [Ready, Progressing, Pending, Deferred, Unreachable, Failed, Removed]
    default: [Failed, Unreachable]
extends_documentation_fragment:
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says what the fleet task would do when that one ran in check mode.
  diff_mode:
    support: N/A
    details:
      - Changes nothing.
  idempotent:
    support: N/A
    details:
      - Repeats what the fleet task said.
seealso:
  - module: emco.edge.deployment
"""

EXAMPLES = r"""
- name: Ship the application, region by region
  hosts: edge
  gather_facts: false
  serial: 25%
  max_fail_percentage: 10
  tasks:
    - name: Deploy it
      emco.edge.deployment:
        project: demo
        name: vision-north
        only: "{{ ansible_play_batch }}"
      run_once: true
      register: shipped

    - name: Tell each cluster
      emco.edge.cluster_result:
        from: "{{ shipped }}"
      notify: Announce the change

  handlers:
    - name: Announce the change
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }} has a new version"
"""

RETURN = r"""
cluster:
  description: The cluster, C(provider+name).
  returned: always
  type: str
  sample: lab+edge-1
state:
  description: How the cluster is, one of V(Ready), V(Progressing), V(Pending), V(Deferred), V(Unreachable), V(Failed),
    V(Removed).
  returned: when the fleet task touched the cluster
  type: str
  sample: Ready
msg:
  description: One line about it.
  returned: always
  type: str
  sample: "lab+edge-1 Ready: 4 applied, 16 unchanged, 0.8 s"
reason:
  description: A stable code for why it is not ready.
  returned: where there is one
  type: str
  sample: FieldConflict
message:
  description: The reason in words.
  returned: where there is one
  type: str
applied:
  description: How many objects were created or changed.
  returned: when the fleet task touched the cluster
  type: int
unchanged:
  description: How many objects were as they should be.
  returned: when the fleet task touched the cluster
  type: int
deleted:
  description: How many objects were deleted.
  returned: when the fleet task touched the cluster
  type: int
seconds:
  description: How long the cluster took.
  returned: when the fleet task touched the cluster
  type: float
"""

from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_result import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
