# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of networks means for each cluster: blocks, engines that stay, what can only be made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.network import Network, ProviderNetwork
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, placed_document, placed_of
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse
from ansible_collections.emco.edge.plugins.module_utils._verbs.network_planning import (
    ClusterPlan,
    bundle_for,
    plan_absent,
    plan_present,
)

NAD = "k8s.cni.cncf.io/v1/NetworkAttachmentDefinition"
KUBE_OVN = ("kubeovn.io/v1/Subnet", NAD)
OVN_KUBERNETES = ("k8s.ovn.org/v1/ClusterUserDefinedNetwork", NAD)
Known = dict[ClusterRef, Mapping[str, Placed]]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def network(**given: Any) -> Network:
    problems = Problems()
    model = ProviderNetwork if "type" in given else Network
    found = parse(model, {"name": "protected", **given}, "", problems)
    assert found is not None, list(problems)
    return found


def cluster(name: str, apis: tuple[str, ...] = KUBE_OVN, **ranges: tuple[str, ...]) -> Cluster:
    return Cluster(ClusterRef("lab", name), facts=Facts(0.0, "v1.36", apis=apis, ranges=ranges))


def after(wanted: Network, clusters: list[Cluster], known: Known) -> Known:
    plans = plan_present(wanted, clusters, known)
    return {**known, **{ref: plan.after for ref, plan in plans.items()}}


def only(plans: Mapping[ClusterRef, ClusterPlan]) -> ClusterPlan:
    """The plan of the one cluster that there is."""
    assert len(plans) == 1
    return next(iter(plans.values()))


POOL = network(subnets=[{"from": "10.0.0.0/20", "prefix": 26}])


@settings(max_examples=60)
@given(st.lists(st.sets(st.integers(0, 30), min_size=1, max_size=8), min_size=1, max_size=5), st.data())
def test_blocks_never_meet_and_stay_when_clusters_are_added(batches: list[set[int]], data: st.DataObject) -> None:
    known: Known = {}
    seen: dict[ClusterRef, str] = {}
    busy = tuple(f"10.0.{data.draw(st.integers(0, 15))}.0/25" for _unused in range(2))
    for batch in batches:
        clusters = [cluster(f"c{number:02d}", pods=busy) for number in sorted(batch)]
        known = after(POOL, clusters, known)
        for ref, networks in known.items():
            (cidr,) = networks["protected"].cidrs
            assert seen.setdefault(ref, cidr) == cidr
            assert not any(addresses.overlap(cidr, one) for one in busy)
    every = list(seen.values())
    assert not [(a, b) for at, a in enumerate(every) for b in every[at + 1 :] if addresses.overlap(a, b)]


def test_a_pool_that_is_used_up_is_said_with_the_clusters_that_get_nothing() -> None:
    small = network(subnets=[{"from": "10.0.0.0/25", "prefix": 26}])
    with pytest.raises(InvalidInput) as refused:
        plan_present(small, [cluster(name) for name in "abcd"], {})
    (problem,) = refused.value.problems
    assert problem.path == "subnets[0].from"
    assert problem.message == "10.0.0.0/25 has no free block of /26 left, on lab+c and 1 more"


def test_blocks_survive_the_way_through_a_store() -> None:
    known = after(POOL, [cluster("a"), cluster("b")], {})
    stored: Known = {
        ref: {name: placed_of(placed_document(one)) for name, one in networks.items()}
        for ref, networks in known.items()
    }
    assert stored == known
    assert after(POOL, [cluster("0"), cluster("b")], stored)[ClusterRef("lab", "b")] == known[ClusterRef("lab", "b")]


