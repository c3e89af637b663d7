# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks as users run them, each test with a store, keys and a home of its own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.lab.harness import Lab
from tests.tools.checkout import TOOLS
from tests.tools.playbook import PlaybookRun, run_playbook

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@dataclass(frozen=True)
class Playbooks:
    """Runs playbooks from ``folder``, where the state and configuration of all its runs are too."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count, repr=False)

    def run(
        self,
        playbook: str | Sequence[Mapping[str, Any]],
        inventory: Path | Mapping[str, Any] | str,
        *arguments: str,
        extra: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = False,
        diff: bool = False,
    ) -> PlaybookRun:
        """Run a playbook to its end.

        ``playbook``: the name of one of ours (``emco.edge.register``), YAML text, or plays as data. ``inventory``: a
        path, or hosts as data. ``extra``: extra variables; ``arguments``: more of the command line.
        """
        flags = [*arguments, *(["--check"] if check else []), *(["--diff"] if diff else [])]
        if extra:
            flags += ["--extra-vars", json.dumps(extra)]
        return run_playbook(
            "--inventory",
            str(self._inventory(inventory)),
            *flags,
            self._playbook(playbook),
            environment={**self.own_environment(), **self.environment, **(env or {})},
            ansible_playbook=TOOLS / "venv" / "bin" / "ansible-playbook",
            folder=self.folder,
        )

    def tasks(
        self, tasks: str | Sequence[Mapping[str, Any]], inventory: Path | Mapping[str, Any], *arguments: str, **how: Any
    ) -> PlaybookRun:
        """Run tasks on all hosts of the inventory, without gathering facts."""
        listed = yaml.safe_load(tasks) if isinstance(tasks, str) else list(tasks)
        return self.run([{"hosts": "all", "gather_facts": False, "tasks": listed}], inventory, *arguments, **how)

    def own_environment(self) -> dict[str, str]:
        """What keeps the runs of a test apart from everything else."""
        return {
            "ANSIBLE_COLLECTIONS_PATH": str(TOOLS / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Whoever runs the tests may have chosen a store and keys of their own.
            "EMCO_EDGE_STORE": "",
            "EMCO_EDGE_KEYS": "",
            "EMCO_EDGE_KEY_FILE": "",
        }

    def _playbook(self, playbook: str | Sequence[Mapping[str, Any]]) -> str:
        if isinstance(playbook, str) and "\n" not in playbook:
            return playbook
        text = playbook if isinstance(playbook, str) else json.dumps(playbook)
        return str(self._written(f"playbook-{next(self._numbers)}.yml", text))

    def _inventory(self, inventory: Path | Mapping[str, Any] | str) -> Path | str:
        if isinstance(inventory, Mapping):
            return self._written(f"inventory-{next(self._numbers)}.yml", json.dumps(inventory))
        return inventory

    def _written(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def clusters(hosts: Mapping[str, Mapping[str, Any]], **variables: Any) -> dict[str, Any]:
    """An inventory of clusters in the group ``edge``, as data."""
    return {"edge": {"vars": {"emco_provider": "lab", **LOCAL, **variables}, "hosts": dict(hosts)}}


def lab_clusters(lab: Lab, *names: str, **variables: Any) -> dict[str, Any]:
    """An inventory of clusters of a lab, with absolute paths of their kubeconfigs."""
    return clusters({name: {"emco_kubeconfig": str(lab.kubeconfig(name))} for name in names}, **variables)
