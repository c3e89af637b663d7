#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``deployment`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment
short_description: Bring a composite app to the edge clusters that its intents choose
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Decides for each app of a composite app where it runs, renders it for these clusters, stores the plan as a revision,
    and makes the clusters equal to it, many at once. EMCO calls this a deployment intent group.
  - Placement always sees all registered clusters. O(only) limits which of them are touched in this run, it never moves
    an app. What is left out stays pending and a later run continues the same revision.
  - A second run with the same input writes nothing.
  - Run it once for the fleet, with C(run_once), and let M(emco.edge.cluster_result) tell each host what happened.
options:
  project:
    description: The project, a namespace for names.
    type: str
    required: true
  name:
    description: The name of the deployment.
    type: str
    required: true
  composite_app:
    description:
      - The composite app.
      - When a task gives none of the options that say what is wanted (from here to O(host_variables)), the stored ones
        are used.
    type: str
  version:
    description: The version of the composite app.
    type: str
  profile:
    description: The profile of the composite app.
    type: str
  release:
    description: The Helm release name, by default the name of the deployment.
    type: str
  logical_cloud:
    description:
      - The logical cloud that it is in. It is placed on the clusters of that one only, in its namespace, and written
        with the rights of its tenant. Default is the admin logical cloud, which is namespace C(default) of all clusters
        unless the project has one called C(admin).
      - It cannot be changed while the deployment is somewhere.
    type: str
  act_as:
    description:
      - With whose rights objects are written in a logical cloud. V(tenant) impersonates its user, V(credential) uses
        the credential that was issued to it, V(admin) the rights that the clusters are registered with.
      - Before anything is written the tenant's rights are reviewed; what is missing is told and nothing is changed.
    type: str
    choices: [tenant, credential, admin]
    default: tenant
  overrides:
    description:
      - By app, C(values), and C(set) as Helm's C(--set) reads it.
      - The order is chart, profile files, profile values, overrides, cluster overrides; later ones win.
    type: dict
  cluster_overrides:
    description: By cluster (C(provider+name)) and app, the same again.
    type: dict
  placement:
    description:
      - By app, where it may run and should. C(default) stands for apps that are not named.
      - Intents are C(clusters), C(label), C(selector), C(all_of), C(any_of), C(exclude), C(tolerations), C(count),
        C(spread), C(with), C(apart_from), C(score), C(replicas), C(fallback), C(on_unreachable).
      - EMCO's own C(allOf) and C(anyOf) work too.
    type: dict
  hardware:
    description:
      - What workloads need of the hardware, each with C(app), C(workload), C(container), C(requests), C(limits),
        C(node), C(mandatory), C(weight).
    type: list
    elements: dict
  customizations:
    description:
      - Objects that are added to an app (C(create=true)) or changed, each with C(app), C(api_version), C(kind),
        C(name), C(template) for a new one, and C(changes).
      - A change has C(patch) (a JSON patch), C(merge) (strategic merge patches), C(data) and C(binary_data) for a
        ConfigMap or Secret, and says with C(cluster), or C(label) and C(provider), which clusters it is for; C(all_but)
        turns that round.
      - Kustomize applies the patches.
    type: list
    elements: dict
  labels:
    description:
      - Labels for every object and pod template. C({app}) in a value stands for the name of the app.
      - A value that is too long for a label is replaced by one that stands for it.
    type: dict
  interfaces:
    description:
      - Interfaces of workloads on networks, each with C(app), C(workload), C(kind), C(network), C(name), C(ip), C(mac),
        C(default_gateway), C(routes). They become the annotations that the engine of each cluster reads, beside those
        that are there.
      - An app runs only where its networks are, see M(emco.edge.network).
    type: list
    elements: dict
  connectivity:
    description:
      - Connections that apps take, each with C(from) (an app, or a dictionary with C(cidr)), C(to) (an app) and
        C(ports), a list of C(protocol) and C(port).
      - They become a NetworkPolicy. An app that no entry is for takes all; one that has an entry takes no others.
    type: list
    elements: dict
  controllers:
    description:
      - Action controllers of other collections that edit the objects before they are shipped, in this order, each
        C(<namespace>.<collection>.<file>) or a dictionary of C(name) and C(options).
      - They need the control node.
    type: list
    elements: raw
  host_variables:
    description: Variables of a cluster's inventory host that its templated manifests may use, as C(host.name).
    type: list
    elements: str
  rebalance:
    description: Place anew instead of starting from what was decided before.
    type: bool
    default: false
  rollout:
    description:
      - How the revision is brought to the clusters. Shares are of all clusters that this run is for.
      - Left out, all clusters go at once, and one that fails keeps none of the others waiting.
    type: dict
    suboptions:
      waves:
        description: Sets of clusters that go one after another. A cluster is in exactly one of them.
        type: list
        elements: dict
        suboptions:
          name:
            description: A name for people.
            type: str
          clusters:
            description: These clusters.
            type: list
            elements: str
          selector:
            description: The clusters that it selects, of those that no list names.
            type: str
          count:
            description: So many clusters, or such a share of all, or of those that O(rollout.waves[].selector) selects.
            type: raw
          repeat:
            description: As many waves of O(rollout.waves[].count) as there are clusters left for.
            type: bool
            default: false
          max_concurrency:
            description: As O(rollout.max_concurrency), for this wave; the narrower of the two holds.
            type: raw
          max_failures:
            description: As O(rollout.max_failures), for this wave.
            type: raw
          soak:
            description: As O(rollout.soak), for this wave.
            type: str
          gate:
            description: As O(rollout.gate), for this wave.
            type: str
          pause_after:
            description: End as Paused after this wave.
            type: bool
            default: false
      remaining:
        description: Whether clusters that no wave names go last, or are an error.
        type: str
        choices: [last, refuse]
        default: last
      round:
        description: How shares become clusters. Concurrency and waves are at least 1 either way.
        type: str
        choices: [down, up]
        default: down
      max_concurrency:
        description: How many clusters may be between begun and proven at the same time. By default all.
        type: raw
      max_failures:
        description: How many clusters of the whole set may fail.
        type: raw
        default: 0
      max_deferred:
        description: How many clusters may be put off because they do not answer. By default all.
        type: raw
      soak:
        description: How long a cluster must have been ready before it counts as done.
        type: str
        default: 0s
      progress_deadline:
        description: After how long a cluster that was begun counts as failed. By default never.
        type: str
      gate:
        description: Asked of each wave before the next, V(ready) or a JMESPath condition. By default only the budgets.
        type: str
      pause_after:
        description: End as Paused after each wave, or after the waves given by name or number.
        type: raw
        default: false
      on_failure:
        description: What is done once more clusters failed, or were put off, than the budgets allow.
        type: str
        choices: [stop, continue, rollback]
        default: stop
      rollback_scope:
        description: Whether all clusters go back, or those of the wave that failed.
        type: str
        choices: [all, wave]
        default: all
      unreachable:
        description:
          - What becomes of a cluster that does not answer. V(fail) counts it as failed, V(defer) puts it off until it
            answers again. A dictionary with C(wait) asks again for so long, and C(then) says what holds afterwards.
        type: raw
        default: fail
  resume:
    description: Go on with a rollout that paused.
    type: bool
    default: false
  catch_up:
    description:
      - Only bring clusters that were put off, or did not answer, to the latest revision.
      - Nothing is planned anew, and with nothing put off no cluster is asked anything, so it can run each minute.
    type: bool
    default: false
  only:
    description: Hosts, clusters or one selector. Only these are touched in this run.
    type: raw
  parallel:
    description: How many clusters are worked on at once.
    type: int
    default: 50
  wait:
    description: Whether to wait until everything is ready.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for readiness on each cluster.
    type: str
    default: 10m
  cluster_timeout:
    description: How long one cluster may take in all. V(0s) is the O(wait_timeout) and a minute.
    type: str
    default: 0s
  drift:
    description:
      - What becomes of objects that others changed. V(correct) sets our fields again, V(report) tells,
        V(ignore) leaves them.
      - In check mode C(changed) means that there is drift, with V(report) too, so a scheduled check is an alarm.
    type: str
    choices: [correct, report, ignore]
    default: correct
  ignore_fields:
    description:
      - Fields that others may set, kept with the intent. Once somebody else has set such a field it is neither drift
        nor set back. Replicas are left to an autoscaler that targets the workload without being listed here.
    type: list
    elements: dict
    suboptions:
      paths:
        description: Such as C(spec.template.spec.containers[name=web].image) or C(metadata.annotations[example.com/x]).
        type: list
        elements: str
        required: true
      kind:
        description: Of objects of this kind, a glob.
        type: str
        default: "*"
      name:
        description: Of objects with this name, a glob.
        type: str
        default: "*"
  conflicts:
    description: Whether a field that another manager owns is an error or taken over.
    type: str
    choices: [fail, force]
    default: fail
  adopt:
    description: Whether objects that exist and are not ours (of helm, kubectl, EMCO) are taken over.
    type: bool
    default: false
  on_immutable:
    description: Whether an object whose immutable field changes is an error, or deleted and created again.
    type: str
    choices: [fail, replace]
    default: fail
  deletion_guard:
    description:
      - An update that would delete more than this share of the objects on a cluster, and at least 5, stops before
        anything is done there. So does one that would delete a namespace, a CRD or a PersistentVolumeClaim.
    type: str
    default: 30%
  allow_deletions:
    description: Go on where the guard would stop.
    type: bool
    default: false
  nondeterministic:
    description:
      - What becomes of charts that render differently each time. V(pin) keeps the first rendering and warns, V(fail) is
        an error.
    type: str
    choices: [pin, fail]
    default: pin
  lock_wait:
    description: How long to wait for another run on the same deployment.
    type: str
    default: 0s
  state:
    description:
      - V(planned) stores the plan and touches no cluster.
      - V(approved) notes that a plan is wanted. That is O(revision), else what this task says, else the newest plan.
      - V(present) makes the clusters equal to the plan.
      - V(stopped) ends what goes on, also a run on another machine. What is done stays, and nothing more happens until
        V(present) or V(absent); O(catch_up) is refused.
      - V(absent) takes the deployment off its clusters, in reverse order. Clusters that do not answer are remembered,
        and cleared by the next V(absent) or O(catch_up).
      - A state that does not fit fails with C(WrongState), which names the ones that do.
    type: str
    choices: [planned, approved, present, stopped, absent]
    default: present
  migrate_from:
    description:
      - The name of another deployment of the project whose place this one takes, of another version, another composite
        app, or the same. When this one is on all its clusters, the other one is taken off its own.
      - Objects that both have under the same name (give both the same O(release)) are handed over where they are and
        not deleted. A rollout that goes back gives them back.
      - Once the other one is gone this does nothing, so it may stay in the task.
    type: str
  order:
    description:
      - With O(migrate_from), V(new_first) takes the other one away when this one is everywhere, V(replace) takes it off
        each cluster before this one comes there, where there is no room for both.
    type: str
    choices: [new_first, replace]
    default: new_first
  keep:
    description:
      - Kinds, such as V(Service), that O(state=absent) leaves to others instead of deleting them. They lose our labels
        and our hold on their fields.
      - PersistentVolumeClaims, CRDs with instances of others, namespaces with objects of others, and what is annotated
        C(helm.sh/resource-policy=keep) stay in any case.
    type: list
    elements: str
  revision_history_limit:
    description:
      - How many revisions before the one in effect are kept to go back to. Older ones are dropped when a revision has
        become current, and once a day what only they had in the store.
    type: int
    default: 10
  require_approval:
    description: Fail with C(WrongState) unless somebody approved exactly what would be brought.
    type: bool
    default: false
  revision:
    description:
      - The number of a stored plan, which is brought exactly as it is. One that was never applied fails with
        C(StalePlan) when what it was made from changed. One that was applied before is the way back to it, its objects
        are stored as a new revision.
      - V(previous) is the newest one that was on all its clusters before the last.
    type: raw
  comment:
    description: A word for the history.
    type: str
  explain:
    description: Apps for which every cluster is listed with its reason; for others reasons are counted.
    type: list
    elements: str
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows only fields that are ours, values of Secrets are masked.
  idempotent:
    support: full
