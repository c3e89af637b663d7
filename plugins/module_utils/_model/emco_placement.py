# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's intent JSON (``allOf``, ``anyOf``) rewritten in the surface's form.

The messages are EMCO's own (gpic and the app-intent handler of EMCO 22.09), because users search for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems, near
from ansible_collections.emco.edge.plugins.module_utils._model.options import join

_LEAF_KEYS = ("clusterProvider", "cluster", "clusterLabel")


def is_emco_form(raw: Any) -> bool:
    """Whether an intent is written as EMCO's API takes it."""
    return isinstance(raw, Mapping) and any(key in raw for key in ("allOf", "anyOf", "clusterProvider", "clusterLabel"))


def app_intent(raw: Any, path: str, problems: Problems) -> tuple[str, str, dict[str, Any]] | None:
    """Name, app and intent (in the surface's form) of an EMCO app-intent ``{metadata, spec: {app, intent}}``."""
    if not isinstance(raw, Mapping) or not raw:
        problems.add(path, "Empty body")
        return None
    before = len(problems)
    name = _mapping(raw.get("metadata")).get("name")
    spec = _mapping(raw.get("spec"))
    app = spec.get("app")
    if not name:
        problems.add(join(path, "metadata.name"), "Missing name for the intent")
    if not app:
        problems.add(join(path, "spec.app"), "Missing app for the intent")
    intent = native_intent(spec.get("intent") or {}, join(path, "spec.intent"), problems)
    if intent is None or len(problems) > before:
        return None
    return str(name), str(app), intent


def native_intent(raw: Any, path: str, problems: Problems) -> dict[str, Any] | None:
    """``{allOf, anyOf}`` as ``{all_of, any_of}``; None when it is wrong, with all of it in ``problems``."""
    if not isinstance(raw, Mapping):
        problems.add(path, "must be a dictionary with allOf and anyOf")
        return None
    before = len(problems)
    for key in raw:
        if key not in ("allOf", "anyOf"):
            problems.add(join(path, str(key)), "is not part of an EMCO intent", near(str(key), ("allOf", "anyOf")))
    all_of = []
    for index, item in enumerate(_list(raw, "allOf", path, problems)):
        where = join(path, f"allOf[{index}]")
        item = _mapping(item)
        branch: dict[str, Any] = {}
        if "anyOf" not in item or any(key in item for key in _LEAF_KEYS):
            branch.update(_leaf(item, where, problems))
        if "anyOf" in item:
            branch["any_of"] = _leaves(item, where, problems)
        all_of.append(branch)
    any_of = _leaves(raw, path, problems)
    if not all_of and not any_of and len(problems) == before:
        problems.add(path, "No compatible clusters have been provided to the Deployment Intent Group")
    return {"all_of": all_of, "any_of": any_of} if len(problems) == before else None


def _leaves(raw: Mapping[str, Any], path: str, problems: Problems) -> list[dict[str, str]]:
    items = _list(raw, "anyOf", path, problems)
    return [_leaf(_mapping(item), join(path, f"anyOf[{index}]"), problems) for index, item in enumerate(items)]


def _leaf(item: Mapping[str, Any], path: str, problems: Problems) -> dict[str, str]:
    provider, cluster, label = (item.get(key) for key in _LEAF_KEYS)
    if not provider:
        problems.add(path, "Missing clusterProvider in an intent")
    elif not cluster and not label:
        problems.add(path, "Missing cluster or clusterLabel")
    elif cluster and label:
        problems.add(path, "Only one of cluster name or cluster label allowed")
    elif cluster:
        return {"cluster": f"{provider}+{cluster}"}
    else:
        return {"label": str(label), "provider": str(provider)}
    return {}


def _list(raw: Mapping[str, Any], key: str, path: str, problems: Problems) -> list[Any]:
    value = raw.get(key) or []
    if isinstance(value, (list, tuple)):
        return list(value)
    problems.add(join(path, key), "must be a list")
    return []


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}
