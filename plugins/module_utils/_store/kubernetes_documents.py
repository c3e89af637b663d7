# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: documents of any size in the Secrets of one namespace, with compare-and-swap.

A document is one Secret; content that is too long for it lies in part Secrets of its own, written before the document
names them and removed after it no longer does. Parts have a new name each time, so that nobody's parts are ever reused
by somebody else. What a killed writer leaves behind, ``remove_orphans`` takes away.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._kube.client import ClusterClient
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.kinds import Resource

SECRET = Resource("v1", "Secret", "secrets", True)
TYPE = "emco.edge/v1"
STORE_LABEL = "emco.edge/store"
_PART_OF = "emco.edge/part-of"
_PARTS = "emco.edge/parts"
_WRITTEN = "emco.edge/written"
MANAGED_BY = {"app.kubernetes.io/managed-by": "emco-edge"}

# An API server takes 1 MiB of Secret data; the rest is for names, labels and annotations.
PART_BYTES = 900_000
_TRIES = 8


class Changed(Exception):  # noqa: N818  # no error: the caller looks again
    """The document is not, or no longer, what it was taken for."""


@dataclass(frozen=True)
class Document:
    """A document as it was read; ``content`` is None when only its head was."""

    name: str
    version: int
    annotations: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)
    parts: tuple[str, ...] = ()


class Documents:
    """The documents of one namespace."""

    def __init__(self, client: ClusterClient, namespace: str, where: str) -> None:
        self._client = client
        self._namespace = namespace
        self._where = where

    def get(self, name: str) -> Document | None:
        """The document with its content, None when there is none."""
        for _try in range(_TRIES):
            with self.in_our_words():
                secret = self._client.get(SECRET, self._namespace, name)
            if secret is None:
                return None
            try:
                return self._with_content(secret)
            except Changed:
                continue
        raise EdgeError(
            "StoreCorrupt",
            f"Parts of {name} are missing from the store ({self._where}).",
            hint="Somebody removed Secrets of the store: restore a backup.",
        )

    def read_all(self, labels: Mapping[str, str]) -> Iterator[Document]:
        """All documents with these labels, with their content."""
        for secret in self._secrets(labels, metadata_only=False):
            try:
                yield self._with_content(secret)
            except Changed:
                # Replaced while the list was read: as it is now, if it still is.
                found = self.get(str(secret["metadata"]["name"]))
                if found is not None:
                    yield found

    def heads(self, labels: Mapping[str, str]) -> Iterator[Document]:
        """All documents with these labels, without content."""
        return (_document(secret, None) for secret in self._secrets(labels, metadata_only=True))

    def create(
        self, name: str, labels: Mapping[str, str], annotations: Mapping[str, str], content: bytes, *, now: float
    ) -> Document:
        """A new document; raises Changed when there is one of this name."""
        return self._written(name, labels, annotations, content, now, None)

    def replace(
        self,
        before: Document,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        content: bytes,
        *,
        now: float,
    ) -> Document:
        """Another content for the document; raises Changed when it is no longer what it was."""
        after = self._written(before.name, labels, annotations, content, now, before.version)
        self._remove_parts(before.parts)
        return after

    def annotate(self, before: Document, annotations: Mapping[str, str]) -> None:
        """Change annotations alone; raises Changed when the document is no longer what it was."""
        change = {"metadata": {"resourceVersion": str(before.version), "annotations": dict(annotations)}}
        with _noticing_change(), self.in_our_words():
            self._client.merge(SECRET, self._namespace, before.name, change)

    def delete(self, before: Document) -> None:
        """Remove the document; raises Changed when it is no longer what it was."""
        with _noticing_change(), self.in_our_words():
            if not self._client.delete(SECRET, self._namespace, before.name, resource_version=str(before.version)):
                raise Changed
        self._remove_parts(before.parts)

    def remove_orphans(self, before: float) -> None:
        """Remove the parts that were written before this time and that no document names."""
        parts = [
            part
            for part in self._secrets({STORE_LABEL: "part"}, metadata_only=True)
            if float((part["metadata"].get("annotations") or {}).get(_WRITTEN, "inf")) <= before
        ]
        owners = {str(part["metadata"]["labels"].get(_PART_OF)) for part in parts}
        named: set[str] = set()
        for owner in owners:
            with self.in_our_words():
                secret = self._client.get(SECRET, self._namespace, owner)
            named.update(_document(secret, None).parts if secret else ())
        self._remove_parts(tuple(name for part in parts if (name := str(part["metadata"]["name"])) not in named))

    @contextmanager
    def in_our_words(self) -> Iterator[None]:
        """Turn what the API server refuses into errors of the store."""
        try:
            yield
        except ClusterError as error:
            if error.reason in _MEANINGFUL:
                raise
            reason, hint = _TRANSLATED.get(error.reason, (error.reason, error.hint))
            raise EdgeError(
                reason, f"The store ({self._where}) cannot be used: {error.message}", hint=hint, details=error.details
            ) from error

    def _secrets(self, labels: Mapping[str, str], *, metadata_only: bool) -> list[dict[str, Any]]:
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        for last in (False, True):
            try:
                with self.in_our_words():
                    return list(
                        self._client.list(SECRET, self._namespace, labels=selector, metadata_only=metadata_only)
                    )
            except EdgeError as error:
                # A list of many pages that took longer than the server keeps its state.
                if error.reason != "Expired" or last:
                    raise
        raise AssertionError("the last try returns or raises")

    def _with_content(self, secret: Mapping[str, Any]) -> Document:
        head = _document(secret, None)
        if not head.parts:
            return _document(secret, _content(secret))
        pieces = []
        for name in head.parts:
            with self.in_our_words():
                part = self._client.get(SECRET, self._namespace, name)
            if part is None:
                raise Changed
            pieces.append(_content(part))
        return _document(secret, b"".join(pieces))

    def _written(
        self,
        name: str,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        content: bytes,
        now: float,
        version: int | None,
    ) -> Document:
        parts = self._write_parts(name, content, now) if len(content) > PART_BYTES else ()
        notes = {**annotations, _PARTS: json.dumps(parts)} if parts else annotations
        secret = _secret(name, labels, notes, b"" if parts else content)
        try:
            if version is None:
                with _noticing_change(), self.creating():
                    made = self._client.create(SECRET, self._namespace, secret)
            else:
                secret["metadata"]["resourceVersion"] = str(version)
                with _noticing_change(), self.in_our_words():
                    made = self._client.replace(SECRET, self._namespace, secret)
        except Changed:
            self._remove_parts(parts)
            raise
        return Document(name, int(made["metadata"]["resourceVersion"]), notes, content, parts)

    @contextmanager
    def creating(self) -> Iterator[None]:
        """Creating something is refused when the namespace is not there."""
        try:
            with self.in_our_words():
                yield
        except ClusterError as error:
            if error.reason not in ("NotFound", "NamespaceMissing"):
                raise
            raise EdgeError(
                "StoreUnwritable",
                f"The store ({self._where}) cannot be used: {error.message}",
                hint=f"Create the namespace: kubectl create namespace {self._namespace}.",
                details=error.details,
            ) from error

    def _write_parts(self, name: str, content: bytes, now: float) -> tuple[str, ...]:
        token = secrets.token_hex(5)
        labels = {**MANAGED_BY, STORE_LABEL: "part", _PART_OF: name}
        names = []
        for number, start in enumerate(range(0, len(content), PART_BYTES)):
            part = f"{name}.{token}.{number}"
            piece = _secret(part, labels, {_WRITTEN: repr(now)}, content[start : start + PART_BYTES])
            with self.creating():
                self._client.create(SECRET, self._namespace, piece)
            names.append(part)
        return tuple(names)

    def _remove_parts(self, names: tuple[str, ...]) -> None:
        for name in names:
            with self.in_our_words():
                self._client.delete(SECRET, self._namespace, name)


