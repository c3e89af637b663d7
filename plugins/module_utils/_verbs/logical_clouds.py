# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: logical clouds in the store, and what refers to them.

``logical_clouds/<project>/<name>`` holds the intent sealed, and readable beside it kind, namespace, user, generation
and members; ``progress/<project>/<name>/logical_cloud`` says what is where.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._logical_clouds.objects import naming_of
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problem, near
from ansible_collections.emco.edge.plugins.module_utils._model.logical_cloud import LogicalCloud
from ansible_collections.emco.edge.plugins.module_utils._model.options import parsed
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Entry, Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import keep_intent
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Registered
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import opened_document

IMPLICIT = "admin"
"""The logical cloud that is there without being made: all clusters, namespace ``default``."""


Shares = Mapping[ClusterRef, Mapping[str, str]]


@dataclass(frozen=True)
class StoredCloud:
    """A logical cloud as it was last wanted. ``members``: its clusters, a selector resolved at that time."""

    cloud: LogicalCloud
    generation: int
    members: frozenset[ClusterRef]
    digest: str
    shares: Shares
    """What of its total quota each cluster has."""


def lease_of_cloud(project: str, name: str) -> str:
    """The lease that keeps two runs off one logical cloud."""
    return f"logical_cloud/{project}/{name}"


def keep_shares(store: Store, cloud: LogicalCloud, shares: Shares) -> None:
    """Store what each cluster has of the total quota."""
    entry = store.get(cloud_key(cloud.project, cloud.name))
    if entry is not None:
        store.put(entry.key, {**entry.value, "shares": _written(shares)})


def _written(shares: Shares) -> dict[str, dict[str, str]]:
    return {str(ref): dict(mine) for ref, mine in sorted(shares.items())}


def ground_of(one: StoredCloud) -> dict[str, Any]:
    """What a plan in a logical cloud stands on, as plain data."""
    spaces = one.cloud.namespaces
    return {
        "namespace": one.cloud.space,
        "namespaces": sorted(spaces) if spaces is not None else None,
        "members": sorted(str(ref) for ref in one.members),
    }


def cloud_key(project: str, name: str) -> Key:
    """Where a logical cloud is kept."""
    return ("logical_clouds", project, name)


def stored_cloud(store: Store, keys: Keys, project: str, name: str) -> StoredCloud | None:
    """A stored logical cloud, None when there is none."""
    entry = store.get(cloud_key(project, name))
    return None if entry is None else _opened(entry, keys)


def stored_clouds(store: Store, keys: Keys, project: str | None) -> list[StoredCloud]:
    """The logical clouds of a project, or of all."""
    prefix = ("logical_clouds", project) if project else ("logical_clouds",)
    return [_opened(entry, keys) for entry in store.list(prefix)]


def _opened(entry: Entry, keys: Keys) -> StoredCloud:
    document = opened_document(entry.value["sealed"], entry.key, keys)
    return StoredCloud(
        cloud=parsed(LogicalCloud, document, f"the stored logical cloud {entry.key[1]}/{entry.key[2]}"),
        generation=int(entry.value["generation"]),
        members=_refs(entry.value["members"]),
        digest=str(entry.value["digest"]),
        shares={ClusterRef.parse(ref): mine for ref, mine in (entry.value.get("shares") or {}).items()},
    )


def keep_cloud(
    store: Store,
    keys: Keys,
    document: Mapping[str, Any],
    cloud: LogicalCloud,
    generation: int,
    members: Iterable[ClusterRef],
    shares: Shares,
) -> None:
    """Store what is wanted; nothing is written when it is there already."""
    key = cloud_key(cloud.project, cloud.name)
    shown = {
        "kind": cloud.kind,
        "namespace": cloud.space,
        "user": cloud.user.name if cloud.user else "",
        "generation": generation,
        "members": sorted(str(ref) for ref in members),
        "shares": _written(shares),
    }
    if keep_intent(store, keys, key, document, **shown):
        return
    entry = store.get(key)
    if entry is not None and any(entry.value.get(name) != value for name, value in shown.items()):
        store.put(key, {**entry.value, **shown})


