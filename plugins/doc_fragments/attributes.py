# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes of the verbs."""

from __future__ import annotations


class ModuleDocFragment:
    """What a verb supports; a module says the rest in its own ``attributes``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would change without changing it.
  diff_mode:
    description: Returns details on what has changed (or would change in C(check_mode)), when in diff mode.
  idempotent:
    description: A second run with the same input changes nothing.
  action:
    description: Runs in the process of the control node, without starting Python on the host.
    support: partial
    details:
      - Where the host of the task has a connection other than C(local), the module is sent there and works with the
        files, the network and the store of that host.
  action_group:
    description: Use C(group/emco.edge.all) in C(module_defaults) to set defaults for all modules of this collection.
    support: full
    membership:
      - emco.edge.all
"""
