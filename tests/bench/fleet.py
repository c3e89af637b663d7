# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clusters: 20 objects on each of a thousand fake API servers, and on twenty real ones.

The fake fleet answers over TLS, each server with an address and an authority of its own, 50 ms a request. One cluster
in ten has values of its own. Seconds are of the whole ansible-playbook process. After each run the digests of the
bodies that every server holds are compared.

BENCH_FLEET=100 makes everything smaller for a try; BENCH_PARTS=fake,waves,real chooses.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Node
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_store
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Credentials, Registered, keep, keep_facts
from tests.bench.apply import application
from tests.bench.fakes import Counts, FakeFleet
from tests.bench.processes import Taken, playbook_taken, processor_seconds, quiet
from tests.lab.harness import Lab
from tests.tools.checkout import TOOLS

SIZE = int(os.environ.get("BENCH_FLEET", "1000"))
PARTS = os.environ.get("BENCH_PARTS", "fake,waves,real").split(",")
LATENCY_MS = 50
PARALLEL = int(os.environ.get("BENCH_PARALLEL", "100"))
NAMESPACE = "default"
# As the kernel names them, which keeps fifteen characters.
_SERVERS = ("kube-apiserver", "etcd", "kube-controller", "kube-scheduler", "kwok")
_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
_NAMES = {"project": "bench", "name": "fleet"}


class Control:
    """A control node: a folder with a store of its own, an application, and playbooks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(TOOLS / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self.write_application("edge")

    def write_application(self, text: str) -> None:
        """20 objects; ``text`` stands in one ConfigMap, and some clusters have another word in another one."""
        objects = application(NAMESPACE)
        configs = [one for one in objects if one["kind"] == "ConfigMap"]
        configs[0]["data"]["mode"] = text
        configs[1]["data"]["site"] = "{{ cluster.kv.site.word }}"
        (self.folder / "app.yaml").write_text(yaml.safe_dump_all(objects, sort_keys=False), encoding="utf-8")

    def register(self, kubeconfigs: Mapping[str, Path], *apis: str) -> None:
        """Write clusters into the registry, as registering them would. ``apis``: kinds that they serve besides."""
        facts = Facts(
            observed=time.time(),
            version="v1.36.4",
            nodes=(Node("a", {"cpu": 16000, "memory": 64 << 30, "pods": 110}),),
            apis=("v1", "apps/v1", *apis),
        )
        store = open_store(None, {**os.environ, **self.environment})
        try:
            for number, (name, path) in enumerate(kubeconfigs.items()):
                words = {"site": {"word": f"own-{number}" if number % 10 == 7 else "shared"}}
                cluster = Cluster(ClusterRef("bench", name), labels={"tier": "edge", "nr": str(number)}, kv=words)
                keep(store, Registered(cluster, Credentials("reference", {"kubeconfig": str(path)}), host=name))
            keep_facts(store, {ClusterRef("bench", name): facts for name in kubeconfigs})
        finally:
            store.close()

    def deploy(self, **options: Any) -> Taken:
        """Define the application and bring it to the clusters."""
        return self.play(*self.deploying(**options))

    def deploying(self, **options: Any) -> tuple[dict[str, Any], ...]:
        """The tasks of a deployment."""
        app = {**_NAMES, "version": "v1", "apps": [{"name": "web", "manifests": ["app.yaml"]}]}
        deployment = {
            **_NAMES,
            "composite_app": "fleet",
            "version": "v1",
            "placement": {"default": {"selector": "tier=edge"}},
            "parallel": PARALLEL,
            **options,
        }
        return (
            {"name": "define", "emco.edge.composite_app": app},
            {"name": "apply", "emco.edge.deployment": deployment},
        )

    def status(self) -> Taken:
        """Ask how the deployment is, everywhere."""
        info = {**_NAMES, "output": "summary", "why_not_ready": False}
        return self.play({"name": "status", "emco.edge.deployment_info": info})

    def play(self, *tasks: dict[str, Any]) -> Taken:
        """Run tasks once."""
        self.write_play(*tasks)
        return playbook_taken(
            TOOLS / "venv" / "bin" / "ansible-playbook",
            "--inventory",
            "localhost,",
            "play.yml",
            environment=self.environment,
            folder=self.folder,
        )

    def write_play(self, *tasks: dict[str, Any]) -> None:
        """Write ``play.yml`` with these tasks."""
        play = {"hosts": "localhost", "gather_facts": False, "vars": _LOCAL, "tasks": list(tasks)}
        (self.folder / "play.yml").write_text(json.dumps([play]), encoding="utf-8")


class Figures:
    """Rows of the table, and figures."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, float, str]] = []
        self.memory = 0.0
        print(f"\n{'':<44}{'process s':>10}{'task s':>9}{'CPU s':>8}{'requests':>10}{'writes':>8}{'peak MB':>9}")

    def row(self, name: str, taken: Taken, counts: Counts | None = None) -> Taken:
        """One run in the table."""
        task = taken.tasks.get("apply", taken.tasks.get("status", 0.0))
        asked = f"{counts.requests:>10}{counts.writes:>8}" if counts else f"{'':>18}"
        print(f"{name:<44}{taken.seconds:>10.2f}{task:>9.2f}{taken.cpu:>8.1f}{asked}{taken.memory:>9.0f}", flush=True)
        self.memory = max(self.memory, taken.memory)
        return taken

    def figure(self, name: str, value: float, unit: str) -> None:
        """One figure of the contract."""
        self.lines.append((name, value, unit))

    def show(self, group: str = "fleet") -> None:
        """All figures, at the end."""
        print()
        for name, value, unit in self.lines:
            print(f"bench: {group}.{name} {value:.2f} {unit}")


