# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: requests to one API server on a few connections that stay open.

One object is one request whose bytes are made once; what a request may cost in time is bounded twice, by itself and by
the cluster's budget; only what is safe to repeat is repeated.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import Answer, ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import ENDLESS, Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Endpoint
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

try:
    import urllib3
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        NewConnectionError,
        ProtocolError,
        ProxyError,
        ReadTimeoutError,
        SSLError,
    )

    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error

# Beyond 4 to 8 connections an API server gets slower, not faster.
CONNECTIONS = 4
_RETRIED = frozenset({500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """Time limits of a request in seconds, and how often a safe one is tried again."""

    connect: float = 5.0
    read: float = 30.0
    retries: int = 4
    first_pause: float = 0.1


class Transport:
    """Sends requests to one endpoint and counts them. Threads may share it."""

    def __init__(
        self,
        endpoint: Endpoint,
        cluster: str,
        *,
        budget: Budget = ENDLESS,
        patience: Patience | None = None,
        connections: int = CONNECTIONS,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if MISSING is not None:
            raise EdgeError(
                "MissingLibrary",
                "talking to clusters needs the Python package urllib3, which comes with kubernetes.",
                hint="Install it where this runs: pip install kubernetes.",
            ) from MISSING
        self.cluster = cluster
        self.budget = budget
        self.requests = 0
        self.writes = 0
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._sleep = sleep
        self._jitter = jitter
        self._count = threading.Lock()
        self._pool = self._opened(endpoint, connections)

    def _opened(self, endpoint: Endpoint, connections: int) -> urllib3.HTTPConnectionPool:
        extra: dict[str, object] = {"maxsize": connections, "block": True, "retries": False}
        if endpoint.tls is not None:
            extra["ssl_context"] = endpoint.tls
            if endpoint.server_name:
                extra.update(server_hostname=endpoint.server_name, assert_hostname=endpoint.server_name)
            if not endpoint.tls.check_hostname:
                extra.update(assert_hostname=False, cert_reqs="CERT_NONE")
        if endpoint.proxy:
            manager: urllib3.PoolManager = urllib3.ProxyManager(endpoint.proxy, **extra)  # type: ignore[arg-type]
        else:
            manager = urllib3.PoolManager(**extra)  # type: ignore[arg-type]
        return manager.connection_from_url(endpoint.url)

    def close(self) -> None:
        """Let the connections go."""
        self._pool.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        attempt: str,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        repeatable: bool = True,
        read_timeout: float | None = None,
    ) -> Answer:
        """The server's answer, whatever its status; ClusterError ``ClusterUnreachable`` when there is none.

        ``repeatable``: sending it twice does what sending it once does.
        """
        pause = self._patience.first_pause
        renewed = False
        for trial in range(self._patience.retries + 1):
            last = trial == self._patience.retries
            try:
                answer = self._sent(method, path, attempt, body, content_type, accept, read_timeout)
            except _NoAnswer as silence:
                # Silence costs its whole time limit: it is given one more chance, not all of them.
                enough = last or silence.final or (silence.silent and trial > 0)
                if enough or (silence.sent and not repeatable) or self.budget.spent():
                    raise silence.error from silence.__cause__
                wait = pause
            else:
                if answer.status == 401 and not renewed and self._endpoint.renew():
                    renewed = True
                    continue
                retried = answer.status == 429 or (repeatable and answer.status in _RETRIED and not _permanent(answer))
                if last or not retried:
                    return answer
                wait = _retry_after(answer) or pause
                if wait > self.budget.left():
                    return answer
            self._sleep(min(wait * (0.5 + self._jitter()), self.budget.left()))
            pause *= 2
        raise AssertionError("the last trial returns or raises")

    def once(self, path: str, *, attempt: str, seconds: float) -> Answer:
        """The answer to a GET that is sent once and has ``seconds`` in all; errors as ``send``."""
        try:
            return self._sent("GET", path, attempt, None, "", "application/json", None, within=seconds)
        except _NoAnswer as silence:
            raise silence.error from silence.__cause__

    def _sent(
        self,
        method: str,
        path: str,
        attempt: str,
        body: bytes | None,
        content_type: str,
        accept: str,
        read_timeout: float | None,
        within: float | None = None,
    ) -> Answer:
        if self.budget.spent():
            raise _NoAnswer(self._unreachable(attempt, "the time for this cluster is over", "BudgetSpent"), final=True)
        headers = urllib3.HTTPHeaderDict({"Accept": accept, "User-Agent": "emco-edge"})
        if body is not None:
            headers["Content-Type"] = content_type
        for name, value in self._endpoint.headers():
            headers.add(name, value)
        left = self.budget.left()
        timeout = urllib3.Timeout(
            connect=min(self._patience.connect, left),
            read=min(read_timeout or self._patience.read, left),
            total=within,
        )
        with self._count:
            self.requests += 1
            if method != "GET" and "dryRun=" not in path:
                self.writes += 1
        try:
            response = self._pool.request(
                method, path, body=body, headers=headers, timeout=timeout, redirect=False, retries=False
            )
        except (NewConnectionError, ConnectTimeoutError, ProxyError) as error:
            raise _NoAnswer(self._unreachable(attempt, _words(error)), sent=False) from error
        except SSLError as error:
            raise _NoAnswer(self._refused_tls(attempt, error), sent=False, final=_distrusted(error)) from error
        except ReadTimeoutError as error:
            words = f"no answer within {within or timeout.read_timeout:.0f} s"
            raise _NoAnswer(self._unreachable(attempt, words), silent=True) from error
        except (ProtocolError, HTTPError, OSError) as error:
            raise _NoAnswer(self._unreachable(attempt, _words(error))) from error
        return Answer(response.status, response.data, {key.lower(): value for key, value in response.headers.items()})

    def _unreachable(self, attempt: str, words: str, reason: str = "ClusterUnreachable") -> ClusterError:
        return ClusterError(
            reason,
            f"{attempt} on {self.cluster}: {words} ({self._endpoint.url}).",
            hint="Check that the cluster is up and that this machine reaches it.",
            details={"cluster": self.cluster},
        )

    def _refused_tls(self, attempt: str, error: Exception) -> ClusterError:
        if not _distrusted(error):
            return self._unreachable(attempt, _words(error))
        return ClusterError(
            "CertificateRejected",
            f"{attempt} on {self.cluster}: the server's certificate is not trusted: {_words(error)}.",
            hint="Give the cluster's authority as ca_cert; validate_certs: false trusts anybody.",
            details={"cluster": self.cluster},
        )


class _NoAnswer(Exception):  # noqa: N818  # not an error yet: the request may be tried again
    def __init__(self, error: ClusterError, *, sent: bool = True, final: bool = False, silent: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.sent = sent
        self.final = final
        self.silent = silent


def _permanent(answer: Answer) -> bool:
    """Internal errors that no repetition mends: a webhook that denies or is not there."""
    return b"failed calling webhook" in answer.body or b"request is too large" in answer.body


def _retry_after(answer: Answer) -> float | None:
    try:
        return float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None


def _distrusted(error: Exception) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error) or "doesn't match" in str(error)


def _words(error: BaseException) -> str:
    """What went wrong, without the names of Python objects that urllib3 puts in front."""
    inner = getattr(error, "reason", None)
    text = str(inner if isinstance(inner, BaseException) else error)
    for cause in (error.__cause__, error.__context__):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return text.rsplit(": ", 1)[-1] if "object at 0x" in text else text
