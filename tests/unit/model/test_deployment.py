# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a deployment."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse, parsed

WHO = {"project": "demo", "name": "shop"}


def test_problems_of_all_options_and_of_the_intents_in_them_come_at_once() -> None:
    problems = Problems()
    given = {
        **WHO,
        "rollout": {"max_failures": "5x", "waves": [{"count": "0%"}]},
        "placement": {"web": {"count": -1}, "default": {"selectr": "x"}},
        "hardware": [{"app": "web", "workload": "web", "container": "main", "requests": {"cpu": "1z"}}],
        "cluster_overrides": {"edge-1": {}, "lab+edge-1": {"web": {"value": {}}}, "lab+edge-2": "no"},
        "wait_timeout": "soon",
    }
    assert parse(Deployment, given, "", problems) is None
    assert sorted(one.path for one in problems) == [
        "cluster_overrides.edge-1",
        "cluster_overrides.lab+edge-1.web.value",
        "cluster_overrides.lab+edge-2",
        "hardware[0].requests",
        "placement.default.selectr",
        "placement.web.count",
        "rollout.max_failures",
        "rollout.waves[0].count",
        "wait_timeout",
    ]


@pytest.mark.parametrize(("raw", "means"), [(3, 3), ("3", 3), ("previous", "previous"), (None, None)])
def test_a_revision_is_a_number_or_the_previous_one(raw: Any, means: Any) -> None:
    assert parsed(Deployment, {**WHO, "revision": raw}, "it").revision == means


@pytest.mark.parametrize("raw", [0, -1, "0", "last", True, 1.5, [1]])
def test_anything_else_is_no_revision(raw: Any) -> None:
    with pytest.raises(InvalidInput, match="revision: must be the number of a revision"):
        parsed(Deployment, {**WHO, "revision": raw}, "it")
