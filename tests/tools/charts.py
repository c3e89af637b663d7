# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lints the example charts with the lab's helm, with their own values and with those of each profile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.tools.checkout import ROOT

APPLICATION = ROOT / "examples" / "camera-analytics"


def lab_helm() -> Path:
    """The newest helm among the lab's cached tools; raises SystemExit before `make lab` has brought one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = sorted((cache / "emco-edge" / "tools").glob("helm-*/helm"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit("no helm yet: make lab")
    return found[-1]


def main() -> int:
    """Lint all; exit code 1 when one chart or profile is wrong."""
    helm, codes = lab_helm(), []
    for chart in sorted((APPLICATION / "charts").iterdir()):
        profiles = sorted((APPLICATION / "profiles").glob(f"*/{chart.name}.yaml"))
        for values in [[], *(["--values", str(profile)] for profile in profiles)]:
            command = [str(helm), "lint", "--strict", "--quiet", *values, str(chart)]
            codes.append(subprocess.run(command, check=False).returncode)
    print(f"charts: {len(codes)} linted, {sum(1 for code in codes if code)} wrong")
    return 1 if any(codes) or not codes else 0


if __name__ == "__main__":
    sys.exit(main())
