# SPDX-License-Identifier: GPL-3.0-or-later
"""The role as users run it: from an installed archive, in a folder of theirs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.harness import Lab, free_ports

pytestmark = pytest.mark.integration

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


class Playbook:
    """`ansible-playbook emco.edge.lab` from the archive, in a folder without anything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.state = folder / "state"
        self.work.mkdir()
        self.collections = folder / "collections"
        self.base_port = free_ports(3)
        self._command("ansible-galaxy", "collection", "build", str(CHECKOUT), "--output-path", str(folder))
        (archive,) = folder.glob("emco-edge-*.tar.gz")
        self._command("ansible-galaxy", "collection", "install", str(archive), "-p", str(self.collections), "--no-deps")

    def run(self, *options: str, **variables: Any) -> dict[str, int]:
        """Run it; returns the numbers of the recap."""
        given = {"lab_dir": str(self.state), "lab_base_port": self.base_port, "lab_size": 2, **variables}
        output = self._command("ansible-playbook", "emco.edge.lab", "-e", json.dumps(given), *options)
        self.output = output
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", output.rpartition("RECAP")[2])}

    def _command(self, program: str, *arguments: str) -> str:
        environment = {
            **os.environ,
            "PWD": str(self.work),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_NOCOLOR": "1",
        }
        command = [str(BIN / program), *arguments]
        answer = subprocess.run(
            command, cwd=self.work, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    @property
    def inventory(self) -> Path:
        return self.work / "inventories" / "lab"


@pytest.fixture(scope="module")
def playbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playbook]:
    made = Playbook(tmp_path_factory.mktemp("role"))
    yield made
    Lab(made.state).down()


def test_check_mode_does_nothing_and_says_what_it_would_do(playbook: Playbook) -> None:
    recap = playbook.run("--check", "--diff")
    assert recap["changed"] == 2
    assert "edge-1: would be created with 3 nodes" in playbook.output
    assert "+    edge-2:" in playbook.output
    assert not playbook.state.exists()
    assert list(playbook.work.iterdir()) == []


def test_clusters_run_and_the_inventory_leads_to_them(playbook: Playbook) -> None:
    assert playbook.run()["changed"] == 2
    edge = yaml.safe_load((playbook.inventory / "hosts.yml").read_text())["edge"]
    assert edge["vars"] == {
        "emco_provider": "lab",
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    assert set(edge["hosts"]) == {"edge-1", "edge-2"}
    first = edge["hosts"]["edge-1"]
    assert first["emco_labels"] == {"region": "north", "tier": "far-edge"}
    kubeconfig = playbook.inventory / first["emco_kubeconfig"]
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    lab = Lab.attach(playbook.state)
    nodes = lab.get("edge-1", f"--kubeconfig={kubeconfig}", "nodes")["items"]
    accelerators = [node["status"]["allocatable"].get("example.com/accelerator") for node in nodes]
    assert accelerators == ["2", None, None]


def test_second_run_changes_nothing(playbook: Playbook) -> None:
    assert playbook.run()["changed"] == 0
    assert playbook.run("--check", "--diff")["changed"] == 0


def test_size_beyond_the_described_clusters_follows_the_pattern(playbook: Playbook) -> None:
    described = "[{name: only, nodes: [{name: only-a}], labels: {tier: far-edge}}]"
    recap = playbook.run("--check", lab_size=3, lab_described_clusters=yaml.safe_load(described))
    assert recap["changed"] == 2
    assert "edge-3: would be created with 1 nodes" in playbook.output


def test_fewer_clusters_take_their_kubeconfigs_with_them(playbook: Playbook) -> None:
    (playbook.inventory / "kubeconfigs" / "mine.yaml").write_text("of the user")
    playbook.run(lab_size="1")
    assert {path.name for path in (playbook.inventory / "kubeconfigs").iterdir()} == {"edge-1.yaml", "mine.yaml"}
    assert set(Lab.attach(playbook.state).status()["clusters"]) == {"edge-1"}


def test_absent_leaves_only_what_is_not_its_own(playbook: Playbook) -> None:
    (playbook.inventory / "kubeconfigs" / "mine.yaml").write_text("of the user")
    assert playbook.run("--check", lab_state="absent")["changed"] == 2
    assert playbook.state.exists()
    assert playbook.run(lab_state="absent")["changed"] == 2
    assert not playbook.state.exists()
    assert [path.name for path in playbook.inventory.rglob("*.yaml")] == ["mine.yaml"]
    assert playbook.run(lab_state="absent")["changed"] == 0
