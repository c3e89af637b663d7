# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: decisions for results and for the console."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._placement.decision import Chosen, Decision, Placement

_SHOWN = 20


def as_result(decision: Decision, explain: bool = False) -> dict[str, Any]:
    """The decision as ``decisions.<app>`` of a result.

    ``{chosen: [{cluster, replicas, score, why, group}], refused: {<reason>: {count, example, message}}, shortage}``
    and, where there is something to say, ``missing_clusters`` (how many more it should run on), ``nearest: {cluster,
    lacks}`` and ``moved: [{from, to, why}]``. With ``explain`` also ``rejected``: every cluster that is not chosen, and
    the parts of each score.
    """
    found: dict[str, Any] = {
        "chosen": [_chosen(one, explain) for one in decision.chosen],
        "refused": {
            reason: {"count": count, "example": str(example.cluster), "message": example.message}
            for reason, count, example in decision.grouped()
        },
        "shortage": decision.shortage,
    }
    if explain:
        found["rejected"] = [
            {
                "cluster": str(refusal.cluster),
                "reason": refusal.reason,
                "message": refusal.message,
                **({"numbers": dict(refusal.numbers)} if refusal.numbers else {}),
            }
            for refusal in decision.refusals
        ]
    if decision.missing_clusters:
        found["missing_clusters"] = decision.missing_clusters
    if decision.nearest is not None:
        found["nearest"] = {"cluster": str(decision.nearest.cluster), "lacks": decision.nearest.lacks}
    if decision.moved:
        found["moved"] = [
            {"from": str(one.source), "to": [str(ref) for ref in one.to], "why": one.why} for one in decision.moved
        ]
    return found


def _chosen(chosen: Chosen, explain: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "cluster": str(chosen.cluster),
        "replicas": chosen.replicas,
        "score": chosen.score,
        "why": chosen.why,
        "group": chosen.group,
    }
    if explain:
        found["scores"] = dict(chosen.parts)
        found["fit"] = chosen.fit
    return found


def table(placement: Placement, *, explain: Iterable[str] = (), shown: int = _SHOWN) -> str:
    """The decisions as text for the console: what is chosen, why the rest is not, what fails.

    ``shown`` limits the lines of one app; ``explain`` names apps whose refused clusters are all listed.
    """
    in_full = set(explain)
    blocks = []
    for app, decision in placement.decisions.items():
        lines = [_headline(app, decision)]
        rows = [("", "cluster", "replicas", "score", "why")]
        limit = len(decision.chosen) if app in in_full else shown
        for one in decision.chosen[:limit]:
            replicas = "-" if one.replicas is None else str(one.replicas)
            rows.append(("+", str(one.cluster), replicas, str(one.score), one.why))
        if app in in_full:
            rows += [("-", str(one.cluster), "", "", f"{one.reason}: {one.message}") for one in decision.refusals]
        lines += _aligned(rows) if len(rows) > 1 else []
        if len(decision.chosen) > limit:
            lines.append(f"  + {len(decision.chosen) - limit} more")
        if app not in in_full:
            lines += [
                f"  - {count:>5}  {reason}: {example.message} ({example.cluster})"
                for reason, count, example in decision.grouped()
            ]
        lines += [
            f"  > leaves {one.source} for {', '.join(map(str, one.to)) or 'nothing'}: {one.why}"
            for one in decision.moved
        ]
        lines += [f"  ! {text}" for text in decision.warnings]
        blocks.append("\n".join(lines))
    blocks += [f"! {failure.message} {failure.hint}".rstrip() for failure in placement.failures]
    return "\n".join(blocks)


def _headline(app: str, decision: Decision) -> str:
    refused = sum(count for _reason, count, _example in decision.grouped())
    text = f"{app}: {len(decision.chosen)} of {len(decision.chosen) + refused} clusters"
    return f"{text}, {decision.shortage} short" if decision.shortage else text


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
