# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: HTTP/1.1 to one API server, as much of it as an API server speaks.

A request through a general client costs 0.4 ms of processor time, most of it for headers that nobody reads: with a
thousand clusters and thirty requests each that is what a run takes. Here it is a quarter of that. Sockets and TLS are
the standard library's; proxies are left to urllib3 (``_kube.proxied``).
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import Answer

Headers = Iterable[tuple[str, str]]
_CHUNK = 65536
_LONGEST_HEAD = 65536


class NoAnswer(Exception):  # noqa: N818  # what happened; whether it is an error is for the caller to say
    """There was no answer. ``sent``: the server may have the request all the same."""

    def __init__(self, words: str, *, sent: bool = True, silent: bool = False, distrusted: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.sent = sent
        self.silent = silent
        """The time for it was over."""
        self.distrusted = distrusted
        """The server's certificate is not one to trust."""


@dataclass(frozen=True)
class Limits:
    """Seconds: to connect, between two signs of life of an answer, and for all of it together."""

    connect: float
    read: float
    total: float | None = None


class Lines(Protocol):
    """Connections to one server, a few at a time. Threads may share them."""

    def exchange(self, method: str, path: str, headers: Headers, body: bytes | None, limits: Limits) -> Answer:
        """The answer to one request; NoAnswer when there is none."""

    def close(self) -> None:
        """Let the connections go."""


class DirectLines:
    """At most ``most`` connections to the server of ``url``; one that was used last is used again first."""

    def __init__(self, url: str, tls: ssl.SSLContext | None, server_name: str | None, most: int) -> None:
        parts = urlsplit(url)
        self._where = (parts.hostname or "", parts.port or (443 if tls else 80))
        self._base = parts.path.rstrip("/")
        self._host = parts.netloc.rpartition("@")[2]
        self._tls = tls
        self._name = server_name or self._where[0]
        self._free = threading.Semaphore(most)
        self._idle: list[_Line] = []
        self._session: ssl.SSLSession | None = None
        self._closed = False

    def exchange(self, method: str, path: str, headers: Headers, body: bytes | None, limits: Limits) -> Answer:
        """See ``Lines``."""
        request = self._written(method, path, headers, body)
        deadline = None if limits.total is None else time.monotonic() + limits.total
        with self._free:
            line = self._taken() or self._opened(limits, deadline)
            try:
                answer = line.asked(request, limits.read, deadline)
            except BaseException:
                line.close()
                raise
            if line.stays and not self._closed:
                if self._session is None:
                    self._session = line.session()
                self._idle.append(line)
            else:
                line.close()
        return answer

    def close(self) -> None:
        """See ``Lines``."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> _Line | None:
        while self._idle:
            try:
                line = self._idle.pop()
            except IndexError:
                return None
            if line.alive():
                return line
            line.close()
        return None

    def _written(self, method: str, path: str, headers: Headers, body: bytes | None) -> bytes:
        lines = [f"{method} {self._base}{path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line break within a header or a path")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if body is None else head + body

    def _opened(self, limits: Limits, deadline: float | None) -> _Line:
        seconds = limits.connect if deadline is None else min(limits.connect, max(0.001, deadline - time.monotonic()))
        try:
            plain = socket.create_connection(self._where, seconds)
        except OSError as error:
            silent = isinstance(error, TimeoutError)
            words = f"no connection within {seconds:.0f} s" if silent else error.strerror or str(error)
            raise NoAnswer(words, sent=False, silent=silent) from error
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return _Line(plain)
        try:
            # With the session of a connection that was opened before, neither side proves itself again.
            return _Line(self._tls.wrap_socket(plain, server_hostname=self._name, session=self._session))
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise NoAnswer(error.verify_message or str(error), sent=False, distrusted=True) from error
        except OSError as error:
            plain.close()
            if isinstance(error, TimeoutError):
                raise NoAnswer(f"no answer within {seconds:.0f} s", sent=False, silent=True) from error
            raise NoAnswer(error.strerror or str(error), sent=False) from error


class _Line:
    """One connection."""

    def __init__(self, plug: socket.socket) -> None:
        self._plug = plug
        self._buffer = bytearray()
        self._read = 0.0
        self._deadline: float | None = None
        self.stays = True
        """Whether the connection can be used again."""

    def alive(self) -> bool:
        """Whether the server has not hung up since: nothing but its end can have come unasked."""
        poll = select.poll()
        poll.register(self._plug, select.POLLIN)
        return not poll.poll(0)

    def session(self) -> ssl.SSLSession | None:
        """What shortens the greeting of the next connection."""
        return self._plug.session if isinstance(self._plug, ssl.SSLSocket) else None

    def close(self) -> None:
        """Hang up."""
        self._plug.close()

    def asked(self, request: bytes, read: float, deadline: float | None) -> Answer:
        """Send a request and take the answer in; NoAnswer."""
        self._read, self._deadline = read, deadline
        try:
            self._plug.settimeout(self._seconds())
            self._plug.sendall(request)
            return self._answer()
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {self._plug.gettimeout() or 0:.0f} s", silent=True) from error
        except OSError as error:
            raise NoAnswer(error.strerror or str(error)) from error
        except ValueError as error:
            raise NoAnswer("what came is no HTTP") from error

    def _seconds(self) -> float:
        return self._read if self._deadline is None else max(0.001, min(self._read, self._deadline - time.monotonic()))

    def _more(self) -> None:
        if self._deadline is not None:
            self._plug.settimeout(self._seconds())
        found = self._plug.recv(_CHUNK)
        if not found:
            raise ConnectionResetError(0, "the server closed the connection")
        self._buffer += found

    def _answer(self) -> Answer:
        while True:
            status, headers = self._head()
            if status >= 200:
                break
        if status in (204, 304):
            body = b""
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        elif "content-length" in headers:
            body = self._exactly(int(headers["content-length"]))
        else:
            body = self._rest()
        if headers.get("connection", "").lower() == "close":
            self.stays = False
        return Answer(status, body, headers)

    def _head(self) -> tuple[int, dict[str, str]]:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise ValueError("a head without an end")
            self._more()
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        if not first.startswith("HTTP/1."):
            raise ValueError("no status line")
        if first.startswith("HTTP/1.0"):
            self.stays = False
        headers = {}
        for line in lines:
            name, _unused, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return int(first[9:12]), headers

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        return self._exactly(end + 2)[:-2]

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._line().partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._exactly(2)
        while self._line():
            continue
        return b"".join(parts)

    def _rest(self) -> bytes:
        """Without a length the answer ends with the connection."""
        self.stays = False
        try:
            while True:
                self._more()
        except ConnectionResetError as end:
            if end.errno:
                raise
        return self._exactly(len(self._buffer))
