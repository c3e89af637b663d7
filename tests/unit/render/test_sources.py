# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of charts: digests, links, what templates can see."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ansible_collections.emco.edge.plugins.module_utils._render.kube_constraint import accepts
from ansible_collections.emco.edge.plugins.module_utils._render.sources import (
    ChartError,
    Reads,
    chart_source,
    text_reads,
)

WriteChart = Callable[[str, Mapping[str, str]], str]


def packed(entries: Mapping[str, str | None]) -> bytes:
    """An archive of files; None makes a link to /etc/passwd."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in entries.items():
            entry = tarfile.TarInfo(name)
            if text is None:
                entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(entry)
            else:
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


class TestDigest:
    def test_content_and_names_count_and_modes_and_times_and_git_do_not(
        self, write_chart: WriteChart, tmp_path: Path
    ) -> None:
        chart = tmp_path / write_chart("c", {"templates/a.yaml": "a", "files/run.sh": "x"})
        before = chart_source(chart, "app").digest
        (chart / "files" / "run.sh").chmod(0o700)
        os.utime(chart / "files" / "run.sh", (1, 1))
        write_chart("c", {".git/HEAD": "elsewhere"})
        assert chart_source(chart, "app").digest == before
        write_chart("c", {"templates/a.yaml": "b"})
        changed = chart_source(chart, "app").digest
        assert changed != before
        (chart / "templates" / "a.yaml").rename(chart / "templates" / "b.yaml")
        assert chart_source(chart, "app").digest not in (before, changed)

    def test_moving_a_part_from_name_to_content_makes_another_digest(
        self, write_chart: WriteChart, tmp_path: Path
    ) -> None:
        one = tmp_path / write_chart("one", {"Chart.yaml": "", "ab": "c"})
        two = tmp_path / write_chart("two", {"Chart.yaml": "", "a": "bc"})
        assert chart_source(one, "app").digest != chart_source(two, "app").digest

    def test_what_a_link_leads_to_counts_as_helm_follows_it(self, write_chart: WriteChart, tmp_path: Path) -> None:
        shared = tmp_path / "shared.yaml"
        shared.write_text("one", encoding="utf-8")
        chart = tmp_path / write_chart("c", {"templates/a.yaml": "a"})
        (chart / "templates" / "shared.yaml").symlink_to(shared)
        before = chart_source(chart, "app").digest
        shared.write_text("two", encoding="utf-8")
        assert chart_source(chart, "app").digest != before

    def test_a_link_in_a_circle_is_refused_and_does_not_hang(self, write_chart: WriteChart, tmp_path: Path) -> None:
        chart = tmp_path / write_chart("c", {"templates/a.yaml": "a"})
        (chart / "templates" / "again").symlink_to(chart)
        with pytest.raises(ChartError, match="is a link to a folder that it stands in"):
            chart_source(chart, "app")

    def test_a_dangling_link_and_a_pipe_are_refused_and_do_not_hang(
        self, write_chart: WriteChart, tmp_path: Path
    ) -> None:
        for name in ("link", "pipe"):
            chart = tmp_path / write_chart(name, {"templates/a.yaml": "a"})
            odd = chart / "odd"
            if name == "link":
                odd.symlink_to(tmp_path / "nowhere")
            else:
                os.mkfifo(odd)
            with pytest.raises(ChartError, match="cannot be read"):
                chart_source(chart, "app")

    def test_links_in_an_archive_are_left_out(self, tmp_path: Path) -> None:
        path = tmp_path / "c.tgz"
        path.write_bytes(packed({"c/Chart.yaml": "name: c"}))
        before = chart_source(path, "app").digest
        path.write_bytes(packed({"c/Chart.yaml": "name: c", "c/link": None}))
        assert chart_source(path, "app").digest == before

    @pytest.mark.parametrize(
        "content",
        [b"no archive", packed({"c/../../x": "y"}), packed({"c/Chart.yaml": "x"})[:40]],
        ids=["no archive", "outside", "cut off"],
    )
    def test_an_archive_that_is_none_or_leaves_its_folder_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "c.tgz"
        path.write_bytes(content)
        with pytest.raises(ChartError, match=r"app vision: the chart at .*c\.tgz cannot be read"):
            chart_source(path, "vision")


class TestReads:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("{{ .Values.Capabilities2 }} securityContext.capabilities", Reads()),
            ("{{ .Capabilities.HelmVersion }}", Reads()),
            ("{{ .Capabilities.KubeVersion.Minor }}", Reads(version=True)),
            ('{{ $.Capabilities.APIVersions.Has "a/v1" }}', Reads(apis=frozenset({"a/v1"}))),
            ("{{ .Capabilities.APIVersions.Has `a/v1` }}", Reads(apis=frozenset({"a/v1"}))),
            ("{{ .Capabilities.APIVersions.Has .Values.api }}", Reads(version=True, apis=None)),
            ("{{ range .Capabilities.APIVersions }}", Reads(version=True, apis=None)),
            ("{{ $caps := .Capabilities }}", Reads(version=True, apis=None)),
            ('{{ get . "Capabilities" }}', Reads(version=True, apis=None)),
            ("{{ if .Release.IsUpgrade }}", Reads(upgrade=True)),
            ("{{ not .Release.IsInstall }}", Reads(upgrade=True)),
            ("{{ randAlphaNum 5 }}", Reads(varies=True)),
            ("{{- (genSelfSignedCert \n .Values.name) }}", Reads(varies=True)),
            ("{{ .Values.map | keys }}", Reads(varies=True)),
            ("{{ now | date 2006 }}", Reads(varies=True)),
            ("the keys and values of now, randAlpha {{ .Values.x }} date", Reads()),
        ],
    )
    def test_a_template_tells_what_it_reads(self, text: str, expected: Reads) -> None:
        assert text_reads(text.encode()) == expected

    def test_crds_are_copied_and_do_not_count(self, write_chart: WriteChart, tmp_path: Path) -> None:
        plain = {"crds/a.yaml": "{{ .Capabilities.APIVersions }}", "charts/s/crds/a.yaml": "{{ .Capabilities }}"}
        chart = tmp_path / write_chart("c", plain)
        assert chart_source(chart, "app").reads == Reads()
        write_chart("c", {"templates/crds/a.yaml": "{{ .Release.IsUpgrade }}"})
        assert chart_source(chart, "app").reads == Reads(upgrade=True)

    def test_the_chart_says_which_versions_it_accepts(self, write_chart: WriteChart, tmp_path: Path) -> None:
        chart = tmp_path / write_chart("c", {"Chart.yaml": 'name: c\nkubeVersion: ">=1.25.0"\n'})
        assert chart_source(chart, "app").kube_constraint == ">=1.25.0"
        write_chart("c", {"Chart.yaml": "name: [", "charts/s/Chart.yaml": 'name: s\nkubeVersion: ">=1.99.0"\n'})
        assert chart_source(chart, "app").kube_constraint is None

    def test_a_packed_sub_chart_is_looked_into(self, write_chart: WriteChart, tmp_path: Path) -> None:
        chart = tmp_path / write_chart("c", {})
        (chart / "charts").mkdir()
        inner = packed({"s/Chart.yaml": "name: s", "s/templates/a.yaml": "{{ uuidv4 }}"})
        (chart / "charts" / "s-0.1.0.tgz").write_bytes(inner)
        assert chart_source(chart, "app").reads == Reads(varies=True)


class TestConstraint:
    @pytest.mark.parametrize(
        ("constraint", "version", "expected"),
        [
            (">=1.29.0-0", "v1.29.0", True),
            (">= 1.29.0-0", "v1.28.15", False),
            (">=1.29.0", "1.36.4+k3s1", True),
            (">1.29.0", "v1.29.0", False),
            (">1.29.0-0", "v1.29.0", True),
            ("<1.30.0-0", "v1.30.0", False),
            ("<=1.30.0-0", "v1.30.0", False),
            ("<=1.30.0", "v1.30.0", True),
            ("=1.30.0", "v1.30.0", True),
            (">=1.22.0-0, <1.35.0", "v1.34.9", True),
            (">=1.22.0-0 <1.35.0", "v1.35.0", False),
            (">= 1.22.0,<1.35.0", "v1.21.0", False),
            (">=1.29.0", "v1.30", True),
        ],
    )
    def test_common_constraints_are_understood(self, constraint: str, version: str, expected: bool) -> None:
        assert accepts(constraint, version) is expected

    @pytest.mark.parametrize(
        ("constraint", "version"),
        [
            ("^1.20.0", "v1.30.0"),
            ("~1.20.0", "v1.30.0"),
            ("1.x", "v1.30.0"),
            (">=1.20", "v1.30.0"),
            (">=1.20.0 || =1.10.0", "v1.30.0"),
            ("1.20.0 - 1.30.0", "v1.30.0"),
            (">=1.20.0-alpha.1", "v1.30.0"),
            ("!=1.30.0", "v1.30.0"),
            (">=1.20.0", "v1.30.0-eks-1"),
            (">=1.20.0", ""),
            ("", "v1.30.0"),
        ],
    )
    def test_others_are_left_to_helm(self, constraint: str, version: str) -> None:
        assert accepts(constraint, version) is None
