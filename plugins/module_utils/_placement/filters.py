# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which clusters an app may not use, and why, each rule over the whole fleet at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef, Taint
from ansible_collections.emco.edge.plugins.module_utils._model.placement_rules import Toleration
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector
from ansible_collections.emco.edge.plugins.module_utils._placement.decision import (
    AppRequest,
    Describe,
    Reason,
    RefusedSet,
)
from ansible_collections.emco.edge.plugins.module_utils._placement.fleet import ClusterSet, Fleet, set_of
from ansible_collections.emco.edge.plugins.module_utils._placement.normal_form import NormalForm


class Circumstances:
    """What filters know about the fleet besides an app's intent, worked out once for all apps."""

    def __init__(
        self, fleet: Fleet, *, now: float, members: frozenset[ClusterRef] | None, unreachable_after: float
    ) -> None:
        self.fleet = fleet
        self.now = now
        clusters = fleet.clusters
        self.members = (
            fleet.everyone
            if members is None
            else set_of(fleet.position[ref] for ref in members if ref in fleet.position)
        )
        self.cordoned = set_of(at for at, cluster in enumerate(clusters) if not cluster.schedulable)
        self.draining = set_of(at for at, cluster in enumerate(clusters) if cluster.draining)
        self.unreachable = self.silent_for(unreachable_after)
        taints: dict[Taint, list[int]] = {}
        for at, cluster in enumerate(clusters):
            for taint in cluster.taints:
                taints.setdefault(taint, []).append(at)
        self._taints = {taint: set_of(found) for taint, found in taints.items()}
        self._untolerated: dict[tuple[Toleration, ...], dict[str, ClusterSet]] = {}
        self._constraints: dict[str, tuple[Selector, ClusterSet]] | None = None
        self._serving: dict[str, ClusterSet] = {}
        self._api_lists: dict[tuple[str, ...], ClusterSet] | None = None

    def silent_for(self, seconds: float) -> ClusterSet:
        """The clusters that have not answered for so long."""
        return set_of(
            at
            for at, cluster in enumerate(self.fleet.clusters)
            if cluster.unreachable_since is not None and self.now - cluster.unreachable_since >= seconds
        )

    def untolerated(self, tolerations: tuple[Toleration, ...]) -> Mapping[str, ClusterSet]:
        """The clusters with a taint that is not tolerated, by the taint's effect."""
        found = self._untolerated.get(tolerations)
        if found is None:
            found = {"NoSelect": 0, "NoSelectIfNew": 0, "PreferNoSelect": 0}
            for taint, clusters in self._taints.items():
                if not any(one.tolerates(taint, self.now) for one in tolerations):
                    found[taint.effect] |= clusters
            self._untolerated[tolerations] = found
        return found

    def not_serving(self, api: str) -> ClusterSet:
        """The clusters whose facts say that they do not serve an API (``apps/v1/Deployment``)."""
        found = self._serving.get(api)
        if found is None:
            found = self._serving[api] = self._without(api)
        return found

    def without_network(self, network: str) -> ClusterSet:
        """The clusters that neither have a network nor are to get it."""
        return set_of(at for at, cluster in enumerate(self.fleet.clusters) if network not in cluster.networks)

    def _without(self, api: str) -> ClusterSet:
        if self._api_lists is None:
            lists: dict[tuple[str, ...], list[int]] = {}
            for at, cluster in enumerate(self.fleet.clusters):
                if cluster.facts is not None and cluster.facts.apis:
                    lists.setdefault(cluster.facts.apis, []).append(at)
            self._api_lists = {apis: set_of(found) for apis, found in lists.items()}
        group_version = api.rpartition("/")[0]
        found = 0
        for apis, clusters in self._api_lists.items():
            if api in apis:
                continue
            # A list that names no kind of this version at all knows versions only.
            knows_kinds = any(one.startswith(f"{group_version}/") for one in apis)
            if group_version not in apis or knows_kinds:
                found |= clusters
        return found

    def refusing(self, labels: Mapping[str, str]) -> ClusterSet:
        """The clusters whose constraints an app with these labels does not satisfy."""
        if self._constraints is None:
            texts: dict[str, list[int]] = {}
            for at, cluster in enumerate(self.fleet.clusters):
                if cluster.constraints:
                    texts.setdefault(cluster.constraints, []).append(at)
            self._constraints = {text: (Selector.parse(text), set_of(found)) for text, found in texts.items()}
        found = 0
        for selector, clusters in self._constraints.values():
            if not selector.matches_labels(labels):
                found |= clusters
        return found


