# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters can be made to hang, vanish and answer badly, and requests can be counted."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.lab.harness import Lab, LabError

pytestmark = pytest.mark.integration


def through(lab: Lab, kubeconfig: Path, *arguments: str) -> str:
    return lab.kubectl("one", f"--kubeconfig={kubeconfig}", *arguments)


def test_frozen_api_server_hangs_and_comes_back(whole: Lab) -> None:
    whole.freeze("one")
    assert whole.status()["clusters"]["one"]["processes"]["apiserver"] == "frozen"
    with pytest.raises(LabError, match=r"(?i)timeout|deadline"):
        whole.kubectl("one", "get", "nodes", "--request-timeout=1s")
    whole.kubectl("two", "get", "nodes", "--request-timeout=5s")
    whole.thaw("one")
    whole.kubectl("one", "get", "nodes", "--request-timeout=20s")


def test_killed_api_server_refuses_and_start_brings_it_back(whole: Lab) -> None:
    whole.kill("one")
    with pytest.raises(LabError, match="refused"):
        whole.kubectl("one", "get", "nodes")
    whole.start("one")
    whole.kubectl("one", "get", "nodes")


def test_stopped_cluster_is_started_again_as_it_was(whole: Lab) -> None:
    whole.kubectl("one", "create", "configmap", "before-the-stop")
    whole.stop("one")
    assert set(whole.status()["clusters"]["one"]["processes"].values()) <= {"dead"}
    whole.start("one")
    assert "before-the-stop" in whole.kubectl("one", "get", "configmaps", "-o", "name")
    assert whole.again()["changed"] is False


def test_proxy_adds_its_latency_in_both_directions(whole: Lab) -> None:
    slow = whole.proxy("one", latency="150ms")
    started = time.monotonic()
    through(whole, slow, "get", "--raw", "/version")
    # TCP is taken up by the proxy at once; TLS and the request are a round trip each.
    assert 0.6 <= time.monotonic() - started < 3


def test_proxy_resets_a_connection_after_so_many_bytes(whole: Lab) -> None:
    short = whole.proxy("one", reset_after=5000)
    with pytest.raises(LabError, match=r"(?i)reset|EOF|connection"):
        through(whole, short, "get", "--raw", "/openapi/v2", "--request-timeout=10s")


def test_proxy_that_drops_everything_lets_nothing_through(whole: Lab) -> None:
    lossy = whole.proxy("one", drop="100%")
    started = time.monotonic()
    with pytest.raises(LabError, match=r"(?i)reset|EOF|connection"):
        through(whole, lossy, "get", "--raw", "/version", "--request-timeout=10s")
    assert time.monotonic() - started < 5, "a reset is not a silence"


def test_proxy_without_faults_passes_everything_on_and_keeps_no_connection(whole: Lab) -> None:
    good = whole.proxy("one")
    direct = whole.kubectl("one", "get", "--raw", "/openapi/v2")
    answers = {through(whole, good, "get", "--raw", "/openapi/v2") for repetition in range(3)}
    assert answers == {direct}
    pid = json.loads((whole.folder / "run" / "one.proxy.json").read_text())["pid"]
    sockets = [link for link in Path(f"/proc/{pid}/fd").iterdir() if str(link.readlink()).startswith("socket:")]
    assert len(sockets) <= 4


def test_proxy_that_stalls_never_finishes_a_handshake(whole: Lab) -> None:
    stalling = whole.proxy("one", stall_tls=True)
    with pytest.raises(LabError, match=r"(?i)timeout|deadline"):
        through(whole, stalling, "get", "--raw", "/version", "--request-timeout=1s")


def test_proxy_off_leaves_nothing_of_it(whole: Lab) -> None:
    kubeconfig = whole.proxy("one", latency="1ms")
    through(whole, kubeconfig, "get", "--raw", "/version")
    whole.no_proxy("one")
    assert not kubeconfig.exists()
    assert "proxy" not in whole.status()["clusters"]["one"]["processes"]


def test_requests_are_counted_from_the_mark_on(lab: Lab) -> None:
    lab.kubectl("two", "create", "configmap", "before-the-mark")
    lab.mark("two")
    assert lab.requests("two") == []
    lab.kubectl("two", "create", "configmap", "counted", "--dry-run=server")
    lab.kubectl("two", "create", "configmap", "counted")
    requests = lab.requests("two")
    creations = [request for request in requests if request.verb == "create"]
    assert [(r.resource, r.code, r.dry_run) for r in creations] == [
        ("configmaps", 201, True),
        ("configmaps", 201, False),
    ]
    assert [request.name for request in requests if request.writes] == ["counted"]
    assert {request.user for request in requests} == {"kubernetes-admin"}
