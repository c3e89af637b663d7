# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backing a store up, restoring it and rotating its keys, as far as it goes without a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Cluster, ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._verbs import store_backup, store_keys, store_restore
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import Credentials, Registered, find, keep
from ansible_collections.emco.edge.plugins.module_utils._verbs.sealed_blobs import SealedBlobs
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import perform

REF = ClusterRef("lab", "a")
Made = Callable[..., Context]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Contexts of control nodes: each name is one with files of its own, stores are shared by their path."""

    def context(node: str = "one", store: str = "one.db", **told: Any) -> Context:
        environ = {"XDG_CONFIG_HOME": str(tmp_path / node), "HOME": str(tmp_path / node)}
        choice = {"type": "sqlite", "path": str(tmp_path / store)}
        return Context(Host("a"), "me", str(tmp_path), environ, store_choice=choice, clock=lambda: 1.0, **told)

    return context


@pytest.fixture
def filled(made: Made) -> None:
    context = made()
    keep(context.store(), Registered(Cluster(REF), Credentials("reference"), host="a"))
    SealedBlobs(context.store(), context.keys()).keep({"d1": b"canary"})
    context.close()


def run(verb: Any, context: Context, **arguments: Any) -> dict[str, Any]:
    return perform(verb.SPEC, verb.run, arguments, context)


@pytest.mark.usefixtures("filled")
def test_a_backup_is_restored_into_another_store_once(made: Made, tmp_path: Path) -> None:
    assert run(store_backup, made(check=True), path="b.zip")["changed"] and not (tmp_path / "b.zip").exists()
    told = run(store_backup, made(), path="b.zip")
    assert told["backup"]["entries"] == 2 and told["backup"]["blobs"] == 1 and len(told["keys"]["ids"]) == 1
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600 and b"canary" not in (tmp_path / "b.zip").read_bytes()
    would = run(store_restore, made(store="two.db", check=True), path="b.zip")
    assert would["changed"] and not (tmp_path / "two.db").exists()
    assert run(store_restore, made(store="two.db"), path="b.zip")["changed"]
    assert not run(store_restore, made(store="two.db"), path="b.zip")["changed"]
    other = made(store="two.db")
    assert find(other.store(), REF) is not None
    assert SealedBlobs(other.store(), other.keys()).get(["d1"]) == {"d1": b"canary"}
    other.close()


@pytest.mark.usefixtures("filled")
def test_a_store_with_something_else_and_keys_that_do_not_fit_are_refused(made: Made) -> None:
    run(store_backup, made(), path="b.zip")
    context = made(store="two.db")
    keep(context.store(), Registered(Cluster(ClusterRef("lab", "b")), Credentials("reference"), host="b"))
    context.close()
    assert run(store_restore, made(store="two.db"), path="b.zip")["reason"] == "StoreNotEmpty"
    foreign = run(store_restore, made("two", store="three.db"), path="b.zip")
    assert foreign["reason"] == "KeyMissing" and "there are none" in foreign["msg"]
    assert run(store_restore, made(), path="c.zip")["reason"] == "BackupUnreadable"
    assert run(store_restore, made(store="two.db"), path="b.zip", replace=True)["changed"]
    context = made(store="two.db")
    assert find(context.store(), ClusterRef("lab", "b")) is None
    context.close()


@pytest.mark.usefixtures("filled")
def test_keys_rotate_and_are_not_retired_while_a_cluster_may_need_them(made: Made) -> None:
    old = run(store_keys, made())["keys"]
    assert run(store_keys, made(check=True), state="rotated")["keys"] == old
    rotated = run(store_keys, made(), state="rotated")
    assert rotated["keys"][1:] == old and rotated["sealed_anew"]["objects"] == 1
    # Nobody answers for lab+a: its records may be signed with the old key.
    assert rotated["not_reached"] == ["lab+a"]
    refused = run(store_keys, made(), state="retired")
    assert refused["reason"] == "KeyInUse" and "lab+a" in refused["msg"]
    assert run(store_keys, made(check=True), state="retired", force=True)["changed"]
    retired = run(store_keys, made(), state="retired", force=True)
    assert retired["retired"] == old and retired["keys"] == rotated["keys"][:1]
    assert not run(store_keys, made(), state="retired")["changed"]
    context = made()
    assert SealedBlobs(context.store(), context.keys()).get(["d1"]) == {"d1": b"canary"}
    context.close()
