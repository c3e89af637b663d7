# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a logical cloud, a tenant's slice over many clusters: EMCO's rules, checked before anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model import names, quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.deployment import emco_name
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector
from ansible_collections.emco.edge.plugins.module_utils._model.tenant_quotas import Quota, hard_limits

Kind = Literal["admin", "standard", "privileged"]

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "emco-edge-system")
TOTAL_QUOTA = "emco-edge-total"
"""The name of the ResourceQuota that a part of ``total`` becomes on a cluster."""
_RESERVED_LABELS = ("app.kubernetes.io/managed-by", "kubernetes.io/metadata.name")
_RESERVED_PREFIX = "emco.edge/"
_POD_SECURITY = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
# X.520 upper bound of a common name, which is where Kubernetes takes a user's name from.
_LONGEST_USER = 64
# The shortest life that Kubernetes signs a certificate or a token for.
_SHORTEST_LIFE = 600.0


def _selector(raw: Any) -> Selector:
    return Selector.parse(str(raw))


def pod_security_labels(raw: Any) -> dict[str, str]:
    """The labels of a namespace that Pod Security reads: of a level for all modes, or of a dictionary of modes."""
    given = dict.fromkeys(("enforce", "audit", "warn"), raw) if isinstance(raw, str) else raw
    if not isinstance(given, Mapping):
        raise ValueError("must be a level, or a dictionary of enforce, audit and warn")
    for mode, level in given.items():
        known = mode.removesuffix("_version") in ("enforce", "audit", "warn")
        if not known:
            raise ValueError(f"{mode!r} is not a mode of Pod Security; those are enforce, audit and warn")
        if not mode.endswith("_version") and level not in _LEVELS:
            raise ValueError(f"{level!r} is not a level of Pod Security; those are {', '.join(_LEVELS)}")
        if mode.endswith("_version") and not re.fullmatch(r"latest|v1\.\d+", str(level)):
            raise ValueError(f"{level!r} is not a version of Pod Security; write latest or v1.36")
    return {_POD_SECURITY + mode.replace("_", "-"): str(level) for mode, level in sorted(given.items())}


@dataclass(frozen=True)
class User:
    """Who works in a logical cloud. ``generation``: whoever holds a credential of an earlier one has no rights."""

    name: str = option(required=True)
    type: Literal["certificate", "service_account"] = option(default="certificate")
    expires_in: float = option(default=90 * 86400.0, parse=quantities.seconds, type="str", spec_default="90d")
    renew_before: float = option(default=30 * 86400.0, parse=quantities.seconds, type="str", spec_default="30d")
    generation: int | None = option()

    def problems(self, path: str) -> Iterator[Problem]:
        """What Kubernetes or X.509 refuse."""
        where = join(path, "name")
        if self.type == "service_account":
            try:
                # The generation is part of the account's name.
                names.dns_subdomain(self.name)
                if len(self.name) > 200:
                    raise ValueError(f"is {len(self.name)} characters long, 200 are allowed")
            except ValueError as wrong:
                yield Problem(where, f"{wrong}: not the name of a service account")
        elif not 1 <= len(self.name) <= _LONGEST_USER:
            yield Problem(where, f"has {len(self.name)} characters, a certificate holds 1 to {_LONGEST_USER}")
        elif self.name.startswith("system:"):
            yield Problem(where, "must not start with 'system:', which Kubernetes keeps for itself")
        elif not self.name.isprintable() or self.name != self.name.strip():
            yield Problem(where, f"{self.name!r} holds what does not print, or ends in blanks")
        if self.expires_in < _SHORTEST_LIFE:
            yield Problem(join(path, "expires_in"), "must be at least 10m, the shortest that Kubernetes gives")
        if self.renew_before >= self.expires_in:
            yield Problem(join(path, "renew_before"), "must be less than expires_in, or every run would renew")
        if self.generation is not None and self.generation < 1:
            yield Problem(join(path, "generation"), "generations are counted from 1")


@dataclass(frozen=True)
class Permission:
    """A rule of rights; ``namespace`` empty: in the whole cluster, None: in the logical cloud's own namespace."""

    namespace: str | None = option()
    api_groups: tuple[str, ...] = option(required=True)
    resources: tuple[str, ...] = option(required=True)
    verbs: tuple[str, ...] = option(required=True)
    resource_names: tuple[str, ...] = option(default=())

    def problems(self, path: str) -> Iterator[Problem]:
        """Rules that Kubernetes refuses, and namespaces that nobody is given rights in."""
        for name in ("api_groups", "resources", "verbs"):
            given = getattr(self, name)
            if not given:
                yield Problem(join(path, name), "is empty", "the core group is the empty text" if "g" in name else "")
            if name != "api_groups" and "" in given:
                yield Problem(join(path, name), "holds an empty text")
        for group in self.api_groups:
            if "/" in group:
                yield Problem(join(path, "api_groups"), f"{group!r} is a version of a group", "leave the version out")
        if self.namespace:
            try:
                names.dns_label(self.namespace)
            except ValueError as wrong:
                yield Problem(join(path, "namespace"), str(wrong))
            if self.namespace == "emco-edge-system":
                yield Problem(join(path, "namespace"), "holds the records of this orchestrator: no tenant works there")


def _permissions(kind: Kind, space: str, given: tuple[Permission, ...], path: str) -> Iterator[Problem]:
    if not any(one.namespace in (None, space) for one in given):
        yield Problem(
            join(path, "permissions"),
            f"a {kind} logical cloud needs a permission on its own namespace {space}",
            "EMCO: the user permission assigned to its primary namespace",
        )
    if kind == "standard":
        for index, one in enumerate(given):
            if one.namespace not in (None, space):
                what = f"namespace {one.namespace}" if one.namespace else "the whole cluster"
                yield Problem(f"{path}permissions[{index}].namespace", f"is {what}", "kind: privileged allows that")