def unknown_cloud(store: Store, project: str, name: str) -> EdgeError:
    """The error for a logical cloud that nobody made."""
    known = [entry.key[2] for entry in store.list(("logical_clouds", project))]
    return EdgeError(
        "UnknownLogicalCloud",
        f"there is no logical cloud {name!r} in project {project!r}.",
        hint=near(name, known) or "Make it with emco.edge.logical_cloud.",
    )


def members_of(
    cloud: LogicalCloud, fleet: Mapping[ClusterRef, Registered]
) -> tuple[frozenset[ClusterRef], list[Problem]]:
    """The clusters that a logical cloud is to have, and what is wrong with them."""
    problems: list[Problem] = []
    if cloud.selector is not None:
        kubernetes = {ref: one.cluster for ref, one in fleet.items() if one.cluster.kind == "kubernetes"}
        found = frozenset(ref for ref, one in kubernetes.items() if cloud.selector.matches(one))
        if not found:
            problems.append(Problem("selector", "no registered cluster matches"))
        return found, problems
    for index, ref in enumerate(cloud.refs()):
        if ref not in fleet:
            hint = near(str(ref), map(str, fleet)) or "register it with emco.edge.cluster"
            problems.append(Problem(f"clusters[{index}]", f"no cluster {ref} is registered", hint))
        elif fleet[ref].cluster.kind != "kubernetes":
            problems.append(Problem(f"clusters[{index}]", f"{ref} has no namespaces: it is {fleet[ref].cluster.kind}"))
    found = frozenset(cloud.refs())
    if not found:
        problems.append(Problem("clusters", "is required, or selector: a logical cloud has at least one cluster"))
    for path, named in _named_clusters(cloud):
        if ClusterRef.parse(named) not in found:
            problems.append(
                Problem(path, f"{named} is not a cluster of this logical cloud", near(named, map(str, found)))
            )
    return found, problems


def _named_clusters(cloud: LogicalCloud) -> list[tuple[str, str]]:
    found = [(f"total_weights.{name}", name) for name in cloud.total_weights]
    for index, quota in enumerate(cloud.quotas):
        found += [(f"quotas[{index}].clusters.{name}", name) for name in quota.clusters]
    return found


def claimed_by_others(store: Store, cloud: LogicalCloud, members: Iterable[ClusterRef]) -> list[Problem]:
    """A problem for each other logical cloud that has this namespace on one of these clusters."""
    if cloud.kind == "admin":
        return []
    wanted, problems = set(members), []
    for entry in store.list(("logical_clouds",)):
        told = entry.value
        if entry.key[1:] == (cloud.project, cloud.name) or told["kind"] == "admin" or told["namespace"] != cloud.space:
            continue
        there = set(_refs(told["members"])) | _standing_on(store, entry.key[1], entry.key[2])
        if both := sorted(wanted & there):
            where = ", ".join(str(ref) for ref in both[:5]) + (f" and {len(both) - 5} more" if len(both) > 5 else "")
            problems.append(
                Problem(
                    "namespace",
                    f"{cloud.space} is that of logical cloud {entry.key[1]}/{entry.key[2]} on {where}",
                    "give another namespace, or other clusters",
                )
            )
    return problems


def _standing_on(store: Store, project: str, name: str) -> set[ClusterRef]:
    entry = store.get(("progress", *naming_of(project, name).place))
    return set(_refs(entry.value["clusters"])) if entry is not None else set()


def deployments_in(store: Store, project: str, name: str) -> dict[str, frozenset[ClusterRef]]:
    """The deployments in a logical cloud that are somewhere, with their clusters."""
    found = {}
    for entry in store.list(("deployments", project)):
        if (entry.value.get("logical_cloud") or IMPLICIT) != name:
            continue
        progress = store.get(("progress", *entry.key[1:]))
        clusters = _refs(progress.value["clusters"]) if progress is not None else frozenset()
        if clusters:
            found[entry.key[2]] = clusters
    return found


def _refs(texts: Iterable[str]) -> frozenset[ClusterRef]:
    return frozenset(ClusterRef.parse(text) for text in texts)
