# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a review of a tenant's rules is taken to grant."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._sync.tenant import Need, granted

PATCH = Need("patch", "apps", "deployments", "shop")


def rule(**given: list[str]) -> dict[str, Any]:
    return {"verbs": ["patch"], "apiGroups": ["apps"], "resources": ["deployments"], **given}


@pytest.mark.parametrize(
    "rules",
    [
        [rule()],
        [rule(verbs=["*"])],
        [rule(apiGroups=["*"], resources=["*"])],
        [rule(verbs=["get"]), rule()],
    ],
)
def test_a_rule_that_covers_all_three_grants_it(rules: list[dict[str, Any]]) -> None:
    assert granted(rules, PATCH)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule(verbs=["get", "create"])],
        [rule(apiGroups=[""])],
        [rule(resources=["deployments/scale"])],
        [rule(resourceNames=["web"])],
        [rule(verbs=["get"]), rule(resources=["pods"])],
        [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    ],
    ids=["none", "verb", "group", "subresource", "only some names", "two halves", "no resources"],
)
def test_what_is_not_covered_by_one_rule_is_asked_for(rules: list[dict[str, Any]]) -> None:
    assert not granted(rules, PATCH)


def test_a_right_is_told_as_people_say_it() -> None:
    assert str(PATCH) == "patch deployments.apps in namespace shop"
    assert str(Need("create", "", "nodes", "")) == "create nodes in the whole cluster"
