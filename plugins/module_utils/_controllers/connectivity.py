# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the connectivity action controller: a NetworkPolicy for apps that take only some connections.

On networks besides the primary one, connections are the network's own ``connectivity``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Controller, Objects, Subject
from ansible_collections.emco.edge.plugins.module_utils._model.connectivity import AppFlow
from ansible_collections.emco.edge.plugins.module_utils._model.network import PortRange


def _mine(subject: Subject) -> tuple[AppFlow, ...]:
    return tuple(flow for flow in subject.intents.connectivity if flow.to == subject.app)


def _concerns(subject: Subject) -> Hashable:
    return _mine(subject) or None


def _edit(objects: Objects, subject: Subject) -> Objects:
    selectors = subject.intents.selectors
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": policy_name(subject.deployment, subject.app), "namespace": subject.namespace},
        "spec": {
            "podSelector": {"matchLabels": dict(selectors[subject.app])},
            "policyTypes": ["Ingress"],
            "ingress": [_rule(flow, selectors) for flow in _mine(subject)],
        },
    }
    return (policy, *objects)


def _rule(flow: AppFlow, selectors: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    if flow.source.cidr is not None:
        peer: dict[str, Any] = {"ipBlock": {"cidr": flow.source.cidr}}
    else:
        peer = {"podSelector": {"matchLabels": dict(selectors[str(flow.source.app)])}}
    rule: dict[str, Any] = {"from": [peer]}
    if flow.ports:
        rule["ports"] = [_port(one) for one in flow.ports]
    return rule


def _port(one: PortRange) -> dict[str, Any]:
    first, dash, last = (one.port or "").partition("-")
    found: dict[str, Any] = {"protocol": one.protocol.upper()}
    if first:
        found["port"] = int(first)
    if dash:
        found["endPort"] = int(last)
    return found


def policy_name(deployment: str, app: str) -> str:
    """A name that no other app of any deployment has in the namespace."""
    digest = hashlib.sha256(f"{deployment} {app}".encode()).hexdigest()[:10]
    return f"{re.sub(r'[^a-z0-9-]+', '-', app.lower()).strip('-')[:40]}-{digest}"


CONTROLLER = Controller("connectivity", _edit, _concerns)
