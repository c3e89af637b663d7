# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What integration tests have in common."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.clouds import CLUSTERS, Clouds
from tests.integration.deploying import DESCRIBED
from tests.integration.playbooks import Playbooks
from tests.integration.syncing import Rig, namespace, short
from tests.lab.harness import Lab


@pytest.fixture
def playbooks(tmp_path: Path) -> Playbooks:
    """Runs playbooks with a store of this test alone."""
    return Playbooks(tmp_path)


@pytest.fixture(scope="session")
def audited_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One cluster whose API server says what it was asked."""
    running = os.environ.get("EMCO_EDGE_AUDITED_LAB")
    if running:  # a lab that stays up saves half a minute a run while tests are written
        yield Lab.attach(Path(running))
        return
    clusters = [{"name": "one", "nodes": [{"name": "one-a"}, {"name": "one-b"}]}]
    with Lab.up(tmp_path_factory.mktemp("audited") / "state", clusters, audit=True) as lab:
        yield lab


@pytest.fixture(scope="session")
def fleet_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three clusters for deployments, one of them with accelerators; whoever stops one starts it again."""
    running = os.environ.get("EMCO_EDGE_FLEET_LAB")
    if running:
        yield Lab.attach(Path(running))
        return
    with Lab.up(tmp_path_factory.mktemp("fleet"), DESCRIBED) as lab:
        yield lab


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    """Four registered clusters for logical clouds, and a store."""
    running = os.environ.get("EMCO_EDGE_CLOUDS_LAB")
    if running:
        yield Clouds(Lab.attach(Path(running)), tmp_path_factory.mktemp("control")).register()
        return
    described = [{"name": name, "nodes": [{"name": f"{name}-a"}]} for name in CLUSTERS]
    with Lab.up(tmp_path_factory.mktemp("clouds") / "state", described, audit=True) as lab:
        yield Clouds(lab, tmp_path_factory.mktemp("control")).register()


@pytest.fixture
def rig(audited_lab: Lab, request: pytest.FixtureRequest) -> Rig:
    """The audited cluster with a namespace of this test alone."""
    space = short(f"{request.node.nodeid} {time.time_ns()}")
    audited_lab.apply("one", namespace(space))
    return Rig(audited_lab, "one", space)