def refused_by_rules(
    app: AppRequest,
    form: NormalForm,
    around: Circumstances,
    held: ClusterSet,
    placed: Mapping[str, ClusterSet],
    *,
    drains: bool = True,
) -> list[RefusedSet]:
    """The clusters that rules refuse, in the order of ``Reason``; a cluster may be in several sets.

    ``held`` is where the app runs today, ``placed`` where the apps decided so far will run. With ``drains`` false a
    draining cluster keeps what it holds.
    """
    intent, fleet = app.intent, around.fleet
    found = [RefusedSet(reason, clusters, _asks_for(reason, asked)) for reason, clusters, asked in form.mismatches]
    given_up = around.silent_for(intent.on_unreachable.after) & held if intent.on_unreachable.replace else 0
    taints = around.untolerated(intent.tolerations)
    tainted = taints["NoSelect"] | (taints["NoSelectIfNew"] & ~held)
    found += [
        RefusedSet(Reason.EXCLUDED, form.excluded, _fixed("the intent excludes it")),
        RefusedSet(
            Reason.OUTSIDE_LOGICAL_CLOUD,
            fleet.everyone & ~around.members,
            _fixed("the logical cloud does not include it"),
        ),
        RefusedSet(Reason.UNREACHABLE, (around.unreachable & ~held) | given_up, _unreachable(around)),
        RefusedSet(Reason.CORDONED, around.cordoned & ~held, _fixed("it is cordoned (schedulable: false)")),
        RefusedSet(Reason.DRAINING, around.draining & ~(0 if drains else held), _fixed("it is being drained")),
        RefusedSet(Reason.TAINTED, tainted, _tainted(around, intent.tolerations)),
    ]
    for api in app.required_apis:
        message = f"it does not serve {api}"
        found.append(RefusedSet(Reason.API_NOT_SERVED, around.not_serving(api), _fixed(message, {"api": api})))
    for network in app.networks:
        message = f"it has no network {network}"
        missing = around.without_network(network)
        found.append(RefusedSet(Reason.NETWORK_MISSING, missing, _fixed(message, {"network": network})))
    found.append(RefusedSet(Reason.REFUSED_BY_CLUSTER, around.refusing(app.labels), _constrained(fleet, app.labels)))
    for other in intent.together_with:
        elsewhere = fleet.everyone & ~placed.get(other, 0)
        found.append(RefusedSet(Reason.NOT_WITH, elsewhere, _fixed(f"{other} does not run there", {"app": other})))
    for other in intent.apart_from:
        there = placed.get(other, 0)
        found.append(RefusedSet(Reason.APART_FROM, there, _fixed(f"{other} runs there", {"app": other})))
    if intent.replicas is not None and intent.replicas.weights:
        found.append(_without_weight(app, fleet))
    return [one for one in found if one.clusters]


def _without_weight(app: AppRequest, fleet: Fleet) -> RefusedSet:
    if app.intent.replicas is None:
        raise RuntimeError("app.intent.replicas is there")
    weighed = matched = 0
    for rule in app.intent.replicas.weights:
        clusters = fleet.named_by(rule)
        matched |= clusters
        if rule.weight:
            weighed |= clusters
    # Rules that match nothing at all say nothing: every cluster then counts the same.
    refused = fleet.everyone & ~weighed if matched else 0
    return RefusedSet(Reason.NO_WEIGHT, refused, _fixed("no weight above 0 is given for it"))


def accounted(refused: Iterable[RefusedSet]) -> list[RefusedSet]:
    """The same sets with each cluster only in the first that has it."""
    seen = 0
    found = []
    for one in refused:
        clusters = one.clusters & ~seen
        if clusters:
            found.append(RefusedSet(one.reason, clusters, one.describe))
            seen |= clusters
    return found


def _fixed(message: str, numbers: Mapping[str, Any] | None = None) -> Describe:
    return lambda _position: (message, numbers or {})


def _asks_for(reason: Reason, asked: str) -> Describe:
    wording = {
        Reason.NOT_LISTED: f"it is not among {asked}",
        Reason.LABEL_MISMATCH: f"it does not have {asked}",
        Reason.SELECTOR_MISMATCH: f"it does not match {asked}",
    }
    return _fixed(wording[reason], {"asked": asked})


def _unreachable(around: Circumstances) -> Describe:
    def describe(position: int) -> tuple[str, Mapping[str, Any]]:
        since = around.fleet.clusters[position].unreachable_since or 0.0
        seconds = round(around.now - since)
        return f"it has not answered for {seconds} s", {"seconds": seconds}

    return describe


def _tainted(around: Circumstances, tolerations: Sequence[Toleration]) -> Describe:
    def describe(position: int) -> tuple[str, Mapping[str, Any]]:
        for taint in around.fleet.clusters[position].taints:
            if taint.effect != "PreferNoSelect" and not any(one.tolerates(taint, around.now) for one in tolerations):
                written = f"{taint.key}={taint.value}" if taint.value else taint.key
                expired = any(one.tolerates(taint, taint.added or around.now) for one in tolerations)
                why = "is tolerated no longer" if expired else "is not tolerated"
                return f"its taint {written}:{taint.effect} {why}", {"taint": f"{written}:{taint.effect}"}
        return "it is tainted", {}

    return describe


def _constrained(fleet: Fleet, labels: Mapping[str, str]) -> Describe:
    def describe(position: int) -> tuple[str, Mapping[str, Any]]:
        text = fleet.clusters[position].constraints
        had = ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"
        return f"it takes only apps with {text}; this one has {had}", {"constraints": text}

    return describe
