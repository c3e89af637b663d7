# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading EMCO's documents: its rules, its messages, and everything that is wrong at once with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.emco.reading import CA, CLUSTER, DIG, document, messages, read

LEAF = {"clusterProvider": "p", "cluster": "c"}
INTENTS = f"{DIG}/generic-placement-intents/gp/app-intents"


def app_intent(**intent: Any) -> dict[str, Any]:
    return document(INTENTS, "i", {"app": "a", "intent": intent})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"resourceContext": {"anchor": INTENTS}}, "Empty body", id="A20"),
        pytest.param(
            document(INTENTS, spec={"app": "a", "intent": {"allOf": [LEAF]}}), "Missing name for the intent", id="A21"
        ),
        pytest.param(document(INTENTS, "i", {"intent": {"allOf": [LEAF]}}), "Missing app for the intent", id="A22"),
        pytest.param(
            app_intent(anyOf=[{"cluster": "testCluster", "clusterLabel": "l"}]),
            "Missing clusterProvider in an intent",
            id="A23",
        ),
        pytest.param(app_intent(anyOf=[{"clusterProvider": "p"}]), "Missing cluster or clusterLabel", id="A24"),
        pytest.param(
            app_intent(anyOf=[{"clusterProvider": "p", "clusterLabel": "l", "cluster": "c"}]),
            "Only one of cluster name or cluster label allowed",
            id="A25",
        ),
        pytest.param(
            app_intent(allOf=[{"clusterLabel": "l"}, {"anyOf": [LEAF]}]),
            "Missing clusterProvider in an intent",
            id="A26",
        ),
        pytest.param(
            app_intent(allOf=[LEAF, {"anyOf": [{"clusterLabel": "l"}]}]),
            "Missing clusterProvider in an intent",
            id="A27",
        ),
        pytest.param(
            app_intent(allOf=[{**LEAF, "clusterLabel": "l1"}, {"anyOf": [LEAF]}]),
            "Only one of cluster name or cluster label allowed",
            id="A28",
        ),
        pytest.param(
            app_intent(allOf=[LEAF, {"anyOf": [{**LEAF, "clusterLabel": "l2"}]}]),
            "Only one of cluster name or cluster label allowed",
            id="A29",
        ),
    ],
)
def test_app_intents_are_refused_in_the_words_of_emco(given: dict[str, Any], message: str) -> None:
    assert message in messages([given])


