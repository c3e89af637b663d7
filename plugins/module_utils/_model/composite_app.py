# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: what is shipped. A composite app, its apps and its profiles."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model import names, quantities
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option

_LONGEST_WAIT = 4096
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")
_CHART_ONLY = ("repository", "version", "digest", "username", "password", "ca_cert")


def _status(raw: Any) -> str:
    word = str(raw).strip().lower()
    if word not in ("deployed", "ready"):
        raise ValueError(f"{raw!r} is not one of deployed, ready")
    return word


def _wait(raw: Any) -> float:
    seconds = quantities.seconds(raw)
    if seconds > _LONGEST_WAIT:
        raise ValueError(f"is {seconds:g} s, at most {_LONGEST_WAIT} s are allowed")
    return seconds


def _name(raw: Any) -> str:
    if not isinstance(raw, (str, int, float)) or isinstance(raw, bool):
        raise ValueError("must be text")
    return names.emco_name(str(raw))


def _digest(raw: Any) -> str:
    text = str(raw).strip().lower()
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"{raw!r} is not a digest; write sha256: and 64 hexadecimal digits")
    return "sha256:" + text.removeprefix("sha256:")


@dataclass(frozen=True)
class Dependency:
    """An app that must be there first, on every cluster where it is placed."""

    app: str = option(required=True, parse=_name, type="str")
    status: Literal["deployed", "ready"] = option(default="ready", parse=_status, type="str")
    wait: float = option(default=0.0, parse=_wait, type="str", spec_default="0s")
    """Seconds to wait after that."""
    scope: Literal["cluster", "everywhere"] = option(default="cluster")
    """Which copies are waited for: where both apps are on a cluster the one there, or always all, as EMCO does.

    The former is the default, for one dead edge must not hold up the others.
    """


@dataclass(frozen=True)
class App:
    """One chart, manifest set or kustomization."""

    name: str = option(required=True, parse=_name, type="str")
    chart: str | None = option()
    """A folder, a .tgz, an ``oci://`` reference, the address of a .tgz, or the name of a chart in ``repository``."""
    manifests: tuple[str, ...] = option(default=())
    kustomize: str | None = option()
    repository: str | None = option()
    version: str | None = option()
    digest: str | None = option(parse=_digest, type="str")
    username: str | None = option()
    password: str | None = option(no_log=True)
    ca_cert: str | None = option(type="path")
    plain_http: bool = option(default=False)
    depends_on: tuple[Dependency, ...] = option(default=())
    labels: Mapping[str, str] = option(default={})
    wait_for: Mapping[str, str] = option(default={})
    """JMESPath queries that say when objects of a kind (``Kind`` or ``group/version/Kind``) are ready."""

    @property
    def source(self) -> Literal["chart", "manifests", "kustomize"]:
        """What the app is rendered from."""
        if self.chart is not None:
            return "chart"
        return "kustomize" if self.kustomize is not None else "manifests"

    @property
    def is_remote(self) -> bool:
        """Whether the chart must be pulled first."""
        return self.repository is not None or self._has_address

    @property
    def _has_address(self) -> bool:
        return "://" in (self.chart or "")

    def problems(self, path: str) -> Iterator[Problem]:
        """Rules over several options of an app."""
        given = [key for key in ("chart", "manifests", "kustomize") if getattr(self, key)]
        if len(given) != 1:
            what = " and ".join(given) if given else "none"
            yield Problem(path, f"needs exactly one of chart, manifests, kustomize, and has {what}")
        if self.source != "chart":
            for key in _CHART_ONLY:
                if getattr(self, key) is not None:
                    yield Problem(join(path, key), f"belongs to a chart, not to {self.source}")
        elif self.repository is None and not (self.chart or "").startswith("oci://"):
            for key in ("username", "password"):
                if getattr(self, key) is not None:
                    yield Problem(join(path, key), "needs a repository or an oci:// chart")
        if self.repository is not None and self._has_address:
            yield Problem(join(path, "repository"), "has no meaning for a chart with an address of its own")
        if (self.username is None) != (self.password is None):
            yield Problem(path, "username and password belong together")
        yield from _label_problems(self.labels, join(path, "labels"))
        yield from _query_problems(self.wait_for, join(path, "wait_for"))


@dataclass(frozen=True)
class File:
    """A file that is copied into the chart before it is rendered."""

    src: str = option(required=True)
    dest: str = option(required=True)

    def problems(self, path: str) -> Iterator[Problem]:
        """``dest`` stays inside the chart."""
        if posixpath.isabs(self.dest) or ".." in self.dest.split("/") or posixpath.normpath(self.dest) == ".":
            yield Problem(join(path, "dest"), f"{self.dest!r} must be a file inside the chart, relative to its folder")


@dataclass(frozen=True)
class AppProfile:
    """What a profile gives to one app."""

    values: Mapping[str, Any] = option(default={})
    values_files: tuple[str, ...] = option(default=())
    files: tuple[File, ...] = option(default=())


