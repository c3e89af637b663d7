#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``cluster_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: List the registered clusters
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Lists registered clusters with their labels, key-value sets, taints and what is known of them.
  - Reads the store and asks no cluster. M(emco.edge.cluster_facts) reads facts anew.
options:
  selector:
    description:
      - Only clusters that this selector matches, such as V(region in (north, south\), facts.version >= 1.30, !retired).
    type: str
  names:
    description:
      - Only these clusters, by C(provider+name), by name alone, or by the host that stands for them in the inventory.
    type: list
    elements: str
  facts:
    description:
      - Whether all facts of each cluster are returned too. They are large.
    type: bool
    default: false
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - Changes nothing.
  idempotent:
    support: full
seealso:
  - module: emco.edge.cluster
  - module: emco.edge.cluster_facts
"""

EXAMPLES = r"""
- name: Which clusters in the north run Kubernetes 1.33 or newer?
  emco.edge.cluster_info:
    selector: region=north, facts.version >= 1.33
  delegate_to: localhost
  run_once: true
  register: found

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ found.clusters | map(attribute='cluster') }}"
  run_once: true

- name: Stop when fewer than three clusters have 8 free cores
  emco.edge.cluster_info:
    selector: facts.free.cpu >= 8, facts.reachable = true
  register: roomy
  failed_when: roomy.clusters | length < 3
  run_once: true
"""

RETURN = r"""
clusters:
  description: The clusters, sorted by provider and name, without credentials.
  returned: success
  type: list
  elements: dict
  contains:
    cluster:
      description: The cluster's identity, C(provider+name).
      type: str
    labels:
      description: Its labels.
      type: dict
    kv:
      description: Its named sets of keys and values.
      type: dict
    taints:
      description: Its taints; C(seconds) says for how long each is there.
      type: list
      elements: dict
    schedulable:
      description: Whether it gets anything new.
      type: bool
    draining:
      description: Whether it is being emptied.
      type: bool
    inventory_host:
      description: The host that it was registered by.
      type: str
    keep_credentials:
      description: What is kept of its credentials.
      type: str
    reachable:
      description: Whether it answered the last time it was asked.
      type: bool
    unreachable_seconds:
      description: For how long it does not answer; null when it does.
      type: int
    version:
      description: The version of its API server.
      type: str
    nodes:
      description: How many nodes it has; C(ready_nodes) counts those that are ready.
      type: int
    facts_age:
      description: How many seconds ago its facts were read.
      type: int
    facts:
      description: All facts, as RV(emco.edge.cluster_facts#module:ansible_facts.emco_cluster) has them.
      returned: with O(facts=true)
      type: dict
  sample:
    - cluster: lab+edge-1
      labels: {region: north}
      reachable: true
      version: v1.36.4
      nodes: 3
reason:
  description: A stable code for what went wrong, such as C(InvalidInput).
  returned: failure
  type: str
"""

from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster_info import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
