# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the verb ``document``: EMCO's own YAML, stored and carried out as emcoctl and EMCO would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal

from ansible_collections.emco.edge.plugins.module_utils._emco.world import Step, backwards, forwards
from ansible_collections.emco.edge.plugins.module_utils._model import quantities
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import option
from ansible_collections.emco.edge.plugins.module_utils._store.overlay import OverlayStore
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_database import load_world, save_world
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_enact import Enactor
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_outcome import Manner
from ansible_collections.emco.edge.plugins.module_utils._verbs.emco_sources import read_sources
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, Spec


@dataclass(frozen=True)
class DocumentOptions:
    """The options of ``document``."""

    src: tuple[str, ...] = option(required=True)
    values: tuple[str, ...] = option(default=())
    state: Literal["present", "absent"] = option(default="present")
    on_error: Literal["stop", "continue"] = option(default="stop")
    converge: bool = option(default=False)
    unsupported: Literal["fail", "warn"] = option(default="fail")
    keep_credentials: Literal["reference", "encrypted", "service_account"] = option(default="reference", no_log=False)
    wait: bool = option(default=True)
    wait_timeout: float = option(default=600.0, parse=quantities.seconds, type="str", spec_default="10m")
    parallel: int = option(default=50)
    conflicts: Literal["fail", "force"] = option(default="fail")
    adopt: bool = option(default=False)
    external_values: bool = option(default=False)
    lock_wait: float = option(default=0.0, parse=quantities.seconds, type="str", spec_default="0s")
    store: Any = option(type="raw")


SPEC = Spec("document", DocumentOptions, fleet=True)


def run(wanted: DocumentOptions, context: Context) -> Result:
    """Read everything, try it out in memory, and then do it step by step."""
    store = context.store(wanted.store)
    lease = nullcontext() if context.check else store.lease("emco documents", context.owner, wait=wanted.lock_wait)
    with lease:
        documents = read_sources(wanted.src, wanted.values, context)
        steps = forwards(documents) if wanted.state == "present" else backwards(documents)
        keys = context.keys()
        if context.check:
            # Later steps see what earlier ones would have stored.
            context = replace(context, _store=OverlayStore(store), _keys=keys)
        world = load_world(context.store(), keys)
        world.converge = wanted.converge
        problems = Problems()
        world.copy().try_out(steps, problems)
        problems.raise_if_any("the documents")
        manner = Manner(
            keep_credentials=wanted.keep_credentials,
            unsupported=wanted.unsupported,
            wait=wanted.wait,
            wait_timeout=wanted.wait_timeout,
            parallel=wanted.parallel,
            conflicts=wanted.conflicts,
            adopt=wanted.adopt,
            external_values=wanted.external_values,
        )
        return _Run(Enactor(world, manner, context), wanted, context).all(steps)


class _Run:
    """Goes through the steps and notes what came of each."""

    def __init__(self, enactor: Enactor, wanted: DocumentOptions, context: Context) -> None:
        self._enactor = enactor
        self._wanted = wanted
        self._context = context
        self._told: list[dict[str, Any]] = []
        self._failures: list[str] = []

    def all(self, steps: Iterable[Step]) -> Result:
        for step in steps:
            if self._context.stopping.is_set():
                self._failures.append("The run was interrupted; what is done is stored. Run it again to go on.")
            if self._failures and (self._wanted.on_error == "stop" or self._context.stopping.is_set()):
                break
            self._one(step)
        self._registered(self._enactor.register_clusters())
        self._save()
        changed = any(told["changed"] for told in self._told)
        result: Result = {
            "changed": changed,
            "documents": self._told,
            "summary": dict(Counter(str(told["state"]) for told in self._told)),
        }
        if self._enactor.warnings:
            result["warnings"] = self._enactor.warnings
        if self._failures:
            result.update(failed=True, reason="DocumentFailed", msg="; ".join(self._failures))
        return result

    def _one(self, step: Step) -> None:
        place = step.document.place
        told: dict[str, Any] = {
            "anchor": step.what,
            "kind": step.document.object.kind if step.document.object is not None else step.do,
            "file": place.file,
            "line": place.line,
            "changed": False,
        }
        self._told.append(told)
        if step.do not in ("put", "delete"):
            # What comes next needs the clusters that were described so far.
            self._registered(self._enactor.register_clusters())
            if self._failures and self._wanted.on_error == "stop":
                told.update(state="skipped", message="a cluster could not be registered")
                return
            self._context.say(f"{step.do} {'/'.join(step.path)}")
        try:
            outcome = self._enactor.enact(step, told)
            told.update(state=outcome.state, changed=outcome.changed)
            if outcome.message:
                told["message"] = outcome.message
        except EdgeError as error:
            if self._rests_on_what_is_only_checked():
                words = f"cannot be verified before what it rests on is there: {error.message}"
                told.update(state="done", changed=True, message=words)
                return
            told.update(state="failed", message=str(error), reason=error.reason)
            self._failures.append(f"{step.what}: {error}")
        if step.do not in ("put", "delete"):
            self._save()

    def _rests_on_what_is_only_checked(self) -> bool:
        """Whether, in check mode, logical clouds or networks would have been made that are not there now."""
        made = ("instantiate", "update", "apply")
        earlier = self._told[:-1]
        return self._context.check and any(one["kind"] in made and one["changed"] for one in earlier)

    def _registered(self, failures: Iterable[str]) -> None:
        self._failures += failures

    def _save(self) -> None:
        if not self._context.check:
            save_world(self._enactor.world, self._context.store(), self._context.keys())
