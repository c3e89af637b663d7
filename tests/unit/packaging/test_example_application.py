# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example's intents say what its charts understand: a misspelt value would be ignored by Helm without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import CompositeApp
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import Deployment
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse

ROOT = Path(__file__).resolve().parents[3]
APPLICATION = ROOT / "examples" / "camera-analytics"
INTENTS = ROOT / "inventories" / "lab" / "group_vars" / "all" / "camera-analytics.yml"


def intents() -> dict[str, Any]:
    text = INTENTS.read_text().replace("{{ camera_analytics }}", str(APPLICATION))
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def paths(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from paths(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def chart_values(app: str) -> set[str]:
    return set(paths(yaml.safe_load((APPLICATION / "charts" / app / "values.yaml").read_text())))


def given_values() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for composite in intents()["emco_composite_apps"]:
        for profile in composite["profiles"]:
            for app, given in profile["apps"].items():
                yield app, f"profile {profile['name']}", given.get("values", {})
                for file in given.get("values_files", []):
                    yield app, file, yaml.safe_load(Path(file).read_text())
    for deployment in intents()["emco_deployments"]:
        for app, override in deployment.get("overrides", {}).items():
            yield app, f"deployment {deployment['name']}", override.get("values", {})


def test_intents_are_valid_options() -> None:
    problems = Problems()
    for composite in intents()["emco_composite_apps"]:
        assert parse(CompositeApp, composite, "emco_composite_apps", problems) is not None, list(problems)
    for deployment in intents()["emco_deployments"]:
        assert parse(Deployment, deployment, "emco_deployments", problems) is not None, list(problems)


def test_charts_and_manifests_are_there() -> None:
    for composite in intents()["emco_composite_apps"]:
        for app in composite["apps"]:
            sources = [app["chart"]] if "chart" in app else app["manifests"]
            assert all(Path(source).is_dir() for source in sources), app


@pytest.mark.parametrize(("app", "where", "values"), [pytest.param(*one, id=f"{one[0]}") for one in given_values()])
def test_every_value_that_is_given_is_one_of_the_chart(app: str, where: str, values: Mapping[str, Any]) -> None:
    assert set(paths(values)) <= chart_values(app), where


def test_hardware_is_asked_for_by_the_container_that_the_intent_names() -> None:
    (deployment,) = intents()["emco_deployments"]
    (request,) = deployment["hardware"]
    template = (APPLICATION / "charts" / request["app"] / "templates" / "deployment.tpl").read_text()
    assert request["workload"] == f"{deployment['name']}-{request['app']}"
    assert f"- name: {request['container']}\n" in template
    assert set(request["requests"]) == {yaml.safe_load(_values("detector"))["accelerator"]["resource"]}


def _values(app: str) -> str:
    return (APPLICATION / "charts" / app / "values.yaml").read_text()