seealso:
  - module: emco.edge.composite_app
  - module: emco.edge.deployment_info
  - module: emco.edge.placement_info
  - module: emco.edge.cluster_result
"""

EXAMPLES = r"""
- name: Ship vision to the northern sites
  hosts: edge
  gather_facts: false
  tasks:
    - name: Bring the revision to the clusters of this batch
      emco.edge.deployment:
        project: demo
        name: vision-north
        composite_app: vision
        version: v1
        profile: production
        placement:
          default: {label: tier=far-edge}
          broker: {any_of: [{cluster: lab+edge-1}, {cluster: lab+edge-2}]}
        overrides:
          api: {values: {replicas: 3}}
        only: "{{ ansible_play_batch }}"
      run_once: true
      register: shipped

    - name: Tell each host what happened on its cluster
      emco.edge.cluster_result:
        from: "{{ shipped }}"

- name: Plan now, look at it, apply exactly that later
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Plan
      emco.edge.deployment:
        project: demo
        name: vision-north
        composite_app: vision
        version: v2
        placement: {default: {label: tier=far-edge}}
        state: planned
      register: plan

    - name: Approve it, perhaps as somebody else in another job
      emco.edge.deployment:
        project: demo
        name: vision-north
        revision: "{{ plan.revision }}"
        state: approved
        comment: CHG-1234

    - name: Apply what was planned, if it was approved
      emco.edge.deployment:
        project: demo
        name: vision-north
        revision: "{{ plan.revision }}"
        require_approval: true

    - name: Go back to what was there before
      emco.edge.deployment:
        project: demo
        name: vision-north
        revision: previous

    - name: One site first, then the north, then the rest, and back if more than one fails
      emco.edge.deployment:
        project: demo
        name: vision-north
        composite_app: vision
        version: v3
        placement: {default: {label: tier=far-edge}}
        rollout:
          waves: [{clusters: [lab+edge-1]}, {selector: "region=north"}, {count: 25%, repeat: true}]
          max_concurrency: 25%
          max_failures: 1
          soak: 10m
          unreachable: defer
          on_failure: rollback

    - name: Bring edges that were away to the latest revision
      emco.edge.deployment:
        project: demo
        name: vision-north
        catch_up: true

    - name: Stop whatever goes on with it
      emco.edge.deployment:
        project: demo
        name: vision-north
        state: stopped
        comment: the line in the north is being repaired

    - name: Let another deployment take its place, and take the old one away at the end
      emco.edge.deployment:
        project: demo
        name: vision-2
        composite_app: vision
        version: v3
        placement: {default: {label: tier=far-edge}}
        migrate_from: vision-north

    - name: Take it away
      emco.edge.deployment:
        project: demo
        name: vision-2
        state: absent
