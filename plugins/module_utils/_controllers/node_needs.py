# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: conditions on nodes, written as node selector or node affinity of a pod."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_values import ABSENT
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import amount
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import (
    All,
    AnyOf,
    Expression,
    Not,
    Op,
    Selector,
    Term,
)

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
MatchExpression = dict[str, Any]


def write(spec: dict[str, Any], wanted: Selector, nodes: Sequence[Node]) -> None:
    """Write conditions on the node's labels into a pod spec, besides those that it has.

    ``key = value`` becomes a node selector, the rest a node affinity. What a node affinity cannot express (versions,
    quantities) becomes the list of the values that satisfy it on ``nodes``.
    """
    terms = _alternatives(wanted.expression, nodes, negated=False)
    if len(terms) == 1:
        simple = [one for one in terms[0] if one["operator"] == "In" and len(one["values"]) == 1]
        selector = spec.get("nodeSelector") or {}
        if all(selector.get(one["key"], one["values"][0]) == one["values"][0] for one in simple):
            if simple:
                spec["nodeSelector"] = {**selector, **{one["key"]: one["values"][0] for one in simple}}
            terms = [[one for one in terms[0] if one not in simple]]
        if not terms[0]:
            return
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {}).setdefault(_REQUIRED, {})
    there = affinity.get("nodeSelectorTerms") or [{}]
    # Terms are alternatives, so what is wanted besides goes into each of them.
    affinity["nodeSelectorTerms"] = [
        {**term, "matchExpressions": _joined(term.get("matchExpressions") or [], more)}
        for term, more in product(there, terms)
    ]


def _joined(there: list[MatchExpression], more: list[MatchExpression]) -> list[MatchExpression]:
    return [*there, *(one for one in more if one not in there)]


def _alternatives(expression: Expression, nodes: Sequence[Node], *, negated: bool) -> list[list[MatchExpression]]:
    """The expression as alternatives of conditions that all hold."""
    if isinstance(expression, Term):
        return [[_condition(expression, nodes, negated=negated)]]
    if isinstance(expression, Not):
        return _alternatives(expression.of, nodes, negated=not negated)
    parts = [_alternatives(one, nodes, negated=negated) for one in expression.of]
    if isinstance(expression, AnyOf) is not negated:
        return [alternative for part in parts for alternative in part]
    if not isinstance(expression, (All, AnyOf)):
        raise RuntimeError("what kind it is was asked before")
    return [[one for chosen in combination for one in chosen] for combination in product(*parts)]


def _condition(term: Term, nodes: Sequence[Node], *, negated: bool) -> MatchExpression:
    key = term.key.name if term.key.source == "labels" else term.key.written
    if term.op is Op.EXISTS:
        return {"key": key, "operator": "DoesNotExist" if negated else "Exists"}
    if term.by_text:
        says_in = (term.op is Op.IN) is not negated
        return {"key": key, "operator": "In" if says_in else "NotIn", "values": list(term.values)}
    if term.op in (Op.ABOVE, Op.BELOW) and term.values[0].isdigit() and not negated:
        return {"key": key, "operator": "Gt" if term.op is Op.ABOVE else "Lt", "values": [term.values[0]]}
    if term.op in (Op.AT_LEAST, Op.AT_MOST) and term.values[0].isdigit() and not negated:
        step = -1 if term.op is Op.AT_LEAST else 1
        operator = "Gt" if term.op is Op.AT_LEAST else "Lt"
        return {"key": key, "operator": operator, "values": [str(int(term.values[0]) + step)]}
    found = {node.labels[key] for node in nodes if key in node.labels}
    values = sorted(value for value in found if term.holds(value) is not negated)
    if negated and term.holds(ABSENT):
        return {"key": key, "operator": "NotIn", "values": sorted(found - set(values)) or list(term.values)}
    return {"key": key, "operator": "In", "values": values or list(term.values)}


def is_extended(resource: str) -> bool:
    """Whether a resource is a device plugin's (``example.com/accelerator``)."""
    prefix, slash, _name = resource.partition("/")
    return bool(slash) and not prefix.endswith("kubernetes.io")


def lift_limits(resources: dict[str, Any]) -> None:
    """Limits below a request would be refused by the API server: they rise to the request."""
    limits = resources.get("limits") or {}
    for name, quantity in (resources.get("requests") or {}).items():
        if name in limits and amount(name, str(limits[name])) < amount(name, str(quantity)):
            limits[name] = quantity
