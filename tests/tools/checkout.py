# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are in the checkout, and a clean copy of it as a collection.

Tools that must see the collection as a user gets it (ansible-test, ansible-galaxy) cannot work on the checkout itself:
it is not at a path ending in ansible_collections/emco/edge, and it holds ignored folders.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
REPORTS = ROOT / "build" / "reports"


def files_of_the_project() -> list[Path]:
    """Files that git tracks or would offer to track, relative to the checkout, without those deleted meanwhile."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    paths = [Path(name) for name in listed.split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file() or (ROOT / path).is_symlink()]


def copy_as_collection(above: Path) -> Path:
    """Make `above`/ansible_collections/emco/edge a fresh copy of the project's files; returns that folder."""
    target = above / "ansible_collections" / "emco" / "edge"
    shutil.rmtree(target, ignore_errors=True)
    for path in files_of_the_project():
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(ROOT / path, copy, follow_symlinks=False)
        except FileNotFoundError:
            # Someone removed the file between the listing and now: it is no part of the project any more.
            continue
    return target
