# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ansible-galaxy collection build` makes is all that a user needs, on every ansible-core that we name.

The archive is installed into a clean environment; from there, and from nothing of the checkout, three clusters are
started, registered, shipped to and left empty again.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.harness import Lab, free_ports
from tests.tools.archive import build
from tests.tools.checkout import ROOT
from tests.tools.clean_venv import clean_venv
from tests.tools.playbook import PlaybookRun, run_playbook, shipped

pytestmark = pytest.mark.integration

CORES = [("3.11", "2.16.19"), ("3.11", "2.19.14"), ("3.12", "2.21.5")]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("archive"))


@dataclass(frozen=True)
class Installed:
    """The collection in a clean environment, used from a folder of its own."""

    venv: Path
    folder: Path
    base_port: int

    @property
    def collection(self) -> Path:
        return self.folder / "collections" / "ansible_collections" / "emco" / "edge"

    @property
    def inventory(self) -> Path:
        return self.collection / "inventories" / "lab"

    @property
    def lab_folder(self) -> Path:
        return self.folder / "lab"

    def environment(self) -> dict[str, str]:
        """Nothing of the checkout can be found from here."""
        return {
            "PATH": os.pathsep.join([str(self.venv / "bin"), *_path_without(ROOT)]),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONPATH": "",
        }

    def play(self, *arguments: str) -> PlaybookRun:
        run = run_playbook(
            *arguments,
            environment=self.environment(),
            ansible_playbook=self.venv / "bin" / "ansible-playbook",
            folder=self.folder,
        )
        assert run.code == 0, run.output
        return run

    def lab(self, state: str) -> PlaybookRun:
        variables = {
            "lab_state": state,
            "lab_dir": str(self.lab_folder),
            "lab_inventory_dir": str(self.inventory),
            "lab_base_port": self.base_port,
        }
        return self.play("emco.edge.lab", "-e", json.dumps(variables))

    def on_fleet(self, playbook: str) -> PlaybookRun:
        return self.play("-i", str(self.inventory / "hosts.yml"), playbook)


def _path_without(folder: Path) -> list[str]:
    return [entry for entry in os.environ["PATH"].split(os.pathsep) if not Path(entry).is_relative_to(folder)]


@pytest.fixture(params=CORES, ids=[f"core{core}-py{python}" for python, core in CORES])
def installed(request: pytest.FixtureRequest, archive: Path, tmp_path: Path) -> Iterator[Installed]:
    python, core = request.param
    found = Installed(clean_venv(python, core), tmp_path, free_ports(3))
    install = ["collection", "install", "--offline", str(archive), "-p", str(tmp_path / "collections")]
    subprocess.run(
        [str(found.venv / "bin" / "ansible-galaxy"), *install], check=True, env={**os.environ, **found.environment()}
    )
    found.lab("present")
    yield found
    Lab(found.lab_folder).down()


def test_archive_is_small_and_holds_only_what_users_need(archive: Path) -> None:
    assert archive.stat().st_size < 2_000_000
    with tarfile.open(archive) as opened:
        names = opened.getnames()
    tops = {name.split("/")[0] for name in names}
    assert {"plugins", "roles", "playbooks", "meta", "examples", "inventories", "README.md", "LICENSE"} <= tops
    assert not tops & {"tests", "scripts", ".tools", ".ci", "build", "Makefile", "pyproject.toml"}
    assert "inventories/lab/hosts.yml" not in names
    assert not [name for name in names if "kubeconfigs" in name or name.endswith((".pyc", "__pycache__"))]


def test_example_is_registered_shipped_and_removed_from_the_archive(installed: Installed) -> None:
    version = installed.play("--version").output
    assert str(installed.venv) in version

    registered = installed.on_fleet("emco.edge.register").results_of("cluster")
    assert len(registered) == 3

    first = shipped(installed.on_fleet("emco.edge.deploy").results_of("deployment"))
    assert first.clusters == first.ready == 3
    assert min(first.objects, first.changes) > 30

    again = shipped(installed.on_fleet("emco.edge.deploy").results_of("deployment"))
    # A hook that ran is no object the second time.
    assert (again.ready, again.changes) == (3, 0) and again.objects > 30

    installed.on_fleet("emco.edge.status")
    installed.on_fleet("emco.edge.terminate")
    lab = Lab.attach(installed.lab_folder)
    left = lab.kubectl("edge-1", "get", "deployments,statefulsets,configmaps", "-n", "default", "-o", "name")
    assert left.split() == ["configmap/kube-root-ca.crt"]
