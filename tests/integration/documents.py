# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples in Markdown files and in modules: what of them can be executed.

An HTML comment before a fenced block says what it is: ``<!-- file: NAME -->`` a file, ``<!-- run -->`` commands that
succeed, ``<!-- run: fails -->`` commands that fail, in a folder that holds the files and ``inventories/lab/hosts.yml``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_BLOCK = re.compile(r"<!-- (file|run)(?:: ([^\n]+?))? -->\n```[a-z]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class File:
    """A block that is a file."""

    name: str
    content: str


@dataclass(frozen=True)
class Command:
    """One line of a block of commands."""

    words: tuple[str, ...]
    fails: bool = False


def steps(document: Path) -> Iterator[File | Command]:
    """Files and commands of a document in their order."""
    for kind, what, content in _BLOCK.findall(document.read_text(encoding="utf-8")):
        if kind == "file":
            yield File(what, content)
            continue
        for line in content.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield Command(tuple(words), fails=what == "fails")


def examples(module: Path) -> list[dict[str, Any]]:
    """The tasks and plays of a module's EXAMPLES."""
    text = re.search(r'^EXAMPLES = r"""\n(.*?)^"""', module.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert text is not None, f"{module} has no EXAMPLES"
    # Nobody waits for the real soak of a rollout here.
    return list(yaml.safe_load(text[1].replace("soak: 10m", "soak: 1s")))
