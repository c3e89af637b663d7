# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to emco.edge: the action door, where a verb runs in the control node's worker and reports while it works."""

from __future__ import annotations

import getpass
import os
import platform
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Spec, Verb, perform
from ansible_collections.emco.edge.plugins.plugin_utils.plain import plain
from ansible_collections.emco.edge.plugins.plugin_utils.templating import project_template
from ansible_collections.emco.edge.plugins.plugin_utils.third_party_controllers import load_control

display = Display()


class VerbAction(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """An action plugin is this class with its verb's ``spec`` and ``verb``."""

    spec: ClassVar[Spec[Any]]
    verb: ClassVar[Verb[Any]]

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the verb here, or ship its module to a host that is reached by a connection."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments: dict[str, Any] = plain(self._task.args)
        if not self._is_local():
            shipped = self._shipped(arguments, _HostVariables(variables, self._templar.template))
            result.update(
                self._execute_module(
                    module_name=f"emco.edge.{self.spec.name}", module_args=shipped, task_vars=variables
                )
            )
            return result
        with _stop_event() as stopping:
            context = self._context(variables, stopping)
            result.update(perform(self.spec, type(self).verb, arguments, context))
        if display.verbosity >= 2:
            result["process"] = {"pid": os.getpid(), "door": "action"}
        return result

    def _shipped(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with what the host's variables say, which the module does not see."""
        shipped = self.spec.filled(arguments, variables)
        store = variables.get("emco_edge_store")
        if store and shipped.get("store") is None and "store" in self.spec.argument_spec():
            shipped["store"] = store
        return shipped

    def _is_local(self) -> bool:
        return str(getattr(self._connection, "transport", "local")).rpartition(".")[2] == "local"

    def _context(self, variables: Mapping[str, Any], stopping: threading.Event) -> Context:
        template = self._templar.template
        hosts = variables.get("hostvars") or {}

        def variable(name: str) -> Any:
            value = variables.get(name)
            return plain(template(value)) if value is not None else None

        return Context(
            host=Host(str(variables.get("inventory_hostname") or "localhost"), _HostVariables(variables, template)),
            owner=f"{getpass.getuser()}@{platform.node()} pid {os.getpid()}",
            base_dir=self._project_folder(),
            environ={**os.environ, **{str(k): str(v) for k, v in self._task_environment().items()}},
            check=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            verbosity=display.verbosity,
            store_choice=variable("emco_edge_store"),
            say=display.display,
            template=project_template(self._templar),
            load_control=load_control,
            variables_of=lambda name: _HostVariables(hosts[name], template) if name in hosts else {},
            stopping=stopping,
        )

    def _project_folder(self) -> str:
        """Where relative paths start: beside the playbook; for one of a collection where it was called."""
        beside = str(self._loader.get_basedir())
        return str(Path.cwd()) if "ansible_collections" in Path(beside).parts else beside

    def _task_environment(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for part in self._task.environment or ():
            value = plain(self._templar.template(part))
            if isinstance(value, dict):
                found.update(value)
        return found


class _HostVariables(Mapping[str, Any]):
    """The host's variables, templated when they are read and given as plain values."""

    def __init__(self, variables: Mapping[str, Any], template: Any) -> None:
        self._variables = variables
        self._template = template
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = plain(self._template(self._variables[name]))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@contextmanager
def _stop_event() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into an event for as long as a verb runs.

    The worker's own handlers kill its process group without running ``finally``, which would cut off writes half way.
    A second signal gets what it would have got without us.
    """
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    before: dict[signal.Signals, Any] = {}

    def stop(signum: int, _unused: Any) -> None:
        stopping.set()
        signal.signal(signum, before[signal.Signals(signum)])

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, stop)
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
