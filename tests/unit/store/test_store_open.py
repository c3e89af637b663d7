# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which store a user's choice opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput
from ansible_collections.emco.edge.plugins.module_utils._store import open as open_module
from ansible_collections.emco.edge.plugins.module_utils._store.open import KEYS_ENTRY, open_keys, open_store

ENVIRON = {"HOME": "/home/ops", "XDG_STATE_HOME": "/state"}


def opened(option: Any = None, variable: Any = None, environ: dict[str, str] | None = None) -> str:
    return open_store(option, {**ENVIRON, **(environ or {})}, variable=variable).description


def test_the_default_is_a_sqlite_file_of_the_user() -> None:
    assert opened() == "sqlite /state/emco-edge/edge.db"
    assert opened("sqlite") == "sqlite /state/emco-edge/edge.db"
    assert opened({"type": "sqlite", "path": None}) == "sqlite /state/emco-edge/edge.db"


def test_a_path_can_be_given_as_text_and_as_a_dictionary() -> None:
    assert opened("sqlite:/srv/edge.db") == "sqlite /srv/edge.db"
    assert opened({"type": "sqlite", "path": "/srv/edge.db"}) == "sqlite /srv/edge.db"
    assert opened("sqlite:~/edge.db") == "sqlite /home/ops/edge.db"
    assert opened("sqlite:edge.db") == f"sqlite {Path.cwd() / 'edge.db'}"


def test_the_option_goes_before_the_variable_and_that_before_the_environment() -> None:
    environ = {"EMCO_EDGE_STORE": "sqlite:/environment.db"}
    assert opened(None, None, environ) == "sqlite /environment.db"
    assert opened("", "sqlite:/variable.db", environ) == "sqlite /variable.db"
    assert opened("sqlite:/option.db", "sqlite:/variable.db", environ) == "sqlite /option.db"


@pytest.mark.parametrize("wrong", ["sqllite:/srv/edge.db", "/srv/edge.db", {"path": "/srv/edge.db"}, {"type": "etcd"}])
def test_an_unknown_store_is_refused_with_the_forms_that_are_known(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match=r"sqlite:/path/to/edge\.db") as caught:
        opened(wrong)
    assert caught.value.problems[0].path == "store"


def test_a_wrong_choice_names_where_it_was_made() -> None:
    with pytest.raises(InvalidInput) as caught:
        opened(None, None, {"EMCO_EDGE_STORE": "etcd"})
    assert caught.value.problems[0].path == "EMCO_EDGE_STORE"
    with pytest.raises(InvalidInput) as caught:
        opened(None, {"type": "sqlite", "name": "x"})
    assert caught.value.problems[0].path == "emco_edge_store.name"


HUB = {
    "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": "ops"}}],
    "clusters": [{"name": "hub", "cluster": {"server": "https://hub.example:6443"}}],
    "users": [{"name": "ops", "user": {"token": "canary-token"}}],
}


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    path = tmp_path / "hub.yaml"
    path.write_text(json.dumps(HUB))
    return path


def test_a_hub_cluster_can_be_given_as_text_and_as_a_dictionary(hub: Path) -> None:
    in_default = "kubernetes https://hub.example:6443, namespace emco-edge-store"
    assert opened(f"kubernetes:{hub}") == in_default
    assert opened(f"kubernetes:{hub}?context=hub&namespace=fleet") == in_default.replace("emco-edge-store", "fleet")
    settings = {"type": "kubernetes", "kubeconfig": str(hub), "context": "hub", "namespace": "fleet"}
    assert opened(settings) == in_default.replace("emco-edge-store", "fleet")
    assert opened(json.dumps(settings)) == in_default.replace("emco-edge-store", "fleet")
    assert opened({"type": "kubernetes", "kubeconfig": HUB}) == in_default
    assert opened({"type": "kubernetes", "host": "https://hub.example:6443", "api_key": "x"}) == in_default


def test_relative_paths_start_where_the_play_is(hub: Path) -> None:
    base_dir = str(hub.parent)
    assert open_store("kubernetes:hub.yaml", ENVIRON, base_dir=base_dir).description.startswith(
        "kubernetes https://hub"
    )
    assert open_store("sqlite:edge.db", ENVIRON, base_dir=base_dir).description == f"sqlite {hub.parent}/edge.db"


def test_the_cluster_that_this_runs_in_is_taken_only_when_asked_for() -> None:
    in_pod = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert opened(None, None, in_pod).startswith("sqlite")
    with pytest.raises(InvalidInput, match="where the hub cluster is"):
        opened("kubernetes", None, in_pod)
    with pytest.raises(EdgeError, match="not run in a pod"):
        opened("kubernetes:in-cluster")
    with pytest.raises(EdgeError, match="serviceaccount"):  # there is none here
        opened("kubernetes:in-cluster?namespace=fleet", None, in_pod)


def test_wrong_settings_of_a_hub_are_named_all_at_once_without_their_secrets(hub: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        opened(
            {"type": "kubernetes", "kubeconfig": str(hub), "namespace": "Not_One", "contxt": "hub", "api_key": "canary"}
        )
    assert {problem.path for problem in caught.value.problems} == {"store.namespace", "store.contxt"}
    assert "context" in str(caught.value)
    assert "canary" not in str(caught.value)
    with pytest.raises(InvalidInput) as caught:
        opened('{"type": "kubernetes", "api_key": "canary"')
    assert "canary" not in str(caught.value)


def test_opening_touches_nothing(tmp_path: Path) -> None:
    store = open_store(f"sqlite:{tmp_path}/state/edge.db", ENVIRON)
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at", ["known_keys", "get"])
def test_keys_that_another_run_makes_in_between_are_ours_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    store = open_store("sqlite:edge.db", environ, base_dir=str(tmp_path))
    made: list[str] = []

    def interrupted(*given: Any) -> Any:
        if not made:
            made.append("begun")
            made.append(open_keys(store, environ, writing=True).fingerprint)
        return reads(*given)

    # All hosts of a first play open the store at once; here the other one does so just before this reads each part.
    owner: Any = open_module if at == "known_keys" else store
    reads = getattr(owner, at)
    monkeypatch.setattr(owner, at, interrupted)
    ours = open_keys(store, environ, writing=True)

    assert made[1] == ours.fingerprint
    noted = store.get(KEYS_ENTRY)
    assert noted is not None and noted.value["fingerprint"] == ours.fingerprint


def test_of_two_machines_that_fill_a_new_store_the_second_is_told_that_its_keys_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = ({"XDG_CONFIG_HOME": str(tmp_path / name)} for name in ("here", "there"))
    store = open_store("sqlite:edge.db", here, base_dir=str(tmp_path))
    theirs: list[str] = []
    writes = store.put

    def interrupted(*given: Any, **options: Any) -> int:
        if not theirs:
            theirs.append("begun")
            theirs.append(open_keys(store, there, writing=True).fingerprint)
        return writes(*given, **options)

    monkeypatch.setattr(store, "put", interrupted)
    with pytest.raises(EdgeError) as caught:
        open_keys(store, here, writing=True)
    assert caught.value.reason == "KeyMissing"
    noted = store.get(KEYS_ENTRY)
    assert noted is not None and noted.value["fingerprint"] == theirs[1]
