# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three clusters with the kinds of three network engines, and what tests of networks ask of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.integration import network_crds
from tests.integration.playbooks import Playbooks, lab_clusters
from tests.lab.harness import Lab
from tests.tools.playbook import PlaybookRun

ENGINES = {"kube": "kube_ovn", "ovnk": "ovn_kubernetes", "nodus": "nodus"}
CLUSTERS: list[Mapping[str, Any]] = [
    {"name": name, "nodes": [{"name": f"{name}-a", "labels": {"uplink": "true"}}, {"name": f"{name}-b"}]}
    for name in ENGINES
]
_DEFINITIONS = {
    "kube": [network_crds.kube_ovn, network_crds.multus],
    "ovnk": [network_crds.ovn_kubernetes, network_crds.multus, network_crds.policies],
    "nodus": [network_crds.nodus, network_crds.multus],
}
PLURALS = {
    "kube": ["vpcs.kubeovn.io", "subnets.kubeovn.io", "vlans.kubeovn.io", "provider-networks.kubeovn.io"],
    "ovnk": ["clusteruserdefinednetworks.k8s.ovn.org", "multi-networkpolicies.k8s.cni.cncf.io"],
    "nodus": ["networks.k8s.plugin.opnfv.org", "providernetworks.k8s.plugin.opnfv.org"],
}
_NADS = "network-attachment-definitions.k8s.cni.cncf.io"


def with_engines(lab: Lab) -> Lab:
    """The lab with the kinds of an engine on each of its clusters."""
    for cluster, sources in _DEFINITIONS.items():
        prepared(lab, cluster, [one for source in sources for one in source()])
    return lab


def prepared(lab: Lab, cluster: str, definitions: Sequence[Mapping[str, Any]]) -> None:
    """Give a cluster kinds and wait until it serves them."""
    lab.apply(cluster, *definitions)
    lab.established(cluster, *(one["metadata"]["name"] for one in definitions))


@dataclass(frozen=True)
class Sites:
    """The three clusters, registered in a store of a test."""

    lab: Lab
    playbooks: Playbooks

    def inventory(self, **variables: Any) -> dict[str, Any]:
        return lab_clusters(self.lab, *ENGINES, **variables)

    def register(self) -> Sites:
        run = self.playbooks.run("emco.edge.register", self.inventory())
        assert run.code == 0, run.output
        return self

    def tasks(self, *tasks: Mapping[str, Any], **how: Any) -> PlaybookRun:
        """Run tasks once for the fleet."""
        return self.playbooks.tasks([{**one, "run_once": True} for one in tasks], self.inventory(), **how)

    def objects(self, cluster: str) -> dict[str, dict[str, Any]]:
        """Every object of ours for networks on a cluster, by ``Kind namespace/name``."""
        kinds = ",".join([*PLURALS[cluster], _NADS])
        listed = self.lab.get(cluster, kinds, "-A", "-l", "app.kubernetes.io/managed-by=emco-edge")
        return {
            f"{one['kind']} {one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one
            for one in listed["items"]
        }

    def say(self, cluster: str, kind: str, name: str, status: Mapping[str, Any], *where: str) -> None:
        """Give an object the status that its engine, which does not run here, would give it."""
        patch = json.dumps({"status": status})
        self.lab.kubectl(cluster, "patch", kind, name, *where, "--subresource=status", "--type=merge", "--patch", patch)

    def marked(self) -> None:
        for cluster in ENGINES:
            self.lab.mark(cluster)

    def writes(self) -> list[str]:
        """What we wrote anywhere since the mark."""
        return [
            f"{cluster}: {one.verb} {one.resource} {one.name}"
            for cluster in ENGINES
            for one in self.lab.requests(cluster)
            if one.user_agent.startswith("emco-edge") and one.writes and not one.dry_run
        ]
