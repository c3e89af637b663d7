# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments with one ansible-core and what requirements.txt asks for, as a user's would be."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.tools.checkout import ROOT, TOOLS


def clean_venv(python: str, ansible_core: str) -> Path:
    """Folder of the environment; made once and kept until the versions or requirements.txt change.

    python: version, such as 3.12; ansible_core: version, such as 2.21.5.
    """
    requirements = ROOT / "requirements.txt"
    interpreter = subprocess.run(
        [str(ROOT / "scripts" / "find-python"), python], check=True, capture_output=True, text=True
    ).stdout.strip()
    made_from = "\n".join([interpreter, ansible_core, requirements.read_text()])
    key = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    folder = TOOLS / "venvs" / f"core-{ansible_core}-py{python}-{key}"
    done = folder / "complete"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
        # Of what is installed only little is ever imported; compiling all of it would take longer than installing it.
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
            "--no-compile",
        ]
        subprocess.run([*pip, f"ansible-core=={ansible_core}", "-r", str(requirements)], check=True)
        done.touch()
    return folder
