# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a cluster had before: after a sync it has what the bundle says, as if it had been empty."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import State
from tests.integration.syncing import Rig, bundle_of, config_map, deployment, namespace, secret, service

pytestmark = pytest.mark.integration

_numbers = itertools.count()
names = st.sampled_from("abc")
entries = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.sampled_from(["1", "2"]), max_size=3)
wanted = st.fixed_dictionaries(
    {
        "maps": st.dictionaries(names, entries, max_size=3),
        "secrets": st.dictionaries(names, entries, max_size=2),
        "services": st.dictionaries(names, st.sampled_from([80, 81]), max_size=2),
        "deployments": st.dictionaries(
            names, st.tuples(st.integers(0, 1), st.sampled_from(["i:1", "i:2"])), max_size=1
        ),
    }
)


def objects(space: str, drawn: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        *(config_map(space, name, **data) for name, data in drawn["maps"].items()),
        *(secret(space, name, **data) for name, data in drawn["secrets"].items()),
        *(service(space, name, port) for name, port in drawn["services"].items()),
        *(deployment(space, n, replicas=count, image=image) for n, (count, image) in drawn["deployments"].items()),
    ]


def owned(rig: Rig) -> dict[str, Any]:
    found = rig.lab.get(
        rig.cluster, "configmap,secret,service,deployment", "-n", rig.space, "-l", "emco.edge/deployment"
    )
    kept: dict[str, Any] = {}
    for one in found["items"]:
        spec = one.get("spec") or {}
        for made_here in ("clusterIP", "clusterIPs"):
            spec.pop(made_here, None)
        kept[f"{one['kind']}/{one['metadata']['name']}"] = (one.get("data"), spec)
    return kept


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(wanted, wanted)
def test_one_bundle_after_another_is_the_other_alone(rig: Rig, old: dict[str, Any], new: dict[str, Any]) -> None:
    spaces = [f"{rig.space}-{next(_numbers)}" for _unused in range(2)]
    twice, once = (replace(rig, space=space) for space in spaces)
    rig.lab.apply(rig.cluster, *(namespace(space) for space in spaces))
    options = {"allow_deletions": True, "wait": False}

    twice.sync(bundle_of(spaces[0], {"web": objects(spaces[0], old)}), **options)
    states = [
        one.sync(bundle_of(one.space, {"web": objects(one.space, new)}), **options).state for one in (twice, once)
    ]

    gone = {State.REMOVED, State.READY, State.PROGRESSING}
    assert set(states) <= gone
    there = owned(twice)
    assert str(there).replace(spaces[0], "") == str(owned(once)).replace(spaces[1], "")
    assert len(there) == len(objects(spaces[0], new))
    again = twice.sync(bundle_of(spaces[0], {"web": objects(spaces[0], new)}), **options)
    assert not again.changed
    rig.kubectl("delete", "namespace", *spaces, "--wait=false")
