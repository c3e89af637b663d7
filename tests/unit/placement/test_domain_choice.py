# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing regions together with what their clusters hold, against every choice there is."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import combinations

import pytest

from ansible_collections.emco.edge.plugins.module_utils._placement.domains import Candidate, Demand, best_choice


def feasible(chosen: tuple[Candidate, ...], demand: Demand, domains: int) -> bool:
    used = {one.domain for one in chosen}
    if not demand.least <= len(chosen) <= demand.most:
        return False
    if len(used) < demand.least_domains or len(used) > (demand.most_domains or 99):
        return False
    if demand.skew is not None:
        counts = [sum(one.domain == domain for one in chosen) for domain in used]
        smallest = min(counts) if len(used) == min(domains, demand.most_domains or domains) else 0
        if max(counts) - smallest > demand.skew:
            return False
    return demand.need is None or sum(one.room or 0 for one in chosen) >= demand.need


def best_of_all(candidates: list[Candidate], demand: Demand) -> float | None:
    domains = len({one.domain for one in candidates})
    found = [
        sum(one.value for one in chosen)
        for size in range(max(1, demand.least), demand.most + 1)
        for chosen in combinations(candidates, size)
        if feasible(chosen, demand, domains)
    ]
    return max(found, default=None)


def random_case(seed: int, *, skew: bool = False) -> tuple[list[Candidate], Demand]:
    dice = random.Random(seed)
    regions = dice.randint(1, 12)
    count = dice.randint(regions, max(regions, 14))
    candidates = [
        Candidate(at, dice.randint(-100, 100), dice.randint(0, 40), at if at < regions else dice.randrange(regions))
        for at in range(count)
    ]
    least_domains = dice.randint(0, min(regions, 4))
    most_domains = dice.choice([None, dice.randint(max(1, least_domains), min(regions, 5) if least_domains < 6 else 6)])
    least = dice.randint(1, 4)
    most = dice.randint(least, 6)
    need = dice.choice([None, dice.randint(1, 160)])
    uneven = dice.randint(1, 2) if skew else None
    return candidates, Demand(least, min(most, count), least_domains, most_domains, uneven, need)


@pytest.mark.parametrize("block", range(6))
def test_choice_is_feasible_whenever_any_is_and_as_good_as_the_best(block: int) -> None:
    for seed in range(block * 60, block * 60 + 60):
        candidates, demand = random_case(seed, skew=block >= 4)
        best = best_of_all(candidates, demand)
        found = best_choice(candidates, demand)
        if best is None:
            unmet = found is None or sum(candidates[at].room or 0 for at in found) < (demand.need or 0)
            assert unmet, (seed, demand, found)
            continue
        assert found is not None, (seed, demand)
        chosen = tuple(candidates[at] for at in found)
        assert feasible(chosen, demand, len({one.domain for one in candidates})), (seed, demand, chosen)
        value = sum(one.value for one in chosen)
        assert value >= 0.999 * best, (seed, demand, value, best)


def test_forty_regions_choose_twenty_in_under_a_second() -> None:
    dice = random.Random(7)
    candidates = [Candidate(at, dice.randint(-100, 100), dice.randint(1, 60), at % 40) for at in range(200)]
    demand = Demand(20, 40, 20, 20, None, 1500)
    started = time.process_time()
    found = best_choice(candidates, demand)
    seconds = time.process_time() - started
    assert found is not None
    assert len({at % 40 for at in found}) == 20
    assert sum(candidates[at].room or 0 for at in found) >= 1500
    assert seconds < 1.0


def test_what_runs_is_kept_before_anything_better() -> None:
    candidates = [Candidate(0, -90, 5, "a", held=True), Candidate(1, 90, 5, "b"), Candidate(2, 80, 5, "b")]
    assert best_choice(candidates, Demand(1, 1, 1, 1)) == [0]
    assert best_choice(candidates, Demand(2, 2, 1, 1)) == [1, 2]


def test_what_must_be_taken_is_taken() -> None:
    candidates = [Candidate(0, -90, 1, "a", must=True), Candidate(1, 90, 50, "b"), Candidate(2, 80, 50, "c")]
    assert best_choice(candidates, Demand(2, 2, 1, None, None, 40)) == [0, 1]


def test_bounds_that_cannot_be_met_have_no_choice() -> None:
    candidates = [Candidate(0, 1, None, "a"), Candidate(1, 1, None, "a")]
    assert best_choice(candidates, Demand(1, 2, 2)) is None
    assert best_choice(candidates, Demand(3, 3)) is None


def test_unlimited_room_counts_as_enough() -> None:
    candidates = [Candidate(0, 1, None, "a"), Candidate(1, 99, 3, "a")]
    assert best_choice(candidates, Demand(1, 1, 1, 1, None, 500)) == [0]


def test_large_choice_is_close_to_the_bound_that_prices_prove() -> None:
    dice = random.Random(3)
    candidates = [Candidate(at, dice.randint(-100, 100), dice.randint(1, 60), at % 30) for at in range(240)]
    demand = Demand(25, 25, 10, 12, None, 1000)
    found = best_choice(candidates, demand)
    assert found is not None
    room = sum(candidates[at].room or 0 for at in found)
    value = sum(candidates[at].value for at in found)
    assert room >= 1000
    bounds = []
    for price in range(0, 4000, 200):
        worth = [replace(one, score=one.score + price * min(one.room or 0, 1000) / 1000) for one in candidates]
        best = best_choice(worth, replace(demand, need=None))
        assert best is not None
        bounds.append(sum(worth[at].value for at in best) - price)
    assert value >= 0.97 * min(bounds)