@dataclass(frozen=True)
class Profile:
    """A named customisation of a composite app."""

    name: str = option(required=True, parse=_name, type="str")
    apps: Mapping[str, AppProfile] = option(default={})


@dataclass(frozen=True)
class CompositeApp:
    """A version of a composite app; the version is part of its identity."""

    project: str = option(required=True, parse=_name, type="str")
    name: str = option(required=True, parse=_name, type="str")
    version: str = option(required=True, parse=_name, type="str")
    apps: tuple[App, ...] = option(default=())
    profiles: tuple[Profile, ...] = option(default=())

    def app(self, name: str) -> App | None:
        """The app of that name."""
        return next((app for app in self.apps if app.name == name), None)

    def profile(self, name: str) -> Profile | None:
        """The profile of that name."""
        return next((profile for profile in self.profiles if profile.name == name), None)

    def problems(self, path: str) -> Iterator[Problem]:
        """Rules over the apps and profiles together."""
        yield from _twice([app.name for app in self.apps], join(path, "apps"), "an app")
        yield from _twice([profile.name for profile in self.profiles], join(path, "profiles"), "a profile")
        yield from _dependency_problems(self.apps, join(path, "apps"))
        for index, profile in enumerate(self.profiles):
            yield from self._profile_problems(profile, join(path, f"profiles[{index}].apps"))

    def _profile_problems(self, profile: Profile, path: str) -> Iterator[Problem]:
        for name, given in profile.apps.items():
            here = join(path, name)
            app = self.app(name)
            if app is None:
                yield Problem(here, f"there is no app {name!r}", near(name, [app.name for app in self.apps]))
                continue
            if app.source == "kustomize" and (given.values or given.values_files):
                yield Problem(here, "values have no meaning for a kustomization", "use an overlay of its own")
            if app.source != "chart" and given.files:
                yield Problem(join(here, "files"), f"belong to a chart, not to {app.source}")


def _twice(given: Sequence[str], path: str, what: str) -> Iterator[Problem]:
    for index, name in enumerate(given):
        if name in given[:index]:
            yield Problem(f"{path}[{index}].name", f"there is already {what} {name!r}")


def _label_problems(labels: Mapping[str, str], path: str) -> Iterator[Problem]:
    for key, value in labels.items():
        for check, text in ((names.label_key, key), (names.label_value, value)):
            try:
                check(text)
            except ValueError as wrong:
                yield Problem(join(path, key), str(wrong))


def _query_problems(queries: Mapping[str, str], path: str) -> Iterator[Problem]:
    try:
        import jmespath
    except ImportError:  # whoever evaluates the queries says what is missing
        return
    for kind, query in queries.items():
        try:
            jmespath.compile(query)
        except jmespath.exceptions.JMESPathError as wrong:
            yield Problem(join(path, kind), f"is not a JMESPath query: {str(wrong).splitlines()[0]}")


def _dependency_problems(apps: Sequence[App], path: str) -> Iterator[Problem]:
    known = [app.name for app in apps]
    for index, app in enumerate(apps):
        seen: set[str] = set()
        for position, dependency in enumerate(app.depends_on):
            here = f"{path}[{index}].depends_on[{position}].app"
            if dependency.app not in known:
                yield Problem(here, f"there is no app {dependency.app!r}", near(dependency.app, known))
            elif dependency.app in seen:
                yield Problem(here, f"{dependency.app!r} is listed twice")
            seen.add(dependency.app)
    cycle = dependency_cycle({app.name: [dependency.app for dependency in app.depends_on] for app in apps})
    if cycle:
        yield Problem(path, f"depend on each other in a circle: {' -> '.join(cycle)}")


def dependency_cycle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """A circle among ``app: [what it depends on]``, first app repeated at the end; empty when there is none."""
    done: set[str] = set()
    for start in edges:
        # A stack of its own: a chain of a thousand apps must not exhaust Python's.
        trail: list[str] = [start]
        ahead = [iter(edges[start])] if start not in done else []
        while ahead:
            following = next(ahead[-1], None)
            if following is None:
                ahead.pop()
                done.add(trail.pop())
            elif following in trail:
                return (*trail[trail.index(following) :], following)
            elif following in edges and following not in done:
                trail.append(following)
                ahead.append(iter(edges[following]))
    return ()


def dependency_order(apps: Sequence[App]) -> tuple[tuple[str, ...], ...]:
    """The apps in steps: each app stands in the first step after all that it depends on; the given order otherwise."""
    waits = {app.name: {dependency.app for dependency in app.depends_on} for app in apps}
    steps: list[tuple[str, ...]] = []
    placed: set[str] = set()
    while len(placed) < len(waits):
        step = tuple(name for name, needs in waits.items() if name not in placed and needs & waits.keys() <= placed)
        if not step:
            raise ValueError("the apps depend on each other in a circle")
        steps.append(step)
        placed.update(step)
    return tuple(steps)
