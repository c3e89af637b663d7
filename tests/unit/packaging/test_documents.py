# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents refer to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.checkout import ROOT

DOCUMENTS = [
    path
    for place in ("README.md", "AGENTS.md", "docs", "examples", "roles")
    for path in ([ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*.md")))
]
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
WRITTEN_BY_A_TOOL = {"docs/benchmarks.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    inside = [link for link in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in link]
    lost = [link for link in inside if not _leads_somewhere(document, link)]
    assert not lost, f"{document.relative_to(ROOT)}: {lost}"


def _leads_somewhere(document: Path, link: str) -> bool:
    place, _unused, heading = link.partition("#")
    target = (document.parent / place).resolve() if place else document
    if str(target.relative_to(ROOT)) in WRITTEN_BY_A_TOOL:
        return True
    return target.exists() and (not heading or heading in _anchors(target))


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_test_that_proves_a_difference_exists() -> None:
    text = (ROOT / "docs" / "differences-from-emco.md").read_text(encoding="utf-8")
    proofs = re.findall(r"`((?:unit|integration)/[^`]+)`", text)
    assert len(proofs) > 30
    lost = [proof for proof in proofs if not _is_a_test(proof)]
    assert not lost


def _is_a_test(proof: str) -> bool:
    file, _unused, name = proof.partition("::")
    path = ROOT / "tests" / file
    return path.is_file() and (not name or f"def {name}(" in path.read_text(encoding="utf-8"))


def test_every_module_and_playbook_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [path.stem for path in (*(ROOT / "plugins/modules").glob("*.py"), *(ROOT / "playbooks").glob("*.yml"))]
    assert [name for name in named if f"`emco.edge.{name}`" not in text] == []
