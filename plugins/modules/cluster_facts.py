#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``cluster_facts`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_facts
short_description: Facts of the cluster that a host is
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Gives the host the facts of its registered cluster as RV(ansible_facts.emco_cluster). They are read anew when those
    in the store are older than O(max_age).
  - A cluster that does not answer is no failure, unless you want it to be. Then C(reachable) is false and the facts are
    those that are stored.
options:
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
  max_age:
    description:
      - How old facts may be, such as V(90s), V(10m) or V(0) to read them now.
    type: str
    default: 10m
  fail_when_unreachable:
    description:
      - Whether the task fails when the cluster is asked and does not answer.
    type: bool
    default: false
  timeout:
    description:
      - How long reading may take.
    type: str
    default: 30s
requirements:
  - kubernetes
  - PyYAML
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
    details:
      - Facts are read, but not stored.
  diff_mode:
    support: N/A
    details:
      - Changes nothing but the stored facts.
  idempotent:
    support: full
  facts:
    description: Action returns an C(ansible_facts) dictionary that will update existing host facts.
    support: full
seealso:
  - module: emco.edge.cluster
  - module: emco.edge.cluster_info
"""

EXAMPLES = r"""
- name: Upgrade only what answers and is old
  hosts: edge
  gather_facts: false
  tasks:
    - name: Read the facts of the cluster
      emco.edge.cluster_facts:
        max_age: 1h

    - name: Leave out clusters that do not answer
      ansible.builtin.meta: end_host
      when: not emco_cluster.reachable

    - name: Say which need an upgrade
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }} runs {{ emco_cluster.version }}"
      when: emco_cluster.version is version('v1.33.0', '<')
"""

RETURN = r"""
ansible_facts:
  description: What is added to the facts of the host.
  returned: success
  type: dict
  contains:
    emco_cluster:
      description: The facts of the cluster. Amounts are written as Kubernetes writes them.
      type: dict
      contains:
        cluster:
          description: The cluster's identity, C(provider+name).
          type: str
        version:
          description: The version of its API server.
          type: str
        reachable:
          description: Whether it answered.
          type: bool
        age:
          description: How many seconds ago the facts were read.
          type: int
        nodes:
          description: Its nodes.
          type: list
          elements: dict
          sample:
            - name: edge-1-a
              ready: true
              unschedulable: false
              labels: {topology.kubernetes.io/zone: north-1}
              taints: []
              allocatable: {cpu: "16", memory: 64Gi}
              free: {cpu: 15500m, memory: 63Gi}
        capacity:
          description: What the ready nodes that take pods have together.
          type: dict
          sample: {cpu: "28", memory: 104Gi}
        free:
          description: What of it no living pod requests.
          type: dict
          sample: {cpu: 27500m, memory: 103Gi}
        devices:
          description: What the Dynamic Resource Allocation API lists.
          type: dict
        engines:
          description: Network and mesh engines that the cluster has, with the version of their API.
          type: dict
          sample: {kube_ovn: kubeovn.io/v1}
        apis:
          description: The group versions and kinds that it serves.
          type: list
          elements: str
          sample: [apps/v1, apps/v1/Deployment]
        storage_classes:
          description: Its storage classes.
          type: list
          elements: str
reason:
  description: A stable code for what went wrong, such as C(UnknownCluster) or C(ClusterUnreachable).
  returned: failure
  type: str
"""

from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_facts import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
