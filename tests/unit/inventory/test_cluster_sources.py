# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that inventories find in kubeconfigs and in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.emco.edge.plugins.inventory.clusters import _by_host
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Taint
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.names import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse
from ansible_collections.emco.edge.plugins.module_utils._store.open import open_store
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Credentials, Registered, keep
from ansible_collections.emco.edge.plugins.plugin_utils.cluster_sources import (
    FoundCluster,
    Source,
    Surroundings,
    cluster_name,
    found_clusters,
)


def kubeconfig(file: Path, *contexts: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump({"contexts": [{"name": name, "context": {}} for name in contexts]}))
    return file


def source(**options: Any) -> Source:
    problems = Problems()
    found = parse(Source, options, "sources[0]", problems)
    problems.raise_if_any()
    assert found is not None
    return found


def around(folder: Path, warnings: list[str] | None = None) -> Surroundings:
    said = warnings if warnings is not None else []
    return Surroundings(str(folder), {"XDG_STATE_HOME": str(folder)}, warn=said.append)


def test_a_file_with_one_context_gives_its_own_name_and_others_their_contexts(tmp_path: Path) -> None:
    kubeconfig(tmp_path / "k" / "store-17.yaml", "kubernetes-admin@kubernetes")
    kubeconfig(tmp_path / "k" / "region.yaml", "north", "south")

    found = found_clusters(source(type="kubeconfig", path="k/*.yaml"), around(tmp_path))

    assert {one.name: one.variables["emco_context"] for one in found} == {
        "store-17": "kubernetes-admin@kubernetes",
        "north": "north",
        "south": "south",
    }
    assert {one.variables["emco_provider"] for one in found} == {"kubeconfig"}
    assert {Path(one.variables["emco_kubeconfig"]).parent for one in found} == {tmp_path / "k"}


def test_contexts_can_be_chosen_and_give_the_name_when_asked(tmp_path: Path) -> None:
    kubeconfig(tmp_path / "all.yaml", "north", "south", "old")
    options = {"type": "kubeconfig", "path": "all.yaml", "provider": "retail"}

    chosen = found_clusters(source(**options, contexts=["south"], name_from="context"), around(tmp_path))

    assert [(one.provider, one.name) for one in chosen] == [("retail", "south")]


def test_a_broken_kubeconfig_is_left_out_with_a_warning_and_the_others_are_found(tmp_path: Path) -> None:
    kubeconfig(tmp_path / "a.yaml", "a")
    (tmp_path / "b.yaml").write_text("contexts: [\n")
    warnings: list[str] = []

    found = found_clusters(source(type="kubeconfig", path=["*.yaml", "gone.yaml"]), around(tmp_path, warnings))

    assert [one.name for one in found] == ["a"]
    assert len(warnings) == 2
    assert "b.yaml" in warnings[0]
    assert "gone.yaml" in warnings[1]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("edge-1", "edge-1"),
        ("arn:aws:eks:eu-north-1:1234:cluster/shop", "arn-aws-eks-eu-north-1-1234-cluster-shop"),
        ("admin@kubernetes", "admin-kubernetes"),
        ("Zürich", "Z-rich"),
        ("++", "cluster"),
        ("x" * 200, "x" * 128),
    ],
)
def test_whatever_a_context_is_called_the_cluster_gets_a_valid_name(text: str, name: str) -> None:
    assert cluster_name(text) == name
    assert emco_name(cluster_name(text)) == name


def test_registered_clusters_come_back_with_what_was_said_and_without_secrets(tmp_path: Path) -> None:
    store = open_store(None, {"XDG_STATE_HOME": str(tmp_path)})
    described = Cluster(
        ClusterRef("lab", "a"),
        labels={"region": "north"},
        taints=(Taint("maintenance", added=12.0),),
        schedulable=False,
    )
    by_path = Credentials("reference", {"kubeconfig": "k/a.yaml", "context": "c"}, base_dir="/srv")
    keep(store, Registered(described, by_path, host="a"))
    keep(store, Registered(Cluster(ClusterRef("lab", "b")), Credentials("encrypted", sealed="c2VhbGVk"), host="b"))
    store.close()

    a, b = found_clusters(source(type="store"), around(tmp_path))
    north = found_clusters(source(type="store", selector="region=north"), around(tmp_path))

    assert a.variables["emco_kubeconfig"] == "/srv/k/a.yaml"
    assert a.variables["emco_context"] == "c"
    assert a.variables["emco_labels"] == {"region": "north"}
    assert a.variables["emco_taints"] == [{"key": "maintenance", "value": "", "effect": "NoSelect"}]
    assert a.variables["emco_schedulable"] is False
    assert not any("c2VhbGVk" in str(value) for value in b.variables.values())
    assert [one.name for one in north] == ["a"]


def test_a_source_that_cannot_be_read_is_told_with_all_its_problems() -> None:
    with pytest.raises(InvalidInput) as told:
        source(type="kubeconfig", provider="x")
    assert [problem.path for problem in told.value.problems] == ["sources[0].path"]

    with pytest.raises(InvalidInput) as told:
        source(type="capy", selectr="a")
    assert {problem.path for problem in told.value.problems} == {"sources[0].type", "sources[0].selectr"}

    with pytest.raises(InvalidInput) as told:
        source(type="capi")
    assert [problem.path for problem in told.value.problems] == ["sources[0].kubeconfig"]


def test_a_cluster_of_two_sources_is_one_host_and_the_later_source_has_the_last_word() -> None:
    first = FoundCluster("a", "lab", {"emco_labels": {"x": "1"}, "emco_kubeconfig": "/a"})
    second = FoundCluster("a", "lab", {"emco_labels": {"x": "2"}})

    hosts = _by_host([first, second], "name")

    assert hosts["a"].variables == {"emco_labels": {"x": "2"}, "emco_kubeconfig": "/a"}


def test_two_clusters_of_one_name_are_never_one_host() -> None:
    found = [FoundCluster("a", "north", {}), FoundCluster("a", "south", {})]

    with pytest.raises(EdgeError) as told:
        _by_host(found, "name")

    assert told.value.reason == "DuplicateHost"
    assert set(_by_host(found, "provider_name")) == {"north_a", "south_a"}
