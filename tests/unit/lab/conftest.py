# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's program is found where the role ships it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "roles" / "lab" / "files"))