_ROLE = "Bind the Role that examples/store-kubernetes-role.yaml shows to the account that the store is reached with."
# What the methods here look at themselves.
_MEANINGFUL = ("AlreadyExists", "Conflict", "NotFound", "NamespaceMissing")
_TRANSLATED = {
    "ClusterUnreachable": ("StoreUnreachable", "Check that the hub cluster is up and that this machine reaches it."),
    "Forbidden": ("StoreForbidden", _ROLE),
    "QuotaExceeded": ("StoreUnwritable", "Raise the quota of Secrets in the store's namespace."),
    "NamespaceTerminating": ("StoreUnwritable", "The store's namespace is being deleted: restore a backup elsewhere."),
}


@contextmanager
def _noticing_change() -> Iterator[None]:
    try:
        yield
    except ClusterError as error:
        if error.reason in ("AlreadyExists", "Conflict", "NotFound"):
            raise Changed from error
        raise


def _secret(name: str, labels: Mapping[str, str], annotations: Mapping[str, str], content: bytes) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": TYPE,
        "metadata": {"name": name, "labels": dict(labels), "annotations": dict(annotations)},
        "data": {"content": base64.b64encode(content).decode()} if content else {},
    }


def _document(secret: Mapping[str, Any], content: bytes | None) -> Document:
    metadata = secret["metadata"]
    annotations = metadata.get("annotations") or {}
    parts = tuple(json.loads(annotations.get(_PARTS, "[]")))
    return Document(str(metadata["name"]), int(metadata["resourceVersion"]), annotations, content, parts)


def _content(secret: Mapping[str, Any]) -> bytes:
    return base64.b64decode((secret.get("data") or {}).get("content", ""))
