# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how a network is, from what its engine says of its objects. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks.usage import STATUS, uses
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed

Object = Mapping[str, Any]


def attached_pods(pods: Iterable[Object], placed: Placed) -> Iterator[dict[str, Any]]:
    """The pods on a network, with the addresses that Multus says they have there."""
    for pod in pods:
        if not uses(pod, placed):
            continue
        metadata = pod["metadata"]
        told: dict[str, Any] = {"pod": f"{metadata.get('namespace')}/{metadata['name']}"}
        for one in _statuses(metadata.get("annotations") or {}):
            if str(one.get("name") or "").rpartition("/")[2] == placed.name:
                told.update({key: one[key] for key in ("interface", "ips", "mac") if one.get(key)})
        yield told


def _statuses(annotations: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    try:
        found = json.loads(str(annotations.get(STATUS) or "[]"))
    except ValueError:
        return ()
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else ()
