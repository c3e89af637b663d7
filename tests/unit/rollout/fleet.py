# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters and rollouts in few words, for the tests of the rollout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Rollout
from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import ClusterProgress, Phase, Progress
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave


def ref(number: int | str) -> ClusterRef:
    """``lab+c7`` for 7."""
    return ClusterRef("lab", f"c{number}")


def refs(*numbers: int | str) -> tuple[ClusterRef, ...]:
    """Several."""
    return tuple(ref(number) for number in numbers)


def clusters(count: int, **regions: range) -> list[Cluster]:
    """``count`` clusters from c1 on, with the label ``region`` where a range says so."""
    region_of = {number: region for region, numbers in regions.items() for number in numbers}
    return [
        Cluster(ref(number), labels={"region": region_of[number]} if number in region_of else {})
        for number in range(1, count + 1)
    ]


def rollout(**options: Any) -> Rollout:
    """The options as a user writes them; AssertionError when they have problems."""
    found, problems = tried(options)
    assert found is not None, problems
    return found


def tried(options: Mapping[str, Any]) -> tuple[Rollout | None, list[str]]:
    """The options, or None, and their problems."""
    problems = Problems()
    return parse(Rollout, options, "rollout", problems), [str(problem) for problem in problems]


def strategy(*waves: tuple[ClusterRef, ...] | Wave, max_concurrency: int = 100, **more: Any) -> Strategy:
    """A strategy without probes, its waves called w1, w2 and so on."""
    made = tuple(wave if isinstance(wave, Wave) else Wave(f"w{number}", wave) for number, wave in enumerate(waves, 1))
    return Strategy(made, max_concurrency=max_concurrency, **{"probes": False, **more})


def progress(of: Strategy, **states: tuple[Phase, float]) -> Progress:
    """``c1=(Phase.WORKING, -60)``; what is not named waits. What is neither waiting nor silent was begun."""
    known = {
        ClusterRef("lab", name): ClusterProgress(phase, since, None if phase is Phase.WAITING else since)
        for name, (phase, since) in states.items()
    }
    return Progress({**{one: ClusterProgress() for one in of.clusters}, **known})
