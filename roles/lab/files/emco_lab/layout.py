# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab keeps what: files below its folder, ports above its base port, and the little state it has."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emco_lab.report import LabError

PORTS_PER_CLUSTER = 10


@dataclass(frozen=True)
class ClusterLayout:
    """Files and ports of one cluster."""

    name: str
    folder: Path
    port: int

    @property
    def proxy_port(self) -> int:
        """Where the slow or lossy way to the API server begins."""
        return self.port + 1

    @property
    def kubelet_port(self) -> int:
        """Where kwok answers in the place of kubelets."""
        return self.port + 2

    @property
    def pki(self) -> Path:
        """The folder of keys and certificates."""
        return self.folder / "pki"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in."""
        return self.folder / "kubeconfig.yaml"

    @property
    def proxy_kubeconfig(self) -> Path:
        """The same through the proxy."""
        return self.folder / "kubeconfig-proxy.yaml"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, one JSON object a line."""
        return self.folder / "audit.log"


@dataclass
class Layout:
    """A lab's folder; slots decide a cluster's ports and never move while it lives."""

    folder: Path
    base_port: int
    audit: bool = False
    slots: dict[str, int] = field(default_factory=dict)

    @property
    def etcd_port(self) -> int:
        """Client port of the shared etcd; its peer port is the next one."""
        return self.base_port

    @property
    def run(self) -> Path:
        """One record for each process."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.folder / "logs"

    @property
    def etcd(self) -> Path:
        """The data of all clusters."""
        return self.folder / "etcd"

    def cluster(self, name: str) -> ClusterLayout:
        """The cluster's part; raises LabError when there is no such cluster."""
        if name not in self.slots:
            there = ", ".join(self.slots) or "none"
            raise LabError(f"no cluster {name} in the lab at {self.folder}; there are: {there}")
        port = self.base_port + PORTS_PER_CLUSTER * (self.slots[name] + 1)
        return ClusterLayout(name, self.folder / "clusters" / name, port)

    def allot(self, name: str) -> None:
        """Give a new cluster the lowest free slot."""
        taken = set(self.slots.values())
        self.slots.setdefault(name, next(n for n in range(len(taken) + 1) if n not in taken))

    def save(self) -> None:
        """Write the state."""
        state = {"base_port": self.base_port, "audit": self.audit, "slots": self.slots}
        write_private(self.folder / "lab.json", json.dumps(state, indent=2) + "\n")


def load(folder: Path) -> Layout | None:
    """The lab in the folder, if there is one."""
    try:
        state: Mapping[str, object] = json.loads((folder / "lab.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    slots, base_port = state["slots"], state["base_port"]
    assert isinstance(slots, dict) and isinstance(base_port, int)
    return Layout(folder, base_port, bool(state["audit"]), slots)


def existing(folder: Path) -> Layout:
    """The lab in the folder; raises LabError when there is none."""
    layout = load(folder)
    if layout is None:
        raise LabError(f"there is no lab at {folder}; start one with `up`")
    return layout


def write_private(path: Path, text: str | bytes) -> bool:
    """Replace the file at once, readable by its owner only; false when it already says this."""
    content = text.encode() if isinstance(text, str) else text
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)
    return True


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lab against a second run that would change it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
