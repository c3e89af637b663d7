# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small application for tests of deployments, and what tests ask of a fleet of real clusters."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.playbooks import Playbooks, lab_clusters
from tests.lab.harness import Lab
from tests.tools.checkout import TOOLS
from tests.tools.playbook import PlaybookRun

CLUSTERS = ("edge-1", "edge-2", "edge-3")
LABELS = {
    "edge-1": {"region": "north", "tier": "far-edge"},
    "edge-2": {"region": "north", "tier": "near-edge"},
    "edge-3": {"region": "south", "tier": "far-edge"},
}
ACCELERATOR = "example.com/accelerator"
DESCRIBED = [
    {"name": name, "nodes": [{"name": f"{name}-a", "allocatable": {"cpu": 16, "memory": "32Gi", "pods": 110, **more}}]}
    for name, more in (("edge-1", {ACCELERATOR: 2}), ("edge-2", {}), ("edge-3", {}))
]
NAMESPACED = ["configmaps", "secrets", "services", "serviceaccounts", "deployments.apps", "jobs.batch"]

_WEB = {
    "Chart.yaml": "{apiVersion: v2, name: web, version: 1.0.0}\n",
    "values.yaml": "replicas: 1\ncolour: blue\nhook: true\nport: 80\ntype: ClusterIP\n",
    "templates/config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-web}
data: {colour: {{ .Values.colour | quote }}}
""",
    "templates/secret.yaml": """\
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-web}
stringData: {token: {{ .Values.token | default "none" | quote }}}
""",
    "templates/service.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-web}
spec: {type: {{ .Values.type }}, selector: {app: web}, ports: [{port: {{ .Values.port }}}]}
""",
    "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: docker.io/library/web:1}]}
""",
    "templates/hook.yaml": """\
{{- if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-web-hook
  annotations: {helm.sh/hook: "post-install,post-upgrade"}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: hook, image: docker.io/library/web:1}]}}}
{{- end }}
""",
}
_NOTES = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  cluster: "{{ cluster.name }}"
  region: "{{ cluster.labels.region }}"
"""

