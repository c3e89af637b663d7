# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as servers and proxies write it, byte for byte; a labelled fake writes it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import Answer
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Transport
from ansible_collections.emco.edge.plugins.module_utils._kube.wire import DirectLines, Limits, NoAnswer
from tests.unit.kube.faulty_server import Say, faulty

SOON = Limits(connect=2.0, read=0.3)


class Scripted:
    """A fake server: each connection gets its pieces, one after each request; the last piece ends the connection."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = list(connections)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @contextmanager
    def running(self) -> Iterator[Scripted]:
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._socket.close()

    def _serve(self) -> None:
        for pieces in self._script:
            line, _unused = self._socket.accept()
            self.connections += 1
            with line:
                for piece in pieces:
                    request = line.recv(65536)
                    if not request:
                        break
                    self.requests.append(request)
                    try:
                        # In small parts, as networks may deliver it.
                        for at in range(0, len(piece), 7):
                            line.sendall(piece[at : at + 7])
                    except OSError:
                        break


def lines_to(server: Scripted) -> DirectLines:
    return DirectLines(server.url, None, None, 4)


def get(lines: DirectLines, path: str = "/x", limits: Limits = SOON) -> Answer:
    return lines.exchange("GET", path, (("Accept", "*/*"),), None, limits)


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kind: Some: Thing\r\n\r\nhi"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;note=1\r\nhello\r\n3\r\n, y\r\n0\r\nTrailer: x\r\n\r\n"
)


def test_answers_with_a_length_and_in_chunks_share_a_connection() -> None:
    with Scripted([PLAIN, CHUNKED, PLAIN]).running() as server:
        lines = lines_to(server)
        first, second, third = get(lines), get(lines), get(lines)
        assert (first.status, first.body, first.headers["x-kind"]) == (200, b"hi", "Some: Thing")
        assert second.body == b"hello, y"
        assert third.body == b"hi"
        assert server.connections == 1


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    with Scripted([b"HTTP/1.1 200 OK\r\n\r\nlogs and logs"], [PLAIN]).running() as server:
        lines = lines_to(server)
        assert get(lines).body == b"logs and logs"
        assert get(lines).body == b"hi"
        assert server.connections == 2


def test_what_has_no_body_by_its_status_is_not_waited_for() -> None:
    with Scripted([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", PLAIN]).running() as server:
        lines = lines_to(server)
        assert (get(lines).status, get(lines).status) == (204, 200)


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    with Scripted([PLAIN], [PLAIN]).running() as server:
        lines = lines_to(server)
        get(lines)
        while server.connections == 1 and lines._idle and lines._idle[0].alive():
            continue
        assert get(lines).body == b"hi"


@pytest.mark.parametrize("last", [b"Connection: close\r\n", b"connection: Close\r\n"])
def test_a_server_that_says_so_is_left(last: bytes) -> None:
    said = b"HTTP/1.1 200 OK\r\n" + last + b"Content-Length: 0\r\n\r\n"
    with Scripted([said, PLAIN], [PLAIN]).running() as server:
        lines = lines_to(server)
        get(lines)
        get(lines)
        assert server.connections == 2


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 what\r\n\r\n", b"x" * 70000])
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    with Scripted([said]).running() as server, pytest.raises(NoAnswer) as raised:
        get(lines_to(server))
    assert raised.value.sent


def test_a_body_that_ends_early_is_no_answer() -> None:
    with (
        Scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi"]).running() as server,
        pytest.raises(NoAnswer, match="closed"),
    ):
        get(lines_to(server))


def test_an_answer_that_drips_is_cut_off_when_all_of_it_takes_too_long() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip() -> None:
        line, _unused = server.accept()
        with line:
            line.recv(65536)
            try:
                while not ended.wait(0.05):
                    line.sendall(b"x")
            except OSError:
                return

    threading.Thread(target=drip, daemon=True).start()
    lines = DirectLines(f"http://127.0.0.1:{server.getsockname()[1]}", None, None, 1)
    with server, pytest.raises(NoAnswer) as raised:
        get(lines, limits=Limits(connect=2.0, read=0.3, total=0.6))
    ended.set()
    assert raised.value.silent


def test_a_line_break_in_a_header_is_never_sent() -> None:
    with Scripted([PLAIN]).running() as server:
        with pytest.raises(ValueError, match="line break"):
            lines_to(server).exchange("GET", "/x", (("Impersonate-User", "me\r\nX: y"),), None, SOON)
        assert not server.requests


def test_a_path_in_front_of_the_server_and_its_port_are_told() -> None:
    with Scripted([PLAIN]).running() as server:
        lines = DirectLines(server.url + "/k8s/clusters/c-1/", None, None, 1)
        lines.exchange("PATCH", "/version?x=1", (), b"{}", SOON)
        head = server.requests[0].decode().split("\r\n")
        assert head[0] == "PATCH /k8s/clusters/c-1/version?x=1 HTTP/1.1"
        assert f"Host: {server.url.removeprefix('http://')}" in head
        assert head[-3:] == ["Content-Length: 2", "", "{}"]


def test_through_a_proxy_requests_say_where_they_go_and_carry_our_headers() -> None:
    with faulty(Say(body={"gitVersion": "v1"})) as proxy:
        url = f"http://127.0.0.1:{proxy._server.server_port}"
        token = (("Authorization", "Bearer t"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"))
        end = Endpoint("http://cluster.example:8080", None, lambda: token, proxy=url)
        answer = Transport(end, "lab+edge-1").send("GET", "/version", attempt="try")
        assert answer.document() == {"gitVersion": "v1"}
        assert proxy.seen[0].path == "http://cluster.example:8080/version"
        assert proxy.seen[0].headers["Authorization"] == "Bearer t"
