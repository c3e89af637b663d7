#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``store_backup`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_backup
short_description: Write everything that the store knows into one file
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Writes registered clusters, intents, revisions and progress into a zip file of mode 0600, from any kind of store.
  - What is sealed in the store stays sealed. The keys are not in the file. Keep a copy of the key
    file as well, apart from it.
  - The file is there whole or not at all. Runs that go on meanwhile are not disturbed.
options:
  path:
    description: The file. Relative paths start at the playbook.
    type: path
    required: true
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: The file is written each time.
seealso:
  - module: emco.edge.store_restore
  - module: emco.edge.store_keys
"""

EXAMPLES = r"""
- name: Keep today's state
  emco.edge.store_backup:
    path: backups/edge.zip
  run_once: true
"""

RETURN = r"""
path:
  description: Where the backup is, or in check mode would be.
  returned: success
  type: str
  sample: /srv/edge/backups/edge-2026-11-25.zip
backup:
  description: What is in it.
  returned: success, not in check mode
  type: dict
  sample: {format: 1, written: "2026-11-25T22:30:00+00:00", store: sqlite /srv/edge/edge.db, entries: 40, blobs: 300}
keys:
  description: The keys that are needed to read it, by their ids, and where they are.
  returned: success
  type: dict
  sample: {source: /home/ops/.config/emco-edge/keys, ids: [a1b2c3d4]}
reason:
  description:
    - A stable code for what went wrong.
  returned: failure
  type: str
  sample: KeyMissing
hint:
  description: What to do about it.
  returned: failure, where there is something to do
  type: str
"""

from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module
from ansible_collections.emco.edge.plugins.module_utils._verbs.store_backup import SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
