# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EMCO's documents, end to end on real clusters, compared with what EMCO would have put there."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.emco.edge.plugins.module_utils._emco.native import context_id
from tests.integration import network_crds
from tests.integration.emco_documents import INSIDE, large_chart, packed, written_documents
from tests.integration.playbooks import LOCAL, Playbooks
from tests.lab.harness import Lab, LabError
from tests.tools.playbook import PlaybookRun

pytestmark = pytest.mark.integration

CLUSTERS = ("edge-1", "edge-2")
GROUP = "projects/demo/composite-apps/shop/v1/deployment-intent-groups/north"
CONTEXT = context_id(tuple(GROUP.split("/")))
KINDS = "deployments,services,configmaps,secrets"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two clusters, one with accelerators."""
    running = os.environ.get("EMCO_EDGE_DOCUMENTS_LAB")
    if running:  # a lab that stays up saves half a minute a run while tests are written
        yield _with_nodus(Lab.attach(Path(running)))
        return
    rich = {"cpu": 16, "memory": "32Gi", "pods": 110, "example.com/accelerator": 4}
    described = [
        {"name": "edge-1", "nodes": [{"name": "edge-1-a", "allocatable": rich}]},
        {"name": "edge-2", "nodes": [{"name": "edge-2-a"}]},
    ]
    with Lab.up(tmp_path_factory.mktemp("emco") / "state", described, audit=True) as started:
        yield _with_nodus(started)


def _with_nodus(lab: Lab) -> Lab:
    """The clusters serve the kinds of Nodus and Multus, as EMCO's do."""
    for name in CLUSTERS:
        lab.apply(name, *network_crds.nodus(), *network_crds.multus())
        lab.established(name)
    return lab


@contextmanager
def nodus_running(lab: Lab) -> Iterator[None]:
    """Give every network the state that the operator of Nodus, which does not run here, would give it."""
    done = threading.Event()
    kinds = "networks.k8s.plugin.opnfv.org,providernetworks.k8s.plugin.opnfv.org"
    patch = json.dumps({"status": {"state": "Created"}})

    def work() -> None:
        while not done.wait(0.5):
            for cluster in CLUSTERS:
                for one in lab.get(cluster, kinds, "-n", "default")["items"]:
                    if not one.get("status"):
                        kind = f"{one['kind'].lower()}s.k8s.plugin.opnfv.org"
                        with suppress(LabError):  # it may be gone by now
                            where = ("-n", "default", "--subresource=status", "--type=merge", "--patch", patch)
                            lab.kubectl(cluster, "patch", kind, one["metadata"]["name"], *where)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


@dataclass(frozen=True)
class Site:
    """A folder of documents, and the clusters that they are about."""

    lab: Lab
    playbooks: Playbooks

    @property
    def folder(self) -> Path:
        return self.playbooks.folder

    def run(self, *tasks: dict[str, Any], check: bool = False) -> PlaybookRun:
        """Run tasks where no cluster is a host."""
        return self.playbooks.tasks(list(tasks), {"all": {"vars": LOCAL, "hosts": {"localhost": None}}}, check=check)

    def documents(self, **options: Any) -> dict[str, Any]:
        """A task that takes the documents."""
        given = {"src": "documents", "values": "values.yaml", "wait_timeout": "60s", **options}
        return {"emco.edge.document": given}

    def objects(self, cluster: str) -> dict[str, dict[str, Any]]:
        """What of ours is in namespace default, by kind and name."""
        listed = self.lab.get(cluster, KINDS, "-n", "default", "-l", "app.kubernetes.io/managed-by=emco-edge")
        return {f"{one['kind']}/{one['metadata']['name']}": one for one in listed["items"]}

    def writes(self) -> list[str]:
        """What we wrote on the clusters since they were marked."""
        return [
            f"{cluster} {one.verb} {one.resource} {one.name}"
            for cluster in CLUSTERS
            for one in self.lab.requests(cluster)
            # Asking what we may do stores nothing.
            if one.user_agent.startswith("emco-edge") and one.writes and "accessreviews" not in one.resource
        ]


