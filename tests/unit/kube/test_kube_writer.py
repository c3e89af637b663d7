# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client whose writer is somebody else than its reader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import Answer
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource

MAPS = Resource("v1", "ConfigMap", "configmaps", True)


class FakeTransport:
    """Remembers what it was to send, and answers that all is well."""

    cluster = "lab+edge-1"

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.budget: Any = None
        self.closed = False

    @property
    def requests(self) -> int:
        return len(self.sent)

    @property
    def writes(self) -> int:
        return sum(method != "GET" for method in self.sent)

    def send(self, method: str, path: str, **_how: Any) -> Answer:
        self.sent.append(method)
        return Answer(200, json.dumps({"metadata": {"name": "one"}, "items": []}).encode(), {})

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def pair() -> tuple[Any, Any, ClusterClient]:
    reader: Any = FakeTransport()
    writer: Any = FakeTransport()
    return reader, writer, ClusterClient(reader, writer)


def test_reads_are_the_readers_and_everything_else_is_the_writers(pair: tuple[Any, Any, ClusterClient]) -> None:
    reader, writer, client = pair
    client.get(MAPS, "shop", "one")
    list(client.list(MAPS, "shop"))
    client.apply(MAPS, "shop", "one", b"{}", manager="m", dry_run=True)
    client.create(MAPS, "shop", {"metadata": {"name": "one"}})
    client.replace(MAPS, "shop", {"metadata": {"name": "one"}})
    client.merge(MAPS, "shop", "one", {})
    client.delete(MAPS, "shop", "one")
    assert reader.sent == ["GET", "GET"]
    assert writer.sent == ["PATCH", "POST", "PUT", "PATCH", "DELETE"]
    assert (client.requests, client.writes) == (7, 5)


def test_what_is_ours_is_kept_with_the_readers_rights(pair: tuple[Any, Any, ClusterClient]) -> None:
    reader, writer, client = pair
    client.keeper.create(MAPS, "emco-edge-system", {"metadata": {"name": "one"}})
    assert (reader.sent, writer.sent) == (["POST"], [])
    assert client.acts
    assert not client.keeper.acts


def test_time_and_end_are_the_same_for_both(pair: tuple[Any, Any, ClusterClient]) -> None:
    reader, writer, client = pair
    client.within(Budget.of(5))
    assert reader.budget is writer.budget is not None
    client.close()
    assert reader.closed
    assert writer.closed


def test_without_a_writer_there_is_one_who_does_it_all() -> None:
    only: Any = FakeTransport()
    client = ClusterClient(only)
    client.create(MAPS, "shop", {"metadata": {"name": "one"}})
    assert (client.acts, client.requests, client.keeper is client) == (False, 1, True)
