#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``project_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: project_info
short_description: List projects and what they hold
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - A project is a namespace for names. It is there as soon as a composite app, a logical cloud or a deployment is
    defined in it, and gone with the last one.
  - Reads the store only; no cluster is asked.
options:
  name:
    description: The project. Left out, all of them.
    type: str
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
  - module: emco.edge.composite_app_info
  - module: emco.edge.logical_cloud_info
  - module: emco.edge.deployment_info
"""

EXAMPLES = r"""
- name: What is there
  emco.edge.project_info:
  run_once: true
  register: there

- name: Tell
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.deployments | map(attribute='name') | join(', ') }}"
  loop: "{{ there.projects }}"
  run_once: true
"""

RETURN = r"""
projects:
  description: The projects, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: demo
      composite_apps: [{name: vision, version: v1}]
      logical_clouds: [{name: factory, kind: standard, namespace: factory, clusters: 3}]
      deployments: [{name: vision-north, logical_cloud: factory, clusters: 2}]
reason:
  description:
    - A stable code for what went wrong, such as C(UnknownProject).
  returned: failure
  type: str
  sample: UnknownProject
hint:
  description: What to do about it.
  returned: failure, where there is something to do
  type: str
"""

from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module
from ansible_collections.emco.edge.plugins.module_utils._verbs.project_info import SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