@pytest.fixture
def site(lab: Lab, playbooks: Playbooks) -> Site:
    written_documents(playbooks.folder / "documents")
    clusters = [{"Name": name, "Kubeconfig": str(lab.kubeconfig(name)), "Label": "north"} for name in CLUSTERS]
    values = {"Project": "demo", "Provider": "lab", "Clusters": clusters}
    (playbooks.folder / "values.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    for name in CLUSTERS:
        lab.mark(name)
    return Site(lab, playbooks)


def states(run: PlaybookRun, number: int = -1) -> dict[str, str]:
    """The state of each document by its anchor."""
    return {one["anchor"]: one["state"] for one in run.results_of("document")[number]["documents"]}


def containers(deployment: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The containers of a deployment by name."""
    return {one["name"]: one for one in deployment["spec"]["template"]["spec"]["containers"]}


def test_documents_do_what_emco_would_do_and_go_backwards(site: Site) -> None:
    checked = site.run(site.documents(), check=True)

    assert checked.code == 0, checked.output
    assert states(checked)[f"{GROUP}/instantiate"] == "done"
    assert site.writes() == []

    with nodus_running(site.lab):
        first = site.run(site.documents())

    assert first.code == 0, first.output
    assert set(states(first).values()) == {"created", "done"}
    _as_emco_would_have_it(site)
    _tenants_and_networks_are_as_in_emco(site)

    for name in CLUSTERS:
        site.lab.mark(name)
    asked = {
        "emco.edge.document_info": {
            "src": "documents",
            "values": "values.yaml",
            "convert": True,
            "status": {"status": "ready", "app": ["api"]},
        },
        "register": "meant",
    }
    deployed = {"emco.edge.deployment": "{{ meant.converted.emco_deployments[0] }}"}
    again = site.run(site.documents(), asked, deployed, *(_in_full(view) for view in ("ready", "deployed")))

    assert again.code == 0, again.output
    assert set(states(again).values()) == {"unchanged"}
    assert not again.results_of("document")[0]["changed"]
    # What the documents are converted to means the same objects: deploying it changes nothing.
    assert not again.results_of("deployment")[0]["changed"]
    assert site.writes() == []
    told, seen, stored = again.results_of("document_info")
    _objects_are_told_in_full(site, seen["status"], stored["status"])
    assert told["unsupported"] == []
    status = {one["name"]: one for one in told["status"]}
    assert (status["edge-1"]["readyCounts"], status["edge-1"]["readyStatus"]) == ({"Ready": 2}, "Ready")
    assert (status["factory"]["deployedStatus"], status["factory"]["readyStatus"]) == ("Instantiated", "Ready")
    status = status["north"]
    assert (status["deployedStatus"], status["readyStatus"]) == ("Instantiated", "Ready")
    assert [(one["name"], len(one["clusters"])) for one in status["apps"]] == [("api", 1)]

    gone = site.run(site.documents(state="absent"), site.documents(state="absent"))

    assert gone.code == 0, gone.output
    assert states(gone, 0)[f"{GROUP}/terminate"] == "done"
    assert set(states(gone, 1).values()) == {"unchanged"}
    _nothing_is_left(site)


def _in_full(view: str) -> dict[str, Any]:
    status = {"status": view, "output": "detail"}
    return {"emco.edge.document_info": {"src": "documents", "values": "values.yaml", "status": status}}


def _objects_are_told_in_full(site: Site, seen: list[dict[str, Any]], stored: list[dict[str, Any]]) -> None:
    """As they are in the ready view, as they were sent in the other, values of Secrets in neither."""
    for statuses, is_live in ((seen, True), (stored, False)):
        objects = {
            (status["name"], each["GVK"]["Kind"], each["name"]): each["detail"]
            for status in statuses
            for app in status["apps"]
            for cluster in app["clusters"]
            if cluster["cluster"] == "edge-1"
            for each in cluster["resources"]
            if each["name"] in ("r1-web", "password", "factory", "blue-net")
        }
        assert set(objects) >= {
            ("north", "Deployment", "r1-web"),
            ("north", "Secret", "password"),
            ("factory", "Namespace", "factory"),
            ("edge-1", "Network", "blue-net"),
        }
        web = objects["north", "Deployment", "r1-web"]
        assert set(containers(web)) == {"web", "sidecar"} and "managedFields" not in web["metadata"]
        for one in objects.values():
            assert (one["metadata"].get("uid") is not None) == is_live, one
        assert set(objects["north", "Secret", "password"].get("data", {}).values()) <= {"********"}
        assert objects["edge-1", "Network", "blue-net"]["spec"]["ipv4Subnets"][0]["subnet"] == "10.9.0.0/24"


def _nothing_is_left(site: Site) -> None:
    for name in CLUSTERS:
        assert site.objects(name) == {}
        # A namespace takes a moment to go.
        site.lab.kubectl(name, "wait", "--for=delete", "namespace/emco-edge-system", "--timeout=50s")


def _tenants_and_networks_are_as_in_emco(site: Site) -> None:
    lab = site.lab
    space = lab.get("edge-1", "namespace", "factory")
    assert space["metadata"]["labels"]["tenant"] == "factory"
    assert lab.get("edge-1", "resourcequota", "small", "-n", "factory")["spec"]["hard"] == {
        "pods": "20",
        "count/deployments.apps": "10",
    }
    role = lab.get("edge-1", "role", "factory-role0", "-n", "factory")
    assert role["rules"] == [
        {
            "apiGroups": ["", "apps"],
            "resources": ["configmaps", "services", "deployments", "pods"],
            "verbs": ["*"],
        }
    ]
    binding = lab.get("edge-1", "rolebinding", "factory-roleBinding0", "-n", "factory")
    assert binding["roleRef"]["name"] == "factory-role0"
    # Its group came into its namespace, with the rights of its user.
    inside = lab.get("edge-1", "deployments,services,configmaps", "-n", "factory", "-l", "emco/deployment-id")
    names = {one["metadata"]["name"] for one in inside["items"]}
    assert names == {"r2-web", "r2-api", "r2-web-before", "r2-api-before"}
    everywhere = lab.get("edge-1", "clusterrole", "operators-clusterRole1")
    assert everywhere["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]
    blue = lab.get("edge-1", "networks.k8s.plugin.opnfv.org", "blue-net", "-n", "default")
    assert blue["metadata"]["labels"]["net"] == "blue-net"
    subnet = {"name": "s1", "subnet": "10.9.0.0/24", "gateway": "10.9.0.1/24"}
    assert blue["spec"] == {
        "cniType": "ovn4nfv",
        "ipv4Subnets": [{**subnet, "excludeIps": "10.9.0.2 10.9.0.5..10.9.0.9"}],
    }
    uplink = lab.get("edge-1", "providernetworks.k8s.plugin.opnfv.org", "uplink", "-n", "default")
    assert uplink["spec"] == {
        "cniType": "ovn4nfv",
        "ipv4Subnets": [{"name": "s1", "subnet": "172.20.0.0/24", "gateway": "172.20.0.1/24"}],
        "providerNetType": "VLAN",
        "vlan": {
            "vlanId": "102",
            "providerInterfaceName": "eth1",
            "logicalInterfaceName": "eth1.102",
            "vlanNodeSelector": "specific",
            "nodeLabelList": ["kubernetes.io/hostname=edge-1-a"],
        },
    }
    for name in CLUSTERS:
        template = site.objects(name)["Deployment/r1-web"]["spec"]["template"]["metadata"]["annotations"]
        assert json.loads(template["k8s.plugin.opnfv.org/nfn-network"])["interface"] == [
            {"interface": "net1", "name": "blue-net", "defaultGateway": ""}
        ]


def _as_emco_would_have_it(site: Site) -> None:
    there = {name: site.objects(name) for name in CLUSTERS}
    web, api = (
        {f"ConfigMap/r1-{app}", f"Service/r1-{app}", f"Deployment/r1-{app}", f"ConfigMap/r1-{app}-before"}
        for app in ("web", "api")
    )
    web |= {"ConfigMap/settings", "Secret/password"}
    # allOf a label: every cluster that has it. anyOf: the one with the accelerators that the HPA intent asks for.
    assert set(there["edge-1"]) == web | api
    assert set(there["edge-2"]) == web
    for objects in there.values():
        for name, one in objects.items():
            app = "api" if "r1-api" in name else "web"
            assert one["metadata"]["labels"]["emco/deployment-id"] == f"{CONTEXT}-{app}", name
            if one["kind"] == "Deployment":
                assert one["spec"]["template"]["metadata"]["labels"]["emco/deployment-id"] == f"{CONTEXT}-{app}"
    # The hooks of the charts came first, as those of an installation.
    assert there["edge-2"]["ConfigMap/r1-web-before"]["data"] == {"event": "install"}
    # The profile's values and file, the group's override values, what the HPA intent promised.
    assert there["edge-2"]["ConfigMap/r1-web"]["data"] == {"colour": "green", "site": "site=north\n"}
    server = there["edge-1"]["Deployment/r1-api"]
    assert there["edge-1"]["Service/r1-api"]["spec"]["ports"][0]["port"] == 8080
    assert server["spec"]["replicas"] == 2
    assert containers(server)["api"]["resources"] == {
        "requests": {"cpu": "2", "example.com/accelerator": "1"},
        "limits": {"cpu": "4", "example.com/accelerator": "1"},
    }
    # Generic Kubernetes intents: a file as data, a patch for all clusters but one, a merge patch for one.
    assert there["edge-1"]["ConfigMap/settings"]["data"] == {"main.conf": "level=info\n"}
    assert there["edge-2"]["ConfigMap/settings"]["data"] == {"main.conf": "level=info\n", "team_size": "10"}
    assert set(containers(there["edge-1"]["Deployment/r1-web"])) == {"web", "sidecar"}
    assert set(containers(there["edge-2"]["Deployment/r1-web"])) == {"web"}


def test_an_update_moves_an_app_and_a_rollback_brings_it_back(site: Site) -> None:
    placement = {
        "version": "emco/v2",
        "resourceContext": {"anchor": f"{GROUP}/generic-placement-intents/placement/app-intents"},
        "metadata": {"name": "web-intent"},
        "spec": {"app": "web", "intent": {"allOf": [{"clusterProvider": "lab", "cluster": "edge-2"}]}},
    }
    update = {"version": "emco/v2", "resourceContext": {"anchor": f"{GROUP}/update"}}
    back = {"resourceContext": {"anchor": f"{GROUP}/rollback"}, "spec": {"revision": "1"}}
    for name, parts in (("update", [placement, update]), ("rollback", [back])):
        (site.folder / f"{name}.yaml").write_text("\n---\n".join(json.dumps(one) for one in parts))

    _one_group_alone(site)

    first = site.run(site.documents(), site.documents(src="update.yaml"))

    assert first.code == 0, first.output
    assert states(first)[f"{GROUP}/update"] == "done"
    assert "Deployment/r1-web" not in site.objects("edge-1")
    assert "Deployment/r1-web" in site.objects("edge-2")
    before = site.objects("edge-2")["Deployment/r1-web"]["metadata"]["uid"]

    second = site.run(
        site.documents(src="update.yaml"), site.documents(src="rollback.yaml"), site.documents(src="rollback.yaml")
    )

    assert second.code == 0, second.output
    assert [set(states(second, number).values()) for number in range(3)] == [{"unchanged"}, {"done"}, {"unchanged"}]
    assert "Deployment/r1-web" in site.objects("edge-1")
    assert site.objects("edge-2")["Deployment/r1-web"]["metadata"]["uid"] == before
    labels = site.objects("edge-1")["Deployment/r1-web"]["metadata"]["labels"]
    assert labels["emco/deployment-id"] == f"{CONTEXT}-web"

    (site.folder / "documents" / "7-version-2.yaml").write_text(_version_2(site))
    third = site.run(site.documents(converge=True), site.documents(converge=True))

    assert third.code == 0, third.output
    assert states(third, 0)[f"{GROUP}/migrate"] == "done"
    assert set(states(third, 1).values()) == {"unchanged"}
    # The objects were handed over where they are, under the same id.
    there = site.objects("edge-2")["Deployment/r1-web"]["metadata"]
    assert (there["uid"], there["labels"]["emco/deployment-id"]) == (before, f"{CONTEXT}-web")

    gone = site.run(site.documents(state="absent"))

    assert gone.code == 0, gone.output
    _nothing_is_left(site)


def _one_group_alone(site: Site) -> None:
    for name in ("2-tenants", "3-networks", "6-inside"):
        (site.folder / "documents" / f"{name}.yaml").unlink()
    group = site.folder / "documents" / "5-group.yaml"
    group.write_text(group.read_text().replace("    ovnaction: nics\n", ""))


def test_a_group_that_is_stopped_stays_as_it_is_until_it_is_updated(site: Site) -> None:
    _one_group_alone(site)
    for name in ("stop", "instantiate", "update"):
        document = {"version": "emco/v2", "resourceContext": {"anchor": f"{GROUP}/{name}"}}
        (site.folder / f"{name}.yaml").write_text(json.dumps(document))
    asked = {"emco.edge.document_info": {"src": "stop.yaml", "status": {"status": "deployed"}}}

    first = site.run(site.documents(), site.documents(src="stop.yaml"), site.documents(src="stop.yaml"), asked)

    assert first.code == 0, first.output
    assert [states(first, number)[f"{GROUP}/stop"] for number in (1, 2)] == ["done", "unchanged"]
    (status,) = first.results_of("document_info")[0]["status"]
    assert status["states"]["actions"][-1]["state"] == "InstantiateStopped", status
    before = {name: {key: one["metadata"]["uid"] for key, one in site.objects(name).items()} for name in CLUSTERS}
    assert all(before.values())

    refused = site.run({**site.documents(src="instantiate.yaml"), "ignore_errors": True})

    assert "InstantiateStopped" in refused.results_of("document")[0]["msg"], refused.output

    again = site.run(site.documents(src="update.yaml"))

    assert again.code == 0, again.output
    assert states(again) == {f"{GROUP}/update": "done"}
    after = {name: {key: one["metadata"]["uid"] for key, one in site.objects(name).items()} for name in CLUSTERS}
    assert after == before

    gone = site.run(site.documents(state="absent"))

    assert gone.code == 0, gone.output
    _nothing_is_left(site)


def _version_2(site: Site) -> str:
    """The same app and group in another version, and the migration there."""
    texts = [(site.folder / "documents" / f"{name}.yaml").read_text() for name in ("4-application", "5-group")]
    app, group = (text.replace("/shop/v1", "/shop/v2") for text in texts)
    app = app.replace("compositeAppVersion: v1", "compositeAppVersion: v2")
    spec = {"targetCompositeAppVersion": "v2", "targetDeploymentIntentGroup": "north"}
    migrate = {"resourceContext": {"anchor": f"{GROUP}/migrate"}, "spec": spec}
    return "---\n".join([app, group[: group.rindex("---")], json.dumps(migrate)])


def test_charts_of_the_size_people_ship_are_packed_rendered_and_applied(site: Site) -> None:
    documents = site.folder / "documents"
    for name in ("2-tenants", "3-networks", "5-group", "6-inside"):
        (documents / f"{name}.yaml").unlink()
    application = (documents / "4-application.yaml").read_text()
    # Only the app without dependency, which is the large one now.
    kept = [one for one in application.split("---\n") if "web" not in one]
    inside = INSIDE.replace('(list "web" "api")', '(list "api")').replace("factory", "lc-admin")
    (documents / "4-application.yaml").write_text("---\n".join([*kept, inside]))
    files = large_chart("api")
    packed(documents / "api.tar.gz", files, "api")

    first, second = (site.run(site.documents()) for _time in range(2))

    assert len(files["crds/large.yaml"]) > 400_000
    assert first.code == 0, first.output
    assert second.code == 0, second.output
    assert set(states(second).values()) == {"unchanged"}
    there = site.objects("edge-1")
    assert sum(name.startswith("ConfigMap/r2-api-") for name in there) == 80
    assert there["ConfigMap/r2-sub-0"]["data"]["colour"] == "red"
    assert "larges.docs.example.com" in site.lab.kubectl("edge-1", "get", "crd", "-o", "name")

    gone = site.run(site.documents(state="absent"))

    assert gone.code == 0, gone.output
    assert site.objects("edge-1") == {}
