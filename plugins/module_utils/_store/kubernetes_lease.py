# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: leases as Kubernetes has them (coordination.k8s.io), and the time of the API server.

All times in a lease are the server's, so that control nodes whose clocks are wrong by hours still agree.
"""

from __future__ import annotations

import datetime
import hashlib
import math
import secrets
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._store.kubernetes_documents import MANAGED_BY, Documents
from ansible_collections.emco.edge.plugins.module_utils._store.lease import Hold, Holder

LEASE = Resource("coordination.k8s.io/v1", "Lease", "leases", True)
_NAME = "emco.edge/lease"
_TOKEN = "emco.edge/token"  # which process holds it, nothing secret
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class ServerClock:
    """The API server's time in seconds of the epoch, asked for once and then counted on."""

    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self._ahead: float | None = None

    def __call__(self) -> float:
        if self._ahead is None:
            said = self._client.transport.send("GET", "/version", attempt="read the time").headers.get("date", "")
            now = parsedate_to_datetime(said).timestamp() if said else time.time()
            self._ahead = now - time.monotonic()
        return time.monotonic() + self._ahead


class Leases:
    """The leases in one namespace."""

    def __init__(self, client: ClusterClient, namespace: str, documents: Documents, clock: Callable[[], float]) -> None:
        self._client = client
        self._namespace = namespace
        self._documents = documents
        self._clock = clock

    def attempt(self, name: str, owner: str, ttl: float) -> Hold | Holder:
        """Take the lease if it is free, else say who has it."""
        while True:
            with self._documents.in_our_words():
                found = self._client.get(LEASE, self._namespace, _object_name(name))
            if found and self._held(found):
                return _holder(found)
            try:
                with self._documents.in_our_words():
                    return self._taken(_lease(name, owner, ttl, self._clock()), found)
            except ClusterError as error:
                # Somebody else was faster; what they did is seen in the next round.
                if error.reason not in ("AlreadyExists", "Conflict") and not (found and error.reason == "NotFound"):
                    raise

    def _held(self, lease: Mapping[str, Any]) -> bool:
        spec = lease["spec"]
        return bool(spec.get("holderIdentity")) and (
            _seconds(spec.get("renewTime")) + float(spec.get("leaseDurationSeconds") or 0) > self._clock()
        )

    def _taken(self, lease: dict[str, Any], before: Mapping[str, Any] | None) -> Hold:
        if before is None:
            with self._documents.creating():
                held = self._client.create(LEASE, self._namespace, lease)
        else:
            lease["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
            held = self._client.replace(LEASE, self._namespace, lease)
        name, token = str(lease["metadata"]["name"]), str(lease["metadata"]["annotations"][_TOKEN])

        def ours() -> dict[str, Any] | None:
            found = self._client.get(LEASE, self._namespace, name)
            mine = found and (found["metadata"].get("annotations") or {}).get(_TOKEN) == token
            return found if mine else None

        def renew() -> bool:
            nonlocal held
            lease["spec"]["renewTime"] = _micro_time(self._clock())
            current: dict[str, Any] | None = held
            while current is not None:
                lease["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"]
                try:
                    with self._documents.in_our_words():
                        held = self._client.replace(LEASE, self._namespace, lease)
                        return True
                except ClusterError as error:
                    # Also when the answer to the renewal before was lost: then it is still ours, only newer.
                    if error.reason not in ("Conflict", "NotFound"):
                        raise
                    with self._documents.in_our_words():
                        current = ours()
            return False

        def release() -> None:
            with self._documents.in_our_words():
                found = ours()
                if found is not None:
                    version = str(found["metadata"]["resourceVersion"])
                    self._client.delete(LEASE, self._namespace, name, resource_version=version)

        return Hold(renew, release)


def _lease(name: str, owner: str, ttl: float, now: float) -> dict[str, Any]:
    annotations = {_NAME: name, _TOKEN: secrets.token_hex(8)}
    return {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.kind,
        "metadata": {"name": _object_name(name), "labels": dict(MANAGED_BY), "annotations": annotations},
        "spec": {
            "holderIdentity": owner,
            "leaseDurationSeconds": max(1, math.ceil(ttl)),
            "acquireTime": _micro_time(now),
            "renewTime": _micro_time(now),
        },
    }


def _object_name(name: str) -> str:
    return f"emco-edge-{hashlib.sha256(name.encode()).hexdigest()[:40]}"


def _holder(lease: Mapping[str, Any]) -> Holder:
    return Holder(str(lease["spec"]["holderIdentity"]), _seconds(lease["spec"].get("acquireTime")))


def _micro_time(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime(_FORMAT)


def _seconds(text: str | None) -> float:
    if not text:
        return 0.0
    return datetime.datetime.strptime(text, _FORMAT).replace(tzinfo=datetime.timezone.utc).timestamp()
