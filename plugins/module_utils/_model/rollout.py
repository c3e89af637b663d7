# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how a revision is brought to the clusters, as a user writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Union

from ansible_collections.emco.edge.plugins.module_utils._model import quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector

try:
    import jmespath
    from jmespath.exceptions import JMESPathError

    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error

Limit = Union[Fraction, int]
"""A number of clusters, or as a Fraction a share of them."""

READY = "ready"
"""The gate that asks every cluster of a wave to be Ready."""


def _limit(raw: Any) -> Limit:
    limit = quantities.percentage(raw)
    if isinstance(limit, Fraction) and limit > 1:
        raise ValueError(f"{raw!r} is more than all clusters")
    return limit


def _positive(raw: Any) -> Limit:
    limit = _limit(raw)
    if limit == 0:
        raise ValueError(f"{raw!r} means no cluster at all; leave it out for all of them")
    return limit


def _deadline(raw: Any) -> float:
    deadline = quantities.seconds(raw)
    if deadline == 0:
        raise ValueError("0 leaves no time for anything; leave it out for no deadline")
    return deadline


def _gate(raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError("must be 'ready' or a jmespath condition over the wave, such as 'failed == `0`'")
    condition = raw.strip()
    if condition == READY:
        return condition
    if MISSING is not None:
        raise ValueError("a condition needs the Python package jmespath where this runs: pip install jmespath")
    try:
        jmespath.compile(condition)
    except JMESPathError as wrong:
        raise ValueError(f"is not a jmespath expression: {str(wrong).splitlines()[0]}") from None
    return condition


def _pauses(raw: Any) -> bool | tuple[str, ...]:
    if isinstance(raw, bool):
        return raw
    listed = raw if isinstance(raw, (list, tuple)) else [raw]
    names = tuple(str(one).strip() for one in listed if isinstance(one, (str, int)) and not isinstance(one, bool))
    if not names or len(names) != len(listed) or not all(names):
        raise ValueError("must be true (after each wave), or names and numbers of waves, counted from 1")
    words = {"true": True, "yes": True, "each": True, "false": False, "no": False}
    return words.get(names[0].lower(), names) if len(names) == 1 else names


@dataclass(frozen=True)
class Unreachable:
    """What becomes of a cluster that does not answer.

    ``fail``: it counts as failed. ``defer``: it is put off until it answers again, with a budget of its own.
    ``wait``: it is asked again for so many seconds, and then ``then`` holds.
    """

    policy: Literal["fail", "defer", "wait"] = "fail"
    wait: float = 0.0
    then: Literal["fail", "defer"] = "fail"


def _unreachable(raw: Any) -> Unreachable:
    if raw == "fail":
        return Unreachable("fail")
    if raw == "defer":
        return Unreachable("defer")
    if not isinstance(raw, Mapping) or "wait" not in raw or not set(raw) <= {"wait", "then"}:
        raise ValueError(f"{raw!r} must be defer, fail, or {{wait: 10m}} (and then: fail or defer)")
    wait = quantities.seconds(raw["wait"])
    then = raw.get("then", "fail")
    if wait == 0:
        raise ValueError("wait: 0 waits for nothing; write fail or defer")
    if then not in ("fail", "defer"):
        raise ValueError(f"then: {then!r} must be fail or defer")
    return Unreachable("wait", wait, then)


@dataclass(frozen=True)
class WaveOptions:
    """One wave: the clusters of a list or a selector, so many of them, or so many of what no list names.

    What is given here holds for this wave beside what the rollout says; the narrower of the two rules.
    """

    name: str | None = option()
    clusters: tuple[str, ...] | None = option()
    selector: Selector | None = option(parse=Selector.parse, type="str")
    count: Any = option(parse=_positive, type="raw")
    """Clusters, or a share of all clusters of the rollout; with ``selector`` of those that it selects."""
    repeat: bool = option(default=False)
    """As many waves of ``count`` as there are clusters left for."""
    max_concurrency: Any = option(parse=_positive, type="raw")
    max_failures: Any = option(parse=_limit, type="raw")
    soak: float | None = option(parse=quantities.seconds, type="str")
    gate: str | None = option(parse=_gate, type="str")
    pause_after: bool = option(default=False)

    @property
    def refs(self) -> tuple[ClusterRef, ...]:
        """The clusters of the list; call it only for options without problems."""
        return tuple(ClusterRef.parse(name) for name in self.clusters or ())

    def problems(self, path: str) -> Iterator[Problem]:
        """Rules over several options."""
        if self.clusters is None and self.selector is None and self.count is None:
            yield Problem(path, "chooses no cluster", "give clusters, selector or count")
        if self.clusters is not None:
            yield from _listing_problems(self.clusters, join(path, "clusters"))
            for other in ("selector", "count"):
                if getattr(self, other) is not None:
                    yield Problem(join(path, other), "cannot be given together with clusters")
        if self.repeat and self.count is None:
            yield Problem(join(path, "repeat"), "has a meaning with count only")


def _listing_problems(clusters: tuple[str, ...], path: str) -> Iterator[Problem]:
    if not clusters:
        yield Problem(path, "is empty, so the wave has no cluster")
    for index, name in enumerate(clusters):
        try:
            ClusterRef.parse(name)
        except ValueError as wrong:
            yield Problem(f"{path}[{index}]", str(wrong))
        if name in clusters[:index]:
            yield Problem(f"{path}[{index}]", f"{name} is listed twice")


@dataclass(frozen=True)
class Rollout:
    """How a revision is brought to the clusters. Shares are of all clusters that this run is for."""

    waves: tuple[WaveOptions, ...] = option(default=())
    remaining: Literal["last", "refuse"] = option(default="last")
    """What no wave names: one more wave at the end, or an error that names it."""
    round: Literal["down", "up"] = option(default="down")
    """How shares become clusters. Concurrency and waves are at least 1 either way."""
    max_concurrency: Any = option(parse=_positive, type="raw")
    """How many clusters may be between begun and proven at the same time; default all."""
    max_failures: Any = option(default=0, type="raw", parse=_limit)
    """How many clusters of the whole set may fail."""
    max_deferred: Any = option(type="raw", parse=_limit)
    """How many clusters may be put off because they do not answer; default all."""
    soak: float = option(default=0.0, parse=quantities.seconds, type="str", spec_default="0s")
    """Seconds that a cluster must have been ready before it counts as done."""
    progress_deadline: float | None = option(parse=_deadline, type="str")
    """Seconds after which a cluster that was begun counts as failed; default none."""
    gate: str | None = option(parse=_gate, type="str")
    """Asked of each wave before the next: ``ready``, or a jmespath condition; default only the budgets."""
    pause_after: Any = option(default=False, parse=_pauses, type="raw")
    """End as Paused after each wave, or after the waves named here by name or number."""
    on_failure: Literal["stop", "continue", "rollback"] = option(default="stop")
    """What is done once more clusters failed, or were put off, than the budgets allow."""
    rollback_scope: Literal["all", "wave"] = option(default="all")
    unreachable: Unreachable = option(default=Unreachable(), parse=_unreachable, type="raw", spec_default="fail")

    def problems(self, path: str) -> Iterator[Problem]:
        """Rules over several options."""
        yield from self._wave_problems(path)
        if self.rollback_scope == "wave" and self.on_failure != "rollback":
            yield Problem(join(path, "rollback_scope"), "has a meaning with on_failure: rollback only")
        if self.max_deferred is not None and self.unreachable.policy == "fail":
            yield Problem(
                join(path, "max_deferred"), "has no meaning with unreachable: fail, which puts no cluster off"
            )
        if self.max_deferred is not None and self.unreachable.policy == "wait" and self.unreachable.then == "fail":
            yield Problem(join(path, "max_deferred"), "has a meaning with unreachable: {wait: ..., then: defer} only")
        if isinstance(self.pause_after, tuple):
            named = {one.name for one in self.waves if one.name}
            for one in self.pause_after:
                if one not in named and not (one.isdigit() and 1 <= int(one) <= max(1, len(self.waves))):
                    hint = near(one, named) or f"there are {len(self.waves)} waves"
                    yield Problem(join(path, "pause_after"), f"{one!r} is neither a wave's name nor its number", hint)

    def _wave_problems(self, path: str) -> Iterator[Problem]:
        listed: dict[str, int] = {}
        named: dict[str, int] = {}
        for index, wave in enumerate(self.waves):
            here = f"{join(path, 'waves')}[{index}]"
            for cluster in wave.clusters or ():
                if cluster in listed and listed[cluster] != index:
                    yield Problem(
                        f"{here}.clusters", f"{cluster} is in waves[{listed[cluster]}] too; it belongs in one wave"
                    )
                listed.setdefault(cluster, index)
            if wave.name is not None and wave.name in named:
                yield Problem(f"{here}.name", f"{wave.name!r} is the name of waves[{named[wave.name]}] too")
            if wave.name is not None:
                named.setdefault(wave.name, index)
                if wave.name.isdigit():
                    yield Problem(f"{here}.name", f"{wave.name!r} would be taken for the number of a wave")
            if wave.repeat and wave.selector is None and index != len(self.waves) - 1:
                yield Problem(f"{here}.repeat", "takes everything that is left, so it must be the last wave")


AT_ONCE = Rollout(on_failure="continue")
"""What holds where a deployment has no ``rollout``: all clusters in one wave, each on its own."""
