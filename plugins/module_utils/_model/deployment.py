# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a deployment, EMCO's deployment intent group: what is shipped where, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model import names, quantities
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._model.connectivity import parse_connectivity
from ansible_collections.emco.edge.plugins.module_utils._model.controllers import parse_controllers
from ansible_collections.emco.edge.plugins.module_utils._model.customization import parse_customizations
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.hardware import parse_hardware
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import parse_interfaces
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option, parse
from ansible_collections.emco.edge.plugins.module_utils._model.placement import parse_intent
from ansible_collections.emco.edge.plugins.module_utils._model.rollout import Rollout
from ansible_collections.emco.edge.plugins.module_utils._model.values import Override


def emco_name(raw: Any) -> str:
    """The name of an EMCO object; ValueError when it is none."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise ValueError("must be text")
    return names.emco_name(str(raw))


def _share(raw: Any) -> Fraction:
    share = quantities.percentage(raw)
    if isinstance(share, int):
        raise ValueError(f"{raw!r} must be a percentage such as 30%")
    return share


def only_these(raw: Any) -> tuple[str, ...]:
    """Hosts or clusters, or a selector as the only entry."""
    if isinstance(raw, str):
        return (raw,) if raw else ()
    if not isinstance(raw, (list, tuple)) or not all(isinstance(entry, str) for entry in raw):
        raise ValueError("must be a list of hosts or clusters, or a selector")
    return tuple(raw)


# What apps there are is in the store, so intents are read there; what is wrong with them alone is told with the rest.


def _check_placement(raw: Mapping[str, Any], path: str, problems: Problems) -> None:
    for name, intent in raw.items():
        parse_intent(intent, join(path, name), problems)


def _check_hardware(raw: tuple[Any, ...], path: str, problems: Problems) -> None:
    parse_hardware(raw, None, path, problems)


def _check_customizations(raw: tuple[Any, ...], path: str, problems: Problems) -> None:
    parse_customizations(raw, None, path, problems)


def _check_interfaces(raw: tuple[Any, ...], path: str, problems: Problems) -> None:
    parse_interfaces(raw, None, path, problems)


def _check_connectivity(raw: tuple[Any, ...], path: str, problems: Problems) -> None:
    parse_connectivity(raw, None, path, problems)


def _check_controllers(raw: tuple[Any, ...], path: str, problems: Problems) -> None:
    parse_controllers(raw, path, problems)


def _check_cluster_overrides(raw: Mapping[str, Any], path: str, problems: Problems) -> None:
    for cluster, apps in raw.items():
        try:
            ClusterRef.parse(cluster)
        except ValueError as wrong:
            problems.add(join(path, cluster), str(wrong))
        if not isinstance(apps, Mapping):
            problems.add(join(path, cluster), "must be a dictionary of apps")
            continue
        for app, override in apps.items():
            parse(Override, override, join(join(path, cluster), str(app)), problems)


def _revision(raw: Any) -> int | Literal["previous"]:
    if raw == "previous":
        return "previous"
    if isinstance(raw, bool) or not str(raw).strip().isdecimal() or int(raw) < 1:
        raise ValueError("must be the number of a revision, counted from 1, or previous")
    return int(raw)


@dataclass(frozen=True)
class IgnoredFields:
    """Fields that others may set: of objects of a kind whose name matches, both globs."""

    paths: tuple[str, ...] = option(required=True)
    """Such as ``spec.template.spec.containers[name=web].image``."""
    kind: str = option(default="*")
    name: str = option(default="*")


@dataclass(frozen=True)
class Deployment:
    """The options of ``emco.edge.deployment``. What is left out is taken from what was stored before."""

    project: str = option(required=True, parse=emco_name, type="str")
    name: str = option(required=True, parse=emco_name, type="str")
    composite_app: str | None = option(parse=emco_name, type="str")
    version: str | None = option(parse=emco_name, type="str")
    profile: str | None = option(parse=emco_name, type="str")
    release: str | None = option()
    logical_cloud: str | None = option(parse=emco_name, type="str")
    overrides: Mapping[str, Override] = option(default={})
    cluster_overrides: Mapping[str, Any] = option(default={}, check=_check_cluster_overrides)
    placement: Mapping[str, Any] = option(default={}, check=_check_placement)
    hardware: tuple[Any, ...] = option(default=(), elements="dict", check=_check_hardware)
    customizations: tuple[Any, ...] = option(default=(), elements="dict", check=_check_customizations)
    labels: Mapping[str, str] = option(default={})
    interfaces: tuple[Any, ...] = option(default=(), elements="dict", check=_check_interfaces)
    connectivity: tuple[Any, ...] = option(default=(), elements="dict", check=_check_connectivity)
    controllers: tuple[Any, ...] = option(default=(), elements="raw", check=_check_controllers)
    rebalance: bool = option(default=False)
    act_as: Literal["tenant", "credential", "admin"] = option(default="tenant")
    """With whose rights a logical cloud's deployment is written: the tenant's, impersonated or with its own credential,
    or ours."""
    rollout: Rollout | None = option()
    resume: bool = option(default=False)
    """Go on with a rollout that paused."""
    catch_up: bool = option(default=False)
    """Only bring clusters that were put off, or did not answer, to the latest revision."""
    only: tuple[str, ...] | None = option(parse=only_these, type="raw")
    parallel: int = option(default=50)
    wait: bool = option(default=True)
    wait_timeout: float = option(default=600.0, parse=quantities.seconds, type="str", spec_default="10m")
    cluster_timeout: float = option(default=0.0, parse=quantities.seconds, type="str", spec_default="0s")
    """Seconds that all requests and waits of one cluster may take; 0: the wait timeout and a minute."""
    drift: Literal["correct", "report", "ignore"] = option(default="correct")
    ignore_fields: tuple[IgnoredFields, ...] = option(default=())
    conflicts: Literal["fail", "force"] = option(default="fail")
    adopt: bool = option(default=False)
    on_immutable: Literal["fail", "replace"] = option(default="fail")
    deletion_guard: Fraction = option(default=Fraction(30, 100), parse=_share, type="str", spec_default="30%")
    allow_deletions: bool = option(default=False)
    host_variables: tuple[str, ...] = option(default=())
    """Variables of a cluster's inventory host that its templated manifests may use, as ``host.<name>``."""
    lock_wait: float = option(default=0.0, parse=quantities.seconds, type="str", spec_default="0s")
    """Seconds to wait for another run on the same deployment before giving up."""
    nondeterministic: Literal["pin", "fail"] = option(default="pin")
    migrate_from: str | None = option(parse=emco_name, type="str")
    """Another deployment of the project, whose place this one takes."""
    order: Literal["new_first", "replace"] = option(default="new_first")
    """Whether the other one goes at the end, or on each cluster before the new one comes."""
    keep: tuple[str, ...] = option(default=())
    """Kinds that a removal leaves to others."""
    revision_history_limit: int = option(default=10)
    """How many revisions before the one in effect are kept."""
    require_approval: bool = option(default=False)
    """Bring only what somebody approved."""
    state: Literal["planned", "approved", "present", "stopped", "absent"] = option(default="present")
    revision: int | Literal["previous"] | None = option(parse=_revision, type="raw")
    comment: str | None = option()
    explain: tuple[str, ...] = option(default=())
    store: Any = option(type="raw")

    def problems(self, path: str) -> Iterator[Problem]:
        """Rules over several options."""
        if self.revision_history_limit < 0:
            yield Problem(join(path, "revision_history_limit"), "must not be negative")
        if self.parallel < 1:
            yield Problem(join(path, "parallel"), "must be at least 1")
        if self.catch_up and (self.state != "present" or self.revision is not None):
            yield Problem(join(path, "catch_up"), "goes with state: present and no revision: it brings the latest one")
        if self.revision is not None and self.state in ("absent", "stopped"):
            yield Problem(join(path, "revision"), f"has no meaning with state: {self.state}")
        for key in self.labels:
            try:
                names.label_key(key)
            except ValueError as wrong:
                yield Problem(join(path, f"labels.{key}"), str(wrong))
        if self.migrate_from is not None and (self.catch_up or self.state in ("absent", "stopped")):
            yield Problem(join(path, "migrate_from"), "goes with state: present")
        if self.migrate_from == self.name:
            yield Problem(join(path, "migrate_from"), "is this deployment itself", "name the one whose place it takes")
        if self.keep and self.state != "absent":
            yield Problem(join(path, "keep"), "has a meaning with state: absent only")
        if self.release is not None:
            try:
                names.dns_label(self.release)
            except ValueError as wrong:
                yield Problem(join(path, "release"), f"{wrong}: a release is not a valid DNS label")


INTENT = (
    "composite_app",
    "version",
    "profile",
    "release",
    "logical_cloud",
    "overrides",
    "cluster_overrides",
    "placement",
    "hardware",
    "customizations",
    "labels",
    "interfaces",
    "connectivity",
    "controllers",
    "host_variables",
    "ignore_fields",
)
"""The options that say what is wanted and are therefore stored; the others say how this run goes about it."""