def _counted(fleet: FakeFleet, run: Any) -> tuple[Taken, Counts]:
    fleet.reset()
    taken: Taken = run()
    return taken, fleet.counts()


def check_bodies(fleet: FakeFleet, silent: frozenset[int] = frozenset()) -> None:
    """Every server holds all objects; they are the same everywhere but for the one that has values of its own."""
    bodies = fleet.bodies()
    kept = {
        index: {path: digest for path, digest in held.items() if "/namespaces/default/" in path}
        for index, held in enumerate(bodies)
        if index not in silent
    }
    shared = kept[next(index for index in kept if index % 10 != 7)]
    assert len(shared) == len(application(NAMESPACE)), f"{len(shared)} objects on a server"
    words: Counter[str] = Counter()
    for index, held in kept.items():
        differing = {path for path in shared if held.get(path) != shared[path]}
        expected = {"/api/v1/namespaces/default/configmaps/settings-1"} if index % 10 == 7 else set()
        assert differing == expected, f"server {index} differs in {differing}"
        words.update(held[path] for path in differing)
    assert all(count == 1 for count in words.values()), "two clusters have the same values of their own"


@contextmanager
def _fleet(folder: Path, count: int) -> Iterator[tuple[FakeFleet, Control]]:
    kubeconfigs = folder / "kubeconfigs"
    kubeconfigs.mkdir(parents=True)
    with FakeFleet(count, latency_ms=LATENCY_MS, folder=kubeconfigs) as fleet:
        control = Control(folder / "control")
        control.register({f"edge-{index:05d}": fleet.kubeconfig(index) for index in range(count)})
        yield fleet, control


def fake_part(figures: Figures, folder: Path) -> None:
    """Everything that needs more clusters than a machine holds."""
    with _fleet(folder / "main", SIZE) as (fleet, control):
        taken, counts = _counted(fleet, control.deploy)
        first = figures.row(f"{SIZE} clusters, first run", taken, counts)
        check_bodies(fleet)
        taken, counts = _counted(fleet, control.deploy)
        unchanged = figures.row(f"{SIZE} clusters, unchanged", taken, counts)
        unchanged_writes = counts.writes
        control.write_application("changed")
        taken, counts = _counted(fleet, control.deploy)
        change = figures.row(f"{SIZE} clusters, one ConfigMap changed", taken, counts)
        check_bodies(fleet)
        change_writes = counts.writes
    figures.figure("first_1000x20", first.seconds, "s")
    figures.figure("unchanged_1000x20", unchanged.seconds, "s")
    figures.figure("unchanged_writes", unchanged_writes, "writes")
    figures.figure("change_one_1000", change.seconds, "s")
    figures.figure("change_one_writes", change_writes / SIZE, "writes/cluster")
    unreachable(figures, folder)
    growth(figures, folder, first)
    status_of_many(figures, folder)


def unreachable(figures: Figures, folder: Path) -> None:
    """Three in ten do not answer; half of them refuse, half of them hang."""
    silent = [index for index in range(SIZE) if index % 10 in (2, 5, 8)]
    answering = SIZE - len(silent)
    with _fleet(folder / "without", answering) as (fleet, control):
        taken, counts = _counted(fleet, control.deploy)
        without = figures.row(f"{answering} clusters, first run", taken, counts)
    with _fleet(folder / "silent", SIZE) as (fleet, control):
        fleet.behave(refuse=silent[::2], hang=silent[1::2])
        rollout = {"unreachable": "defer"}
        taken, counts = _counted(fleet, lambda: control.deploy(rollout=rollout))
        others = figures.row(f"{SIZE} clusters, 30 % unreachable", taken, counts)
        check_bodies(fleet, frozenset(silent))
        fleet.behave(refuse=[], hang=[])
        taken, counts = _counted(fleet, lambda: control.deploy(rollout=rollout, catch_up=True))
        figures.row(f"{len(silent)} of them come back: catch_up", taken, counts)
        assert counts.touched == len(silent), f"catching up touched {counts.touched} servers, not {len(silent)}"
        check_bodies(fleet)
    figures.figure("unreachable30_ratio", others.seconds / without.seconds, "x")


