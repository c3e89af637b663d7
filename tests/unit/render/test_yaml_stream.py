# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML is read as Helm and kubectl read it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._render import yaml_stream
from ansible_collections.emco.edge.plugins.module_utils._render.helm import Helm
from ansible_collections.emco.edge.plugins.module_utils._render.programs import find_helm
from ansible_collections.emco.edge.plugins.module_utils._render.yaml_stream import YamlError, documents, load

# Plain scalars on which readers of YAML disagree.
WRITTEN = """
on On ON oN off Off yes Yes YES yEs no No y Y n N true True TRUE tRue false t f null Null NULL ~ nil none
0 1 -1 +1 007 0777 08 09 0o17 0O17 0x1F 0XfF -0x10 0b101 0b102 -0b11 1_000 1__0 _1 1_ 0_7 12:30 1:30:00
1.0 1.5 -1.5 .5 5. 1e3 1E3 1.5e-3 1e400x .e1 . .. -- -. + 1.2.3 1_0.5 0.0 -0.0 1e21 123456789012345678
9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 -9223372036854775808
2026-01-02 2026-01-02T03:04:05Z 2001-12-14t21:59:43.10-05:00 20260102 1.2.3.4 10/8 = v1 1m 2Gi 50% a_b 1e 0x 0xg
'on' "0777" '' "" !!str|5 !!int|5 !!float|5 !!binary|aGVsbG8= !local|x !!str|yes Köln 東京
2001-12-14|21:59:43.10
"""
SCALARS = WRITTEN.split()


def scalar(text: str) -> str:
    return text.replace("|", " ")


@pytest.fixture
def as_helm_reads(tmp_path: Path) -> Callable[[str], Any]:
    """What the real helm (sigs.k8s.io/yaml) makes of a mapping."""

    def read(text: str) -> Any:
        chart = tmp_path / "reader"
        for name, content in {
            "Chart.yaml": "apiVersion: v2\nname: reader\nversion: 0.1.0\n",
            "given.yaml": text,
            "templates/c.yaml": 'answer: {{ .Files.Get "given.yaml" | fromYaml | toJson | quote }}\n',
        }.items():
            (chart / name).parent.mkdir(parents=True, exist_ok=True)
            (chart / name).write_text(content, encoding="utf-8")
        with Helm(find_helm(os.environ), os.environ) as helm:
            answer = helm.run("template", "r", str(chart))
        assert answer.code == 0, answer.errors
        return json.loads(load(answer.output)["answer"])

    return read


def test_plain_scalars_mean_what_helm_takes_them_for(as_helm_reads: Callable[[str], Any]) -> None:
    text = "".join(f"k{index}: {scalar(one)}\n" for index, one in enumerate(SCALARS))
    ours, helms = load(text), as_helm_reads(text)
    assert {key: comparable(value) for key, value in ours.items()} == {
        key: comparable(value) for key, value in helms.items()
    }


def comparable(value: Any) -> tuple[type, Any]:
    """fromYaml hands templates every number as a float, so the digits of large ones are lost there, and only there."""
    return (float, float(value)) if isinstance(value, int) and not isinstance(value, bool) else (type(value), value)


def test_keys_and_structures_mean_what_helm_takes_them_for(as_helm_reads: Callable[[str], Any]) -> None:
    text = """on: key that is a boolean
1: key that is a number
0x10: key that is a hexadecimal number
base: &base {a: 1, b: [1, 2, {c: 3}]}
merged: {<<: *base, b: mine}
several: {<<: [{a: 1, b: 2}, {b: 3, c: 4}]}
copied: [*base, *base]
text: &t some words
again: *t
folded: >-
  one
  two
literal: |
  --- not a document
  three
empty:
twice: 1
twice: 2
multi: plain
  over lines
flow: {a: , b: [1, , 2]}
"""
    text = text.replace("[1, , 2]", "[1, 2]")
    assert load(text) == as_helm_reads(text)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(WORDS, JSON))
def test_json_is_read_as_json(value: Any) -> None:
    """kubectl and Helm take JSON, and JSON is YAML."""
    assert load(json.dumps(value)) == value


def test_the_reader_written_in_python_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"k{index}: {scalar(one)}\n" for index, one in enumerate(SCALARS)) + "m: &a {<<: {x: 1}}\nn: *a\n"
    expected = load(text)
    monkeypatch.setattr(yaml_stream, "_Loader", yaml.SafeLoader)
    assert load(text) == expected


def test_an_alias_is_a_copy_of_its_own() -> None:
    found = load("a: &a {b: [1]}\nc: *a\n")
    found["c"]["b"].append(2)
    assert found["a"] == {"b": [1]}


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{index}: &l{index} [{', '.join([f'*l{index - 1}'] * 10)}]" for index in range(1, 10)]
    with pytest.raises(YamlError, match="aliases"):
        load("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "line 2"),
        ("a: b: c", "line 1"),
        ("a: 1\n\tb: 2", "line 2"),
        ("a: *nowhere", "'nowhere', which is not defined before"),
        ("a: .inf", "number that JSON does not know"),
        ("? [a, b]\n: c", "a list or a mapping as a key"),
        ("~: c", "null as a key"),
        ("<<: 5", "merge key"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply|nesting depth"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(YamlError, match=message):
        load(text)


def test_an_error_never_quotes_the_document() -> None:
    with pytest.raises(YamlError) as caught:
        load("password: canary: [")
    assert "canary" not in str(caught.value)


class TestDocuments:
    def test_documents_are_split_as_helm_splits_them(self) -> None:
        text = """\
a: 1
---
# only a comment
---
b: 2
--- # trailing words
c: |
  text
   --- not a line of its own
---

---
"""
        assert [load(one.text) for one in documents(text)] == [
            {"a": 1},
            {"b": 2},
            {"c": "text\n --- not a line of its own\n"},
        ]

    def test_numbers_count_what_holds_something_and_lines_are_those_of_the_stream(self) -> None:
        found = list(documents("\n# first\n---\na: 1\n---\nb: [\n"))
        assert [(one.number, one.line) for one in found] == [(1, 3), (2, 5)]
        with pytest.raises(YamlError, match="line 7"):
            load(found[1].text, line=found[1].line)

    def test_an_end_marker_and_a_directive_do_no_harm(self) -> None:
        assert [load(one.text) for one in documents("%YAML 1.1\n---\na: 1\n...\n---\nb: 2\n")] == [{"a": 1}, {"b": 2}]

    def test_nothing_is_no_document(self) -> None:
        assert list(documents("")) == []
        assert list(documents("---\n---\n\n")) == []
