# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README, guides and modules show as examples is run on real clusters, so that it stays true."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration import network_crds
from tests.integration.documents import Command, File, examples, steps
from tests.integration.networking import prepared
from tests.integration.playbooks import LOCAL, Playbooks
from tests.lab.harness import Lab
from tests.tools.checkout import ROOT, TOOLS

pytestmark = pytest.mark.integration

DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("README.md")),
]
WITH_STEPS = [path for path in DOCUMENTS if list(steps(path))]
# The ansible package, which has kubernetes.core, is in an environment of its own.
WITH_KUBERNETES_CORE = {"examples/kubernetes-core/README.md"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The clusters that the role lab describes, which the examples are written for."""
    with Lab.up(tmp_path_factory.mktemp("documents") / "state", _described(), audit=False) as started:
        yield started


@pytest.fixture
def fresh(lab: Lab) -> Iterator[Lab]:
    """Clusters without anything of an earlier example."""
    yield lab
    kinds = "deployments,statefulsets,jobs,configmaps,secrets,services,serviceaccounts"
    for cluster in _described():
        ours = ["--all-namespaces", "-l", "app.kubernetes.io/managed-by=emco-edge"]
        lab.kubectl(cluster["name"], "delete", kinds, *ours, "--wait=false", timeout=300)


def _described() -> list[dict[str, Any]]:
    defaults = yaml.safe_load((ROOT / "roles" / "lab" / "defaults" / "main.yml").read_text())
    clusters: list[dict[str, Any]] = defaults["lab_described_clusters"]
    return clusters


def _inventory(lab: Lab) -> dict[str, Any]:
    hosts = {
        one["name"]: {
            "emco_kubeconfig": str(lab.kubeconfig(one["name"])),
            "emco_labels": one.get("labels", {}),
            "emco_kv": one.get("kv", {}),
        }
        for one in _described()
    }
    return {"edge": {"vars": {"emco_provider": "lab", **LOCAL}, "hosts": hosts}}


def _write(folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def _environment(folder: Path, venv: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(TOOLS / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(folder / "ansible"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


def _venv_of(document: Path) -> Path:
    if str(document.relative_to(ROOT)) not in WITH_KUBERNETES_CORE:
        return TOOLS / "venv"
    subprocess.run(["make", "--no-print-directory", "venv-ansible"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return TOOLS / "venv-ansible"


@pytest.mark.parametrize("document", WITH_STEPS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_of_a_document_do_what_it_says(document: Path, fresh: Lab, tmp_path: Path) -> None:
    _write(tmp_path, "inventories/lab/hosts.yml", yaml.safe_dump(_inventory(fresh)))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = _environment(tmp_path, _venv_of(document))
    for step in steps(document):
        if isinstance(step, File):
            _write(tmp_path, step.name, step.content)
        else:
            _run(step, tmp_path, environment)


def _run(command: Command, folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command.words,
        cwd=folder,
        env=environment,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert (done.returncode != 0) == command.fails, f"{' '.join(command.words)}\n{done.stdout}"


# What an example of a module needs that is not on this machine.
ELSEWHERE = {
    "Register one cluster with a token",  # a cluster of the user's
    "Cordon a cluster for maintenance; its labels and all else stay as they are",  # the same
    "Read its nodes with kubernetes.core",  # examples/kubernetes-core does that
    "Ship a chart from a registry",  # a registry
}
# With them goes what the other examples use, in this order.
LAST = ["Plan now, look at it, apply exactly that later", "Take out a cluster that burnt down"]
CHARTS = {"charts/broker": "broker"}
WORKLOAD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data: {a: b}
"""
FILES = {
    "charts/broker/Chart.yaml": "{apiVersion: v2, name: broker, version: 1.0.0}\n",
    "charts/broker/templates/map.yaml": WORKLOAD.replace("NAME", "broker"),
    "manifests/api/map.yaml": WORKLOAD.replace("NAME", "api"),
    "overlays/edge/kustomization.yaml": "resources: [map.yaml]\n",
    "overlays/edge/map.yaml": WORKLOAD.replace("NAME", "viewer"),
    "production.yaml": "{}\n",
    "documents/shop.yaml": "resourceContext: {anchor: projects}\nmetadata: {name: {{ .Project }}}\n",
    "values.yaml": "Project: documented\n",
}
# In the order in which a user would meet them, since later ones use what earlier ones made.
MODULES = (
    "cluster",
    "cluster_info",
    "cluster_facts",
    "network",
    "provider_network",
    "network_info",
    "composite_app",
    "composite_app_info",
    "logical_cloud",
    "logical_cloud_info",
    "project_info",
    "deployment",
    "deployment_info",
    "placement_info",
    "document",
    "document_info",
    "cluster_result",
    "store_backup",
    "store_keys",
    "store_restore",
)


def test_the_examples_of_all_modules_run(fresh: Lab, tmp_path: Path) -> None:
    playbooks = Playbooks(tmp_path)
    for cluster in _described():  # networks of plain Multus, which no engine has to make
        prepared(fresh, cluster["name"], [*network_crds.multus(), network_crds.whereabouts()])
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump(_inventory(fresh)), encoding="utf-8")
    for name, content in FILES.items():
        _write(tmp_path, name, content)
    told = [one for module in MODULES for one in examples(ROOT / "plugins" / "modules" / f"{module}.py")]
    named = {one["name"]: one for one in told}
    newer = [_version(named["Define what a camera site runs"], version) for version in ("v2", "v3")]
    now = [one for one in told if one["name"] not in ELSEWHERE | set(LAST)]
    later = [named[name] for name in LAST]
    for batch in (now, newer, later):
        run = playbooks.run(_in_order([_play(one) for one in batch]), inventory)
        assert run.code == 0, run.output


def test_every_module_has_examples_that_are_run() -> None:
    assert set(MODULES) == {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}


def _version(example: dict[str, Any], version: str) -> dict[str, Any]:
    """The same composite app in another version, which later examples deploy."""
    return {**example, "emco.edge.composite_app": {**example["emco.edge.composite_app"], "version": version}}


def _play(example: dict[str, Any]) -> dict[str, Any]:
    if "hosts" in example:
        return example
    # Registering says nothing where the host's variables do; it is for every cluster then.
    hosts = "edge" if example.get("emco.edge.cluster", example) is None else "edge[0]"
    return {"name": "An example", "hosts": hosts, "gather_facts": False, "tasks": [example]}


def _in_order(plays: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks that follow each other in one play, because one may use what another registered."""
    joined: list[dict[str, Any]] = []
    for play in plays:
        if joined and joined[-1]["name"] == play["name"] == "An example" and joined[-1]["hosts"] == play["hosts"]:
            joined[-1]["tasks"] += play["tasks"]
        else:
            joined.append(play)
    return joined
