# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection's archive from the project's files alone, whatever else lies in the checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tools.checkout import ROOT, TOOLS, copy_as_collection


def build(into: Path) -> Path:
    """Path of the archive that `ansible-galaxy collection build` made in the folder."""
    collection = copy_as_collection(TOOLS / "archive")
    ansible_galaxy = Path(sys.executable).parent / "ansible-galaxy"
    command = [str(ansible_galaxy), "collection", "build", "--force", "--output-path", str(into), str(collection)]
    subprocess.run(command, check=True)
    (made,) = into.glob("emco-edge-*.tar.gz")
    return made


if __name__ == "__main__":
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("emco-edge-*.tar.gz"):
        old.unlink()
    archive = build(folder)
    print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.2f} MB")
