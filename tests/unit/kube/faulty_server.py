# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake API server that answers what a test scripts: for faults that no real one can be made to show."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.budget import ENDLESS, Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.transport import Patience, Transport


@dataclass(frozen=True)
class Say:
    """One scripted answer. ``cut``: the connection is reset in the middle of the body; ``after``: seconds."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False
    after: float = 0.0


@dataclass
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class FaultyServer:
    """Answers requests one after the other from a script; the last answer is repeated."""

    def __init__(self, script: list[Say]) -> None:
        self.script = script
        self.seen: list[Seen] = []
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        # Clients that give up in the middle are what is tested here.
        self._server.handle_error = lambda request, address: None  # type: ignore[method-assign]

    def client(
        self,
        *,
        budget: Budget = ENDLESS,
        patience: Patience | None = None,
        headers: Callable[[], tuple[tuple[str, str], ...]] = tuple,
        renew: Callable[[], bool] = lambda: False,
    ) -> ClusterClient:
        end = Endpoint(f"http://127.0.0.1:{self._server.server_port}", None, headers, renew)
        transport = Transport(
            end, "lab+edge-1", budget=budget, patience=patience, sleep=self.slept.append, jitter=lambda: 0.5
        )
        return ClusterClient(transport)

    def _next(self, seen: Seen) -> Say:
        with self._lock:
            self.seen.append(seen)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                said = server._next(Seen(self.command, self.path, dict(self.headers), self.rfile.read(length)))
                time.sleep(said.after)
                if said.silent:
                    self.close_connection = True
                    return
                body = json.dumps(said.body).encode()
                self.send_response(said.status)
                for name, value in {"Content-Type": "application/json", **said.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) + (100 if said.cut else 0)))
                self.end_headers()
                self.wfile.write(body)
                if said.cut:
                    # A reset, not an orderly end.
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True

            do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815

            def log_message(self, format: str, *arguments: Any) -> None:
                return

            def finish(self) -> None:
                try:
                    super().finish()
                except (OSError, ValueError):
                    return

        return Handler

    @contextmanager
    def running(self) -> Iterator[FaultyServer]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


@contextmanager
def faulty(*script: Say) -> Iterator[FaultyServer]:
    with FaultyServer(list(script)).running() as server:
        yield server


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    """A Status object as an API server sends it."""
    return {
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }
