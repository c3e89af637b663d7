# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the decision on one app, given what was decided before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.emco.edge.plugins.module_utils._hardware.fit import Fit
from ansible_collections.emco.edge.plugins.module_utils._placement.capacity import (
    Capacities,
    capacities,
    copies_of_app,
    preferences,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import (
    AppRequest,
    Chosen,
    Failure,
    Reason,
    RefusedSet,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.division import Share, divide
from ansible_collections.emco.edge.plugins.module_utils._placement.failure import failure_of
from ansible_collections.emco.edge.plugins.module_utils._placement.filters import (
    accounted,
    refused_by_rules,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import (
    ClusterSet,
    positions_in,
    set_of,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.normal_form import Group, NormalForm
from ansible_collections.emco.edge.plugins.module_utils._placement.scenery import Attempt, Held, Scenery
from ansible_collections.emco.edge.plugins.module_utils._placement.scores import Scene, Scores, scored
from ansible_collections.emco.edge.plugins.module_utils._placement.selection import Selection, Wish, select
from ansible_collections.emco.edge.plugins.module_utils._placement.spread import levels_of, without_domain


def attempt(app: AppRequest, scenery: Scenery, held: Held, placed: Mapping[str, ClusterSet]) -> Attempt:
    """The decision on an app that runs on ``held`` today, when the apps in ``placed`` are where that says.

    Fallback groups are tried in turn while it fails; if all fail, an app stays on clusters that are being drained
    rather than nowhere.
    """
    for position in held:
        scenery.apps_on[position] -= 1
    found = _through_tiers(app, scenery, held, placed, drains=True)
    if found.failure is not None and any(scenery.around.draining >> position & 1 for position in held):
        stays = _through_tiers(app, scenery, held, placed, drains=False)
        if stays.failure is None:
            kept = [at for at in stays.replicas if scenery.around.draining >> at & 1]
            names = ", ".join(map(str, scenery.fleet.refs(set_of(kept))))
            stays.warnings += (f"stays on {names}, which is being drained: no other cluster can take it",)
            found = stays
    return found


def _through_tiers(
    app: AppRequest, scenery: Scenery, held: Held, placed: Mapping[str, ClusterSet], *, drains: bool
) -> Attempt:
    form = scenery.form(app.intent)
    tries: list[Attempt] = []
    for tier in range(len(form.tiers) + 1):
        found = _Try(app, scenery, form, held, placed, tier, drains=drains).made()
        if found.failure is None and not found.shortage and not found.missing_clusters:
            return found
        tries.append(found)
    # Of those that put up with a shortage the smallest; else what was asked for first explains the failure, unless
    # tiers add up and the last of them has what came closest.
    accepted = [one for one in tries if one.failure is None]
    if accepted:
        return min(accepted, key=lambda one: (one.shortage, one.missing_clusters))
    return tries[-1 if form.elastic else 0]


class _Try:
    """One way through the rules: with the fallback groups up to ``tier``, draining clusters emptied or not."""

    def __init__(
        self,
        app: AppRequest,
        scenery: Scenery,
        form: NormalForm,
        held: Held,
        placed: Mapping[str, ClusterSet],
        tier: int,
        *,
        drains: bool,
    ) -> None:
        self.app, self.intent, self.scenery, self.form = app, app.intent, scenery, form
        self.fleet = scenery.fleet
        self.held, self.tier = held, tier
        self.copies = copies_of_app(app)
        self.refused = refused_by_rules(app, form, scenery.around, set_of(held), placed, drains=drains)
        for by, clusters in without_domain(self.intent.spread, self.fleet).items():
            message = f"it has no {by} to spread over"
            self.refused.append(_set(Reason.NO_DOMAIN, clusters, message))
        self.candidates = self._feasible_by_rules()
        self.capacities = self._capacities()
        self.feasible = self.candidates & ~_union(self.capacities.refused)
        self.scores = self._scores()

    def _feasible_by_rules(self) -> ClusterSet:
        wanted = self.form.first if self.tier == 0 else 0
        if self.tier and self._fills_up:
            wanted = self.form.first
        begin = 0 if self._fills_up else max(0, self.tier - 1)
        for clusters in self.form.tiers[begin : self.tier]:
            wanted |= clusters
        later = 0
        for clusters in self.form.tiers:
            later |= clusters
        later &= ~wanted
        self.refused.append(_set(Reason.FALLBACK_NOT_NEEDED, later, "its fallback group is not needed"))
        return wanted & ~_union(self.refused)

    @property
    def _fills_up(self) -> bool:
        """Whether a fallback group adds to those before it, instead of taking their place."""
        return self.form.elastic or bool(self.form.groups and not self.form.pool and not self.form.required)

    def _capacities(self) -> Capacities:
        has_estimate = self.scenery.ledger.has_estimates
        if self.copies.nothing and self.intent.replicas is None and not has_estimate:
            return Capacities({}, {})
        return capacities(self.app, self.copies, self.scenery.ledger, positions_in(self.candidates), self.held)

    def _scores(self) -> Scores:
        positions = positions_in(self.feasible)
        wished = preferences(self.app, self.copies, self.scenery.ledger, positions)
        rule = self.intent.replicas
        wanted = rule.total if rule is not None and rule.divide == "duplicated" else 1
        scene = Scene(self.fleet, self.scenery.ledger, self.scenery.apps_on, self.held, wished, self.copies, wanted)
        avoided = self.scenery.around.untolerated(self.intent.tolerations)["PreferNoSelect"] & self.feasible
        return scored(self.intent, positions, scene, avoided)

    def _ordered(self) -> list[int]:
        """The feasible clusters, best first: what runs there, earlier tiers, higher scores, then by name."""
        scores = self.scores.by_position
        ordered = sorted(self.scores.positions, key=scores.__getitem__, reverse=True)
        if self.tier:
            ordered.sort(key=self._tier_of)
        if self.held and not self.scenery.rebalance:
            ordered.sort(key=lambda position: position not in self.held)
        return ordered

    def _tier_of(self, position: int) -> int:
        if self.form.first >> position & 1:
            return 0
        return next(index for index, clusters in enumerate(self.form.tiers, start=1) if clusters >> position & 1)

    def made(self) -> Attempt:
        wish = self._wish()
        selection = select(wish)
        replicas, shortage = self._divided(selection, wish)
        fits = {**self.capacities.fits, **self._fits_of_chosen(replicas)}
        failure, missing = failure_of(self, wish, selection, shortage)
        taken = {position: replicas[position] for position in sorted(replicas)}
        return Attempt(
            copies=self.copies,
            held=self.held,
            replicas=taken,
            chosen=lambda: self._explained(selection, taken, fits),
            refused=tuple(self._accounted(selection, taken)),
            shortage=self._in_replicas(shortage, missing),
            missing_clusters=missing,
            failure=failure,
            warnings=(*self.form.warnings, *self._fewer_clusters(wish, missing, failure)),
            fits=fits,
        )

    def _in_replicas(self, shortage: int, missing: int) -> int:
        """What is short: replicas where the intent asks for some, clusters where it does not."""
        rule = self.intent.replicas
        if rule is None:
            return missing
        return shortage + (missing * rule.total if rule.divide == "duplicated" else 0)

    @staticmethod
    def _fewer_clusters(wish: Wish, missing: int, failure: Failure | None) -> tuple[str, ...]:
        if not missing or failure is not None:
            return ()
        return (f"runs on {wish.least - missing} of the {wish.least} clusters it should run on; no other can take it",)

    def _fits_of_chosen(self, replicas: Mapping[int, int | None]) -> dict[int, Fit]:
        """How the app fits where a quick look was enough to choose."""
        if self.copies.nothing or self.intent.replicas is not None:
            return {}
        unseen = [at for at in replicas if at not in self.capacities.fits and at not in self.held]
        return {position: self.scenery.ledger.fit(position, self.copies, 1) for position in unseen}

    def _wish(self) -> Wish:
        form, feasible, replicas = self.form, self.feasible, self.intent.replicas
        flat = self.tier > 0
        least, most = form.bounds(feasible.bit_count())
        if flat and not form.elastic and self._fills_up:
            least = most = 1
        for spread in self.intent.spread:
            if spread.is_per_cluster and spread.when == "refuse":
                least = max(least, spread.min_domains or 0)
                most = most if spread.max_domains is None else min(most, spread.max_domains)
        elastic = form.elastic or (flat and self._fills_up) or any(one.is_per_cluster for one in self.intent.spread)
        divided = replicas is not None and replicas.divide != "duplicated"
        return Wish(
            ordered=self._ordered(),
            scores=self.scores.by_position,
            required=() if flat else tuple(at for at in form.required if feasible >> at & 1),
            groups=() if flat else tuple(_within(form.groups, feasible)),
            pool=feasible if flat else form.pool & feasible,
            elastic=elastic,
            least=least,
            most=most,
            levels=levels_of(self.intent.spread, self.fleet, positions_in(feasible)),
            need=replicas.total if replicas is not None and divided else None,
            limits=self.capacities.limits,
            held=None if self.scenery.rebalance else frozenset(self.held),
        )

    def _divided(self, selection: Selection, wish: Wish) -> tuple[dict[int, int | None], int]:
        rule = self.intent.replicas
        if rule is None:
            return dict.fromkeys(selection.taken), 0
        limits = self.capacities.limits
        if rule.divide == "duplicated":
            full = {at: _least(rule.total, limits.get(at)) for at in selection.taken}
            return dict(full), sum(rule.total - count for count in full.values())
        order = [position for position in wish.ordered if position in selection.taken]
        shares = [self._share(position) for position in order]
        skews = [one.max_skew for one in self.intent.spread if one.is_per_cluster and one.max_skew is not None]
        counts = divide(
            rule.total, shares, rule.divide, rebalance=self.scenery.rebalance, skew=min(skews, default=None)
        )
        return {at: count for at, count in counts.items() if count}, rule.total - sum(counts.values())

    def _share(self, position: int) -> Share:
        rule = self.intent.replicas
        if rule is None:
            raise RuntimeError("rule is there")
        matching = [one for one in rule.weights if self.fleet.named_by(one) >> position & 1]
        heaviest = max(matching, key=lambda one: one.weight, default=None)
        least = heaviest.min if heaviest is not None and heaviest.min is not None else rule.min
        most = heaviest.max if heaviest is not None and heaviest.max is not None else rule.max
        limit = self.capacities.limits.get(position)
        return Share(
            position,
            weight=heaviest.weight if heaviest is not None else 1,
            held=self.held.get(position) or 0,
            least=least or 0,
            most=limit if most is None else _least(most, limit),
            tier=self._tier_of(position) if self.tier else 0,
        )

    def _accounted(self, selection: Selection, taken: Mapping[int, int | None]) -> list[RefusedSet]:
        rest = self.feasible & ~set_of(taken)
        idle = set_of(at for at in selection.taken if at not in taken)
        spread = set_of(selection.spread_out) & rest & ~idle
        lowest = min((self._score(at) for at in taken), default=0)
        more = (
            RefusedSet(Reason.NO_REPLICAS, idle, lambda _at: ("no replica is left for it", {})),
            RefusedSet(Reason.SPREAD, spread, lambda at: (self._why_spread(at), {})),
            RefusedSet(
                Reason.LOWER_SCORE,
                rest & ~idle & ~spread,
                lambda at: (self._why_lower(at, lowest), {"score": self._score(at), "lowest_chosen": lowest}),
            ),
        )
        return accounted([*self.refused, *self.capacities.refused, *more])

    def _why_lower(self, position: int, lowest: int) -> str:
        score = self._score(position)
        if score < lowest:
            return f"others were preferred: its score is {score}, the lowest chosen has {lowest}"
        return f"enough are chosen, and it comes later: its score is {score}"

    def _why_spread(self, position: int) -> str:
        keys = ", ".join(f"{one.by} {self._domain(one.by, position)}" for one in self.intent.spread)
        return f"one more in {keys} would be too many"

    def _domain(self, by: str, position: int) -> str:
        if by == "cluster":
            return str(self.fleet.clusters[position].ref)
        levels = levels_of([one for one in self.intent.spread if one.by == by], self.fleet, [position])
        return str(levels[0].domains.get(position, "")) if levels else ""

    def _score(self, position: int) -> int:
        return round(self.scores.by_position.get(position, 0.0))

    def _explained(
        self, selection: Selection, taken: Mapping[int, int | None], fits: Mapping[int, Fit]
    ) -> tuple[Chosen, ...]:
        index = {position: at for at, position in enumerate(self.scores.positions)}
        found = []
        for position, replicas in taken.items():
            parts = self.scores.of(index[position])
            if self.scores.avoided >> position & 1:
                parts["taint"] = -100
            group = selection.taken.get(position) or self.form.numbers.get(position, 1)
            fit = fits.get(position)
            chosen = Chosen(
                self.fleet.clusters[position].ref,
                replicas,
                round(self.scores.totals[index[position]]),
                self._why(position, parts, selection),
                group,
                parts,
                fit.verdict if fit is not None else "unknown",
            )
            found.append(chosen)
        return tuple(sorted(found, key=lambda one: (one.group, one.cluster)))

    def _why(self, position: int, parts: Mapping[str, int], selection: Selection) -> str:
        score = ", ".join(f"{name} {value}" for name, value in parts.items())
        if position in self.form.required:
            lead = "the intent requires it"
        elif position in self.held:
            lead = "the app runs there already"
        elif self.tier and self._tier_of(position):
            lead = f"fallback group {self._tier_of(position)}"
        elif selection.taken.get(position):
            lead = f"best of group {selection.taken[position]}"
        elif self.form.elastic:
            lead = f"among the best of {len(self.scores.positions)} that can take it"
        else:
            lead = "the intent means every such cluster"
        return f"{lead}; {score}" if score else lead


def _within(groups: Sequence[Group], feasible: ClusterSet) -> list[Group]:
    return [Group(group.number, tuple(leaf & feasible for leaf in group.listed)) for group in groups]


def _least(count: int, limit: int | None) -> int:
    return count if limit is None else min(count, limit)


def _set(reason: Reason, clusters: ClusterSet, message: str) -> RefusedSet:
    return RefusedSet(reason, clusters, lambda _position: (message, {}))


def _union(refused: Sequence[RefusedSet]) -> ClusterSet:
    total = 0
    for one in refused:
        total |= one.clusters
    return total
