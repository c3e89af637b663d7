# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts and profiles packed as EMCO takes them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ansible_collections.emco.edge.plugins.module_utils._render.packages import chart_in, profile_in
from ansible_collections.emco.edge.plugins.module_utils._render.sources import ChartError

CHART = "{apiVersion: v2, name: web, version: 1.0.0}\n"
MANIFEST = "{version: v1, type: {values: values.yaml}}\n"


def packed(path: Path, files: Mapping[str, str]) -> str:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return str(path)


def test_a_chart_in_a_folder_of_its_name_is_taken_as_it_is(tmp_path: Path) -> None:
    package = packed(tmp_path / "web.tar.gz", {"web/Chart.yaml": CHART, "web/templates/a.yaml": "a: b\n"})

    assert chart_in(package, "d", "web", tmp_path / "cache") == package
    assert not (tmp_path / "cache").exists()


def test_a_chart_at_the_top_is_unpacked_once(tmp_path: Path) -> None:
    package = packed(tmp_path / "web.tar.gz", {"./Chart.yaml": CHART, "templates/a.yaml": "a: b\n"})

    found = Path(chart_in(package, "d", "web", tmp_path / "cache"))

    assert (found / "Chart.yaml").read_text() == CHART
    assert (found / "templates" / "a.yaml").is_file()
    assert chart_in(package, "d", "web", tmp_path / "cache") == str(found)
    assert [one.name for one in (tmp_path / "cache").iterdir()] == ["d"]


def test_a_chart_beside_other_things_is_found_by_its_name(tmp_path: Path) -> None:
    package = packed(tmp_path / "web.tar.gz", {"web/Chart.yaml": CHART, "README": "x"})

    assert (Path(chart_in(package, "d", "web", tmp_path / "cache")) / "Chart.yaml").read_text() == CHART


def test_a_folder_is_a_chart_too(tmp_path: Path) -> None:
    assert chart_in(str(tmp_path), "d", "web", tmp_path / "cache") == str(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"other/Chart.yaml": CHART}, "no chart at the top and none in a folder web"),
        ({"web/values.yaml": ""}, "no chart"),
        ({"../Chart.yaml": CHART}, "outside of it"),
        ({"/etc/Chart.yaml": CHART}, "outside of it"),
    ],
)
def test_a_package_without_the_chart_says_what_is_in_it(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(ChartError, match=words):
        chart_in(packed(tmp_path / "web.tar.gz", files), "d", "web", tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08\x00\x00", b"not a package"])
def test_what_is_no_package_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "web.tar.gz").write_bytes(content)

    with pytest.raises(ChartError, match=r"is not a tar\.gz"):
        chart_in(str(tmp_path / "web.tar.gz"), "d", "web", tmp_path / "cache")


def test_a_link_in_a_package_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "web.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("web/Chart.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    with pytest.raises(ChartError, match="only folders and files"):
        chart_in(str(tmp_path / "web.tar.gz"), "d", "web", tmp_path / "cache")


def test_a_profile_names_values_and_files(tmp_path: Path) -> None:
    manifest = """version: v1
type:
  values: values.yaml
  configresource:
  - {filepath: extra/site.conf, chartpath: web/files/site.conf}
"""
    files = {"manifest.yaml": manifest, "values.yaml": "a: 1\n", "extra/site.conf": "x"}

    found = profile_in(packed(tmp_path / "p.tar.gz", files), "d", "web", tmp_path / "cache")

    assert Path(found.values).read_text() == "a: 1\n"
    assert [(Path(source).read_text(), target) for source, target in found.files] == [("x", "files/site.conf")]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"values.yaml": ""}, "has no manifest.yaml"),
        ({"manifest.yaml": "{type: {values: [values.yaml]}}", "values.yaml": ""}, "must name one file"),
        ({"manifest.yaml": "{type: {}}"}, "must name one file"),
        ({"manifest.yaml": MANIFEST}, "must name one file"),
        ({"manifest.yaml": "{type: ["}, "is not YAML"),
        (
            {
                "manifest.yaml": "{type: {values: v, configresource: [{filepath: gone, chartpath: web/x}]}}",
                "v": "",
            },
            "has no file gone",
        ),
    ],
)
def test_a_manifest_that_will_not_do_says_why(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(ChartError, match=words):
        profile_in(packed(tmp_path / "p.tar.gz", files), "d", "web", tmp_path / "cache")
