# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of a test's own: real clusters that can be frozen, killed, slowed down, and whose requests are counted.

with Lab.up(tmp_path, ["one", "two"], audit=True) as lab:
    lab.mark("one")
    ...
    writes = [request for request in lab.requests("one") if request.writes]
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROGRAM = Path(__file__).resolve().parents[2] / "roles" / "lab" / "files" / "emco_lab"
WRITING = {"create", "update", "patch", "delete", "deletecollection"}
MARK = "emco-lab-mark"
_BLOCK = 200
_KEPT = ExitStack()


class LabError(Exception):
    """The lab's program or kubectl failed; the message is what it said."""


@dataclass(frozen=True)
class Request:
    """One request as the API server's audit log has it."""

    verb: str
    uri: str
    resource: str  # group/resource/subresource, as far as there is one
    namespace: str
    name: str
    code: int
    user: str
    user_agent: str

    @property
    def dry_run(self) -> bool:
        """Whether nothing was to be stored."""
        return "dryRun" in parse_qs(urlsplit(self.uri).query)

    @property
    def writes(self) -> bool:
        """Whether the request may have stored something."""
        return self.verb in WRITING and not self.dry_run


@dataclass
class Lab:
    """A running lab in a folder."""

    folder: Path
    _described: dict[str, Any] = field(default_factory=dict)
    _marks: dict[str, int] = field(default_factory=dict)
    _status: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def up(
        cls,
        folder: Path,
        clusters: Sequence[str | Mapping[str, Any]],
        *,
        audit: bool = True,
        base_port: int | None = None,
    ) -> Lab:
        """Start clusters, given as descriptions or as names (which get one node each); again: change them."""
        described = [_described(cluster) for cluster in clusters]
        known = cls._base_port(folder)
        given = base_port or known
        with nullcontext(given) if given else claimed_ports(len(described)) as port:
            lab = cls(folder, {"base_port": port, "audit": audit, "clusters": described})
            try:
                lab.again()
            except Exception:
                if known is None:  # nobody else would take away what a failed start left
                    lab.down()
                raise
        return lab

    @classmethod
    def attach(cls, folder: Path) -> Lab:
        """The lab that somebody else started in the folder."""
        lab = cls(folder)
        lab._status = lab.run("status")
        return lab

    def again(self) -> dict[str, Any]:
        """Run `up` with the same description; returns its result."""
        self._status = self.run("up", "--data", "-", stdin=json.dumps(self._described))
        return self._status

    def down(self) -> dict[str, Any]:
        """Remove every process and file."""
        return self.run("down")

    def status(self) -> dict[str, Any]:
        """What the lab's program says about the clusters and their processes."""
        return self.run("status")

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # Ways in

    def kubeconfig(self, cluster: str) -> Path:
        """The administrator's kubeconfig of a cluster."""
        return Path(self._status["clusters"][cluster]["kubeconfig"])

    def tool(self, name: str) -> Path:
        """One of the lab's binaries, such as kubectl or helm, by full path."""
        return Path(self._status["tools"][name])

    def kubectl(self, cluster: str, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run the lab's kubectl against a cluster; returns its output."""
        command = [str(self.tool("kubectl")), f"--kubeconfig={self.kubeconfig(cluster)}", *arguments]
        return _run(command, stdin, timeout)

    def get(self, cluster: str, *arguments: str) -> Any:
        """`kubectl get ... -o json`, decoded."""
        return json.loads(self.kubectl(cluster, "get", *arguments, "-o", "json"))

    def apply(self, cluster: str, *objects: Mapping[str, Any]) -> str:
        """Apply objects server-side, as somebody who is not the product."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self.kubectl(cluster, "apply", "--server-side", "-f", "-", stdin=text)

    def established(self, cluster: str, *names: str, seconds: float = 30.0) -> None:
        """Wait until CRDs of these names, or all, are served; `kubectl wait` fails where no conditions are yet."""
        deadline = time.monotonic() + seconds
        while waiting := [
            one["metadata"]["name"]
            for one in self.get(cluster, "crd")["items"]
            if (not names or one["metadata"]["name"] in names) and not _is_established(one)
        ]:
            if time.monotonic() > deadline:
                raise LabError(f"not established on {cluster}: {', '.join(waiting)}")
            time.sleep(0.1)

    # Counting requests (needs audit=True)

    def mark(self, cluster: str) -> None:
        """From here on count requests."""
        log = self._audit_log(cluster)
        self._settle(cluster, log)
        self._marks[cluster] = log.stat().st_size

    def requests(self, cluster: str, *, settle: bool = True) -> list[Request]:
        """What was asked of the API server since the mark, without what the lab's own components ask.

        settle: wait until all that was answered is in the log; not possible while the server is frozen.
        """
        log = self._audit_log(cluster)
        if settle:
            self._settle(cluster, log)
        requests = [_request(json.loads(line)) for line in _lines(log, self._marks.get(cluster, 0))]
        return [request for request in requests if MARK not in request.uri]

    def _audit_log(self, cluster: str) -> Path:
        log = self._status["clusters"][cluster]["audit_log"]
        if not log:
            raise LabError(f"the lab at {self.folder} was started without audit=True")
        return Path(log)

    def _settle(self, cluster: str, log: Path) -> None:
        # A request of our own is the last one in the log once all before it are there.
        before = log.stat().st_size if log.exists() else 0
        mark = f"{MARK}={uuid.uuid4().hex}"
        self.kubectl(cluster, "get", "--raw", f"/version?{mark}")
        deadline = time.monotonic() + 10
        while not any(mark in line for line in _lines(log, before)):
            if time.monotonic() > deadline:
                raise LabError(f"the audit log {log} stands still")
            time.sleep(0.01)
        time.sleep(0.02)

    # Faults

    def freeze(self, cluster: str) -> None:
        """The API server accepts connections and hangs."""
        self.run("freeze", cluster)

    def thaw(self, cluster: str) -> None:
        """It goes on."""
        self.run("thaw", cluster)

    def kill(self, cluster: str) -> None:
        """The API server is gone: connections are refused."""
        self.run("kill", cluster)

    def stop(self, cluster: str) -> None:
        """All of the cluster's processes end; its data stays."""
        self.run("stop", cluster)

    def start(self, cluster: str) -> None:
        """What of the cluster does not run is started; returns when the API server answers."""
        self.run("start", cluster)

    def proxy(
        self,
        cluster: str,
        *,
        latency: str = "0ms",
        drop: str = "0%",
        reset_after: int | None = None,
        stall_tls: bool = False,
        seed: int = 0,
    ) -> Path:
        """Put a bad line before the API server; returns the kubeconfig that goes through it.

        latency: added in each direction, such as 50ms.
        drop: share of the pieces of data at which the connection is reset, such as 5%.
        reset_after: bytes to the client after which a connection is reset.
        stall_tls: connections are accepted and nothing is ever answered.
        """
        options = [f"--latency={latency}", f"--drop={drop}", f"--seed={seed}"]
        options += [] if reset_after is None else [f"--reset-after={reset_after}"]
        options += ["--stall-tls"] if stall_tls else []
        return Path(self.run("proxy", cluster, *options)["kubeconfig"])

    def no_proxy(self, cluster: str) -> None:
        """Take the proxy away."""
        self.run("proxy", cluster, "--off")

    def run(self, command: str, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
        """Run a command of the lab's program; returns its decoded result."""
        line = [sys.executable, str(PROGRAM), command, f"--dir={self.folder}", *arguments]
        result = json.loads(_run(line, stdin, timeout=1800))
        assert isinstance(result, dict)
        return result

    @staticmethod
    def _base_port(folder: Path) -> int | None:
        state = folder / "lab.json"
        return int(json.loads(state.read_text())["base_port"]) if state.exists() else None


def _is_established(definition: Mapping[str, Any]) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _described(cluster: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(cluster, str):
        return {"name": cluster, "nodes": [{"name": f"{cluster}-a"}]}
    return dict(cluster)


def _request(entry: Mapping[str, Any]) -> Request:
    target = entry.get("objectRef", {})
    resource = (target.get("apiGroup"), target.get("resource"), target.get("subresource"))
    return Request(
        verb=entry["verb"],
        uri=entry["requestURI"],
        resource="/".join(part for part in resource if part),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=entry.get("responseStatus", {}).get("code", 0),
        user=entry["user"].get("username", ""),
        user_agent=entry.get("userAgent", ""),
    )


def _lines(log: Path, start: int) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(start)
        text = file.read()
    return text[: text.rfind(b"\n") + 1].decode().splitlines()


def _run(command: Sequence[str], stdin: str | None, timeout: float) -> str:
    answer = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    if answer.returncode:
        raise LabError(f"{' '.join(command)}:\n{answer.stderr.strip()}")
    return answer.stdout


@contextmanager
def claimed_ports(clusters: int) -> Iterator[int]:
    """A base port whose block is free, and that no other test takes before a lab listens there."""
    wanted = 10 * (clusters + 2)
    candidates = list(range(26000, 31000, _BLOCK))
    random.shuffle(candidates)
    for base in candidates:
        with ExitStack() as claims:
            blocks = range(base, base + wanted, _BLOCK)
            ports = (base, base + 1, *range(base + 10, base + wanted))
            if all(_claim(claims, block) for block in blocks) and all(_free(port) for port in ports):
                yield base
                return
    raise LabError("no free ports from 26000 to 31000")


def free_ports(clusters: int) -> int:
    """The same for as long as this process lives."""
    return _KEPT.enter_context(claimed_ports(clusters))


def _claim(claims: ExitStack, block: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"emco-edge-lab-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = claims.enter_context((folder / str(block)).open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
