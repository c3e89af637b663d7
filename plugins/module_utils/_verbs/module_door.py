# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the module door, where a verb runs in a process of its own on the host of the task."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, TypeVar

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Spec, Verb, perform

W = TypeVar("W")


class _QuietModule(AnsibleModule):  # type: ignore[misc]  # ansible-core has no types
    """Keeps its arguments to itself: values, kubeconfigs and intents may hold secrets that no option name tells of."""

    def log(self, msg: Any, log_args: Any = None) -> None:
        """Nothing to the host's system log, where Ansible puts all arguments."""

    def exit_json(self, **result: Any) -> None:
        """End well, without the invocation that Ansible would add."""
        super().exit_json(**{"invocation": {}, **result})

    def fail_json(self, msg: str, **result: Any) -> None:
        """End badly, without the invocation that Ansible would add."""
        super().fail_json(msg, **{"invocation": {}, **result})


def run_module(spec: Spec[W], verb: Verb[W]) -> None:
    """Run a verb as an Ansible module."""
    module = _QuietModule(argument_spec=spec.argument_spec(), supports_check_mode=True)
    given = {name: value for name, value in module.params.items() if value is not None}
    needing = [name for name in spec.control_node_only if given.get(name)]
    if needing:
        module.fail_json(
            msg=f"{', '.join(needing)} needs the control node, and this task runs on {platform.node()}. "
            "Run it without delegation, or leave it out.",
            reason="NeedsControlNode",
        )
    context = Context(
        host=Host(platform.node()),
        owner=f"{platform.node()} pid {os.getpid()}",
        base_dir=str(Path.cwd()),
        environ=dict(os.environ),
        check=module.check_mode,
        diff=module._diff,
        verbosity=module._verbosity,
        on_control_node=False,
    )
    result = perform(spec, verb, given, context)
    result["process"] = {"pid": os.getpid(), "door": "module"}
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
