# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook as a user would and reads what our verbs returned."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tools.checkout import ROOT


@dataclass(frozen=True)
class Returned:
    """What one task of ours gave back. action: emco.edge.<verb>; state: ok, failed or ignored."""

    action: str
    host: str
    state: str
    result: dict[str, Any]


@dataclass(frozen=True)
class PlaybookRun:
    """A finished ansible-playbook process. seconds: its wall clock; output: both streams, unless they were shown."""

    code: int
    seconds: float
    output: str
    returned: tuple[Returned, ...]

    def results_of(self, verb: str) -> list[dict[str, Any]]:
        """Results of emco.edge.<verb>, one a task; those of a loop one an item."""
        results = [one.result for one in self.returned if one.action == f"emco.edge.{verb}"]
        return [item for result in results for item in result.get("results", [result])]


def run_playbook(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    ansible_playbook: str | Path = "ansible-playbook",
    folder: Path = ROOT,
    show: bool = False,
) -> PlaybookRun:
    """Run ansible-playbook with the arguments; show: let it write to our streams instead of keeping its output."""
    with tempfile.TemporaryDirectory() as scratch:
        results = Path(scratch) / "results.jsonl"
        results.touch()
        variables = {
            **os.environ,
            **(environment or {}),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "scripts" / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "results_file",
            "EMCO_EDGE_RESULTS_FILE": str(results),
        }
        stream = None if show else subprocess.PIPE
        began = time.monotonic()
        process = subprocess.run(
            [str(ansible_playbook), *arguments],
            cwd=folder,
            env=variables,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=None if show else subprocess.STDOUT,
        )
        seconds = time.monotonic() - began
        return PlaybookRun(process.returncode, seconds, process.stdout or "", read_results(results))


def read_results(file: Path) -> tuple[Returned, ...]:
    """What the callback plugin results_file wrote."""
    return tuple(Returned(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines())


@dataclass(frozen=True)
class Shipped:
    """What deployments came to, over all of them."""

    clusters: int
    ready: int
    objects: int
    changes: int


def shipped(results: Sequence[Mapping[str, Any]]) -> Shipped:
    """Sum of the results of emco.edge.deployment; a cluster is ready when it is in every deployment that it has."""
    states: dict[str, set[str]] = {}
    for result in results:
        for cluster, outcome in result["clusters"].items():
            states.setdefault(cluster, set()).add(outcome["state"])
    summaries = [result["summary"] for result in results]
    written = sum(summary["applied"] + summary["deleted"] for summary in summaries)
    return Shipped(
        clusters=len(states),
        ready=sum(1 for found in states.values() if found == {"Ready"}),
        objects=sum(summary["applied"] + summary["unchanged"] for summary in summaries),
        # A run that says that it changed something has changed something, whatever it counted.
        changes=written or sum(1 for result in results if result["changed"]),
    )
