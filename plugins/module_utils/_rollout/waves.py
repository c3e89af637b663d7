# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which cluster is in which wave. Each is in exactly one, and what no wave names is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problem, near
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Limit, Rollout, WaveOptions
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave, clusters_of

REMAINING = "remaining"
_NAMED = 10


@dataclass(frozen=True)
class Compiled:
    """A strategy and what a user should know of how it came about."""

    strategy: Strategy
    notes: tuple[str, ...] = ()


def compiled(
    rollout: Rollout,
    clusters: Sequence[Cluster],
    known: Collection[ClusterRef] | None = None,
    *,
    probes: bool = True,
    proves: bool = False,
    path: str = "rollout",
) -> Compiled:
    """The strategy for ``clusters``, which are those that this run is for, in the order in which they should go.

    ``known``: all registered clusters; a wave may name one that this run is not for, but none that does not exist.
    A cluster that is listed by name is in that wave only; selectors and counts then take what is left in the order of
    the waves. EdgeError ``InvalidInput`` for unknown names, ``ClustersInNoWave`` with ``remaining: refuse``.
    """
    there = {one.ref for one in clusters}
    _refuse_unknown(rollout, there | set(known or there), path)
    drawn = _Draw(rollout, clusters)
    waves = [wave for index, options in enumerate(rollout.waves) for wave in drawn.waves_of(index, options)]
    left = tuple(drawn.left.values())
    if left and rollout.waves and rollout.remaining == "refuse":
        raise EdgeError(
            "ClustersInNoWave",
            f"{_listed(left)} in no wave of the rollout.",
            hint="Add them to a wave, or let them go last with remaining: last.",
            details={"clusters": [str(one.ref) for one in left]},
        )
    if left:
        waves.append(drawn.last_wave(left))
        if rollout.waves:
            drawn.notes.append(f"{_listed(left)} in no wave and go{'es' if len(left) == 1 else ''} last")
    total = len(clusters)
    up = rollout.round == "up"
    strategy = Strategy(
        waves=tuple(waves),
        max_concurrency=max(1, total)
        if rollout.max_concurrency is None
        else clusters_of(rollout.max_concurrency, total, up=up, least=1),
        max_failures=clusters_of(rollout.max_failures, total, up=up),
        max_deferred=None if rollout.max_deferred is None else clusters_of(rollout.max_deferred, total, up=up),
        progress_deadline=rollout.progress_deadline,
        on_failure=rollout.on_failure,
        rollback_scope=rollout.rollback_scope,
        unreachable=rollout.unreachable,
        proves=proves,
        probes=probes,
    )
    return Compiled(strategy, tuple(drawn.notes))


