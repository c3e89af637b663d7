# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: where an object keeps its pod template, and how many pods it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCALABLE = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


def pod_template_path(item: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The keys that lead to the pod template: none for a Pod, None where there is no template.

    Any object with ``spec.template.spec.containers`` has one, whatever its kind.
    """
    kind = item.get("kind")
    if kind == "Pod":
        return ()
    path = ("spec", "jobTemplate", "spec", "template") if kind == "CronJob" else ("spec", "template")
    found: Any = item
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    spec = found.get("spec") if isinstance(found, Mapping) else None
    return path if isinstance(spec, Mapping) and isinstance(spec.get("containers"), (list, tuple)) else None


def pod_template(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pod template of an object (``{metadata, spec}``), None where there is none."""
    path = pod_template_path(item)
    if path is None:
        return None
    found: Any = item
    for key in path:
        found = found[key]
    return found if isinstance(found, Mapping) else None


def copies_of(item: Mapping[str, Any]) -> tuple[int, bool]:
    """How many pods the object makes at a time, and whether replicas are what says so."""
    spec = item.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    kind = item.get("kind")
    if kind == "CronJob":
        inner = spec.get("jobTemplate")
        spec = inner.get("spec") or {} if isinstance(inner, Mapping) else {}
    if kind in ("Job", "CronJob"):
        parallel, completions = _whole(spec.get("parallelism"), 1), spec.get("completions")
        return (parallel if completions is None else min(parallel, _whole(completions, 1))), False
    if kind in SCALABLE or (kind not in ("Pod", "DaemonSet") and "replicas" in spec):
        return _whole(spec.get("replicas"), 1), True
    return 1, False


def _whole(raw: Any, default: int) -> int:
    return default if raw is None else int(raw)
