# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a rollout for people: counters while it goes, a timeline when it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._rollout.progress import FAILURES, FINAL, Phase, Progress
from ansible_collections.emco.edge.plugins.module_utils._rollout.strategy import Strategy, Wave

_SHOWN = (
    ("ready", {Phase.SUCCEEDED}),
    ("working", {Phase.WORKING, Phase.PROVING}),
    ("soaking", {Phase.SOAKING}),
    ("pending", {Phase.PENDING}),
    ("failed", FAILURES),
    ("deferred", {Phase.DEFERRED}),
    ("silent", {Phase.SILENT}),
    ("rolling back", {Phase.BACKING_OUT}),
    ("rolled back", {Phase.BACKED_OUT}),
    ("stuck", {Phase.STUCK}),
    ("to come", {Phase.WAITING, Phase.PROBING, Phase.ANSWERING}),
)
_ALWAYS = ("ready",)


def counters(strategy: Strategy, progress: Progress) -> str:
    """One line: ``wave 2 of 3 (north): 12 of 40 ready, 4 working, 1 failed, 23 to come``."""
    if not strategy.waves:
        return "no clusters"
    number, wave = _current(strategy, progress)
    lead = f"wave {number} of {len(strategy.waves)} ({wave.name}): " if len(strategy.waves) > 1 else ""
    refs = strategy.clusters if progress.backing_out else wave.clusters
    counted = _counted(progress, refs)
    parts = [
        f"{count} of {len(refs)} {word}" if word in _ALWAYS else f"{count} {word}"
        for word, count in counted.items()
        if count or word in _ALWAYS
    ]
    return lead + ", ".join(parts)


def timeline(strategy: Strategy, progress: Progress) -> list[dict[str, Any]]:
    """What happened, oldest first: each wave with its counts, and each mark.

    Times are seconds since the epoch; the end of a wave is None while it goes.
    """
    entries = [entry for wave in strategy.waves if (entry := _wave_entry(wave, progress)) is not None]
    for mark in progress.marks:
        told = {"at": mark.at, "event": mark.what, "wave": mark.wave, "message": mark.words}
        entries.append({key: value for key, value in told.items() if value != ""})
    return sorted(entries, key=lambda entry: float(entry["at"]))


def _wave_entry(wave: Wave, progress: Progress) -> dict[str, Any] | None:
    states = [progress.clusters[ref] for ref in wave.clusters]
    began = [one.started for one in states if one.started is not None]
    if not began:
        return None
    done = all(one.phase in FINAL or one.phase in (Phase.BACKED_OUT, Phase.STUCK) for one in states)
    counted = _counted(progress, wave.clusters)
    return {
        "at": min(began),
        "event": "wave",
        "wave": wave.name,
        "until": max(one.since for one in states) if done else None,
        "clusters": len(states),
        **{word.replace(" ", "_"): count for word, count in counted.items() if count},
    }


def _counted(progress: Progress, refs: Iterable[Any]) -> dict[str, int]:
    phases = Counter(progress.clusters[ref].phase for ref in refs)
    return {word: sum(phases[phase] for phase in among) for word, among in _SHOWN}


def _current(strategy: Strategy, progress: Progress) -> tuple[int, Wave]:
    for number, wave in enumerate(strategy.waves, 1):
        if any(progress.clusters[ref].phase not in FINAL for ref in wave.clusters):
            return number, wave
    return len(strategy.waves), strategy.waves[-1]
