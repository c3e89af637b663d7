# SPDX-License-Identifier: GPL-3.0-or-later
"""The binaries of the lab: which ones, in which version, and where they are found.

The committed go.mod files are the only place that holds versions.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emco_lab.report import LabError, say

MODULES = Path(__file__).resolve().parent.parent / "tools"


@dataclass(frozen=True)
class Binary:
    """A program, its main package and the arguments that make it tell its version."""

    name: str
    package: str
    version_arguments: tuple[str, ...] = ("--version",)


@dataclass(frozen=True)
class Suite:
    """Programs that come from one Go module and share its version."""

    name: str
    module: str
    binaries: tuple[Binary, ...]
    version_variables: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The version that the suite's go.mod requires, with its leading `v`."""
        text = (MODULES / self.name / "go.mod").read_text(encoding="utf-8")
        found = re.search(rf"^\s*(?:require\s+)?{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if not found:
            raise LabError(f"{MODULES / self.name}/go.mod does not require {self.module}")
        return found.group(1)

    @property
    def folder(self) -> Path:
        """Where the suite's binaries are cached."""
        return cache_folder() / "tools" / f"{self.name}-{self.version}"


@dataclass(frozen=True)
class Tool:
    """One binary at hand."""

    path: Path
    version: str
    source: str  # cache | path | download | build


def _kubernetes(name: str) -> Binary:
    return Binary(name, f"k8s.io/kubernetes/cmd/{name}")


SUITES = (
    Suite(
        "helm",
        "helm.sh/helm/v4",
        (Binary("helm", "helm.sh/helm/v4/cmd/helm", ("version", "--short")),),
        ("helm.sh/helm/v4/internal/version.version={version}",),
    ),
    Suite("etcd", "go.etcd.io/etcd/server/v3", (Binary("etcd", "go.etcd.io/etcd/server/v3"),)),
    Suite(
        "kubernetes",
        "k8s.io/kubernetes",
        (
            _kubernetes("kube-apiserver"),
            _kubernetes("kube-controller-manager"),
            _kubernetes("kube-scheduler"),
            Binary("kubectl", "k8s.io/kubernetes/cmd/kubectl", ("version", "--client")),
        ),
        # Without these the servers report v0.0.0-master, which clients cannot parse.
        tuple(
            f"{package}.{variable}"
            for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
            for variable in (
                "gitVersion={version}",
                "gitMajor={major}",
                "gitMinor={minor}",
                "gitTreeState=clean",
            )
        ),
    ),
    Suite(
        "kwok",
        "sigs.k8s.io/kwok",
        (Binary("kwok", "sigs.k8s.io/kwok/cmd/kwok"),),
        ("sigs.k8s.io/kwok/pkg/consts.Version={version}",),
    ),
)

SERVERS = ("etcd", "kubernetes", "kwok")  # what clusters run on; helm is for those who use them


def cache_folder() -> Path:
    """The folder outside every checkout that keeps what is costly to make again."""
    if explicit := os.environ.get("EMCO_EDGE_CACHE"):
        return Path(explicit).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "emco-edge"


def find(suites: Sequence[Suite] = SUITES) -> dict[str, Tool]:
    """The binaries that are at hand in the right version; a missing suite is simply absent."""
    found: dict[str, Tool] = {}
    for suite in suites:
        found.update(_cached(suite) or _on_path(suite) or {})
    return found


def provide(only: Sequence[str] = (), download: bool = False) -> tuple[dict[str, Tool], list[str]]:
    """Make the suites' binaries available; returns them and the names of the suites that were made now."""
    from emco_lab import build, release

    suites = [suite for suite in SUITES if not only or suite.name in only]
    if unknown := sorted(set(only) - {suite.name for suite in SUITES}):
        raise LabError(f"no such tool: {', '.join(unknown)}; there are {', '.join(s.name for s in SUITES)}")
    tools: dict[str, Tool] = {}
    made: list[str] = []
    for suite in suites:
        present = find([suite])
        if not present:
            with _locked(suite):
                present = find([suite])  # another run may have made it while this one waited
                if not present:
                    if not (download and release.download(suite)):
                        build.build(suite)
                        source = "build"
                    else:
                        source = "download"
                    made.append(suite.name)
                    present = _in_folder(suite, source)
        tools.update(present)
    return tools, made


def _cached(suite: Suite) -> dict[str, Tool] | None:
    complete = all(os.access(suite.folder / binary.name, os.X_OK) for binary in suite.binaries)
    return _in_folder(suite, "cache") if complete else None


def _in_folder(suite: Suite, source: str) -> dict[str, Tool]:
    return {b.name: Tool(suite.folder / b.name, suite.version, source) for b in suite.binaries}


def _on_path(suite: Suite) -> dict[str, Tool] | None:
    found: dict[str, Tool] = {}
    for binary in suite.binaries:
        path = shutil.which(binary.name)
        if not path or version_of(Path(path), binary.version_arguments) != suite.version:
            return None
        found[binary.name] = Tool(Path(path), suite.version, "path")
    return found


def version_of(path: Path, arguments: Sequence[str]) -> str | None:
    """The first semantic version that the program prints about itself, with a leading `v`."""
    try:
        answer = subprocess.run([str(path), *arguments], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bv?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)", answer.stdout)
    return f"v{found.group(1)}" if found else None


@contextmanager
def _locked(suite: Suite) -> Iterator[None]:
    suite.folder.parent.mkdir(parents=True, exist_ok=True)
    with (suite.folder.parent / f".{suite.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{suite.name}: another run is making it, waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in suite.folder.parent.glob(f".{suite.name}-*"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield
