# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: where an object keeps its pod template, whatever its kind."""

from __future__ import annotations

from typing import Any


def pod_template(document: dict[str, Any]) -> dict[str, Any] | None:
    """The part of an object with ``metadata`` and ``spec`` of its pods: of a Pod the object itself.

    Any kind with ``spec.template.spec.containers`` counts, so custom workloads do too; CronJobs nest one deeper.
    """
    if document.get("kind") == "Pod" and document.get("apiVersion") == "v1":
        return document
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return None
    job = spec.get("jobTemplate")
    holder = job.get("spec") if isinstance(job, dict) else spec
    template = holder.get("template") if isinstance(holder, dict) else None
    inner = template.get("spec") if isinstance(template, dict) else None
    return template if isinstance(inner, dict) and isinstance(inner.get("containers"), list) else None
