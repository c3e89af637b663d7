# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes how long each task took over all hosts, one JSON object a line."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: task_seconds
type: aggregate
short_description: Write the seconds of each task to a file
description:
  - Appends one JSON object a line to the file that the environment variable E(BENCH_TASKS_FILE) names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Times tasks from their start to the last result of any host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_seconds"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._task = ""
        self._began = 0.0
        self._last = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """The task before this one has ended."""
        self._end()
        self._task, self._began = task.get_name(), time.monotonic()

    def v2_runner_on_ok(self, result: Any, **_kwargs: Any) -> None:
        """One host is done."""
        self._last = time.monotonic()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """One host is done, badly."""
        self._last = time.monotonic()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The last task has ended."""
        self._end()

    def _end(self) -> None:
        if self._task:
            with Path(os.environ["BENCH_TASKS_FILE"]).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"task": self._task, "seconds": self._last - self._began}) + "\n")
        self._task = ""
