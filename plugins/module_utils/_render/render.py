# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: renders the apps of many clusters, each different input once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar, Union

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._render.determinism import (
    NonDeterministicRender,
    differences,
    non_deterministic,
)
from ansible_collections.emco.edge.plugins.module_utils._render.digests import Digests
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.install_order import in_install_order
from ansible_collections.emco.edge.plugins.module_utils._render.kustomize import Kustomize
from ansible_collections.emco.edge.plugins.module_utils._render.manifests import (
    Template,
    Text,
    read_manifests,
    templated,
)
from ansible_collections.emco.edge.plugins.module_utils._render.objects import parse_objects
from ansible_collections.emco.edge.plugins.module_utils._render.pull import local_chart
from ansible_collections.emco.edge.plugins.module_utils._render.rendering import (
    KeepsNothing,
    RenderCache,
    Rendered,
    Renderings,
)
from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest, as_json
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartSource, chart_source

OnDifference = Literal["pin", "fail"]
T = TypeVar("T")
P = ParamSpec("P")

# A chart on this machine, or the files of manifests or of a built kustomization.
_Source: TypeAlias = Union[ChartSource, tuple[Text, ...]]


@dataclass(frozen=True)
class Renderer:
    """What rendering needs besides the requests.

    ``keyed_digest`` names inputs without telling them, ``charts`` is the folder that keeps pulled charts, ``processes``
    how many charts are rendered at once, ``on_difference`` what becomes of a chart that renders differently each time.
    """

    helm: Callable[[], Helm]
    """Gives helm when the first chart needs it; raises HelmMissing."""
    kustomize: Kustomize
    template: Template
    keyed_digest: Callable[[bytes], str]
    charts: Path
    cache: RenderCache = field(default_factory=KeepsNothing)
    processes: int = 4
    on_difference: OnDifference = "pin"


