# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go templates in documents: what helm makes of them, and what is missing is told with its line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from ansible_collections.emco.edge.plugins.module_utils._emco.templates import evaluated_texts
from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem, Problems
from ansible_collections.emco.edge.plugins.module_utils._render.go_templates import evaluated
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.programs import HelmMissing, find_helm

VALUES: dict[str, Any] = {
    "Name": "shop",
    "App": {"Port": 30888, "Empty": ""},
    "Clusters": [{"Name": "a"}, {"Name": "b", "Label": "north"}],
    "On": True,
    "Count": 12345678,
    "Share": 0.5,
    "Nested": [[1, 2], [3]],
}


@pytest.fixture(scope="module")
def helm() -> Iterator[Helm]:
    try:
        program = find_helm(os.environ)
    except HelmMissing as missing:
        pytest.skip(f"templates are evaluated by helm: {missing}")
    with Helm(program, os.environ, timeout=60.0) as found:
        yield found


def made(helm: Helm, **texts: str) -> tuple[dict[str, str], list[Problem]]:
    problems = Problems()
    done = evaluated_texts(texts, VALUES, lambda some_texts, values: evaluated(helm, some_texts, values), problems)
    return done, list(problems)


GOOD = {
    "a field": ("name: {{ .Name }}", "name: shop"),
    "a field in a field": ("{{ .App.Port }}", "30888"),
    "an empty text": ("[{{ .App.Empty }}]", "[]"),
    "a large number": ("{{ .Count }}", "12345678"),
    "a share": ("{{ .Share }}", "0.5"),
    "a number compared": ("{{ if eq .App.Port 30888 }}same{{ end }}", "same"),
    "numbers in lists": ('{{ range .Nested }}{{ range . }}{{ printf "%02d" . }}{{ end }}{{ end }}', "010203"),
    "index": ('{{ index .Clusters 1 "Label" }}', "north"),
    "range": ("{{ range .Clusters }}{{ .Name }};{{ end }}", "a;b;"),
    "range with variables": (
        "{{ range $i, $c := .Clusters }}{{ $i }}{{ $c.Name }}{{ $.Name }};{{ end }}",
        "0ashop;1bshop;",
    ),
    "if and else": ("{{ if .Gone }}x{{ else if .On }}y{{ else }}z{{ end }}", "y"),
    "a field behind its own question": ("{{ if .Gone }}{{ .Gone.Deeper }}{{ end }}.", "."),
    "comparison": ('{{ if and .On (ne .Name "x") }}yes{{ end }}', "yes"),
    "with": ("{{ with .App }}{{ .Port }}{{ end }}", "30888"),
    "a variable": ("{{ $port := .App.Port }}{{ $port }}", "30888"),
    "a variable set again": ("{{ $x := 1 }}{{ range .Clusters }}{{ $x = .Name }}{{ end }}{{ $x }}", "b"),
    "a pipeline": ('{{ .Name | printf "%s-%s" "my" }}', "my-shop"),
    "a comment": ("{{/* not {{ a }} field */}}x", "x"),
    "trimming": ("a   {{- .Name -}}   b", "ashopb"),
    "trimming of what is missing nothing": ("a\n{{- if .On }}\nb\n{{- end }}\n", "a\nb\n"),
    "braces in text": ('{{ "}}" }}', "}}"),
    "a template of its own": ('{{ define "n" }}<{{ .Name }}>{{ end }}{{ template "n" . }}', "<shop>"),
    "what may be missing": ('{{ default "none" .Gone }}', "none"),
    "no template": ("plain: {}", "plain: {}"),
}


def test_templates_are_evaluated_as_go_does(helm: Helm) -> None:
    done, problems = made(helm, **{name: text for name, (text, _expected) in GOOD.items()})

    assert problems == []
    assert done == {name: expected for name, (_text, expected) in GOOD.items()}


MISSING = {
    "a field": ("a\n{{ .Nmae }}", 2, ".Nmae", "Name"),
    "a field in a field": ("{{ .App.Prot }}", 1, ".App.Prot", "Port"),
    "the first of two": ("{{ .Ap.Port }}", 1, ".Ap", "App"),
    "in one of many": ("{{ range .Clusters }}\n{{ .Label }}{{ end }}", 2, ".Label", ""),
    "of a variable": ("{{ range $c := .Clusters }}{{ $c.Label }}{{ end }}", 1, "$c.Label", ""),
    "what is gone through": ("{{ range .Clutsers }}x{{ end }}", 1, ".Clutsers", "Clusters"),
    "of the root": ("{{ with .App }}{{ $.Gone }}{{ end }}", 1, "$.Gone", ""),
    "in a call": ('{{ printf "%s" .Gone }}', 1, ".Gone", ""),
    "by index": ('{{ index .App "Gone" }}', 1, 'index .App "Gone"', ""),
}


def test_what_is_missing_is_named_with_its_line(helm: Helm) -> None:
    problems = made(helm, **{name: text for name, (text, *_rest) in MISSING.items()})[1]

    told = {problem.path.partition(",")[0]: problem for problem in problems}
    assert len(problems) == len(told) == len(MISSING)
    for name, (_text, line, field, meant) in MISSING.items():
        assert told[name].path == f"{name}, line {line}"
        assert told[name].message == f"{field} is not in the values"
        assert meant in told[name].hint


BROKEN = {
    "not closed": ("\n{{ .Name", 2, "unclosed action"),
    "no such function": ("{{ nofunc .Name }}", 1, 'function "nofunc" not defined'),
    "no end": ("{{ if .On }}x", 1, "unexpected EOF"),
    "nothing to ask": ("{{ if }}{{ end }}", 1, "missing value for if"),
    "a field of a text": ("\n\n{{ .Name.Deeper }}", 3, "can't evaluate field Deeper"),
    "a circle": ('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}', 1, "maximum template depth"),
}


def test_all_that_do_not_work_are_named_and_the_others_evaluated(helm: Helm) -> None:
    texts = {name: text for name, (text, _line, _words) in BROKEN.items()}
    done, problems = made(helm, good="{{ .Name }}", missing="{{ .Gone }}", **texts)

    told = {problem.path: problem.message for problem in problems}
    assert done["good"] == "shop"
    assert told.pop("missing, line 1") == ".Gone is not in the values"
    for name, (_text, line, words) in BROKEN.items():
        assert words in told[f"{name}, line {line}"]


PIECES = [
    *("{{", "}}", "{{-", "-}}", " ", "\n", ".", "$", "$x", ":=", "=", "|", "(", ")", '"', "`", "'", "/*", "*/"),
    *("if", "else", "end", "range", "with", "define", "template", "block", "index", "printf", "and", "or", "not"),
    *(".Name", ".App.Port", ".Gone", "Clusters", "1", "é", "\x00", "\x01", "\x02", "{", "}"),
]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(some.lists(some.lists(some.sampled_from(PIECES), max_size=14).map("".join), min_size=4, max_size=4))
def test_bad_templates_never_hang_or_crash(helm: Helm, texts: list[str]) -> None:
    done, problems = made(helm, **{f"t{index}": text for index, text in enumerate(texts)})

    for index, text in enumerate(texts):
        name = f"t{index}"
        assert name in done
        # Either it was evaluated, or it is told what is wrong with it; no mark of ours is left in a text.
        assert "{{" in text or done[name] == text
        assert "emcoEdge" not in done[name]
    assert all(problem.path.startswith("t") for problem in problems)
