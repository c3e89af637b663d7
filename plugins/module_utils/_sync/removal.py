# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: taking a deployment off a cluster."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Bundle
from ansible_collections.emco.edge.plugins.module_utils._sync.board import DependencyBoard
from ansible_collections.emco.edge.plugins.module_utils._sync.options import Surroundings, SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Outcome
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Keys


def remove_cluster(
    client: ClusterClient,
    bundle: Bundle,
    options: SyncOptions,
    keys: Keys,
    *,
    board: DependencyBoard | None = None,
    around: Surroundings | None = None,
) -> Outcome:
    """Take everything of the deployment off the cluster, in reverse order, and say what was kept.

    ``bundle`` is the one that runs there: its delete hooks are run. One without objects (a lost store) does, too: what
    is deleted is what the record lists. Never raises EdgeError.
    """
    raise NotImplementedError
