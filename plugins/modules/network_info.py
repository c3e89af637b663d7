#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``network_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_info
short_description: List networks and how they are
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Lists the networks that clusters should have, with the engine, addresses and node of each.
  - With O(live=true) asks the clusters what their engines say of them, and which pods are on them.
options:
  clusters:
    description: The clusters, as C(provider+name) or inventory hosts, or one selector; V(all) is every registered one.
    type: raw
    default: [all]
  name:
    description: Only networks of this name.
    type: str
  live:
    description: Ask the clusters. A few requests each, and one more for every object of a network.
    type: bool
    default: false
  output:
    description:
      - V(detail) adds the objects that make each network in full, each as its C(manifest). With O(live=true) as they
        are seen, else as they are sent. What a northbound database holds are rows, and left out.
    type: str
    choices: [all, detail]
    default: all
  timeout:
    description: How long a cluster may take to answer.
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
  - module: emco.edge.network
"""

EXAMPLES = r"""
- name: Which networks there are
  emco.edge.network_info:
    clusters: all
  run_once: true
  register: networks

- name: Whether one is ready, and who is on it
  emco.edge.network_info:
    clusters: [lab+edge-1]
    name: protected
    live: true
  run_once: true
"""

RETURN = r"""
clusters:
  description: The networks of each cluster that has any, by its name, and how the last run there ended.
  returned: success
  type: dict
  sample:
    lab+edge-1:
      state: Ready
      networks:
        - {name: protected, engine: kube_ovn, subnets: [{cidr: 192.168.20.0/24}], ready: true, objects: [],
          pods: [{pod: default/api-0, interface: net1, ips: [192.168.20.5]}]}
count:
  description: How many networks that are.
  returned: success
  type: int
reason:
  description:
    - A stable code for what went wrong, such as C(InvalidInput).
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
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_info import SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
