# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that all verbs with a store have."""

from __future__ import annotations


class ModuleDocFragment:
    """Which store keeps registered clusters, intents and revisions."""

    DOCUMENTATION = r"""
options:
  store:
    description:
      - Where registered clusters, intents and revisions are kept.
      - V(sqlite) is a file under C($XDG_STATE_HOME/emco-edge/); V(sqlite:/path/to/edge.db) names another one. A
        dictionary with C(type) and settings says the same.
      - The default is the variable C(emco_edge_store), then the environment variable E(EMCO_EDGE_STORE), then
        V(sqlite). With C(-v) a task shows which store it uses.
    type: raw
"""
