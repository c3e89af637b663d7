# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what our verbs returned to a file, one JSON object a line, beside whatever else shows the run.

Scripts and tests read numbers from results, never from what is printed for people.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: results_file
type: aggregate
short_description: Write the results of emco.edge verbs to a file
description:
  - Appends one JSON object a line to the file that the environment variable E(EMCO_EDGE_RESULTS_FILE) names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Keeps results of the actions of emco.edge."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "results_file"
    CALLBACK_NEEDS_ENABLED = True

    def _keep(self, state: str, result: Any) -> None:
        target = os.environ.get("EMCO_EDGE_RESULTS_FILE")
        task = result._task
        action = str(getattr(task, "resolved_action", None) or task.action)
        if not target or not action.startswith("emco.edge."):
            return
        entry = {"action": action, "host": result._host.get_name(), "state": state, "result": result._result}
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")

    def v2_runner_on_ok(self, result: Any, **_kwargs: Any) -> None:
        """A task succeeded."""
        self._keep("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task failed."""
        self._keep("ignored" if ignore_errors else "failed", result)
