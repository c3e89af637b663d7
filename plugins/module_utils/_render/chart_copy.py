# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: a chart with the files that a profile puts into it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.emco.edge.plugins.module_utils._render.request import RenderRequest
from ansible_collections.emco.edge.plugins.module_utils._render.sources import chart_files


@contextmanager
def chart_with_files(request: RenderRequest, chart: Path) -> Iterator[Path]:
    """The chart itself, or a copy of it that lasts as long as the context and holds the request's files too.

    The copy is a folder of plain files that only we can read, whatever links and modes the chart has.
    """
    if not request.files:
        yield chart
        return
    with tempfile.TemporaryDirectory(prefix="emco-edge-chart-") as folder:
        # The folder's name does not show in what is rendered, Chart.yaml's does.
        copy = Path(folder, "chart")
        for name, content in chart_files(chart):
            _write(copy / name, content)
        for file in request.files:
            _write(copy / file.dest, request.file_content(file))
        yield copy


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
