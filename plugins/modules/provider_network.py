#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``provider_network`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: provider_network
short_description: Give networks that reach beyond their clusters to clusters
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - A provider network leaves its cluster through an interface of the nodes, tagged or as it is.
  - The interface must be there on the nodes that O(vlan.nodes) or O(direct.nodes) chooses, and what is behind it too.
options:
  type:
    description: V(vlan) is tagged, V(direct) is the interface as it is. Required with O(state=present).
    type: str
  vlan:
    description: The tagged network.
    type: dict
    suboptions:
      id:
        description: The VLAN id, 1 to 4094.
        type: int
        required: true
      interface:
        description: The interface of the nodes.
        type: str
        required: true
      logical_interface:
        description: The interface of the tag. Default C(<interface>.<id>), where that is short enough for Linux.
        type: str
      nodes:
        description: The nodes that the network reaches.
        type: dict
        suboptions:
          selector:
            description: V(any) is one of them, V(specific) those with all of the labels.
            type: str
            choices: [any, all, specific]
            default: all
          labels:
            description: Labels C(key=value) of nodes, for V(specific).
            type: list
            elements: str
  direct:
    description: The network that is an interface.
    type: dict
    suboptions:
      interface:
        description: The interface of the nodes.
        type: str
        required: true
      nodes:
        description: The nodes that the network reaches.
        type: dict
        suboptions:
          selector:
            description: V(any) is one of them, V(specific) those with all of the labels.
            type: str
            choices: [any, all, specific]
            default: all
          labels:
            description: Labels C(key=value) of nodes, for V(specific).
            type: list
            elements: str
extends_documentation_fragment:
  - emco.edge.network
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: emco.edge.network
  - module: emco.edge.network_info
"""

EXAMPLES = r"""
- name: A tagged network on the nodes with an uplink
  emco.edge.provider_network:
    clusters: [lab+edge-1]
    name: uplink
    type: vlan
    vlan: {id: 102, interface: ens5, nodes: {selector: specific, labels: [uplink=true]}}
    subnets: [{cidr: 10.151.12.0/24, gateway: 10.151.12.1, exclude: [10.151.12.2..10.151.12.9]}]
  run_once: true
"""

RETURN = r"""
clusters:
  description: How each cluster is, by its name, with the engine and subnets that the network has there.
  returned: always
  type: dict
  sample:
    lab+edge-1: {state: Ready, changed: true, applied: 3, unchanged: 0, deleted: 0, seconds: 0.4, engine: kube_ovn,
      subnets: [192.168.20.0/24]}
summary:
  description: The sums over all clusters.
  returned: always
  type: dict
  sample: {clusters: 3, ready: 3, failed: 0, unreachable: 0, applied: 9, unchanged: 0, deleted: 0}
reason:
  description:
    - A stable code for what went wrong, such as C(InvalidInput), C(NetworkInUse), C(ImmutableNetwork).
  returned: failure
  type: str
  sample: NetworkInUse
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
from ansible_collections.emco.edge.plugins.module_utils._verbs.networks import PROVIDER_SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(PROVIDER_SPEC, run)


if __name__ == "__main__":
    main()
