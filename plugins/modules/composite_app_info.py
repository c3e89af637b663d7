#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``composite_app_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: composite_app_info
short_description: List composite apps
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Lists the composite apps of the store and what they hold.
options:
  project:
    description: Only those of this project.
    type: str
  name:
    description: Only those of this name.
    type: str
  version:
    description: Only this version.
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
  - module: emco.edge.composite_app
"""

EXAMPLES = r"""
- name: What can be deployed
  emco.edge.composite_app_info:
    project: demo
  register: catalogue

- name: Show names and versions
  ansible.builtin.debug:
    msg: "{{ item.name }} {{ item.version }}"
  loop: "{{ catalogue.composite_apps }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
composite_apps:
  description: The composite apps as they were defined. Values that look like secrets are masked.
  returned: success
  type: list
  elements: dict
  sample:
    - project: demo
      name: vision
      version: v1
      apps: [{name: broker, chart: charts/broker}]
      base_dir: /srv/edge
reason:
  description:
    - A stable code for what went wrong, such as C(InvalidInput), C(KeyMissing).
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.composite_app_info import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
