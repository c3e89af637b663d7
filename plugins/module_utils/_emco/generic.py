# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: EMCO's generic Kubernetes intents (gac) as customizations of a deployment."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Catalogue, EmcoObject, File
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import load

Content = Callable[[File], bytes]
Fetch = Callable[[str], Any]
"""The member ``value`` of the JSON at an address; ValueError with the reason when it cannot be had."""

_EXTERNAL = re.compile(r"\$\((.+)\)\$")
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_WITH_DATA = ("ConfigMap", "Secret")


def customizations(
    catalogue: Catalogue,
    group: EmcoObject,
    intents: Iterable[str],
    clusters: Sequence[str],
    content: Content,
    fetch: Fetch | None,
    problems: Problems,
) -> list[dict[str, Any]]:
    """The entries of the option ``customizations`` that the named intents of a group mean.

    ``clusters``: those of the logical cloud, for values that are fetched for each cluster.
    """
    wanted, found = set(intents), []
    for intent in catalogue.children(group.path, "GenericK8sIntent"):
        for one in catalogue.children(intent.path, "GenericResource") if intent.name in wanted else ():
            reader = _Resource(catalogue, one, clusters, content, fetch, problems)
            found.append(reader.customization())
    return found


class _Resource:
    """Reads one resource of an intent with its customizations."""

    def __init__(
        self,
        catalogue: Catalogue,
        one: EmcoObject,
        clusters: Sequence[str],
        content: Content,
        fetch: Fetch | None,
        problems: Problems,
    ) -> None:
        self._catalogue = catalogue
        self._one = one
        self._clusters = clusters
        self._content = content
        self._fetch = fetch
        self._problems = problems
        self._kind = str(one.spec["resourceGVK"]["kind"])
        self._new = one.spec["newObject"] == "true"

    def customization(self) -> dict[str, Any]:
        one, gvk = self._one, self._one.spec["resourceGVK"]
        found: dict[str, Any] = {
            "app": str(one.spec["app"]),
            "api_version": str(gvk["apiVersion"]),
            "kind": self._kind,
            "name": str(gvk["name"]),
            "create": self._new,
        }
        if self._new and one.files:
            template = self._document(one, one.files[0])
            if template:
                found["template"] = template
        changes = [
            change for each in self._catalogue.children(one.path, "Customization") for change in self._changes(each)
        ]
        return {**found, "changes": changes} if changes else found

    def _changes(self, one: EmcoObject) -> list[dict[str, Any]]:
        spec = one.spec
        where = _clusters(spec)
        kind = spec.get("patchType") or ""
        change: dict[str, Any] = {}
        merged, data = self._files(one, kind)
        change.update(data)
        if merged:
            change["merge"] = merged
        if kind == "json":
            return [{**where, **change, **on, "patch": patch} for on, patch in self._patches(one, where)]
        if not self._new and not merged:
            self._say(one, "spec.patchType", "must be json or merge for an object that the app renders")
        return [{**where, **change}]

    def _files(self, one: EmcoObject, kind: str) -> tuple[list[Any], dict[str, dict[str, str]]]:
        """The merge patches among the files, and the others as data by their keys."""
        options = {
            str(each["fileName"]): each
            for key in ("configMapOptions", "secretOptions")
            for each in (one.spec.get(key) or {}).get("dataKeyOptions") or ()
        }
        merged, text, binary = [], {}, {}
        for file in one.files:
            name = posixpath.basename(file.path)
            option = options.get(name, {})
            if self._kind not in _WITH_DATA or option.get("mergePatch") == "true":
                patch = self._document(one, file)
                if patch:
                    merged.append(patch)
                continue
            if kind == "merge" and not self._new and name not in options:
                patch = self._document(one, file)
                if patch:
                    merged.append(patch)
                continue
            key = str(option.get("keyName") or name)
            if not _KEY.fullmatch(key) or key in text or key in binary:
                self._say(one, "files", f"{key!r} is not a key of a {self._kind}, or is there twice")
            content = self._content(file)
            try:
                text[key] = content.decode("utf-8")
            except UnicodeDecodeError:
                binary[key] = base64.b64encode(content).decode()
        return merged, {name: data for name, data in (("data", text), ("binary_data", binary)) if data}

    def _patches(
        self, one: EmcoObject, where: Mapping[str, Any]
    ) -> Iterable[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """The JSON patch; one for each cluster where a value is fetched for the cluster."""
        patch = [dict(each) for each in one.spec.get("patchJson") or ()]
        addresses = [_address(each.get("value")) for each in patch]
        if not any("{cluster" in (address or "") for address in addresses):
            yield (
                {},
                [self._with_value(one, each, address, "", "") for each, address in zip(patch, addresses, strict=True)],
            )
            return
        for ref in self._clusters:
            provider, _plus, cluster = ref.partition("+")
            if where.get("cluster") in (None, ref):
                filled = [
                    self._with_value(one, each, address, provider, cluster)
                    for each, address in zip(patch, addresses, strict=True)
                ]
                yield {"cluster": ref}, filled
        if "label" in where or where.get("all_but"):
            self._say(one, "spec.patchJson", "values for each cluster need scope name, mode allow, or no scope")

    def _with_value(
        self, one: EmcoObject, each: dict[str, Any], address: str | None, provider: str, cluster: str
    ) -> dict[str, Any]:
        if address is None:
            return each
        address = address.replace("{clusterProvider}", provider).replace("{cluster}", cluster)
        if self._fetch is None:
            self._say(
                one, "spec.patchJson", f"the value at {address} is not fetched", "external_values: true allows it"
            )
        elif not address.startswith("https://"):
            self._say(one, "spec.patchJson", f"the value at {address} is not fetched: only https is")
        else:
            try:
                return {**each, "value": self._fetch(address)}
            except ValueError as wrong:
                self._say(one, "spec.patchJson", f"the value at {address} cannot be had: {wrong}")
        return {**each, "value": None}

    def _document(self, one: EmcoObject, file: File) -> dict[str, Any]:
        try:
            found = load(self._content(file).decode("utf-8"))
        except ValueError as wrong:
            self._say(one, "files", f"{file.path} is not YAML: {wrong}")
            return {}
        if not isinstance(found, Mapping):
            self._say(one, "files", f"{file.path} holds no object")
            return {}
        return dict(found)

    def _say(self, one: EmcoObject, path: str, message: str, hint: str = "") -> None:
        self._problems.add(f"{'/'.join(one.path)}: {path}", message, hint)


def _clusters(spec: Mapping[str, Any]) -> dict[str, Any]:
    """For which clusters a customization is. EMCO documents ``deny`` as all but these, and does nothing for it."""
    if spec.get("clusterSpecific") != "true":
        return {}
    info = spec["clusterInfo"]
    found: dict[str, Any] = {"all_but": True} if info.get("mode") == "deny" else {}
    if info.get("scope") == "name":
        return {**found, "cluster": f"{info['clusterProvider']}+{info['cluster']}"}
    return {**found, "label": str(info["clusterLabel"]), "provider": str(info["clusterProvider"])}


def _address(value: Any) -> str | None:
    """The address of a value that stands elsewhere."""
    match = _EXTERNAL.fullmatch(value.strip()) if isinstance(value, str) else None
    return match.group(1) if match else None