"""

RETURN = r"""
revision:
  description: The number of the revision.
  returned: when there is one; check mode may have none
  type: int
  sample: 4
state:
  description: The state of the revision.
  returned: when there is a revision
  type: str
  sample: Current
summary:
  description: Clusters by state, and what was done on them.
  returned: when clusters were handled
  type: dict
  sample: {clusters: 3, ready: 3, pending: 0, failed: 0, deferred: 0, unreachable: 0, applied: 12, unchanged: 48,
    deleted: 0, requests: 66, writes: 13, seconds: 2.1}
decisions:
  description: By app, the clusters that were chosen and why, and the others by reason.
  returned: success
  type: dict
  sample:
    api:
      chosen: [{cluster: lab+edge-1, replicas: 3, score: 80, why: best of 2}]
      refused: {LabelMismatch: {count: 412, example: lab+edge-2, message: "has no label tier=far-edge"}}
      shortage: 0
clusters:
  description: By cluster, its state, and what was done there or why not.
  returned: when clusters were handled or planned
  type: dict
  sample:
    lab+edge-1: {state: Ready, changed: true, applied: 4, unchanged: 16, deleted: 0, seconds: 0.8}
    lab+edge-2: {state: Failed, reason: FieldConflict, message: "apply Deployment default/api on lab+edge-2: ..."}
timeline:
  description: What happened when, by wave. Times are seconds since the epoch.
  returned: when the rollout has several waves
  type: list
  elements: dict
migrated_from:
  description: The deployment whose place was taken, its state, and what was done on its clusters.
  returned: with O(migrate_from), while there is something of it
  type: dict
  sample: {name: vision-north, state: Removed, summary: {clusters: 3, removed: 3}}
outside_limit:
  description: Clusters of the revision that O(only) left out; they stay pending.
  returned: when there are some
  type: list
  elements: str
moves:
  description: By app, the clusters it would come to and leave.
  returned: with O(state=planned)
  type: dict
warnings:
  description: What you should know, such as fields that render differently each time.
  returned: when there are some
  type: list
  elements: str
reason:
  description:
    - A stable code for what went wrong, such as C(InvalidInput), C(NoFeasibleCluster), C(StalePlan), C(Busy),
      C(ClustersFailed), C(RolledBack), C(NotOurs), C(FieldConflict), C(DeletionGuard), C(ClusterUnreachable).
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

from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
