# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: network selection elements, which Multus reads from pods whatever engine is behind it."""

from __future__ import annotations

from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import without_nothing
from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, gateway_of


def element(wanted: Interface, placed: Placed, namespace: str, *, addressed: bool = True) -> dict[str, Any]:
    """The element of an interface. ``addressed``: False where the engine has annotations of its own for addresses."""
    subnets = {one.family: one for one in placed.network.subnets}
    # Multus wants the length of the network with an address.
    ips = [f"{ip}/{addresses.length(str(subnets[addresses.family(ip)].cidr))}" for ip in wanted.ip]
    gateways = [gateway_of(one) for one in placed.network.subnets] if wanted.default_gateway else []
    return {
        "name": placed.name,
        "namespace": namespace,
        **without_nothing(interface=wanted.name),
        **(without_nothing(ips=ips, mac=wanted.mac, **{"default-route": gateways}) if addressed else {}),
    }
