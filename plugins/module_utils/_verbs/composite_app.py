# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``composite_app``: define a version of what is shipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._model.composite_app import App, CompositeApp
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._store.contract import Store
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.intents import (
    APP_OPTIONS,
    composite_app_key,
    intent_digest,
    keep_intent,
    stored_intent,
)
from ansible_collections.emco.edge.plugins.module_utils._verbs.masking import masked
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class CompositeAppOptions(CompositeApp):
    """A composite app, and what is to become of it."""

    state: Literal["present", "absent"] = option(default="present")
    store: Any = option(type="raw")

    def problems(self, path: str) -> Iterator[Problem]:
        """The rules of a composite app; one that is to go needs no apps."""
        if self.state == "present":
            if not self.apps:
                yield Problem("apps", "is required", "a composite app has at least one app")
            yield from super().problems(path)


SPEC = Spec("composite_app", CompositeAppOptions, fleet=True)


def run(wanted: CompositeAppOptions, context: Context) -> Result:
    """Store the composite app, or remove it when nothing is deployed of it."""
    store, keys = context.store(wanted.store), context.keys()
    key = composite_app_key(wanted.project, wanted.name, wanted.version)
    before = stored_intent(store, keys, key)
    if wanted.state == "absent":
        return _removed(wanted, context, store, before is not None)
    _check_sources(wanted, context.base_dir)
    app = {name: value for name, value in context.arguments.items() if name in APP_OPTIONS and value is not None}
    document = {"app": app, "base_dir": context.base_dir}
    changed = before is None or before.digest != intent_digest(document, keys)
    if changed and not context.check:
        keep_intent(store, keys, key, document)
    result: Result = {
        "changed": changed,
        "composite_app": {
            "project": wanted.project,
            "name": wanted.name,
            "version": wanted.version,
            "apps": [one.name for one in wanted.apps],
            "profiles": [one.name for one in wanted.profiles],
        },
    }
    if context.diff:
        result["diff"] = {
            "before_header": "/".join(key[1:]),
            "after_header": "/".join(key[1:]),
            "before": masked(before.document["app"]) if before is not None else {},
            "after": masked(app),
        }
    return result


def _check_sources(wanted: CompositeApp, base_dir: str) -> None:
    problems = [problem for index, app in enumerate(wanted.apps) for problem in _missing(app, index, base_dir)]
    for number, profile in enumerate(wanted.profiles):
        for name, given in profile.apps.items():
            path = f"profiles[{number}].apps.{name}"
            files = [*given.values_files, *(file.src for file in given.files)]
            problems += [
                Problem(path, f"file {file} is not there", f"looked in {base_dir}")
                for file in files
                if not Path(base_dir, file).expanduser().is_file()
            ]
    if problems:
        raise InvalidInput(problems, of=f"composite app {wanted.project}/{wanted.name}/{wanted.version}")


def _missing(app: App, index: int, base_dir: str) -> Iterator[Problem]:
    sources = {"chart": [app.chart] if app.chart and not app.is_remote else [], "manifests": list(app.manifests)}
    sources["kustomize"] = [app.kustomize] if app.kustomize and "://" not in app.kustomize else []
    for option_name, given in sources.items():
        for source in given:
            if not Path(base_dir, source).expanduser().exists():
                yield Problem(f"apps[{index}].{option_name}", f"{source} is not there", f"looked in {base_dir}")


def _removed(wanted: CompositeApp, context: Context, store: Store, there: bool) -> Result:
    users = sorted(
        f"{entry.key[1]}/{entry.key[2]}"
        for entry in store.list(("revisions", wanted.project))
        if _runs(entry.value, wanted)
    )
    if users:
        raise EdgeError(
            "InUse",
            f"composite app {wanted.project}/{wanted.name}/{wanted.version} is deployed by {', '.join(set(users))}.",
            hint="Remove these deployments first (state: absent), or deploy another version there.",
            details={"deployments": sorted(set(users))},
        )
    if there and not context.check:
        store.delete(composite_app_key(wanted.project, wanted.name, wanted.version))
    return {"changed": there}


def _runs(revision: Mapping[str, Any], wanted: CompositeApp) -> bool:
    same = (revision["composite_app"], revision["version"]) == (wanted.name, wanted.version)
    return same and revision["state"] in ("Progressing", "Paused", "Stopped", "Current", "Failed", "Removing")