DEPENDENCY = f"{CA}/apps/a/dependency"
CONSUMER = f"{DIG}/hpa-intents/h/hpa-resource-consumers"
INBOUND = f"{DIG}/traffic-group-intents/t/inbound-intents"
SERVER = {"app": "a", "appLabel": "app=a", "serviceName": "s", "port": 6666, "protocol": "TCP"}
SUBNET = {"name": "subnet4", "subnet": "192.168.20.0/24", "gateway": "192.168.20.100"}
SUBNET6 = {"name": "subnet6", "subnet": "2001:db8:42:0::/56"}
VLAN = {
    "vlanId": "102",
    "providerInterfaceName": "eth1",
    "logicalInterfaceName": "eth1.102",
    "vlanNodeSelector": "specific",
    "nodeLabelList": ["kubernetes.io/hostname=localhost"],
}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(document(DEPENDENCY, "d", {"opStatus": "Ready", "wait": 0, "app": "test"}), id="E1"),
        pytest.param(document(DEPENDENCY, "d", {"opStatus": "READY", "app": "test"}), id="E8"),
        pytest.param(document(CONSUMER, "c", {"name": "web"}), id="H15 without replicas"),
        pytest.param(
            document(f"{CLUSTER}/networks", "n", {"cniType": "ovn4nfv", "ipv4Subnets": [SUBNET]}), id="I1 IPv4"
        ),
        pytest.param(
            document(f"{CLUSTER}/networks", "n", {"cniType": "ovn4nfv", "ipv6Subnets": [SUBNET6]}), id="I1 IPv6"
        ),
        pytest.param(
            document(
                f"{CLUSTER}/networks", "n", {"cniType": "ovn4nfv", "ipv4Subnets": [SUBNET], "ipv6Subnets": [SUBNET6]}
            ),
            id="I1 both",
        ),
        pytest.param(
            document(
                f"{CLUSTER}/provider-networks",
                "n",
                {"cniType": "ovn4nfv", "ipv4Subnets": [SUBNET], "providerNetType": "vlan", "vlan": VLAN},
            ),
            id="I1 provider network",
        ),
        pytest.param(document(INBOUND, "i", SERVER), id="K8"),
        pytest.param(document("projects", "p"), id="project"),
        pytest.param(
            {**document("projects"), "metadata": {"name": "p", "userdata1": "as Go reads it"}}, id="names in any case"
        ),
        pytest.param(document("/v2/projects/", "p"), id="a path of the API"),
        pytest.param(document("projects/p", "p"), id="a path with the name"),
    ],
)
def test_what_emco_accepts_is_accepted(given: dict[str, Any]) -> None:
    assert messages([given]) == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        pytest.param(document(DEPENDENCY, "d", {"opStatus": "deploye", "app": "test"}), "spec.opStatus", id="E2"),
        pytest.param(document(DEPENDENCY, spec={"opStatus": "Ready", "app": "test"}), "metadata.name", id="E4"),
        pytest.param(document(DEPENDENCY), "metadata.name", id="E5"),
        pytest.param(document(f"{DEPENDENCY}/x", "y", {"opStatus": "Ready", "app": "test"}), "metadata.name", id="E6"),
        pytest.param(document(DEPENDENCY, "d", {"opStatus": "Ready", "app": "t", "wait": 4097}), "spec.wait", id="E8"),
        pytest.param(document(CONSUMER, "c", {"replicas": 1}), "spec.name", id="H15 name"),
        pytest.param(document(CONSUMER, "c", {"name": "w", "replicas": 0}), "spec.replicas", id="H15 replicas"),
        pytest.param(document(f"{CLUSTER}/networks", "n", {"cniType": "ovn4nfv"}), "spec", id="I1 no subnet"),
        pytest.param(
            document(f"{CLUSTER}/networks", "n", {"ipv4Subnets": [SUBNET]}), "spec.cniType", id="I1 no cniType"
        ),
        pytest.param(document(INBOUND, "i", {**SERVER, "app": ""}), "spec.app", id="K8 app"),
        pytest.param(
            document(INBOUND, "i", {key: SERVER[key] for key in SERVER if key != "port"}), "spec.port", id="K8 port"
        ),
        pytest.param(document("cluster-providers"), "metadata.name", id="L1 no name"),
        pytest.param(document("cluster-providers/x", "y"), "metadata.name", id="L1 another name"),
        pytest.param(document("cluster-providers/p/clusters", "c"), "file", id="a cluster without kubeconfig"),
        pytest.param(
            document("cluster-providers/p/clusters", "c", {"gitOps": {"gitOpsType": "fluxcd"}}),
            "spec.gitOps",
            id="a cluster with half of gitOps",
        ),
        pytest.param(document(f"{DIG}/intents", "i", {"intent": {"gac": "g"}}), "spec.intent", id="no placement"),
        pytest.param(document(f"{DIG}/migrate", spec={"targetCompositeAppVersion": "v2"}), "spec", id="D12"),
        pytest.param(document(f"{DIG}/migrate"), "spec", id="D12 empty"),
        pytest.param(document(f"{DIG}/rollback"), "spec.revision", id="D13"),
        pytest.param(document("projects", "-p"), "metadata.name", id="a name"),
        pytest.param(document("projects", "p" * 129), "metadata.name", id="a long name"),
        pytest.param(
            document("projects", "p") | {"metadata": {"name": "p", "description": "x" * 1025}},
            "metadata.description",
            id="a long description",
        ),
        pytest.param(document("projects", "p", {}, colour="blue"), "colour", id="an unknown field"),
        pytest.param(document("project", "p"), "resourceContext.anchor", id="an unknown anchor"),
        pytest.param(document(f"{CA}/apps", "a"), "file", id="an app without package"),
        pytest.param(document(f"{CA}/apps", "a", file="gone.tgz"), "file", id="a file that is not there"),
    ],
)
def test_what_emco_refuses_is_refused_with_its_path(given: dict[str, Any], path: str) -> None:
    problems = read([given])[1]

    assert problems
    assert any(f": {path}" in problem.path for problem in problems), problems


def test_everything_wrong_is_told_at_once_with_file_document_and_line(tmp_path: Path) -> None:
    text = (
        "# a comment\n---\nresourceContext: {anchor: projects}\nmetadata: {name: p}\n---\n"
        "resourceContext: {anchor: projcets}\n---\n\nresourceContext: {anchor: projects/p/composite-apps}\n"
        "metadata: {name: ca}\n---\nnot: [closed\n"
    )

    found, problems = read(text)

    assert [one.what for one in found] == ["projects/p"]
    assert [problem.path for problem in problems] == [
        "shop.yaml, document 2, line 6: resourceContext.anchor",
        "shop.yaml, document 3, line 9: spec.compositeAppVersion",
        "shop.yaml, document 4, line 12",
    ]
    assert "projects" in problems[0].hint


def test_files_are_found_beside_the_document_and_where_the_run_starts(tmp_path: Path) -> None:
    (tmp_path / "beside.tgz").write_bytes(b"one")

    found, problems = read([document(f"{CA}/apps", "a", file="beside.tgz")], folder=str(tmp_path))

    assert problems == []
    assert found[0].object is not None
    assert found[0].object.files[0].path == str(tmp_path / "beside.tgz")


def test_a_number_or_boolean_without_quotes_is_the_text_that_emco_wants() -> None:
    spec = {"compositeProfile": "cp", "version": 1, "logicalCloud": "lc"}
    spec["overrideValues"] = [{"app": "a", "values": {"port": 80, "on": True}}]  # type: ignore[assignment]

    found, problems = read([document(f"{CA}/deployment-intent-groups", "g", spec)])

    assert problems == []
    assert found[0].object is not None
    assert found[0].object.spec["version"] == "1"
    assert found[0].object.spec["overrideValues"][0]["values"] == {"port": "80", "on": "true"}


@pytest.mark.parametrize(
    ("anchor", "meant"),
    [
        ("projcets", "projects"),
        ("projects/p/logical-cloud", "logical-clouds"),
        (f"{DIG}/aprove", "approve"),
        (f"{CLUSTER}/network", "networks"),
    ],
)
def test_an_unknown_anchor_says_what_was_probably_meant(anchor: str, meant: str) -> None:
    (problem,) = read([document(anchor, "x")])[1]

    assert problem.hint == f"did you mean {meant}?"
