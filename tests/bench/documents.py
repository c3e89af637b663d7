# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks of EMCO's documents: a thousand of them read, checked, stored, and taken again.

Run as ``python -m tests.bench.documents``; each figure stands alone on a line ``bench: documents.NAME VALUE UNIT``.
Nothing of it touches a cluster: clusters are reached through Git, so that they are stored and not asked.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import yaml

from ansible_collections.emco.edge.plugins.module_utils._verbs import document
from ansible_collections.emco.edge.plugins.module_utils._verbs.context import Context, Host
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result, perform

GROUPS = 100
# For each group: the group, a placement, three app intents, an intents map.
PER_GROUP = 6
APPS = 3
CLUSTERS = 130


def anchored(anchor: str, name: str, spec: str = "") -> str:
    """A document."""
    text = f"---\nversion: emco/v2\nresourceContext:\n  anchor: {anchor}\nmetadata:\n  name: {name}\n"
    return text + (f"spec:\n{spec}" if spec else "")


def documents() -> tuple[dict[str, str], int]:
    """Files of documents with templates as EMCO's users write them, and how many documents they hold."""
    app = "projects/{{ $.Project }}/composite-apps/shop/v1"
    inventory = [anchored("cluster-providers", "{{ .Provider }}")]
    inventory.append(anchored("cluster-providers/{{ .Provider }}/cluster-sync-objects", "git", "  kv: [{repo: r}]\n"))
    inventory.append(
        "{{- range .Clusters }}\n"
        + anchored(
            "cluster-providers/{{ $.Provider }}/clusters",
            "{{ . }}",
            "  gitOps: {gitOpsType: fluxcd, gitOpsReferenceObject: git, gitOpsResourceObject: git}\n",
        )
        + "---\nversion: emco/v2\nresourceContext:\n"
        + "  anchor: cluster-providers/{{ $.Provider }}/clusters/{{ . }}/labels\nclusterLabel: north\n"
        + anchored(
            "cluster-providers/{{ $.Provider }}/clusters/{{ . }}/kv-pairs", "site", "  kv: [{rack: r1}, {row: '7'}]\n"
        )
        + "{{- end }}\n"
    )
    shop = [
        anchored("projects", "{{ .Project }}"),
        anchored("projects/{{ .Project }}/logical-clouds", "admin", '  level: "0"\n'),
        anchored("projects/{{ .Project }}/composite-apps", "shop", "  compositeAppVersion: v1\n"),
        anchored(f"{app}/composite-profiles", "standard"),
    ]
    for number in range(APPS):
        shop.append(anchored(f"{app}/apps", f"app{number}") + "file: app.tar.gz\n")
        spec = f"  app: app{number}\n"
        shop.append(anchored(f"{app}/composite-profiles/standard/profiles", f"p{number}", spec) + "file: app.tar.gz\n")
    groups = []
    for number in range(GROUPS):
        group = f"{app}/deployment-intent-groups/g{number}"
        overrides = "  overrideValues: [{app: app0, values: {replicas: '2', 'service.port': '{{ .Port }}'}}]\n"
        groups.append(
            anchored(
                f"{app}/deployment-intent-groups",
                f"g{number}",
                f"  compositeProfile: standard\n  version: r{number}\n  logicalCloud: admin\n{overrides}",
            )
        )
        groups.append(anchored(f"{group}/generic-placement-intents", "placement"))
        for one in range(APPS):
            leaf = "{clusterProvider: {{ .Provider }}, clusterLabel: north}"
            spec = f"  app: app{one}\n  intent:\n    allOf: [{leaf}]\n"
            groups.append(anchored(f"{group}/generic-placement-intents/placement/app-intents", f"i{one}", spec))
        groups.append(anchored(f"{group}/intents", "all", "  intent: {genericPlacementIntent: placement}\n"))
    count = 2 + 3 * CLUSTERS + 4 + 2 * APPS + PER_GROUP * GROUPS
    files = {"1-inventory.yaml": inventory, "2-shop.yaml": shop, "3-groups.yaml": groups}
    return {name: "".join(parts) for name, parts in files.items()}, count


def taken(folder: Path) -> tuple[Result, float]:
    """The result of taking the documents, and the seconds that it took."""
    environ = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
    context = Context(Host("localhost"), "bench", str(folder), environ)
    begun = time.perf_counter()
    options = {"src": ["documents"], "values": ["values.yaml"]}
    result = perform(document.SPEC, document.run, options, context)
    seconds = time.perf_counter() - begun
    if result.get("failed"):
        raise SystemExit(result["msg"])
    return result, seconds


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "documents").mkdir()
        texts, count = documents()
        for file, text in texts.items():
            (folder / "documents" / file).write_text(text, encoding="utf-8")
        with tarfile.open(folder / "documents" / "app.tar.gz", "w:gz") as archive:
            member = tarfile.TarInfo("app/Chart.yaml")
            archive.addfile(member, io.BytesIO(b""))
        values = {"Project": "p", "Provider": "lab", "Port": 8080}
        clusters = {"Clusters": [f"edge-{number}" for number in range(CLUSTERS)]}
        (folder / "values.yaml").write_text(yaml.safe_dump({**values, **clusters}), encoding="utf-8")
        first, load = taken(folder)
        again, unchanged = taken(folder)
    if first["summary"] != {"created": count} or again["summary"] != {"unchanged": count} or again["changed"]:
        raise SystemExit(f"not what was expected: {first['summary']} and {again['summary']} of {count}")
    kilobytes = sum(len(text) for text in texts.values()) // 1024
    print(f"{count} documents, {kilobytes} kB with Go templates, {CLUSTERS} clusters, {GROUPS} groups of {APPS} apps")
    print(f"read, checked, tried out and stored    {load:6.2f} s")
    print(f"the same again, nothing is written     {unchanged:6.2f} s")
    print(f"bench: documents.load1000 {load * 1000 / count:.2f} s")
    print(f"bench: documents.unchanged1000 {unchanged * 1000 / count:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