@dataclass(frozen=True)
class LogicalCloud:
    """The options of ``emco.edge.logical_cloud`` that say what is wanted."""

    project: str = option(required=True, parse=emco_name, type="str")
    name: str = option(required=True, parse=emco_name, type="str")
    kind: Kind = option(default="standard")
    namespace: str | None = option()
    labels: Mapping[str, str] = option(default={})
    user: User | None = option()
    clusters: tuple[str, ...] = option(default=())
    selector: Selector | None = option(parse=_selector, type="str")
    permissions: tuple[Permission, ...] = option(default=())
    quotas: tuple[Quota, ...] = option(default=())
    total: Mapping[str, str] = option(default={}, parse=hard_limits, type="dict")
    """What all clusters together may use, divided over them."""
    total_divide: Literal["use", "weighted"] = option(default="use")
    """``use``: each cluster has what deployments take there and a fair part of the rest; ``weighted``: fixed parts."""
    total_weights: Mapping[str, int] = option(default={})
    limit_range: tuple[Any, ...] = option(default=(), elements="dict")
    pod_security: Mapping[str, str] | None = option(parse=pod_security_labels, type="raw")
    isolation: bool | None = option()
    isolation_except: tuple[str, ...] = option(default=())
    """Namespaces that may talk with this one all the same, such as that of an ingress controller."""
    emco_names: bool = option(default=False)
    """Objects get the names that EMCO gives them."""

    @property
    def space(self) -> str:
        """The namespace on every cluster: the one given, else named like the logical cloud; ``default`` for admin."""
        return "default" if self.kind == "admin" else self.namespace or self.name

    @property
    def isolated(self) -> bool:
        """Whether other namespaces are kept out: unless said otherwise, for a standard logical cloud."""
        return self.kind == "standard" if self.isolation is None else self.isolation

    @property
    def namespaces(self) -> frozenset[str] | None:
        """Where its deployments may have objects; None: wherever the rights of the tenant reach."""
        if self.kind == "admin" or any(one.namespace == "" for one in self.permissions):
            return None
        return frozenset({self.space, *(one.namespace for one in self.permissions if one.namespace)})

    def refs(self) -> tuple[ClusterRef, ...]:
        """The clusters that are listed."""
        return tuple(ClusterRef.parse(one) for one in self.clusters)

    def problems(self, path: str) -> Iterator[Problem]:
        """EMCO's rules of the three kinds, and names that a cluster would refuse."""
        if self.clusters and self.selector is not None:
            yield Problem(join(path, "selector"), "goes not with clusters: give one of them")
        for index, text in enumerate(self.clusters):
            try:
                ClusterRef.parse(text)
            except ValueError as wrong:
                yield Problem(join(path, f"clusters[{index}]"), str(wrong))
        if self.kind == "admin":
            yield from self._not_for_admin(path)
            return
        yield from self._space(path)
        if self.user is None:
            yield Problem(join(path, "user"), f"is required: a {self.kind} logical cloud has a user")
        yield from _permissions(self.kind, self.space, self.permissions, path + "." if path else "")
        yield from self._labels(path)
        yield from self._quotas(path)

    def _not_for_admin(self, path: str) -> Iterator[Problem]:
        names_of = ("namespace", "user", "permissions", "quotas", "total", "limit_range", "pod_security", "isolation")
        for name in names_of:
            if getattr(self, name) not in (None, (), {}, False):
                yield Problem(
                    join(path, name),
                    "an admin logical cloud has none: it works in namespace default with our own rights",
                )

    def _space(self, path: str) -> Iterator[Problem]:
        where = join(path, "namespace")
        try:
            names.dns_label(self.space)
        except ValueError as wrong:
            hint = "" if self.namespace else "give namespace, the name of the logical cloud is not one"
            yield Problem(where, str(wrong), hint)
        if self.space in SYSTEM_NAMESPACES or self.space.startswith("kube-"):
            yield Problem(where, f"{self.space} belongs to the cluster, not to a tenant")

    def _labels(self, path: str) -> Iterator[Problem]:
        for key, value in self.labels.items():
            where = join(path, f"labels.{key}")
            try:
                names.label_key(key)
                names.label_value(value)
            except ValueError as wrong:
                yield Problem(where, str(wrong))
            if key in _RESERVED_LABELS or key.startswith(_RESERVED_PREFIX):
                yield Problem(where, "is a label that is set without you")
            if key.startswith(_POD_SECURITY) and self.pod_security is not None:
                yield Problem(where, "is said by pod_security as well")

    def _quotas(self, path: str) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, one in enumerate(self.quotas):
            if one.name in seen:
                yield Problem(join(path, f"quotas[{index}].name"), f"there are two quotas called {one.name}")
            seen.add(one.name)
        if self.total and TOTAL_QUOTA in seen:
            yield Problem(join(path, "quotas"), f"{TOTAL_QUOTA} is the name of what total becomes on a cluster")
        for name, weight in self.total_weights.items():
            try:
                ClusterRef.parse(name)
            except ValueError as wrong:
                yield Problem(join(path, f"total_weights.{name}"), str(wrong))
            if weight < 0:
                yield Problem(join(path, f"total_weights.{name}"), "must not be negative")
        if self.total_weights and self.total_divide != "weighted":
            yield Problem(join(path, "total_weights"), "goes with total_divide: weighted")
        for index, item in enumerate(self.limit_range):
            where = join(path, f"limit_range[{index}]")
            if not isinstance(item, Mapping) or item.get("type") not in ("Container", "Pod", "PersistentVolumeClaim"):
                yield Problem(where, "needs type: Container, Pod or PersistentVolumeClaim", "as in a LimitRange")
