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

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import Answer, ClusterError, CutShortError
from ansible_collections.emco.edge.plugins.module_utils._kube.budget import ENDLESS, Budget
from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Endpoint
from ansible_collections.emco.edge.plugins.module_utils._kube.wire import DirectLines, Limits, Lines, NoAnswer

# Beyond 4 to 8 connections an API server gets slower, not faster.
CONNECTIONS = 4
_RETRIED = frozenset({500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """Time limits of a request in seconds, and how often a safe one is tried again.

    ``silences``: how often it is tried again after nothing came within its time, which costs all of that time.
    """

    connect: float = 5.0
    read: float = 30.0
    retries: int = 4
    first_pause: float = 0.1
    silences: int = 1


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
        self.cluster = cluster
        self.budget = budget
        self.requests = 0
        self.writes = 0
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._sleep = sleep
        self._jitter = jitter
        self._count = threading.Lock()
        self._lines = _lines(endpoint, connections)

    def close(self) -> None:
        """Let the connections go."""
        self._lines.close()

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
        silences = 0
        for trial in range(self._patience.retries + 1):
            last = trial == self._patience.retries
            wait = pause * (0.5 + self._jitter())
            try:
                answer = self._sent(method, path, attempt, body, content_type, accept, read_timeout)
            except NoAnswer as silence:
                silences += silence.silent
                enough = last or silence.distrusted or silences > self._patience.silences
                # What went wrong says more than that the time is over.
                if enough or (silence.sent and not repeatable) or wait >= self.budget.left():
                    raise self._error(attempt, silence) from silence
            else:
                if answer.status == 401 and not renewed and self._endpoint.renew():
                    renewed = True
                    continue
                retried = answer.status == 429 or (repeatable and answer.status in _RETRIED and not _permanent(answer))
                wait = max(wait, _retry_after(answer))
                if last or not retried or wait >= self.budget.left():
                    return answer
            self._sleep(wait)
            pause *= 2
        raise AssertionError("the last trial returns or raises")

    def once(self, path: str, *, attempt: str, seconds: float) -> Answer:
        """The answer to a GET that is sent once and has ``seconds`` in all; errors as ``send``."""
        try:
            return self._sent("GET", path, attempt, None, "", "application/json", None, within=seconds)
        except NoAnswer as silence:
            raise self._error(attempt, silence) from silence

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
        left = self.budget.left()
        if left == 0.0:
            raise self._unreachable(attempt, "the time for this cluster is over", "BudgetSpent")
        headers = [("Accept", accept), ("User-Agent", "emco-edge"), *self._endpoint.headers()]
        if body is not None:
            headers.append(("Content-Type", content_type))
        limits = Limits(min(self._patience.connect, left), min(read_timeout or self._patience.read, left), within)
        with self._count:
            self.requests += 1
            if method != "GET" and "dryRun=" not in path:
                self.writes += 1
        return self._lines.exchange(method, path, headers, body, limits)

    def _error(self, attempt: str, silence: NoAnswer) -> ClusterError:
        if not silence.distrusted:
            cut = silence.sent and not silence.silent
            return self._unreachable(attempt, silence.words, kind=CutShortError if cut else ClusterError)
        return ClusterError(
            "CertificateRejected",
            f"{attempt} on {self.cluster}: the server's certificate is not trusted: {silence.words}.",
            hint="Give the cluster's authority as ca_cert; validate_certs: false trusts anybody.",
            details={"cluster": self.cluster},
        )

    def _unreachable(
        self, attempt: str, words: str, reason: str = "ClusterUnreachable", kind: type[ClusterError] = ClusterError
    ) -> ClusterError:
        return kind(
            reason,
            f"{attempt} on {self.cluster}: {words} ({_without_credentials(self._endpoint.url)}).",
            hint="Check that the cluster is up and that this machine reaches it.",
            details={"cluster": self.cluster},
        )


def _lines(end: Endpoint, most: int) -> Lines:
    if end.proxy:
        # Here and not on top: urllib3 takes longer to import than an unchanged cluster to look at.
        from ansible_collections.emco.edge.plugins.module_utils._kube.proxied import ProxiedLines

        return ProxiedLines(end.proxy, end.url, end.tls, end.server_name, most)
    return DirectLines(end.url, end.tls, end.server_name, most)


def _without_credentials(url: str) -> str:
    """An address that may be shown: a kubeconfig's may carry a user and a password."""
    head, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{head}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _permanent(answer: Answer) -> bool:
    """Internal errors that no repetition mends: a webhook that denies or is not there."""
    return b"failed calling webhook" in answer.body or b"request is too large" in answer.body


def _retry_after(answer: Answer) -> float:
    """Seconds the server asks for, zero when it does not."""
    try:
        return float(answer.headers.get("retry-after", ""))
    except ValueError:
        return 0.0
