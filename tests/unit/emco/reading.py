# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents as tests write them: short, as data, tried out in a database in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._emco.catalogue import Catalogue
from ansible_collections.emco.edge.plugins.module_utils._emco.documents import Document, Source, read_documents
from ansible_collections.emco.edge.plugins.module_utils._emco.world import World, backwards, forwards
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems

CA = "projects/p/composite-apps/ca/v1"
DIG = f"{CA}/deployment-intent-groups/g"
CLUSTER = "cluster-providers/aws/clusters/edge1"
GIT_OPS = {"gitOpsType": "fluxcd", "gitOpsReferenceObject": "git", "gitOpsResourceObject": "git"}


def document(anchor: str, name: str | None = None, spec: Any = None, **more: Any) -> dict[str, Any]:
    """A document."""
    found: dict[str, Any] = {"version": "emco/v2", "resourceContext": {"anchor": anchor}}
    if name is not None:
        found["metadata"] = {"name": name}
    if spec is not None:
        found["spec"] = spec
    return {**found, **more}


def stream(documents: list[dict[str, Any]]) -> str:
    """The documents as YAML text."""
    return "\n---\n".join(json.dumps(one, indent=1) for one in documents)


def read(documents: list[dict[str, Any]] | str, folder: str = "/nowhere") -> tuple[list[Document], list[Problem]]:
    """What reading them gives: the documents, and everything wrong with them."""
    problems = Problems()
    text = documents if isinstance(documents, str) else stream(documents)
    found = read_documents([Source(f"{folder}/shop.yaml", text, "shop.yaml")], folder, problems)
    return found, list(problems)


def messages(documents: list[dict[str, Any]]) -> list[str]:
    """What is wrong with documents, without where."""
    return [problem.message for problem in read(documents)[1]]


def digest(content: bytes) -> str:
    """Stands for content."""
    return hashlib.sha256(content).hexdigest()


def world(*documents: Mapping[str, Any]) -> World:
    """A database in which these documents were carried out; the test fails when they cannot be."""
    found = World(Catalogue(), digest)
    assert tried(found, list(map(dict, documents))) == []
    return found


def tried(in_world: World, documents: list[dict[str, Any]], *, undo: bool = False) -> list[str]:
    """What is refused when the documents are carried out."""
    found, problems = read(documents)
    assert problems == []
    refused = Problems()
    in_world.try_out(backwards(found) if undo else forwards(found), refused)
    return [problem.message for problem in refused]


def inventory() -> list[dict[str, Any]]:
    """A provider with a cluster reached through Git, so that no file is needed."""
    return [
        document("cluster-providers", "aws"),
        document("cluster-providers/aws/cluster-sync-objects", "git", {"kv": [{"userName": "canary"}]}),
        document("cluster-providers/aws/clusters", "edge1", {"gitOps": GIT_OPS}),
    ]


def project() -> list[dict[str, Any]]:
    """A project with a logical cloud of level 0, and a composite app with a profile and a group."""
    return [
        document("projects", "p"),
        document("projects/p/logical-clouds", "lc", {"level": "0"}),
        document("projects/p/composite-apps", "ca", {"compositeAppVersion": "v1"}),
        document(f"{CA}/composite-profiles", "cp"),
        document(
            f"{CA}/deployment-intent-groups", "g", {"compositeProfile": "cp", "version": "r1", "logicalCloud": "lc"}
        ),
        document(f"{DIG}/generic-placement-intents", "gp"),
    ]


def with_app(folder: Path, name: str = "a") -> dict[str, Any]:
    """An app whose package is there."""
    (folder / f"{name}.tgz").write_bytes(b"")
    return document(f"{CA}/apps", name, file=str(folder / f"{name}.tgz"))