Objects = dict[str, tuple[str, str]]
"""``cluster kind/namespace/name`` to uid and resourceVersion."""


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """The files in the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Fleet:
    """Three registered clusters of a lab, with an application of two apps to be shipped."""

    lab: Lab
    playbooks: Playbooks
    project: str

    @property
    def folder(self) -> Path:
        return self.playbooks.folder

    def inventory(self, **more: Any) -> dict[str, Any]:
        """The clusters as hosts, with their labels."""
        inventory = lab_clusters(self.lab, *CLUSTERS, **more)
        for name, host in inventory["edge"]["hosts"].items():
            host["emco_labels"] = LABELS[name]
        return inventory

    def written(self) -> Fleet:
        """Write the charts."""
        written(self.folder / "charts" / "web", _WEB)
        written(self.folder / "manifests", {"notes.yaml": _NOTES})
        return self

    def prepare(self) -> Fleet:
        """Write the charts and register the clusters."""
        self.written()
        run = self.playbooks.run("emco.edge.register", self.inventory())
        assert run.code == 0, pretty(run)
        return self

    def composite_app(self, version: str = "v1", **values: Any) -> dict[str, Any]:
        """The options of the application; ``values`` go into its profile."""
        return {
            "project": self.project,
            "name": "shop",
            "version": version,
            "apps": [
                {"name": "web", "chart": "charts/web"},
                {"name": "notes", "manifests": ["manifests/"], "depends_on": [{"app": "web"}]},
            ],
            "profiles": [{"name": "test", "apps": {"web": {"values": values}}}],
        }

    def deployment(self, **options: Any) -> dict[str, Any]:
        """The options of the deployment: web on both northern clusters, notes everywhere it may be."""
        return {
            "project": self.project,
            "name": "shop",
            "composite_app": "shop",
            "version": "v1",
            "profile": "test",
            "placement": {"default": {"label": "region=north"}},
            "wait_timeout": "60s",
            **options,
        }

    def deploy(self, *arguments: str, app: Mapping[str, Any] | None = None, **options: Any) -> PlaybookRun:
        """Define the application and deploy it, once for the fleet."""
        how = {name: options.pop(name) for name in ("check", "diff", "env") if name in options}
        tasks: list[dict[str, Any]] = [
            {"emco.edge.composite_app": dict(app or self.composite_app()), "run_once": True},
            {"emco.edge.deployment": self.deployment(**options), "run_once": True},
        ]
        return self.playbooks.tasks(tasks, self.inventory(), *arguments, **how)

    def only(self, **options: Any) -> PlaybookRun:
        """The deployment verb alone with just these options."""
        task = {"project": self.project, "name": "shop", **options}
        return self.playbooks.tasks([{"emco.edge.deployment": task, "run_once": True}], self.inventory())

    def begun(self, **options: Any) -> subprocess.Popen[str]:
        """A deployment of its own process group that has written its objects and waits for what will never be ready."""
        waiting = {"overrides": {"web": {"values": {"type": "LoadBalancer", "hook": False}}}, **options}
        tasks = [
            {"emco.edge.composite_app": self.composite_app(), "run_once": True},
            {"emco.edge.deployment": self.deployment(**waiting), "run_once": True},
        ]
        plays = [{"hosts": "edge", "gather_facts": False, "tasks": tasks}]
        (self.folder / "begun.yml").write_text(json.dumps(plays))
        (self.folder / "begun-hosts.json").write_text(json.dumps(self.inventory()))
        running = subprocess.Popen(
            [str(TOOLS / "venv" / "bin" / "ansible-playbook"), "-i", "begun-hosts.json", "begun.yml"],
            cwd=self.folder,
            env={**os.environ, **self.playbooks.own_environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while not any("Service/" in name for name in self.objects("edge-1")) and time.monotonic() < deadline:
            time.sleep(0.2)
        return running

    def objects(self, *clusters: str, label: str = "shop") -> Objects:
        """All objects of a deployment, with uid and resourceVersion."""
        found: Objects = {}
        selector = f"emco.edge/deployment={self.project}.{label}"
        for cluster in clusters or CLUSTERS:
            listed = self.lab.get(cluster, ",".join(NAMESPACED), "--all-namespaces", "-l", selector)
            for one in listed["items"]:
                metadata = one["metadata"]
                name = f"{cluster} {one['kind']}/{metadata['namespace']}/{metadata['name']}"
                found[name] = (metadata["uid"], metadata["resourceVersion"])
        return found

    def data(self, cluster: str, name: str) -> dict[str, str]:
        """The data of a ConfigMap in namespace default."""
        found: dict[str, str] = self.lab.get(cluster, "configmap", name, "-n", "default")["data"]
        return found

    def patch(self, cluster: str, kind: str, name: str, change: Mapping[str, Any]) -> None:
        """Change an object of namespace default by hand."""
        self.lab.kubectl(cluster, "-n", "default", "patch", kind, name, "--type=merge", "-p", json.dumps(change))

    def sign(self, cluster: str, record: str, signature: str) -> None:
        """Put a signature (base64) under a record."""
        change = json.dumps({"data": {"signature": signature}})
        self.lab.kubectl(cluster, "-n", "emco-edge-system", "patch", "secret", record, "--type=merge", "-p", change)

    def marked(self) -> None:
        """Count requests from here on."""
        for cluster in CLUSTERS:
            self.lab.mark(cluster)

    def writes(self, cluster: str) -> list[str]:
        """What we wrote on a cluster since the mark."""
        ours = [one for one in self.lab.requests(cluster) if one.user_agent.startswith("emco-edge")]
        return [f"{one.verb} {one.resource} {one.name}" for one in ours if one.writes]

    def reads_and_writes(self, cluster: str) -> int:
        """How many requests we sent to a cluster since the mark, besides polling."""
        ours = [one for one in self.lab.requests(cluster) if one.user_agent.startswith("emco-edge")]
        # What is asked again in the same words is polling.
        return sum(one.writes for one in ours) + len({one.uri for one in ours if not one.writes})


def result(run: PlaybookRun) -> dict[str, Any]:
    """What the last deployment task of a run returned."""
    return run.results_of("deployment")[-1]


def states(run: PlaybookRun) -> dict[str, str]:
    """The state of every cluster in a run's result, by the cluster's name."""
    return {ref.partition("+")[2]: told["state"] for ref, told in result(run)["clusters"].items()}


def pretty(run: PlaybookRun) -> str:
    """A run's result for the message of an assertion."""
    return run.output + json.dumps([one.result for one in run.returned][-1:], indent=1)
