# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the molecule scenarios of the collection."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.tools.checkout import ROOT, TOOLS


def main(arguments: list[str]) -> int:
    """`molecule test` in extensions/, where molecule looks for a collection's scenarios."""
    environment = {
        **os.environ,
        # Molecule keeps its state under HOME otherwise, and one for all checkouts of the machine.
        "MOLECULE_EPHEMERAL_DIRECTORY": str(TOOLS / "molecule"),
        "ANSIBLE_COLLECTIONS_PATH": str(TOOLS / "collections"),
    }
    command = ["molecule", "test", *arguments]
    return subprocess.run(command, cwd=ROOT / "extensions", env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
