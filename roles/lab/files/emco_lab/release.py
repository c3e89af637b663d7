# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloading the projects' official release files, for those who allow it. Checksums are verified.

kwok publishes no checksums, so it is never downloaded.
"""

from __future__ import annotations

import hashlib
import io
import platform
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emco_lab.build import publish
from emco_lab.report import LabError, say
from emco_lab.tools import Suite

REACH = 5.0  # seconds after which a host counts as out of reach
CHUNK = 1 << 20
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Asset:
    """One release file, where its checksum is published, and the programs in it."""

    url: str
    checksum_url: str
    programs: tuple[str, ...]


def download(suite: Suite) -> bool:
    """Fetch the suite from its release host; false when it is not there or cannot be reached soon."""
    wanted = assets(suite, _ARCHITECTURES.get(platform.machine().lower(), platform.machine()))
    if not wanted:
        return False
    parent = suite.folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{suite.name}-") as temporary:
        output = Path(temporary) / suite.folder.name
        output.mkdir()
        try:
            for asset in wanted:
                _fetch(asset, output)
        except OSError as error:
            say(f"{suite.name}: no download from {wanted[0].url.split('/')[2]} ({error})")
            return False
        publish(output, suite)
    return True


def assets(suite: Suite, architecture: str) -> list[Asset]:
    """The release files that hold the suite's programs for this architecture of Linux."""
    version, system = suite.version, f"linux-{architecture}"
    if suite.name == "helm":
        url = f"https://get.helm.sh/helm-{version}-{system}.tar.gz"
        return [Asset(url, f"{url}.sha256sum", ("helm",))]
    if suite.name == "etcd":
        base = f"https://github.com/etcd-io/etcd/releases/download/{version}"
        return [Asset(f"{base}/etcd-{version}-{system}.tar.gz", f"{base}/SHA256SUMS", ("etcd",))]
    if suite.name == "kubernetes":
        base = f"https://dl.k8s.io/release/{version}/bin/linux/{architecture}"
        return [Asset(f"{base}/{b.name}", f"{base}/{b.name}.sha256", (b.name,)) for b in suite.binaries]
    return []


def checksum(published: str, file: str) -> str:
    """The SHA-256 of the file in what was published: a bare digest, or lines of digest and file name."""
    lines = [line.split() for line in published.splitlines() if line.strip()]
    for words in lines:
        if len(words) == 1 or words[1].lstrip("*") == file:
            return words[0].lower()
    raise LabError(f"no checksum of {file} is published")


def _fetch(asset: Asset, output: Path) -> None:
    file = asset.url.rsplit("/", 1)[1]
    with urllib.request.urlopen(asset.checksum_url, timeout=REACH) as answer:
        expected = checksum(answer.read().decode(), file)
    content = io.BytesIO()
    for chunk in _read(asset.url, file):
        content.write(chunk)
    actual = hashlib.sha256(content.getbuffer()).hexdigest()
    if actual != expected:
        raise LabError(f"{asset.url} has the SHA-256 {actual}, but {asset.checksum_url} says {expected}")
    content.seek(0)
    for program in asset.programs:
        path = output / program
        path.write_bytes(_member(content, program) if file.endswith(".tar.gz") else content.getvalue())
        path.chmod(0o755)


def _read(url: str, file: str) -> Iterator[bytes]:
    say(f"downloading {url}")
    said = time.monotonic()
    done = 0
    with urllib.request.urlopen(url, timeout=30) as answer:
        while chunk := answer.read(CHUNK):
            yield chunk
            done += len(chunk)
            if time.monotonic() - said > 10:
                said = time.monotonic()
                say(f"downloading {file}: {done >> 20} MiB")


def _member(archive: io.BytesIO, program: str) -> bytes:
    archive.seek(0)
    with tarfile.open(fileobj=archive, mode="r:gz") as files:
        for member in files:
            if member.isfile() and member.name.rsplit("/", 1)[-1] == program:
                file = files.extractfile(member)
                assert file is not None
                return file.read()
    raise LabError(f"the release archive does not hold {program}")
