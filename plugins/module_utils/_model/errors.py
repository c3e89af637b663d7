# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the one family of errors, and the list of problems of an input."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class EdgeError(Exception):
    """What a user is told when something does not work.

    ``reason`` is a stable CamelCase code that playbooks can match, ``message`` says what was attempted, where, and
    what was answered, ``hint`` what to do about it. ``details`` holds plain data for the result, never a secret.
    """

    def __init__(self, reason: str, message: str, *, hint: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors travel between processes; their kinds are made in different ways.
        return _remade, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        if not self.hint:
            return self.message
        # What a server says, or near() found, comes as half a sentence; option names keep their case.
        stop = "" if self.message.endswith((".", "!", "?", ":", "\n")) else "."
        hint = self.hint[0].upper() + self.hint[1:] if self.hint.startswith(("did you", "it has")) else self.hint
        return f"{self.message}{stop} {hint}"


def _remade(kind: type[EdgeError], arguments: tuple[Any, ...], state: dict[str, Any]) -> EdgeError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where (``apps[1].placement.any_of[0].label``), what, and the way out."""

    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def as_result(self) -> dict[str, str]:
        """The problem as it stands in a result."""
        found = {"path": self.path, "message": self.message, "hint": self.hint}
        return {key: value for key, value in found.items() if value}


class InvalidInput(EdgeError):  # noqa: N818  # the name is the reason code
    """All problems of an input at once; nothing has been changed anywhere."""

    def __init__(self, problems: Iterable[Problem], *, of: str = "the input") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lead = f"{count} problems in {of}" if count != 1 else f"1 problem in {of}"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(
            "InvalidInput", lead + lines, details={"problems": [problem.as_result() for problem in self.problems]}
        )


class Problems:
    """Collects problems on the way through an input, so that they are reported together."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, path: str, message: str, hint: str = "") -> None:
        """Note a problem and go on."""
        self._found.append(Problem(path, message, hint))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several problems."""
        self._found.extend(problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self, of: str = "the input") -> None:
        """Raise InvalidInput with everything found so far."""
        if self._found:
            raise InvalidInput(self._found, of=of)


def near(name: str, known: Iterable[str]) -> str:
    """A hint that names what was probably meant, or the empty string."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else ""
