#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``logical_cloud_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: logical_cloud_info
short_description: Show how logical clouds are, and write kubeconfigs for their users
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Reads from the clusters how their part of a logical cloud is. It is ready when its namespace and all other objects
    are, a credential was issued, and the user, asked with that credential, has the rights that it was given.
options:
  project:
    description: The project. Left out, all of them.
    type: str
  name:
    description: The logical cloud. Left out, all of the project.
    type: str
  status:
    description:
      - V(ready) looks at how objects are and tries the credentials, V(deployed) at what became of what was sent.
      - V(stored) asks no cluster.
    type: str
    choices: [ready, deployed, stored]
    default: ready
  output:
    description:
      - V(detail) adds each object in full, in C(manifests) of a cluster, as it is seen with O(status=ready), as it is
        sent with O(status=deployed). Secrets are masked.
    type: str
    choices: [all, detail]
    default: all
  expiring_within:
    description: Also list the credentials that expire within this time, such as V(30d).
    type: str
  kubeconfig_dir:
    description:
      - A folder for kubeconfigs, one a cluster (C(<name>.<provider>+<cluster>.yaml)) and one with a context for each
        (C(<name>.yaml)). Only the user that runs this may read them.
      - Relative paths start at the folder of the playbook.
    type: str
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
    details: No file is written.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: emco.edge.logical_cloud
"""

EXAMPLES = r"""
- name: Kubeconfigs for the people of the factory
  emco.edge.logical_cloud_info:
    project: demo
    name: factory
    kubeconfig_dir: out/
  run_once: true

- name: Which credentials end soon
  emco.edge.logical_cloud_info:
    status: stored
    expiring_within: 30d
  run_once: true
  register: clouds

- name: Tell
  ansible.builtin.debug:
    msg: "{{ item.project }}/{{ item.name }} on {{ item.cluster }}: {{ item.expires }}"
  loop: "{{ clouds.expiring }}"
  run_once: true
"""

RETURN = r"""
logical_clouds:
  description: The logical clouds that were asked for.
  returned: success
  type: list
  elements: dict
  sample:
    - project: demo
      name: factory
      kind: standard
      namespace: factory
      generation: 1
      user: {name: factory-admin, type: certificate}
      permissions: ["* * in namespace factory"]
      quotas: {small: {limits.cpu: "8"}}
      total: {hard: {pods: "30"}, divide: use, parts: {lab+edge-1: {pods: "30"}}}
      deployments: [vision-north]
      ready_status: Ready
      counts: {Ready: 6}
      clusters:
        lab+edge-1:
          member: true
          state: Ready
          ready: true
          access: verified
          connectivity: Available
          credential: {type: certificate, identity: factory-admin, generation: 1, expires: "2027-02-23T22:10:00Z",
                       not_before: "2026-11-25T22:05:00Z", expires_in_days: 90.0}
          objects: {Namespace factory: Ready, ResourceQuota factory/small: Ready}
expiring:
  description: The credentials that expire within O(expiring_within).
  returned: with O(expiring_within)
  type: list
  elements: dict
kubeconfigs:
  description: The files.
  returned: with O(kubeconfig_dir)
  type: list
  elements: str
reason:
  description:
    - A stable code for what went wrong, such as C(UnknownLogicalCloud), C(InvalidInput).
  returned: failure
  type: str
  sample: UnknownLogicalCloud
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.logical_cloud_info import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
