# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same 20 objects on the same three clusters, by this collection and by what one would use instead.

Nobody waits for readiness, everybody applies server-side, everything is in place but the objects themselves: namespace,
registered clusters, playbooks. The contenders take turns, each begins when the clusters are at rest, and each figure is
the median of five runs. Requests are what the API servers counted.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.bench.processes import Taken, playbook_taken, quiet, taken
from tests.lab.harness import Lab
from tests.tools.checkout import TOOLS

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
CLUSTERS = ("one", "two", "three")
OURS, LOOP, MULTIDOC, KUBECTL = "emco.edge", "k8s in a loop", "k8s, one multi-document task", "kubectl"
NAMESPACES = {OURS: "bench-edge", LOOP: "bench-loop", MULTIDOC: "bench-multidoc", KUBECTL: "bench-kubectl"}
_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def application(namespace: str) -> list[dict[str, Any]]:
    """20 objects as an application has them."""
    found = [_object("v1", "ServiceAccount", namespace, f"account-{number}") for number in range(2)]
    found += [
        _object("v1", "ConfigMap", namespace, f"settings-{number}", data={"mode": "edge", "text": "x" * 512})
        for number in range(8)
    ]
    found += [
        _object("v1", "Secret", namespace, f"secret-{number}", data={"password": "aHVudGVyMg=="}) for number in range(2)
    ]
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
    found += [
        _object(
            "v1", "Service", namespace, f"web-{number}", spec={"selector": {"app": f"web-{number}"}, "ports": ports}
        )
        for number in range(4)
    ]
    return found + [_workload(namespace, f"web-{number}") for number in range(4)]


def _object(api_version: str, kind: str, namespace: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **more}


