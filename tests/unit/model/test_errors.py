# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an error reads."""

from __future__ import annotations

import pickle

import pytest

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import ClusterError
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, InvalidInput, Problem


@pytest.mark.parametrize(
    ("message", "hint", "reads"),
    [
        ("read the version on lab+edge-1: Unauthorized", "Register it again.", "Unauthorized. Register it again."),
        ("there is no app 'a'.", "did you mean b?", "there is no app 'a'. Did you mean b?"),
        ("it exists.", "adopt: true takes it over.", "it exists. adopt: true takes it over."),
        ("it exists", "", "it exists"),
    ],
)
def test_message_and_hint_read_as_sentences(message: str, hint: str, reads: str) -> None:
    assert str(EdgeError("Some", message, hint=hint)).endswith(reads)


def test_errors_of_every_kind_travel_between_processes() -> None:
    kinds = [
        EdgeError("A", "words", hint="do", details={"x": 1}),
        ClusterError("B", "words", status=409, details={"cluster": "lab+a"}),
        InvalidInput([Problem("a.b", "is wrong")], of="the options"),
    ]
    for error in kinds:
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error) and str(copy) == str(error) and copy.args == error.args
        assert copy.__dict__ == error.__dict__
