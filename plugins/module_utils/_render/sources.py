# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the content of a chart. Its digest, and what of the target cluster its templates can see."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import load

_CAPABILITIES = re.compile(rb"""[."'`]Capabilities\b(\.\w+)?(\.Has\s+["`][^"`]+["`])?""")
_LITERAL = re.compile(rb"""["`]([^"`]+)["`]""")
_UPGRADE = re.compile(rb"\bIs(?:Upgrade|Install)\b")
# Functions of Helm's templates whose answer may differ from call to call; keys and values give an unsorted list.
_VARYING = re.compile(
    rb"\b(?:rand[A-Z]\w*|gen(?:CA|PrivateKey|SelfSigned|Signed)\w*|now|uuidv4|date\w*|htmlDate\w*|ago|htpasswd|bcrypt"
    rb"|encryptAES|shuffle|keys|values|getHostByName)\b"
)
_LARGEST_FILE = 64 * 1024 * 1024


class ChartError(EdgeError):
    """A chart that cannot be read, fetched or rendered."""

    def __init__(self, app: str, message: str, *, hint: str = "", source: str = "") -> None:
        details = {"app": app, **({"file": source} if source else {})}
        super().__init__("ChartError", f"app {app}: {message}", hint=hint, details=details)


@dataclass(frozen=True)
class Reads:
    """What a chart can see of where it is rendered for; all else need not be told apart."""

    version: bool = False
    apis: frozenset[str] | None = frozenset()
    """The API versions that it asks for by name; None: it may look at all of them."""
    upgrade: bool = False
    varies: bool = False
    """Whether it calls a function that may answer differently each time."""

    def __or__(self, other: Reads) -> Reads:
        apis = None if self.apis is None or other.apis is None else self.apis | other.apis
        return Reads(self.version or other.version, apis, self.upgrade or other.upgrade, self.varies or other.varies)


@dataclass(frozen=True)
class ChartSource:
    """A chart on this machine."""

    path: Path
    """A folder or a .tgz."""
    digest: str
    """Of names and contents, the same for a folder and the archive made of it; file modes do not count."""
    reads: Reads = Reads()
    kube_constraint: str | None = None
    """The ``kubeVersion`` of its Chart.yaml; those of sub-charts are not looked at by helm."""


def chart_source(path: Path, app: str) -> ChartSource:
    """The chart at ``path``; ChartError when there is none or it cannot be read."""
    if not path.exists():
        raise ChartError(app, f"there is no chart at {path}", hint="a chart in a repository needs repository: as well")
    if path.is_dir() and not (path / "Chart.yaml").is_file():
        raise ChartError(app, f"{path} is not a chart, it has no Chart.yaml")
    total = hashlib.sha256()
    reads, constraint = Reads(), None
    try:
        for name, content in sorted(chart_files(path)):
            if name == "Chart.yaml":
                constraint = _kube_constraint(content)
            total.update(f"{len(name.encode())}:{name}:".encode() + hashlib.sha256(content).digest())
            reads |= _reads(name, content)
    except (OSError, tarfile.TarError, EOFError, gzip.BadGzipFile, ValueError) as wrong:
        raise ChartError(app, f"the chart at {path} cannot be read: {wrong}") from None
    return ChartSource(path, total.hexdigest(), reads, constraint)


def chart_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a chart's folder or archive: names relative to the chart's folder, and contents."""
    if path.is_dir():
        yield from _folder_files(path)
    else:
        yield from archive_files(path.read_bytes())


def _folder_files(top: Path) -> Iterator[tuple[str, bytes]]:
    # Links are followed, as Helm does; a link to a folder above would never end.
    ahead = [(top, frozenset({os.path.realpath(top)}))]
    while ahead:
        folder, above = ahead.pop()
        for entry in os.scandir(folder):
            if entry.name == ".git":
                continue
            path = Path(entry.path)
            if entry.is_dir():
                real = os.path.realpath(path)
                if real in above:
                    raise ValueError(f"{path} is a link to a folder that it stands in")
                ahead.append((path, above | {real}))
            elif not stat.S_ISREG(entry.stat().st_mode):
                raise ValueError(f"{path} is neither a file nor a folder")
            else:
                yield path.relative_to(top).as_posix(), path.read_bytes()


def archive_files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a chart's .tgz without its top folder. ValueError for a name that leaves it."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        for member in opened:
            if not member.isfile():
                continue
            if member.size > _LARGEST_FILE:
                raise ValueError(f"{member.name} is larger than {_LARGEST_FILE // 1024**2} MiB")
            name = member.name.lstrip("./").partition("/")[2]
            if not name or ".." in name.split("/"):
                raise ValueError(f"{member.name!r} is not a file inside a chart's folder")
            reader = opened.extractfile(member)
            yield name, reader.read() if reader is not None else b""


def _kube_constraint(content: bytes) -> str | None:
    try:
        described = load(content.decode("utf-8"))
    except ValueError:  # helm says better what is wrong with it
        return None
    constraint = described.get("kubeVersion") if isinstance(described, dict) else None
    return str(constraint) if constraint else None


def _reads(name: str, content: bytes) -> Reads:
    parts = name.split("/")
    if parts[-1].endswith(".tgz") and len(parts) > 1 and parts[-2] == "charts":
        found = Reads()
        for inner, inner_content in archive_files(content):
            found |= _reads(inner, inner_content)
        return found
    if "crds" in parts and "templates" not in parts[: parts.index("crds")]:
        return Reads()  # copied, never rendered
    return text_reads(content)


def text_reads(content: bytes) -> Reads:
    """What a template (or a value that may be rendered as one) reads of the cluster."""
    version, apis, everything = False, set[str](), False
    for match in _CAPABILITIES.finditer(content):
        part, asked = match.groups()
        if part == b".KubeVersion":
            version = True
        elif part == b".APIVersions" and asked is not None:
            apis.update(name.decode("utf-8", "replace") for name in _LITERAL.findall(asked))
        elif part != b".HelmVersion":
            version = everything = True
    return Reads(
        version,
        None if everything else frozenset(apis),
        upgrade=_UPGRADE.search(content) is not None,
        varies=any(_VARYING.search(part.partition(b"}}")[0]) for part in content.split(b"{{")[1:]),
    )
