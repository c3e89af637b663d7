# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a sign of life, asked for before a cluster gets a working slot."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport

SECONDS = 3.0
_SILENT = frozenset({"ClusterUnreachable", "BudgetSpent"})
# What a load balancer says whose server is gone.
_NOBODY_BEHIND = frozenset({502, 503, 504})


def answers(transport: Transport, seconds: float = SECONDS) -> bool:
    """Whether an API server answers within ``seconds``: connection, TLS and ``/version`` together.

    One request, never repeated, on a connection that stays open for the work that follows. A server that refuses us
    does answer: what is wrong is then told by the work itself.
    """
    try:
        answer = transport.once("/version", attempt="ask for a sign of life", seconds=seconds)
    except ClusterError as error:
        return error.reason not in _SILENT
    return answer.status not in _NOBODY_BEHIND
