#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``store_restore`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_restore
short_description: Put a backup back into a store
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Puts what M(emco.edge.store_backup) wrote into an empty store, of the same or another kind. It also moves stores.
  - The whole backup is checked before anything is written. No cluster is asked or touched; the next run of a deployment
    finds from the records in its clusters what happened since the backup.
  - No other run may work with the store meanwhile.
options:
  path:
    description: The file. Relative paths start at the playbook.
    type: path
    required: true
  replace:
    description: Whether a store that holds something else may be replaced; it then holds what the backup holds.
    type: bool
    default: false
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: emco.edge.store_backup
"""

EXAMPLES = r"""
- name: Put a backup into a new store, with the keys at hand
  emco.edge.store_restore:
    path: backups/edge.zip
    store: sqlite:state/restored.db
  run_once: true
"""

RETURN = r"""
path:
  description: The backup.
  returned: success
  type: str
backup:
  description: What is in it.
  returned: success
  type: dict
  sample: {format: 1, written: "2026-11-25T22:30:00+00:00", store: sqlite /srv/edge/edge.db, entries: 40, blobs: 300}
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
from ansible_collections.emco.edge.plugins.module_utils._verbs.store_restore import SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
