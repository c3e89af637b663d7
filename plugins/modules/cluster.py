#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``cluster`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Register a Kubernetes cluster
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Registers a cluster, so that logical clouds, networks and deployments can use it. The cluster is a host of the
    inventory, and this task runs for the host.
  - Verifies that the cluster answers and that the account may do what deploying needs, reads the facts of the cluster
    (version, nodes, capacity, what is free, served APIs) and stores them with what you say about it.
  - Says C(changed) when the registration changes. Facts are read anew each time, which is no change.
options:
  provider:
    description:
      - Who provides the cluster. A cluster's identity is the pair, written C(provider+name).
      - The default is the variable C(emco_provider) of the host. One of both is needed.
    type: str
  name:
    description:
      - The name of the cluster.
      - The default is the variable C(emco_name) of the host, then the name of the host in the inventory.
    type: str
  inventory_host:
    description:
      - The host of the inventory that stands for the cluster, which the option C(only) of the fleet verbs may name.
      - The default is the host that the task runs for, or the name of the cluster when that is C(localhost).
    type: str
  ovn_nb:
    description:
      - The OVN northbound database that this cluster is, in place of a Kubernetes API server. It has networks, see
        M(emco.edge.network), and no workloads.
      - Host variable C(emco_ovn_nb).
    type: dict
    suboptions:
      endpoint:
        description: Where it listens, C(unix:/path), C(tcp:host:6641) or C(ssl:host:6641).
        type: str
        required: true
      private_key:
        description: The path of our private key, for C(ssl).
        type: str
      certificate:
        description: The path of our certificate, for C(ssl).
        type: str
      ca_cert:
        description: The path of the certificates that its own is checked with, for C(ssl).
        type: str
  labels:
    description:
      - Labels to place applications by. A label of EMCO is a key with an empty value.
      - When left out, the variable C(emco_labels) of the host; when that is not there, they stay as they are.
    type: dict
  kv:
    description:
      - Named sets of keys and values, which templates and selectors can use.
      - When left out, the variable C(emco_kv) of the host; when that is not there, they stay as they are.
    type: dict
  taints:
    description:
      - Taints, which keep off whatever does not tolerate them.
      - When left out, the variable C(emco_taints) of the host; when that is not there, they stay as they are.
    type: list
    elements: dict
    suboptions:
      key:
        description: The key.
        type: str
        required: true
      value:
        description: The value.
        type: str
        default: ''
      effect:
        description:
          - V(NoSelect) keeps off what does not tolerate the taint and moves off what runs there; V(NoSelectIfNew)
            leaves what runs there; V(PreferNoSelect) chooses the cluster last.
        type: str
        choices: [NoSelect, NoSelectIfNew, PreferNoSelect]
        default: NoSelect
  keep_credentials:
    description:
      - V(reference) keeps no secret, only the path and context of the kubeconfig, or the name of the host whose
        variables hold the connection. Both must be there whenever the cluster is used.
      - V(encrypted) keeps the credentials and the content of all files they name, encrypted with the key of the store.
      - V(service_account) creates an account on the cluster and keeps its token, encrypted, and nothing else. What was
        given for registering is not needed any more.
      - When left out, the variable C(emco_keep_credentials) of the host, then what is registered, then V(reference).
    type: str
    choices: [reference, encrypted, service_account]
  account_rules:
    description:
      - With O(keep_credentials=service_account), the rules of the account's ClusterRole, as Kubernetes writes them.
      - When left out, the account may read and write objects of all kinds, since an application may bring any; may
        grant roles, since applications and logical clouds bring them; and may approve client certificates. It may not
        impersonate anybody, approve other certificates, or use paths that are no objects. Whoever holds its token can
        do what applications can do, so narrow it where only some kinds are deployed.
    type: list
    elements: dict
  schedulable:
    description:
      - V(false) cordons the cluster. It keeps what it has and gets nothing new.
      - When left out, the variable C(emco_schedulable) of the host, then what is registered, then V(true).
    type: bool
  drain:
    description:
      - V(true) moves off what may run elsewhere, the next time it is deployed.
      - When left out, the variable C(emco_drain) of the host, then what is registered, then V(false).
    type: bool
  image_mirrors:
    description:
      - Registries and what takes their place in the images of what is deployed here.
      - When left out, the variable C(emco_image_mirrors) of the host; when that is not there, they stay as they are.
    type: dict
  pull_secrets:
    description:
      - Names of Secrets of type C(kubernetes.io/dockerconfigjson) that pods deployed here pull their images with.
      - When left out, the variable C(emco_pull_secrets) of the host; when that is not there, they stay as they are.
    type: list
    elements: str
  constraints:
    description:
      - A selector over the labels of applications. The cluster refuses applications that it does not match.
      - When left out, the variable C(emco_constraints) of the host; when that is not there, it stays as it is.
    type: str
  on_missing_rights:
    description:
      - What to do when the account may not do all that deploying needs. What is missing is listed either way.
    type: str
    choices: [fail, warn]
    default: fail
  allow_duplicate:
    description:
      - Whether the same API server may be registered under several names.
    type: bool
    default: false
  forget:
    description:
      - With O(state=absent), take the cluster out without asking it and whatever ran there, because it is gone.
    type: bool
    default: false
  timeout:
    description:
      - How long the cluster may take for all of this, such as V(30s) or V(2m).
    type: str
    default: 30s
  state:
    description:
      - V(absent) takes the cluster out of the registry and removes from it what registering put there. This is refused
        while something of ours runs there.
    type: str
    choices: [present, absent]
    default: present
