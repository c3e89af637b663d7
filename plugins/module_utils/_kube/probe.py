# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a sign of life, asked for before a cluster gets a working slot."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError, error_of
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport

SECONDS = 3.0
_SILENT = frozenset({"ClusterUnreachable", "BudgetSpent"})
# What a load balancer says whose server is gone.
_NOBODY_BEHIND = frozenset({502, 503, 504})


def answers(transport: Transport, seconds: float = SECONDS) -> bool:
    """Whether an API server answers within ``seconds``; see ``silence``."""
    return not silence(transport, seconds)


def silence(transport: Transport, seconds: float = SECONDS) -> str:
    """Why an API server does not answer within ``seconds``, with its address; empty when it does.

    Connection, TLS and ``/version`` together. One request, never repeated, on a connection that stays open for the work
    that follows. A server that refuses us does answer: what is wrong is then told by the work itself.
    """
    try:
        answer = transport.once("/version", attempt="ask for a sign of life", seconds=seconds)
    except ClusterError as error:
        return error.message if error.reason in _SILENT else ""
    if answer.status in _NOBODY_BEHIND:
        return error_of(answer, "ask for a sign of life", transport.cluster).message
    return ""
