# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files with everything inside, so that they can be copied."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml

from emco_lab.layout import ClusterLayout, write_private

COMPONENTS = ("lab", "controller-manager", "scheduler")


def ensure(cluster: ClusterLayout) -> bool:
    """Write the administrator's kubeconfig and those of the components; true when one changed."""
    changed = write_private(cluster.kubeconfig, render(cluster, "admin", cluster.port))
    for identity in COMPONENTS:
        changed |= write_private(component_path(cluster, identity), render(cluster, identity, cluster.port))
    return changed


def component_path(cluster: ClusterLayout, identity: str) -> Path:
    """The kubeconfig that a component of the cluster uses."""
    return cluster.pki / f"{identity}.kubeconfig"


def render(cluster: ClusterLayout, identity: str, port: int) -> str:
    """A kubeconfig for one identity whose only context is named after the cluster."""
    user = f"{cluster.name}-{identity}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster.name,
                "cluster": {
                    "server": f"https://127.0.0.1:{port}",
                    "certificate-authority-data": _data(cluster.pki / "ca.crt"),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _data(cluster.pki / f"{identity}.crt"),
                    "client-key-data": _data(cluster.pki / f"{identity}.key"),
                },
            }
        ],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": user}}],
        "current-context": cluster.name,
    }
    return yaml.safe_dump(config, sort_keys=False, width=10_000)


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
