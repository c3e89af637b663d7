# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: charts and profiles packed as EMCO takes them, made into what helm reads.

An app is a tar.gz with the chart in a folder named like the app, or at the top. A profile is a tar.gz with a
``manifest.yaml`` that names a file of values and files to be copied into the chart. What must be unpacked is kept in a
folder under the digest of the package, once for all runs.
"""

from __future__ import annotations

import gzip
import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartError
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import load

_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class PackedProfile:
    """What a profile gives to its app: a file of values, and files with where they go in the chart's folder."""

    values: str
    files: tuple[tuple[str, str], ...]


def chart_in(path: str, digest: str, app: str, cache: Path) -> str:
    """The chart in an app's package, as a path that helm reads. ChartError when there is none."""
    given = Path(path)
    if given.is_dir():
        return path
    names = _members(given, app)
    if f"{app}/Chart.yaml" in names:
        if all(name.startswith(f"{app}/") for name in names):
            return path
        return str(_unpacked(given, digest, cache, app) / app)
    if "Chart.yaml" in names:
        return str(_unpacked(given, digest, cache, app))
    charts = sorted(name.rpartition("/")[0] for name in names if name.count("/") == 1 and name.endswith("/Chart.yaml"))
    raise ChartError(
        app,
        f"{path} has no chart at the top and none in a folder {app}",
        hint=f"it has one in {', '.join(charts)}; the folder must be named like the app" if charts else "",
    )


def profile_in(path: str, digest: str, app: str, cache: Path) -> PackedProfile:
    """What a profile's package gives to its app. ChartError with everything wrong with its manifest."""
    given = Path(path)
    folder = given if given.is_dir() else _unpacked(given, digest, cache, app)
    manifest = folder / "manifest.yaml"
    if not manifest.is_file():
        raise ChartError(app, f"the profile {path} has no manifest.yaml")
    try:
        read = load(manifest.read_text(encoding="utf-8"))
    except ValueError as wrong:
        raise ChartError(app, f"manifest.yaml of the profile {path} is not YAML: {wrong}") from None
    kinds = read.get("type") if isinstance(read, Mapping) else None
    kinds = kinds if isinstance(kinds, Mapping) else {}
    values = kinds.get("values")
    if not isinstance(values, str) or not (folder / values).is_file():
        raise ChartError(app, f"manifest.yaml of the profile {path} must name one file of the profile as type.values")
    resources = kinds.get("configresource") or []
    if not isinstance(resources, list):
        raise ChartError(app, f"type.configresource in manifest.yaml of the profile {path} must be a list")
    return PackedProfile(str(folder / values), tuple(_resource(one, folder, app, path) for one in resources))


def _resource(one: object, folder: Path, app: str, path: str) -> tuple[str, str]:
    source, target = (
        (str(one.get("filepath") or ""), str(one.get("chartpath") or "")) if isinstance(one, Mapping) else ("", "")
    )
    if not source or not target:
        raise ChartError(app, f"an entry of configresource in the profile {path} needs filepath and chartpath")
    if ".." in source.split("/") or not (folder / source).is_file():
        raise ChartError(app, f"the profile {path} has no file {source}, which its manifest names")
    top, slash, inside = posixpath.normpath(target).partition("/")
    return str(folder / source), inside if slash and top == app else posixpath.normpath(target)


def _members(path: Path, app: str) -> list[str]:
    try:
        with tarfile.open(path, mode="r:gz") as opened:
            names = []
            for member in opened:
                if not member.isfile() and not member.isdir():
                    raise ChartError(app, f"{path} may hold only folders and files, and has {member.name}")
                if member.isfile():
                    names.append(_safe(member, path, app))
            return names
    except (OSError, tarfile.TarError, EOFError, gzip.BadGzipFile) as wrong:
        raise ChartError(app, f"{path} is not a tar.gz: {wrong}") from None


def _safe(member: tarfile.TarInfo, path: Path, app: str) -> str:
    name = posixpath.normpath(member.name)
    if posixpath.isabs(name) or name.split("/")[0] == ".." or member.size > _LARGEST:
        raise ChartError(app, f"{path} has {member.name}, outside of it or larger than {_LARGEST // 1024**2} MiB")
    return name


def _unpacked(path: Path, digest: str, cache: Path, app: str) -> Path:
    target = cache / digest
    if target.is_dir():
        return target
    _members(path, app)
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{digest[:12]}-", dir=cache))
    try:
        with tarfile.open(path, mode="r:gz") as opened:
            for member in opened:
                reader = opened.extractfile(member) if member.isfile() else None
                if reader is not None:
                    inside = folder / _safe(member, path, app)
                    inside.parent.mkdir(parents=True, exist_ok=True)
                    inside.write_bytes(reader.read())
        try:
            folder.rename(target)
        except OSError:  # another run was faster
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target
