# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections between apps become NetworkPolicies of those that take them."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._controllers.connectivity import CONTROLLER
from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Intents, Subject
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.connectivity import parse_connectivity
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems

APPS = ("api", "broker")
FLOWS = [
    {"from": "api", "to": "broker", "ports": [{"port": "1883"}, {"protocol": "udp", "port": "8000-8080"}]},
    {"from": {"cidr": "10.0.0.0/8"}, "to": "broker"},
]


def subject(app: str) -> Subject:
    problems = Problems()
    flows = parse_connectivity(FLOWS, APPS, "connectivity", problems)
    assert not len(problems)
    intents = Intents(connectivity=flows, selectors={name: {"emco.edge/app": name} for name in APPS})
    return Subject(app, Cluster(ClusterRef("lab", "one")), "factory", None, intents, "demo/vision")


def test_an_app_takes_what_is_meant_for_it_and_nothing_else() -> None:
    web = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    policy, kept = CONTROLLER.edit([web], subject("broker"))
    assert kept == web
    assert policy["metadata"]["namespace"] == "factory"
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"emco.edge/app": "broker"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"podSelector": {"matchLabels": {"emco.edge/app": "api"}}}],
                "ports": [{"protocol": "TCP", "port": 1883}, {"protocol": "UDP", "port": 8000, "endPort": 8080}],
            },
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
        ],
    }


def test_an_app_that_no_entry_is_for_takes_all() -> None:
    assert CONTROLLER.concerns(subject("api")) is None
    assert CONTROLLER.concerns(subject("broker")) is not None


def test_what_is_no_connection_is_named_with_its_path() -> None:
    problems = Problems()
    wrong = [
        {"from": "apj", "to": "broker"},
        {"from": {}, "to": "api"},
        {"from": "api", "to": "broker", "ports": [{"protocol": "icmp"}]},
        {"to": "api"},
    ]
    parse_connectivity(wrong, APPS, "c", problems)
    assert [one.path for one in problems] == ["c[0].from.app", "c[1].from", "c[2].ports[0].protocol", "c[3].from"]
