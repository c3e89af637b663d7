# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the same again, a bit more, or after an accident."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.conftest import TWO
from tests.lab.harness import Lab, LabError

pytestmark = pytest.mark.integration


def pids(lab: Lab, cluster: str = "") -> dict[str, int]:
    records = {path.stem: json.loads(path.read_text()) for path in (lab.folder / "run").glob(f"{cluster}*.json")}
    return {name: record["pid"] for name, record in records.items()}


def test_second_up_changes_nothing(lab: Lab) -> None:
    before = pids(lab)
    started = time.monotonic()
    assert lab.again()["changed"] is False
    assert time.monotonic() - started < 5
    assert pids(lab) == before


def test_one_more_cluster_touches_no_other(whole: Lab) -> None:
    before = pids(whole)
    three: list[dict[str, Any]] = [*TWO, {"name": "three", "nodes": [{"name": "three-a"}]}]
    with_three = Lab.up(whole.folder, three)
    assert set(with_three.status()["clusters"]) == {"one", "two", "three"}
    assert {name: pid for name, pid in pids(whole).items() if name in before} == before
    with_three.kubectl("three", "create", "configmap", "here")
    # And away with it: nothing of it is found when the name comes again.
    assert whole.again()["done"] == {"three": ["removed"]}
    assert pids(whole) == before
    again = Lab.up(whole.folder, three)
    assert "here" not in again.kubectl("three", "get", "configmaps", "-o", "name")


def test_changed_node_is_changed_in_place(whole: Lab) -> None:
    one, two = TWO
    bigger = {**two, "nodes": [{"name": "two-a", "allocatable": {"cpu": 64}, "labels": {"new": "yes"}}]}
    uid = whole.get("two", "node", "two-a")["metadata"]["uid"]
    changed = Lab.up(whole.folder, [one, bigger]).again()
    assert changed["changed"] is False
    node = whole.get("two", "node", "two-a")
    assert (node["metadata"]["uid"], node["status"]["allocatable"]["cpu"]) == (uid, "64")
    assert node["metadata"]["labels"]["new"] == "yes"
    whole.again()
    assert "new" not in whole.get("two", "node", "two-a")["metadata"]["labels"]


def test_killed_cluster_comes_back_with_its_objects(whole: Lab) -> None:
    whole.kubectl("one", "create", "configmap", "kept")
    authority = whole.kubeconfig("one").read_text()
    for pid in pids(whole, "one").values():
        os.kill(pid, signal.SIGKILL)
    assert whole.again()["changed"] is True
    assert whole.kubeconfig("one").read_text() == authority
    assert whole.kubectl("one", "get", "configmap", "kept", "-o", "name").strip() == "configmap/kept"


def test_everything_killed_comes_back_with_its_objects(whole: Lab) -> None:
    whole.kubectl("two", "create", "configmap", "kept-too")
    for pid in pids(whole).values():
        os.kill(pid, signal.SIGKILL)
    whole.again()
    assert "kept-too" in whole.kubectl("two", "get", "configmaps", "-o", "name")
    assert whole.again()["changed"] is False


def test_strange_process_with_a_recorded_pid_is_left_alone(whole: Lab) -> None:
    record = whole.folder / "run" / "two.kwok.json"
    whole.stop("two")
    record.write_text(json.dumps({"command": ["gone"], "environment": {}, "pid": os.getpid()}))
    assert whole.status()["clusters"]["two"]["processes"]["kwok"] == "dead"
    whole.stop("two")
    whole.start("two")


def test_check_says_what_would_be_done_and_does_nothing(whole: Lab, tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    described = {"base_port": 25000, "clusters": [{"name": "new", "nodes": []}]}
    data.write_text(json.dumps(described))
    away = Lab(tmp_path / "not-there")
    assert away.run("up", "--check", "--data", str(data))["done"] == {"new": ["would be created with 0 nodes"]}
    assert not away.folder.exists()
    whole.kill("one")
    state = json.loads((whole.folder / "lab.json").read_text())
    data.write_text(json.dumps({**described, "base_port": state["base_port"], "audit": True, "clusters": TWO}))
    assert whole.run("up", "--check", "--data", str(data))["done"] == {"one": ["would start one.apiserver"]}
    assert whole.status()["clusters"]["one"]["processes"]["apiserver"] == "dead"


def test_other_base_port_for_a_running_lab_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="take it down first"):
        Lab.up(lab.folder, TWO, base_port=20000)


def test_down_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    lab = Lab.up(tmp_path / "state", ["brief"], audit=False)
    lab.proxy("brief", latency="1ms")
    running = pids(lab)
    lab.freeze("brief")
    (lab.folder / "run" / "brief.scheduler.json").write_text(
        # As if `up` had been killed between the start of the process and its record.
        json.dumps({**json.loads((lab.folder / "run" / "brief.scheduler.json").read_text()), "pid": None})
    )
    assert len(lab.down()["stopped"]) == len(running) == 6
    assert not lab.folder.exists()
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(lab.folder) in _text(path)]
    assert lab.down()["changed"] is False


def test_down_leaves_what_others_put_into_the_folder(tmp_path: Path) -> None:
    lab = Lab.up(tmp_path / "state", ["brief"], audit=False)
    (lab.folder / "notes.txt").write_text("mine")
    lab.down()
    assert [path.name for path in lab.folder.iterdir()] == ["notes.txt"]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
