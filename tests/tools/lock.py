# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes requirements-dev.txt: what a fresh environment gets from requirements-dev.in, every version pinned."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.tools.checkout import ROOT

HEADER = "# Made from requirements-dev.in by `make lock`, for Python 3.11; change that file instead.\n"


def main() -> None:
    """Resolve in a throw-away environment and freeze it, so that nothing from an older lock lingers."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(Path(folder) / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "-r", str(ROOT / "requirements-dev.in")], check=True)
        frozen = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    (ROOT / "requirements-dev.txt").write_text(HEADER + frozen)


if __name__ == "__main__":
    main()
