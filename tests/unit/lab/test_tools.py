# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the binaries come from, in which order, and that nothing half done stays."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from emco_lab import build, release, tools
from emco_lab.report import LabError
from emco_lab.tools import MODULES, SUITES, Suite


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and a PATH with nothing but what a test puts into it."""
    monkeypatch.setenv("EMCO_EDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "bin").mkdir()
    return tmp_path


def suite(name: str) -> Suite:
    return next(suite for suite in SUITES if suite.name == name)


def script(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)


def fake_go(empty: Path, *lines: str) -> None:
    """A `go` that writes its last `-o` argument as a folder or file and records how it was called."""
    script(
        empty / "bin" / "go",
        f'echo "$PWD $CGO_ENABLED $GOWORK $*" >> {empty}/calls',
        'while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done',
        *lines,
        "put=$out",
        'case $out in */) put="$out/kubectl"',
        'for b in apiserver controller-manager scheduler; do put="$put $out/kube-$b"; done;; esac',
        "for f in $put; do echo '#!/bin/sh' > $f; chmod 755 $f; done",
    )


def calls(empty: Path) -> list[str]:
    path = empty / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_versions_are_those_of_the_go_modules() -> None:
    for each in SUITES:
        text = (MODULES / each.name / "go.mod").read_text()
        assert re.search(rf"{re.escape(each.module)} {re.escape(each.version)}\b", text)
        for binary in each.binaries:
            assert binary.package in text


def test_kubernetes_binaries_are_told_their_whole_version() -> None:
    flags = build.linker_flags(suite("kubernetes"))
    version = suite("kubernetes").version
    major, minor = version[1:].split(".")[:2]
    for part in (f"gitVersion={version}", f"gitMajor={major}", f"gitMinor={minor}", "gitTreeState=clean"):
        assert f"-X k8s.io/component-base/version.{part}" in flags


def test_cached_binary_is_taken_before_one_on_path(empty: Path) -> None:
    helm = suite("helm")
    script(empty / "bin" / "helm", f"echo {helm.version}+g123")
    assert tools.find([helm])["helm"].source == "path"
    script(helm.folder / "helm")
    assert tools.find([helm])["helm"] == tools.Tool(helm.folder / "helm", helm.version, "cache")


def test_other_version_on_path_is_not_taken(empty: Path) -> None:
    script(empty / "bin" / "helm", "echo v3.0.0")
    assert tools.find([suite("helm")]) == {}


def test_suite_on_path_counts_only_when_it_is_complete(empty: Path) -> None:
    kubernetes = suite("kubernetes")
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        script(empty / "bin" / name, f"echo Kubernetes {kubernetes.version}")
    script(empty / "bin" / "kubectl", "echo Client Version: v1.20.0")
    assert tools.find([kubernetes]) == {}
    script(empty / "bin" / "kubectl", f"echo Client Version: {kubernetes.version}")
    assert len(tools.find([kubernetes])) == 4


def test_missing_tool_is_built_once(empty: Path) -> None:
    fake_go(empty)
    found, made = tools.provide(["etcd", "kubernetes"])
    assert made == ["etcd", "kubernetes"]
    assert {tool.source for tool in found.values()} == {"build"}
    assert all(tool.path.exists() for tool in found.values())
    assert [call.split()[:4] for call in calls(empty)] == [
        [str(MODULES / name), "0", "off", "build"] for name in ("etcd", "kubernetes")
    ]
    found, made = tools.provide(["etcd", "kubernetes"])
    assert made == []
    assert {tool.source for tool in found.values()} == {"cache"}
    assert len(calls(empty)) == 2


def test_failed_build_says_why_and_leaves_nothing(empty: Path) -> None:
    fake_go(empty, 'touch "$out"', "echo no such package >&2", "exit 1")
    with pytest.raises(LabError, match="no such package"):
        tools.provide(["helm"])
    assert [path.name for path in (empty / "cache" / "tools").iterdir()] == [".helm.lock"]


def test_what_a_killed_build_left_is_swept_away(empty: Path) -> None:
    left = empty / "cache" / "tools" / ".helm-k1ll3d" / "helm-v0"
    left.mkdir(parents=True)
    fake_go(empty)
    tools.provide(["helm"])
    assert not left.parent.exists()


def test_build_without_go_says_what_to_do(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Some machines have one in /usr/bin.
    monkeypatch.setenv("PATH", str(empty / "bin"))
    with pytest.raises(LabError, match="install Go, or allow the download"):
        tools.provide(["helm"])


def test_stopped_build_ends_its_compiler_and_leaves_nothing(empty: Path) -> None:
    fake_go(empty, f"echo $$ > {empty}/pid", "exec sleep 60")
    command = [sys.executable, str(MODULES.parent / "emco_lab"), "tools", "--only", "helm"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 20
        while not (empty / "pid").exists() or not (empty / "pid").read_text().strip():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.terminate()
        assert running.wait(timeout=20) == 130
    assert not Path("/proc", (empty / "pid").read_text().strip()).exists()
    assert [path.name for path in (empty / "cache" / "tools").iterdir()] == [".helm.lock"]


def test_unknown_tool_is_refused() -> None:
    with pytest.raises(LabError, match="no such tool: docker"):
        tools.provide(["docker"])


def test_build_follows_when_no_release_can_be_reached(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(url: str, timeout: float) -> io.BytesIO:
        raise urllib.error.URLError(f"cannot reach {url}")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    fake_go(empty)
    assert tools.provide(["helm"], download=True)[0]["helm"].source == "build"


def archive(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as target:
        member = tarfile.TarInfo(f"linux-amd64/{name}")
        member.size = len(content)
        target.addfile(member, io.BytesIO(content))
    return file.getvalue()


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes, digest: str) -> None:
    """Answers checksum addresses with the digest and all others with the content."""

    def answer(url: str, timeout: float) -> io.BytesIO:
        return io.BytesIO(digest.encode() if "sha256" in url.lower() else content)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def test_release_with_the_right_checksum_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = archive("helm", b"#!/bin/sh\n")
    serve(monkeypatch, content, hashlib.sha256(content).hexdigest())
    found, made = tools.provide(["helm"], download=True)
    assert made == ["helm"]
    assert found["helm"].source == "download"
    assert found["helm"].path.read_bytes() == b"#!/bin/sh\n"


def test_release_with_another_checksum_is_refused_and_not_kept(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, archive("helm", b"evil"), "0" * 64)
    with pytest.raises(LabError, match="has the SHA-256"):
        tools.provide(["helm"], download=True)
    assert not suite("helm").folder.exists()


def test_checksum_is_that_of_the_file_among_others() -> None:
    published = "aa  etcd-v3-darwin-amd64.zip\nBB *etcd-v3-linux-amd64.tar.gz\n"
    assert release.checksum(published, "etcd-v3-linux-amd64.tar.gz") == "bb"
    assert release.checksum("cc\n", "kubectl") == "cc"
    with pytest.raises(LabError, match="no checksum of other"):
        release.checksum(published, "other")


def test_what_publishes_no_checksum_is_never_downloaded() -> None:
    assert release.assets(suite("kwok"), "amd64") == []
    for name in ("helm", "etcd", "kubernetes"):
        assert all(suite(name).version in asset.url for asset in release.assets(suite(name), "arm64"))
