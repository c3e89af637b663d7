# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's objects as the inventory variables of this collection that mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco import native
from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Catalogue, EmcoObject
from ansible_collections.emco.edge.plugins.module_utils._emco.networks import network
from ansible_collections.emco.edge.plugins.module_utils._emco.resource import Path
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems


def converted(
    catalogue: Catalogue,
    wanted: set[Path],
    packages: native.Packages,
    name_of: Callable[[EmcoObject], str],
    problems: Problems,
) -> dict[str, Any]:
    """Variables for what the ``wanted`` objects, and those they stand under, describe; empty ones are left out."""
    there = [one for one in catalogue if one.path in wanted]
    found: dict[str, Any] = {
        "emco_clusters": _clusters(catalogue, there),
        "emco_networks": [network(one) for one in there if one.kind == "Network"],
        "emco_provider_networks": [network(one) for one in there if one.kind == "ProviderNetwork"],
        "emco_logical_clouds": [
            native.logical_cloud(catalogue, one, problems) for one in there if one.kind == "LogicalCloud"
        ],
        "emco_composite_apps": [
            native.composite_app(catalogue, one.path, packages) for one in there if one.kind == "CompositeApp"
        ],
        "emco_deployments": [
            native.deployment(catalogue, one, name_of(one), packages, problems)
            for one in there
            if one.kind == "DeploymentIntentGroup"
        ],
    }
    return {name: value for name, value in found.items() if value}


def _clusters(catalogue: Catalogue, there: list[EmcoObject]) -> dict[str, dict[str, Any]]:
    """Clusters as hosts: what ``host_vars`` would hold."""
    found: dict[str, dict[str, Any]] = {}
    for one in there:
        if one.kind == "Cluster" and one.files:
            options = native.cluster(catalogue, one)
            given = {key: options[key] for key in ("provider", "kubeconfig", "labels", "kv") if options[key]}
            found[options["name"]] = {f"emco_{key}": value for key, value in given.items()}
    return found
