# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action controllers of other collections: what they are given, and what is made of what they answer."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Intents, Subject
from ansible_collections.emco.edge.plugins.module_utils._controllers.third_party import changes, third_party
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef, Facts
from ansible_collections.emco.edge.plugins.module_utils._model.controllers import parse_controllers
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problems
from ansible_collections.emco.edge.plugins.plugin_utils.third_party_controllers import load_control

CLUSTER = Cluster(
    ClusterRef("lab", "edge-1"),
    labels={"region": "north"},
    kv={"site": {"rack": 7}},
    facts=Facts(0.0, "v1.36.0", apis=("v1",), engines={"nodus": "k8s.plugin.opnfv.org/v1alpha1"}),
)
SUBJECT = Subject("api", CLUSTER, "factory", 2, Intents(), "demo/vision")
WEB = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"colour": "blue"}}


def edited(control: Any, *objects: dict[str, Any], **options: Any) -> Any:
    return third_party("acme.edge.paint", control, options).edit(objects, SUBJECT)


def test_a_controller_sees_plain_data_of_the_app_and_its_cluster() -> None:
    seen: list[dict[str, Any]] = []

    def control(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request)
        return {"version": 1, "objects": request["objects"]}

    assert edited(control, WEB, colour="red") == [WEB]
    assert seen[0] == {
        "version": 1,
        "deployment": "demo/vision",
        "app": "api",
        "namespace": "factory",
        "replicas": 2,
        "options": {"colour": "red"},
        "cluster": {
            "name": "lab+edge-1",
            "labels": {"region": "north"},
            "kv": {"site": {"rack": 7}},
            "version": "v1.36.0",
            "apis": ["v1"],
            "engines": {"nodus": "k8s.plugin.opnfv.org/v1alpha1"},
        },
        "objects": [WEB],
    }


def test_what_a_controller_does_to_its_request_reaches_nothing_else() -> None:
    def control(request: dict[str, Any]) -> dict[str, Any]:
        request["objects"][0]["data"]["colour"] = "red"
        request["cluster"]["labels"]["region"] = "moon"
        return {"version": 1, "objects": request["objects"]}

    assert edited(control, WEB)[0]["data"] == {"colour": "red"}
    assert WEB["data"] == {"colour": "blue"}
    assert CLUSTER.labels == {"region": "north"}


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        (None, ""),
        ({"objects": []}, "version"),
        ({"version": 2, "objects": []}, "version"),
        ({"version": 1}, "objects"),
        ({"version": 1, "objects": [{"kind": "ConfigMap"}]}, "objects[0]"),
        ({"version": 1, "objects": [{**WEB, "data": {"a": {1, 2}}}]}, "objects[0]"),
        ({"version": 1, "objects": [WEB, WEB]}, "objects[1]"),
        ({"version": 1, "problems": [{"path": "options.colour", "message": "is no colour"}]}, "options.colour"),
    ],
)
def test_an_answer_that_is_not_what_was_agreed_is_refused_with_its_path(answer: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        edited(lambda _request: answer, WEB)
    assert [problem.path for problem in refused.value.problems] == [path]
    assert "acme.edge.paint" in refused.value.message


def test_a_controller_that_raises_or_throws_dice_fails_by_its_name() -> None:
    with pytest.raises(
        EdgeError, match=r"acme\.edge\.paint raised KeyError: 'paint', for app api on lab\+edge-1"
    ) as one:
        edited(lambda request: request["paint"], WEB)
    dice = itertools.count()
    with pytest.raises(EdgeError, match="something else the second time") as other:
        edited(lambda _request: {"version": 1, "objects": [{**WEB, "data": {"n": str(next(dice))}}]}, WEB)
    assert one.value.reason == other.value.reason == "ControllerFailed"


def test_edits_are_told_by_the_names_of_objects() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}
    red = {**WEB, "data": {"colour": "red"}}
    assert changes([WEB, service], [red, {**service, "kind": "Endpoints"}]).as_result() == {
        "added": ["Endpoints shop/web"],
        "changed": ["ConfigMap web"],
        "removed": ["Service shop/web"],
    }
    assert not changes([WEB], [WEB])


def test_a_controller_is_imported_from_the_folder_of_another_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ansible_collections" / "acme" / "edge" / "plugins" / "plugin_utils" / "emco_controllers"
    folder.mkdir(parents=True)
    (folder / "paint.py").write_text("def control(request):\n    return {'version': 1, 'objects': []}\n")
    (folder / "empty.py").write_text("")
    (folder / "broken.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_control("acme.edge.paint")({}) == {"version": 1, "objects": []}
    for name, words in (("empty", "no function control"), ("broken", "no_such_library"), ("gone", "emco_controllers")):
        with pytest.raises(EdgeError, match=words) as refused:
            load_control(f"acme.edge.{name}")
        assert refused.value.reason == "UnknownController"


def test_controllers_are_listed_by_name_or_with_options_and_once() -> None:
    problems = Problems()
    uses = parse_controllers(["acme.edge.paint", {"name": "acme.edge.wrap", "options": {"a": 1}}], "c", problems)
    assert [(one.name, dict(one.options)) for one in uses] == [("acme.edge.paint", {}), ("acme.edge.wrap", {"a": 1})]
    assert not len(problems)
    parse_controllers(["paint", "acme.edge.paint", "acme.edge.paint", {"options": {}}], "c", problems)
    assert [problem.path for problem in problems] == ["c[0].name", "c[2]", "c[3].name"]
