# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point of `python3 emco_lab ...`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

# Started by folder name, Python puts this folder on the path; the package is found from its parent.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from emco_lab.cli import main  # noqa: E402  (the path has to be right first)

if __name__ == "__main__":
    # Asked to end, it ends like one that was interrupted: what it started and has no use for ends with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