def test_a_network_stays_on_its_engine_when_a_better_one_comes() -> None:
    fixed = network(subnets=[{"cidr": "10.0.0.0/24"}])
    known = after(fixed, [cluster("a", OVN_KUBERNETES)], {})
    both = cluster("a", (*KUBE_OVN, *OVN_KUBERNETES))
    plan = only(plan_present(fixed, [both], known))
    assert plan.after["protected"].engine == "ovn_kubernetes"
    assert not plan.replaced
    moved = only(plan_present(replace(fixed, engine="kube_ovn"), [both], known))
    assert moved.replaced["protected"] == ("ClusterUserDefinedNetwork protected goes",)


def test_what_is_in_the_way_is_said_once_for_all_clusters_that_have_it() -> None:
    wanted = network(subnets=[{"cidr": "10.96.0.0/24"}], mtu=1400)
    clusters = [cluster("a", services=("10.96.0.0/16",)), cluster("b", services=("10.96.0.0/16",)), cluster("c", ())]
    with pytest.raises(InvalidInput) as refused:
        plan_present(wanted, clusters, {})
    assert [one.message for one in refused.value.problems] == [
        "10.96.0.0/24 overlaps 10.96.0.0/16 of the cluster's services, on lab+a and 1 more",
        "the cluster serves the kinds of none of kube_ovn, ovn_kubernetes, nodus, multus, on lab+c",
    ]


UPLINK: dict[str, Any] = {
    "name": "uplink",
    "type": "vlan",
    "vlan": {"id": 102, "interface": "ens5"},
    "subnets": [{"cidr": "10.9.0.0/24"}],
}


@pytest.mark.parametrize(
    ("apis", "changed", "replaced"),
    [
        (KUBE_OVN, {"vlan": {"id": 103, "interface": "ens5"}}, "Vlan uplink spec.id: 102 -> 103"),
        (KUBE_OVN, {"subnets": [{"cidr": "10.9.0.0/24", "exclude": ["10.9.0.9"]}]}, ""),
        (KUBE_OVN, {"mtu": 1400}, ""),
        (OVN_KUBERNETES, {"mtu": 1400}, "ClusterUserDefinedNetwork uplink spec.network"),
        (OVN_KUBERNETES, {"namespaces": ["default", "more"]}, ""),
        ((NAD, "whereabouts.cni.cncf.io/v1alpha1/IPPool"), {"mtu": 1400}, ""),
    ],
)
def test_only_what_an_engine_cannot_change_is_made_anew(
    apis: tuple[str, ...], changed: dict[str, Any], replaced: str
) -> None:
    here = cluster("a", apis)
    known = after(network(**UPLINK), [here], {})
    plan = only(plan_present(network(**{**UPLINK, **changed}), [here], known))
    assert "; ".join(plan.replaced.get("uplink", ())).startswith(replaced)
    assert bool(plan.replaced) is bool(replaced)


def test_the_order_in_which_networks_came_makes_no_other_bundle() -> None:
    here = cluster("a")
    one, two = network(subnets=[{"cidr": "10.1.0.0/24"}]), network(name="alpha", subnets=[{"cidr": "10.2.0.0/24"}])
    forth = after(two, [here], after(one, [here], {}))[here.ref]
    back = after(one, [here], after(two, [here], {}))[here.ref]
    assert bundle_for(here, forth, digest).digest == bundle_for(here, back, digest).digest
    assert bundle_for(here, {}, digest).objects == ()


def test_a_network_that_others_let_in_does_not_go() -> None:
    here = cluster("a")
    other = network(name="other", subnets=[{"cidr": "10.1.0.0/24"}])
    leaning = network(subnets=[{"cidr": "10.2.0.0/24"}], connectivity=[{"from": {"network": "other"}}])
    known = after(leaning, [here], after(other, [here], {}))
    with pytest.raises(InvalidInput, match=r"network protected on lab\+a lets in connections from other"):
        plan_absent("other", [here], known)
    plan = only(plan_absent("protected", [here], known))
    assert plan.removed == ("protected",) and set(plan.leaving) == {"protected"} and set(plan.after) == {"other"}
    assert plan_absent("gone", [here], known) == {}
