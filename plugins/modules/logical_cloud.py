#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``logical_cloud`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: logical_cloud
short_description: Give a tenant a slice of many clusters
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - A logical cloud is one name for a namespace, a user with exactly the rights given, quotas and isolation, on a set of
    clusters at once. Deployments land inside it, with the rights of the tenant.
  - Clusters join and leave by editing O(clusters), or when O(selector) matches others; only those are touched.
  - M(emco.edge.logical_cloud_info) writes kubeconfigs for the tenant.
options:
  project:
    description: The project, a namespace for names.
    type: str
    required: true
  name:
    description: The name of the logical cloud.
    type: str
    required: true
  kind:
    description:
      - V(standard) has rights in its own namespace only.
      - V(privileged) may have rights in other namespaces and in the whole cluster too.
      - V(admin) is a set of clusters. It has no namespace, user or quota of its own; what is deployed in it goes to
        namespace C(default) with the rights that the clusters are registered with.
    type: str
    choices: [admin, standard, privileged]
    default: standard
  namespace:
    description: The namespace, the same on every cluster. Left out, it is called like the logical cloud.
    type: str
  labels:
    description: Labels of the namespace.
    type: dict
  user:
    description: Who works in it. Required for all kinds but V(admin).
    type: dict
    suboptions:
      name:
        description: The name of the user, or of the service account.
        type: str
        required: true
      type:
        description:
          - V(certificate) is a client certificate that each cluster signs, with a key that is made on the control node.
          - V(service_account) is an account in the namespace with a bound token, for clusters that sign nothing.
        type: str
        choices: [certificate, service_account]
        default: certificate
      expires_in:
        description: For how long credentials are asked. A cluster may give them a shorter life.
        type: str
        default: 90d
      renew_before:
        description: How long before their end a run renews credentials.
        type: str
        default: 30d
      generation:
        description:
          - Raise it to revoke all credentials that were issued before. Rights are bound to the generation, so the old
            ones have none, certificates included.
          - Left out, it stays as it is; the first one is 1.
        type: int
  clusters:
    description: Its clusters, written C(provider+cluster).
    type: list
    elements: str
  selector:
    description: A selector of its clusters, instead of O(clusters). It is evaluated anew by each run.
    type: str
  permissions:
    description: What the user may do. At least one must be for its own namespace.
    type: list
    elements: dict
    suboptions:
      namespace:
        description:
          - The namespace that it is for. Left out, the logical cloud's own; empty, the whole cluster.
        type: str
      api_groups:
        description: API groups; the empty text is the core group.
        type: list
        elements: str
        required: true
      resources:
        description: Resources by their plural, such as C(pods) or C(pods/log).
        type: list
        elements: str
        required: true
      verbs:
        description: Verbs, V(*) for all.
        type: list
        elements: str
        required: true
      resource_names:
        description: Only objects of these names.
        type: list
        elements: str
  quotas:
    description: Resource quotas of the namespace on each cluster.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the quota.
        type: str
        required: true
      hard:
        description: Limits, with the keys of a ResourceQuota.
        type: dict
        required: true
      clusters:
        description: By cluster, the limits that are different there.
        type: dict
  total:
    description:
      - Limits for all clusters together, with the keys of a ResourceQuota. Each cluster gets a part.
    type: dict
  total_divide:
    description:
      - V(use) gives each cluster what deployments take there and a fair part of the rest.
      - V(weighted) gives fixed parts by O(total_weights), equal ones without.
    type: str
    choices: [use, weighted]
    default: use
  total_weights:
    description: By cluster, its weight.
    type: dict
  limit_range:
    description: Defaults and bounds for containers, pods and claims, written as C(spec.limits) of a LimitRange.
    type: list
    elements: dict
  pod_security:
    description:
      - The level of Pod Security, V(privileged), V(baseline) or V(restricted), for all of its modes.
      - Or a dictionary of C(enforce), C(audit), C(warn), and C(enforce_version) and so on.
    type: raw
  isolation:
    description:
      - Whether traffic between this namespace and others is denied, by the best policy API that a cluster serves. The
        result says which one and what it does. Default for V(standard), not for V(privileged).
    type: bool
  isolation_except:
    description: Namespaces that may talk with it all the same, such as that of an ingress controller.
    type: list
    elements: str
  emco_names:
    description: Whether objects are called as EMCO calls them. Roles are then numbered, not named by what they grant.
    type: bool
    default: false
  adopt:
    description: Take over a namespace and other objects that exist and are not ours.
    type: bool
    default: false
  force:
    description:
      - Remove it, or a cluster from it, although deployments run there, and what others have in its namespace.
    type: bool
    default: false
  allow_deletions:
    description: Change O(namespace) although the old one is deleted with what is in it.
    type: bool
    default: false
  conflicts:
    description: What happens with fields that somebody else has changed.
    type: str
    choices: [fail, force]
    default: fail
  only:
    description: Hosts, clusters, or one selector that limit what is touched.
    type: raw
  parallel:
    description: How many clusters are worked on at once.
    type: int
    default: 50
  wait_timeout:
    description: How long the objects of a cluster may take to get ready.
    type: str
    default: 60s
  cluster_timeout:
    description: How long all work on one cluster may take.
    type: str
    default: 2m
  lock_wait:
    description: How long to wait for another run on the same logical cloud.
    type: str
    default: 0s
  state:
    description: Whether it is there. One that has deployments in it is not removed without O(force).
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
  idempotent:
    support: full
    details: Credentials are renewed when their time has come, which is a change.
