#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``store_keys`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: store_keys
short_description: Show, rotate and retire the keys of a store
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - The keys seal what the store holds and sign the records in the clusters. The first one writes, all of them read.
  - V(rotated) and then V(retired) replace a key that somebody may have seen. Between the two give the new key file to
    everybody who works with the store.
options:
  state:
    description:
      - V(present) shows the keys by their ids.
      - V(rotated) puts a new key in front, seals what the store holds anew with it, and signs the records in all
        clusters that answer. The old keys stay, for other control nodes and for clusters that did not answer.
      - V(retired) gives up all keys but the first. It signs records anew that are not yet, and fails with C(KeyInUse)
        while something still needs an old key.
    type: str
    choices: [present, rotated, retired]
    default: present
  force:
    description:
      - Retire keys though clusters do not answer. Records there that are signed with them are then not trusted, and
        their objects belong to nobody until they are adopted.
    type: bool
    default: false
  parallel:
    description: How many clusters are asked at once.
    type: int
    default: 50
  cluster_timeout:
    description: How long one cluster may take.
    type: str
    default: 30s
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: V(rotated) makes a new key each time.
seealso:
  - module: emco.edge.store_backup
"""

EXAMPLES = r"""
- name: A new key
  emco.edge.store_keys:
    state: rotated
  run_once: true

- name: Give up the old ones, when everybody has the new key file
  emco.edge.store_keys:
    state: retired
  run_once: true
"""

RETURN = r"""
keys:
  description: The ids of the keys, the one that writes first.
  returned: success
  type: list
  elements: str
  sample: [e5f6a7b8, a1b2c3d4]
source:
  description: Where the keys are.
  returned: success
  type: str
  sample: /home/ops/.config/emco-edge/keys
in_use:
  description: The ids of the keys that something in the store is sealed with.
  returned: with O(state=present)
  type: list
  elements: str
sealed_anew:
  description: How many entries and objects of the store were sealed with the new key.
  returned: with O(state=rotated)
  type: dict
  sample: {entries: 12, objects: 300}
unreadable:
  description: What no known key opens.
  returned: with O(state=rotated)
  type: list
  elements: str
records_signed_anew:
  description: How many records in clusters were signed with the first key.
  returned: when clusters were asked
  type: int
  sample: 3
not_reached:
  description: Clusters that did not answer, whose records may be signed with an old key.
  returned: when clusters were asked
  type: list
  elements: str
retired:
  description: The ids of the keys that were given up.
  returned: with O(state=retired)
  type: list
  elements: str
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
from ansible_collections.emco.edge.plugins.module_utils._verbs.store_keys import SPEC, run


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
