# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts, Node
from ansible_collections.emco.edge.plugins.module_utils._model.cluster_values import ABSENT
from ansible_collections.emco.edge.plugins.module_utils._model.comparison import compare, version
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Label, Selector, SelectorError

CLUSTER = Cluster(
    ClusterRef("lab", "edge-1"),
    labels={"region": "north", "tier": "far-edge", "gold": "", "cost": "9", "share": "0.45", "agent-version": "1.9.2"},
    kv={"site": {"rack": "r7", "spare": True}, "site.core": {"row": 3}, "net": {"gateways": ["g1", "g2"]}},
    facts=Facts(
        observed=0,
        version="v1.30.4+k3s1",
        nodes=(
            Node("a", {"cpu": 4000, "memory": 8 << 30}, {"cpu": 1500}),
            Node("b", {"cpu": 4000}, ready=False),
        ),
        apis=("apps/v1", "apps/v1/Deployment"),
        storage_classes=("standard",),
        engines={"kube_ovn": "kubeovn.io/v1"},
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "region=north",
        "region == north",
        "region in (south, north)",
        "region notin (south, west), tier != core",
        "gold",
        "gold exists, tier",
        "!retired",
        "retired != yes",
        "retired notin (yes)",
        "labels.region = north",
        "kv.site.rack = r7",
        "kv.site.spare = true",
        "kv.site.core.row >= 3",
        "kv.net.gateways = g2",
        "kv.net.gateways in (g1)",
        "cost < 10",
        "cost > 8.5",
        "cost <= 9, cost >= 9",
        "share < 0.5",
        "agent-version < 1.30",
        "agent-version >= 1.9",
        "facts.version >= 1.30",
        "facts.version < 1.31",
        "facts.version > v1.29.9",
        "facts.version != 1.30",
        "facts.version = 1.30.4",
        "facts.nodes = 2, facts.ready_nodes = 1",
        "facts.free.cpu >= 2500m",
        "facts.free.cpu = 2.5 || facts.free.cpu > 2",
        "facts.capacity.memory > 7Gi",
        "facts.engines.kube_ovn",
        "facts.storage_classes = standard",
        "facts.apis in (apps/v1/Deployment)",
        "facts.reachable = true",
        "cluster.name = edge-1, cluster.provider in (lab)",
        "region = south || region = north",
        "region = south || region = north && tier = far-edge",
        "(region = south || gold), tier = far-edge",
        "!(region = south || tier = core)",
        'region in "south, north"',
        "region = 'north'",
        "region = south OR gold AND tier",
        "topology.kubernetes.io/zone != z1",
    ],
)
def test_selector_that_describes_the_cluster_matches_it(text: str) -> None:
    assert Selector.parse(text).matches(CLUSTER)


@pytest.mark.parametrize(
    "text",
    [
        "region=south",
        "region in (south, west)",
        "region notin (north)",
        "region != north",
        "!gold",
        "silver",
        "retired = yes",
        "retired > 1",
        "retired < 1",
        "cost > 9",
        "cost < 9",
        "region > 3",
        "share > 0.5",
        "agent-version > 1.30",
        "facts.version >= 1.31",
        "facts.version < 1.30",
        "facts.version = 1.30",
        "facts.free.cpu > 2500m",
        "facts.engines.nodus",
        "kv.site.row = 3",
        "kv.nothing.rack",
        "region = north && tier = core",
        "(region = south || gold), tier = core",
        "region = south || region = north, tier = core",
        "!(region = north || tier = core)",
        "cluster.provider = other",
    ],
)
def test_selector_that_does_not_describe_the_cluster_does_not_match(text: str) -> None:
    assert not Selector.parse(text).matches(CLUSTER)


def test_unread_cluster_has_no_facts() -> None:
    unread = Cluster(ClusterRef("lab", "edge-2"), unreachable_since=3.0)
    assert not Selector.parse("facts.version >= 1.0").matches(unread)
    assert not Selector.parse("facts.nodes < 3").matches(unread)
    assert Selector.parse("facts.reachable = false, !facts.version").matches(unread)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("region in north", 10, "values are expected"),
        ("region in (north", 10, "never closed"),
        ("(region = north", 0, "never closed"),
        ("region = ", 9, "a value is expected"),
        ("region = north, ", 16, "a key is expected"),
        (", gold", 0, "a key is expected"),
        ("region like north", 7, "no operator"),
        ("region = north south", 15, "not expected"),
        ("cost > high", 7, "neither a number nor a version"),
        ("facts.verson >= 1.30", 0, "did you mean version"),
        ("gold, kv.site", 6, "kv.<set>.<key>"),
        ("cluster.color = red", 0, "cluster.name"),
        ("gold & silver", 5, "not expected"),
        ('region = "north', 9, "not expected"),
        ("gold)", 4, "not expected"),
    ],
)
def test_parse_error_says_where_and_what(text: str, position: int, says: str) -> None:
    with pytest.raises(SelectorError, match=f"character {position + 1}") as raised:
        Selector.parse(text)
    assert raised.value.position == position
    assert says in str(raised.value)


def test_selector_must_be_text() -> None:
    with pytest.raises(SelectorError):
        Selector.parse({"region": "north"})


def test_app_without_a_label_does_not_satisfy_a_constraint_on_it() -> None:
    selector = Selector.parse("team in (video, maps), !legacy")
    assert selector.matches_labels({"team": "maps"})
    assert not selector.matches_labels({"team": "maps", "legacy": ""})
    assert not selector.matches_labels({})
    assert not Selector.parse("facts.version > 1").matches_labels({"version": "2"})


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("1.9", "1.30"),
        ("v1.30", "1.30.1"),
        ("1.30.0-alpha.1", "1.30.0-alpha.2"),
        ("1.30.0-alpha.2", "1.30.0-alpha.10"),
        ("1.30.0-alpha.10", "1.30.0-beta"),
        ("1.30.0-rc.1", "1.30.0"),
        ("1.29.9", "1.30.0-rc.1"),
        ("1.30.0-rc", "1.30.0-rc.1"),
    ],
)
def test_versions_sort_semantically(lower: str, higher: str) -> None:
    assert compare(lower, higher, as_version=True) == -1
    assert compare(higher, lower, as_version=True) == 1


@pytest.mark.parametrize("same", ["1.30", "v1.30.0", "1.30.0+k3s1", "1.30.0-gke.100", "1.30.0-eks-1a2b"])
def test_suffix_of_a_distribution_does_not_make_a_version_older(same: str) -> None:
    assert compare(same, "1.30.0", as_version=True) == 0


def test_what_is_no_version_cannot_be_compared() -> None:
    assert version("north") is None
    assert compare("north", "1.30", as_version=True) is None
    assert compare("north", "3", as_version=False) is None


def test_quantities_are_compared_exactly() -> None:
    assert compare("16Gi", "17179869184", as_version=False) == 0
    assert compare("999Mi", "1Gi", as_version=False) == -1


@pytest.mark.parametrize(
    ("text", "matches"), [("region=north", True), ("region=south", False), ("gold", True), ("x", False)]
)
def test_label_is_a_key_or_a_key_with_its_value(text: str, matches: bool) -> None:
    found = CLUSTER.labels.get(Label.parse(text).key, ABSENT)
    assert Label.parse(text).term.holds(found) is matches
    assert str(Label.parse(text)) == text


@pytest.mark.parametrize("text", ["", "=north", "a==b", "a in (b)", "a,b", "!a", 3])
def test_what_is_no_label_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a label"):
        Label.parse(text)
