# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: charts from repositories and registries, fetched once."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm, what_helm_said
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartError

_EXACT_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_DIGEST_LINE = re.compile(r"^Digest:\s*(sha256:[0-9a-f]{64})", re.MULTILINE)


def local_chart(request: RenderRequest, helm: Callable[[], Helm], charts: Path) -> Path:
    """The request's chart as a folder or archive on this machine, pulled into ``charts`` if it comes from elsewhere.

    A chart with an exact version or a digest is pulled once; one without is asked for in every run. ChartError when it
    cannot be had or is not the one that its digest says.
    """
    app = request.app
    if not app.is_remote:
        path = request.path(app.chart or "")
        if app.digest is not None and path.is_dir():
            raise ChartError(app.name, f"a digest is that of an archive, and {app.chart} is a folder")
        if app.digest is not None and path.is_file():
            _verify(app, _sha256(path), ())
        return path
    folder = (
        charts / hashlib.sha256(json.dumps([app.repository, app.chart, app.version, app.digest]).encode()).hexdigest()
    )
    kept = _archive(folder)
    if kept is not None and _is_pinned(app):
        return kept
    return _pull(request, helm(), folder)


def _is_pinned(app: App) -> bool:
    return app.digest is not None or _EXACT_VERSION.fullmatch(app.version or "") is not None


def _archive(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.tgz"))), None)


def _pull(request: RenderRequest, helm: Helm, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=folder.parent) as temporary:
        work = Path(temporary)
        told = _helm_pull(request, helm, work)
        archive = _archive(work)
        if archive is None:
            raise ChartError(request.app.name, f"helm pulled nothing for {request.app.chart}")
        _verify(request.app, _sha256(archive), _DIGEST_LINE.findall(told))
        return _moved(archive, folder)


def _moved(archive: Path, folder: Path) -> Path:
    """Put in place in one step, so that another process never sees half a chart."""
    folder.mkdir(exist_ok=True)
    target = folder / archive.name
    archive.replace(target)
    for other in folder.glob("*.tgz"):
        if other != target:  # the version that was the newest one before
            with contextlib.suppress(FileNotFoundError):
                other.unlink()
    return target


def _helm_pull(request: RenderRequest, helm: Helm, work: Path) -> str:
    app = request.app
    config = work / "config"
    config.mkdir()
    environment = {"HELM_CONFIG_HOME": str(config), "HELM_CACHE_HOME": str(work / "cache")}
    arguments: list[str] = []
    if app.ca_cert is not None:
        arguments += ["--ca-file", str(request.path(app.ca_cert))]
    if app.repository is not None:
        # Through a repository file, because only there credentials stay off the command line.
        add = ["repo", "add", "source", app.repository, *arguments]
        if app.username is not None:
            add += ["--username", app.username, "--password-stdin"]
        _run(app, helm, add, environment, given=(app.password or "").encode())
        chart = f"source/{app.chart}"
    else:
        chart = app.chart or ""
        if app.username is not None:
            environment["HELM_REGISTRY_CONFIG"] = str(_registry_login(app, config))
        if chart.startswith("oci://") and app.digest is not None and app.version is None and "@" not in chart:
            chart = f"{chart}@{app.digest}"
        if app.plain_http:
            arguments.append("--plain-http")
    version = ["--version", app.version] if app.version is not None else []
    return _run(app, helm, ["pull", chart, *version, "--destination", str(work), *arguments], environment)


def _registry_login(app: App, config: Path) -> Path:
    host = urlsplit(app.chart or "").netloc
    login = base64.b64encode(f"{app.username}:{app.password}".encode()).decode()
    path = config / "registry.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"auths": {host: {"auth": login}}}), encoding="utf-8")
    return path


def _run(app: App, helm: Helm, arguments: list[str], environment: dict[str, str], given: bytes = b"") -> str:
    try:
        answer = helm.run(*arguments, given=given, environment=environment)
    except TimeoutError as wrong:
        raise ChartError(app.name, f"helm {arguments[0]} {wrong}") from None
    if answer.code != 0:
        said = what_helm_said(answer.errors)
        for secret in (app.password, app.username):
            said = said.replace(secret, "********") if secret else said
        where = app.repository or app.chart
        raise ChartError(app.name, f"chart {app.chart} cannot be fetched from {where}: {said}")
    return answer.output + answer.errors


def _sha256(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def _verify(app: App, archive: str, told: list[str] | tuple[str, ...]) -> None:
    """A digest is that of the archive, as a repository's index has it, or that of the manifest in a registry."""
    if app.digest is not None and app.digest not in (archive, *told):
        raise ChartError(
            app.name,
            f"chart {app.chart} is not the one expected: its digest is {archive}, not {app.digest}",
            hint="Somebody changed the chart, or the digest is of another version.",
        )
