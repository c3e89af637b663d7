# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what Kubernetes would refuse, and objects in each other's way, found in time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from ansible_collections.emco.edge.plugins.module_utils._model import names
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._render.objects import RenderedObject

# etcd takes requests of 1.5 MiB by default, and the server adds managedFields to what we send.
LARGEST_OBJECT = 1_200_000
_LARGEST_DATA = 1024 * 1024
_FREE_NAMES = re.compile(r"(?!\.{1,2}$)[^/%]+")
_FREE_GROUPS = ("rbac.authorization.k8s.io", "certificates.k8s.io")
_LABEL_NAMES = frozenset({("", "Namespace"), ("", "Service")})


def check_objects(
    objects: Iterable[RenderedObject], *, allowed_namespaces: frozenset[str] | None = None
) -> tuple[Problem, ...]:
    """Everything wrong with the objects of a deployment on one cluster, namespaces already set.

    Looks for the same object twice (over all apps), a namespace outside ``allowed_namespaces`` (None: all are allowed),
    names that Kubernetes refuses and objects too large to be stored.
    """
    objects = tuple(objects)
    return (*_duplicates(objects), *(problem for one in objects for problem in _alone(one, allowed_namespaces)))


def _where(one: RenderedObject) -> str:
    return f"app {one.app}, {one.source}, {one.title}"


def _duplicates(objects: Iterable[RenderedObject]) -> Iterator[Problem]:
    seen: dict[tuple[str, str, str, str], RenderedObject] = {}
    # A hook may be what another hook or the app itself is as well: Helm charts do that with service accounts.
    for one in (one for one in objects if one.hook is None):
        key = (one.group, one.kind, one.namespace, one.name)
        first = seen.setdefault(key, one)
        if first is not one:
            there = f"app {first.app}, {first.source}" if first.app != one.app else first.source
            yield Problem(_where(one), f"is the same object as one in {there}")


def _alone(one: RenderedObject, allowed_namespaces: frozenset[str] | None) -> Iterator[Problem]:
    yield from _name(one)
    yield from _namespace(one, allowed_namespaces)
    yield from _size(one)


def _name(one: RenderedObject) -> Iterator[Problem]:
    try:
        if one.group in _FREE_GROUPS or one.kind == "IPAddress":
            if not _FREE_NAMES.fullmatch(one.name):
                raise ValueError(f"{one.name!r} may not be '.', '..' or hold '/' or '%'")
        elif (one.group, one.kind) in _LABEL_NAMES:
            names.dns_label(one.name)
        else:
            names.dns_subdomain(one.name)
            if one.kind == "CronJob" and len(one.name) > 52:
                raise ValueError(f"is {len(one.name)} characters long, a CronJob has at most 52")
    except ValueError as wrong:
        yield Problem(_where(one), f"the name {wrong}")


def _namespace(one: RenderedObject, allowed: frozenset[str] | None) -> Iterator[Problem]:
    if not one.namespace:
        if allowed is not None and (one.group, one.kind) == ("", "Namespace") and one.name not in allowed:
            yield Problem(_where(one), f"is not one of the logical cloud's namespaces ({_listed(allowed)})")
        return
    try:
        names.dns_label(one.namespace)
    except ValueError as wrong:
        yield Problem(_where(one), f"the namespace {wrong}")
        return
    if allowed is not None and one.namespace not in allowed:
        yield Problem(
            _where(one),
            f"namespace {one.namespace} is not covered by the logical cloud ({_listed(allowed)})",
            "leave the namespace out to get the logical cloud's own",
        )


def _listed(allowed: frozenset[str]) -> str:
    return ", ".join(sorted(allowed)) or "none"


def _size(one: RenderedObject) -> Iterator[Problem]:
    size = len(json.dumps(one.object, separators=(",", ":"), ensure_ascii=False).encode())
    if size > LARGEST_OBJECT:
        yield Problem(
            _where(one),
            f"is {size} bytes large, the largest that is safely stored has {LARGEST_OBJECT}",
            "split it, or keep the data outside Kubernetes",
        )
    elif one.kind in ("ConfigMap", "Secret") and not one.group and size > _LARGEST_DATA:
        yield Problem(_where(one), f"is {size / 1e6:.2f} MB large, a {one.kind} holds at most 1 MiB")
