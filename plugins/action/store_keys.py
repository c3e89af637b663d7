# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``store_keys`` in the control node's process."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._verbs import store_keys
from ansible_collections.emco.edge.plugins.plugin_utils.verb_action import VerbAction


class ActionModule(VerbAction):
    """Runs the verb here, or ships its module where the host is reached by a connection."""

    spec = store_keys.SPEC
    verb = store_keys.run
