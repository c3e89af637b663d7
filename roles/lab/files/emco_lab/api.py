# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough of a Kubernetes client for the lab itself, so that it needs no other package."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from emco_lab.layout import ClusterLayout

CONFLICT, NOT_FOUND = 409, 404


class ApiError(Exception):
    """The API server answered with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """One keep-alive connection with the lab's own identity."""

    def __init__(self, cluster: ClusterLayout, timeout: float = 5.0) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cluster.pki / "ca.crt")
        context.load_cert_chain(cluster.pki / "lab.crt", cluster.pki / "lab.key")
        self._connection = http.client.HTTPSConnection("127.0.0.1", cluster.port, timeout=timeout, context=context)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; returns the decoded answer; raises ApiError, OSError."""
        payload = None if body is None else json.dumps(body)
        try:
            headers = {"Content-Type": "application/json", "User-Agent": "emco-edge-lab"}
            self._connection.request(method, path, payload, headers)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ConnectionError(f"{method} {path}: {error}") from error
        if response.status >= 300:
            raise ApiError(response.status, f"{method} {path}: {response.status} {text[:400]}")
        return json.loads(text) if text.startswith("{") else text

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            self.call("GET", "/readyz")
        except (ApiError, OSError):
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
