# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: whether an object is ready, from the object alone. Pure.

The rules are those of kstatus (sigs.k8s.io/cli-utils), which looks at generations and at every replica. Three
differ, as EMCO has them: a paused Deployment is ready, a Job is ready when it is complete (not when it runs), and a
finished pod of a Job is ready, because the Job itself tells how it went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

try:
    import jmespath
    from jmespath.exceptions import JMESPathError

    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error


@dataclass(frozen=True)
class Judgement:
    """``final``: waiting will not make it ready."""

    ready: bool
    reason: str = ""
    message: str = ""
    final: bool = False


READY = Judgement(True)
Object = Mapping[str, Any]


class _Parts(NamedTuple):
    live: Object
    spec: Object
    status: Object


def judge(live: Object, query: str | None = None) -> Judgement:
    """Whether the object is ready. ``query``: a jmespath expression over the object that is true when it is."""
    metadata = live.get("metadata") or {}
    if metadata.get("deletionTimestamp"):
        return _not("Terminating", _held(metadata))
    if query is not None:
        return READY if _answer(query, live) else _not("NotReady", f"{query} is not true yet")
    status = live.get("status") or {}
    seen = status.get("observedGeneration")
    if isinstance(seen, int) and seen < int(metadata.get("generation") or 0):
        return _not("NotObserved", "its controller has not seen the last change yet")
    group = str(live.get("apiVersion") or "").rpartition("/")[0]
    rule = _RULES.get((group, str(live.get("kind"))), _by_conditions)
    return rule(_Parts(live, live.get("spec") or {}, status))


def condition(status: Object, kind: str) -> Mapping[str, Any]:
    """The condition of a type, empty when there is none."""
    for one in status.get("conditions") or ():
        if isinstance(one, Mapping) and one.get("type") == kind:
            return one
    return {}


def is_true(status: Object, kind: str) -> bool:
    """Whether the condition of a type is true."""
    return condition(status, kind).get("status") == "True"


def _not(reason: str, message: str, *, final: bool = False) -> Judgement:
    return Judgement(False, reason, message, final)


def _held(metadata: Object) -> str:
    holders = ", ".join(metadata.get("finalizers") or ())
    return f"is being deleted, held by {holders}" if holders else "is being deleted"


def _answer(query: str, live: Object) -> bool:
    if MISSING is not None:
        raise EdgeError(
            "MissingLibrary",
            "a readiness query needs the Python package jmespath.",
            hint="Install it where this runs: pip install jmespath.",
        ) from MISSING
    try:
        return bool(jmespath.search(query, live))
    except JMESPathError as error:
        raise EdgeError("InvalidInput", f"the readiness query {query!r} is wrong: {error}.") from error