def _workload(namespace: str, name: str) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "registry.example/web:1",
        "env": [{"name": "MODE", "value": "edge"}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    pods = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": pods}
    return _object("apps/v1", "Deployment", namespace, name, spec=spec)


@dataclass
class Stage:
    """Three clusters and a folder with what every contender needs."""

    lab: Lab
    folder: Path

    def prepare(self) -> None:
        """Everything that is not measured."""
        hosts = {name: {"emco_kubeconfig": str(self.lab.kubeconfig(name))} for name in CLUSTERS}
        self._write("hosts.yml", {"edge": {"vars": {"emco_provider": "lab", **_LOCAL}, "hosts": hosts}})
        for contender, namespace in NAMESPACES.items():
            objects = application(namespace)
            text = yaml.safe_dump_all(objects, sort_keys=False)
            (self.folder / f"{namespace}.yaml").write_text(text, encoding="utf-8")
            for name in CLUSTERS:
                self.lab.apply(name, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            self._write(f"{namespace}-play.yml", PLAYS[contender](namespace))
        self._write("register.yml", [{"hosts": "edge", "gather_facts": False, "tasks": [{"emco.edge.cluster": {}}]}])
        self._write("absent.yml", _play({"emco.edge.deployment": {**_NAMES, "state": "absent"}, "run_once": True}))
        self.playbook(TOOLS / "venv", "register.yml")

    def playbook(self, environment: Path, name: str, *, memory: bool = False) -> Taken:
        """Run a playbook with the Ansible of a virtual environment."""
        return playbook_taken(
            environment / "bin" / "ansible-playbook",
            "--inventory",
            "hosts.yml",
            name,
            environment={
                "ANSIBLE_HOME": str(self.folder / "ansible"),
                "ANSIBLE_COLLECTIONS_PATH": str(TOOLS / "collections"),
                "ANSIBLE_NOCOLOR": "1",
                "XDG_STATE_HOME": str(self.folder / "state"),
                "XDG_CONFIG_HOME": str(self.folder / "config"),
            },
            folder=self.folder,
            memory=memory,
        )

    def clear(self) -> None:
        """Take all objects away again, and what this collection remembers of them."""
        self.playbook(TOOLS / "venv", "absent.yml")
        for namespace in NAMESPACES.values():
            for name in CLUSTERS:
                file = str(self.folder / f"{namespace}.yaml")
                self.lab.kubectl(name, "delete", "--ignore-not-found", "--wait=true", "-f", file)

    def _write(self, name: str, document: Any) -> None:
        (self.folder / name).write_text(json.dumps(document, indent=1), encoding="utf-8")


_NAMES = {"project": "bench", "name": "apply"}


def _play(*tasks: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"hosts": "edge", "gather_facts": False, "tasks": list(tasks)}]


def _our_play(namespace: str) -> list[dict[str, Any]]:
    app = {
        "project": "bench",
        "name": "apply",
        "version": "v1",
        "apps": [{"name": "web", "manifests": [f"{namespace}.yaml"]}],
    }
    deployment = {**_NAMES, "composite_app": "apply", "version": "v1", "wait": False}
    placement = {"default": {"selector": "cluster.provider=lab"}}
    return _play(
        {"name": "define", "emco.edge.composite_app": app, "run_once": True},
        {"name": "apply", "emco.edge.deployment": {**deployment, "placement": placement}, "run_once": True},
    )


def _k8s(**more: Any) -> dict[str, Any]:
    how = {"apply": True, "server_side_apply": {"field_manager": "bench"}}
    return {"kubeconfig": "{{ emco_kubeconfig }}", "state": "present", **how, **more}


def _loop_play(namespace: str) -> list[dict[str, Any]]:
    objects = f"{{{{ lookup('file', '{namespace}.yaml') | from_yaml_all | list }}}}"
    return _play({"name": "apply", "kubernetes.core.k8s": _k8s(definition="{{ item }}"), "loop": objects})


def _multidoc_play(namespace: str) -> list[dict[str, Any]]:
    return _play({"name": "apply", "kubernetes.core.k8s": _k8s(src=f"{namespace}.yaml")})


PLAYS: Mapping[str, Callable[[str], list[dict[str, Any]]]] = {
    OURS: _our_play,
    LOOP: _loop_play,
    MULTIDOC: _multidoc_play,
    KUBECTL: lambda namespace: [],
}


@dataclass(frozen=True)
class Run:
    """One run of one contender on all clusters; seconds of the whole process and of the task alone."""

    seconds: float
    task: float
    cpu: float
    memory: float
    requests: int
    writes: int


@dataclass
class Figures:
    """All runs, by contender and by what was there before."""

    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)

    def add(self, contender: str, case: str, run: Run) -> None:
        """One more."""
        self.runs.setdefault((contender, case), []).append(run)

    def with_memory(self, other: Figures) -> Figures:
        """These runs with the memory of others."""
        return Figures(
            {
                which: [replace(run, memory=other.highest(which[0], "memory", which[1])) for run in runs]
                for which, runs in self.runs.items()
            }
        )

    def median(self, contender: str, case: str, what: str) -> float:
        """The median of one figure."""
        return statistics.median(getattr(run, what) for run in self.runs[contender, case])

    def highest(self, contender: str, what: str, *cases: str) -> float:
        """The most that any run took."""
        return max(float(getattr(run, what)) for case in cases for run in self.runs[contender, case])


def _measured(stage: Stage, contender: str, *, memory: bool) -> Run:
    for name in CLUSTERS:
        stage.lab.mark(name)
    namespace = NAMESPACES[contender]
    if contender == KUBECTL:
        done = _kubectl(stage, namespace, memory=memory)
    else:
        environment = TOOLS / ("venv" if contender == OURS else "venv-ansible")
        done = stage.playbook(environment, f"{namespace}-play.yml", memory=memory)
    asked = [request for name in CLUSTERS for request in stage.lab.requests(name)]
    task = done.tasks.get("apply", done.seconds)
    return Run(done.seconds, task, done.cpu, done.memory, len(asked), sum(request.writes for request in asked))


def _kubectl(stage: Stage, namespace: str, *, memory: bool) -> Taken:
    """One cluster after the other, as a shell loop does it."""
    kubectl, file = str(stage.lab.tool("kubectl")), f"{namespace}.yaml"
    runs = [
        taken(
            [kubectl, f"--kubeconfig={stage.lab.kubeconfig(name)}", *["apply", "--server-side", "-f"], file],
            folder=stage.folder,
            memory=memory,
        )
        for name in CLUSTERS
    ]
    return Taken(0, sum(run.seconds for run in runs), sum(run.cpu for run in runs), max(run.memory for run in runs), "")


