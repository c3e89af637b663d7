#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``composite_app`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: composite_app
short_description: Define a version of a composite app
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Defines what is shipped together. An app is a Helm chart, a set of manifests or a kustomization; profiles customise
    a version.
  - Nothing reaches a cluster before M(emco.edge.deployment) deploys it.
options:
  project:
    description: The project, a namespace for names.
    type: str
    required: true
  name:
    description: The name of the composite app.
    type: str
    required: true
  version:
    description: The version, which is part of the identity. Quote it, or YAML makes C(1.10) a number.
    type: str
    required: true
  apps:
    description: The apps. Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the app.
        type: str
        required: true
      chart:
        description:
          - A Helm chart, which is a folder, a C(.tgz), an C(oci://) reference, or the name of a chart in
            O(apps[].repository).
          - Relative paths start at the folder of the playbook. Just one of O(apps[].chart), O(apps[].manifests) and
            O(apps[].kustomize) is given.
        type: str
      manifests:
        description:
          - Files, and folders of C(.yaml), C(.yml) and C(.json) files.
          - Jinja2 in them can use C(cluster) (C(provider), C(name), C(labels), C(kv), C(version)), C(values),
            C(release), C(namespace), and C(host) with the variables that a deployment allows.
            What a cluster says is never executed.
        type: list
        elements: str
      kustomize:
        description: A folder with a kustomization.
        type: str
      repository:
        description: The URL of the chart's repository.
        type: str
      version:
        description: The version of a chart that is pulled.
        type: str
      digest:
        description: The digest that the pulled chart must have.
        type: str
      username:
        description: The user for the repository or registry.
        type: str
      password:
        description: The password for the repository or registry. It is stored sealed.
        type: str
      ca_cert:
        description: A file with the certificate authority of the repository or registry.
        type: path
      plain_http:
        description: Whether the registry is reached without TLS.
        type: bool
        default: false
      depends_on:
        description: Apps that must be there first.
        type: list
        elements: dict
        suboptions:
          app:
            description: The app that is waited for.
            type: str
            required: true
          status:
            description: Whether it must be V(deployed), its objects sent, or V(ready). Any case is understood.
            type: str
            default: ready
          wait:
            description: How long to wait after that.
            type: str
            default: 0s
          scope:
            description:
              - V(cluster) waits for the copy on the same cluster, or for all copies where there is none.
              - V(everywhere) always waits for all copies, as EMCO does. A cluster that is down then holds up the
                others.
            type: str
            choices: [cluster, everywhere]
            default: cluster
      labels:
        description: Labels of the app, which the constraints of a cluster look at.
        type: dict
      wait_for:
        description: JMESPath queries that say when objects of a kind, C(Kind) or C(group/version/Kind), are ready.
        type: dict
  profiles:
    description: Customisations of this version.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the profile.
        type: str
        required: true
      apps:
        description:
          - By app, C(values), C(values_files) and C(files).
          - C(files) is a list of C(src) and C(dest), which are copied into the chart before it is rendered.
        type: dict
  state:
    description: Whether the version is there. One that is deployed is not removed.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Values that look like secrets are masked.
  idempotent:
    support: full
seealso:
  - module: emco.edge.composite_app_info
  - module: emco.edge.deployment
"""

EXAMPLES = r"""
- name: Define what a camera site runs
  emco.edge.composite_app:
    project: demo
    name: vision
    version: v1
    apps:
      - name: broker
        chart: charts/broker
      - name: api
        manifests: [manifests/api/]
        depends_on: [{app: broker, status: ready, wait: 5s}]
      - name: viewer
        kustomize: overlays/edge
    profiles:
      - name: production
        apps:
          broker:
            values_files: [production.yaml]
            values: {replicas: 2}

- name: Ship a chart from a registry
  emco.edge.composite_app:
    project: demo
    name: ingress
    version: "4.11"
    apps:
      - name: nginx
        chart: oci://registry.example.com/charts/ingress-nginx
        version: 4.11.3
        digest: sha256:0f26dd9a3c2d6a5b4c7e8f90123456789abcdef0123456789abcdef012345678
"""

RETURN = r"""
composite_app:
  description: What was defined.
  returned: with O(state=present)
  type: dict
  sample: {project: demo, name: vision, version: v1, apps: [broker, api, viewer], profiles: [production]}
reason:
  description:
    - A stable code for what went wrong, such as C(InvalidInput), C(InUse).
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.composite_app import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
