# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical clouds for tests: verbs called as both doors call them, and what can be asked of real clusters."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._verbs import (
    cluster,
    cluster_facts,
    composite_app,
    deployment,
    deployment_info,
    logical_cloud,
    logical_cloud_info,
    project_info,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec, Verb, perform
from tests.lab.harness import Lab

CLUSTERS = ("edge-1", "edge-2", "edge-3", "edge-4")
EVERYTHING = {"api_groups": ["*"], "resources": ["*"], "verbs": ["*"]}
# What a cluster itself goes on making and forgetting.
_RESTLESS = {"events", "events.events.k8s.io", "leases.coordination.k8s.io", "endpointslices.discovery.k8s.io"}

Permission = dict[str, Any]


@dataclass
class Clouds:
    """Registered clusters of a lab and a store of the test's own."""

    lab: Lab
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environ = {
            "PATH": f"{self.lab.tool('helm').parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
        }

    # verbs

    def call(
        self,
        spec: Spec[Any],
        verb: Verb[Any],
        arguments: Mapping[str, Any],
        *,
        check: bool = False,
        now: float | None = None,
    ) -> Result:
        """Run a verb as a door does; ``now``: what its clock says."""
        said: list[str] = []
        context = Context(
            Host("localhost"), "tests", str(self.folder), self.environ, check=check, diff=True, say=said.append
        )
        if now is not None:
            context.clock = lambda: now
        result = perform(spec, verb, dict(arguments), context)
        self.canaries(json.dumps(result, default=str) + "\n".join(said))
        return result

    def canaries(self, text: str) -> None:
        """No private key and no token may be in what people get to see."""
        assert "PRIVATE KEY" not in text
        assert "eyJhbGciOi" not in text

    def register(self, *names: str, **more: Any) -> Clouds:
        """Register clusters of the lab."""
        for name in names or CLUSTERS:
            options = {"provider": "lab", "name": name, "kubeconfig": str(self.lab.kubeconfig(name)), **more}
            done = self.call(cluster.SPEC, cluster.run, options)
            assert not done.get("failed"), done
        return self

    def unregister(self, name: str) -> Result:
        """Take a cluster out of the registry."""
        return self.call(cluster.SPEC, cluster.run, {"provider": "lab", "name": name, "state": "absent"})

    def call_facts(self, *names: str) -> Result:
        """Read what clusters have and serve."""
        result: Result = {}
        for name in names:
            result = self.call(
                cluster_facts.SPEC, cluster_facts.run, {"provider": "lab", "name": name, "max_age": "0s"}
            )
        return result

    def cloud(self, name: str, *, check: bool = False, now: float | None = None, **options: Any) -> Result:
        """Make a logical cloud."""
        given = {"project": "tests", "name": name, **options}
        return self.call(logical_cloud.SPEC, logical_cloud.run, given, check=check, now=now)

    def info(self, name: str | None = None, **options: Any) -> Result:
        """Ask about logical clouds."""
        return self.call(logical_cloud_info.SPEC, logical_cloud_info.run, {"project": "tests", "name": name, **options})

    def project(self) -> dict[str, Any]:
        """What the project of the tests holds."""
        told = ok(self.call(project_info.SPEC, project_info.run, {"name": "tests"}))
        found: dict[str, Any] = told["projects"][0]
        return found

    def app(self, name: str, *documents: Mapping[str, Any], **options: Any) -> Result:
        """Define a composite app of manifests."""
        (self.folder / f"{name}.yaml").write_text("".join(f"---\n{json.dumps(one)}\n" for one in documents))
        given = {"project": "tests", "name": name, "version": "v1", **options}
        given.setdefault("apps", [{"name": "web", "manifests": [f"{name}.yaml"]}])
        return self.call(composite_app.SPEC, composite_app.run, given)

    def deploy(self, name: str, *, check: bool = False, **options: Any) -> Result:
        """Bring a composite app of the same name to clusters."""
        given = {"project": "tests", "name": name, "composite_app": name, "version": "v1", "wait_timeout": "30s"}
        return self.call(deployment.SPEC, deployment.run, {**given, **options}, check=check)

    def undeploy(self, name: str, **options: Any) -> Result:
        """Take a deployment away."""
        given = {"project": "tests", "name": name, "state": "absent", **options}
        return self.call(deployment.SPEC, deployment.run, given)

    def status(self, name: str, **options: Any) -> Result:
        """How a deployment is."""
        return self.call(deployment_info.SPEC, deployment_info.run, {"project": "tests", "name": name, **options})

    # clusters

    def everything(self, name: str) -> dict[str, tuple[str, str]]:
        """All objects of all kinds on a cluster, with uid and resourceVersion, without what never rests."""
        listed = self.lab.kubectl(name, "api-resources", "--verbs=list", "-o", "name").split()
        kinds = ",".join(sorted({one for one in listed if one not in _RESTLESS}))
        found = self.lab.kubectl(
            name,
            *("get", kinds, "--all-namespaces", "--ignore-not-found", "-o"),
            'jsonpath={range .items[*]}{.apiVersion}{" "}{.kind}{" "}{.metadata.namespace}{"/"}{.metadata.name}{" "}'
            '{.metadata.uid}{" "}{.metadata.resourceVersion}{"\\n"}{end}',
            timeout=120,
        )
        rows = [line.split(" ") for line in found.splitlines() if line.strip()]
        return {" ".join(row[:3]): (row[3], row[4]) for row in rows}

    def as_tenant(
        self, kubeconfig: Path, *arguments: str, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the tenant."""
        return subprocess.run(
            [str(self.lab.tool("kubectl")), f"--kubeconfig={kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def can(self, kubeconfig: Path, rows: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], bool]:
        """What ``kubectl auth can-i`` says of verb, resource, namespace; an empty one is the whole cluster."""
        found = {}
        for verb, resource, space in rows:
            where = ["-n", space] if space else ["--all-namespaces"]
            answer = self.as_tenant(kubeconfig, "auth", "can-i", verb, resource, *where)
            found[verb, resource, space] = answer.stdout.strip().startswith("yes")
        return found


def ok(result: Result) -> Result:
    """The result of a run that did not fail."""
    assert not result.get("failed"), result.get("msg")
    return result


def config(name: str, space: str | None = None, **data: str) -> dict[str, Any]:
    """A ConfigMap, in the namespace of its deployment unless said otherwise."""
    metadata = {"name": name, **({"namespace": space} if space else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"a": "1"}}
