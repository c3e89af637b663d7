# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of the administrators' kubeconfigs where an inventory wants them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from emco_lab.layout import Layout, write_private


def hand_out(layout: Layout, folder: Path) -> list[str]:
    """Copy each cluster's kubeconfig into the folder; returns the names of those that changed."""
    contents = {name: layout.cluster(name).kubeconfig.read_bytes() for name in layout.slots}
    return [name for name, content in contents.items() if write_private(folder / f"{name}.yaml", content)]


def outdated(layout: Layout, folder: Path) -> list[str]:
    """The clusters whose copy is missing or old."""
    return [name for name in layout.slots if _read(folder / f"{name}.yaml") != _read(layout.cluster(name).kubeconfig)]


def take_back(names: Iterable[str], folder: Path) -> None:
    """Remove the copies of these clusters, and the folder when nothing else is in it."""
    for name in names:
        (folder / f"{name}.yaml").unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
