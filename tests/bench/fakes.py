# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake fleet: one light process that answers as many API servers, each with an address and an authority of its own.

Its source is beside this file, in Go, because one core has to play a thousand servers while another is measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.kinds import KNOWN, Resource, built_in
from tests.tools.checkout import TOOLS

SOURCE = Path(__file__).resolve().parent / "fake_fleet"


def program() -> Path:
    """The built program; it is built again when its source has changed."""
    sources = [*sorted(SOURCE.glob("*.go")), SOURCE / "go.mod"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
    built = TOOLS / "bin" / f"fake-fleet-{digest}"
    if not built.exists():
        go = shutil.which("go") or "/usr/local/go/bin/go"
        built.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [go, "build", "-trimpath", "-o", str(built), "."],
            cwd=SOURCE,
            check=True,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
        )
    return built


@dataclass(frozen=True)
class Counts:
    """What all servers were asked since the last reset; ``touched``: how many servers were asked anything."""

    requests: int
    writes: int
    touched: int


class FakeFleet:
    """``count`` API servers, which know ``custom`` kinds besides Kubernetes' own; a context manager that ends them."""

    def __init__(
        self,
        count: int,
        *,
        latency_ms: int = 0,
        ready_ms: int = 0,
        error_rate: float = 0.0,
        folder: Path | None = None,
        custom: Iterable[Resource] = (),
    ) -> None:
        self.count = count
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="fake-fleet-")
        self.folder = folder or Path(self._own.name if self._own else "")
        config = {
            "count": count,
            "port": _free_port(),
            "control": 0,
            "folder": str(self.folder),
            "resources": [*_resources(), *map(_told, custom)],
            "settings": {"latency_ms": latency_ms, "ready_ms": ready_ms, "error_rate": error_rate},
        }
        self._process = subprocess.Popen(
            [str(program())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # both are pipes
        self._process.stdin.write(json.dumps(config) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fake fleet did not start")
        self._control = f"http://127.0.0.1:{json.loads(line)['control']}"
        self._settings = dict(config["settings"])

    def __enter__(self) -> FakeFleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all servers and remove their kubeconfigs."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._own is not None:
            self._own.cleanup()

    @property
    def pid(self) -> int:
        """The one process that all servers are."""
        return self._process.pid

    def kubeconfig(self, index: int) -> Path:
        """The kubeconfig of one server, counted from 0."""
        return self.folder / f"edge-{index:05d}.yaml"

    def counts(self) -> Counts:
        """What was asked."""
        found = self._ask("counts")
        return Counts(found["requests"], found["writes"], found["touched"])

    def reset(self) -> None:
        """Count from here on."""
        self._ask("reset")

    def behave(
        self,
        *,
        latency_ms: int | None = None,
        ready_ms: int | None = None,
        error_rate: float | None = None,
        refuse: Iterable[int] | None = None,
        hang: Iterable[int] | None = None,
    ) -> None:
        """Change how the servers behave; what is not given stays. ``refuse``, ``hang``: exactly these servers."""
        given = {
            "latency_ms": latency_ms,
            "ready_ms": ready_ms,
            "error_rate": error_rate,
            "refuse": None if refuse is None else sorted(refuse),
            "hang": None if hang is None else sorted(hang),
        }
        self._settings.update({name: value for name, value in given.items() if value is not None})
        self._ask("settings", self._settings)

    def bodies(self) -> list[dict[str, str]]:
        """For each server the SHA-256 of what was last sent to each path."""
        found: list[dict[str, str]] = self._ask("bodies")
        return found

    def copy_first(self) -> None:
        """Every server gets what the first one holds."""
        self._ask("copy")

    def _ask(self, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self._control}/{what}", data=data, timeout=120) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.1.0.1", 0))
        return int(probe.getsockname()[1])


def _resources() -> list[dict[str, Any]]:
    found = []
    for group, kind in KNOWN:
        api_version = "v1" if not group else f"{group}/v1"
        resource = built_in(api_version, kind)
        assert resource is not None  # it is in the table
        found.append(_told(resource))
    return found


def _told(one: Resource) -> dict[str, Any]:
    return {"apiVersion": one.api_version, "kind": one.kind, "plural": one.plural, "namespaced": one.namespaced}
