# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: why something is not ready, in the words of the cluster: pods, events, last log lines.

Asked only for what is not ready, and for the first few of it, so that a broken cluster costs a bounded number of
requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._kube.readiness import condition, judge
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import NotReady

_PODS = Resource("v1", "Pod", "pods", True)
_EVENTS = Resource("v1", "Event", "events", True)
_ASKED = 5
_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"}
_LOG_LINES = 5
Object = Mapping[str, Any]


def reasons_for(
    client: ClusterClient,
    not_ready: Sequence[NotReady],
    live: Mapping[Identity, Object],
    *,
    log_lines: int = 0,
) -> tuple[NotReady, ...]:
    """The same, the first five with what pods and events say; at most three requests each. Never raises."""
    asked = [_explained(client, one, live.get(one.identity), log_lines) for one in not_ready[:_ASKED]]
    return (*asked, *not_ready[_ASKED:])


def last_words(client: ClusterClient, identity: Identity, lines: int = _LOG_LINES) -> str:
    """What the pods of a Job, or a Pod, said last, as an addition to a message; empty when nothing is to be had."""
    try:
        pods = _pods_of(client, identity, {"spec": {"selector": {"matchLabels": {"job-name": identity.name}}}})
        for pod in sorted(pods, key=_newest, reverse=True):
            if text := _log(client, pod, lines):
                return f" Last log lines of {pod['metadata']['name']}: {text}"
            if text := _terminated(pod):
                return f" {pod['metadata']['name']}: {text}"
    except ClusterError:
        return ""
    return ""


def pod_trouble(pod: Object) -> tuple[str, str]:
    """Why a pod is not ready: reason code and words; empty when the pod does not tell."""
    status = pod.get("status") or {}
    scheduled = condition(status, "PodScheduled")
    if scheduled.get("status") == "False":
        return str(scheduled.get("reason") or "Unschedulable"), str(scheduled.get("message") or "")
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            last = (one.get("lastState") or {}).get("terminated") or {}
            exit_code = f", last exit code {last['exitCode']}" if "exitCode" in last else ""
            words = waiting.get("message") or waiting["reason"]
            return str(waiting["reason"]), f"container {one.get('name')}: {words}{exit_code}"
    if status.get("phase") == "Failed":
        return str(status.get("reason") or "PodFailed"), str(status.get("message") or _terminated(pod) or "failed")
    return "", ""


def _explained(client: ClusterClient, one: NotReady, live: Object | None, log_lines: int) -> NotReady:
    if live is None:
        return one
    try:
        return _told(client, one, live, log_lines)
    except ClusterError:
        # What is known already is more useful than an error about the question.
        return one


def _told(client: ClusterClient, one: NotReady, live: Object, log_lines: int) -> NotReady:
    where = one.identity
    troubled: Object | None = None
    if where.kind == "Pod" and not where.group:
        troubled = live
    elif where.kind in _WORKLOADS:
        pods = _pods_of(client, where, live)
        troubled = next((pod for pod in pods if pod_trouble(pod)[0]), None) or next(
            (pod for pod in pods if not judge(pod).ready), None
        )
    if troubled is not None:
        reason, words = pod_trouble(troubled)
        name = troubled["metadata"]["name"]
        if not reason:
            reason, words = one.reason, _last_event(client, where.namespace, name)
        if log_lines and (text := _log(client, troubled, log_lines)):
            words = f"{words} Last log lines: {text}".strip()
        return replace(one, reason=reason, message=f"{one.message}; pod {name}: {words}" if words else one.message)
    words = _last_event(client, where.namespace, where.name)
    return replace(one, message=f"{one.message}; {words}" if words else one.message)


def _pods_of(client: ClusterClient, where: Identity, live: Object) -> list[dict[str, Any]]:
    if where.kind == "Pod":
        found = client.get(_PODS, where.namespace, where.name)
        return [] if found is None else [found]
    selector = (live.get("spec") or {}).get("selector") or {}
    labels = selector.get("matchLabels") or (selector if where.kind == "ReplicationController" else {})
    if not labels:
        return []
    return list(client.list(_PODS, where.namespace, labels=",".join(f"{k}={v}" for k, v in sorted(labels.items()))))


def _last_event(client: ClusterClient, namespace: str, name: str) -> str:
    """The newest warning about an object, else the newest event."""
    events = list(client.list(_EVENTS, namespace or "default", fields=f"involvedObject.name={name}"))
    warnings = [one for one in events if one.get("type") == "Warning"]
    newest = max(warnings or events, key=_when, default=None)
    return f"{newest.get('reason')}: {newest.get('message')}" if newest else ""


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _newest(pod: Object) -> str:
    return str(pod["metadata"].get("creationTimestamp") or "")


def _log(client: ClusterClient, pod: Object, lines: int) -> str:
    where = pod["metadata"]
    container = next(_troubled_containers(pod), "")
    query = urlencode({"tailLines": str(lines), **({"container": container} if container else {})})
    path = f"{_PODS.path(where['namespace'], where['name'])}/log?{query}"
    try:
        return client.text(path, f"read the log of {where['namespace']}/{where['name']}").strip()[-1000:]
    except ClusterError:
        return ""


def _troubled_containers(pod: Object) -> Iterator[str]:
    status = pod.get("status") or {}
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        if not one.get("ready"):
            yield str(one.get("name"))
    for one in (pod.get("spec") or {}).get("containers") or ():
        yield str(one.get("name"))


def _terminated(pod: Object) -> str:
    status = pod.get("status") or {}
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        ended = (one.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            words = ended.get("message") or ended.get("reason") or "Error"
            return f"container {one.get('name')} ended with exit code {ended['exitCode']}: {words}"
    return ""