seealso:
  - module: emco.edge.logical_cloud_info
  - module: emco.edge.deployment
"""

EXAMPLES = r"""
- name: A namespace for the people of the factory, on all clusters of the north
  emco.edge.logical_cloud:
    project: demo
    name: factory
    namespace: factory
    user: {name: factory-admin}
    selector: region=north
    permissions:
      - api_groups: ["", apps, batch, networking.k8s.io]
        resources: ["*"]
        verbs: ["*"]
    quotas:
      - name: small
        hard: {limits.cpu: "8", limits.memory: 16Gi}
        clusters: {lab+edge-2: {limits.cpu: "4"}}
    pod_security: baseline
  run_once: true

- name: Revoke all credentials that were handed out, and issue new ones
  emco.edge.logical_cloud:
    project: demo
    name: factory
    namespace: factory
    user: {name: factory-admin, generation: 2}
    selector: region=north
    permissions:
      - {api_groups: ["", apps], resources: ["*"], verbs: ["*"]}
  run_once: true

- name: The clusters that a team of administrators deploys to
  emco.edge.logical_cloud:
    project: demo
    name: platform
    kind: admin
    clusters: [lab+edge-1, lab+edge-3]
  run_once: true
"""

RETURN = r"""
logical_cloud:
  description: What was wanted.
  returned: with O(state=present)
  type: dict
  sample: {project: demo, name: factory, kind: standard, namespace: factory, generation: 1, clusters: [lab+edge-1]}
summary:
  description: Sums over all clusters.
  returned: success
  type: dict
  sample: {clusters: 3, ready: 3, failed: 0, unreachable: 0, applied: 18, unchanged: 0, deleted: 0, requests: 81,
           writes: 36, seconds: 0.8}
clusters:
  description: What was done on each cluster.
  returned: success
  type: dict
  sample:
    lab+edge-1:
      state: Ready
      changed: true
      applied: 6
      unchanged: 0
      deleted: 0
      seconds: 0.6
      isolation:
        by: policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy
        effect: no traffic from or to other namespaces, but for DNS; the outside is not touched
      credential: {type: certificate, identity: factory-admin, generation: 1, expires: "2027-02-23T22:10:00Z",
                   not_before: "2026-11-25T22:05:00Z", expires_in_days: 90.0}
warnings:
  description: What looks wrong and is allowed, such as permissions for API groups that no cluster serves.
  returned: success
  type: list
  elements: str
reason:
  description:
    - A stable code for what went wrong, such as C(InvalidInput), C(LogicalCloudInUse), C(NotOurs),
      C(CertificateNotIssued), C(ClockSkew), C(TenantAccessMissing).
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.logical_cloud import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
