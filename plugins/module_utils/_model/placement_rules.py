# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the parts of a placement intent: tolerations, spread, scores and replicas."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef, Taint
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_values import Key
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import seconds
from ansible_collections.emco.edge.plugins.module_utils._model.selector_tokens import Token, known_key
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Label, Selector

jmespath: Any = None
with contextlib.suppress(ImportError):  # only a score by query needs it
    import jmespath


def _whole(least: int) -> Any:
    def read(raw: Any) -> int:
        try:
            value = int(str(raw))
        except ValueError:
            raise ValueError(f"{raw!r} is not a whole number") from None
        if value < least:
            raise ValueError(f"{value} is below {least}")
        return value

    return read


def _weight(raw: Any) -> float:
    try:
        value = float(raw)
    except (TypeError, ValueError):
        raise ValueError(f"{raw!r} is not a number") from None
    if not 0 <= value < float("inf"):
        raise ValueError(f"{raw!r} is not a weight; weights are numbers from 0 (order: asc turns a score round)")
    return value


def key_named(text: str) -> Key:
    """The key of a spread or score: a label unless it starts with kv., facts., labels. or cluster.; ValueError."""
    if not isinstance(text, str) or not text.strip() or any(sign in text for sign in ",()=!<> "):
        raise ValueError(f"{text!r} is not a key such as region, kv.site.rack or facts.version")
    return known_key(text, Token("word", text, 0))


@dataclass(frozen=True)
class Toleration:
    """A taint of clusters that the app puts up with, for ``toleration_seconds`` if given (counted from the taint)."""

    key: str = option(default="")
    operator: Literal["Equal", "Exists"] = option(default="Equal")
    value: str = option(default="")
    effect: Literal["NoSelect", "NoSelectIfNew", "PreferNoSelect"] | None = option()
    toleration_seconds: float | None = option(parse=seconds, type="raw")

    def problems(self, path: str) -> Iterable[Problem]:
        """The rules that Kubernetes has for tolerations."""
        if not self.key and self.operator != "Exists":
            yield Problem(path, "if the key is empty, the operator must be Exists")
        if self.value and self.operator == "Exists":
            yield Problem(path, "if the operator is Exists, the value must be empty")

    def tolerates(self, taint: Taint, now: float) -> bool:
        """Whether this lets the app onto a cluster with ``taint``; a taint of unknown age is as good as new."""
        if self.key and self.key != taint.key:
            return False
        if self.effect is not None and self.effect != taint.effect:
            return False
        if self.operator == "Equal" and self.value != taint.value:
            return False
        if self.toleration_seconds is None or taint.added is None or taint.effect == "PreferNoSelect":
            return True
        return now - taint.added < self.toleration_seconds


@dataclass(frozen=True)
class Spread:
    """Spread over the values of a key, by the Kubernetes rule: count + 1 - smallest count <= max_skew."""

    by: str = option(required=True)
    max_skew: int | None = option(parse=_whole(1), type="int")
    """Default 1 where neither min_domains nor max_domains is given, else no limit."""
    min_domains: int | None = option(parse=_whole(1), type="int")
    max_domains: int | None = option(parse=_whole(1), type="int")
    when: Literal["refuse", "prefer"] = option(default="refuse")

    def problems(self, path: str) -> Iterable[Problem]:
        """A key that can be read, and bounds that can be met."""
        try:
            key_named(self.by)
        except ValueError as wrong:
            yield Problem(join(path, "by"), str(wrong))
        if self.min_domains and self.max_domains and self.min_domains > self.max_domains:
            yield Problem(path, f"min_domains {self.min_domains} is above max_domains {self.max_domains}")

    @property
    def is_per_cluster(self) -> bool:
        """``by: cluster`` bounds the number of clusters and how unevenly replicas lie on them."""
        return self.by == "cluster"

    @property
    def skew(self) -> int | None:
        """The largest skew allowed, None for any."""
        if self.max_skew is None and self.min_domains is None and self.max_domains is None:
            return 1
        return self.max_skew


