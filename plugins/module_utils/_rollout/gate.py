# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether a wave that is done lets the next one begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import READY
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import (
    FAILURES,
    ClusterProgress,
    Phase,
)
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Wave

try:
    import jmespath
    from jmespath.exceptions import JMESPathError

    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error


def wave_view(wave: Wave, clusters: Mapping[ClusterRef, ClusterProgress]) -> dict[str, Any]:
    """What a condition is asked of: counts of the wave, and the state and reason of each cluster in it."""
    found = {ref: clusters[ref] for ref in wave.clusters}
    return {
        "wave": wave.name,
        "total": len(found),
        "ready": sum(one.phase is Phase.SUCCEEDED for one in found.values()),
        "failed": sum(one.phase in FAILURES for one in found.values()),
        "deferred": sum(one.phase is Phase.DEFERRED for one in found.values()),
        "pending": sum(one.phase is Phase.PENDING for one in found.values()),
        "clusters": [
            {"cluster": str(ref), "state": one.phase.value, "reason": one.reason} for ref, one in found.items()
        ],
    }


def opens(wave: Wave, clusters: Mapping[ClusterRef, ClusterProgress]) -> bool:
    """Whether the gate behind a wave whose clusters are all done is open."""
    if wave.gate is None:
        return True
    view = wave_view(wave, clusters)
    if wave.gate == READY:
        return bool(view["ready"] == view["total"])
    if MISSING is not None:
        raise EdgeError(
            "MissingLibrary",
            "a rollout's gate needs the Python package jmespath.",
            hint="Install it where this runs: pip install jmespath.",
        ) from MISSING
    try:
        # Only true opens: a misspelt field is null, and a number is no answer to a question.
        return jmespath.search(wave.gate, view) is True
    except JMESPathError:
        return False
