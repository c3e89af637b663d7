# SPDX-License-Identifier: GPL-3.0-or-later
"""Building the binaries from the committed Go modules."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from emco_lab.report import LabError, say
from emco_lab.tools import MODULES, Suite

SILENCE = 10.0  # seconds without a line of progress


def build(suite: Suite) -> None:
    """Build every binary of the suite into its cache folder; a killed build leaves nothing half done."""
    go = shutil.which("go")
    if not go:
        raise LabError(
            f"{suite.name} {suite.version} is neither cached nor on PATH, and there is no Go to build it: "
            "install Go, or allow the download of releases"
        )
    parent = suite.folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{suite.name}-") as temporary:
        output = Path(temporary) / suite.folder.name
        output.mkdir()
        _run([go, *_arguments(suite, output)], suite)
        publish(output, suite)


def publish(output: Path, suite: Suite) -> None:
    """Put a complete folder in place in one step."""
    if suite.folder.exists():
        shutil.rmtree(suite.folder)
    output.rename(suite.folder)


def _arguments(suite: Suite, output: Path) -> list[str]:
    # A package in a folder named after a major version would not get its binary's name by itself.
    target = str(output / suite.binaries[0].name) if len(suite.binaries) == 1 else f"{output}{os.sep}"
    packages = [binary.package for binary in suite.binaries]
    return ["build", "-trimpath", "-buildvcs=false", "-ldflags", linker_flags(suite), "-o", target, *packages]


def linker_flags(suite: Suite) -> str:
    """Flags that strip the binaries and tell them their version."""
    major, minor = suite.version.lstrip("v").split(".")[:2]
    variables = (v.format(version=suite.version, major=major, minor=minor) for v in suite.version_variables)
    return " ".join(["-s", "-w", *(f"-X {variable}" for variable in variables)])


def _run(command: list[str], suite: Suite) -> None:
    # The committed module decides, whatever workspace or flags the caller's shell has.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}
    label = f"building {suite.name} {suite.version} with Go"
    say(f"{label} (once; minutes on a small machine) ...")
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=MODULES / suite.name, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    process.wait(timeout=SILENCE)
                    break
                except subprocess.TimeoutExpired:
                    say(f"{label}: {time.monotonic() - started:.0f} s")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()
            raise LabError(f"{label} failed:\n" + "\n".join(lines[-15:]))
    say(f"{label}: {time.monotonic() - started:.0f} s")
