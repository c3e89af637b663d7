# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the pod specs inside objects, of built-in kinds and of custom ones that hold a pod template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

PodSpec = Mapping[str, Any]
_PATHS = (
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
    ("template", "spec"),  # PodTemplate
)


def pod_spec_path(manifest: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Where in an object its pod spec is, None when it has none.

    A custom kind (a Rollout, a Service of Knative) counts when it holds a list of containers where workloads do.
    """
    paths = (("spec",),) if manifest.get("kind") == "Pod" else _PATHS
    return next((path for path in paths if _has_containers(_at(manifest, path))), None)


def _at(manifest: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    here: Any = manifest
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here


def _has_containers(spec: Any) -> bool:
    return isinstance(spec, Mapping) and isinstance(spec.get("containers"), list)


def with_pod_spec(manifest: Mapping[str, Any], change: Callable[[PodSpec], PodSpec]) -> Mapping[str, Any]:
    """The object with its pod spec changed; the object itself when it has none or nothing changes."""
    path = pod_spec_path(manifest)
    if path is None:
        return manifest
    spec = _at(manifest, path)
    changed = change(spec)
    return manifest if changed == spec else _with(manifest, path, changed)


def _with(holder: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Mapping[str, Any]:
    inner = value if len(path) == 1 else _with(holder[path[0]], path[1:], value)
    return {**holder, path[0]: inner}
