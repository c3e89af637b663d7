# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic of addresses: exclusions and networks say the same, blocks never meet."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.emco.edge.plugins.module_utils._model import addresses


def text_of(value: int) -> str:
    return f"10.0.{value >> 8}.{value & 255}"


def as_exclusion(ends: tuple[int, int]) -> str:
    low, high = sorted(ends)
    return text_of(low) if low == high else f"{text_of(low)}..{text_of(high)}"


SPANS = st.tuples(st.integers(0, 1023), st.integers(0, 1023))
EXCLUSIONS = st.lists(SPANS.map(as_exclusion), max_size=8)


def covered(items: list[str] | tuple[str, ...]) -> set[int]:
    return {value for item in items for low, high in [addresses.span(item)] for value in range(low, high + 1)}


@given(EXCLUSIONS)
def test_networks_cover_exactly_what_is_excluded(items: list[str]) -> None:
    networks = addresses.as_networks(items)
    assert covered(networks) == covered(items)
    assert covered(addresses.merged(items)) == covered(items)
    assert sum(high - low + 1 for low, high in map(addresses.span, networks)) == len(covered(items))


@given(EXCLUSIONS)
def test_what_is_free_and_what_is_excluded_make_the_network(items: list[str]) -> None:
    free = addresses.free_ranges("10.0.0.0/22", items)
    hosts = covered(["10.0.0.1..10.0.3.254"])
    assert covered(free) == hosts - covered(items)
    assert addresses.free_hosts("10.0.0.0/22", items) == len(covered(free))


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(20, 32)), max_size=12), st.integers(22, 28))
def test_blocks_meet_neither_each_other_nor_what_is_taken(taken: list[tuple[int, int]], prefix: int) -> None:
    used = [addresses.network(f"10.0.{third}.0/{length}", strict=False) for third, length in taken]
    found = list(itertools.islice(addresses.blocks("10.0.0.0/20", prefix, used), 80))
    every = [*found, *used]
    assert not [(one, other) for one in found for other in every if one is not other and addresses.overlap(one, other)]
    # None is left out: what is not given overlaps something that is taken.
    if len(found) < 80:
        everything = list(addresses.blocks("10.0.0.0/20", prefix, ()))
        assert all(any(addresses.overlap(one, other) for other in used) for one in everything if one not in found)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10.0.0.2", "10.0.0.2"),
        ("10.0.0.2..10.0.0.9", "10.0.0.2..10.0.0.9"),
        ("10.0.0.8/30", "10.0.0.8..10.0.0.11"),
        ("FD00::A..fd00::f", "fd00::a..fd00::f"),
        ("10.0.0.9..10.0.0.9", "10.0.0.9"),
    ],
)
def test_exclusions_have_one_form(written: str, canonical: str) -> None:
    assert addresses.exclusion(written) == canonical


@pytest.mark.parametrize("wrong", ["", "10.0.0.9..10.0.0.2", "10.0.0.1..fd00::1", "10.0.0.0/33", "10.0.0", "a..b"])
def test_what_is_no_exclusion_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        addresses.exclusion(wrong)


def test_emcos_list_in_one_text_is_read() -> None:
    assert addresses.exclusions("10.9.0.2 10.9.0.5..10.9.0.9") == ("10.9.0.2", "10.9.0.5..10.9.0.9")


def test_host_bits_are_refused_or_cut() -> None:
    with pytest.raises(ValueError, match=r"the network is 10\.0\.0\.0/24"):
        addresses.network("10.0.0.5/24")
    assert addresses.network("10.0.0.5/24", strict=False) == "10.0.0.0/24"


def test_summaries_are_those_of_the_example() -> None:
    # engines: the gateway and EMCO's 2..9 of 10.151.12.0/24
    assert addresses.as_networks(["10.151.12.1", "10.151.12.2..10.151.12.9"]) == (
        "10.151.12.1/32",
        "10.151.12.2/31",
        "10.151.12.4/30",
        "10.151.12.8/31",
    )
