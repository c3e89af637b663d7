# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what a cluster is and has, in a handful of requests."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Facts


def read_facts(client: ClusterClient, now: float) -> Facts:
    """The facts of a cluster as of ``now`` (seconds since the epoch); ClusterError when it does not answer.

    At most eight requests, pages of more than 500 nodes or pods apart.
    """
    raise NotImplementedError