@dataclass(frozen=True)
class Score:
    """One reason to prefer a cluster; each is brought to -100..100 over the candidates before it is weighted."""

    by: Literal["free", "fragmentation", "steady", "balance", "label", "kv", "facts", "hardware", "query"] = option(
        required=True
    )
    weight: float = option(default=1.0, parse=_weight, type="float")
    resource: str | None = option()
    key: str | None = option()
    query: str | None = option()
    order: Literal["asc", "desc"] = option(default="desc")
    """desc: the highest value is best; asc: the lowest is."""

    def problems(self, path: str) -> Iterable[Problem]:
        """What each kind of score needs besides its weight."""
        needs = {"free": "resource", "fragmentation": "resource", "label": "key", "kv": "key", "facts": "key"}
        needed = needs.get(self.by, "query" if self.by == "query" else None)
        if needed is not None and not getattr(self, needed):
            yield Problem(join(path, needed), f"is required for a score by {self.by}")
        elif self.by in ("label", "kv", "facts"):
            try:
                key_named(self.value_key)
            except ValueError as wrong:
                yield Problem(join(path, "key"), str(wrong))
        elif self.by == "query":
            yield from self._query_problems(path)

    def _query_problems(self, path: str) -> Iterable[Problem]:
        if jmespath is None:
            yield Problem(join(path, "query"), "needs the Python library jmespath on the control node")
            return
        try:
            jmespath.compile(self.query)
        except (jmespath.exceptions.JMESPathError, ValueError) as wrong:
            yield Problem(join(path, "query"), f"is not a jmespath query: {' '.join(str(wrong).split())}")

    @property
    def value_key(self) -> str:
        """The key of a score by label, kv or facts, as a selector writes it."""
        prefix = {"label": "labels.", "kv": "kv.", "facts": "facts."}.get(self.by, "")
        key = self.key or ""
        return key if key.startswith(prefix) else prefix + key

    @property
    def name(self) -> str:
        """How the score is called in explanations."""
        return " ".join(part for part in (self.by, self.resource or self.key or "") if part)


@dataclass(frozen=True)
class WeightRule:
    """How much of the replicas matching clusters get, and bounds for each of them."""

    cluster: ClusterRef | None = option(parse=ClusterRef.parse, type="str")
    label: Label | None = option(parse=Label.parse, type="str")
    selector: Selector | None = option(parse=Selector.parse, type="str")
    provider: str | None = option()
    weight: int = option(default=1, parse=_whole(0), type="int")
    min: int | None = option(parse=_whole(0), type="int")
    max: int | None = option(parse=_whole(0), type="int")

    def problems(self, path: str) -> Iterable[Problem]:
        """A rule names its clusters in at most one way (none: all clusters)."""
        given = [name for name in ("cluster", "label", "selector") if getattr(self, name) is not None]
        if len(given) > 1:
            yield Problem(path, f"needs one of cluster, label and selector, not {' and '.join(given)}")
        if self.min is not None and self.max is not None and self.min > self.max:
            yield Problem(path, f"min {self.min} is above max {self.max}")


@dataclass(frozen=True)
class Replicas:
    """How replicas are divided over the chosen clusters; ``min`` and ``max`` hold for each cluster."""

    total: int = option(required=True, parse=_whole(0), type="int")
    divide: Literal["duplicated", "weighted", "capacity", "aggregated"] = option(default="duplicated")
    weights: tuple[WeightRule, ...] = option(default=())
    min: int | None = option(parse=_whole(0), type="int")
    max: int | None = option(parse=_whole(1), type="int")
    on_shortage: Literal["fail", "partial"] = option(default="fail")
    workloads: tuple[str, ...] = option(default=())
    """Names of the workloads that are divided; by default all of the app that have replicas."""

    def problems(self, path: str) -> Iterable[Problem]:
        """Bounds that can be met, and weights that give something to somebody."""
        if self.min is not None and self.max is not None and self.min > self.max:
            yield Problem(path, f"min {self.min} is above max {self.max}")
        if self.weights and self.divide != "weighted":
            yield Problem(join(path, "weights"), f"mean something only with divide: weighted, not {self.divide}")
        if self.weights and not any(rule.weight for rule in self.weights):
            yield Problem(join(path, "weights"), "the weights sum to zero")