def growth(figures: Figures, folder: Path, largest: Taken) -> None:
    """How seconds, requests and memory grow."""
    for count in (SIZE // 100, SIZE // 10):
        if count:
            with _fleet(folder / f"growth-{count}", count) as (fleet, control):
                taken, counts = _counted(fleet, control.deploy)
                figures.row(f"{count} clusters, first run", taken, counts)


def status_of_many(figures: Figures, folder: Path) -> None:
    """Five times as many clusters, status only. One is deployed to, the others get a copy of what it holds."""
    count = 5 * SIZE
    with _fleet(folder / "status", count) as (fleet, control):
        fleet.behave(latency_ms=0)
        control.deploy(only=["bench+edge-00000"])
        fleet.copy_first()
        fleet.behave(latency_ms=LATENCY_MS)
        taken, counts = _counted(fleet, control.status)
        status = figures.row(f"{count} clusters, status", taken, counts)
        assert counts.touched == count, f"{counts.touched} of {count} servers were asked"
    figures.figure("status_5000", status.seconds, "s")


def waves_part(figures: Figures, folder: Path) -> None:
    """Eight real clusters in waves of 1, 3 and 4."""
    names = [f"w{number}" for number in range(8)]
    with Lab.up(folder / "lab8", names, audit=False) as lab:
        control = Control(folder / "waves")
        control.register({name: lab.kubeconfig(name) for name in names})
        rollout = {"waves": [{"clusters": ["bench+w0"]}, {"count": 3}, {"count": 4}]}
        figures.row("8 real clusters, waves of 1, 3 and 4", control.deploy(rollout=rollout))
        _in_order(control, [1, 3, 4])


def _in_order(control: Control, sizes: list[int]) -> None:
    store = open_store(None, {**os.environ, **control.environment})
    try:
        entries = [entry.value for entry in store.list(("rollouts",))]
    finally:
        store.close()
    rows = entries[-1]["progress"]["clusters"].values() if entries else []
    times = sorted((row[2], row[1]) for row in rows)
    assert len(times) == sum(sizes), "the rollout was not kept"
    at = 0
    for size, following in itertools.pairwise(sizes):
        done = max(end for _unused, end in times[at : at + size])
        begun = min(start for start, _unused in times[at + size : at + size + following])
        assert done <= begun, "a wave began before the one before it was done"
        at += size
    print("    waves began at " + ", ".join(f"{times[at][0] - times[0][0]:.2f} s" for at in (0, 1, 4)))


def real_part(figures: Figures, folder: Path) -> None:
    """Twenty real clusters."""
    names = [f"r{number}" for number in range(20)]
    with Lab.up(folder / "lab20", names, audit=False) as lab:
        control = Control(folder / "real")
        control.register({name: lab.kubeconfig(name) for name in names})
        # API servers that have just been started are busy with themselves, and slow with every kind they never saw.
        quiet()
        figures.row("20 real clusters, just started, objects exist", control.deploy(wait=False))
        control.play({"name": "remove", "emco.edge.deployment": {**_NAMES, "state": "absent"}})
        quiet()
        before = processor_seconds()
        exist = figures.row("20 real clusters, all objects exist", control.deploy(wait=False))
        after = processor_seconds()
        quiet()
        status = figures.row("20 real clusters, status", control.status())
        figures.figure("lab20_exist", exist.tasks["apply"], "s")
        figures.figure("lab20_status", status.tasks["status"], "s")
        told = ", ".join(f"{name} {after[name] - before[name]:.1f} s" for name in _SERVERS)
        print(f"    processor time until they exist: {told}, ansible-playbook {exist.cpu:.1f} s")


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    figures = Figures()
    parts = {"fake": fake_part, "waves": waves_part, "real": real_part}
    with tempfile.TemporaryDirectory(prefix="emco-bench-") as folder:
        for part in PARTS:
            parts[part](figures, Path(folder))
    figures.figure("peak_memory", figures.memory, "MB")
    figures.show()


if __name__ == "__main__":
    main()