def _deployment(of: _Parts) -> Judgement:
    if of.spec.get("paused"):
        return Judgement(True, "Paused", "is paused")
    if "observedGeneration" not in of.status:
        return _not("NotObserved", "its controller has not seen it yet")
    progressing = condition(of.status, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return _not("ProgressDeadlineExceeded", str(progressing.get("message") or ""), final=True)
    wanted = _replicas(of.spec)
    if (updated := _count(of.status, "updatedReplicas")) < wanted:
        return _not("Updating", f"{updated} of {wanted} replicas are updated")
    if (surplus := _count(of.status, "replicas") - wanted) > 0:
        return _not("Updating", f"{surplus} old replicas are still there")
    if (available := _count(of.status, "availableReplicas")) < wanted:
        return _not("Unavailable", f"{available} of {wanted} replicas are available")
    return READY


def _replica_set(of: _Parts) -> Judgement:
    if "observedGeneration" not in of.status:
        return _not("NotObserved", "its controller has not seen it yet")
    wanted = _replicas(of.spec)
    if is_true(of.status, "ReplicaFailure"):
        return _not("ReplicaFailure", str(condition(of.status, "ReplicaFailure").get("message") or ""))
    if (available := _count(of.status, "availableReplicas")) < wanted:
        return _not("Unavailable", f"{available} of {wanted} replicas are available")
    if (surplus := _count(of.status, "replicas") - wanted) > 0:
        return _not("Scaling", f"{surplus} replicas too many")
    return READY


def _stateful_set(of: _Parts) -> Judgement:
    if "observedGeneration" not in of.status:
        return _not("NotObserved", "its controller has not seen it yet")
    strategy = of.spec.get("updateStrategy") or {}
    wanted = _replicas(of.spec)
    if strategy.get("type") != "OnDelete":
        partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
        due = max(0, wanted - partition)
        moving = of.status.get("currentRevision") != of.status.get("updateRevision")
        if moving and (updated := _count(of.status, "updatedReplicas")) < due:
            return _not("Updating", f"{updated} of {due} replicas are updated")
    if (there := _count(of.status, "readyReplicas")) < wanted:
        return _not("Unavailable", f"{there} of {wanted} replicas are ready")
    # Servers before 1.22 do not say how many are available.
    if (available := _count(of.status, "availableReplicas", wanted)) < wanted:
        return _not("Unavailable", f"{available} of {wanted} replicas are available")
    if (surplus := _count(of.status, "replicas") - wanted) > 0:
        return _not("Scaling", f"{surplus} replicas too many")
    return READY


def _daemon_set(of: _Parts) -> Judgement:
    if "observedGeneration" not in of.status:
        return _not("NotObserved", "its controller has not seen it yet")
    wanted = _count(of.status, "desiredNumberScheduled")
    if (of.spec.get("updateStrategy") or {}).get("type") != "OnDelete" and (
        (updated := _count(of.status, "updatedNumberScheduled")) < wanted
    ):
        return _not("Updating", f"{updated} of {wanted} pods are updated")
    if (available := _count(of.status, "numberAvailable")) < wanted:
        return _not("Unavailable", f"{available} of {wanted} pods are available")
    return READY


def _job(of: _Parts) -> Judgement:
    failed = condition(of.status, "Failed")
    if failed.get("status") == "True":
        words = f"{failed.get('reason') or 'Failed'}: {failed.get('message') or 'the job failed'}"
        return _not("JobFailed", words, final=True)
    if is_true(of.status, "Complete"):
        return READY
    if of.spec.get("suspend"):
        return Judgement(True, "Suspended", "is suspended")
    done, wanted = _count(of.status, "succeeded"), _count(of.spec, "completions", 1)
    return _not("Running", f"{done} of {wanted} completions")


def _pod(of: _Parts) -> Judgement:
    phase = of.status.get("phase")
    if phase == "Succeeded":
        return READY
    if phase == "Failed":
        if "job-name" in (of.live["metadata"].get("labels") or {}):
            return READY
        words = of.status.get("message") or of.status.get("reason") or "the pod failed"
        return _not("PodFailed", str(words), final=True)
    if is_true(of.status, "Ready"):
        return READY
    ready = condition(of.status, "Ready")
    return _not(str(ready.get("reason") or phase or "Pending"), str(ready.get("message") or f"is {phase or 'Pending'}"))


def _service(of: _Parts) -> Judgement:
    if of.spec.get("type") == "ExternalName":
        return READY
    if not of.spec.get("clusterIP"):
        return _not("NoClusterIP", "has no cluster IP yet")
    if of.spec.get("type") == "LoadBalancer" and not (
        of.spec.get("externalIPs") or (of.status.get("loadBalancer") or {}).get("ingress")
    ):
        return _not("NoLoadBalancer", "no load balancer has given it an address yet")
    return READY


def _claim(of: _Parts) -> Judgement:
    phase = of.status.get("phase")
    if phase == "Lost":
        return _not("ClaimLost", "its volume is gone", final=True)
    return READY if phase == "Bound" else _not("NotBound", f"is {phase or 'Pending'}")


def _volume(of: _Parts) -> Judgement:
    if of.status.get("phase") == "Failed":
        return _not("VolumeFailed", str(of.status.get("message") or ""), final=True)
    return READY


def _namespace(of: _Parts) -> Judgement:
    return (
        READY
        if of.status.get("phase") == "Active"
        else _not("NotActive", f"is {of.status.get('phase') or 'not there yet'}")
    )


def _definition(of: _Parts) -> Judgement:
    names = condition(of.status, "NamesAccepted")
    if names.get("status") == "False":
        return _not(str(names.get("reason") or "NamesNotAccepted"), str(names.get("message") or ""), final=True)
    if is_true(of.status, "Established"):
        return READY
    return _not("NotEstablished", "is not established yet")


def _api_service(of: _Parts) -> Judgement:
    if is_true(of.status, "Available"):
        return READY
    available = condition(of.status, "Available")
    return _not(str(available.get("reason") or "NotAvailable"), str(available.get("message") or "is not available yet"))


def _nodus(of: _Parts) -> Judgement:
    state = str(of.status.get("state") or "")
    if state == "Created":
        return READY
    if state in ("CreateInternalError", "DeleteInternalError"):
        return _not(state, "Nodus could not make it; its log says why", final=True)
    return _not(state or "NotObserved", f"is {state}" if state else "Nodus has not seen it yet")


def _user_defined_network(of: _Parts) -> Judgement:
    made = condition(of.status, "NetworkCreated") or condition(of.status, "NetworkReady")
    if made.get("status") == "True":
        return READY
    words = str(made.get("message") or "OVN-Kubernetes has not made it yet")
    return _not(str(made.get("reason") or "NotObserved"), words)


def _subnet(of: _Parts) -> Judgement:
    for kind in ("Error", "Validated"):
        found = condition(of.status, kind)
        if found.get("status") == ("True" if kind == "Error" else "False"):
            return _not(str(found.get("reason") or kind), str(found.get("message") or "Kube-OVN refuses it"))
    if is_true(of.status, "Ready"):
        return READY
    ready = condition(of.status, "Ready")
    return _not(str(ready.get("reason") or "NotObserved"), str(ready.get("message") or "Kube-OVN has not made it yet"))


def _vlan(of: _Parts) -> Judgement:
    if of.status.get("conflict"):
        return _not("Conflict", "another Vlan of the provider network has the same id")
    return READY


def _provider_network(of: _Parts) -> Judgement:
    if of.status.get("ready"):
        return READY
    nodes = ", ".join(str(one) for one in of.status.get("notReadyNodes") or ())
    return _not("NodesNotReady" if nodes else "NotObserved", f"is not ready on {nodes}" if nodes else "is not made yet")


def _by_conditions(of: _Parts) -> Judgement:
    stalled = condition(of.status, "Stalled")
    if stalled.get("status") == "True":
        return _not(str(stalled.get("reason") or "Stalled"), str(stalled.get("message") or ""), final=True)
    if is_true(of.status, "Reconciling"):
        return _not("Reconciling", str(condition(of.status, "Reconciling").get("message") or "is being worked on"))
    for kind in ("Ready", "Available"):
        found = condition(of.status, kind)
        if found:
            if found.get("status") == "True":
                return READY
            return _not(str(found.get("reason") or f"Not{kind}"), str(found.get("message") or f"{kind} is not true"))
    return READY


def _replicas(spec: Object) -> int:
    return _count(spec, "replicas", 1)


def _count(part: Object, name: str, absent: int = 0) -> int:
    value = part.get(name)
    return absent if value is None else int(value)


_RULES: dict[tuple[str, str], Callable[[_Parts], Judgement]] = {
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume,
    ("", "Namespace"): _namespace,
    ("", "ReplicationController"): _replica_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("k8s.plugin.opnfv.org", "Network"): _nodus,
    ("k8s.plugin.opnfv.org", "ProviderNetwork"): _nodus,
    ("k8s.ovn.org", "ClusterUserDefinedNetwork"): _user_defined_network,
    ("kubeovn.io", "Subnet"): _subnet,
    ("kubeovn.io", "Vlan"): _vlan,
    ("kubeovn.io", "ProviderNetwork"): _provider_network,
}
