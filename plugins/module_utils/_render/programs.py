# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the programs that render, helm and kustomize. Where they are, and running them apart."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

# What a program may need of the user's environment; everything else stays out, so that it cannot change a rendering.
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "DOCKER_CONFIG",
    "XDG_RUNTIME_DIR",
    "REGISTRY_AUTH_FILE",
)


class HelmMissing(EdgeError):  # noqa: N818  # the name is the reason code
    """Helm is needed and cannot be found."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "HelmMissing",
            message,
            hint="Install Helm 3 or 4, name it with EMCO_EDGE_HELM, or let the lab make it (make lab).",
        )


class KustomizeMissing(EdgeError):  # noqa: N818  # the name is the reason code
    """Kustomize is needed and cannot be found."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "KustomizeMissing",
            message,
            hint="Install kustomize or kubectl, or name one of them with EMCO_EDGE_KUSTOMIZE.",
        )


@dataclass(frozen=True)
class Answer:
    """What a program wrote and how it ended."""

    code: int
    output: str
    errors: str


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that programs are started with."""
    return {key: environment[key] for key in _PASSED_ON if key in environment}


class Programs:
    """Runs programs, from several threads if need be; ``stop`` ends those that run, as when a user interrupts."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._lock = threading.Lock()

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        given: bytes = b"",
        timeout: float,
        folder: Path | None = None,
    ) -> Answer:
        """Run a program to its end, with ``given`` as its input; TimeoutError when it is killed after ``timeout`` s."""
        with self._lock:
            if self._stopped:
                raise InterruptedError(f"{command[0]} is not started any more")
            running = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                cwd=folder,
            )
            self._running.add(running)
        with running:
            try:
                output, errors = running.communicate(given, timeout=timeout)
            except subprocess.TimeoutExpired:
                raise TimeoutError(f"did not finish within {timeout:g} s") from None
            finally:
                running.kill()  # does nothing to one that has ended
                with self._lock:
                    self._running.discard(running)
        return Answer(running.returncode, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))

    def stop(self) -> None:
        """End what runs, and let nothing start any more."""
        with self._lock:
            self._stopped = True
            for running in self._running:
                running.kill()


def find_helm(environment: Mapping[str, str], named: str | None = None) -> Path:
    """Helm: the one named, ``EMCO_EDGE_HELM``, the one on PATH, or the lab's; HelmMissing when there is none."""
    for what, choice in (("the given helm", named), ("EMCO_EDGE_HELM", environment.get("EMCO_EDGE_HELM"))):
        if choice:
            found = shutil.which(Path(choice).expanduser(), path=environment.get("PATH", ""))
            if found is None:
                raise HelmMissing(f"{what}, {choice}, is not a program that can be run.")
            return Path(found)
    found = shutil.which("helm", path=environment.get("PATH", ""))
    lab = _of_the_lab("helm-*/helm", environment)
    if found is None and lab is None:
        raise HelmMissing("Charts are rendered with helm, and it was not found on PATH.")
    return Path(found) if found is not None else lab  # type: ignore[return-value]


def find_kustomize(environment: Mapping[str, str], named: str | None = None) -> tuple[str, ...]:
    """The command that builds a kustomization: kustomize, the lab's kubectl, or the kubectl on PATH."""
    path = environment.get("PATH", "")
    choice = named or environment.get("EMCO_EDGE_KUSTOMIZE")
    if choice:
        chosen = shutil.which(Path(choice).expanduser(), path=path)
        if chosen is None:
            raise KustomizeMissing(f"{choice} is not a program that can be run.")
        return _kustomize_command(chosen)
    lab = _of_the_lab("kubernetes-*/kubectl", environment)
    found = shutil.which("kustomize", path=path) or (str(lab) if lab else None) or shutil.which("kubectl", path=path)
    if found is None:
        raise KustomizeMissing("Kustomizations are built with kustomize or kubectl, and neither was found on PATH.")
    return _kustomize_command(found)


def _kustomize_command(program: str) -> tuple[str, ...]:
    return (program, "kustomize") if "kubectl" in Path(program).name else (program, "build")


def _of_the_lab(pattern: str, environment: Mapping[str, str]) -> Path | None:
    """The newest of the lab's programs, kept in the cache folder that the lab uses."""
    found = [path for path in (cache_folder(environment) / "tools").glob(pattern) if path.is_file()]
    return max(found, key=lambda path: [int(number) for number in re.findall(r"\d+", path.parent.name)], default=None)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where things are kept that are costly to get again."""
    if named := environment.get("EMCO_EDGE_CACHE"):
        return Path(named).expanduser()
    base = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~"), ".cache").expanduser()
    return Path(base) / "emco-edge"
