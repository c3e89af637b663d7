# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs document and document_info, as far as they go without a cluster: clusters are reached through Git here."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._verbs import document, document_info
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import perform
from tests.unit.emco.reading import CLUSTER, DIG, inventory, project, stream
from tests.unit.emco.reading import document as written

Take = Callable[..., dict[str, Any]]
LABEL = written(f"{CLUSTER}/labels", clusterLabel="north")
INSTANTIATE = written("projects/p/logical-clouds/lc/instantiate")
REFERENCE = written(
    "projects/p/logical-clouds/lc/cluster-references", "r", {"clusterProvider": "aws", "cluster": "edge1"}
)
CERTIFICATE = {
    "issuerRef": {"name": "i", "kind": "ClusterIssuer", "group": "cert-manager.io"},
    "issuingCluster": {"cluster": "edge1", "clusterProvider": "aws"},
}


def context(folder: Path, *, check: bool = False) -> Context:
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    return Context(Host("localhost"), "test", str(folder), environ, check=check)


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Takes documents given as data; ``check`` is check mode."""

    def taken(documents: list[dict[str, Any]], *, check: bool = False, **options: Any) -> dict[str, Any]:
        (tmp_path / "all.yaml").write_text(stream(documents), encoding="utf-8")
        asked = {"src": ["all.yaml"], **options}
        return perform(document.SPEC, document.run, asked, context(tmp_path, check=check))

    return taken


def states(result: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = result["summary"]
    return found


def test_documents_are_stored_once_and_deleted_backwards(take: Take) -> None:
    documents = [*inventory(), LABEL, *project()]
    count = len(documents)

    assert states(take(documents)) == {"created": count}
    again = take(documents)
    assert (again["changed"], states(again)) == (False, {"unchanged": count})
    assert states(take(documents, state="absent")) == {"deleted": count}
    assert states(take(documents, state="absent")) == {"unchanged": count}


def test_check_mode_tells_the_same_and_stores_nothing(take: Take) -> None:
    documents = [*inventory(), *project()]

    checked = take(documents, check=True)

    assert (checked["changed"], states(checked)) == (True, {"created": len(documents)})
    assert states(take(documents)) == {"created": len(documents)}


def test_what_is_wrong_is_told_before_anything_is_stored(take: Take) -> None:
    wrong = written("projects/q/logical-clouds", "x", {"level": "0"})

    result = take([*project(), wrong])

    assert result["reason"] == "InvalidInput"
    assert result["problems"][0]["message"] == "projects/q/logical-clouds/x: its parent projects/q is not there"
    assert states(take(project())) == {"created": len(project())}


def test_what_nobody_carries_out_fails_its_document_and_stops(take: Take) -> None:
    certificate = written("cluster-providers/aws/ca-certs", "ca", CERTIFICATE)
    enroll = written("cluster-providers/aws/ca-certs/ca/enrollment/instantiate")
    documents = [*inventory(), certificate, enroll, written("projects", "p")]

    stopped = take(documents)

    assert (stopped["reason"], states(stopped)) == ("DocumentFailed", {"created": 4, "failed": 1})
    assert "certificate authorities are not distributed yet" in stopped["documents"][-1]["message"]
    went_on = take(documents, on_error="continue")
    assert states(went_on) == {"unchanged": 4, "failed": 1, "created": 1}


def test_a_group_waits_for_its_logical_cloud(take: Take) -> None:
    approve = written(f"{DIG}/approve")

    result = take([*inventory(), *project(), approve])

    assert "the Logical Cloud lc is not instantiated, it is Created" in result["msg"]


def test_no_secret_is_told(take: Take, tmp_path: Path) -> None:
    result = take([*inventory(), *project()])
    asked = {"src": ["all.yaml"], "convert": False}
    told = perform(document_info.SPEC, document_info.run, asked, context(tmp_path))

    assert "canary" not in json.dumps([result, told])
    stored = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"canary" not in stored


def test_what_is_not_supported_is_listed_and_nothing_is_touched(tmp_path: Path) -> None:
    policy = written(
        f"{DIG}/policy-intents", "scale", {"policy": {"engineUrl": "u", "policyName": "n"}, "event": {"id": "e"}}
    )
    (tmp_path / "all.yaml").write_text(stream([*inventory(), *project(), policy]), encoding="utf-8")

    told = perform(document_info.SPEC, document_info.run, {"src": ["all.yaml"]}, context(tmp_path))

    assert [(one["kind"], one["anchor"]) for one in told["unsupported"]] == [
        ("Cluster", CLUSTER),
        ("PolicyIntent", f"{DIG}/policy-intents/scale"),
    ]
    assert not (tmp_path / "state").exists()


def test_files_of_a_folder_that_are_no_documents_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "1.yaml").write_text(stream([written("projects", "p")]), encoding="utf-8")
    (folder / "values.yaml").write_text("Project: p\n", encoding="utf-8")

    told = perform(document_info.SPEC, document_info.run, {"src": ["documents"]}, context(tmp_path))

    assert [one["anchor"] for one in told["documents"]] == ["projects/p"]
    named = perform(document_info.SPEC, document_info.run, {"src": ["documents/values.yaml"]}, context(tmp_path))
    assert named["reason"] == "InvalidInput"


def test_a_logical_cloud_names_the_clusters_that_are_not_registered(take: Take) -> None:
    documents = [*inventory(), *project(), REFERENCE, INSTANTIATE]

    refused = take(documents)

    # A cluster that is reached through Git is not registered, and the logical cloud says so.
    assert "aws+edge1" in refused["msg"]
