# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what an API server answered, as reason codes that people and playbooks can act on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

_REASONS = {
    400: "Invalid",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "NotSupported",
    409: "Conflict",
    410: "Expired",
    413: "TooLarge",
    415: "NotSupported",
    422: "Invalid",
    429: "TooManyRequests",
}
_HINTS = {
    "Unauthorized": "The credentials are expired or not known to the cluster; register it again with fresh ones.",
    "Forbidden": "Grant the missing right to the account that the cluster is registered with.",
    "FieldConflict": "conflicts: force takes the fields over; or leave them out of what is deployed.",
    "ImmutableField": "on_immutable: replace deletes the object and creates it again.",
    "NamespaceMissing": "Put the Namespace into the application, create it, or use a logical cloud that has it.",
    "NamespaceTerminating": "Wait until the namespace is gone, or find what holds it: kubectl get namespace -o yaml.",
    "QuotaExceeded": "Raise the quota or ask for less.",
    "WebhookFailed": "The cluster's admission webhook did not answer; mend it or its failurePolicy.",
    "TooLarge": "Split the object; an API server takes about 1.5 MB, its store 1 MB for ConfigMaps and Secrets.",
}
_NO_NAMESPACE = re.compile(r'^namespaces "[^"]+" not found')
_IMMUTABLE = re.compile(r"immutable|may not be changed|updates to .* are forbidden|cannot be changed", re.IGNORECASE)


class ClusterError(EdgeError):
    """An answer of a cluster that is an error; ``status`` is HTTP's, 0 when there was no answer."""

    def __init__(
        self, reason: str, message: str, *, status: int = 0, hint: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(reason, message, hint=hint or _HINTS.get(reason, ""), details=details)
        self.status = status


class CutShortError(ClusterError):
    """The connection ended before the answer did, each time."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it came."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """The JSON object of the body; an empty one for an empty body."""
        if not self.body:
            return {}
        document = json.loads(self.body)
        return document if isinstance(document, dict) else {"items": document}


def error_of(answer: Answer, attempt: str, cluster: str) -> ClusterError:
    """The error that an answer of 400 and more is; ``attempt`` says what was tried: ``apply Deployment a/b``."""
    try:
        status = answer.document()
    except ValueError:
        status = {}
    words = str(status.get("message") or answer.body[:300].decode(errors="replace")).strip()
    details = status.get("details") or {}
    causes = [cause for cause in details.get("causes") or () if isinstance(cause, Mapping)]
    reason = _reason(answer.status, str(status.get("reason") or ""), words, causes)
    extra: dict[str, Any] = {"cluster": cluster, "status": answer.status}
    if reason == "FieldConflict":
        extra["conflicts"] = [_conflict(cause) for cause in causes]
    elif causes and reason in ("Invalid", "ImmutableField"):
        extra["fields"] = [str(cause.get("field")) for cause in causes if cause.get("field")]
    return ClusterError(reason, f"{attempt} on {cluster}: {_shortened(words)}", status=answer.status, details=extra)


def _reason(status: int, said: str, words: str, causes: list[Mapping[str, Any]]) -> str:
    kinds = {str(cause.get("reason")) for cause in causes}
    if "FieldManagerConflict" in kinds:
        return "FieldConflict"
    if "NamespaceTerminating" in kinds or "because it is being terminated" in words:
        return "NamespaceTerminating"
    if "admission webhook" in words and "denied the request" in words:
        return "WebhookDenied"
    if "ValidatingAdmissionPolicy" in words and "denied request" in words:
        return "PolicyDenied"
    if "failed calling webhook" in words:
        return "WebhookFailed"
    if status == 403 and "exceeded quota" in words:
        return "QuotaExceeded"
    if status == 409 and said == "AlreadyExists":
        return "AlreadyExists"
    if status == 422 and _IMMUTABLE.search(words):
        return "ImmutableField"
    if status == 404 and _NO_NAMESPACE.search(words):
        return "NamespaceMissing"
    if status == 404 and not causes and "could not find the requested resource" in words:
        return "KindNotServed"
    if (
        said == "RequestEntityTooLarge"
        or "etcdserver: request is too large" in words
        or "Too long: may not be" in words
    ):
        return "TooLarge"
    return _REASONS.get(status, "ServerError")


def _conflict(cause: Mapping[str, Any]) -> dict[str, str]:
    message = str(cause.get("message") or "")
    manager = re.search(r'conflict with "([^"]+)"', message)
    return {
        "manager": manager.group(1) if manager else message,
        "field": str(cause.get("field") or ""),
        # The server tells the version only of managers that update, not of those that apply.
        "operation": "Update" if manager and " using " in message[manager.end() :] else "Apply",
    }


def _shortened(words: str, limit: int = 600) -> str:
    return words if len(words) <= limit else words[:limit] + " ..."
