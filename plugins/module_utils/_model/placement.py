# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the placement intent of an app, as the planner takes it.

``parse_intent`` reads the surface's form and EMCO's intent JSON (``allOf``, ``anyOf``), ``parse_placement`` a whole
``placement:`` option over the apps of a composite app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeVar

from ansible_collections.emco.edge.plugins.module_utils._model import options, quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.emco_placement import is_emco_form, native_intent
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.placement_rules import (
    Replicas,
    Score,
    Spread,
    Toleration,
)
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Label, Selector

T = TypeVar("T")


def _listed(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """A parser of a list (or comma separated text) of what ``read`` reads."""

    def read_all(raw: Any) -> tuple[T, ...]:
        items = [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw
        if not isinstance(items, (list, tuple)):
            raise ValueError(f"{raw!r} is not a list")
        return tuple(read(item) for item in items)

    return read_all


@dataclass(frozen=True)
class Leaf:
    """Clusters by name, label or selector; ``provider`` limits a label or selector to one provider's clusters."""

    cluster: ClusterRef | None = option(parse=ClusterRef.parse, type="str")
    label: Label | None = option(parse=Label.parse, type="str")
    selector: Selector | None = option(parse=Selector.parse, type="str")
    provider: str | None = option()

    def problems(self, path: str) -> Iterable[Problem]:
        """A leaf says exactly one thing."""
        given = [name for name in ("cluster", "label", "selector") if getattr(self, name) is not None]
        if len(given) != 1:
            said = "nothing" if not given else " and ".join(given)
            yield Problem(path, f"needs exactly one of cluster, label and selector, not {said}")

    @property
    def is_of_several(self) -> bool:
        """Whether it means all clusters with a label or selector, of every provider."""
        return self.provider is None and (self.label is not None or self.selector is not None)

    def __str__(self) -> str:
        if self.cluster is not None:
            return str(self.cluster)
        return str(self.label) if self.label is not None else str(self.selector)


@dataclass(frozen=True)
class Branch(Leaf):
    """An item of ``all_of``: a leaf, one of several leaves, or both."""

    any_of: tuple[Leaf, ...] = option(default=())

    def problems(self, path: str) -> Iterable[Problem]:
        """A branch with an any_of needs no leaf of its own."""
        given = any(one is not None for one in (self.cluster, self.label, self.selector))
        if given or not self.any_of:
            yield from super().problems(path)

    @property
    def has_leaf(self) -> bool:
        """Whether the item names clusters besides its any_of."""
        return self.cluster is not None or self.label is not None or self.selector is not None


@dataclass(frozen=True)
class Fallback(Leaf):
    """A next group of clusters, taken when those before cannot hold the app."""

    clusters: tuple[ClusterRef, ...] = option(default=(), parse=_listed(ClusterRef.parse), type="list", elements="str")
    any_of: tuple[Leaf, ...] = option(default=())

    def problems(self, path: str) -> Iterable[Problem]:
        """A fallback says exactly one thing."""
        given = [name for name in ("cluster", "label", "selector") if getattr(self, name) is not None]
        given += [name for name in ("clusters", "any_of") if getattr(self, name)]
        if len(given) != 1:
            said = "nothing" if not given else " and ".join(given)
            yield Problem(path, f"needs exactly one of cluster, label, selector, clusters and any_of, not {said}")


@dataclass(frozen=True)
class Count:
    """How many clusters: whole numbers or fractions of the candidates (rounded up); None means all there are."""

    minimum: int | Fraction | None = None
    maximum: int | Fraction | None = None

    @classmethod
    def parse(cls, raw: Any) -> Count:
        """``3``, ``25%`` or ``{min: 2, max: 5}``; ValueError for anything else, for zero and for min above max."""
        if not isinstance(raw, Mapping):
            exactly = quantities.percentage(raw)
            if exactly == 0:
                raise ValueError("a count of 0 would place the app nowhere; leave the app out instead")
            return cls(exactly, exactly)
        unknown = [str(key) for key in raw if key not in ("min", "max")]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is not known; a count is a number, a percentage or {{min, max}}")
        low, high = (None if raw.get(key) is None else quantities.percentage(raw[key]) for key in ("min", "max"))
        if high is not None and high == 0:
            raise ValueError("a max of 0 would place the app nowhere")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            raise ValueError(f"min {low} is above max {high}")
        return cls(low, high)


def _requests(raw: Any) -> dict[str, int]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{raw!r} is not a dictionary of resource and quantity")
    found = {str(name): quantities.amount(str(name), quantity) for name, quantity in raw.items()}
    negative = [name for name, value in found.items() if value < 0]
    if negative:
        raise ValueError(f"{negative[0]} is negative")
    return found


SILENT_AFTER = 300.0
"""Seconds of silence after which a cluster gets nothing new, and gives up an app that says replace and no time."""


@dataclass(frozen=True)
class OnUnreachable:
    """What becomes of an app where the cluster that runs it is silent: it stays, or goes elsewhere some time ``after``.

    Whatever it says, nothing is deleted on a cluster before that answers again.
    """

    replace: bool = False
    after: float = SILENT_AFTER
    """Seconds."""

    @classmethod
    def parse(cls, raw: Any) -> OnUnreachable:
        """``keep``, ``replace`` or ``{after: 30m, replace: true}``; ValueError for anything else."""
        if raw in ("keep", "replace"):
            return cls(raw == "replace")
        if not isinstance(raw, Mapping) or "replace" not in raw or not set(raw) <= {"after", "replace"}:
            raise ValueError(f"{raw!r} must be keep, replace, or {{after: 30m, replace: true}}")
        replace = str(raw["replace"]).lower() in ("true", "yes")
        if not replace and str(raw["replace"]).lower() not in ("false", "no"):
            raise ValueError(f"replace: {raw['replace']!r} must be true or false")
        if "after" in raw and not replace:
            raise ValueError("after has a meaning with replace: true only")
        return cls(replace, quantities.seconds(raw.get("after", SILENT_AFTER)))


@dataclass(frozen=True)
class PlacementIntent:
    """Where an app may run, where it should, and on how many clusters; by default everywhere."""

    clusters: tuple[ClusterRef, ...] = option(default=(), parse=_listed(ClusterRef.parse), type="list", elements="str")
    label: Label | None = option(parse=Label.parse, type="str")
    selector: Selector | None = option(parse=Selector.parse, type="str")
    all_of: tuple[Branch, ...] = option(default=())
    any_of: tuple[Leaf, ...] = option(default=())
    exclude: tuple[Leaf, ...] = option(default=())
    tolerations: tuple[Toleration, ...] = option(default=())
    count: Count | None = option(parse=Count.parse, type="raw")
    spread: tuple[Spread, ...] = option(default=())
    together_with: tuple[str, ...] = option(default=(), aliases=("with",))
    apart_from: tuple[str, ...] = option(default=())
    score: tuple[Score, ...] = option(default=())
    replicas: Replicas | None = option()
    mode: Literal["additive", "exact"] = option(default="additive")
    fallback: tuple[Fallback, ...] = option(default=())
    requests: Mapping[str, int] | None = option(parse=_requests, type="dict")
    """What one replica asks for, where nothing is rendered that would say so."""
    on_unreachable: OnUnreachable = option(
        default=OnUnreachable(), parse=OnUnreachable.parse, type="raw", spec_default="keep"
    )

    def problems(self, path: str) -> Iterable[Problem]:
        """Contradictions within one intent."""
        named = {branch.cluster: f"all_of[{index}]" for index, branch in enumerate(self.all_of) if branch.cluster}
        named.update(dict.fromkeys(self.clusters, "clusters"))
        for index, leaf in enumerate(self.exclude):
            if leaf.cluster in named:
                where = join(path, f"exclude[{index}]")
                yield Problem(where, f"{leaf.cluster} is both required ({named[leaf.cluster]}) and excluded")
        meant = {str(branch): f"all_of[{index}]" for index, branch in enumerate(self.all_of) if branch.is_of_several}
        for index, leaf in enumerate(self.exclude):
            if leaf.is_of_several and str(leaf) in meant:
                where = join(path, f"exclude[{index}]")
                yield Problem(where, f"{leaf} is both required ({meant[str(leaf)]}) and excluded")
        literal = {branch.cluster for branch in self.all_of if branch.cluster}
        most = self.count.maximum if self.count else None
        if isinstance(most, int) and most < len(literal):
            yield Problem(join(path, "count"), f"{most} is less than the {len(literal)} clusters that all_of names")
        for index, spread in enumerate(self.spread):
            if isinstance(most, int) and spread.when == "refuse" and (spread.min_domains or 0) > most:
                where = join(path, f"spread[{index}].min_domains")
                yield Problem(
                    where, f"{spread.min_domains} values of {spread.by} need as many clusters, count is {most}"
                )
        both = sorted(set(self.together_with) & set(self.apart_from))
        if both:
            yield Problem(join(path, "apart_from"), f"{', '.join(both)} is in both with and apart_from")
        if self.mode == "exact" and not self.score:
            yield Problem(join(path, "mode"), "exact uses only the scores given, and none is")
        weights = [score.weight for score in self.score]
        if weights and sum(weights) == 0:
            yield Problem(join(path, "score"), "the weights sum to zero")


def parse_intent(raw: Any, path: str, problems: Problems) -> PlacementIntent | None:
    """The intent of ``raw``, in the surface's form or as EMCO's ``{allOf: [...], anyOf: [...]}``.

    None (nothing given) and {} mean all clusters. Returns None when something is wrong; all of it is in ``problems``.
    """
    if raw is None:
        return PlacementIntent()
    if is_emco_form(raw):
        raw = native_intent(raw, path, problems)
        if raw is None:
            return None
    return options.parse(PlacementIntent, raw, path, problems)


def parse_placement(
    raw: Mapping[str, Any] | None, apps: Sequence[str], path: str, problems: Problems
) -> dict[str, PlacementIntent]:
    """The intent of every app from a ``placement:`` option, ``default`` standing for apps that are not named."""
    raw = raw or {}
    intents: dict[str, PlacementIntent] = {}
    for name in raw:
        if name != "default" and name not in apps:
            problems.add(join(path, str(name)), f"there is no app {name!r}", near(str(name), apps))
    if "default" in raw:
        default = parse_intent(raw["default"], join(path, "default"), problems)
    for app in apps:
        if app in raw:
            intent = parse_intent(raw[app], join(path, app), problems)
        elif "default" in raw:
            intent = default
        else:
            problems.add(path, f"app {app!r} has no placement intent", f"add placement.{app} or placement.default")
            continue
        if intent is not None:
            intents[app] = intent
    problems.extend(affinity_problems(intents, apps, path))
    return intents


def affinity_problems(intents: Mapping[str, PlacementIntent], apps: Iterable[str], path: str) -> Iterable[Problem]:
    """Apps named in ``with`` and ``apart_from`` that do not exist, and cycles among those that do."""
    known = set(apps)
    after = {app: (*intent.together_with, *intent.apart_from) for app, intent in intents.items()}
    for app in sorted(after):
        for key, named in (("with", intents[app].together_with), ("apart_from", intents[app].apart_from)):
            for other in named:
                if other not in known:
                    yield Problem(join(path, f"{app}.{key}"), f"there is no app {other!r}", near(other, known))
    for cycle in _cycles(after):
        yield Problem(join(path, cycle[0]), f"with and apart_from go in a circle: {' -> '.join(cycle)}")


def _cycles(after: Mapping[str, Sequence[str]]) -> Iterable[tuple[str, ...]]:
    """One cycle for each knot in a graph, each starting with its first app by name."""
    done: set[str] = set()
    for start in sorted(after):
        trail: list[str] = []
        pending: list[tuple[str, int]] = [(start, 0)]
        while pending:
            node, depth = pending.pop()
            del trail[depth:]
            if node in trail:
                yield (*trail[trail.index(node) :], node)
                continue
            if node in done:
                continue
            trail.append(node)
            following = [other for other in after.get(node, ()) if other in after]
            pending.extend((other, depth + 1) for other in sorted(following, reverse=True))
            if not following:
                done.add(node)
        done.update(trail)
        done.add(start)
