#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``network`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Give virtual networks to clusters
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - A virtual network lives inside its cluster. What is wanted is said once, and becomes the objects of the engine that
    each cluster has; what an engine cannot express is refused with the way round.
  - Everything is checked before anything is sent, on all clusters, and all problems are told at once.
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
  - module: emco.edge.provider_network
  - module: emco.edge.network_info
"""

EXAMPLES = r"""
- name: A network with the same addresses on two clusters
  emco.edge.network:
    clusters: [lab+edge-1, lab+edge-2]
    name: protected
    subnets:
      - cidr: 192.168.20.0/24
        gateway: 192.168.20.1
        exclude: [192.168.20.2, 192.168.20.10..192.168.20.20]
  run_once: true

- name: A network whose addresses are each cluster's own
  emco.edge.network:
    clusters: all
    name: telemetry
    subnets: [{from: 10.64.0.0/10, prefix: 24}]
  run_once: true

- name: Take it off one cluster again
  emco.edge.network:
    clusters: [lab+edge-2]
    name: protected
    state: absent
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
from ansible_collections.emco.edge.plugins.module_utils._verbs.networks import SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