requirements:
  - kubernetes
  - PyYAML
  - cryptography (for O(keep_credentials=encrypted) and O(keep_credentials=service_account))
extends_documentation_fragment:
  - emco.edge.connection
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
    details:
      - Reads from the cluster, writes neither there nor to the store.
  diff_mode:
    support: full
    details:
      - Shows the registration, never a secret.
  idempotent:
    support: full
seealso:
  - module: emco.edge.cluster_info
  - module: emco.edge.cluster_facts
  - plugin: emco.edge.clusters
    plugin_type: inventory
"""

EXAMPLES = r"""
# In a play over the clusters, each a host of the inventory with emco_provider, emco_kubeconfig, emco_labels ...
- name: Register the cluster that is this host
  emco.edge.cluster:

- name: Register one cluster with a token
  emco.edge.cluster:
    provider: retail
    name: store-17
    host: https://203.0.113.17:6443
    api_key: "{{ vaulted_token }}"
    ca_cert: files/store-17-ca.pem
    labels:
      region: north
    kv:
      site:
        rack: r7
    keep_credentials: service_account
  delegate_to: localhost

- name: Cordon a cluster for maintenance; its labels and all else stay as they are
  emco.edge.cluster:
    provider: retail
    name: store-17
    schedulable: false
  delegate_to: localhost

- name: Take out a cluster that burnt down
  emco.edge.cluster:
    state: absent
    forget: true

- name: Register, and keep how kubernetes.core reaches the same cluster
  emco.edge.cluster:
  register: registered

- name: Read its nodes with kubernetes.core
  kubernetes.core.k8s_info:
    kind: Node
  module_defaults:
    group/kubernetes.core.k8s: "{{ registered.kubernetes_core }}"
"""

RETURN = r"""
cluster:
  description: The cluster as it is registered, without credentials.
  returned: success
  type: dict
  sample:
    cluster: lab+edge-1
    provider: lab
    name: edge-1
    labels: {region: north}
    kv: {site: {rack: r7}}
    taints: []
    schedulable: true
    draining: false
    inventory_host: edge-1
    keep_credentials: reference
    reachable: true
    version: v1.36.4
    nodes: 3
    ready_nodes: 3
    facts_age: 0
kubernetes_core:
  description:
    - The connection of this task as C(module_defaults) for C(group/kubernetes.core.k8s), with absolute paths.
    - Secrets are left out. A token given as C(emco_api_key) is added as C(api_key=emco_api_key).
    - Empty when the connection is the registered one.
  returned: when O(state=present)
  type: dict
  sample: {kubeconfig: /srv/edge/kubeconfigs/edge-1.yaml}
missing_rights:
  description: What the account may not do and deploying needs.
  returned: when O(state=present), and with reason C(MissingRights)
  type: list
  elements: str
  sample: ["create customresourcedefinitions.apiextensions.k8s.io"]
rebuilt:
  description: Whether another cluster answers than the one that was registered under this name.
  returned: when O(state=present)
  type: bool
account_changes:
  description: What was created or mended on the cluster for O(keep_credentials=service_account).
  returned: when O(state=present)
  type: list
  elements: str
  sample: ["ServiceAccount emco-edge-1a2b3c4d"]
removed:
  description: What was deleted from the cluster, beyond its registration.
  returned: when O(state=absent)
  type: list
  elements: str
  sample: ["Namespace emco-edge-system"]
deployments:
  description: What still runs on the cluster, as C(project/name).
  returned: with reason C(ClusterInUse)
  type: list
  elements: str
  sample: [demo/vision-north]
forgotten_deployments:
  description: What the store says ran on the cluster.
  returned: when O(forget=true) and there is some
  type: list
  elements: str
reason:
  description:
    - A stable code for what went wrong, such as C(BadConnection), C(ClusterUnreachable), C(CertificateRejected),
      C(Unauthorized), C(MissingRights), C(DuplicateCluster), C(ClusterInUse), C(InvalidInput).
  returned: failure
  type: str
  sample: ClusterUnreachable
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.cluster import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
