# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: which networks a pod is on, from its annotations, whatever engine reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

NETWORKS = "k8s.v1.cni.cncf.io/networks"
STATUS = "k8s.v1.cni.cncf.io/network-status"
NODUS = "k8s.plugin.opnfv.org/nfn-network"
_SWITCH = "ovn.kubernetes.io/logical_switch"


def selection_elements(text: str) -> list[dict[str, Any]]:
    """The network selection elements of an annotation: a JSON list, or the short form ``namespace/name@interface,...``.

    ValueError when it is neither.
    """
    text = text.strip()
    if text.startswith("["):
        found = json.loads(text)
        if not all(isinstance(one, dict) and one.get("name") for one in found):
            raise ValueError("every element of the list needs a name")
        return found  # type: ignore[no-any-return]  # its shape was just looked at
    elements = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        where, _at, interface = part.partition("@")
        namespace, _slash, name = where.rpartition("/")
        told = {"name": name, "namespace": namespace, "interface": interface}
        if not name:
            raise ValueError(f"{part!r} names no network")
        elements.append({key: value for key, value in told.items() if value})
    return elements


def nodus_interfaces(text: str) -> list[dict[str, Any]]:
    """The interfaces of Nodus' annotation; ValueError when it is none."""
    told = json.loads(text)
    found = told.get("interface") if isinstance(told, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("it has no list of interfaces")
    return found


def uses(pod: Mapping[str, Any], placed: Placed) -> bool:
    """Whether a pod is on a network. An annotation that nobody can read is taken for none."""
    metadata = pod["metadata"]
    annotations = metadata.get("annotations") or {}
    home = str(metadata.get("namespace") or "")
    if annotations.get(_SWITCH) == placed.name:
        return True
    here = {(namespace, placed.name) for namespace in placed.network.namespaces}
    if any(reference in here for reference in _references(annotations, home)):
        return True
    return placed.engine == "nodus" and any(one.get("name") == placed.name for one in _of_nodus(annotations))


def _references(annotations: Mapping[str, Any], home: str) -> Iterator[tuple[str, str]]:
    try:
        elements = selection_elements(str(annotations.get(NETWORKS) or ""))
    except ValueError:
        return
    for one in elements:
        yield str(one.get("namespace") or home), str(one["name"])


def _of_nodus(annotations: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return nodus_interfaces(str(annotations[NODUS])) if NODUS in annotations else []
    except ValueError:
        return []
