# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of values, and values as on Helm's command line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse
from ansible_collections.emco.edge.plugins.module_utils._model.values import (
    Override,
    ValueLayers,
    merge,
    set_values,
)

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


class TestMerge:
    def test_mappings_merge_and_lists_replace(self) -> None:
        assert merge([{"a": {"b": 1, "c": [1, 2]}, "d": 1}, {"a": {"c": [3]}, "e": 2}]) == {
            "a": {"b": 1, "c": [3]},
            "d": 1,
            "e": 2,
        }

    def test_a_null_stays_for_helm_to_delete_the_charts_default(self) -> None:
        assert merge([{"a": {"b": 1}}, {"a": None}]) == {"a": None}

    def test_a_mapping_over_a_scalar_replaces_it(self) -> None:
        assert merge([{"a": 1}, {"a": {"b": 2}}]) == {"a": {"b": 2}}

    @given(MAPPINGS, MAPPINGS, MAPPINGS)
    def test_it_does_not_matter_which_layers_are_merged_first(self, one: Any, two: Any, three: Any) -> None:
        assert merge([merge([one, two]), three]) == merge([one, two, three])

    @given(MAPPINGS)
    def test_a_layer_over_itself_changes_nothing(self, layer: dict[str, Any]) -> None:
        assert merge([layer, layer]) == layer

    def test_the_result_shares_nothing_with_its_layers(self) -> None:
        layer: dict[str, Any] = {"a": {"b": [{"c": 1}]}}
        merge([layer])["a"]["b"][0]["c"] = 2
        merge([{}, layer, {"a": {"x": 1}}])
        assert layer == {"a": {"b": [{"c": 1}]}}


def test_layers_win_in_emcos_order() -> None:
    layers = ValueLayers(
        profile_files=({"a": "file1", "b": "file1", "c": "file1"}, {"b": "file2", "c": "file2", "d": "file2"}),
        profile={"c": "profile", "d": "profile", "e": "profile"},
        overrides=Override(values={"d": "override", "e": "override", "f": {"g": "override"}}, set={"f.h": "set"}),
        cluster_overrides=Override(values={"e": "cluster"}, set={"f.g": "cluster"}),
    )
    assert layers.merged() == {
        "a": "file1",
        "b": "file2",
        "c": "profile",
        "d": "override",
        "e": "cluster",
        "f": {"g": "cluster", "h": "set"},
    }


class TestSet:
    @pytest.mark.parametrize(
        ("pairs", "expected"),
        [
            ({"name": "{a,b,c}", "servers[0].port": "80"}, {"name": ["a", "b", "c"], "servers": [{"port": 80}]}),
            ({"global.dcaeCollectorIp": "1.2.3.4"}, {"global": {"dcaeCollectorIp": "1.2.3.4"}}),
            ({"service.ports.nodePort": "30888"}, {"service": {"ports": {"nodePort": 30888}}}),
            ({"a": "true", "b": "False", "c": "null", "d": ""}, {"a": True, "b": False, "c": None, "d": ""}),
            (
                {"a": "0", "b": "007", "c": "-3", "d": "1.5", "e": "1e3"},
                {"a": 0, "b": "007", "c": -3, "d": "1.5", "e": "1e3"},
            ),
            ({"a": "9223372036854775807", "b": "9223372036854775808"}, {"a": 2**63 - 1, "b": "9223372036854775808"}),
            ({"list": "{1,true,x}", "one": "{}"}, {"list": [1, True, "x"], "one": [""]}),
            ({"a[2]": "x"}, {"a": [None, None, "x"]}),
            ({"a[0][1]": "x"}, {"a": [[None, "x"]]}),
            ({"a[1].b": "1", "a[0].b": "0"}, {"a": [{"b": 0}, {"b": 1}]}),
            ({"node\\.kubernetes\\.io/role": "edge"}, {"node.kubernetes.io/role": "edge"}),
            ({"a": "one\\,two"}, {"a": "one,two"}),
            ({"a": "one,two"}, {"a": "one,two"}),
            ({"a": "{x\\,y,z}"}, {"a": ["x,y", "z"]}),
            ({"a": "key=value"}, {"a": "key=value"}),
            ({"Köln": "東京"}, {"Köln": "東京"}),
        ],
    )
    def test_pairs_are_read_as_helm_reads_them(self, pairs: dict[str, str], expected: dict[str, Any]) -> None:
        assert set_values(pairs) == expected

    def test_overlapping_pairs_always_give_the_same(self) -> None:
        """Undefined in EMCO; here the deeper key wins."""
        assert set_values({"a.b": "1", "a": "2"}) == set_values({"a": "2", "a.b": "1"}) == {"a": {"b": 1}}

    def test_pairs_are_laid_over_a_tree_without_changing_it(self) -> None:
        below = {"a": {"b": 1}, "list": [{"x": 1}]}
        assert set_values({"a.c": "2", "list[0].y": "3"}, onto=below) == {
            "a": {"b": 1, "c": 2},
            "list": [{"x": 1, "y": 3}],
        }
        assert below == {"a": {"b": 1}, "list": [{"x": 1}]}

    @pytest.mark.parametrize(
        "key", ["", ".a", "a.", "a..b", "a[", "a[x]", "a[-1]", "a[0]b", "a[99999999]", "[0]", ".".join("x" * 32)]
    )
    def test_a_key_that_cannot_be_read_is_named(self, key: str) -> None:
        with pytest.raises(ValueError, match="^" + repr(key).replace("[", r"\[").replace(".", r"\.")):
            set_values({key: "1"})

    @pytest.mark.parametrize("value", ["{a", "{a}b"])
    def test_a_list_that_does_not_end_is_refused(self, value: str) -> None:
        with pytest.raises(ValueError, match="'a': a list must end"):
            set_values({"a": value})

    def test_values_that_arrive_typed_are_taken_as_written(self) -> None:
        problems = Problems()
        override = parse(Override, {"set": {"a": True, "b": 80, "c": None, "d": "007"}}, "overrides.api", problems)
        assert override is not None
        assert override.as_values() == {"a": True, "b": 80, "c": None, "d": "007"}

    def test_a_tree_has_no_place_in_set(self) -> None:
        with pytest.raises(ValueError, match="use values for lists and trees"):
            Override(set={"a": {"b": 1}}).as_values()

    def test_an_override_that_cannot_be_read_is_refused_with_its_path(self) -> None:
        problems = Problems()
        assert parse(Override, {"set": {"a[": "1"}}, "overrides.api", problems) is None
        assert [problem.path for problem in problems] == ["overrides.api.set"]

    @given(st.text(max_size=12), st.text(max_size=12))
    def test_any_text_is_read_or_refused_with_a_reason(self, key: str, value: str) -> None:
        try:
            assert isinstance(set_values({key: value}), dict)
        except ValueError as wrong:
            assert repr(key) in str(wrong)
