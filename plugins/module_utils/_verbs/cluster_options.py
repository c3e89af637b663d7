# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the options of the verbs that act for one cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._kube.connection import Connection
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef, TaintEffect
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.names import (
    dns_subdomain,
    emco_name,
    label_key,
    label_value,
)
from ansible_collections.emco.edge.plugins.module_utils._model.northbound import Northbound
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option
from ansible_collections.emco.edge.plugins.module_utils._model.quantities import seconds
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector
from ansible_collections.emco.edge.plugins.module_utils._verbs.registry import CONNECTION_VARIABLES

KeepCredentials = Literal["reference", "encrypted", "service_account"]
State = Literal["Ready", "Progressing", "Pending", "Deferred", "Unreachable", "Failed", "Removed"]

IDENTITY_VARIABLES: dict[str, tuple[str, ...]] = {
    "name": ("emco_name", "inventory_hostname"),
    "provider": ("emco_provider",),
}
"""What the inventory says about the cluster that a host is."""

CLUSTER_VARIABLES: dict[str, tuple[str, ...]] = {
    **IDENTITY_VARIABLES,
    **{name: (variable,) for name, variable in CONNECTION_VARIABLES.items()},
    "inventory_host": ("inventory_hostname",),
    "ovn_nb": ("emco_ovn_nb", "ovn_nb"),
    **{
        name: (f"emco_{name}",)
        for name in (
            "labels",
            "kv",
            "taints",
            "schedulable",
            "drain",
            "image_mirrors",
            "pull_secrets",
            "constraints",
            "keep_credentials",
        )
    },
}


@dataclass(frozen=True)
class TaintOption:
    """A taint as users write it."""

    key: str = option(required=True, no_log=False)
    value: str = option(default="")
    effect: TaintEffect = option(default="NoSelect")

    def problems(self, path: str) -> Iterable[Problem]:
        """Keys and values are those of Kubernetes labels."""
        yield from _checked(label_key, self.key, join(path, "key"))
        yield from _checked(label_value, self.value, join(path, "value"))


@dataclass(frozen=True)
class ClusterOptions(Connection):
    """Options of ``cluster``. What is None stays as it is registered."""

    provider: str | None = option()
    name: str | None = option()
    inventory_host: str | None = option()
    ovn_nb: Northbound | None = option()
    labels: Mapping[str, str] | None = option()
    kv: Mapping[str, Mapping[str, Any]] | None = option()
    taints: tuple[TaintOption, ...] | None = option()
    keep_credentials: KeepCredentials | None = option(no_log=False)
    schedulable: bool | None = option()
    drain: bool | None = option()
    image_mirrors: Mapping[str, str] | None = option()
    pull_secrets: tuple[str, ...] | None = option(no_log=False)
    constraints: str | None = option()
    account_rules: tuple[Mapping[str, Any], ...] | None = option(elements="dict")
    on_missing_rights: Literal["fail", "warn"] = option(default="fail")
    allow_duplicate: bool = option(default=False)
    forget: bool = option(default=False)
    timeout: float = option(default=30.0, parse=seconds, type="str", spec_default="30s")
    state: Literal["present", "absent"] = option(default="present")
    store: Any = option(type="raw")

    def problems(self, _path: str) -> Iterable[Problem]:
        """All that is wrong with names, labels, taints and the selector over apps."""
        yield from identity_problems(self.provider, self.name)
        for key, value in (self.labels or {}).items():
            # EMCO's labels are longer than those of Kubernetes: 128 characters.
            yield from _checked(label_key if "/" in key else emco_name, key, f"labels.{key}")
            yield from _checked(label_value, value, f"labels.{key}")
        for index, secret in enumerate(self.pull_secrets or ()):
            yield from _checked(dns_subdomain, secret, f"pull_secrets[{index}]")
        for registry, mirror in (self.image_mirrors or {}).items():
            if "://" in registry or "://" in mirror:
                yield Problem(f"image_mirrors.{registry}", "is the name of a registry as in an image, without https://")
        if self.constraints:
            yield from _checked(Selector.parse, self.constraints, "constraints")

    @property
    def connection(self) -> Connection:
        """The options that say how to reach the cluster."""
        return Connection(**{one.name: getattr(self, one.name) for one in fields(Connection)})

    @property
    def ref(self) -> ClusterRef:
        """The cluster; its two names are checked."""
        return ClusterRef(str(self.provider), str(self.name))


@dataclass(frozen=True)
class ClusterFactsOptions:
    """Options of ``cluster_facts``."""

    provider: str | None = option()
    name: str | None = option()
    max_age: float = option(default=600.0, parse=seconds, type="str", spec_default="10m")
    fail_when_unreachable: bool = option(default=False)
    timeout: float = option(default=30.0, parse=seconds, type="str", spec_default="30s")
    store: Any = option(type="raw")

    def problems(self, _path: str) -> Iterable[Problem]:
        """The cluster must be named."""
        return identity_problems(self.provider, self.name)

    @property
    def ref(self) -> ClusterRef:
        """The cluster; its two names are checked."""
        return ClusterRef(str(self.provider), str(self.name))


@dataclass(frozen=True)
class ClusterInfoOptions:
    """Options of ``cluster_info``."""

    selector: Selector | None = option(parse=Selector.parse, type="str")
    names: tuple[str, ...] = option(default=())
    facts: bool = option(default=False)
    store: Any = option(type="raw")


@dataclass(frozen=True)
class ClusterResultOptions:
    """Options of ``cluster_result``."""

    result: Mapping[str, Any] = option(required=True, written="from")
    provider: str | None = option()
    name: str | None = option()
    fail_on: tuple[State, ...] = option(default=("Failed", "Unreachable"))

    def problems(self, _path: str) -> Iterable[Problem]:
        """The cluster must be named, and the result be one of a fleet task."""
        yield from identity_problems(self.provider, self.name)

    @property
    def ref(self) -> ClusterRef:
        """The cluster; its two names are checked."""
        return ClusterRef(str(self.provider), str(self.name))


def identity_problems(provider: str | None, name: str | None) -> Iterable[Problem]:
    """What is wrong with the two names of a cluster."""
    for value, option_name in ((provider, "provider"), (name, "name")):
        if value is None:
            yield Problem(option_name, "is required", f"or the host variable {IDENTITY_VARIABLES[option_name][0]}")
        else:
            yield from _checked(emco_name, value, option_name)


def _checked(rule: Callable[[str], Any], value: str, path: str) -> Iterable[Problem]:
    try:
        rule(value)
    except ValueError as wrong:
        yield Problem(path, str(wrong))
