# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: signing the records of a cluster anew, after there is a new key."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Keys, read_signed_records, write_record


def sign_anew(client: ClusterClient, keys: Keys) -> int:
    """Sign what older keys signed with the first key, and return how many records that were.

    A record that somebody else writes at the same moment is signed by them. ClusterError ``RecordNotTrusted``.
    """
    count = 0
    for record, is_newest in read_signed_records(client, keys):
        if is_newest:
            continue
        try:
            write_record(client, record, keys)
            count += 1
        except EdgeError as error:
            if error.reason != "RecordConflict":
                raise
    return count
