#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``document_info`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: document_info
short_description: Check EMCO's documents, convert them, tell their status as EMCO does
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Reads EMCO's documents as M(emco.edge.document) does and changes nothing anywhere.
  - Tells what of them is not supported, the inventory variables that mean the same, and status in the shape of EMCO's
    API.
options:
  src:
    description:
      - Files, and folders of C(.yaml), C(.yml) and C(.json) files, taken in the order of their names.
      - Files of a folder without any C(resourceContext), such as values and patches, are left out.
    type: list
    elements: str
    required: true
  values:
    description: Files of values for the Go templates in the documents, later ones win.
    type: list
    elements: str
  convert:
    description: Whether RV(converted) is returned.
    type: bool
    default: false
  status:
    description:
      - Which status is returned, with the query options of EMCO's API.
      - It is that of the deployment intent groups that the documents describe or are about, as they were stored and
        carried out before.
    type: dict
    suboptions:
      status:
        description: V(deployed) tells what became of what was sent, V(ready) how objects are.
        type: str
        choices: [deployed, ready]
      type:
        description: The same two views under EMCO's older names of fields. Without O(status.status), V(rsync).
        type: str
        choices: [rsync, cluster]
      output:
        description:
          - V(summary) leaves out the apps.
          - V(detail) adds each object in full, as it is seen with V(ready), as it was sent with V(deployed). Secrets
            are masked.
        type: str
        choices: [summary, all, detail]
        default: all
      app:
        description: Only these apps. One that is not there is an error.
        type: list
        elements: str
      cluster:
        description: Only these clusters, each C(provider+cluster).
        type: list
        elements: str
      resource:
        description: Only objects of these names.
        type: list
        elements: str
      apps:
        description: List the apps, nothing else.
        type: bool
        default: false
      clusters:
        description: List the clusters by app, nothing else.
        type: bool
        default: false
      resources:
        description: List the objects by app and cluster, nothing else.
        type: bool
        default: false
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
  - module: emco.edge.document
"""

EXAMPLES = r"""
- name: What of these documents is not supported
  emco.edge.document_info:
    src: documents/
    values: values.yaml
  run_once: true
  register: checked

- name: Write them as inventory variables
  emco.edge.document_info:
    src: documents/
    values: values.yaml
    convert: true
  run_once: true
  register: meant

- name: Ask for the status as EMCO tells it
  emco.edge.document_info:
    src: documents/
    values: values.yaml
    status: {status: ready, output: all, app: [web]}
  run_once: true
  register: running
"""

RETURN = r"""
documents:
  description: The documents in their order.
  returned: success
  type: list
  elements: dict
  sample:
    - {anchor: projects/demo, kind: Project, file: shop.yaml, line: 4}
unsupported:
  description: What is stored and checked, and not carried out.
  returned: success
  type: list
  elements: dict
  sample:
    - anchor: projects/demo/composite-apps/shop/v1/deployment-intent-groups/north/policy-intents/scale
      kind: PolicyIntent
      reason: nothing listens for the events of a policy
converted:
  description:
    - Inventory variables that mean the same as the documents, empty ones left out.
    - C(emco_clusters) has the variables of hosts by their names.
  returned: with O(convert=true)
  type: dict
  sample: {emco_composite_apps: [{project: demo, name: shop, version: v1}], emco_deployments: []}
status:
  description: The status documents of EMCO's API, one for each deployment intent group.
  returned: with O(status)
  type: list
  elements: dict
  sample:
    - {name: north, project: demo, compositeApp: shop, deployedStatus: Instantiated, readyStatus: Ready,
       readyCounts: {Ready: 6}}
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.document_info import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