def measure(folder: Path, contenders: tuple[str, ...] = (OURS, LOOP, MULTIDOC, KUBECTL)) -> Figures:
    """All rounds, on clusters of their own. Before them comes one in which memory is looked at, and no time taken."""
    figures, memories = Figures(), Figures()
    with Lab.up(folder / "lab", [{"name": name, "nodes": [{"name": f"{name}-a"}]} for name in CLUSTERS]) as lab:
        stage = Stage(lab, folder)
        stage.prepare()
        for number in range(ROUNDS + 1):
            kept, memory = (figures, False) if number else (memories, True)
            # Each is first in some round: who comes after the clearing finds the servers at work for longest.
            first = number % len(contenders)
            for contender in (*contenders[first:], *contenders[:first]):
                # What the one before left to the clusters' controllers is not this one's to pay.
                quiet()
                for case in ("first", "unchanged"):
                    kept.add(contender, case, _measured(stage, contender, memory=memory))
            stage.clear()
            print(f"round {number} of {ROUNDS} done", file=sys.stderr, flush=True)
    return figures.with_memory(memories)


def main() -> None:
    """Measure and print."""
    # The clusters are taken down whatever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="emco-bench-") as folder:
        show(measure(Path(folder)))


def show(figures: Figures) -> None:
    """The table and the figures."""
    print("\n20 objects on 3 clusters, median of", ROUNDS, "runs; the exact commands:")
    print("  emco.edge:   ansible-playbook -i hosts.yml play.yml   (composite_app and deployment, wait: false)")
    print("  in a loop:   ansible-playbook -i hosts.yml play.yml   (kubernetes.core.k8s, apply and server_side_apply,")
    print("               definition: item, loop over the objects)")
    print("  multi-doc:   ansible-playbook -i hosts.yml play.yml   (the same with src: objects.yaml)")
    print(
        "  kubectl:     kubectl --kubeconfig CLUSTER apply --server-side -f objects.yaml, one cluster after the other"
    )
    columns = ("process s", "task s", "its CPU s", "requests", "writes", "peak MB")
    print(f"\n{'':<32}{'':<10}" + "".join(f"{column:>11}" for column in columns))
    for contender, case in figures.runs:
        row = [
            figures.median(contender, case, what) for what in ("seconds", "task", "cpu", "requests", "writes", "memory")
        ]
        formats = ("11.2f", "11.2f", "11.2f", "11.0f", "11.0f", "11.0f")
        cells = "".join(f"{value:{form}}" for value, form in zip(row, formats, strict=True))
        print(f"{contender:<32}{case:<10}{cells}")
    print()
    for name, value, unit in _lines(figures):
        print(f"bench: apply.{name} {value:.2f} {unit}")


def _lines(figures: Figures) -> list[tuple[str, float, str]]:
    def times(rival: str, case: str, what: str) -> float:
        return figures.median(rival, case, what) / figures.median(OURS, case, what)

    return [
        ("first_run_vs_loop", times(LOOP, "first", "seconds"), "x"),
        ("unchanged_vs_loop", times(LOOP, "unchanged", "seconds"), "x"),
        ("first_run_vs_multidoc", times(MULTIDOC, "first", "seconds"), "x"),
        ("unchanged_vs_multidoc", times(MULTIDOC, "unchanged", "seconds"), "x"),
        ("task_vs_multidoc", times(MULTIDOC, "first", "task"), "x"),
        ("task_vs_kubectl", times(KUBECTL, "first", "task"), "x"),
        ("peak_memory", figures.highest(OURS, "memory", "first", "unchanged"), "MB"),
        ("requests_first_run", figures.median(OURS, "first", "requests"), "requests"),
        ("writes_unchanged", figures.highest(OURS, "writes", "unchanged"), "writes"),
    ]


if __name__ == "__main__":
    main()
