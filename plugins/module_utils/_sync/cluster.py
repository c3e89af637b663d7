# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: making one cluster equal to its bundle."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Keys


def sync_cluster(
    client: ClusterClient,
    bundle: Bundle,
    options: SyncOptions,
    keys: Keys,
    *,
    board: DependencyBoard | None = None,
    around: Surroundings | None = None,
) -> Outcome:
    """Make the cluster equal to its bundle and say what came of it.

    Never raises EdgeError: a cluster that does not answer is ``Unreachable``, one that refuses is ``Failed``. The name
    of the cluster on the board and in the outcome is ``client.name``. ``board``: None when no app depends on another.
    """
    raise NotImplementedError
