# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which networks each cluster should have, as the store keeps it.

``networks/<provider>/<cluster>`` holds all of one cluster: every network with its addresses, engine and node, and how
the last run ended. The record in the cluster has the same networks, so that a lost store is found again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, placed_document, placed_of
from ansible_collections.emco.edge.plugins.module_utils._plan.assemble import Naming
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Key, Store
from ansible_collections.emco.edge.plugins.module_utils._store.keys import Keys
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Record

# No project or deployment can be called so.
NAMING = Naming("emco-edge:cluster", "networks")
_PREFIX = "networks"


@dataclass(frozen=True)
class ClusterNetworks:
    """The networks that a cluster should have, by name, and how far it is."""

    networks: Mapping[str, Placed] = field(default_factory=dict)
    state: str = ""
    reason: str = ""
    message: str = ""

    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(sorted(self.networks))


def networks_key(ref: ClusterRef) -> Key:
    """Where the networks of a cluster are kept."""
    return (_PREFIX, ref.provider, ref.name)


def stored_networks(store: Store) -> dict[ClusterRef, ClusterNetworks]:
    """The networks of all clusters."""
    return {ClusterRef(*entry.key[1:]): _networks_of(entry.value) for entry in store.list((_PREFIX,))}


def names_by_cluster(store: Store) -> dict[ClusterRef, tuple[str, ...]]:
    """The names of the networks of all clusters, without reading what they are."""
    return {ClusterRef(*entry.key[1:]): tuple(sorted(entry.value["networks"])) for entry in store.list((_PREFIX,))}


def networks_of_fleet(store: Store) -> dict[ClusterRef, Mapping[str, Placed]]:
    """The networks that each cluster has or is to get, by name."""
    return {ref: one.networks for ref, one in stored_networks(store).items()}


def digest_of(networks: Mapping[ClusterRef, Mapping[str, Placed]], names: Collection[str], keys: Keys) -> str:
    """The digest of the networks of these names on all clusters, by which a plan knows that they changed."""
    told = {
        str(ref): documents_of({name: one for name, one in here.items() if name in names})
        for ref, here in sorted(networks.items())
    }
    return keys.digest(json.dumps({ref: one for ref, one in told.items() if one}, sort_keys=True).encode())


def networks_document(one: ClusterNetworks) -> dict[str, Any]:
    """The networks of a cluster as they are stored."""
    return {
        "networks": documents_of(one.networks),
        "state": one.state,
        "reason": one.reason,
        "message": one.message,
    }


def documents_of(networks: Mapping[str, Placed]) -> dict[str, Any]:
    """Networks as plain data, by name."""
    return {name: placed_document(one) for name, one in sorted(networks.items())}


def networks_in(record: Record) -> ClusterNetworks:
    """The networks that the record in a cluster tells of."""
    return _networks_of({"networks": record.decision.get("networks") or {}})


def _networks_of(document: Mapping[str, Any]) -> ClusterNetworks:
    return ClusterNetworks(
        {str(name): placed_of(told) for name, told in document["networks"].items()},
        str(document.get("state") or ""),
        str(document.get("reason") or ""),
        str(document.get("message") or ""),
    )