def render_all(requests: Sequence[RenderRequest], renderer: Renderer) -> Renderings:
    """Render every request: equal inputs once, and those that the cache keeps not at all.

    What is wrong with any of the apps is told at once: InvalidInput for requests and rendered objects that cannot be,
    else the EdgeError of what failed (ChartError, HelmMissing, FileMissing, NonDeterministicRender ...).
    """
    problems = Problems()
    named = {(one.app.name, one.app.source, one.release, one.namespace): one for one in requests}
    problems.extend(problem for one in named.values() for problem in one.problems())
    problems.raise_if_any("what is to be rendered")
    pool = ThreadPoolExecutor(max_workers=renderer.processes, thread_name_prefix="render")
    run = _Run(renderer, pool)
    try:
        return run.render(requests)
    except EdgeError:
        raise
    except BaseException:  # an interruption: nobody waits for what still runs
        run.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Run:
    """One call of render_all. Failures are collected, so that they are told together."""

    def __init__(self, renderer: Renderer, pool: ThreadPoolExecutor) -> None:
        self._renderer = renderer
        self._pool = pool
        self._failures: list[EdgeError] = []
        self._problems = Problems()
        self._helm: Helm | None = None
        self._finding_helm = Lock()

    def stop(self) -> None:
        self._renderer.kustomize.stop()
        if self._helm is not None:
            self._helm.stop()

    def render(self, requests: Sequence[RenderRequest]) -> Renderings:
        sources = self._sources(requests)
        digests = self._digests(requests, sources)
        wanted: dict[str, tuple[RenderRequest, _Source]] = {}
        for digest, request, source in zip(digests, requests, sources, strict=True):
            wanted.setdefault(digest, (request, source))
        rendered = {**self._texts(wanted), **self._charts(wanted)}
        self._raise_failures()
        return Renderings(tuple(digests), rendered)

    def _sources(self, requests: Sequence[RenderRequest]) -> list[_Source]:
        """The source of each request, templates rendered for its cluster."""
        reading: dict[tuple[Any, ...], Future[_Source]] = {}
        for request in requests:
            key = _source_key(request)
            if key not in reading:
                reading[key] = self._pool.submit(self._read, request)
        read = {key: self._attempt(future.result) for key, future in reading.items()}
        self._raise_failures()
        found = [self._attempt(self._for_cluster, read[_source_key(request)], request) for request in requests]
        self._raise_failures()
        return [source for source in found if source is not None]

    def _read(self, request: RenderRequest) -> _Source:
        if request.app.source == "manifests":
            return read_manifests(request)
        if request.app.source == "kustomize":
            return self._renderer.kustomize.build(request)
        return chart_source(local_chart(request, self._found_helm, self._renderer.charts), request.app.name)

    def _found_helm(self) -> Helm:
        with self._finding_helm:
            if self._helm is None:
                self._helm = self._renderer.helm()
            return self._helm

    def _for_cluster(self, source: _Source | None, request: RenderRequest) -> _Source | None:
        if isinstance(source, tuple) and request.app.source == "manifests":
            return templated(source, request, self._renderer.template)
        return source

    def _digests(self, requests: Sequence[RenderRequest], sources: Sequence[_Source]) -> list[str]:
        charts = Digests(self._renderer.keyed_digest)
        texts: dict[int, str] = {}
        found = [self._attempt(self._digest, *both, charts, texts) for both in zip(requests, sources, strict=True)]
        self._raise_failures()
        return [digest for digest in found if digest is not None]

    def _digest(self, request: RenderRequest, source: _Source, charts: Digests, texts: dict[int, str]) -> str:
        if isinstance(source, ChartSource):
            return charts.of(request, source)
        # Of the text that came out: clusters whose templates say the same share it.
        if id(source) not in texts:
            content = as_json([request.app.name, [[one.source, one.text] for one in source]])
            texts[id(source)] = self._renderer.keyed_digest(content)
        return texts[id(source)]

    def _texts(self, wanted: dict[str, tuple[RenderRequest, _Source]]) -> dict[str, Rendered]:
        found: dict[str, Rendered] = {}
        for digest, (request, source) in wanted.items():
            if isinstance(source, tuple):
                parsed = [self._parsed(text.text, request, text.source) for text in source]
                found[digest] = _joined(parsed)
        return found

    def _charts(self, wanted: dict[str, tuple[RenderRequest, _Source]]) -> dict[str, Rendered]:
        charts = {
            digest: (request, source) for digest, (request, source) in wanted.items() if isinstance(source, ChartSource)
        }
        found = self._remembered(charts)
        missing = {digest: both for digest, both in charts.items() if digest not in found}
        if not missing:
            return found
        helm = self._attempt(self._found_helm)
        if helm is None:
            return found
        running = {digest: self._start(helm, request, source) for digest, (request, source) in missing.items()}
        made: dict[str, Rendered] = {}
        for digest, runs in running.items():
            one = self._attempt(self._finished, missing[digest][0], runs)
            if one is not None:
                made[digest] = one
        if not self._failures and not len(self._problems):
            self._renderer.cache.put_many({digest: one.to_bytes() for digest, one in made.items()})
        return {**found, **made}

    def _remembered(self, charts: dict[str, tuple[RenderRequest, ChartSource]]) -> dict[str, Rendered]:
        if not charts:
            return {}
        found: dict[str, Rendered] = {}
        kept = self._renderer.cache.get_many(charts)
        for digest in charts:
            # What another version of this collection kept is rendered again.
            with suppress(KeyError, ValueError):
                found[digest] = Rendered.from_bytes(kept[digest])
        return found

    def _start(self, helm: Helm, request: RenderRequest, source: ChartSource) -> list[Future[str]]:
        """The rendering of new input, and a second one beside it where it may differ."""
        runs = 2 if request.may_vary(source) else 1
        return [self._pool.submit(helm.template, request, source.path) for _unused in range(runs)]

    def _finished(self, request: RenderRequest, runs: Sequence[Future[str]]) -> Rendered:
        texts = [run.result() for run in runs]
        first = self._parsed(texts[0], request, None)
        if texts[0] == texts[-1]:
            return first
        found = differences(first.objects, self._parsed(texts[-1], request, None).objects)
        if not found:
            return first
        if self._renderer.on_difference == "fail":
            raise NonDeterministicRender(request.app.name, found)
        warning = f"{non_deterministic(request.app.name, found)}; the values of this first rendering are kept"
        return replace(first, warnings=(*first.warnings, warning))

    def _parsed(self, text: str, request: RenderRequest, source: str | None) -> Rendered:
        parsed = parse_objects(text, app=request.app.name, source=source, problems=self._problems)
        return Rendered(in_install_order(parsed.objects, lambda one: one.kind), parsed.warnings)

    def _attempt(self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T | None:
        try:
            return work(*arguments, **options)
        except EdgeError as failure:
            self._failures.append(failure)
        except OSError as failure:  # a full disk, a program of another machine, a folder that is not ours
            where = f" ({failure.filename})" if failure.filename else ""
            self._failures.append(EdgeError("RenderFailed", f"cannot render: {failure.strerror or failure}{where}"))
        return None

    def _raise_failures(self) -> None:
        failures = list({failure.message: failure for failure in self._failures}.values())
        problems = list(dict.fromkeys(self._problems))
        if failures and not problems and len(failures) == 1:
            raise failures[0]
        if failures:
            raise _together(failures, problems)
        if problems:
            raise InvalidInput(problems, of="the rendered objects")


def _source_key(request: RenderRequest) -> tuple[Any, ...]:
    """What makes two requests read the same source."""
    app = request.app
    return (
        request.base_dir,
        app.name,
        app.chart,
        app.repository,
        app.version,
        app.digest,
        app.manifests,
        app.kustomize,
    )


def _joined(parts: Sequence[Rendered]) -> Rendered:
    objects = in_install_order((one for part in parts for one in part.objects), lambda one: one.kind)
    return Rendered(objects, tuple(text for part in parts for text in part.warnings))


def _together(failures: Sequence[EdgeError], problems: Sequence[Problem]) -> EdgeError:
    lines = [str(one) for one in (*failures, *problems)]
    reasons = {failure.reason for failure in failures}
    return EdgeError(
        reasons.pop() if len(reasons) == 1 else "RenderFailed",
        f"{len(lines)} problems in what is to be rendered" + "".join(f"\n  - {line}" for line in lines),
        details={"problems": [{"path": "", "message": line} for line in lines]},
    )