class _Draw:
    """Hands each cluster to the first wave that asks for it."""

    def __init__(self, rollout: Rollout, clusters: Sequence[Cluster]) -> None:
        self._rollout = rollout
        self._up = rollout.round == "up"
        self._total = len(clusters)
        self._all = clusters
        self._listed = {ref: index for index, wave in enumerate(rollout.waves) for ref in wave.refs}
        self.left = {one.ref: one for one in clusters}
        self.notes: list[str] = []

    def waves_of(self, index: int, options: WaveOptions) -> Iterator[Wave]:
        """The waves that an entry makes: none when no cluster of this run is in it, many with ``repeat``."""
        name = options.name or f"wave {index + 1}"
        if options.clusters is not None:
            yield from self._wave(name, index, options, [ref for ref in options.refs if ref in self.left])
            return
        free = [ref for ref, one in self.left.items() if ref not in self._listed and self._selected(options, one)]
        self._tell_taken(name, index, options)
        if options.count is None:
            yield from self._wave(name, index, options, free)
            return
        size = clusters_of(options.count, self._share_of(options), up=self._up, least=1)
        rounds = range(0, len(free), size) if options.repeat else range(0, 1)
        for number, start in enumerate(rounds, 1):
            label = f"{name}.{number}" if options.repeat and len(rounds) > 1 else name
            yield from self._wave(label, index, options, free[start : start + size])

    def last_wave(self, left: Iterable[Cluster]) -> Wave:
        """What no wave named."""
        name = REMAINING if self._rollout.waves else "all"
        return Wave(
            name,
            tuple(one.ref for one in left),
            soak=self._rollout.soak,
            gate=self._rollout.gate,
            pause_after=self._pauses_after(name, len(self._rollout.waves)),
        )

    def _wave(self, name: str, index: int, options: WaveOptions, refs: list[ClusterRef]) -> Iterator[Wave]:
        for ref in refs:
            del self.left[ref]
        if not refs:
            self.notes.append(f"{name} has no cluster in this run")
            return
        yield Wave(
            name,
            tuple(refs),
            max_concurrency=self._size(options.max_concurrency, len(refs), 1),
            max_failures=self._size(options.max_failures, len(refs), 0),
            soak=self._rollout.soak if options.soak is None else options.soak,
            gate=options.gate or self._rollout.gate,
            pause_after=options.pause_after or self._pauses_after(options.name or name, index),
        )

    def _pauses_after(self, name: str, index: int) -> bool:
        wanted = self._rollout.pause_after
        return wanted if isinstance(wanted, bool) else name in wanted or str(index + 1) in wanted

    def _size(self, limit: Limit | None, total: int, least: int) -> int | None:
        return None if limit is None else clusters_of(limit, total, up=self._up, least=least)

    def _selected(self, options: WaveOptions, one: Cluster) -> bool:
        return options.selector is None or options.selector.matches(one)

    def _share_of(self, options: WaveOptions) -> int:
        """What a percentage of a wave is a share of: all clusters, or all that its selector selects."""
        return sum(self._selected(options, one) for one in self._all) if options.selector else self._total

    def _tell_taken(self, name: str, index: int, options: WaveOptions) -> None:
        if options.selector is None:
            return
        elsewhere = [
            one.ref
            for one in self._all
            if options.selector.matches(one) and (one.ref not in self.left or self._listed.get(one.ref, index) != index)
        ]
        if elsewhere:
            self.notes.append(f"{name} also selects {_names(elsewhere)}, which another wave has")


def _refuse_unknown(rollout: Rollout, known: Collection[ClusterRef], path: str) -> None:
    names = [str(ref) for ref in known]
    problems = [
        Problem(f"{path}.waves[{index}].clusters[{at}]", f"no cluster {ref} is registered", near(str(ref), names))
        for index, wave in enumerate(rollout.waves)
        for at, ref in enumerate(wave.refs)
        if ref not in known
    ]
    if problems:
        raise InvalidInput(problems, of="the rollout")


def _names(refs: Sequence[ClusterRef]) -> str:
    more = f" and {len(refs) - _NAMED} more" if len(refs) > _NAMED else ""
    return ", ".join(str(ref) for ref in refs[:_NAMED]) + more


def _listed(clusters: Sequence[Cluster]) -> str:
    return f"{_names([one.ref for one in clusters])} {'is' if len(clusters) == 1 else 'are'}"


def apps_in_later_waves(
    strategy: Strategy, running: Mapping[str, Collection[ClusterRef]], needs: Mapping[str, Collection[str]]
) -> tuple[str, ...]:
    """Sentences about apps that start in a wave before the last one that has an app they need everywhere.

    They would wait for a wave that waits for them. ``running``: the clusters of each app; ``needs``: the apps that each
    app needs on all of their clusters.
    """
    position = {ref: number for number, wave in enumerate(strategy.waves) for ref in wave.clusters}
    waves = {app: [position[ref] for ref in refs if ref in position] for app, refs in running.items()}
    found = []
    for app, others in sorted(needs.items()):
        for other in sorted(others):
            mine, theirs = waves.get(app), waves.get(other)
            if mine and theirs and max(theirs) > min(mine):
                found.append(
                    f"{app} starts in {strategy.waves[min(mine)].name} and needs {other} on all its clusters, "
                    f"the last of which are in {strategy.waves[max(theirs)].name}"
                )
    return tuple(found)
