# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for the tests of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.harness import Lab

TWO: list[dict[str, Any]] = [
    {
        "name": "one",
        "nodes": [
            {
                "name": "one-a",
                "allocatable": {"cpu": 8, "memory": "16Gi", "example.com/accelerator": 2},
                "labels": {"topology.kubernetes.io/zone": "z1", "feature.node.kubernetes.io/cpu-cpuid.AVX2": True},
            },
            {"name": "one-b", "taints": [{"key": "kept", "value": "for-tests", "effect": "NoSchedule"}]},
        ],
    },
    {"name": "two", "nodes": [{"name": "two-a"}]},
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two clusters with an audit log, whole again after each test that breaks something."""
    with Lab.up(tmp_path_factory.mktemp("lab") / "state", TWO, audit=True) as started:
        yield started


@pytest.fixture
def whole(lab: Lab) -> Iterator[Lab]:
    """The lab for a test that breaks something; what it broke is mended afterwards."""
    yield lab
    for cluster in TWO:
        lab.no_proxy(cluster["name"])
    lab.again()
